// SPDX-License-Identifier: MIT
/*
 * The two SDMA engines. A packet's first dword has the operation in bits 7:0, a
 * sub-operation in 15:8 and more in 31:16; its length follows from these, but for
 * WRITE. Ring pointers count in bytes, lengths of copies and fills too.
 */
#include <errno.h>

#include "amdgpu/amdgpu.h"
#include "amdgpu/driver.h"

#define INSTANCE(ring)	((ring)->unit * SDMA1_REGISTER_OFFSET)
#define REG(ring, name)	((ring)->cik->reg[mmSDMA0_##name + INSTANCE(ring)])

#define OP(dw)		((dw) & 0xff)
#define SUB_OP(dw)	((dw) >> 8 & 0xff)
#define EXTRA(dw)	((dw) >> 16)
#define LEN_MASK	0xfffff		/* dwords of an IB and of a WRITE */
#define HEAD_MAX	10		/* dwords of a packet without its data */
#define CHUNK		1024		/* dwords of data at a time */

/* Fields for which the driver has no names; ATOMIC is as Vega has it. */
#define POLL_OP(dw)	(EXTRA(dw) >> 10 & 3)
#define POLL_FUNC(dw)	(EXTRA(dw) >> 12 & 7)
#define FILL_SIZE(dw)	(EXTRA(dw) >> 14 & 3)
#define FILL_DWORDS	2
#define ATOMIC_LOOP(dw)	((dw) >> 16 & 1)
#define ATOMIC_OP(dw)	((dw) >> 25 & 0x7f)
#define SRBM_BYTES(dw)	(EXTRA(dw) >> 12 & 0xf)

/* The sources that tell of a packet that is none, and of a forbidden register. */
#define SOURCE_ILLEGAL	241

typedef int (*sdma_fn)(struct cik_ring *ring, const uint32_t *dw);

/**
 * struct sdma_packet - a kind of packet
 * @name: for the trace
 * @len: dwords, without data that follows
 * @run: what it does: 0 done, -EFAULT, or &enum cik_step; it may run again after
 *	a pause, with what cik_ring.progress says done. NULL: not modelled.
 */
struct sdma_packet {
	const char *name;
	unsigned int len;
	sdma_fn run;
};

static bool sdma_load(struct cik_ring *ring)
{
	uint32_t cntl = REG(ring, GFX_RB_CNTL);
	unsigned int bits = FIELD_OF(cntl, SDMA0_GFX_RB_CNTL, RB_SIZE);

	if (!FIELD_OF(cntl, SDMA0_GFX_RB_CNTL, RB_ENABLE) ||
	    FIELD_OF(REG(ring, F32_CNTL), SDMA0_F32_CNTL, HALT))
		return false;
	ring->size = 1u << hw_min(bits, 28u);
	ring->base = lo_hi(REG(ring, GFX_RB_BASE), REG(ring, GFX_RB_BASE_HI))
		     << 8;
	ring->rptr = REG(ring, GFX_RB_RPTR) / 4 & (ring->size - 1);
	ring->wptr = REG(ring, GFX_RB_WPTR) / 4 & (ring->size - 1);
	return true;
}

static void sdma_save(struct cik_ring *ring)
{
	struct cik_as as = { .cik = ring->cik, .client = ring->client };

	if (REG(ring, GFX_RB_RPTR) == ring->rptr * 4)
		return;
	REG(ring, GFX_RB_RPTR) = ring->rptr * 4;
	if (FIELD_OF(REG(ring, GFX_RB_CNTL), SDMA0_GFX_RB_CNTL,
		     RPTR_WRITEBACK_ENABLE))
		cik_write32(&as, lo_hi(REG(ring, GFX_RB_RPTR_ADDR_LO),
				       REG(ring, GFX_RB_RPTR_ADDR_HI)),
			    ring->rptr * 4);
}

static void sdma_illegal(struct cik_ring *ring)
{
	cik_interrupt(ring->cik, SOURCE_ILLEGAL, 0, ring->unit,
		      cik_ring_as(ring).vmid);
}

/* User space writes no registers, but the kernel's packets do. */
static int write_register(struct cik_ring *ring, uint32_t reg, uint32_t value)
{
	if (cik_ring_user(ring))
		return cik_ring_illegal(ring, "register write of user space");
	cik_reg_write(ring->cik, reg, value);
	return 0;
}

