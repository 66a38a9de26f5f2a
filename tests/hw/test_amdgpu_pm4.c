// SPDX-License-Identifier: GPL-2.0-only
/* Each PM4 packet that does something, on graphics and on a compute queue. */
#include "amdgpu_rig.h"
#include "tap.h"

#define VA	0x100000000ull
#define DST_VA	(VA + HW_MIB(16))
#define E	ARIG_GFX
#define UCONFIG(reg) ((reg) - PACKET3_SET_UCONFIG_REG_START)
#define P3(op, n) PACKET3(PACKET3_##op, n)

static struct arig rig;
static struct arig_buf ib, dst;

static void setup(void)
{
	arig_init(&rig, NULL, NULL);
	arig_setup(&rig);
	ib = arig_buf(&rig, ARIG_RAM, HW_KIB(128));
	dst = arig_buf(&rig, ARIG_VRAM, HW_MIB(1));
	arig_map(&rig, VA, &ib, ARIG_RW);
	arig_map(&rig, DST_VA, &dst, ARIG_RW);
}

static void run_ib(unsigned int dwords)
{
	ARUN(&rig, E, P3(INDIRECT_BUFFER, 2), LO(VA), HI(VA),
	     dwords | ARIG_VMID << 24);
}

static void registers(void)
{
	setup();
	for (int i = 0; i < 2; i++) {
		enum arig_engine engine = i ? ARIG_COMPUTE : ARIG_GFX;

		arig_write(&rig, mmSCRATCH_REG0, 0xcafedead);
		ARUN(&rig, engine, P3(SET_UCONFIG_REG, 1),
		     UCONFIG(mmSCRATCH_REG0), 0xdeadbeef + i);
		expect(arig_idle(&rig, engine));
		expect_eq(arig_read(&rig, mmSCRATCH_REG0), 0xdeadbeef + i);
	}
	/* Some in a row, of each kind. */
	ARUN(&rig, E, P3(SET_CONTEXT_REG, 3), 0x18, 1, 2, 3,
	     P3(SET_SH_REG, 2), 0x20, 4, 5, P3(SET_CONFIG_REG, 1), 0x300, 6);
	expect_eq(arig_read(&rig, 0xa018), 1);
	expect_eq(arig_read(&rig, 0xa01a), 3);
	expect_eq(arig_read(&rig, 0x2c21), 5);
	expect_eq(arig_read(&rig, 0x2300), 6);
	/* The old kind of packet, and fillers. */
	ARUN(&rig, E, (uint32_t)PACKET0(mmSCRATCH_REG0, 1), 7, 8, CP_PACKET2,
	     CP_PACKET2);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 7);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0 + 1), 8);
	expect(arig_idle(&rig, E));
	arig_free(&rig);
}

static void nops(void)
{
	setup();
	ARUN(&rig, E, P3(NOP, 0x3fff), P3(NOP, 0x3fff), P3(NOP, 2), 1, 2, 3,
	     P3(SURFACE_SYNC, 3), 0, 0, 0, 0, P3(DRAW_INDEX_AUTO, 1), 3, 0,
	     P3(SET_UCONFIG_REG, 1), UCONFIG(mmSCRATCH_REG0), 5);
	expect(arig_idle(&rig, E));
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 5);
	expect_eq(cik_report(rig.cik), 0);
	/* One that nobody knows is skipped by its length, and counted. */
	ARUN(&rig, E, PACKET3(0xf0, 1), 1, 2, P3(SET_UCONFIG_REG, 1),
	     UCONFIG(mmSCRATCH_REG0), 6);
	expect(arig_idle(&rig, E));
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 6);
	expect_eq(cik_report(rig.cik), 1);
	arig_free(&rig);
}

