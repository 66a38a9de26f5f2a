// SPDX-License-Identifier: MIT
/*
 * PM4 packets. Those of type 3 have an opcode in bits 15:8 of the header and the
 * number of dwords after it, minus one, in bits 29:16. What draws or computes is
 * skipped: there are no shaders. Commands are executed in order and there are no
 * caches, so flushes have no effect either.
 */
#include <errno.h>

#include "amdgpu/amdgpu.h"
#include "amdgpu/driver.h"

typedef int (*pm4_fn)(struct cik_ring *ring, const uint32_t *dw,
		      unsigned int n);

/**
 * struct pm4_packet - a kind of packet
 * @name: for the trace
 * @min: least number of dwords after the header
 * @run: gets those dwords and their number; above 0: done, and so many dwords
 *	after the packet less one are skipped; else -EFAULT or &enum cik_step. It may
 *	run again after a pause, with what cik_ring.progress says done. NULL: it
 *	has no effect.
 */
struct pm4_packet {
	const char *name;
	unsigned int min;
	pm4_fn run;
};

#define DONE	1

/* Fields for which the driver has no names. */
#define DATA_DST(control)	((control) >> 8 & 0xf)
#define DST_REGISTER		0
#define DST_GDS			3
#define EVENT_DATA(dw)		((dw) >> 29)
#define EVENT_INT(dw)		((dw) >> 24 & 3)
#define EOS_DATA_32		2
#define IB_LEN			0xfffff
#define IB_CHAIN		(1u << 20)
#define IB_VMID(control)	((control) >> 24 & 0xf)
#define WAIT_FUNCTION(dw)	((dw) & 7)
#define WAIT_MEMORY(dw)		((dw) >> 4 & 3)
#define WAIT_WRITES(dw)		((dw) >> 6 & 3)
#define COND_SKIP		0x3fff
#define COPY_SRC(dw)		((dw) & 0xf)
#define COPY_64			(1u << 16)
#define COPY_FROM_REGISTER	0
#define COPY_FROM_IMMEDIATE	5
#define COPY_FROM_CLOCK		9
#define DMA_BYTES		0x1fffff
#define DMA_SRC(dw)		((dw) >> 29 & 3)
#define DMA_DST(dw)		((dw) >> 20 & 3)
#define DMA_GDS			1
#define DMA_IMMEDIATE		2
#define SEM_KIND(dw)		((dw) >> 29)
#define SEM_SIGNAL		6
#define SEM_SET			(1u << 20)
#define ATOMIC_OP(dw)		((dw) & 0x7f)

/* The registers that user space may write: shader, context and user state. */
static bool is_state(uint32_t reg)
{
	return (reg >= PACKET3_SET_SH_REG_START &&
		reg < PACKET3_SET_SH_REG_END) ||
	       (reg >= PACKET3_SET_CONTEXT_REG_START &&
		reg < PACKET3_SET_CONTEXT_REG_END) ||
	       (reg >= PACKET3_SET_UCONFIG_REG_START &&
		reg < CIK_REGISTERS);
}

static int write_register(struct cik_ring *ring, uint32_t reg, uint32_t value)
{
	reg &= CIK_REGISTERS - 1;
	if (cik_ring_user(ring) && !is_state(reg))
		return cik_cp_forbidden(ring, reg);
	cik_reg_write(ring->cik, reg, value);
	return 0;
}

/* Registers in a row from @base on, the first as the packet says. */
static int set_registers(struct cik_ring *ring, uint32_t base,
			 const uint32_t *dw, unsigned int n)
{
	uint32_t reg = base + (dw[0] & 0xffff);
	unsigned int i;

	for (i = 1; i < n; i++, reg++)
		/* Of what is no state, user space sets some in vain. */
		if (!cik_ring_user(ring) || is_state(reg))
			cik_reg_write(ring->cik, reg & (CIK_REGISTERS - 1),
				      dw[i]);
	return DONE;
}

