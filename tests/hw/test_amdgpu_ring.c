// SPDX-License-Identifier: GPL-2.0-only
/* Rings taking turns, waiting, going wrong; compute queues; resets. */
#include "amdgpu_rig.h"
#include "tap.h"

#define VA	0x100000000ull
#define FENCE	SDMA_PACKET(SDMA_OPCODE_FENCE, 0, 0)
#define POLL	SDMA_PACKET(SDMA_OPCODE_POLL_REG_MEM, 0, \
			    SDMA_POLL_REG_MEM_EXTRA_M | \
			    SDMA_POLL_REG_MEM_EXTRA_FUNC(3u))
#define P3(op, n) PACKET3(PACKET3_##op, n)
#define UCONFIG(reg) ((reg) - PACKET3_SET_UCONFIG_REG_START)

static struct arig rig;
static struct arig_buf mem;

static void setup(void)
{
	arig_init(&rig, NULL, NULL);
	arig_setup(&rig);
	mem = arig_buf(&rig, ARIG_RAM, HW_KIB(64));
}

/* Nothing happens within a register write, all of it in turns. */
static void turns(void)
{
	setup();
	AEMIT(&rig, ARIG_SDMA0, FENCE, LO(mem.mc), HI(mem.mc), 5);
	arig_kick(&rig, ARIG_SDMA0);
	expect_eq(arig_dw(&mem, 0), 0);
	expect_eq(arig_turn(&rig), -1);
	expect_eq(arig_dw(&mem, 0), 5);
	arig_free(&rig);
}

/* Each waits for what the next one writes; the last for a processor. */
static void wait_for_each_other(void)
{
	setup();
	AEMIT(&rig, ARIG_SDMA0, POLL, LO(mem.mc), HI(mem.mc), 1, ~0u, 4, FENCE,
	      LO(mem.mc + 64), HI(mem.mc), 9);
	AEMIT(&rig, ARIG_SDMA1, POLL, LO(mem.mc + 4), HI(mem.mc), 1, ~0u, 4,
	      FENCE, LO(mem.mc), HI(mem.mc), 1);
	AEMIT(&rig, ARIG_COMPUTE, P3(WAIT_REG_MEM, 5),
	      WAIT_REG_MEM_MEM_SPACE(1) | WAIT_REG_MEM_FUNCTION(3),
	      LO(mem.mc + 8), HI(mem.mc), 1, ~0u, 4, P3(WRITE_DATA, 3),
	      WRITE_DATA_DST_SEL(5), LO(mem.mc + 4), HI(mem.mc), 1);
	arig_kick(&rig, ARIG_SDMA0);
	arig_kick(&rig, ARIG_SDMA1);
	arig_kick(&rig, ARIG_COMPUTE);
	/* It wants to look again by itself. */
	expect_eq(arig_work(&rig), 1);
	expect(!arig_idle(&rig, ARIG_SDMA0) && !arig_idle(&rig, ARIG_SDMA1));
	arig_set_dw(&mem, 2, 1);
	expect_eq(arig_work(&rig), -1);
	expect(arig_idle(&rig, ARIG_SDMA0) && arig_idle(&rig, ARIG_SDMA1) &&
	       arig_idle(&rig, ARIG_COMPUTE));
	expect_eq(arig_dw(&mem, 16), 9);
	arig_free(&rig);
}

/* An IB that starts itself for ever stalls nobody. */
static void endless(void)
{
	struct arig_buf ib;

	setup();
	ib = arig_buf(&rig, ARIG_RAM, HW_PAGE_SIZE);
	AIB(&ib, 0, P3(INDIRECT_BUFFER, 2), LO(ib.mc), HI(ib.mc), 4 | 1 << 20);
	AEMIT(&rig, ARIG_GFX, P3(INDIRECT_BUFFER, 2), LO(ib.mc), HI(ib.mc), 4);
	arig_kick(&rig, ARIG_GFX);
	for (unsigned int i = 1; i < 50; i++) {
		AEMIT(&rig, ARIG_SDMA1, FENCE, LO(mem.mc), HI(mem.mc), i);
		arig_kick(&rig, ARIG_SDMA1);
		expect_eq(arig_turn(&rig), 0);
		expect_eq(arig_dw(&mem, 0), i);
	}
	/* Until it is turned off. */
	arig_write(&rig, mmCP_ME_CNTL, CP_ME_CNTL__ME_HALT_MASK);
	expect_eq(arig_turn(&rig), -1);
	arig_free(&rig);
}