static void write_data(void)
{
	unsigned int i, at;

	setup();
	for (unsigned int sel = 1; sel <= 5; sel++) {
		memset(dst.host, 0, 64);
		ARUN(&rig, E, P3(WRITE_DATA, 4), WRITE_DATA_DST_SEL(sel) |
		     WR_CONFIRM, LO(dst.mc), HI(dst.mc), 11, 22);
		expect_eq(arig_dw(&dst, 0), sel == 3 ? 0 : 11);
		expect_eq(arig_dw(&dst, 1), sel == 3 ? 0 : 22);
	}
	/* Always to the same place. */
	ARUN(&rig, E, P3(WRITE_DATA, 4), WRITE_DATA_DST_SEL(5) | WR_ONE_ADDR,
	     LO(dst.mc + 64), HI(dst.mc), 33, 44);
	expect_eq(arig_dw(&dst, 16), 44);
	expect_eq(arig_dw(&dst, 17), 0);
	/* The longest that there is. */
	at = AIB(&ib, 0, P3(WRITE_DATA, 0x3fff), WRITE_DATA_DST_SEL(5),
		 LO(DST_VA), HI(DST_VA));
	for (i = 0; i < 0x4000 - 3; i++)
		AIB(&ib, at + i, i);
	run_ib(at + i);
	expect(arig_idle(&rig, E));
	for (i = 0; i < 0x4000 - 3; i++)
		expect_eq(arig_dw(&dst, i), i);
	/* Registers, one and two. */
	ARUN(&rig, E, P3(WRITE_DATA, 4), WRITE_DATA_DST_SEL(0), mmSCRATCH_REG0,
	     0, 55, 66);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 55);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0 + 1), 66);
	arig_free(&rig);
}

static void end_of_pipe(void)
{
	setup();
	ARUN(&rig, E, P3(EVENT_WRITE_EOP, 4), 0x500, LO(dst.mc),
	     HI(dst.mc) | DATA_SEL(1u), 0x1234, 0x5678);
	expect_eq(arig_qw(&dst, 0), 0x1234);
	expect(!arig_iv(&rig, &(struct arig_iv){ 0 }));
	ARUN(&rig, E, P3(EVENT_WRITE_EOP, 4), 0x500, LO(dst.mc),
	     HI(dst.mc) | DATA_SEL(2u) | INT_SEL(2), 0x1235, 0x5678);
	expect_eq(arig_qw(&dst, 0), lo_hi(0x1235, 0x5678));
	expect(arig_expect_iv(&rig, 181, 0));
	ARUN(&rig, E, P3(EVENT_WRITE_EOP, 4), 0x500, LO(dst.mc + 8),
	     HI(dst.mc) | DATA_SEL(3u) | INT_SEL(1), 0, 0);
	expect(arig_qw(&dst, 1));
	expect(arig_expect_iv(&rig, 181, 0));
	ARUN(&rig, E, P3(EVENT_WRITE_EOS, 3), 0x600, LO(dst.mc + 16),
	     HI(dst.mc) | 2u << 29, 77);
	expect_eq(arig_dw(&dst, 4), 77);
	/* The driver does not want to hear of it. */
	arig_write(&rig, mmCP_INT_CNTL_RING0, 0);
	ARUN(&rig, E, P3(EVENT_WRITE_EOP, 4), 0x500, LO(dst.mc),
	     HI(dst.mc) | DATA_SEL(1u) | INT_SEL(2), 1, 0);
	expect_eq(arig_dw(&dst, 0), 1);
	expect(!arig_iv(&rig, &(struct arig_iv){ 0 }));
	/* Compute has its own packet, and tells pipe and queue. */
	ARUN(&rig, ARIG_COMPUTE, P3(RELEASE_MEM, 5), 0x500,
	     DATA_SEL(2u) | INT_SEL(2), LO(dst.mc), HI(dst.mc), 0x99, 0x88);
	expect_eq(arig_qw(&dst, 0), lo_hi(0x99, 0x88));
	expect(arig_expect_iv(&rig, 181, 1 << 2 | 1 | 2 << 4));
	arig_free(&rig);
}

