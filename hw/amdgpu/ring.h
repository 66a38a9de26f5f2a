/* SPDX-License-Identifier: MIT */
/*
 * Rings: where packets come from. A ring and the indirect buffers (IBs) that it
 * starts are streams of dwords; what the packets mean is up to the engine.
 */
#ifndef HW_AMDGPU_RING_H
#define HW_AMDGPU_RING_H

#include "amdgpu/gmc.h"

#define CIK_RING_IBS	3	/* within each other */
#define CIK_PACKET_MAX	0x4002	/* dwords: PM4 has the longest */

struct cik_ring;

/**
 * enum cik_step - what a packet that has no length to return says
 */
enum cik_step {
	CIK_AGAIN = 0,	/* run it again, with a new budget */
	CIK_WAIT = -1,	/* run it again later */
	CIK_STOP = -2,	/* the ring stands still until a reset */
};

/**
 * struct cik_engine - what runs packets
 * @load: read what the registers say of the ring; false: it is off
 * @save: tell where the ring is
 * @step: run the packet with @header at the stream's current place; dwords that
 *	it has, or &enum cik_step
 * @nop: a dword that does nothing and comes in streams
 * @illegal: tell the driver that a packet is none
 */
struct cik_engine {
	bool (*load)(struct cik_ring *ring);
	void (*save)(struct cik_ring *ring);
	int (*step)(struct cik_ring *ring, uint32_t header);
	uint32_t nop;
	void (*illegal)(struct cik_ring *ring);
};

/**
 * struct cik_ib - an indirect buffer that is being executed
 * @vmid: whose addresses it has
 * @va: next packet
 * @left: dwords from there to its end
 */
struct cik_ib {
	unsigned int vmid;
	uint64_t va;
	uint32_t left;
};

/**
 * struct cik_ring - a ring
 * @cik: the device
 * @engine: what runs its packets
 * @key: number, see CIK_KEY_*
 * @unit: of the engine: which SDMA instance, which HQD
 * @name: for the trace
 * @client: by which faults are reported
 * @base: address in VMID 0
 * @size: dwords, a power of two
 * @rptr: next packet, in dwords
 * @wptr: behind the last packet
 * @ib: the innermost last
 * @depth: how many of them there are
 * @next: an IB that starts when the current packet is done
 * @start: there is @next
 * @chain: it takes the current one's place
 * @progress: what is done of the current packet, in the packet's own units
 * @budget: what is left of the turn
 * @moved: this turn did something
 * @waiting: the current packet waits
 * @busy: there are packets, as far as the last turn knows
 * @stopped: nothing more until it is turned off
 * @dropped: turned off or reset while it was worked on
 * @wake: hw_now() time until which an injected delay holds it
 * @host: memory of the stream from @host_va on, for @host_vmid
 * @host_len: bytes of it
 * @epoch: cik.epoch for which that holds
 */
struct cik_ring {
	struct cik *cik;
	const struct cik_engine *engine;
	unsigned int key;
	unsigned int unit;
	char name[16];
	uint32_t client;
	uint64_t base;
	uint32_t size;
	uint32_t rptr, wptr;
	struct cik_ib ib[CIK_RING_IBS];
	unsigned int depth;
	struct cik_ib next;
	bool start, chain;
	uint64_t progress;
	int64_t budget;
	bool moved, waiting, busy, stopped, dropped;
	uint64_t wake;
	const uint8_t *host;
	uint64_t host_va, host_len;
	unsigned int host_vmid;
	uint64_t epoch;
};

/* ring.c */
void cik_ring_init(struct cik *cik, unsigned int key,
		   const struct cik_engine *engine, unsigned int unit,
		   const char *name, uint32_t client);

/* Forgets IBs and whatever was under way. */
void cik_ring_drop(struct cik_ring *ring);

/* A turn for each ring that has work; milliseconds as &pci_ops.work. */
int cik_rings_work(struct cik *cik);

/* Whose addresses the current packet has. */
struct cik_as cik_ring_as(const struct cik_ring *ring);

/* The current packet is user space's. */
bool cik_ring_user(const struct cik_ring *ring);

/* Dwords from the current place to the end of the stream. */
uint32_t cik_ring_left(const struct cik_ring *ring);

/**
 * cik_ring_fetch - read dwords of the stream
 * @ring: the ring
 * @at: first one, from the current place on
 * @dw: receives them
 * @n: how many; the caller knows that the stream has them
 *
 * Return: 0 or -EFAULT.
 */
int cik_ring_fetch(struct cik_ring *ring, uint32_t at, uint32_t *dw,
		   uint32_t n);

/**
 * cik_ring_start - go on in an IB when the current packet is done
 * @ring: the ring
 * @vmid: of the IB, where a ring starts it; else it is the current one's
 * @va: its address
 * @len: dwords
 * @chain: and do not come back
 *
 * An IB that the ring starts is a job: where faults are injected.
 *
 * Return: 0, or CIK_STOP.
 */
int cik_ring_start(struct cik_ring *ring, unsigned int vmid, uint64_t va,
		   uint32_t len, bool chain);

/* The packet is none: tells the driver. CIK_STOP. */
int cik_ring_illegal(struct cik_ring *ring, const char *what);

/* Whether a job's last write is to be lost, or its delay has begun (CIK_WAIT). */
int cik_ring_fence(struct cik_ring *ring, bool *lost);

/* An interrupt of the ring's own, unless that is to be lost. */
void cik_ring_interrupt(struct cik_ring *ring, unsigned int source,
			unsigned int ring_id, unsigned int vmid);

/* The comparisons of packets that wait; numbers as in SDMA and PM4. */
bool cik_compare(unsigned int function, uint32_t value, uint32_t reference);

/**
 * cik_atomic - an atomic operation on memory
 * @as: whose address
 * @op: as the shaders' memory path numbers it; bit 5: 64 bits wide
 * @va: the address
 * @data: operand
 * @compare: of a compare and swap
 * @old: receives what was there
 *
 * Return: 0, -EFAULT, or -ENOSYS for an @op that is not modelled.
 */
int cik_atomic(const struct cik_as *as, unsigned int op, uint64_t va,
	       uint64_t data, uint64_t compare, uint64_t *old);

/**
 * cik_semaphore - signal a semaphore in memory, or wait for one
 * @as: whose address
 * @va: of 64 bits that count
 * @signal: else wait
 * @set: signalling writes 1 rather than counting
 *
 * Return: 0, -EFAULT, or CIK_WAIT.
 */
int cik_semaphore(const struct cik_as *as, uint64_t va, bool signal, bool set);

/* The engines. */
extern const struct cik_engine cik_sdma_engine;		/* sdma.c */
extern const struct cik_engine cik_gfx_engine;		/* cp.c */
extern const struct cik_engine cik_compute_engine;	/* cp.c */

/* pm4.c: what both CP engines run. */
int cik_pm4_step(struct cik_ring *ring, uint32_t header);
/* cp.c: the end of a pipe, told to the driver if it wants to know. */
void cik_cp_eop(struct cik_ring *ring);
/* cp.c: a register that user space must not write. CIK_STOP. */
int cik_cp_forbidden(struct cik_ring *ring, uint32_t reg);

/* Bytes between two looks at the budget, and what they cost of it. */
#define CIK_PIECE	HW_MIB(2)
#define CIK_COST(bytes)	((int64_t)((bytes) / HW_PAGE_SIZE))

#endif