static int run_copy(struct cik_ring *ring, const uint32_t *dw)
{
	struct cik_as as = cik_ring_as(ring);
	uint64_t src = lo_hi(dw[3], dw[4]), dst = lo_hi(dw[5], dw[6]);
	uint64_t n;

	for (; ring->progress < dw[1]; ring->progress += n) {
		if (ring->budget <= 0)
			return CIK_AGAIN;
		n = hw_min(dw[1] - ring->progress, CIK_PIECE);
		if (cik_copy(&as, dst + ring->progress, src + ring->progress,
			     n))
			return -EFAULT;
		if (ring->dropped)
			return CIK_AGAIN;
		ring->moved = true;
		ring->budget -= CIK_COST(n);
	}
	ring->cik->stats.bytes_copied += dw[1];
	return 1;
}

static int run_fill(struct cik_ring *ring, const uint32_t *dw)
{
	struct cik_as as = cik_ring_as(ring);
	uint32_t pattern = FILL_SIZE(dw[0]) == FILL_DWORDS ?
		dw[3] : (dw[3] & 0xff) * 0x01010101u;
	uint64_t dst = lo_hi(dw[1], dw[2]), n;

	for (; ring->progress < dw[4]; ring->progress += n) {
		if (ring->budget <= 0)
			return CIK_AGAIN;
		/* Pieces are whole patterns. */
		n = hw_min(dw[4] - ring->progress, CIK_PIECE);
		if (cik_fill(&as, dst + ring->progress, pattern, n))
			return -EFAULT;
		if (ring->dropped)
			return CIK_AGAIN;
		ring->moved = true;
		ring->budget -= CIK_COST(n);
	}
	ring->cik->stats.bytes_filled += dw[4];
	return 1;
}

/* The data follows the packet's head in the stream. */
static int run_write(struct cik_ring *ring, const uint32_t *dw)
{
	struct cik_as as = cik_ring_as(ring);
	uint64_t dst = lo_hi(dw[1], dw[2]);
	uint32_t count = dw[3] & LEN_MASK, n, data[CHUNK];

	if (4 + count > cik_ring_left(ring))
		return cik_ring_illegal(ring, "WRITE beyond the stream's end");
	if (count == 1) {
		if (cik_ring_fetch(ring, 4, data, 1) ||
		    cik_write32(&as, dst, data[0]))
			return -EFAULT;
		return 1;
	}
	for (; ring->progress < count; ring->progress += n) {
		if (ring->budget <= 0)
			return CIK_AGAIN;
		n = hw_min(count - (uint32_t)ring->progress, (uint32_t)CHUNK);
		if (cik_ring_fetch(ring, 4 + ring->progress, data, n) ||
		    cik_write(&as, dst + 4 * ring->progress, data, 4ull * n))
			return -EFAULT;
		if (ring->dropped)
			return CIK_AGAIN;
		ring->budget--;
	}
	return 1;
}

static int run_indirect(struct cik_ring *ring, const uint32_t *dw)
{
	int ret = cik_ring_start(ring, EXTRA(dw[0]) & 0xf,
				 lo_hi(dw[1] & ~0x1fu, dw[2]),
				 dw[3] & LEN_MASK, false);

	return ret ? ret : 1;
}

/* In the ring in front of a TRAP it is what ends a job. */
static bool ends_job(struct cik_ring *ring)
{
	uint32_t next;

	return !ring->depth && cik_ring_left(ring) > 4 &&
	       !cik_ring_fetch(ring, 4, &next, 1) &&
	       OP(next) == SDMA_OPCODE_TRAP;
}

static int run_fence(struct cik_ring *ring, const uint32_t *dw)
{
	struct cik_as as = cik_ring_as(ring);
	bool lost = false;

	if (ends_job(ring) && cik_ring_fence(ring, &lost))
		return CIK_WAIT;
	if (!lost && cik_write32(&as, lo_hi(dw[1], dw[2]), dw[3]))
		return -EFAULT;
	/* Others' turns must not come between a job's fence and its interrupt. */
	if (ring->budget < 1 && ends_job(ring))
		ring->budget = 1;
	return 1;
}

static int run_trap(struct cik_ring *ring, const uint32_t *dw)
{
	(void)dw;
	if (FIELD_OF(REG(ring, CNTL), SDMA0_CNTL, TRAP_ENABLE))
		cik_ring_interrupt(ring, VISLANDS30_IV_SRCID_SDMA_TRAP,
				   ring->unit, cik_ring_as(ring).vmid);
	return 1;
}

