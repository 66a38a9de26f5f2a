// SPDX-License-Identifier: GPL-2.0-only
/* Memory interface commands and PIPE_CONTROL, executed from ring and batch. */
#include "tap.h"
#include "xe/ctx.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define VA		0x100000000ull
#define DATA		(VA + HW_MIB(2))
#define BB_START	(MI_BATCH_BUFFER_START | 1)
#define BB_PPGTT	BIT(8)
#define BB_2ND		BIT(22)
#define COND_END	(0x36u << 23 | 2)
#define ATOMIC(op)	(0x2fu << 23 | (op) << 8 | 1)

static struct rig rig;
static struct rig_ctx ctx;
static struct rig_buf batch, data;

/* A context with a batch buffer at VA and two pages of data at DATA. */
static void setup(void)
{
	rig_init(&rig, NULL, NULL);
	rig_ctb(&rig, RIG_RAM, 1024, 1024);
	rig_ctx(&rig, &ctx, 1, GUC_RENDER_CLASS, 1);
	batch = rig_buf(&rig, RIG_VRAM, 4 * HW_PAGE_SIZE);
	data = rig_buf(&rig, RIG_VRAM, 2 * HW_PAGE_SIZE);
	rig_map(&rig, ctx.root, VA, &batch, true);
	rig_map(&rig, ctx.root, DATA, &data, true);
}

/* Starts the batch from the ring, in the PPGTT. */
static int run_batch(void)
{
	EMIT(&ctx, BB_START | BB_PPGTT, LO(VA), HI(VA));
	return rig_submit(&ctx);
}

static bool cat_error(void)
{
	return rig_event(&rig, XE_GUC_ACTION_NOTIFY_MEMORY_CAT_ERROR, 1) &&
	       rig_event(&rig, XE_GUC_ACTION_CONTEXT_RESET_NOTIFICATION, 1);
}

static void store_data(void)
{
	setup();
	EMIT(&ctx, MI_STORE_DATA_IMM | MI_SDI_GGTT | MI_SDI_NUM_DW(1),
	     LO(data.ggtt), HI(data.ggtt), 0x11111111);
	BATCH(&batch, 0, MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1), LO(DATA + 4),
	      HI(DATA), 0x22222222, MI_STORE_DATA_IMM | MI_SDI_NUM_QW(1),
	      LO(DATA + 8), HI(DATA), 0x33333333, 0x44444444,
	      /* across a page */
	      MI_STORE_DATA_IMM | MI_SDI_NUM_QW(2), LO(DATA + 0xff8), HI(DATA),
	      5, 6, 7, 8, MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	for (int i = 0; i < 4; i++)
		expect_eq(rig_dw(&data, i), 0x11111111 * (i + 1));
	for (int i = 0; i < 4; i++)
		expect_eq(rig_dw(&data, 0xff8 / 4 + i), 5 + i);
	expect_eq(rig_dw(&data, 0x1008 / 4), 0);
	rig_free(&rig);
}

static void short_commands(void)
{
	static const uint32_t commands[] = {
		MI_STORE_DATA_IMM | 1, MI_FLUSH_DW | MI_FLUSH_DW_OP_STOREDW | 1,
		(MI_STORE_REGISTER_MEM & ~0xffu) | 1,
		(MI_LOAD_REGISTER_MEM & ~0xffu) | 1,
		(MI_LOAD_REGISTER_REG & ~0xffu), (MI_COPY_MEM_MEM & ~0xffu) | 2,
		ATOMIC(5) & ~0xffu, (MI_SEMAPHORE_WAIT & ~0xffu) | 1,
		GFX_OP_PIPE_CONTROL(5),
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		setup();
		rig_batch(&batch, 0, &commands[i], 1);
		run_batch();
		expect(cat_error());
		rig_free(&rig);
	}
}

