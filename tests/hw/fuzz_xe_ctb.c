// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes as what a driver does to the firmware's rings. An input is a byte of
 * options and then steps: a byte that says which, and what it needs. Rings may
 * be in memory that only messages reach, and then a step may be done within
 * such a message: that is when a reset hurts most.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzzer.h"
#include "xe/ctx.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define WHERE		0x03	/* option: the rings' memory */
#define SMALL_G2H	0x04
#define CONTEXT		0x08	/* there is one, with a ring of commands */

#define H2G_DWORDS	256
#define MAX_STEPS	64
#define MAX_TURNS	128

enum step {
	STEP_MESSAGE,	/* action, type, fence, length, data of two bytes each */
	STEP_RAW,	/* length, dwords as they are */
	STEP_DOORBELL,	/* and turns */
	STEP_DRAIN,	/* the driver takes what it got */
	STEP_INDEX,	/* which of the four, value of two bytes */
	STEP_MAILBOX,	/* action, three values of two bytes */
	STEP_PTE,	/* which page, what instead */
	STEP_IMAGE,	/* a dword of the context's image */
	STEP_NESTED,	/* the next step is done in so many remote accesses */
	STEP_RESET,	/* of the function */
	STEPS
};

static const uint16_t actions[] = {
	XE_GUC_ACTION_VF2GUC_RELAY_TO_PF, XE_GUC_ACTION_REGISTER_CONTEXT,
	XE_GUC_ACTION_DEREGISTER_CONTEXT, XE_GUC_ACTION_SCHED_CONTEXT_MODE_SET,
	XE_GUC_ACTION_SCHED_CONTEXT, XE_GUC_ACTION_TLB_INVALIDATION,
	XE_GUC_ACTION_TLB_INVALIDATION_ALL, XE_GUC_ACTION_PAGE_FAULT_RES_DESC,
	XE_GUC_ACTION_HOST2GUC_UPDATE_CONTEXT_POLICIES,
	XE_GUC_ACTION_UPDATE_SCHEDULING_POLICIES_KLV,
	XE_GUC_ACTION_OPT_IN_FEATURE_KLV, 0x1234,
};

static const uint16_t mailbox_actions[] = {
	GUC_ACTION_VF2GUC_VF_RESET, GUC_ACTION_VF2GUC_MATCH_VERSION,
	GUC_ACTION_VF2GUC_QUERY_SINGLE_KLV, GUC_ACTION_HOST2GUC_SELF_CFG,
	GUC_ACTION_HOST2GUC_CONTROL_CTB, XE_GUC_ACTION_GET_HWCONFIG, 0x4321,
};

struct input {
	const uint8_t *at, *end;
};

static struct rig rig, start;
static struct rig_ctx ctx;
static struct rig_buf pool[3];		/* where contexts may claim to be */
static struct input *nested_input;
static unsigned int nested_in;

/* What the corpus came to, for fuzz_missing(). */
static bool answered[ARRAY_SIZE(actions)], mailed[ARRAY_SIZE(mailbox_actions)];
static bool broke, relayed, nested, overflowed, ran, enabled_again;

static unsigned int byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static uint32_t word(struct input *in)
{
	uint32_t low = byte(in);

	return low | byte(in) << 8;
}

static uint32_t dword(struct input *in)
{
	uint32_t low = word(in);

	return low | word(in) << 16;
}

/* Two bytes that are an address of the pool, more often than not. */
static uint32_t value(struct input *in)
{
	uint32_t two = word(in);

	return two & 0x8000 ? pool[two >> 13 & 1].ggtt + (two & 0x1fff) : two;
}

static void message(struct input *in)
{
	unsigned int which = byte(in) % ARRAY_SIZE(actions), len, i;
	uint32_t type = byte(in) & 7, data[256];

	rig.fence = byte(in);
	len = byte(in);
	for (i = 0; i < len; i++)
		data[i] = value(in);
	rig_h2g(&rig, type, actions[which], data, len % 255);
	answered[which] = true;
}