static int run_semaphore(struct cik_ring *ring, const uint32_t *dw)
{
	struct cik_as as = cik_ring_as(ring);
	int ret = cik_semaphore(&as, lo_hi(dw[1] & ~7u, dw[2]),
				EXTRA(dw[0]) & SDMA_SEMAPHORE_EXTRA_S,
				EXTRA(dw[0]) & SDMA_SEMAPHORE_EXTRA_O);

	return ret ? ret : 1;
}

/* Of a register it has the address in bytes. Retries have no end. */
static int run_poll(struct cik_ring *ring, const uint32_t *dw)
{
	struct cik_as as = cik_ring_as(ring);
	uint32_t value;
	int ret;

	if (POLL_OP(dw[0]) == 1) {
		/* Write, then wait; the write is done once. */
		if (!ring->progress) {
			ret = write_register(ring, dw[2] / 4, dw[3]);
			if (ret)
				return ret;
			ring->progress = 1;
		}
		value = cik_reg_read(ring->cik, dw[1] / 4);
	} else if (EXTRA(dw[0]) & SDMA_POLL_REG_MEM_EXTRA_M) {
		if (cik_read32(&as, lo_hi(dw[1] & ~3u, dw[2]), &value))
			return -EFAULT;
	} else {
		value = cik_reg_read(ring->cik, dw[1] / 4);
	}
	return cik_compare(POLL_FUNC(dw[0]), value & dw[4], dw[3]) ?
		1 : CIK_WAIT;
}

/* Skips dwords where memory is other than the reference. */
static int run_cond_exec(struct cik_ring *ring, const uint32_t *dw)
{
	struct cik_as as = cik_ring_as(ring);
	uint32_t count = dw[4] & SDMA_PKT_COND_EXE_EXEC_COUNT_exec_count_mask;
	uint32_t value;

	if (cik_read32(&as, lo_hi(dw[1] & ~3u, dw[2]), &value))
		return -EFAULT;
	return value == dw[3] ? 1 : 1 + (int)count;
}

static int run_atomic(struct cik_ring *ring, const uint32_t *dw)
{
	struct cik_as as = cik_ring_as(ring);
	uint64_t compare = lo_hi(dw[5], dw[6]), old;
	unsigned int op = ATOMIC_OP(dw[0]);
	int ret;

	ret = cik_atomic(&as, op, lo_hi(dw[1], dw[2]), lo_hi(dw[3], dw[4]),
			 compare, &old);
	if (ret == -ENOSYS)
		return cik_ring_illegal(ring, "no such atomic operation");
	if (ret)
		return ret;
	if (!(op & TC_OP_MASK_64))
		compare = (uint32_t)compare;
	/* With a loop it is tried until it succeeds. */
	return ATOMIC_LOOP(dw[0]) && old != compare ? CIK_WAIT : 1;
}

static int run_pte_pde(struct cik_ring *ring, const uint32_t *dw)
{
	struct cik_as as = cik_ring_as(ring);
	uint64_t dst = lo_hi(dw[1], dw[2]), mask = lo_hi(dw[3], dw[4]);
	uint64_t value = lo_hi(dw[5], dw[6]), step = lo_hi(dw[7], dw[8]);
	uint32_t count = dw[9] & LEN_MASK, n, i;
	uint64_t entry[CHUNK / 2];

	for (; ring->progress < count; ring->progress += n) {
		if (ring->budget <= 0)
			return CIK_AGAIN;
		n = hw_min(count - (uint32_t)ring->progress,
			   (uint32_t)ARRAY_SIZE(entry));
		for (i = 0; i < n; i++)
			entry[i] = (value + (ring->progress + i) * step) | mask;
		if (cik_write(&as, dst + 8 * ring->progress, entry, 8ull * n))
			return -EFAULT;
		if (ring->dropped)
			return CIK_AGAIN;
		ring->budget--;
	}
	return 1;
}

static int run_timestamp(struct cik_ring *ring, const uint32_t *dw)
{
	struct cik_as as = cik_ring_as(ring);

	/* The local clock cannot be set here; it is the global one. */
	if (SUB_OP(dw[0]) == SDMA_TIMESTAMP_SUB_OPCODE_SET_LOCAL)
		return 1;
	return cik_write64(&as, lo_hi(dw[1] & ~7u, dw[2]), cik_clock()) ?
		-EFAULT : 1;
}

