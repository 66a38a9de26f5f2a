// SPDX-License-Identifier: GPL-2.0-only
/* The rings of messages: headers, wrapping, flow control, and broken rings. */
#include "tap.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define REQUEST	GUC_HXG_TYPE_REQUEST
#define FAST	GUC_HXG_TYPE_FAST_REQUEST
#define EVENT	GUC_HXG_TYPE_EVENT
#define HEAD	0
#define TAIL	1
#define STATUS	2
#define POLICY	0x0509	/* accepted, has no effect */
#define TLB	0x7000

static struct rig rig;
static uint32_t msg[256];

static void setup(enum rig_where where)
{
	rig_init(&rig, NULL, NULL);
	rig_ctb(&rig, where, 1024, 32768);
}

static void answers(void)
{
	uint16_t fence;

	setup(RIG_RAM);
	fence = rig_send(&rig, REQUEST, POLICY, 1, 2);
	expect_eq(rig_g2h(&rig, msg), 1);
	/* the fence of the request, HXG format, one dword */
	expect_eq(msg[0], (uint32_t)fence << 16 | 1);
	expect_eq(msg[1], 0xf0000000);
	expect_eq(rig_g2h(&rig, msg), 0);

	/* Neither a fast request nor an event is answered. */
	rig_send(&rig, FAST, POLICY, 1, 2);
	rig_send(&rig, EVENT, POLICY, 1, 2);
	expect_eq(rig_g2h(&rig, msg), 0);

	/* Failures: all but events are. */
	fence = rig_send(&rig, REQUEST, 0x1234, 0);
	expect_eq(rig_g2h(&rig, msg), 1);
	expect_eq(msg[0], (uint32_t)fence << 16 | 1);
	expect_eq(msg[1], 0xe0000000 | XE_GUC_RESPONSE_UNKNOWN_ACTION);
	fence = rig_send(&rig, FAST, 0x1234, 0);
	expect_eq(rig_g2h(&rig, msg), 1);
	expect_eq(msg[0], (uint32_t)fence << 16 | 1);
	rig_send(&rig, EVENT, 0x1234, 0);
	expect_eq(rig_g2h(&rig, msg), 0);
	rig_free(&rig);
}

static void sizes(void)
{
	static const struct {
		uint32_t action;
		unsigned int len;
	} actions[] = {
		{ 0x5103, 2 }, { 0x4502, 11 }, { 0x4503, 1 }, { 0x1001, 2 },
		{ 0x1000, 1 }, { 0x7000, 1 }, { 0x7002, 1 }, { 0x6003, 2 },
		{ 0x100b, 1 }, { 0x0509, 1 }, { 0x550e, 1 },
	};
	uint32_t data[16] = { 0 };

	setup(RIG_RAM);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		rig_h2g(&rig, REQUEST, actions[i].action, data,
			actions[i].len - 1);
		rig_doorbell(&rig);
		rig_work(&rig);
		expect_eq(rig_g2h(&rig, msg), 1);
		expect_eq(msg[1], 0xe0000000 | XE_GUC_RESPONSE_INVALID_SIZE);
	}
	expect(rig.vf->guc.ct_enabled);
	rig_free(&rig);
}

static void wrong_origin(void)
{
	const uint32_t raw[] = { 0x00070002, 0x80000000 | POLICY, 1 };

	setup(RIG_RAM);
	rig_h2g_raw(&rig, raw, 3);
	rig_doorbell(&rig);
	rig_work(&rig);
	expect_eq(rig_g2h(&rig, msg), 1);
	expect_eq(msg[0], 0x00070001);
	expect_eq(msg[1], 0xe0000000 | XE_GUC_RESPONSE_ERROR_PROTOCOL);
	rig_free(&rig);
}

