// SPDX-License-Identifier: GPL-2.0-only
/* Each place where the model can be told to fail does so, when it should. */
#include "tap.h"
#include "xe/ctx.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define FAST		GUC_HXG_TYPE_FAST_REQUEST
#define TLB		XE_GUC_ACTION_TLB_INVALIDATION
#define TLB_DONE	XE_GUC_ACTION_TLB_INVALIDATION_DONE
#define VA		0x100000000ull

static struct rig rig;
static struct rig_ctx ctx;
static struct rig_buf data;
static uint32_t msg[256];

static void setup(const char *spec)
{
	struct inject inject = { .nr = 0 };

	if (inject_add(&inject, spec, xe_inject_points))
		hw_die(1, "%s", spec);
	rig_init(&rig, NULL, &inject);
	rig_ctb(&rig, RIG_RAM, 1024, 1024);
	data = rig_buf(&rig, RIG_RAM, HW_PAGE_SIZE);
}

/* A job as the driver writes one: a batch, the fence, the interrupt. */
static void setup_job(const char *spec, uint32_t class)
{
	struct rig_buf batch;

	setup(spec);
	rig_ctx(&rig, &ctx, 1, class, 1);
	batch = rig_buf(&rig, RIG_VRAM, HW_PAGE_SIZE);
	BATCH(&batch, 0, MI_BATCH_BUFFER_END);
	rig_map(&rig, ctx.root, VA, &batch, false);
}

static void emit_job(uint32_t seqno)
{
	/* The start of a job on a copy engine looks like its fence. */
	EMIT(&ctx, MI_FLUSH_DW | MI_INVALIDATE_TLB | MI_FLUSH_DW_OP_STOREDW |
	     MI_FLUSH_IMM_DW, LO(data.ggtt + 8) | MI_FLUSH_DW_USE_GTT,
	     HI(data.ggtt), seqno);
	EMIT(&ctx, MI_BATCH_BUFFER_START | 1 | BIT(8), LO(VA), HI(VA));
	EMIT(&ctx, MI_FLUSH_DW | MI_FLUSH_DW_OP_STOREDW | MI_FLUSH_IMM_DW,
	     LO(data.ggtt) | MI_FLUSH_DW_USE_GTT, HI(data.ggtt), seqno);
	EMIT(&ctx, MI_USER_INTERRUPT);
}

static int job(uint32_t seqno)
{
	memset(rig.irq.host, 0, HW_PAGE_SIZE);
	emit_job(seqno);
	return rig_submit(&ctx);
}

static uint32_t fence(void)
{
	return rig_dw(&data, 0);
}

static void messages_lost(void)
{
	setup("g2h-drop=0x7001@2");
	for (uint32_t i = 1; i <= 3; i++)
		rig_send(&rig, FAST, TLB, i, 3);
	expect(rig_event(&rig, TLB_DONE, 1));
	expect(rig_event(&rig, TLB_DONE, 3));
	expect_eq(rig_g2h(&rig, msg), 0);
	rig_free(&rig);
}

/* Those behind a late one come later still: the order is kept. */
static void messages_late(void)
{
	uint64_t sent;

	setup("g2h-delay=0x7001@2,ms=30");
	rig_send(&rig, FAST, TLB, 1, 3);
	expect(rig_event(&rig, TLB_DONE, 1));
	sent = hw_now();
	rig_send(&rig, FAST, TLB, 2, 3);
	rig_send(&rig, GUC_HXG_TYPE_REQUEST, 0x0509, 3);
	expect_eq(rig_g2h(&rig, msg), 0);
	while (rig_turn(&rig) >= 0)
		;
	expect(hw_now() - sent >= 30000000);
	expect(rig_event(&rig, TLB_DONE, 2));
	expect_eq(rig_g2h(&rig, msg), 1);
	expect_eq(msg[1], 0xf0000000);
	rig_free(&rig);
}

static void fences_lost(void)
{
	setup_job("fence-drop=15@2", GUC_BLITTER_CLASS);
	job(1);
	expect_eq(fence(), 1);
	job(2);
	/* The job is done, and nobody is told. */
	expect(rig_idle(&ctx));
	expect_eq(rig_dw(&data, 2), 2);
	expect_eq(fence(), 1);
	expect_eq(rig.irq.host[0x40f], 0xff);
	job(3);
	expect_eq(fence(), 3);
	rig_free(&rig);

	/* Another engine's. */
	setup_job("fence-drop=23@0", GUC_BLITTER_CLASS);
	job(1);
	expect_eq(fence(), 1);
	rig_free(&rig);
}

