// SPDX-License-Identifier: GPL-2.0-only
/* The life of contexts: messages, turns, faults. */
#include "tap.h"
#include "xe/ctx.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define REQUEST		GUC_HXG_TYPE_REQUEST
#define FAST		GUC_HXG_TYPE_FAST_REQUEST
#define REGISTER	XE_GUC_ACTION_REGISTER_CONTEXT
#define DEREGISTER	XE_GUC_ACTION_DEREGISTER_CONTEXT
#define DEREGISTERED	XE_GUC_ACTION_DEREGISTER_CONTEXT_DONE
#define MODE_SET	XE_GUC_ACTION_SCHED_CONTEXT_MODE_SET
#define MODE_DONE	XE_GUC_ACTION_SCHED_CONTEXT_MODE_DONE
#define SCHED		XE_GUC_ACTION_SCHED_CONTEXT
#define CAT_ERROR	XE_GUC_ACTION_NOTIFY_MEMORY_CAT_ERROR
#define RESET_NOTE	XE_GUC_ACTION_CONTEXT_RESET_NOTIFICATION
#define PAGE_FAULT	XE_GUC_ACTION_REPORT_PAGE_FAULT_REQ_DESC
#define FAULT_REPLY	XE_GUC_ACTION_PAGE_FAULT_RES_DESC
#define VA		0x100000000ull
#define BB_START	(MI_BATCH_BUFFER_START | 1 | BIT(8))
#define INC		(0x2fu << 23 | 5 << 8 | 1)
#define COND_END	(0x36u << 23 | 2)

static struct rig rig;
static struct rig_ctx ctx;
static struct rig_buf data;
static uint32_t msg[256];

static void setup(void)
{
	rig_init(&rig, NULL, NULL);
	rig_ctb(&rig, RIG_RAM, 1024, 32768);
	data = rig_buf(&rig, RIG_RAM, HW_PAGE_SIZE);
}

static void emit_store(struct rig_ctx *to, unsigned int dw, uint32_t value)
{
	EMIT(to, MI_STORE_DATA_IMM | MI_SDI_GGTT | MI_SDI_NUM_DW(1),
	     LO(data.ggtt + 4 * dw), HI(data.ggtt), value);
}

static bool quiet(void)
{
	return !rig_g2h(&rig, msg);
}

static void life(void)
{
	setup();
	rig_ctx_make(&rig, &ctx, 3);
	emit_store(&ctx, 0, 1);
	rig_set_image(&ctx, CTX_RING_TAIL, ctx.tail);
	rig_ctx_register(&ctx, GUC_RENDER_CLASS, 1);
	expect(quiet());
	/* Registered is not enabled: a kick does nothing. */
	rig_send(&rig, FAST, SCHED, 3);
	expect_eq(rig_dw(&data, 0), 0);
	/* Enabling implies the first run. */
	rig_send(&rig, FAST, MODE_SET, 3, 1);
	expect_eq(rig_g2h(&rig, msg), 3);
	expect_eq(msg[1], 0x90001002);
	expect_eq(msg[2], 3);
	expect_eq(msg[3], 1);
	expect_eq(rig_dw(&data, 0), 1);
	expect(rig_idle(&ctx));
	/* Later ones need a kick: the tail alone is not seen. */
	emit_store(&ctx, 0, 2);
	rig_set_image(&ctx, CTX_RING_TAIL, ctx.tail);
	rig_work(&rig);
	expect_eq(rig_dw(&data, 0), 1);
	rig_send(&rig, FAST, SCHED, 3);
	expect_eq(rig_dw(&data, 0), 2);

	rig_send(&rig, FAST, MODE_SET, 3, 0);
	expect_eq(rig_g2h(&rig, msg), 3);
	expect_eq(msg[1], 0x90001002);
	expect_eq(msg[3], 0);
	emit_store(&ctx, 0, 3);
	rig_submit(&ctx);
	expect_eq(rig_dw(&data, 0), 2);
	rig_send(&rig, FAST, MODE_SET, 3, 1);
	expect(rig_event(&rig, MODE_DONE, 3));
	expect_eq(rig_dw(&data, 0), 3);

	rig_send(&rig, FAST, DEREGISTER, 3);
	expect_eq(rig_g2h(&rig, msg), 2);
	expect_eq(msg[1], 0x90004600);
	expect_eq(msg[2], 3);
	expect(!xe_ctx_find(rig.vf, 3));
	rig_free(&rig);
}