static int run_set_config(struct cik_ring *ring, const uint32_t *dw,
			  unsigned int n)
{
	return set_registers(ring, PACKET3_SET_CONFIG_REG_START, dw, n);
}

static int run_set_context(struct cik_ring *ring, const uint32_t *dw,
			   unsigned int n)
{
	return set_registers(ring, PACKET3_SET_CONTEXT_REG_START, dw, n);
}

static int run_set_sh(struct cik_ring *ring, const uint32_t *dw, unsigned int n)
{
	return set_registers(ring, PACKET3_SET_SH_REG_START, dw, n);
}

static int run_set_uconfig(struct cik_ring *ring, const uint32_t *dw,
			   unsigned int n)
{
	return set_registers(ring, PACKET3_SET_UCONFIG_REG_START, dw, n);
}

static int run_write_data(struct cik_ring *ring, const uint32_t *dw,
			  unsigned int n)
{
	struct cik_as as = cik_ring_as(ring);
	uint64_t dst = lo_hi(dw[1] & ~3u, dw[2]);
	unsigned int i, step = dw[0] & WR_ONE_ADDR ? 0 : 1;
	int ret = 0;

	if (DATA_DST(dw[0]) == DST_GDS)
		return DONE;
	for (i = 3; i < n && !ret; i++) {
		if (DATA_DST(dw[0]) == DST_REGISTER)
			ret = write_register(ring, dw[1] + (i - 3) * step,
					     dw[i]);
		else if (!step || n == 4)
			ret = cik_write32(&as, dst, dw[i]);
		else
			return cik_write(&as, dst, dw + 3, 4ull * (n - 3)) ?
				-EFAULT : DONE;
	}
	return ret ? ret : DONE;
}

/* What the end of a pipe writes, and whether it interrupts. */
static int end_of_pipe(struct cik_ring *ring, uint64_t dst, uint32_t select,
		       const uint32_t *data)
{
	struct cik_as as = cik_ring_as(ring);
	bool lost = false;
	int ret = 0;

	/* With an interrupt, in the ring, it is what ends a job. */
	if (EVENT_INT(select) && !ring->depth && cik_ring_fence(ring, &lost))
		return CIK_WAIT;
	if (!lost && EVENT_DATA(select) == 1)
		ret = cik_write32(&as, dst, data[0]);
	else if (!lost && EVENT_DATA(select) == 2)
		ret = cik_write64(&as, dst, lo_hi(data[0], data[1]));
	else if (!lost && EVENT_DATA(select))
		ret = cik_write64(&as, dst, cik_clock());
	if (!ret && EVENT_INT(select))
		cik_cp_eop(ring);
	return ret ? ret : DONE;
}

static int run_event_write_eop(struct cik_ring *ring, const uint32_t *dw,
			       unsigned int n)
{
	(void)n;
	return end_of_pipe(ring, lo_hi(dw[1] & ~3u, dw[2] & 0xffff), dw[2],
			   dw + 3);
}

static int run_release_mem(struct cik_ring *ring, const uint32_t *dw,
			   unsigned int n)
{
	(void)n;
	return end_of_pipe(ring, lo_hi(dw[2] & ~3u, dw[3] & 0xffff), dw[1],
			   dw + 4);
}

static int run_event_write_eos(struct cik_ring *ring, const uint32_t *dw,
			       unsigned int n)
{
	struct cik_as as = cik_ring_as(ring);

	(void)n;
	if (EVENT_DATA(dw[2]) == EOS_DATA_32 &&
	    cik_write32(&as, lo_hi(dw[1] & ~3u, dw[2] & 0xffff), dw[3]))
		return -EFAULT;
	return DONE;
}

static int run_indirect(struct cik_ring *ring, const uint32_t *dw,
			unsigned int n)
{
	int ret;

	(void)n;
	if (!(dw[2] & IB_LEN))
		return DONE;
	ret = cik_ring_start(ring, IB_VMID(dw[2]),
			     lo_hi(dw[0] & ~3u, dw[1] & 0xffff),
			     dw[2] & IB_LEN, dw[2] & IB_CHAIN);
	return ret ? ret : DONE;
}