static void flush(void)
{
	setup();
	/* Without a post-sync write it is nothing. */
	EMIT(&ctx, MI_FLUSH_DW | MI_FLUSH_IMM_DW, 0, 0, 0);
	EMIT(&ctx, MI_FLUSH_DW | MI_FLUSH_DW_OP_STOREDW | MI_FLUSH_IMM_DW |
	     MI_INVALIDATE_TLB, LO(data.ggtt) | MI_FLUSH_DW_USE_GTT,
	     HI(data.ggtt), 0xaaaa);
	/* The status page has an index of its own. */
	EMIT(&ctx, MI_FLUSH_DW | MI_FLUSH_DW_OP_STOREDW | MI_FLUSH_IMM_DW |
	     MI_FLUSH_DW_STORE_INDEX, 0xd0, 0, 0xbbbb);
	BATCH(&batch, 0, MI_FLUSH_DW | MI_FLUSH_DW_OP_STOREDW | MI_FLUSH_IMM_QW,
	      LO(DATA + 8), HI(DATA), 0xcccc, 0xdddd, MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 0), 0xaaaa);
	expect_eq(rig_dw(&data, 1), 0);
	expect_eq(rig_dw(&data, 2), 0xcccc);
	expect_eq(rig_dw(&data, 3), 0xdddd);
	expect_eq(rig_dw(&ctx.lrc, 0xd0 / 4), 0xbbbb);
	rig_free(&rig);
}

static void pipe_control(void)
{
	setup();
	EMIT(&ctx, GFX_OP_PIPE_CONTROL(6), PIPE_CONTROL_CS_STALL, LO(data.ggtt),
	     0, 1, 1);
	EMIT(&ctx, GFX_OP_PIPE_CONTROL(6), PIPE_CONTROL_QW_WRITE |
	     PIPE_CONTROL_GLOBAL_GTT_IVB, LO(data.ggtt + 8), HI(data.ggtt),
	     0xaaaa, 0xbbbb);
	EMIT(&ctx, GFX_OP_PIPE_CONTROL(6), PIPE_CONTROL_QW_WRITE |
	     PIPE_CONTROL_STORE_DATA_INDEX | PIPE_CONTROL_GLOBAL_GTT_IVB, 0xd0,
	     0, 0xcccc, 0xdddd);
	BATCH(&batch, 0, GFX_OP_PIPE_CONTROL(6), PIPE_CONTROL_QW_WRITE,
	      LO(DATA + 16), HI(DATA), 0xeeee, 0xffff, MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 0), 0);
	expect_eq(rig_dw(&data, 2), 0xaaaa);
	expect_eq(rig_dw(&data, 3), 0xbbbb);
	expect_eq(rig_dw(&ctx.lrc, 0xd0 / 4), 0xcccc);
	expect_eq(rig_dw(&ctx.lrc, 0xd4 / 4), 0xdddd);
	expect_eq(rig_dw(&data, 4), 0xeeee);
	rig_free(&rig);
}

/* Engine-relative, absolute, somewhere else; all four ways to move them. */
static void registers(void)
{
	const uint32_t gpr = CS_GPR_REG(0, 3).addr;
	const uint32_t mine = CS_GPR_REG(RENDER_RING_BASE, 3).addr;

	setup();
	rig_set_dw(&data, 8, 0x88888888);
	BATCH(&batch, 0,
	      MI_LOAD_REGISTER_IMM | MI_LRI_LRM_CS_MMIO | MI_LRI_NUM_REGS(1),
	      gpr, 0x11111111,
	      MI_LOAD_REGISTER_IMM | MI_LRI_NUM_REGS(2), 0x7010, 0x22222222,
	      0x20cc, 0x33333333,
	      MI_STORE_REGISTER_MEM, mine, LO(DATA), HI(DATA),
	      MI_STORE_REGISTER_MEM, 0x7010, LO(DATA + 4), HI(DATA),
	      MI_STORE_REGISTER_MEM | MI_SRM_ADD_CS_OFFSET, 0xcc, LO(DATA + 8),
	      HI(DATA),
	      MI_LOAD_REGISTER_REG | MI_LRR_SRC_CS_MMIO, gpr, 0x7014,
	      MI_STORE_REGISTER_MEM, 0x7014, LO(DATA + 12), HI(DATA),
	      MI_LOAD_REGISTER_REG | MI_LRR_DST_CS_MMIO, 0x7010, gpr + 4,
	      MI_STORE_REGISTER_MEM | MI_SRM_ADD_CS_OFFSET, gpr + 4,
	      LO(DATA + 16), HI(DATA),
	      MI_LOAD_REGISTER_MEM | MI_LRI_LRM_CS_MMIO, gpr + 8, LO(DATA + 32),
	      HI(DATA),
	      MI_LOAD_REGISTER_MEM | MI_LRM_USE_GGTT, 0x7018,
	      LO(data.ggtt + 32), HI(data.ggtt),
	      MI_STORE_REGISTER_MEM, mine + 8, LO(DATA + 20), HI(DATA),
	      MI_STORE_REGISTER_MEM | MI_SRM_USE_GGTT, 0x7018,
	      LO(data.ggtt + 24), HI(data.ggtt),
	      /* nobody wrote it */
	      MI_STORE_REGISTER_MEM, 0x701c, LO(DATA + 32), HI(DATA),
	      MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 0), 0x11111111);
	expect_eq(rig_dw(&data, 1), 0x22222222);
	expect_eq(rig_dw(&data, 2), 0x33333333);
	expect_eq(rig_dw(&data, 3), 0x11111111);
	expect_eq(rig_dw(&data, 4), 0x22222222);
	expect_eq(rig_dw(&data, 5), 0x88888888);
	expect_eq(rig_dw(&data, 6), 0x88888888);
	expect_eq(rig_dw(&data, 8), 0);
	rig_free(&rig);
}