static void requests(void)
{
	setup();
	rig_ctx_make(&rig, &ctx, 3);
	/* As requests they are answered, before the event. */
	rig_send(&rig, REQUEST, REGISTER, 1, 3, GUC_RENDER_CLASS, 1, 0, 0, 0, 0,
		 0, LO(ctx.lrc.ggtt), 0);
	expect_eq(rig_g2h(&rig, msg), 1);
	expect_eq(msg[1], 0xf0000000);
	rig_send(&rig, REQUEST, MODE_SET, 3, 1);
	expect_eq(rig_g2h(&rig, msg), 1);
	expect(rig_event(&rig, MODE_DONE, 3));
	rig_send(&rig, REQUEST, SCHED, 3);
	expect_eq(rig_g2h(&rig, msg), 1);
	rig_send(&rig, REQUEST, DEREGISTER, 3);
	expect_eq(rig_g2h(&rig, msg), 1);
	expect(rig_event(&rig, DEREGISTERED, 3));
	expect(quiet());
	rig_free(&rig);
}

static void refusals(void)
{
	static const struct {
		uint32_t id, class, mask;
	} bad[] = {
		{ 3, GUC_RENDER_CLASS, 1 },	/* taken */
		{ 65536, GUC_RENDER_CLASS, 1 },
		{ 0xffffffff, GUC_RENDER_CLASS, 1 },
		{ 4, GUC_RENDER_CLASS, 0 }, { 4, GUC_RENDER_CLASS, 2 },
		{ 4, GUC_VIDEO_CLASS, 1 }, { 4, 5, 1 }, { 4, 0xffffffff, 1 },
		{ 4, GUC_BLITTER_CLASS, 4 }, { 4, GUC_COMPUTE_CLASS, 2 },
		{ 4, GUC_COMPUTE_CLASS, 16 },
	};
	static const uint32_t actions[] = { DEREGISTER, MODE_SET, SCHED };
	size_t i;

	setup();
	rig_ctx(&rig, &ctx, 3, GUC_RENDER_CLASS, 1);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		rig_send(&rig, REQUEST, REGISTER, 1, bad[i].id, bad[i].class,
			 bad[i].mask, 0, 0, 0, 0, 0, LO(ctx.lrc.ggtt), 0);
		expect_eq(rig_g2h(&rig, msg), 1);
		expect_eq(msg[1], 0xe0000000 |
			  XE_GUC_RESPONSE_INVALID_CONTEXT_REGISTRATION);
	}
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		rig_send(&rig, REQUEST, actions[i], 4, 1);
		expect_eq(rig_g2h(&rig, msg), 1);
		expect_eq(msg[1], 0xe0000000 |
			  XE_GUC_RESPONSE_CONTEXT_NOT_REGISTERED);
		rig_send(&rig, REQUEST, actions[i], 0xffffffff, 1);
		expect_eq(rig_g2h(&rig, msg), 1);
	}
	expect(quiet());
	/* The first and the last id there is. */
	rig_ctx(&rig, &ctx, 0, GUC_BLITTER_CLASS, 2);
	rig_ctx(&rig, &ctx, 65535, GUC_COMPUTE_CLASS, 1);
	rig_free(&rig);
}

/* An endless batch: increments data and goes round. */
static void spin(struct rig_ctx *on, unsigned int dw)
{
	struct rig_buf batch = rig_buf(&rig, RIG_VRAM, HW_PAGE_SIZE);

	rig_map(&rig, on->root, VA, &batch, true);
	rig_map(&rig, on->root, VA + HW_MIB(2), &data, true);
	BATCH(&batch, 0, INC, LO(VA + HW_MIB(2) + 4 * dw), HI(VA), BB_START,
	      LO(VA), HI(VA));
	EMIT(on, BB_START, LO(VA), HI(VA));
	rig_schedule(on);
}

