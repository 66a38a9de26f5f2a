/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the Bonaire with what its driver would have set up: system memory, GART,
 * page tables, the IH ring, the rings of its engines. It talks to the model as a
 * driver does, by registers, doorbells and memory, and shares no code with it but
 * the driver's headers.
 */
#ifndef TESTS_HW_AMDGPU_RIG_H
#define TESTS_HW_AMDGPU_RIG_H

#include "amdgpu/amdgpu.h"
#include "amdgpu/driver.h"

#define ARIG_VRAM_SIZE	HW_MIB(16)
#define ARIG_RAM_SIZE	HW_MIB(4)
#define ARIG_RAM_ADDR	0x100000000ull	/* by DMA */
#define ARIG_REMOTE_ADDR 0x200000000ull	/* only messages reach it */
#define ARIG_GART	0xff00000000ull	/* in the kernel's address space */
#define ARIG_GART_PAGES	4096u
#define ARIG_VMID	3u		/* user space's, in most tests */
#define ARIG_PASID	0x77u
#define ARIG_DOORBELL	0x10u		/* of the compute queue */

enum arig_where { ARIG_VRAM, ARIG_RAM, ARIG_REMOTE };

/**
 * struct arig_buf - memory of the device's or the system's
 * @where: whose
 * @addr: offset into VRAM, or DMA address
 * @mc: address in VMID 0
 * @host: the same memory here
 * @size: bytes, whole pages
 */
struct arig_buf {
	enum arig_where where;
	uint64_t addr;
	uint64_t mc;
	uint8_t *host;
	uint64_t size;
};

enum arig_engine { ARIG_SDMA0, ARIG_SDMA1, ARIG_GFX, ARIG_COMPUTE };

/**
 * struct arig_ring - a ring as its driver sees it
 * @engine: which one
 * @buf: its memory
 * @wptr: where the next packet goes, in dwords
 * @rptr: where the engine says it is
 */
struct arig_ring {
	enum arig_engine engine;
	struct arig_buf buf;
	uint32_t wptr;
	struct arig_buf rptr;
};

#define ARIG_RING_DWORDS 1024u

/**
 * struct arig - all of it
 * @cik: the model
 * @ram_fd: what is behind @ram
 * @ram: memory at ARIG_RAM_ADDR
 * @remote: memory at ARIG_REMOTE_ADDR
 * @used: bytes of each kind of memory that are given out
 * @gart: page of the GART that is next
 * @gart_table: VRAM offset of its entries
 * @ring: by &enum arig_engine
 * @ih: the ring of interrupt vectors
 * @ih_wptr: where the model writes its pointer
 * @ih_rptr: next vector to be taken
 * @root: VRAM offset of the page directory of ARIG_VMID
 * @remote_accesses: messages for memory at ARIG_REMOTE_ADDR
 * @on_remote: called before one is served
 */
struct arig {
	struct cik *cik;
	int ram_fd;
	uint8_t *ram;
	uint8_t *remote;
	uint64_t used[3];
	unsigned int gart;
	uint64_t gart_table;
	struct arig_ring ring[4];
	struct arig_buf ih, ih_wptr;
	uint32_t ih_rptr;
	uint64_t root;
	unsigned int remote_accesses;
	void (*on_remote)(struct arig *rig, uint64_t addr, bool write);
};

extern const struct cik_config arig_config;

/* NULL: arig_config, and no faults. Only power-on state. */
void arig_init(struct arig *rig, const struct cik_config *config,
	       const struct inject *inject);
void arig_free(struct arig *rig);

/* What a driver does at probe: memory controller, IH, rings, and again later. */
void arig_setup(struct arig *rig);
void arig_start(struct arig *rig);

/* Registers by dword, doorbells by dword. */
uint32_t arig_read(struct arig *rig, uint32_t reg);
void arig_write(struct arig *rig, uint32_t reg, uint32_t value);
void arig_doorbell(struct arig *rig, uint32_t index, uint32_t value);

/* Zeroed memory that VMID 0 reaches. */
struct arig_buf arig_buf(struct arig *rig, enum arig_where where,
			 uint64_t size);
void arig_set_gart(struct arig *rig, uint64_t mc, uint64_t pte);

uint32_t arig_dw(const struct arig_buf *buf, unsigned int dw);
uint64_t arig_qw(const struct arig_buf *buf, unsigned int qw);
void arig_set_dw(const struct arig_buf *buf, unsigned int dw, uint32_t value);

/* Page tables of ARIG_VMID; a table is made where one is missing. */
void arig_map(struct arig *rig, uint64_t va, const struct arig_buf *buf,
	      uint64_t flags);
void arig_map_entry(struct arig *rig, uint64_t va, uint64_t pte);
uint64_t *arig_pde(struct arig *rig, uint64_t va);

#define ARIG_RW (CIK_PTE_VALID | CIK_PTE_READABLE | CIK_PTE_WRITEABLE)

/* Packets into a ring; arig_submit() moves the pointer and works. */
void arig_emit(struct arig *rig, enum arig_engine engine, const uint32_t *dw,
	       unsigned int n);
void arig_kick(struct arig *rig, enum arig_engine engine);
int arig_submit(struct arig *rig, enum arig_engine engine);

/* The ring is empty, by register and in memory. */
bool arig_idle(struct arig *rig, enum arig_engine engine);

#define AEMIT(rig, engine, ...)						\
	do {								\
		const uint32_t dw_[] = { __VA_ARGS__ };			\
									\
		arig_emit(rig, engine, dw_, ARRAY_SIZE(dw_));		\
	} while (0)

/* Emits and submits. */
#define ARUN(rig, engine, ...)						\
	do {								\
		AEMIT(rig, engine, __VA_ARGS__);			\
		arig_submit(rig, engine);				\
	} while (0)

/* Packets into an IB, from @at in dwords; where the next would go. */
unsigned int arig_ib(const struct arig_buf *buf, unsigned int at,
		     const uint32_t *dw, unsigned int n);

#define AIB(buf, at, ...)						\
	({								\
		const uint32_t dw_[] = { __VA_ARGS__ };			\
									\
		arig_ib(buf, at, dw_, ARRAY_SIZE(dw_));			\
	})

/**
 * struct arig_iv - an interrupt vector
 */
struct arig_iv {
	unsigned int source, ring_id, vmid, pasid;
	uint32_t data;
};

/* The next vector, or false if there is none. */
bool arig_iv(struct arig *rig, struct arig_iv *iv);

/* It is of @source; else complains. */
bool arig_expect_iv(struct arig *rig, unsigned int source,
		    unsigned int ring_id);

/* Turns until the model wants to sleep; what it returned last. One turn. */
int arig_work(struct arig *rig);
int arig_turn(struct arig *rig);

#define LO(x) ((uint32_t)(x))
#define HI(x) ((uint32_t)((uint64_t)(x) >> 32))

#endif