static void fences_late(void)
{
	uint64_t sent = hw_now();

	setup_job("fence-delay=15@1,ms=30", GUC_BLITTER_CLASS);
	expect(job(1) > 0);
	expect_eq(fence(), 0);
	expect(!rig_idle(&ctx));
	while (rig_turn(&rig) >= 0)
		;
	expect(hw_now() - sent >= 30000000);
	expect_eq(fence(), 1);
	expect(rig_idle(&ctx));
	expect_eq(rig.irq.host[0x40f], 0xff);
	expect_eq(job(2), -1);
	expect_eq(fence(), 2);
	rig_free(&rig);
}

/* The fence of the engines that render is a PIPE_CONTROL. */
static void render_fence(void)
{
	setup_job("fence-drop=0@1", GUC_RENDER_CLASS);
	for (uint32_t i = 1; i <= 2; i++) {
		EMIT(&ctx, GFX_OP_PIPE_CONTROL(6), PIPE_CONTROL_QW_WRITE |
		     PIPE_CONTROL_GLOBAL_GTT_IVB, LO(data.ggtt), HI(data.ggtt),
		     i, 0);
		EMIT(&ctx, MI_USER_INTERRUPT);
		rig_submit(&ctx);
		expect(rig_idle(&ctx));
		expect_eq(fence(), i == 1 ? 0 : 2);
	}
	rig_free(&rig);
}

static void interrupts_lost(void)
{
	uint64_t sent;

	setup_job("irq-drop=15@1", GUC_BLITTER_CLASS);
	sent = rig.vf->pci.msi_lost;
	job(1);
	expect_eq(fence(), 1);
	expect_eq(rig.irq.host[0x40f], 0);
	expect_eq(rig.vf->pci.msi_lost, sent);
	job(2);
	expect_eq(rig.irq.host[0x40f], 0xff);
	expect_eq(rig.vf->pci.msi_lost, sent + 1);
	rig_free(&rig);
}

static void hang(void)
{
	struct rig_ctx other;

	setup_job("engine-hang=15@2", GUC_BLITTER_CLASS);
	job(1);
	expect_eq(fence(), 1);
	expect(job(2) > 0);
	for (int i = 0; i < 100; i++)
		rig_turn(&rig);
	expect_eq(fence(), 1);
	expect(!rig_idle(&ctx));
	/* Another context of that engine is not concerned. */
	rig_ctx(&rig, &other, 2, GUC_BLITTER_CLASS, 1);
	EMIT(&other, MI_STORE_DATA_IMM | MI_SDI_GGTT | MI_SDI_NUM_DW(1),
	     LO(data.ggtt + 16), HI(data.ggtt), 5);
	rig_submit(&other);
	expect_eq(rig_dw(&data, 4), 5);
	/* It ends as the driver ends it. */
	rig_send(&rig, FAST, XE_GUC_ACTION_SCHED_CONTEXT_MODE_SET, 1, 0);
	expect(rig_event(&rig, XE_GUC_ACTION_SCHED_CONTEXT_MODE_DONE, 1));
	rig_send(&rig, FAST, XE_GUC_ACTION_DEREGISTER_CONTEXT, 1);
	expect(rig_event(&rig, XE_GUC_ACTION_DEREGISTER_CONTEXT_DONE, 1));
	expect_eq(rig_work(&rig), -1);
	rig_free(&rig);
}

static void bad_memory(void)
{
	setup_job("cat-error=15@2", GUC_BLITTER_CLASS);
	job(1);
	expect_eq(rig_g2h(&rig, msg), 0);
	job(2);
	expect(rig_event(&rig, XE_GUC_ACTION_NOTIFY_MEMORY_CAT_ERROR, 1));
	expect(rig_event(&rig, XE_GUC_ACTION_CONTEXT_RESET_NOTIFICATION, 1));
	expect_eq(fence(), 1);
	rig_free(&rig);
}

/* The names that --help gives are those that the model knows. */
static void names(void)
{
	static const char *const known[] = {
		"g2h-drop", "g2h-delay", "fence-drop", "fence-delay",
		"irq-drop", "engine-hang", "cat-error",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		expect(xe_inject_points[i]);
		expect(!strcmp(xe_inject_points[i], known[i]));
	}
	expect(!xe_inject_points[i]);
}

static const struct tap_test tests[] = {
	{ "g2h-drop", messages_lost },
	{ "g2h-delay keeps the order", messages_late },
	{ "fence-drop takes the fence, not the start", fences_lost },
	{ "fence-delay", fences_late },
	{ "fence-drop of a PIPE_CONTROL", render_fence },
	{ "irq-drop", interrupts_lost },
	{ "engine-hang hangs a context", hang },
	{ "cat-error", bad_memory },
	{ "the list of points", names },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