static void spinners(void)
{
	struct rig_ctx other[3];
	uint64_t start = hw_now();
	unsigned int i;

	setup();
	rig_ctx(&rig, &ctx, 1, GUC_RENDER_CLASS, 1);
	rig_ctx(&rig, &other[0], 2, GUC_RENDER_CLASS, 1);	/* the same engine */
	rig_ctx(&rig, &other[1], 3, GUC_BLITTER_CLASS, 1);
	rig_ctx(&rig, &other[2], 4, GUC_COMPUTE_CLASS, 1);
	spin(&ctx, 0);
	rig_turn(&rig);
	rig_turn(&rig);
	expect(rig_dw(&data, 0) > 0);
	for (i = 0; i < 30; i++) {
		struct rig_ctx *quick = &other[i % 3];

		emit_store(quick, 1 + i % 3, i);
		rig_schedule(quick);
		rig_turn(&rig);
		expect(rig_idle(quick));
		expect_eq(rig_dw(&data, 1 + i % 3), i);
	}
	/* Alone, it is no reason to use up a processor. */
	for (i = 0; i < 40; i++)
		rig_turn(&rig);
	expect(rig_turn(&rig) > 0);
	expect(hw_now() - start < 5000000000ull);
	/* It can be stopped, and goes on when it may. */
	rig_send(&rig, FAST, MODE_SET, 1, 0);
	expect(rig_event(&rig, MODE_DONE, 1));
	i = rig_dw(&data, 0);
	expect_eq(rig_work(&rig), -1);
	expect_eq(rig_dw(&data, 0), i);
	rig_send(&rig, FAST, MODE_SET, 1, 1);
	expect(rig_dw(&data, 0) > i);
	/* And taken away while it runs. */
	rig_send(&rig, FAST, DEREGISTER, 1);
	expect_eq(rig_work(&rig), -1);
	rig_free(&rig);
}

static void two_spinners(void)
{
	struct rig_ctx other;
	uint32_t a, b;

	setup();
	rig_ctx(&rig, &ctx, 1, GUC_RENDER_CLASS, 1);
	rig_ctx(&rig, &other, 2, GUC_RENDER_CLASS, 1);
	spin(&ctx, 0);
	spin(&other, 1);
	for (int i = 0; i < 100; i++)
		rig_turn(&rig);
	a = rig_dw(&data, 0);
	b = rig_dw(&data, 1);
	expect(a > 0 && b > 0 && a < 2 * b && b < 2 * a);
	rig_free(&rig);
}

static void times(void)
{
	uint32_t first;

	setup();
	rig_ctx(&rig, &ctx, 1, GUC_RENDER_CLASS, 1);
	/* An idle context uses no time; one that has work does. */
	emit_store(&ctx, 0, 1);
	rig_submit(&ctx);
	first = rig_image(&ctx, CTX_TIMESTAMP);
	expect(first);
	for (uint64_t end = hw_now() + 3000000; hw_now() < end;)
		;
	emit_store(&ctx, 0, 1);
	rig_submit(&ctx);
	/* 3 ms would be 115200 ticks. */
	expect(rig_image(&ctx, CTX_TIMESTAMP) - first < 100000);
	first = rig_image(&ctx, CTX_TIMESTAMP);
	spin(&ctx, 0);
	for (uint64_t end = hw_now() + 3000000; hw_now() < end;)
		rig_turn(&rig);
	expect(rig_image(&ctx, CTX_TIMESTAMP) - first > 50000);
	rig_free(&rig);
}

/* A batch at VA that the VM does not have. */
static void fault(void)
{
	setup();
	rig_ctx(&rig, &ctx, 0x123, GUC_BLITTER_CLASS, 1);
	EMIT(&ctx, BB_START, LO(VA + 0x5000), HI(VA));
	emit_store(&ctx, 0, 1);
	rig_submit(&ctx);
}

static void page_fault(void)
{
	struct rig_buf batch;

	fault();
	expect_eq(rig_g2h(&rig, msg), 5);
	expect_eq(msg[0], 5);
	expect_eq(msg[1], 0x90006002);
	/*
	 * The VM is empty, so it ended at the top. Then class and id, asid, access,
	 * address: PFD_* in the driver's xe_guc_fwif.h.
	 */
	expect_eq(msg[2] & 7, 4);
	expect_eq(msg[2] >> 25 & 7, GUC_BLITTER_CLASS);
	expect_eq(msg[2] >> 28 | (msg[3] & 0xfff) << 4, 0x123);
	expect_eq(msg[3] >> 12, 0x123 + 7);
	expect_eq(msg[4], LO(VA + 0x5000));
	expect_eq(msg[5], HI(VA));
	expect(quiet());
	/* It waits, whatever happens, without being asked again. */
	expect_eq(rig_work(&rig), -1);
	rig_send(&rig, FAST, SCHED, 0x123);
	expect(!rig_idle(&ctx));
	expect(quiet());

	batch = rig_buf(&rig, RIG_VRAM, HW_PAGE_SIZE);
	BATCH(&batch, 0, MI_BATCH_BUFFER_END);
	rig_map(&rig, ctx.root, VA + 0x5000, &batch, true);
	rig_send(&rig, FAST, FAULT_REPLY, 1, 0x123 << 16, 0, 0);
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 0), 1);
	expect(quiet());
	rig_free(&rig);
}