static int run_wait_reg_mem(struct cik_ring *ring, const uint32_t *dw,
			    unsigned int n)
{
	struct cik_as as = cik_ring_as(ring);
	uint32_t value;
	int ret;

	(void)n;
	if (WAIT_WRITES(dw[0]) == 1) {
		/* Write, then wait; the write is done once. */
		if (!ring->progress) {
			ret = write_register(ring, dw[1], dw[3]);
			if (ret)
				return ret;
			ring->progress = 1;
		}
		value = cik_reg_read(ring->cik, dw[2] & (CIK_REGISTERS - 1));
	} else if (WAIT_MEMORY(dw[0]) == 1) {
		if (cik_read32(&as, lo_hi(dw[1] & ~3u, dw[2]), &value))
			return -EFAULT;
	} else {
		value = cik_reg_read(ring->cik, dw[1] & (CIK_REGISTERS - 1));
	}
	return cik_compare(WAIT_FUNCTION(dw[0]), value & dw[4], dw[3]) ?
		DONE : CIK_WAIT;
}

static int run_cond_exec(struct cik_ring *ring, const uint32_t *dw,
			 unsigned int n)
{
	struct cik_as as = cik_ring_as(ring);
	uint32_t value;

	(void)n;
	if (cik_read32(&as, lo_hi(dw[0] & ~3u, dw[1]), &value))
		return -EFAULT;
	return value ? DONE : DONE + (int)(dw[3] & COND_SKIP);
}

static int run_dma_data(struct cik_ring *ring, const uint32_t *dw,
			unsigned int n)
{
	struct cik_as as = cik_ring_as(ring);
	uint64_t src = lo_hi(dw[1], dw[2]), dst = lo_hi(dw[3], dw[4]);
	uint32_t bytes = dw[5] & DMA_BYTES;

	(void)n;
	/* Neither global data share nor registers. */
	if (DMA_SRC(dw[0]) == DMA_GDS || DMA_DST(dw[0]) == DMA_GDS ||
	    dw[5] & (PACKET3_DMA_DATA_CMD_SAS | PACKET3_DMA_DATA_CMD_DAS)) {
		cik_count_unknown(ring->cik, false, PACKET3_DMA_DATA);
		return DONE;
	}
	ring->budget -= CIK_COST(bytes);
	if (DMA_SRC(dw[0]) == DMA_IMMEDIATE) {
		ring->cik->stats.bytes_filled += bytes;
		return cik_fill(&as, dst, dw[1], bytes) ? -EFAULT : DONE;
	}
	ring->cik->stats.bytes_copied += bytes;
	return cik_copy(&as, dst, src, bytes) ? -EFAULT : DONE;
}

static int copy_source(struct cik_ring *ring, const uint32_t *dw,
		       uint64_t *value)
{
	struct cik_as as = cik_ring_as(ring);
	uint32_t reg = dw[1] & (CIK_REGISTERS - 1), low;

	switch (COPY_SRC(dw[0])) {
	case COPY_FROM_REGISTER:
		*value = cik_reg_read(ring->cik, reg);
		if (dw[0] & COPY_64)
			*value |= (uint64_t)cik_reg_read(ring->cik, (reg + 1) &
					(CIK_REGISTERS - 1)) << 32;
		return 0;
	case COPY_FROM_IMMEDIATE:
		*value = lo_hi(dw[1], dw[2]);
		return 0;
	case COPY_FROM_CLOCK:
		*value = cik_clock();
		return 0;
	default:
		if (dw[0] & COPY_64)
			return cik_read64(&as, lo_hi(dw[1] & ~3u, dw[2]),
					  value);
		if (cik_read32(&as, lo_hi(dw[1] & ~3u, dw[2]), &low))
			return -EFAULT;
		*value = low;
		return 0;
	}
}

