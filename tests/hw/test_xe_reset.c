// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset, also at the worst time: while the model waits for the client to copy
 * memory it serves register writes, and one of them may be a VF_RESET.
 */
#include "tap.h"
#include "xe/ctx.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define FAST	GUC_HXG_TYPE_FAST_REQUEST
#define VA	0x100000000ull

static struct rig rig;
static struct rig_ctx ctx;
static struct rig_buf data;
static uint32_t msg[256];

static void setup(enum rig_where rings)
{
	rig_init(&rig, NULL, NULL);
	/* Room for 21 events. */
	rig_ctb(&rig, rings, 1024, 64);
	data = rig_buf(&rig, RIG_RAM, HW_PAGE_SIZE);
}

static uint32_t vf_reset(void)
{
	uint32_t dw[4] = { GUC_ACTION_VF2GUC_VF_RESET };

	return rig_mailbox(&rig, false, dw);
}

static void enable_rings(void)
{
	rig_ctb_enable(&rig);
}

static void endless(struct rig_ctx *on)
{
	EMIT(on, MI_SEMAPHORE_WAIT | MI_SEMW_GGTT | MI_SEMW_POLL |
	     MI_SEMW_COMPARE(SAD_EQ_SDD), 5, LO(data.ggtt), HI(data.ggtt), 0);
	rig_schedule(on);
}

static void drops_everything(void)
{
	uint32_t tlb[2] = { 1, 3 };

	setup(RIG_RAM);
	rig_ctx(&rig, &ctx, 1, GUC_RENDER_CLASS, 1);
	endless(&ctx);
	expect_eq(rig_work(&rig), 1);
	rig_h2g(&rig, FAST, 0x7000, tlb, 2);
	rig_doorbell(&rig);
	expect_eq(vf_reset(), 0xf0000000);
	expect(!xe_ctx_find(rig.vf, 1));
	expect(!rig.vf->guc.ct_enabled);
	for (int i = 0; i < XE_GUC_KLVS; i++)
		expect_eq(rig.vf->guc.self_cfg[i], 0);
	/* Nothing is left to do, and nothing is answered. */
	expect_eq(rig_work(&rig), -1);
	expect_eq(rig_g2h(&rig, msg), 0);
	/* The driver resets twice in a row. */
	expect_eq(vf_reset(), 0xf0000000);
	enable_rings();
	rig_ctx_register(&ctx, GUC_RENDER_CLASS, 1);
	rig_send(&rig, FAST, 0x1001, 1, 1);
	expect(rig_event(&rig, 0x1002, 1));
	rig_free(&rig);
}

static void function_reset(void)
{
	setup(RIG_RAM);
	rig_ctx(&rig, &ctx, 1, GUC_RENDER_CLASS, 1);
	endless(&ctx);
	rig_work(&rig);
	memset(rig.vf->vram + RIG_VRAM_SIZE - 64, 0x77, 64);
	pci_reset(&rig.vf->pci);
	expect(!xe_ctx_find(rig.vf, 1));
	expect_eq(rig_work(&rig), -1);
	for (int i = 0; i < 4; i++)
		expect_eq(rig_read(&rig, VF_SW_FLAG(i).addr), 0);
	/* Memory stays as it was. */
	expect_eq(rig.vf->vram[RIG_VRAM_SIZE - 1], 0x77);
	rig_free(&rig);
}

/* The device after its rings were set up, for one try after the other. */
static struct rig start;

static void setup_tries(enum rig_where rings)
{
	setup(rings);
	start = rig;
}

static void setup_try(void)
{
	rig.on_remote = NULL;
	memcpy(rig.used, start.used, sizeof(rig.used));
	rig.ggtt_next = start.ggtt_next;
	vf_reset();
	enable_rings();
}

/* From here on: something happens at the given access to remote memory. */
static unsigned int happens_at;
static void (*what_happens)(void);
static bool happened;