/* They are the context's: another one sees nothing of them. */
static void registers_apart(void)
{
	struct rig_ctx other;

	setup();
	rig_ctx(&rig, &other, 2, GUC_RENDER_CLASS, 1);
	rig_map(&rig, other.root, DATA, &data, true);
	rig_set_dw(&data, 0, 0xffffffff);
	rig_set_dw(&data, 1, 0xffffffff);
	EMIT(&ctx, MI_LOAD_REGISTER_IMM | MI_LRI_NUM_REGS(2), 0x2600, 1, 0x7010,
	     2);
	rig_submit(&ctx);
	EMIT(&other, MI_STORE_REGISTER_MEM, 0x2600, LO(DATA), HI(DATA),
	     MI_STORE_REGISTER_MEM, 0x7010, LO(DATA + 4), HI(DATA));
	rig_submit(&other);
	expect_eq(rig_dw(&data, 0), 0);
	expect_eq(rig_dw(&data, 1), 0);
	rig_free(&rig);
}

static void many_registers(void)
{
	unsigned int at = 0, i;

	setup();
	/* More than there is room for: the rest is lost, nothing else. */
	for (i = 0; i < 600; i++)
		at = BATCH(&batch, at, MI_LOAD_REGISTER_IMM | MI_LRI_NUM_REGS(1),
			   0x8000 + 4 * i, i + 1);
	for (i = 0; i < 500; i += 100)
		at = BATCH(&batch, at, MI_STORE_REGISTER_MEM, 0x8000 + 4 * i,
			   LO(DATA + i), HI(DATA));
	BATCH(&batch, at, MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	for (i = 0; i < 500; i += 100)
		expect_eq(rig_dw(&data, i / 4), i + 1);
	rig_free(&rig);
}

static void timestamps(void)
{
	const uint32_t cs = MI_STORE_REGISTER_MEM | MI_SRM_ADD_CS_OFFSET;

	setup();
	BATCH(&batch, 0, cs, RING_CTX_TIMESTAMP(0).addr, LO(DATA), HI(DATA),
	      cs, RING_TIMESTAMP(0).addr, LO(DATA + 4), HI(DATA),
	      MI_STORE_REGISTER_MEM, RING_TIMESTAMP(RENDER_RING_BASE).addr,
	      LO(DATA + 8), HI(DATA),
	      cs, RING_CTX_TIMESTAMP(0).addr, LO(DATA + 12), HI(DATA),
	      MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	/* 0 would mean that it never ran. */
	expect(rig_dw(&data, 0));
	expect(rig_dw(&data, 3) >= rig_dw(&data, 0));
	expect(rig_dw(&data, 1));
	expect(rig_dw(&data, 2) - rig_dw(&data, 1) < 38400000);
	expect(rig_image(&ctx, CTX_TIMESTAMP) >= rig_dw(&data, 3));
	rig_free(&rig);
}

/* After a flush the time can be written instead of data. */
static void flush_timestamps(void)
{
	setup();
	BATCH(&batch, 0, MI_FLUSH_DW | 3 << 14 | MI_FLUSH_IMM_QW, LO(DATA),
	      HI(DATA), 0xbad, 0xbad,
	      MI_STORE_REGISTER_MEM | MI_SRM_ADD_CS_OFFSET,
	      RING_TIMESTAMP(0).addr, LO(DATA + 8), HI(DATA),
	      GFX_OP_PIPE_CONTROL(6), 3 << 14, LO(DATA + 16), HI(DATA), 0xbad,
	      0xbad,
	      /* a depth count, of which there is none */
	      GFX_OP_PIPE_CONTROL(6), 2 << 14, LO(DATA + 24), HI(DATA), 0xbad,
	      0xbad, MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	expect(rig_dw(&data, 0) && rig_dw(&data, 0) != 0xbad);
	expect(rig_dw(&data, 2) - rig_dw(&data, 0) < 38400000);
	expect(rig_dw(&data, 4) - rig_dw(&data, 2) < 38400000);
	expect_eq(rig_dw(&data, 6), 0);
	rig_free(&rig);
}

static void copy_mem(void)
{
	setup();
	rig_set_dw(&data, 0, 0xabcd);
	BATCH(&batch, 0, MI_COPY_MEM_MEM, LO(DATA + 8), HI(DATA), LO(DATA),
	      HI(DATA), MI_COPY_MEM_MEM | MI_COPY_MEM_MEM_SRC_GGTT,
	      LO(DATA + 12), HI(DATA), LO(data.ggtt), HI(data.ggtt),
	      MI_COPY_MEM_MEM | MI_COPY_MEM_MEM_DST_GGTT, LO(data.ggtt + 16),
	      HI(data.ggtt), LO(DATA), HI(DATA), MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	for (int i = 2; i < 5; i++)
		expect_eq(rig_dw(&data, i), 0xabcd);
	expect_eq(rig_dw(&data, 5), 0);
	rig_free(&rig);
}

static void atomics(void)
{
	setup();
	rig_set_dw(&data, 0, 0xffffffff);
	rig_set_dw(&data, 1, 0);
	BATCH(&batch, 0, ATOMIC(5), LO(DATA), HI(DATA),	/* INC */
	      ATOMIC(6), LO(DATA + 4), HI(DATA),	/* DEC */
	      ATOMIC(5) | BIT(22), LO(data.ggtt + 8), HI(data.ggtt),
	      MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 0), 0);
	expect_eq(rig_dw(&data, 1), 0xffffffff);
	expect_eq(rig_dw(&data, 2), 1);
	BATCH(&batch, 0, ATOMIC(7), LO(DATA), HI(DATA), MI_BATCH_BUFFER_END);
	run_batch();
	expect(cat_error());
	rig_free(&rig);
}

static void interrupt(void)
{
	setup();
	EMIT(&ctx, MI_USER_INTERRUPT);
	memset(rig.irq.host, 0, HW_PAGE_SIZE);
	rig_submit(&ctx);
	/* RCS0 is vector 0: the first status byte, the first source byte. */
	expect_eq(rig.irq.host[0], 0xff);
	expect_eq(rig.irq.host[0x400], 0xff);
	expect_eq(rig.irq.host[1], 0);
	expect_eq(rig.irq.host[0x401], 0);
	rig_free(&rig);
}

/* Which bytes each engine sets; nobody has a file descriptor for the MSI. */
static void interrupt_vectors(void)
{
	static const struct {
		uint32_t class, mask;
		unsigned int vector;
	} engines[] = {
		{ GUC_RENDER_CLASS, 1, 0 }, { GUC_BLITTER_CLASS, 1, 15 },
		{ GUC_BLITTER_CLASS, 2, 23 }, { GUC_COMPUTE_CLASS, 1, 4 },
	};
	struct rig_ctx other;

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		uint64_t lost = rig.vf->pci.msi_lost;

		rig_ctx(&rig, &other, 10 + i, engines[i].class, engines[i].mask);
		lost = rig.vf->pci.msi_lost;
		memset(rig.irq.host, 0, HW_PAGE_SIZE);
		EMIT(&other, MI_USER_INTERRUPT);
		rig_submit(&other);
		for (unsigned int at = 0; at < HW_PAGE_SIZE; at++)
			expect_eq(rig.irq.host[at],
				  at == 16 * engines[i].vector ||
				  at == 0x400 + engines[i].vector ? 0xff : 0);
		expect_eq(rig.vf->pci.msi_lost, lost + 1);
	}
	rig_free(&rig);
}

static void second_level(void)
{
	setup();
	/* First level at 0, second at 0x1000, third at 0x2000. */
	BATCH(&batch, 0, BB_START | BB_2ND | BB_PPGTT, LO(VA + 0x1000), HI(VA),
	      MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1), LO(DATA), HI(DATA), 1,
	      MI_BATCH_BUFFER_END);
	/* The bit for the PPGTT is not needed from here on. */
	BATCH(&batch, 0x400, BB_START | BB_2ND, LO(VA + 0x2000), HI(VA),
	      MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1), LO(DATA + 4), HI(DATA), 2,
	      MI_BATCH_BUFFER_END);
	BATCH(&batch, 0x800, MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1),
	      LO(DATA + 8), HI(DATA), 3, MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	for (int i = 0; i < 3; i++)
		expect_eq(rig_dw(&data, i), i + 1);
	/* One more level than there is. */
	BATCH(&batch, 0x800, BB_START | BB_2ND, LO(VA), HI(VA));
	run_batch();
	expect(cat_error());
	rig_free(&rig);
}