static int run_srbm_write(struct cik_ring *ring, const uint32_t *dw)
{
	uint32_t reg = dw[1] & 0xffff, mask = 0;
	unsigned int byte;
	int ret;

	for (byte = 0; byte < 4; byte++)
		if (SRBM_BYTES(dw[0]) & 1u << byte)
			mask |= 0xffu << 8 * byte;
	if (mask != ~0u)
		ret = write_register(ring, reg, (dw[2] & mask) |
				     (ring->cik->reg[reg] & ~mask));
	else
		ret = write_register(ring, reg, dw[2]);
	return ret ? ret : 1;
}

static int run_nop(struct cik_ring *ring, const uint32_t *dw)
{
	(void)ring;
	return 1 + (EXTRA(dw[0]) & 0x3fff);
}

static const struct sdma_packet packets[] = {
	[SDMA_OPCODE_NOP] = { "NOP", 1, run_nop },
	[SDMA_OPCODE_COPY] = { "COPY", 7, run_copy },
	[SDMA_OPCODE_WRITE] = { "WRITE", 4, run_write },
	[SDMA_OPCODE_INDIRECT_BUFFER] = { "INDIRECT_BUFFER", 4, run_indirect },
	[SDMA_OPCODE_FENCE] = { "FENCE", 4, run_fence },
	[SDMA_OPCODE_TRAP] = { "TRAP", 1, run_trap },
	[SDMA_OPCODE_SEMAPHORE] = { "SEMAPHORE", 3, run_semaphore },
	[SDMA_OPCODE_POLL_REG_MEM] = { "POLL_REG_MEM", 6, run_poll },
	[SDMA_OPCODE_COND_EXEC] = { "COND_EXEC", 5, run_cond_exec },
	[SDMA_OP_ATOMIC] = { "ATOMIC", 8, run_atomic },
	[SDMA_OPCODE_CONSTANT_FILL] = { "CONSTANT_FILL", 5, run_fill },
	[SDMA_OPCODE_GENERATE_PTE_PDE] = { "GENERATE_PTE_PDE", 10, run_pte_pde },
	[SDMA_OPCODE_TIMESTAMP] = { "TIMESTAMP", 3, run_timestamp },
	[SDMA_OPCODE_SRBM_WRITE] = { "SRBM_WRITE", 3, run_srbm_write },
};

/* Tiled copies and writes have lengths and layouts of their own. */
static bool is_modelled(uint32_t header)
{
	if (OP(header) >= ARRAY_SIZE(packets) || !packets[OP(header)].run)
		return false;
	return (OP(header) != SDMA_OPCODE_COPY &&
		OP(header) != SDMA_OPCODE_WRITE) || !SUB_OP(header);
}

/* What a packet with data has behind its head. */
static unsigned int data_of(const uint32_t *dw)
{
	return OP(dw[0]) == SDMA_OPCODE_WRITE ? dw[3] & LEN_MASK : 0;
}

static int sdma_step(struct cik_ring *ring, uint32_t header)
{
	const struct sdma_packet *packet;
	uint32_t dw[HEAD_MAX] = { header };
	int ret;

	if (!is_modelled(header)) {
		cik_count_unknown(ring->cik, true, header & 0xffff);
		return cik_ring_illegal(ring, "unknown packet");
	}
	packet = &packets[OP(header)];
	if (packet->len > cik_ring_left(ring))
		return cik_ring_illegal(ring, "packet beyond the stream's end");
	if (cik_ring_fetch(ring, 1, dw + 1, packet->len - 1))
		return CIK_STOP;
	if (!ring->progress && !ring->waiting)
		trace(TRACE_CMD, "%s%s vmid %u: %s %08x %08x %08x %08x",
		      ring->name, ring->depth ? " IB" : "",
		      cik_ring_as(ring).vmid, packet->name, dw[0], dw[1],
		      dw[2], dw[3]);
	ret = packet->run(ring, dw);
	if (ret == -EFAULT)
		return CIK_STOP;
	/* Above 0 are the dwords of a packet that is done: one, and those skipped. */
	return ret > 0 ? ret - 1 + (int)(packet->len + data_of(dw)) : ret;
}

const struct cik_engine cik_sdma_engine = {
	.load = sdma_load,
	.save = sdma_save,
	.step = sdma_step,
	.nop = SDMA_OPCODE_NOP,
	.illegal = sdma_illegal,
};