static int run_copy_data(struct cik_ring *ring, const uint32_t *dw,
			 unsigned int n)
{
	struct cik_as as = cik_ring_as(ring);
	uint64_t dst = lo_hi(dw[3] & ~3u, dw[4]), value;
	int ret = copy_source(ring, dw, &value);

	(void)n;
	if (ret)
		return ret;
	if (DATA_DST(dw[0]) == DST_REGISTER) {
		ret = write_register(ring, dw[3], value);
		if (!ret && dw[0] & COPY_64)
			ret = write_register(ring, dw[3] + 1, value >> 32);
	} else if (dw[0] & COPY_64) {
		ret = cik_write64(&as, dst, value);
	} else {
		ret = cik_write32(&as, dst, value);
	}
	return ret ? ret : DONE;
}

static int run_mem_semaphore(struct cik_ring *ring, const uint32_t *dw,
			     unsigned int n)
{
	struct cik_as as = cik_ring_as(ring);
	int ret = cik_semaphore(&as, lo_hi(dw[0] & ~7u, dw[1] & 0xffff),
				SEM_KIND(dw[1]) == SEM_SIGNAL,
				dw[1] & SEM_SET);

	(void)n;
	return ret ? ret : DONE;
}

static int run_atomic_mem(struct cik_ring *ring, const uint32_t *dw,
			  unsigned int n)
{
	struct cik_as as = cik_ring_as(ring);
	uint64_t old;
	int ret;

	(void)n;
	ret = cik_atomic(&as, ATOMIC_OP(dw[0]), lo_hi(dw[1], dw[2]),
			 lo_hi(dw[3], dw[4]), lo_hi(dw[5], dw[6]), &old);
	if (ret == -ENOSYS)
		return cik_ring_illegal(ring, "no such atomic operation");
	return ret ? ret : DONE;
}

#define RUN(name, min, run)	[PACKET3_##name] = { #name, min, run }
#define NO_EFFECT(name)		[PACKET3_##name] = { #name, 0, NULL }

static const struct pm4_packet packets[256] = {
	RUN(ATOMIC_MEM, 8, run_atomic_mem),
	RUN(COND_EXEC, 4, run_cond_exec),
	RUN(COPY_DATA, 5, run_copy_data),
	RUN(DMA_DATA, 6, run_dma_data),
	RUN(EVENT_WRITE_EOP, 5, run_event_write_eop),
	RUN(EVENT_WRITE_EOS, 4, run_event_write_eos),
	RUN(INDIRECT_BUFFER, 3, run_indirect),
	RUN(INDIRECT_BUFFER_CONST, 3, run_indirect),
	RUN(MEM_SEMAPHORE, 2, run_mem_semaphore),
	RUN(RELEASE_MEM, 6, run_release_mem),
	RUN(SET_CONFIG_REG, 2, run_set_config),
	RUN(SET_CONTEXT_REG, 2, run_set_context),
	RUN(SET_SH_REG, 2, run_set_sh),
	RUN(SET_UCONFIG_REG, 2, run_set_uconfig),
	RUN(WAIT_REG_MEM, 6, run_wait_reg_mem),
	RUN(WRITE_DATA, 4, run_write_data),

	/* Nothing is cached, and all is in order. */
	NO_EFFECT(NOP),
	NO_EFFECT(ACQUIRE_MEM),
	NO_EFFECT(EVENT_WRITE),
	NO_EFFECT(PFP_SYNC_ME),
	NO_EFFECT(SURFACE_SYNC),
	NO_EFFECT(SWITCH_BUFFER),
	NO_EFFECT(INCREMENT_CE_COUNTER),
	NO_EFFECT(INCREMENT_DE_COUNTER),
	NO_EFFECT(WAIT_ON_CE_COUNTER),
	NO_EFFECT(WAIT_ON_DE_COUNTER_DIFF),
	/* For this the driver has no name. */
	[0x89] = { "SET_CE_DE_COUNTERS", 0, NULL },

	/* Nothing is drawn or computed, so its state does not matter. */
	NO_EFFECT(SET_BASE),
	NO_EFFECT(CLEAR_STATE),
	NO_EFFECT(CONTEXT_CONTROL),
	NO_EFFECT(PREAMBLE_CNTL),
	NO_EFFECT(INDEX_BUFFER_SIZE),
	NO_EFFECT(INDEX_BASE),
	NO_EFFECT(INDEX_TYPE),
	NO_EFFECT(NUM_INSTANCES),
	NO_EFFECT(DISPATCH_DIRECT),
	NO_EFFECT(DISPATCH_INDIRECT),
	NO_EFFECT(DRAW_INDIRECT),
	NO_EFFECT(DRAW_INDEX_INDIRECT),
	NO_EFFECT(DRAW_INDEX_2),
	NO_EFFECT(DRAW_INDEX_AUTO),
	NO_EFFECT(DRAW_INDEX_OFFSET_2),
	NO_EFFECT(DRAW_PREAMBLE),
	NO_EFFECT(SET_SH_REG_OFFSET),
	NO_EFFECT(LOAD_CONST_RAM),
	NO_EFFECT(WRITE_CONST_RAM),
};