/* Programs change themselves: what is read is what is there. */
static void changes_itself(void)
{
	setup();
	AEMIT(&rig, ARIG_SDMA0, FENCE, LO(rig.ring[0].buf.mc + 4 * 7),
	      HI(rig.ring[0].buf.mc), 77, FENCE, LO(mem.mc), HI(mem.mc), 1);
	arig_submit(&rig, ARIG_SDMA0);
	expect_eq(arig_dw(&mem, 0), 77);
	arig_free(&rig);
}

/* Ring, IB and data in memory that only messages reach. */
static void far_away(void)
{
	struct arig_buf far;

	setup();
	far = arig_buf(&rig, ARIG_REMOTE, HW_KIB(16));
	AIB(&far, 0, SDMA_PACKET(SDMA_OPCODE_WRITE, 0, 0), LO(far.mc + 8192),
	    HI(far.mc), 2, 5, 6, FENCE, LO(far.mc + 9000), HI(far.mc), 7);
	arig_write(&rig, mmSDMA0_GFX_RB_BASE, far.mc >> 8);
	arig_write(&rig, mmSDMA0_GFX_RB_BASE_HI, far.mc >> 40);
	arig_write(&rig, mmSDMA0_GFX_RB_WPTR, 40);
	arig_work(&rig);
	expect_eq(arig_dw(&far, 2048), 5);
	expect_eq(arig_dw(&far, 2049), 6);
	expect_eq(arig_dw(&far, 2250), 7);
	expect(rig.remote_accesses > 3);
	arig_free(&rig);
}

static void on_remote(struct arig *r, uint64_t addr, bool write)
{
	(void)addr;
	(void)write;
	/* The driver resets the chip while memory is awaited. */
	if (r->remote_accesses == 2)
		pci_reset(&r->cik->pci);
}

static void reset_meanwhile(void)
{
	struct arig_buf far;

	setup();
	far = arig_buf(&rig, ARIG_REMOTE, HW_PAGE_SIZE);
	rig.on_remote = on_remote;
	AEMIT(&rig, ARIG_SDMA0, SDMA_PACKET(SDMA_OPCODE_COPY, 0, 0), 64, 0,
	      LO(far.mc), HI(far.mc), LO(far.mc + 128), HI(far.mc), FENCE,
	      LO(mem.mc), HI(mem.mc), 5);
	arig_submit(&rig, ARIG_SDMA0);
	expect_eq(rig.remote_accesses, 2);
	expect_eq(arig_dw(&mem, 0), 0);
	expect_eq(arig_read(&rig, mmSDMA0_GFX_RB_RPTR), 0);
	/* And works again after it. */
	rig.on_remote = NULL;
	arig_start(&rig);
	ARUN(&rig, ARIG_SDMA0, FENCE, LO(mem.mc), HI(mem.mc), 6);
	expect_eq(arig_dw(&mem, 0), 6);
	arig_free(&rig);
}

static void nowhere(void)
{
	setup();
	/* A ring that is not there reads as zeroes, which are NOPs to SDMA. */
	arig_write(&rig, mmSDMA0_GFX_RB_BASE, 0x1000);
	arig_write(&rig, mmSDMA0_GFX_RB_BASE_HI, 0);
	arig_write(&rig, mmSDMA0_GFX_RB_WPTR, 64);
	arig_work(&rig);
	expect_eq(arig_read(&rig, mmSDMA0_GFX_RB_RPTR), 64);
	expect(rig.cik->stats.faults > 0);
	/* Sizes and pointers that make no sense. */
	arig_write(&rig, mmSDMA0_GFX_RB_CNTL, ~0u);
	arig_write(&rig, mmSDMA0_GFX_RB_RPTR, ~0u);
	arig_write(&rig, mmSDMA0_GFX_RB_WPTR, 12345678);
	for (int i = 0; i < 10; i++)
		arig_turn(&rig);
	arig_write(&rig, mmCP_RB0_CNTL, ~0u);
	arig_write(&rig, mmCP_RB0_WPTR, ~0u);
	for (int i = 0; i < 10; i++)
		arig_turn(&rig);
	arig_free(&rig);
}