static void page_fault_refused(void)
{
	fault();
	expect_eq(rig_g2h(&rig, msg), 5);
	/* The bit is called success and means failure. */
	rig_send(&rig, FAST, FAULT_REPLY, 3, 0x123 << 16, 0, 0);
	expect(rig_event(&rig, CAT_ERROR, 0x123));
	expect(rig_event(&rig, RESET_NOTE, 0x123));
	expect(quiet());
	expect_eq(rig_dw(&data, 0), 0);
	/* It does not run any more before it is enabled again. */
	rig_send(&rig, FAST, SCHED, 0x123);
	expect(quiet());
	rig_send(&rig, FAST, MODE_SET, 0x123, 0);
	expect(rig_event(&rig, MODE_DONE, 0x123));
	rig_send(&rig, FAST, DEREGISTER, 0x123);
	expect(rig_event(&rig, DEREGISTERED, 0x123));
	rig_free(&rig);
}

/* Answers that nobody waits for. */
static void stray_answers(void)
{
	fault();
	expect_eq(rig_g2h(&rig, msg), 5);
	rig_send(&rig, FAST, FAULT_REPLY, 1, 0x124 << 16, 0, 0);
	rig_send(&rig, FAST, FAULT_REPLY, 3, 0xffffu << 16, 0, 0);
	expect(quiet());
	rig_send(&rig, FAST, DEREGISTER, 0x123);
	expect(rig_event(&rig, DEREGISTERED, 0x123));
	rig_send(&rig, FAST, FAULT_REPLY, 3, 0x123 << 16, 0, 0);
	expect(quiet());
	/* To a context that has no fault. */
	rig_ctx(&rig, &ctx, 5, GUC_RENDER_CLASS, 1);
	rig_send(&rig, FAST, FAULT_REPLY, 3, 5 << 16, 0, 0);
	expect(quiet());
	emit_store(&ctx, 0, 5);
	rig_submit(&ctx);
	expect_eq(rig_dw(&data, 0), 5);
	rig_free(&rig);
}

static void write_fault(void)
{
	struct rig_buf page;

	setup();
	rig_ctx(&rig, &ctx, 9, GUC_RENDER_CLASS, 1);
	page = rig_buf(&rig, RIG_VRAM, HW_PAGE_SIZE);
	rig_map(&rig, ctx.root, VA, &page, false);
	EMIT(&ctx, MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1), LO(VA + 8), HI(VA), 7);
	rig_submit(&ctx);
	expect_eq(rig_g2h(&rig, msg), 5);
	expect_eq(msg[4], LO(VA) | 1);	/* a write */
	expect_eq(msg[2] & 7, 0);
	rig_map(&rig, ctx.root, VA, &page, true);
	rig_send(&rig, FAST, FAULT_REPLY, 1, 9 << 16, 0, 0);
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&page, 2), 7);
	rig_free(&rig);
}

/* The condition is asked again after the repair, not passed over. */
static void fault_in_condition(void)
{
	struct rig_buf batch;

	setup();
	rig_ctx(&rig, &ctx, 9, GUC_RENDER_CLASS, 1);
	batch = rig_buf(&rig, RIG_VRAM, HW_PAGE_SIZE);
	rig_map(&rig, ctx.root, VA, &batch, true);
	BATCH(&batch, 0, COND_END | COMPARE_OP_SAD_EQ_SDD << 12, 1,
	      LO(VA + HW_MIB(2)), HI(VA), MI_STORE_DATA_IMM |
	      MI_SDI_GGTT | MI_SDI_NUM_DW(1), LO(data.ggtt + 4), HI(data.ggtt),
	      1, MI_BATCH_BUFFER_END);
	EMIT(&ctx, BB_START, LO(VA), HI(VA));
	rig_submit(&ctx);
	expect_eq(rig_g2h(&rig, msg), 5);
	rig_map(&rig, ctx.root, VA + HW_MIB(2), &data, true);
	rig_send(&rig, FAST, FAULT_REPLY, 1, 9 << 16, 0, 0);
	expect(rig_idle(&ctx));
	/* 0 is not 1: the batch ended. */
	expect_eq(rig_dw(&data, 1), 0);
	rig_free(&rig);
}