static void indirect(void)
{
	setup();
	/* From an IB into another one and back, then a chain, from which not. */
	AIB(&ib, 0, P3(INDIRECT_BUFFER, 2), LO(VA + 1024), HI(VA), 5,
	    P3(WRITE_DATA, 3), WRITE_DATA_DST_SEL(5), LO(DST_VA + 4),
	    HI(DST_VA), 2, P3(INDIRECT_BUFFER, 2), LO(VA + 2048), HI(VA),
	    5 | 1 << 20, P3(WRITE_DATA, 3), WRITE_DATA_DST_SEL(5),
	    LO(DST_VA + 12), HI(DST_VA), 4);
	AIB(&ib, 256, P3(WRITE_DATA, 3), WRITE_DATA_DST_SEL(5), LO(DST_VA),
	    HI(DST_VA), 1);
	AIB(&ib, 512, P3(WRITE_DATA, 3), WRITE_DATA_DST_SEL(5), LO(DST_VA + 8),
	    HI(DST_VA), 3);
	run_ib(18);
	expect(arig_idle(&rig, E));
	for (unsigned int i = 0; i < 3; i++)
		expect_eq(arig_dw(&dst, i), i + 1);
	expect_eq(arig_dw(&dst, 3), 0);
	/* The constant engine's, an empty one, and the kernel's own. */
	ARUN(&rig, E, P3(INDIRECT_BUFFER_CONST, 2), LO(VA + 1024), HI(VA), 5 |
	     ARIG_VMID << 24, P3(INDIRECT_BUFFER, 2), 0, 0, 0);
	expect(arig_idle(&rig, E));
	AIB(&ib, 0, P3(WRITE_DATA, 3), WRITE_DATA_DST_SEL(5), LO(dst.mc),
	    HI(dst.mc), 9);
	ARUN(&rig, E, P3(INDIRECT_BUFFER, 2), LO(ib.mc), HI(ib.mc), 5);
	expect_eq(arig_dw(&dst, 0), 9);
	expect_eq(rig.cik->stats.faults, 0);
	arig_free(&rig);
}

static void wait_reg_mem(void)
{
	setup();
	ARUN(&rig, E, P3(WAIT_REG_MEM, 5), WAIT_REG_MEM_MEM_SPACE(1) |
	     WAIT_REG_MEM_FUNCTION(3), LO(dst.mc), HI(dst.mc), 7, 0xff, 4);
	expect(!arig_idle(&rig, E));
	arig_set_dw(&dst, 0, 0x107);
	arig_work(&rig);
	expect(arig_idle(&rig, E));
	ARUN(&rig, E, P3(WAIT_REG_MEM, 5), WAIT_REG_MEM_FUNCTION(5),
	     mmSCRATCH_REG0, 0, 7, ~0u, 4);
	expect(!arig_idle(&rig, E));
	arig_write(&rig, mmSCRATCH_REG0, 8);
	arig_work(&rig);
	expect(arig_idle(&rig, E));
	ARUN(&rig, E, P3(WAIT_REG_MEM, 5), WAIT_REG_MEM_OPERATION(1) |
	     WAIT_REG_MEM_FUNCTION(3), mmGPU_HDP_FLUSH_REQ,
	     mmGPU_HDP_FLUSH_DONE, 1, 1, 0x20);
	expect(arig_idle(&rig, E));
	expect_eq(arig_read(&rig, mmGPU_HDP_FLUSH_REQ), 1);
	arig_free(&rig);
}

static void cond_exec(void)
{
	setup();
	for (uint32_t value = 0; value <= 1; value++) {
		arig_write(&rig, mmSCRATCH_REG0, 0);
		arig_set_dw(&dst, 0, value);
		ARUN(&rig, E, P3(COND_EXEC, 3), LO(dst.mc), HI(dst.mc), 0, 3,
		     P3(SET_UCONFIG_REG, 1), UCONFIG(mmSCRATCH_REG0), 5,
		     P3(SET_UCONFIG_REG, 1), UCONFIG(mmSCRATCH_REG0 + 1), 6);
		expect(arig_idle(&rig, E));
		expect_eq(arig_read(&rig, mmSCRATCH_REG0), value ? 5 : 0);
		expect_eq(arig_read(&rig, mmSCRATCH_REG0 + 1), 6);
	}
	arig_free(&rig);
}