/* Without that bit a batch in a batch does not return to it. */
static void chained(void)
{
	setup();
	BATCH(&batch, 0, BB_START | BB_PPGTT, LO(VA + 0x1000), HI(VA),
	      MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1), LO(DATA), HI(DATA), 1,
	      MI_BATCH_BUFFER_END);
	BATCH(&batch, 0x400, MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1), LO(DATA + 4),
	      HI(DATA), 2, MI_BATCH_BUFFER_END);
	EMIT(&ctx, BB_START | BB_PPGTT, LO(VA), HI(VA));
	EMIT(&ctx, MI_STORE_DATA_IMM | MI_SDI_GGTT | MI_SDI_NUM_DW(1),
	     LO(data.ggtt + 8), HI(data.ggtt), 3);
	rig_submit(&ctx);
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 0), 0);
	expect_eq(rig_dw(&data, 1), 2);
	expect_eq(rig_dw(&data, 2), 3);
	rig_free(&rig);
}

static void ggtt_batch(void)
{
	setup();
	/* From the GGTT a batch can go on in the PPGTT. */
	BATCH(&batch, 0, BB_START | BB_2ND | BB_PPGTT, LO(VA + 0x1000), HI(VA),
	      BB_START | BB_2ND, LO(batch.ggtt + 0x2000), HI(batch.ggtt),
	      MI_BATCH_BUFFER_END);
	BATCH(&batch, 0x400, MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1), LO(DATA),
	      HI(DATA), 1, MI_BATCH_BUFFER_END);
	BATCH(&batch, 0x800, MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1), LO(DATA + 4),
	      HI(DATA), 2, MI_BATCH_BUFFER_END);
	EMIT(&ctx, BB_START, LO(batch.ggtt), HI(batch.ggtt));
	rig_submit(&ctx);
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 0), 1);
	expect_eq(rig_dw(&data, 1), 2);
	rig_free(&rig);
}