static void doorbells(void)
{
	setup();
	AEMIT(&rig, ARIG_COMPUTE, P3(SET_UCONFIG_REG, 1),
	      UCONFIG(mmSCRATCH_REG0), 5);
	/* Somebody else's does nothing. */
	arig_doorbell(&rig, ARIG_DOORBELL + 1, 3);
	arig_work(&rig);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 0);
	arig_doorbell(&rig, ARIG_DOORBELL, 3);
	arig_work(&rig);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 5);
	/* The queue knows that it was rung. */
	arig_write(&rig, mmSRBM_GFX_CNTL, 1 << 2 | 1 | 2 << 8);
	expect(arig_read(&rig, mmCP_HQD_PQ_DOORBELL_CONTROL) &
	       CP_HQD_PQ_DOORBELL_CONTROL__DOORBELL_HIT_MASK);
	expect_eq(arig_read(&rig, mmCP_HQD_PQ_WPTR), 3);
	/* Without the doorbell it is not. */
	arig_write(&rig, mmCP_HQD_PQ_DOORBELL_CONTROL, FIELD_IN(ARIG_DOORBELL,
		   CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_OFFSET));
	arig_doorbell(&rig, ARIG_DOORBELL, 6);
	expect_eq(arig_read(&rig, mmCP_HQD_PQ_WPTR), 3);
	arig_free(&rig);
}

/* Each queue has registers of its own; those of others are only storage. */
static void queues(void)
{
	setup();
	for (unsigned int n = 0; n < 32; n++) {
		arig_write(&rig, mmSRBM_GFX_CNTL, 1 << 2 | n / 8 | n % 8 << 8);
		arig_write(&rig, mmCP_HQD_QUANTUM, 100 + n);
	}
	for (unsigned int n = 0; n < 32; n++) {
		arig_write(&rig, mmSRBM_GFX_CNTL, 1 << 2 | n / 8 | n % 8 << 8);
		expect_eq(arig_read(&rig, mmCP_HQD_QUANTUM), 100 + n);
	}
	arig_write(&rig, mmSRBM_GFX_CNTL, 2 << 2);
	arig_write(&rig, mmCP_HQD_ACTIVE, 1);
	expect_eq(arig_read(&rig, mmCP_HQD_QUANTUM), 0);
	arig_work(&rig);
	arig_free(&rig);
}

static void dequeue(void)
{
	setup();
	arig_write(&rig, mmSRBM_GFX_CNTL, 1 << 2 | 1 | 2 << 8);
	expect_eq(arig_read(&rig, mmCP_HQD_ACTIVE), 1);
	arig_write(&rig, mmCP_HQD_DEQUEUE_REQUEST, 1);
	expect_eq(arig_read(&rig, mmCP_HQD_ACTIVE), 0);
	arig_write(&rig, mmSRBM_GFX_CNTL, 0);
	AEMIT(&rig, ARIG_COMPUTE, P3(SET_UCONFIG_REG, 1),
	      UCONFIG(mmSCRATCH_REG0), 5);
	arig_submit(&rig, ARIG_COMPUTE);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 0);
	/* Active again, it goes on; halted, it does not. */
	arig_write(&rig, mmSRBM_GFX_CNTL, 1 << 2 | 1 | 2 << 8);
	arig_write(&rig, mmCP_HQD_ACTIVE, 1);
	arig_write(&rig, mmSRBM_GFX_CNTL, 0);
	arig_write(&rig, mmCP_MEC_CNTL, CP_MEC_CNTL__MEC_ME1_HALT_MASK);
	arig_work(&rig);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 0);
	arig_write(&rig, mmCP_MEC_CNTL, 0);
	arig_work(&rig);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 5);
	arig_free(&rig);
}