static void raw(struct input *in)
{
	uint32_t data[64];
	unsigned int len = byte(in) % ARRAY_SIZE(data), i;

	for (i = 0; i < len; i++)
		data[i] = dword(in);
	rig_h2g_raw(&rig, data, len);
}

static void turns(struct input *in)
{
	unsigned int n = byte(in) % 16;

	rig_doorbell(&rig);
	while (n-- && !rig_turn(&rig))
		;
	broke |= rig_dw(&rig.h2g_desc, 2) != 0;
	overflowed |= rig_dw(&rig.g2h_desc, 2) & GUC_CTB_STATUS_OVERFLOW;
}

/* What is there must be whole messages of the firmware's. */
static void drain(void)
{
	uint32_t msg[256];
	unsigned int n;

	if (rig_dw(&rig.g2h_desc, 0) >= rig.g2h_dwords ||
	    rig_dw(&rig.g2h_desc, 1) >= rig.g2h_dwords)
		return;
	for (n = 0; n < 4096 && rig_g2h(&rig, msg); n++)
		relayed |= msg[1] == 0x90005102;
}

static void set_index(struct input *in)
{
	unsigned int which = byte(in);

	rig_set_dw(which & 1 ? &rig.h2g_desc : &rig.g2h_desc, which >> 1 & 1,
		   word(in) << (which >> 2 & 16));
}

static void enable_rings(void)
{
	rig_self_cfg(&rig, 0x0900, rig.irq.ggtt + 0x190);
	rig_self_cfg(&rig, 0x0901, rig.irq.ggtt + 0x419);
	rig_ctb_enable(&rig);
}

static void mail(struct input *in)
{
	unsigned int which = byte(in);
	uint32_t dw[4];

	/* One that works, since a fuzzer would not find all of it by chance. */
	if (which == 0xff) {
		enable_rings();
		enabled_again = true;
		return;
	}
	dw[0] = mailbox_actions[which % ARRAY_SIZE(mailbox_actions)];
	mailed[which % ARRAY_SIZE(mailbox_actions)] = true;
	dw[1] = word(in);
	if (dw[0] == GUC_ACTION_HOST2GUC_SELF_CFG)
		dw[1] = (0x0900 | (dw[1] & 0xf)) << 16 | 2;
	dw[2] = value(in);
	dw[3] = word(in);
	rig_mailbox(&rig, which & 0x80, dw);
}

static void set_pte(struct input *in)
{
	unsigned int page = byte(in) % 64;
	unsigned int kind = byte(in);

	rig_set_pte(&rig, RIG_GGTT_START + page * HW_PAGE_SIZE,
		    kind < 16 ? 0 : (kind & 0xf0ull) << 12 | (kind & 3));
}

static bool step(struct input *in)
{
	if (in->at == in->end)
		return false;
	switch ((enum step)(byte(in) % STEPS)) {
	case STEP_MESSAGE:
		message(in);
		break;
	case STEP_RAW:
		raw(in);
		break;
	case STEP_DOORBELL:
		/* Never within itself: pci_ops.work is not called so. */
		if (!nested_input)
			turns(in);
		break;
	case STEP_DRAIN:
		drain();
		break;
	case STEP_INDEX:
		set_index(in);
		break;
	case STEP_MAILBOX:
		mail(in);
		break;
	case STEP_PTE:
		set_pte(in);
		break;
	case STEP_IMAGE:
		rig_set_dw(&pool[0], byte(in) % 128 + 1024, value(in));
		break;
	case STEP_NESTED:
		nested_in = byte(in);
		break;
	case STEP_RESET:
		pci_reset(&rig.vf->pci);
		break;
	case STEPS:
		break;
	}
	return true;
}

static struct input all;

static void on_remote(struct rig *unused, uint64_t addr, bool write)
{
	(void)unused;
	(void)addr;
	(void)write;
	if (!nested_in || --nested_in || nested_input)
		return;
	nested_input = &all;
	nested = true;
	step(&all);
	step(&all);
	nested_input = NULL;
}