static void conditional_end(void)
{
	setup();
	rig_set_dw(&data, 0, 7);
	/* It goes on while the comparison holds: 7 > 6, then 7 > 7. */
	BATCH(&batch, 0, COND_END | COMPARE_OP_SAD_GT_SDD << 12, 6, LO(DATA),
	      HI(DATA), ATOMIC(5), LO(DATA + 4), HI(DATA),
	      COND_END | BIT(22) | COMPARE_OP_SAD_GT_SDD << 12, 7,
	      LO(data.ggtt), HI(data.ggtt), ATOMIC(5), LO(DATA + 4), HI(DATA),
	      MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 1), 1);
	/* Of a batch in a batch it ends the inner one. */
	BATCH(&batch, 0x400, BB_START | BB_2ND | BB_PPGTT, LO(VA), HI(VA),
	      ATOMIC(5), LO(DATA + 8), HI(DATA), MI_BATCH_BUFFER_END);
	EMIT(&ctx, BB_START | BB_PPGTT, LO(VA + 0x1000), HI(VA));
	rig_submit(&ctx);
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 1), 2);
	expect_eq(rig_dw(&data, 2), 1);
	rig_free(&rig);
}

static void semaphore(void)
{
	uint64_t before;

	setup();
	EMIT(&ctx, MI_SEMAPHORE_WAIT | MI_SEMW_GGTT | MI_SEMW_POLL |
	     MI_SEMW_COMPARE(SAD_EQ_SDD), 5, LO(data.ggtt), HI(data.ggtt), 0);
	EMIT(&ctx, MI_STORE_DATA_IMM | MI_SDI_GGTT | MI_SDI_NUM_DW(1),
	     LO(data.ggtt + 4), HI(data.ggtt), 1);
	/* It waits without working: the model wants to be asked again. */
	expect_eq(rig_submit(&ctx), 1);
	before = rig.vf->stats.commands;
	for (int i = 0; i < 10; i++)
		expect_eq(rig_turn(&rig), 1);
	expect_eq(rig.vf->stats.commands, before);
	expect_eq(rig_dw(&data, 1), 0);
	rig_set_dw(&data, 0, 4);
	expect_eq(rig_turn(&rig), 1);
	rig_set_dw(&data, 0, 5);
	rig_work(&rig);
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 1), 1);

	/* In the PPGTT, and satisfied from the start. */
	BATCH(&batch, 0, MI_SEMAPHORE_WAIT | MI_SEMW_POLL |
	      MI_SEMW_COMPARE(SAD_GT_SDD), 4, LO(DATA), HI(DATA), 0,
	      ATOMIC(5), LO(DATA + 4), HI(DATA), MI_BATCH_BUFFER_END);
	expect_eq(run_batch(), -1);
	expect_eq(rig_dw(&data, 1), 2);
	rig_free(&rig);
}