static int run_registers(struct cik_ring *ring, uint32_t header)
{
	unsigned int count = CP_PACKET_GET_COUNT(header) + 1, i;
	uint32_t *dw = ring->cik->packet;
	int ret = 0;

	if (count + 1 > cik_ring_left(ring))
		return cik_ring_illegal(ring, "packet beyond the stream's end");
	if (cik_ring_fetch(ring, 1, dw, count))
		return CIK_STOP;
	for (i = 0; i < count && !ret; i++)
		ret = write_register(ring, CP_PACKET0_GET_REG(header) + i,
				     dw[i]);
	return ret ? ret : (int)count + 1;
}

static int run_type3(struct cik_ring *ring, uint32_t header)
{
	const struct pm4_packet *packet =
		&packets[CP_PACKET3_GET_OPCODE(header)];
	unsigned int n = CP_PACKET_GET_COUNT(header) + 1;
	uint32_t *dw = ring->cik->packet;
	int ret;

	/* A NOP of the greatest length is one dword. */
	if (header == ring->engine->nop)
		return 1;
	if (n + 1 > cik_ring_left(ring))
		return cik_ring_illegal(ring, "packet beyond the stream's end");
	if (!packet->name)
		cik_count_unknown(ring->cik, false,
				  CP_PACKET3_GET_OPCODE(header));
	if (n < packet->min)
		return cik_ring_illegal(ring, "packet is too short");
	if (packet->run && cik_ring_fetch(ring, 1, dw, n))
		return CIK_STOP;
	if (!ring->progress && !ring->waiting)
		trace(TRACE_CMD, "%s%s vmid %u: %s %08x %08x %08x %08x, %u dw",
		      ring->name, ring->depth ? " IB" : "",
		      cik_ring_as(ring).vmid, packet->name ? packet->name : "?",
		      header, packet->run ? dw[0] : 0,
		      packet->run && n > 1 ? dw[1] : 0,
		      packet->run && n > 2 ? dw[2] : 0, n + 1);
	ret = packet->run ? packet->run(ring, dw, n) : DONE;
	if (ret == -EFAULT)
		return CIK_STOP;
	return ret > 0 ? ret + (int)n : ret;
}

int cik_pm4_step(struct cik_ring *ring, uint32_t header)
{
	switch (CP_PACKET_GET_TYPE(header)) {
	case PACKET_TYPE0:
		return run_registers(ring, header);
	case PACKET_TYPE2:
		return 1;
	case PACKET_TYPE3:
		return run_type3(ring, header);
	default:
		return cik_ring_illegal(ring, "packet of type 1");
	}
}