static void dma_data(void)
{
	setup();
	memset(ib.host, 0x3c, 8192);
	ARUN(&rig, E, P3(DMA_DATA, 5), 0, LO(ib.mc), HI(ib.mc), LO(dst.mc + 1),
	     HI(dst.mc), 5000);
	expect(!memcmp(dst.host + 1, ib.host, 5000));
	expect_eq(dst.host[5001], 0);
	ARUN(&rig, E, P3(DMA_DATA, 5), PACKET3_DMA_DATA_SRC_SEL(2u), 0x01020304,
	     0, LO(dst.mc), HI(dst.mc), 4096);
	for (int i = 0; i < 1024; i++)
		expect_eq(arig_dw(&dst, i), 0x01020304);
	expect_eq(dst.host[4096], 0x3c);
	expect_eq(rig.cik->stats.bytes_copied, 5000);
	expect_eq(rig.cik->stats.bytes_filled, 4096);
	expect_eq(cik_report(rig.cik), 0);
	/* Not from the data share, nor registers. */
	ARUN(&rig, E, P3(DMA_DATA, 5), PACKET3_DMA_DATA_SRC_SEL(1u), 0, 0,
	     LO(dst.mc), HI(dst.mc), 4096, P3(DMA_DATA, 5), 0, 0, 0,
	     LO(dst.mc), HI(dst.mc), PACKET3_DMA_DATA_CMD_SAS | 4);
	expect(arig_idle(&rig, E));
	expect_eq(arig_dw(&dst, 0), 0x01020304);
	expect_eq(cik_report(rig.cik), 1);
	arig_free(&rig);
}

static void copy_data(void)
{
	setup();
	arig_set_dw(&dst, 0, 0x1111);
	arig_set_dw(&dst, 1, 0x2222);
	/* Memory to a register, 32 and 64 bits, and back. */
	ARUN(&rig, E, P3(COPY_DATA, 4), 1, LO(dst.mc), HI(dst.mc),
	     mmSCRATCH_REG0, 0);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 0x1111);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0 + 1), 0);
	ARUN(&rig, E, P3(COPY_DATA, 4), 1 | 1 << 16, LO(dst.mc), HI(dst.mc),
	     mmSCRATCH_REG0, 0);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0 + 1), 0x2222);
	ARUN(&rig, E, P3(COPY_DATA, 4), 0 | 5 << 8 | 1 << 16, mmSCRATCH_REG0, 0,
	     LO(dst.mc + 16), HI(dst.mc));
	expect_eq(arig_qw(&dst, 2), lo_hi(0x1111, 0x2222));
	ARUN(&rig, E, P3(COPY_DATA, 4), 0 | 5 << 8, mmSCRATCH_REG0, 0,
	     LO(dst.mc + 24), HI(dst.mc));
	expect_eq(arig_qw(&dst, 3), 0x1111);
	/* Constants and the clock. */
	ARUN(&rig, E, P3(COPY_DATA, 4), 5 | 5 << 8 | 1 << 16, 0x33, 0x44,
	     LO(dst.mc + 32), HI(dst.mc));
	expect_eq(arig_qw(&dst, 4), lo_hi(0x33, 0x44));
	ARUN(&rig, E, P3(COPY_DATA, 4), 9 | 5 << 8 | 1 << 16, 0, 0,
	     LO(dst.mc + 40), HI(dst.mc));
	expect(arig_qw(&dst, 5));
	arig_free(&rig);
}

static void memory_operations(void)
{
	setup();
	ARUN(&rig, E, P3(MEM_SEMAPHORE, 1), LO(dst.mc), HI(dst.mc) | 7u << 29);
	expect(!arig_idle(&rig, E));
	ARUN(&rig, ARIG_COMPUTE, P3(MEM_SEMAPHORE, 1), LO(dst.mc),
	     HI(dst.mc) | 6u << 29);
	expect(arig_idle(&rig, E));
	expect_eq(arig_qw(&dst, 0), 0);
	ARUN(&rig, E, P3(ATOMIC_MEM, 7), TC_OP_ATOMIC_ADD_RTN_32, LO(dst.mc),
	     HI(dst.mc), 5, 0, 0, 0, 0);
	expect_eq(arig_dw(&dst, 0), 5);
	ARUN(&rig, E, P3(ATOMIC_MEM, 7), TC_OP_ATOMIC_FMIN_RTN_32, LO(dst.mc),
	     HI(dst.mc), 5, 0, 0, 0, 0);
	expect(arig_expect_iv(&rig, 185, 0));
	arig_free(&rig);
}