static void semaphore_register(void)
{
	setup();
	BATCH(&batch, 0, MI_LOAD_REGISTER_IMM | MI_LRI_NUM_REGS(1), 0x2600, 9,
	      MI_SEMAPHORE_WAIT | MI_SEMAPHORE_REGISTER_POLL | MI_SEMW_POLL |
	      MI_SEMW_COMPARE(SAD_EQ_SDD), 9, 0x2600, 0, 0,
	      ATOMIC(5), LO(DATA), HI(DATA),
	      MI_SEMAPHORE_WAIT | MI_SEMAPHORE_REGISTER_POLL | MI_SEMW_POLL |
	      MI_SEMW_COMPARE(SAD_NEQ_SDD), 9, 0x2600, 0, 0,
	      ATOMIC(5), LO(DATA), HI(DATA), MI_BATCH_BUFFER_END);
	expect_eq(run_batch(), 1);
	expect_eq(rig_dw(&data, 0), 1);
	rig_free(&rig);
}

/* What the driver does to each new default context. */
static void watchdog(void)
{
	const uint32_t lri = MI_LOAD_REGISTER_IMM | MI_LRI_LRM_CS_MMIO;
	const uint32_t wait = MI_SEMAPHORE_WAIT | MI_SEMW_GGTT | MI_SEMW_POLL |
			      MI_SEMW_COMPARE(SAD_EQ_SDD);

	setup();
	EMIT(&ctx, lri | MI_LRI_NUM_REGS(2), PR_CTR_THRSH(0).addr, 2,
	     PR_CTR_CTRL(0).addr, CTR_LOGIC_OP(START));
	EMIT(&ctx, wait, 0xdead, LO(data.ggtt), HI(data.ggtt), 0);
	EMIT(&ctx, lri | MI_LRI_NUM_REGS(1), PR_CTR_CTRL(0).addr,
	     CTR_LOGIC_OP(STOP));
	expect_eq(rig_submit(&ctx), -1);
	expect(rig_idle(&ctx));
	/* No reset notification for it. */
	expect_eq(rig_g2h(&rig, (uint32_t[256]){ 0 }), 0);

	/* Disarmed, the same wait is one. */
	EMIT(&ctx, lri | MI_LRI_NUM_REGS(1), PR_CTR_CTRL(0).addr,
	     CTR_LOGIC_OP(START));
	EMIT(&ctx, lri | MI_LRI_NUM_REGS(1), PR_CTR_CTRL(0).addr,
	     CTR_LOGIC_OP(STOP));
	EMIT(&ctx, wait, 0xdead, LO(data.ggtt), HI(data.ggtt), 0);
	expect_eq(rig_submit(&ctx), 1);
	expect(!rig_idle(&ctx));
	rig_set_dw(&data, 0, 0xdead);
	expect_eq(rig_work(&rig), -1);
	expect(rig_idle(&ctx));
	rig_free(&rig);
}