/* A stuck ring of each kind, and each way to get it going again. */
static void stuck(void)
{
	AEMIT(&rig, ARIG_SDMA0, POLL, LO(mem.mc), HI(mem.mc), 1, ~0u, 4);
	arig_submit(&rig, ARIG_SDMA0);
	AEMIT(&rig, ARIG_GFX, P3(WAIT_REG_MEM, 5), WAIT_REG_MEM_MEM_SPACE(1) |
	      WAIT_REG_MEM_FUNCTION(3), LO(mem.mc), HI(mem.mc), 1, ~0u, 4);
	arig_submit(&rig, ARIG_GFX);
}

static void works(void)
{
	arig_start(&rig);
	ARUN(&rig, ARIG_SDMA0, FENCE, LO(mem.mc + 4), HI(mem.mc), 55);
	ARUN(&rig, ARIG_GFX, P3(SET_UCONFIG_REG, 1), UCONFIG(mmSCRATCH_REG0),
	     66);
	ARUN(&rig, ARIG_COMPUTE, P3(SET_UCONFIG_REG, 1),
	     UCONFIG(mmSCRATCH_REG0 + 1), 77);
	expect_eq(arig_dw(&mem, 1), 55);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 66);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0 + 1), 77);
}

static void config_reset(void)
{
	uint32_t data = 0x39d5e86b, wrong = 0x39d5e86a;

	setup();
	stuck();
	memset(rig.cik->vram + HW_MIB(12), 0x42, 64);
	/* Another value is none. */
	pci_config_write(&rig.cik->pci, 0x7c, &wrong, 4);
	expect_eq(arig_read(&rig, mmCP_ME_CNTL), 0);
	pci_config_write(&rig.cik->pci, 0x7c, &data, 4);
	expect(arig_read(&rig, mmCP_ME_CNTL));
	expect_eq(arig_read(&rig, mmIH_RB_CNTL), 0);
	expect_eq(arig_read(&rig, mmVM_CONTEXT1_CNTL), 0);
	expect_eq(arig_read(&rig, mmCONFIG_MEMSIZE), ARIG_VRAM_SIZE >> 20);
	expect_eq(arig_read(&rig, mmBIOS_SCRATCH_7), 0x200);
	expect_eq(arig_work(&rig), -1);
	/* VRAM stays, and so does what the client set up. */
	expect_eq(rig.cik->vram[HW_MIB(12)], 0x42);
	works();
	arig_free(&rig);
}

static void function_reset(void)
{
	setup();
	stuck();
	pci_reset(&rig.cik->pci);
	expect_eq(arig_read(&rig, mmIH_RB_CNTL), 0);
	expect_eq(arig_work(&rig), -1);
	works();
	arig_free(&rig);
}

static void soft_reset(void)
{
	setup();
	stuck();
	expect(rig.cik->ring[CIK_KEY_GFX].waiting);
	arig_write(&rig, mmGRBM_SOFT_RESET,
		   GRBM_SOFT_RESET__SOFT_RESET_CP_MASK);
	arig_write(&rig, mmGRBM_SOFT_RESET, 0);
	expect(!rig.cik->ring[CIK_KEY_GFX].waiting);
	expect(rig.cik->ring[CIK_KEY_SDMA].waiting);
	arig_write(&rig, mmSRBM_SOFT_RESET,
		   SRBM_SOFT_RESET__SOFT_RESET_SDMA_MASK);
	expect(!rig.cik->ring[CIK_KEY_SDMA].waiting);
	works();
	arig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "nothing runs within a register write", turns },
	{ "rings that wait for each other", wait_for_each_other },
	{ "an endless loop stalls nobody", endless },
	{ "a program that changes itself", changes_itself },
	{ "rings in memory that only messages reach", far_away },
	{ "a reset while memory is awaited", reset_meanwhile },
	{ "rings that are nowhere, sizes without sense", nowhere },
	{ "doorbells", doorbells },
	{ "registers of each compute queue", queues },
	{ "a compute queue is turned off and on", dequeue },
	{ "reset by configuration space", config_reset },
	{ "reset of the function", function_reset },
	{ "soft resets", soft_reset },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