static void on_remote(struct rig *unused, uint64_t addr, bool write)
{
	(void)unused;
	(void)addr;
	(void)write;
	if (happened || rig.remote_accesses != happens_at)
		return;
	happened = true;
	what_happens();
}

static void expect_at(unsigned int n, void (*what)(void))
{
	happens_at = n;
	what_happens = what;
	happened = false;
	rig.remote_accesses = 0;
	rig.on_remote = on_remote;
}

static void reset_only(void)
{
	vf_reset();
}

/* What another processor of the guest could do in that time. */
static void reset_and_enable(void)
{
	vf_reset();
	enable_rings();
}

static void reset_function(void)
{
	pci_reset(&rig.vf->pci);
}

static void (*const variants[])(void) = {
	reset_only, reset_and_enable, reset_function,
};

/* Whether the device works as if it were new. */
static bool works(void)
{
	struct rig_ctx fresh;

	rig.on_remote = NULL;
	vf_reset();
	enable_rings();
	rig_ctx(&rig, &fresh, 77, GUC_RENDER_CLASS, 1);
	EMIT(&fresh, MI_STORE_DATA_IMM | MI_SDI_GGTT | MI_SDI_NUM_DW(1),
	     LO(data.ggtt + 64), HI(data.ggtt), 0x600d);
	rig_submit(&fresh);
	return rig_idle(&fresh) && rig_dw(&data, 16) == 0x600d &&
	       !rig.vf->current;
}

/* Both rings are remote: at each access of a message and its answer. */
static void in_the_rings(void)
{
	const uint32_t tlb[2] = { 1, 3 };
	unsigned int n;

	setup_tries(RIG_REMOTE);
	for (size_t v = 0; v < ARRAY_SIZE(variants); v++) {
		for (n = 1, happened = true; happened; n++) {
			setup_try();
			expect_at(n, variants[v]);
			rig_h2g(&rig, FAST, 0x7000, tlb, 2);
			rig_h2g(&rig, FAST, 0x7000, tlb, 2);
			rig_doorbell(&rig);
			rig_work(&rig);
			expect(works());
		}
		expect(n > 20);
	}
	rig_free(&rig);
}

/* What was read before a reset is not done after it. */
static void no_message_survives(void)
{
	const uint32_t message[11] = { 1, 5, GUC_RENDER_CLASS, 1 };

	setup_tries(RIG_REMOTE);
	for (size_t v = 0; v < ARRAY_SIZE(variants); v++) {
		/* Descriptor 2, header 1, message 12, the head's write. */
		for (unsigned int n = 1; n <= 16; n++) {
			setup_try();
			expect_at(n, variants[v]);
			rig_h2g(&rig, FAST, XE_GUC_ACTION_REGISTER_CONTEXT,
				message, 11);
			rig_doorbell(&rig);
			rig_work(&rig);
			expect(happened);
			expect(!xe_ctx_find(rig.vf, 5));
			/* The last one is on its way already. */
			if (variants[v] == reset_and_enable && n < 16)
				expect_eq(rig_dw(&rig.h2g_desc, 0), 0);
		}
		/* Without one it is. */
		setup_try();
		rig_h2g(&rig, FAST, XE_GUC_ACTION_REGISTER_CONTEXT, message,
			11);
		rig_doorbell(&rig);
		rig_work(&rig);
		expect(xe_ctx_find(rig.vf, 5));
	}
	rig_free(&rig);
}

/* Events that wait for room, when some is made. */
static void in_a_backlog(void)
{
	uint32_t tlb[2] = { 1, 3 };
	unsigned int n;

	setup_tries(RIG_REMOTE);
	for (size_t v = 0; v < ARRAY_SIZE(variants); v++) {
		for (n = 1, happened = true; happened; n++) {
			setup_try();
			for (tlb[0] = 0; tlb[0] < 30; tlb[0]++)
				rig_h2g(&rig, FAST, 0x7000, tlb, 2);
			rig_doorbell(&rig);
			rig_work(&rig);
			expect_eq(rig.vf->guc.nr_pending, 30 - 21);
			while (rig_g2h(&rig, msg))
				;
			expect_at(n, variants[v]);
			rig_turn(&rig);
			expect_eq(rig.vf->guc.nr_pending, 0);
			expect(works());
		}
		expect(n > 30);
	}
	rig_free(&rig);
}