static void setup(void)
{
	struct xe_config config = rig_config;

	config.vram = HW_MIB(2);
	rig_init(&rig, &config, NULL);
	rig.on_remote = on_remote;
	for (int i = 0; i < 3; i++)
		pool[i] = rig_buf(&rig, i, 4 * HW_PAGE_SIZE);
	start = rig;
}

static void restart(unsigned int options)
{
	static const enum rig_where where[] = { RIG_RAM, RIG_VRAM, RIG_REMOTE,
						RIG_REMOTE };

	nested_in = 0;
	rig.fence = 0;
	memcpy(rig.used, start.used, sizeof(rig.used));
	pci_reset(&rig.vf->pci);
	/* What set_pte() may have changed. */
	for (unsigned int i = 0; i < 80; i++)
		rig_set_pte(&rig, RIG_GGTT_START + i * HW_PAGE_SIZE, 0);
	rig.ggtt_next = RIG_GGTT_START;
	memset(rig.used, 0, sizeof(rig.used));
	for (int i = 0; i < 3; i++)
		pool[i] = rig_buf(&rig, i, 4 * HW_PAGE_SIZE);
	rig_ctb(&rig, where[options & WHERE], H2G_DWORDS,
		options & SMALL_G2H ? 64 : 1024);
}

static void add_context(void)
{
	rig_ctx_make(&rig, &ctx, 1);
	rig_ctx_register(&ctx, GUC_RENDER_CLASS, 1);
	/* A semaphore, an access that fails, an interrupt. */
	EMIT(&ctx, MI_STORE_DATA_IMM | MI_SDI_GGTT | MI_SDI_NUM_DW(1),
	     LO(pool[1].ggtt), 0, 1, MI_SEMAPHORE_WAIT | MI_SEMW_GGTT |
	     MI_SEMW_COMPARE(SAD_EQ_SDD), 2, LO(pool[1].ggtt), 0, 0,
	     MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1), 0x1000, 0, 1,
	     MI_USER_INTERRUPT);
	rig_set_image(&ctx, CTX_RING_TAIL, ctx.tail & ~7u);
}

/* Whatever the input before did, who starts anew finds a device that works. */
static void check(void)
{
	const uint32_t tlb[2] = { 0x7e57, 3 };
	uint32_t msg[256];

	rig_h2g(&rig, GUC_HXG_TYPE_FAST_REQUEST, 0x7000, tlb, 2);
	rig_doorbell(&rig);
	rig_work(&rig);
	if (rig_g2h(&rig, msg) != 2 || msg[1] != 0x90007001 ||
	    msg[2] != 0x7e57 || rig.vf->current || rig.vf->runq) {
		fprintf(stderr, "the device does not work any more\n");
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int n = 0;

	if (!rig.vf)
		setup();
	if (!size)
		return 0;
	restart(data[0]);
	check();
	if (data[0] & CONTEXT)
		add_context();
	all = (struct input){ data + 1, data + size };
	while (n++ < MAX_STEPS && step(&all))
		;
	ran |= rig_dw(&pool[1], 0) == 1;
	for (n = 0; n < MAX_TURNS && !rig_turn(&rig); n++)
		;
	return 0;
}

const char *fuzz_missing(void)
{
	static char text[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!answered[i]) {
			snprintf(text, sizeof(text), "action %#x", actions[i]);
			return text;
		}
	}
	for (i = 0; i < ARRAY_SIZE(mailbox_actions); i++) {
		if (!mailed[i]) {
			snprintf(text, sizeof(text), "mailbox action %#x",
				 mailbox_actions[i]);
			return text;
		}
	}
	return !broke ? "a broken ring" : !relayed ? "an answer of the PF" :
	       !nested ? "a step within a message" :
	       !overflowed ? "a full ring" : !ran ? "a context that runs" :
	       !enabled_again ? "rings enabled twice" : NULL;
}