static void events(void)
{
	setup(RIG_RAM);
	memset(rig.irq.host, 0, HW_PAGE_SIZE);
	rig_send(&rig, FAST, TLB, 0x55, 3);
	expect_eq(rig_g2h(&rig, msg), 2);
	/* fence 0, two dwords: the driver's credits count them */
	expect_eq(msg[0], 2);
	expect_eq(msg[1], 0x90007001);
	expect_eq(msg[2], 0x55);
	/* A byte of status, the source, the interrupt; byte 0 never. */
	expect_eq(rig.irq.host[0x190], 0);
	expect_eq(rig.irq.host[0x190 + 15], 0xff);
	expect_eq(rig.irq.host[0x419], 0xff);
	expect_eq(rig.vf->pci.msi_lost, 1);

	rig_send(&rig, FAST, 0x7002, 0x56);
	expect(rig_event(&rig, 0x7001, 0x56));
	/* As a request it is answered as well, and first. */
	rig_send(&rig, REQUEST, TLB, 0x57, 3);
	expect_eq(rig_g2h(&rig, msg), 1);
	expect(rig_event(&rig, 0x7001, 0x57));
	rig_free(&rig);
}

static void in_order(void)
{
	uint32_t data[2] = { 0, 3 };

	setup(RIG_RAM);
	/* More than one turn takes. */
	for (data[0] = 1; data[0] <= 200; data[0]++)
		rig_h2g(&rig, FAST, TLB, data, 2);
	rig_doorbell(&rig);
	expect_eq(rig_turn(&rig), 0);
	expect(rig.vf->stats.h2g < 200);
	rig_work(&rig);
	expect_eq(rig.vf->stats.h2g, 200);
	for (data[0] = 1; data[0] <= 200; data[0]++)
		expect(rig_event(&rig, 0x7001, data[0]));
	expect_eq(rig_g2h(&rig, msg), 0);
	rig_free(&rig);
}

/* What the driver does: it clears the rest and goes to 0, without a doorbell. */
static void padding(enum rig_where where)
{
	uint32_t data[2] = { 0, 3 }, zero[4] = { 0 };
	uint32_t n = 0, tail;

	setup(where);
	for (int round = 0; round < 3; round++) {
		/* Messages of four dwords up to two before the end. */
		while (true) {
			tail = rig_dw(&rig.h2g_desc, TAIL);
			if (tail + 4 > 1024 - 2)
				break;
			data[0] = ++n;
			rig_h2g(&rig, FAST, TLB, data, 2);
			rig_doorbell(&rig);
			rig_work(&rig);
		}
		rig_h2g_raw(&rig, zero, 1024 - tail);
		expect_eq(rig_dw(&rig.h2g_desc, TAIL), 0);
		data[0] = ++n;
		rig_h2g(&rig, FAST, TLB, data, 2);
		rig_doorbell(&rig);
		rig_work(&rig);
		expect_eq(rig_dw(&rig.h2g_desc, HEAD), 4);
	}
	for (uint32_t i = 1; i <= n; i++)
		expect(rig_event(&rig, 0x7001, i));
	expect_eq(rig_g2h(&rig, msg), 0);
	expect_eq(rig_dw(&rig.h2g_desc, STATUS), 0);
	rig_free(&rig);
}

static void wrap(void)
{
	padding(RIG_RAM);
	padding(RIG_VRAM);
	padding(RIG_REMOTE);
}

/* Messages of three dwords, each time over the end at another place. */
static void message_across_the_end(void)
{
	uint32_t data[1] = { 0 };

	rig_init(&rig, NULL, NULL);
	rig_ctb(&rig, RIG_RAM, 64, 64);
	for (data[0] = 1; data[0] < 300; data[0]++) {
		rig_h2g(&rig, FAST, TLB, data, 1);
		rig_doorbell(&rig);
		rig_work(&rig);
		expect_eq(rig_dw(&rig.h2g_desc, HEAD),
			  rig_dw(&rig.h2g_desc, TAIL));
		expect(rig_event(&rig, 0x7001, data[0]));
	}
	rig_free(&rig);
}