/* The memory of a context's state becomes remote. */
static struct rig_buf move_image(void)
{
	struct rig_buf remote = rig_buf(&rig, RIG_REMOTE, HW_KIB(256));

	for (uint64_t i = 0; i < ctx.lrc.size; i += HW_PAGE_SIZE)
		rig_set_pte(&rig, ctx.lrc.ggtt + i, (remote.addr + i) |
			    XE_PAGE_PRESENT);
	memcpy(remote.host, ctx.lrc.host, ctx.lrc.size);
	ctx.lrc.host = remote.host;
	return remote;
}

/* Image and data of a context are remote, in the middle of its turn. */
static void in_a_turn(void)
{
	struct rig_buf remote;
	unsigned int n;

	setup_tries(RIG_RAM);
	for (size_t v = 0; v < ARRAY_SIZE(variants); v++) {
		for (n = 1, happened = true; happened; n++) {
			setup_try();
			rig_ctx(&rig, &ctx, 1, GUC_BLITTER_CLASS, 1);
			remote = move_image();
			rig_map(&rig, ctx.root, VA, &remote, true);
			/* Copies in pieces of 64 KiB and a few writes. */
			EMIT(&ctx, MEM_COPY_CMD | 8, HW_KIB(64) - 1, 0, 0, 0,
			     LO(VA + HW_KIB(64)), HI(VA),
			     LO(VA + HW_KIB(128)), HI(VA), 0);
			EMIT(&ctx, MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1),
			     LO(VA + HW_KIB(64)), HI(VA), 1);
			EMIT(&ctx, MI_USER_INTERRUPT);
			expect_at(n, variants[v]);
			rig_submit(&ctx);
			expect(happened == !xe_ctx_find(rig.vf, 1));
			expect(works());
		}
		expect(n > 10);
	}
	rig_free(&rig);
}

/* Reports of faults: they go into a ring that is remote. */
static void in_a_report(void)
{
	/* A CAT error, or a page fault. */
	static const uint32_t spaces[] = { MI_SDI_GGTT, 0 };
	unsigned int n;

	setup_tries(RIG_REMOTE);
	for (size_t v = 0; v < 2 * ARRAY_SIZE(variants); v++) {
		for (n = 1, happened = true; happened; n++) {
			setup_try();
			rig_ctx(&rig, &ctx, 1, GUC_RENDER_CLASS, 1);
			EMIT(&ctx, MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1) |
			     spaces[v & 1], 0x1000, 0, 7);
			expect_at(n, variants[v / 2]);
			rig_submit(&ctx);
			expect(works());
		}
		expect(n > 10);
	}
	rig_free(&rig);
}

/* A context that is stopped saves its image, which is remote. */
static void in_a_stop(void)
{
	unsigned int n;

	setup_tries(RIG_RAM);
	for (size_t v = 0; v < ARRAY_SIZE(variants); v++) {
		for (n = 1, happened = true; happened; n++) {
			setup_try();
			rig_ctx(&rig, &ctx, 1, GUC_RENDER_CLASS, 1);
			endless(&ctx);
			rig_work(&rig);
			move_image();
			expect_at(n, variants[v]);
			rig_send(&rig, FAST, 0x1001, 1, 0);
			expect(works());
		}
		expect(n > 3);
	}
	rig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "VF_RESET drops rings, contexts and work", drops_everything },
	{ "so does a reset of the function", function_reset },
	{ "reset while a message is read or written", in_the_rings },
	{ "no message survives it", no_message_survives },
	{ "reset while events wait for room", in_a_backlog },
	{ "reset while a context has its turn", in_a_turn },
	{ "reset while a fault is reported", in_a_report },
	{ "reset while a context is stopped", in_a_stop },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