/* What user space must not write: the ring stops, or nothing happens. */
static void forbidden(void)
{
	setup();
	AIB(&ib, 0, P3(WRITE_DATA, 3), WRITE_DATA_DST_SEL(0),
	    mmVM_CONTEXT0_PAGE_TABLE_BASE_ADDR, 0, 0x1234);
	run_ib(5);
	expect(arig_expect_iv(&rig, 184, 0));
	expect(arig_read(&rig, mmVM_CONTEXT0_PAGE_TABLE_BASE_ADDR) != 0x1234);
	arig_free(&rig);

	setup();
	AIB(&ib, 0, P3(SET_CONFIG_REG, 1),
	    mmCP_ME_CNTL - PACKET3_SET_CONFIG_REG_START, ~0u,
	    P3(SET_UCONFIG_REG, 1), UCONFIG(mmSCRATCH_REG0), 5,
	    P3(SET_SH_REG, 1), 0x600, 1);
	run_ib(9);
	expect(arig_idle(&rig, E));
	expect_eq(arig_read(&rig, mmCP_ME_CNTL), 0);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 5);
	/* What the kernel does with the same packet. */
	ARUN(&rig, E, P3(SET_CONFIG_REG, 1), mmGRBM_CNTL -
	     PACKET3_SET_CONFIG_REG_START, 3);
	expect_eq(arig_read(&rig, mmGRBM_CNTL), 3);
	arig_free(&rig);
}

static void broken(void)
{
	static const uint32_t packets[][2] = {
		{ P3(WRITE_DATA, 1), 5 }, { P3(EVENT_WRITE_EOP, 3), 9 },
		{ P3(INDIRECT_BUFFER, 1), 9 }, { P3(WRITE_DATA, 30), 20 },
		{ 0x40000000, 4 }, { P3(NOP, 3), 4 },
		{ (uint32_t)PACKET0(mmSCRATCH_REG0, 3), 4 },
		{ P3(SET_UCONFIG_REG, 0), 9 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		setup();
		AIB(&ib, 0, packets[i][0]);
		run_ib(packets[i][1]);
		expect(arig_expect_iv(&rig, 185, 0));
		/* It stands still until it is turned off and on. */
		ARUN(&rig, E, P3(SET_UCONFIG_REG, 1), UCONFIG(mmSCRATCH_REG0),
		     5);
		expect_eq(arig_read(&rig, mmSCRATCH_REG0), 0);
		arig_write(&rig, mmCP_ME_CNTL, CP_ME_CNTL__ME_HALT_MASK);
		arig_work(&rig);
		arig_start(&rig);
		ARUN(&rig, E, P3(SET_UCONFIG_REG, 1), UCONFIG(mmSCRATCH_REG0),
		     6);
		expect_eq(arig_read(&rig, mmSCRATCH_REG0), 6);
		arig_free(&rig);
	}
}

static const struct tap_test tests[] = {
	{ "SET_*_REG, packets of types 0 and 2", registers },
	{ "packets without effect, and unknown ones", nops },
	{ "WRITE_DATA", write_data },
	{ "EVENT_WRITE_EOP, EVENT_WRITE_EOS, RELEASE_MEM", end_of_pipe },
	{ "INDIRECT_BUFFER: nested and chained", indirect },
	{ "WAIT_REG_MEM", wait_reg_mem },
	{ "COND_EXEC", cond_exec },
	{ "DMA_DATA", dma_data },
	{ "COPY_DATA", copy_data },
	{ "MEM_SEMAPHORE, ATOMIC_MEM", memory_operations },
	{ "registers that are not user space's", forbidden },
	{ "packets that are none", broken },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
