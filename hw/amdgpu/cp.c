// SPDX-License-Identifier: MIT
/*
 * The command processors: that of graphics with its one ring, and the queues of
 * the compute microengine. Both run the same packets, see pm4.c. Pointers count
 * in dwords.
 */
#include "amdgpu/hqd.h"

/* RB_BUFSZ and QUEUE_SIZE are the binary logarithm of pairs of dwords. */
static uint32_t size_of(unsigned int log2)
{
	return 2u << hw_min(log2, 28u);
}

static bool gfx_load(struct cik_ring *ring)
{
	const uint32_t *reg = ring->cik->reg;
	const uint32_t halt = CP_ME_CNTL__ME_HALT_MASK |
			      CP_ME_CNTL__PFP_HALT_MASK |
			      CP_ME_CNTL__CE_HALT_MASK;

	ring->base = lo_hi(reg[mmCP_RB0_BASE], reg[mmCP_RB0_BASE_HI]) << 8;
	if (reg[mmCP_ME_CNTL] & halt || !ring->base)
		return false;
	ring->size = size_of(FIELD_OF(reg[mmCP_RB0_CNTL], CP_RB0_CNTL,
				      RB_BUFSZ));
	ring->rptr = reg[mmCP_RB0_RPTR] & (ring->size - 1);
	ring->wptr = reg[mmCP_RB0_WPTR] & (ring->size - 1);
	return true;
}

static void gfx_save(struct cik_ring *ring)
{
	struct cik_as as = { .cik = ring->cik, .client = ring->client };
	uint32_t *reg = ring->cik->reg;

	if (reg[mmCP_RB0_RPTR] == ring->rptr)
		return;
	reg[mmCP_RB0_RPTR] = ring->rptr;
	if (!FIELD_OF(reg[mmCP_RB0_CNTL], CP_RB0_CNTL, RB_NO_UPDATE))
		cik_write32(&as, lo_hi(reg[mmCP_RB0_RPTR_ADDR] & ~3u,
				       reg[mmCP_RB0_RPTR_ADDR_HI] & 0xff),
			    ring->rptr);
}

#define QUEUE(ring, name) CIK_HQD((ring)->cik, (ring)->unit, name)

static bool compute_load(struct cik_ring *ring)
{
	if (!FIELD_OF(QUEUE(ring, HQD_ACTIVE), CP_HQD_ACTIVE, ACTIVE) ||
	    FIELD_OF(ring->cik->reg[mmCP_MEC_CNTL], CP_MEC_CNTL, MEC_ME1_HALT))
		return false;
	ring->base = lo_hi(QUEUE(ring, HQD_PQ_BASE),
			   QUEUE(ring, HQD_PQ_BASE_HI)) << 8;
	ring->size = size_of(FIELD_OF(QUEUE(ring, HQD_PQ_CONTROL),
				      CP_HQD_PQ_CONTROL, QUEUE_SIZE));
	ring->rptr = QUEUE(ring, HQD_PQ_RPTR) & (ring->size - 1);
	ring->wptr = QUEUE(ring, HQD_PQ_WPTR) & (ring->size - 1);
	return true;
}

static void compute_save(struct cik_ring *ring)
{
	struct cik_as as = { .cik = ring->cik, .client = ring->client };
	uint64_t report;

	if (QUEUE(ring, HQD_PQ_RPTR) == ring->rptr)
		return;
	QUEUE(ring, HQD_PQ_RPTR) = ring->rptr;
	report = lo_hi(QUEUE(ring, HQD_PQ_RPTR_REPORT_ADDR) & ~3u,
		       QUEUE(ring, HQD_PQ_RPTR_REPORT_ADDR_HI) & 0xffff);
	cik_write32(&as, report, ring->rptr);
}

/* Where an interrupt comes from: microengine in bits 3:2, pipe 1:0, queue 6:4. */
static unsigned int ring_id(const struct cik_ring *ring)
{
	if (ring->engine == &cik_gfx_engine)
		return 0;
	return 1 << 2 | ring->unit / CIK_QUEUES | ring->unit % CIK_QUEUES << 4;
}

/* The register that says which interrupts the driver wants; all alike. */
static uint32_t wanted(const struct cik_ring *ring)
{
	if (ring->engine == &cik_gfx_engine)
		return ring->cik->reg[mmCP_INT_CNTL_RING0];
	return ring->cik->reg[mmCP_ME1_PIPE0_INT_CNTL +
			      ring->unit / CIK_QUEUES];
}

void cik_cp_eop(struct cik_ring *ring)
{
	if (FIELD_OF(wanted(ring), CP_INT_CNTL_RING0, TIME_STAMP_INT_ENABLE))
		cik_ring_interrupt(ring, VISLANDS30_IV_SRCID_CP_END_OF_PIPE,
				   ring_id(ring), cik_ring_as(ring).vmid);
}

/* Of compute the driver takes these from the register of graphics too. */
static void illegal(struct cik_ring *ring, unsigned int source)
{
	cik_interrupt(ring->cik, source, 0, ring_id(ring),
		      cik_ring_as(ring).vmid);
}

static void cp_illegal(struct cik_ring *ring)
{
	if (FIELD_OF(ring->cik->reg[mmCP_INT_CNTL_RING0], CP_INT_CNTL_RING0,
		     PRIV_INSTR_INT_ENABLE))
		illegal(ring, VISLANDS30_IV_SRCID_CP_PRIV_INSTR_FAULT);
}

int cik_cp_forbidden(struct cik_ring *ring, uint32_t reg)
{
	trace(TRACE_FAULT, "%s: user space writes register %#x", ring->name,
	      reg);
	if (FIELD_OF(ring->cik->reg[mmCP_INT_CNTL_RING0], CP_INT_CNTL_RING0,
		     PRIV_REG_INT_ENABLE))
		illegal(ring, VISLANDS30_IV_SRCID_CP_PRIV_REG_FAULT);
	return CIK_STOP;
}

#define NOP	PACKET3(PACKET3_NOP, 0x3fff)

const struct cik_engine cik_gfx_engine = {
	.load = gfx_load,
	.save = gfx_save,
	.step = cik_pm4_step,
	.nop = NOP,
	.illegal = cp_illegal,
};

const struct cik_engine cik_compute_engine = {
	.load = compute_load,
	.save = compute_save,
	.step = cik_pm4_step,
	.nop = NOP,
	.illegal = cp_illegal,
};