static void bad_memory(void)
{
	struct rig_ctx other;

	setup();
	rig_ctx(&rig, &ctx, 9, GUC_RENDER_CLASS, 1);
	rig_ctx(&rig, &other, 10, GUC_RENDER_CLASS, 1);
	EMIT(&ctx, MI_STORE_DATA_IMM | MI_SDI_GGTT | MI_SDI_NUM_DW(1), 0x1000,
	     0, 7);
	emit_store(&ctx, 0, 1);
	rig_submit(&ctx);
	expect_eq(rig_g2h(&rig, msg), 2);
	expect_eq(msg[0], 2);
	expect_eq(msg[1], 0x90006000);
	expect_eq(msg[2], 9);
	expect_eq(rig_g2h(&rig, msg), 2);
	expect_eq(msg[1], 0x90001008);
	expect_eq(msg[2], 9);
	expect(quiet());
	expect_eq(rig_dw(&data, 0), 0);
	expect_eq(rig.vf->stats.faults, 1);
	/* Others are not concerned. */
	emit_store(&other, 1, 1);
	rig_submit(&other);
	expect_eq(rig_dw(&data, 1), 1);
	rig_free(&rig);
}

static void bad_image(void)
{
	setup();
	rig_ctx(&rig, &ctx, 9, GUC_RENDER_CLASS, 1);
	/* Its image goes away. */
	rig_set_pte(&rig, ctx.lrc.ggtt + HW_PAGE_SIZE, 0);
	rig_send(&rig, FAST, SCHED, 9);
	expect(rig_event(&rig, CAT_ERROR, 9));
	expect(rig_event(&rig, RESET_NOTE, 9));
	rig_send(&rig, FAST, MODE_SET, 9, 0);
	expect(rig_event(&rig, MODE_DONE, 9));
	rig_free(&rig);

	/* A ring that is nowhere, a root that is nowhere. */
	setup();
	rig_ctx(&rig, &ctx, 9, GUC_RENDER_CLASS, 1);
	rig_set_image(&ctx, CTX_RING_START, 0x5000);
	emit_store(&ctx, 0, 1);
	rig_submit(&ctx);
	expect(rig_event(&rig, CAT_ERROR, 9));
	rig_free(&rig);

	setup();
	rig_ctx(&rig, &ctx, 9, GUC_RENDER_CLASS, 1);
	rig_set_image(&ctx, CTX_PDP0_UDW, 0x3000);
	EMIT(&ctx, BB_START, LO(VA), HI(VA));
	rig_submit(&ctx);
	expect(rig_event(&rig, CAT_ERROR, 9));
	rig_free(&rig);
}

/* The VM of a context can change from one run to the next. */
static void other_vm(void)
{
	struct rig_buf page[2];
	uint64_t root[2];

	setup();
	rig_ctx(&rig, &ctx, 9, GUC_RENDER_CLASS, 1);
	for (int i = 0; i < 2; i++) {
		root[i] = rig_ppgtt(&rig);
		page[i] = rig_buf(&rig, RIG_VRAM, HW_PAGE_SIZE);
		rig_map(&rig, root[i], VA, &page[i], true);
	}
	for (int i = 0; i < 4; i++) {
		rig_set_image(&ctx, CTX_PDP0_LDW, LO(root[i & 1]));
		EMIT(&ctx, INC, LO(VA), HI(VA));
		rig_submit(&ctx);
		expect_eq(rig_dw(&page[i & 1], 0), i / 2 + 1);
	}
	rig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "register, enable, run, disable, deregister", life },
	{ "the same as requests that are answered", requests },
	{ "contexts that cannot be, or are not", refusals },
	{ "a spinner stalls nobody, on no engine", spinners },
	{ "two spinners get their turns", two_spinners },
	{ "time counts while there is work", times },
	{ "page fault: request, repair, going on", page_fault },
	{ "page fault: not repaired", page_fault_refused },
	{ "page fault: answers that nobody waits for", stray_answers },
	{ "page fault: a write to a read-only page", write_fault },
	{ "page fault: of a condition", fault_in_condition },
	{ "bad memory: CAT error, then reset", bad_memory },
	{ "bad context images", bad_image },
	{ "the VM is read anew for each turn", other_vm },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