static void longest(void)
{
	uint32_t data[254] = { 0 };

	setup(RIG_RAM);
	rig_h2g(&rig, REQUEST, POLICY, data, 254);
	rig_doorbell(&rig);
	rig_work(&rig);
	expect_eq(rig_g2h(&rig, msg), 1);
	expect_eq(msg[1], 0xf0000000);
	rig_free(&rig);
}

static void full(void)
{
	uint32_t data[2] = { 0, 3 };
	unsigned int i, sent;

	rig_init(&rig, NULL, NULL);
	rig_ctb(&rig, RIG_RAM, 1024, 64);
	for (i = 1; i <= 60; i++) {
		data[0] = i;
		rig_h2g(&rig, FAST, TLB, data, 2);
	}
	rig_doorbell(&rig);
	/* 63 dwords are room for 21 of three; the rest waits, and asks again. */
	expect_eq(rig_work(&rig), 1);
	expect_eq(rig.vf->stats.g2h, 21);
	expect_eq(rig_turn(&rig), 1);
	expect_eq(rig.vf->stats.g2h, 21);
	for (sent = 1; sent <= 60; sent++) {
		expect(rig_event(&rig, 0x7001, sent));
		rig_turn(&rig);
	}
	expect_eq(rig_g2h(&rig, msg), 0);
	expect_eq(rig_work(&rig), -1);
	expect(rig.vf->guc.ct_enabled);
	rig_free(&rig);
}

/* A driver that never takes anything: the ring ends, not the model. */
static void never_drained(void)
{
	uint32_t data[2] = { 0, 3 };

	rig_init(&rig, NULL, NULL);
	rig_ctb(&rig, RIG_RAM, 1024, 64);
	for (unsigned int i = 0; i < 400; i++) {
		data[0] = i;
		rig_h2g(&rig, FAST, TLB, data, 2);
		rig_doorbell(&rig);
		rig_work(&rig);
	}
	expect(!rig.vf->guc.ct_enabled);
	expect_eq(rig_dw(&rig.g2h_desc, STATUS),
		  GUC_CTB_STATUS_OVERFLOW | GUC_CTB_STATUS_DISABLED);
	expect_eq(rig_work(&rig), -1);
	rig_free(&rig);
}

static void bad_indices(void)
{
	static const struct {
		unsigned int field;
		uint32_t h2g, g2h;
	} bad[] = {
		/* The rings have 1024 and 32768 dwords. */
		{ TAIL, 1024, 32768 }, { TAIL, 0xffffffff, 0xffffffff },
		{ HEAD, 1024, 32768 }, { HEAD, 0x80000000, 0x80000000 },
	};
	const uint32_t status = GUC_CTB_STATUS_OVERFLOW |
				GUC_CTB_STATUS_DISABLED;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		setup(RIG_RAM);
		rig_set_dw(&rig.h2g_desc, bad[i].field, bad[i].h2g);
		rig_doorbell(&rig);
		expect_eq(rig_work(&rig), -1);
		expect(!rig.vf->guc.ct_enabled);
		expect_eq(rig_dw(&rig.h2g_desc, STATUS), status);
		rig_free(&rig);

		/* The same of the other ring, when there is something to send. */
		setup(RIG_RAM);
		rig_set_dw(&rig.g2h_desc, bad[i].field, bad[i].g2h);
		rig_send(&rig, FAST, TLB, 1, 3);
		expect(!rig.vf->guc.ct_enabled);
		expect_eq(rig_dw(&rig.g2h_desc, STATUS), status);
		expect_eq(rig_dw(&rig.h2g_desc, STATUS), 0);
		rig_free(&rig);
	}
}

static void truncated(void)
{
	const uint32_t raw[] = { 0x00010002, FAST << 28 | TLB, 1 };

	setup(RIG_RAM);
	/* All of it: fine. One dword less: not. */
	rig_h2g_raw(&rig, raw, 3);
	rig_doorbell(&rig);
	rig_work(&rig);
	expect(rig_event(&rig, 0x7001, 1));
	rig_h2g_raw(&rig, raw, 2);
	rig_doorbell(&rig);
	rig_work(&rig);
	expect(!rig.vf->guc.ct_enabled);
	expect_eq(rig_dw(&rig.h2g_desc, STATUS),
		  GUC_CTB_STATUS_UNDERFLOW | GUC_CTB_STATUS_DISABLED);
	expect_eq(rig_g2h(&rig, msg), 0);
	rig_free(&rig);
}