static void skipped(void)
{
	setup();
	BATCH(&batch, 0, MI_NOOP, MI_ARB_CHECK, MI_ARB_ON_OFF, MI_SET_APPID | 5,
	      0x79000000 | 3, 0xbad, 0xbad, 0xbad, 0xbad,	/* 3D state */
	      0x69040000,	/* PIPELINE_SELECT, one dword */
	      MI_FORCE_WAKEUP, 0xbad,
	      2u << 29 | 0x44 << 22 | 2, 0xbad, 0xbad, 0xbad,	/* unknown */
	      2u << 29 | 0x44 << 22 | 1, 0xbad, 0xbad,	/* the same, shorter */
	      MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1), LO(DATA), HI(DATA), 1,
	      MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 0), 1);
	/* What nobody models is counted, by opcode, for strict mode. */
	expect_eq(xe_vf_report(rig.vf), 1);
	expect_eq(rig.vf->unknown[0].count, 2);
	BATCH(&batch, 0, MI_BATCH_BUFFER_END);
	run_batch();
	expect_eq(xe_vf_report(rig.vf), 1);
	rig_free(&rig);
}

static void many_unknown(void)
{
	unsigned int at = 0;

	setup();
	for (unsigned int op = 1; op < 60; op++)
		at = BATCH(&batch, at, 4u << 29 | op << 22, 0);
	BATCH(&batch, at, MI_BATCH_BUFFER_END);
	run_batch();
	expect(rig_idle(&ctx));
	expect_eq(xe_vf_report(rig.vf), XE_UNKNOWN);
	rig_free(&rig);
}

/* A command that wraps around in the ring is one command. */
static void ring_wrap(void)
{
	setup();
	for (int i = 0; i < 4000; i += 4)
		EMIT(&ctx, MI_NOOP);
	rig_submit(&ctx);
	expect(rig_idle(&ctx));
	while (ctx.tail != HW_PAGE_SIZE - 8)
		EMIT(&ctx, MI_NOOP);
	EMIT(&ctx, MI_STORE_DATA_IMM | MI_SDI_GGTT | MI_SDI_NUM_DW(1),
	     LO(data.ggtt), HI(data.ggtt), 0x1234);
	expect_eq(ctx.tail, 8);
	rig_submit(&ctx);
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 0), 0x1234);
	expect_eq(rig_image(&ctx, CTX_RING_HEAD), 8);
	rig_free(&rig);
}

/* A batch that leaves its loop because the loop was overwritten. */
static void self_modifying(void)
{
	setup();
	BATCH(&batch, 0, ATOMIC(5), LO(DATA), HI(DATA),
	      BB_START | BB_PPGTT, LO(VA), HI(VA));
	run_batch();
	expect(!rig_idle(&ctx));
	expect(rig_dw(&data, 0) > 0);
	rig_set_dw(&batch, 0, MI_BATCH_BUFFER_END);
	rig_work(&rig);
	for (int i = 0; i < 50 && !rig_idle(&ctx); i++)
		rig_turn(&rig);
	expect(rig_idle(&ctx));
	rig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "MI_STORE_DATA_IMM in both spaces", store_data },
	{ "commands that are too short are errors", short_commands },
	{ "MI_FLUSH_DW and its write", flush },
	{ "PIPE_CONTROL and its write", pipe_control },
	{ "registers: relative, absolute, others", registers },
	{ "registers belong to the context", registers_apart },
	{ "more registers than there is room for", many_registers },
	{ "timestamps", timestamps },
	{ "timestamps after a flush", flush_timestamps },
	{ "MI_COPY_MEM_MEM", copy_mem },
	{ "MI_ATOMIC adds and subtracts one", atomics },
	{ "MI_USER_INTERRUPT: status, then source", interrupt },
	{ "each engine has its vector", interrupt_vectors },
	{ "batches within batches", second_level },
	{ "batches one after the other", chained },
	{ "batches in the GGTT", ggtt_batch },
	{ "MI_CONDITIONAL_BATCH_BUFFER_END", conditional_end },
	{ "MI_SEMAPHORE_WAIT waits for memory", semaphore },
	{ "MI_SEMAPHORE_WAIT waits for a register", semaphore_register },
	{ "an armed watchdog ends a wait", watchdog },
	{ "what has no effect is skipped by its length", skipped },
	{ "unknown commands beyond what is counted apart", many_unknown },
	{ "a command across the end of the ring", ring_wrap },
	{ "a loop that somebody ends", self_modifying },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
