// SPDX-License-Identifier: GPL-2.0-only
/* What the driver says to the physical function, through the firmware. */
#include "tap.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define RELAY		XE_GUC_ACTION_VF2GUC_RELAY_TO_PF
#define FAILED(error)	(0x60000000u | (error))

static struct rig rig;
static uint32_t msg[256];

/* Sends and takes the acknowledgement and the answer; its dwords after the id. */
static unsigned int relay(uint32_t id, const uint32_t *inner, unsigned int n)
{
	uint32_t data[64] = { id };
	unsigned int len;
	uint16_t fence;

	memcpy(&data[1], inner, 4 * n);
	fence = rig_h2g(&rig, GUC_HXG_TYPE_REQUEST, RELAY, data, n + 1);
	rig_doorbell(&rig);
	rig_work(&rig);
	if (rig_g2h(&rig, msg) != 1 || msg[0] != ((uint32_t)fence << 16 | 1) ||
	    msg[1] != 0xf0000000)
		return 0;
	len = rig_g2h(&rig, msg);
	if (len < 3 || msg[1] != 0x90005102 || msg[2] != id || msg[0] >> 16)
		return 0;
	return len - 2;
}

static void setup(void)
{
	rig_init(&rig, NULL, NULL);
	rig_ctb(&rig, RIG_RAM, 1024, 32768);
}

static void handshake(void)
{
	setup();
	expect_eq(relay(1, (uint32_t[]){ 0x0001, 0x00010000 }, 2), 2);
	/* origin host, success, then the version: 1.0 */
	expect_eq(msg[3], 0x70000000);
	expect_eq(msg[4], 0x00010000);
	/* Any version, and a later one. */
	expect_eq(relay(2, (uint32_t[]){ 0x0001, 0 }, 2), 2);
	expect_eq(msg[4], 0x00010000);
	expect_eq(relay(0xffffffff, (uint32_t[]){ 0x0001, 0x00020007 }, 2), 2);
	expect_eq(msg[4], 0x00010000);
	/* Wrong lengths. */
	expect_eq(relay(3, (uint32_t[]){ 0x0001 }, 1), 1);
	expect_eq(msg[3], FAILED(GUC_RELAY_ERROR_MESSAGE_SIZE));
	expect_eq(relay(3, (uint32_t[]){ 0x0001, 0, 0 }, 3), 1);
	expect_eq(msg[3], FAILED(GUC_RELAY_ERROR_MESSAGE_SIZE));
	rig_free(&rig);
}

static void runtime(void)
{
	unsigned int n = xe_runtime_registers(), i, start;
	uint32_t offset, value;

	setup();
	/* All of them fit into one message. */
	expect_eq(relay(1, (uint32_t[]){ 0x0101 | 16 << 16, 0 }, 2),
		  2 + 2 * n);
	expect_eq(msg[3], 0x70000000 | n);
	expect_eq(msg[4], 0);
	for (i = 0; i < n; i++) {
		value = xe_runtime_register(rig.vf, i, &offset);
		expect_eq(msg[5 + 2 * i], offset);
		expect_eq(msg[6 + 2 * i], value);
		if (i)
			expect(offset > msg[3 + 2 * i]);
	}
	/* Without a limit, and in pieces of four. */
	expect_eq(relay(2, (uint32_t[]){ 0x0101, 0 }, 2), 2 + 2 * n);
	for (start = 0; start < n; start += 4) {
		unsigned int count = hw_min(n - start, 4u);

		expect_eq(relay(3, (uint32_t[]){ 0x0101 | 4 << 16, start }, 2),
			  2 + 2 * count);
		expect_eq(msg[3], 0x70000000 | count);
		expect_eq(msg[4], n - start - count);
		xe_runtime_register(rig.vf, start, &offset);
		expect_eq(msg[5], offset);
	}
	/* From the end there is nothing, beyond it an error. */
	expect_eq(relay(4, (uint32_t[]){ 0x0101, n }, 2), 2);
	expect_eq(msg[3], 0x70000000);
	expect_eq(msg[4], 0);
	expect_eq(relay(5, (uint32_t[]){ 0x0101, n + 1 }, 2), 1);
	expect_eq(msg[3], FAILED(GUC_RELAY_ERROR_NO_DATA_AVAILABLE));
	expect_eq(relay(5, (uint32_t[]){ 0x0101, 0xffffffff }, 2), 1);
	expect_eq(msg[3], FAILED(GUC_RELAY_ERROR_NO_DATA_AVAILABLE));
	expect_eq(relay(6, (uint32_t[]){ 0x0101 }, 1), 1);
	expect_eq(msg[3], FAILED(GUC_RELAY_ERROR_MESSAGE_SIZE));
	rig_free(&rig);
}

static void unknown(void)
{
	setup();
	expect_eq(relay(7, (uint32_t[]){ 0x0002, 1, 2 }, 3), 1);
	expect_eq(msg[3], FAILED(GUC_RELAY_ERROR_INVALID_REQUEST_CODE));
	/* Not even a request in it: refused, and nothing is relayed. */
	rig_send(&rig, GUC_HXG_TYPE_REQUEST, RELAY, 8);
	expect_eq(rig_g2h(&rig, msg), 1);
	expect_eq(msg[1], 0xe0000000 | XE_GUC_RESPONSE_INVALID_SIZE);
	expect_eq(rig_g2h(&rig, msg), 0);
	rig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "handshake", handshake },
	{ "runtime registers, whole and in pieces", runtime },
	{ "what the physical function does not know", unknown },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