/* After an error the driver resets, and all is well again. */
static void enabled_again(void)
{
	uint32_t dw[4] = { GUC_ACTION_HOST2GUC_CONTROL_CTB, 1 };

	setup(RIG_RAM);
	rig_set_dw(&rig.h2g_desc, TAIL, 5000);
	rig_doorbell(&rig);
	rig_work(&rig);
	expect(!rig.vf->guc.ct_enabled);
	memset(rig.h2g_desc.host, 0, 64);
	expect_eq(rig_mailbox(&rig, false, dw), 0xf0000000);
	rig_send(&rig, FAST, TLB, 9, 3);
	expect(rig_event(&rig, 0x7001, 9));
	rig_free(&rig);
}

static void ring_goes_away(void)
{
	setup(RIG_RAM);
	rig_set_pte(&rig, rig.g2h.ggtt, 0);
	rig_send(&rig, FAST, TLB, 1, 3);
	expect(!rig.vf->guc.ct_enabled);
	expect_eq(rig_dw(&rig.g2h_desc, STATUS), GUC_CTB_STATUS_DISABLED);
	rig_free(&rig);

	setup(RIG_RAM);
	rig_set_pte(&rig, rig.h2g_desc.ggtt, 0);
	rig_doorbell(&rig);
	expect_eq(rig_work(&rig), -1);
	expect(!rig.vf->guc.ct_enabled);
	rig_free(&rig);
}

/* The driver moves the rings to VRAM while it probes: entries change. */
static void ring_moves(void)
{
	struct rig_buf moved;

	setup(RIG_RAM);
	rig_send(&rig, FAST, TLB, 1, 3);
	moved = rig_buf(&rig, RIG_VRAM, HW_PAGE_SIZE);
	memcpy(moved.host, rig.h2g.host, HW_PAGE_SIZE);
	rig_set_pte(&rig, rig.h2g.ggtt, moved.addr | XE_GGTT_PTE_DM |
		    XE_PAGE_PRESENT);
	memset(rig.h2g.host, 0xff, HW_PAGE_SIZE);
	rig.h2g.host = moved.host;
	rig_send(&rig, FAST, TLB, 2, 3);
	expect(rig_event(&rig, 0x7001, 1));
	expect(rig_event(&rig, 0x7001, 2));
	rig_free(&rig);
}

static void no_doorbell(void)
{
	uint32_t data[2] = { 1, 3 };

	setup(RIG_RAM);
	rig_h2g(&rig, FAST, TLB, data, 2);
	expect_eq(rig_work(&rig), -1);
	expect_eq(rig_g2h(&rig, msg), 0);
	rig_doorbell(&rig);
	/* Nor is a message handled within the register write. */
	expect_eq(rig_g2h(&rig, msg), 0);
	rig_work(&rig);
	expect(rig_event(&rig, 0x7001, 1));
	rig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "requests are answered, fast ones and events are not", answers },
	{ "messages that are too short are refused", sizes },
	{ "a message that claims to be the firmware's", wrong_origin },
	{ "events: header, length, interrupt", events },
	{ "many messages: several turns, in order", in_order },
	{ "padding at the end, in each kind of memory", wrap },
	{ "a message across the end", message_across_the_end },
	{ "the longest message", longest },
	{ "a full ring is gone on with when there is room", full },
	{ "a ring that nobody empties is given up", never_drained },
	{ "head or tail beyond the end", bad_indices },
	{ "a message longer than what is in the ring", truncated },
	{ "a broken ring can be enabled again", enabled_again },
	{ "rings whose memory goes away", ring_goes_away },
	{ "rings whose memory moves", ring_moves },
	{ "nothing happens without a doorbell, or within it", no_doorbell },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
