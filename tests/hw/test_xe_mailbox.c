// SPDX-License-Identifier: GPL-2.0-only
/* The mailbox: every header bit by bit, as the driver's parser sees it. */
#include "tap.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define SUCCESS		0xf0000000u
#define FAILURE(error)	(0xe0000000u | (error))

static void versions(void)
{
	struct rig rig;
	uint32_t dw[4] = { 0x5500, 0x00010200 };

	rig_init(&rig, NULL, NULL);
	for (int media = 0; media < 2; media++) {
		dw[0] = 0x5500;
		dw[1] = 0x00010200;
		expect_eq(rig_mailbox(&rig, media, dw), SUCCESS);
		/* branch 0, 1.2, no patch */
		expect_eq(dw[1], 0x00010200);
		/* A driver that asks for any version gets the same one. */
		dw[0] = 0x5500;
		dw[1] = 0;
		expect_eq(rig_mailbox(&rig, media, dw), SUCCESS);
		expect_eq(dw[1], 0x00010200);
	}
	rig_free(&rig);
}

static void header_bits(void)
{
	struct rig rig;
	uint32_t dw[4] = { 0x5507 };

	rig_init(&rig, NULL, NULL);
	rig_mailbox(&rig, false, dw);
	expect_eq(FIELD_GET(GUC_HXG_MSG_0_ORIGIN, dw[0]), GUC_HXG_ORIGIN_GUC);
	expect_eq(FIELD_GET(GUC_HXG_MSG_0_TYPE, dw[0]),
		  GUC_HXG_TYPE_RESPONSE_SUCCESS);
	expect_eq(FIELD_GET(GUC_HXG_RESPONSE_MSG_0_DATA0, dw[0]), 0);

	dw[0] = 0x1234;
	rig_mailbox(&rig, false, dw);
	expect_eq(FIELD_GET(GUC_HXG_MSG_0_ORIGIN, dw[0]), GUC_HXG_ORIGIN_GUC);
	expect_eq(FIELD_GET(GUC_HXG_MSG_0_TYPE, dw[0]),
		  GUC_HXG_TYPE_RESPONSE_FAILURE);
	expect_eq(FIELD_GET(GUC_HXG_FAILURE_MSG_0_HINT, dw[0]), 0);
	expect_eq(FIELD_GET(GUC_HXG_FAILURE_MSG_0_ERROR, dw[0]),
		  XE_GUC_RESPONSE_UNKNOWN_ACTION);
	rig_free(&rig);
}

static void keys(void)
{
	static const struct {
		uint32_t key;
		unsigned int len;
		uint64_t value;
	} table[] = {
		{ 0x0001, 2, HW_MIB(256) }, { 0x0002, 2, HW_MIB(3584) },
		{ 0x0003, 2, RIG_VRAM_SIZE }, { 0x0004, 1, 32768 },
		{ 0x0006, 1, 256 }, { 0x3000, 1, 0x05004004 },
	};
	struct rig rig;
	uint32_t dw[4];
	size_t i;

	rig_init(&rig, NULL, NULL);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		memcpy(dw, (uint32_t[4]){ 0x5509, table[i].key, 0xaaaa, 0xbbbb },
		       sizeof(dw));
		expect_eq(rig_mailbox(&rig, false, dw), SUCCESS | table[i].len);
		expect_eq(dw[1], LO(table[i].value));
		expect_eq(dw[2], table[i].len == 2 ? HI(table[i].value) :
						     0xaaaa);
		expect_eq(dw[3], 0xbbbb);
	}
	/* One key past each: not "0", which the driver would believe. */
	for (i = 0; i < 4; i++) {
		static const uint32_t none[] = { 0, 0x0005, 0x0007, 0x3001 };

		memcpy(dw, (uint32_t[4]){ 0x5509, none[i] }, sizeof(dw));
		expect_eq(rig_mailbox(&rig, false, dw),
			  FAILURE(XE_GUC_RESPONSE_NOT_SUPPORTED));
	}
	/* The media GT is fused off: it answers, and says version 0. */
	memcpy(dw, (uint32_t[4]){ 0x5509, 0x3000, 5 }, sizeof(dw));
	expect_eq(rig_mailbox(&rig, true, dw), SUCCESS | 1);
	expect_eq(dw[1], 0);
	rig_free(&rig);
}

static void configured_keys(void)
{
	struct xe_config config = rig_config;
	struct rig rig;
	uint32_t dw[4] = { 0x5509, 0x0003 };

	config.vram = HW_MIB(6);
	config.contexts = 1000;
	rig_init(&rig, &config, NULL);
	rig_mailbox(&rig, false, dw);
	expect_eq(dw[1], HW_MIB(6));
	/* The BAR has to be a power of two, the memory does not. */
	expect_eq(rig.vf->pci.bar[XE_BAR_LMEM].size, HW_MIB(8));
	memcpy(dw, (uint32_t[4]){ 0x5509, 0x0004 }, sizeof(dw));
	rig_mailbox(&rig, false, dw);
	expect_eq(dw[1], 1000);
	rig_free(&rig);
}

static void self_config(void)
{
	struct rig rig;
	uint32_t dw[4];
	uint32_t key;

	rig_init(&rig, NULL, NULL);
	for (key = 0x0900; key < 0x0908; key++) {
		/* The answer is the number of keys that were taken. */
		expect_eq(rig_self_cfg(&rig, key, 0x123456789ull + key),
			  SUCCESS | 1);
		expect_eq(rig.vf->guc.self_cfg[key - 0x0900],
			  0x123456789ull + key);
	}
	/* One dword of value: the second is not looked at. */
	memcpy(dw, (uint32_t[4]){ 0x0508, 0x09040001, 0x1000, 0xffff },
	       sizeof(dw));
	expect_eq(rig_mailbox(&rig, false, dw), SUCCESS | 1);
	expect_eq(rig.vf->guc.self_cfg[4], 0x1000);
	expect_eq(rig_self_cfg(&rig, 0x08ff, 1),
		  FAILURE(XE_GUC_RESPONSE_NOT_SUPPORTED));
	expect_eq(rig_self_cfg(&rig, 0x0908, 1),
		  FAILURE(XE_GUC_RESPONSE_NOT_SUPPORTED));
	rig_free(&rig);
}

static void hwconfig(void)
{
	struct rig_buf buf;
	struct rig rig;
	uint32_t dw[4] = { 0x4100 };
	uint32_t bytes, at;
	bool slices = false, subslices = false;

	rig_init(&rig, NULL, NULL);
	buf = rig_buf(&rig, RIG_RAM, HW_PAGE_SIZE);
	memset(buf.host, 0xee, HW_PAGE_SIZE);
	bytes = rig_mailbox(&rig, false, dw) & 0xfffffff;
	expect_eq(dw[0] & 0xf0000000, SUCCESS);
	expect(bytes && bytes % 4 == 0 && bytes < HW_PAGE_SIZE);
	expect_eq(buf.host[0], 0xee);

	memcpy(dw, (uint32_t[4]){ 0x4100, LO(buf.ggtt), HI(buf.ggtt), bytes },
	       sizeof(dw));
	expect_eq(rig_mailbox(&rig, false, dw), SUCCESS | bytes);
	expect_eq(buf.host[bytes], 0xee);
	/* Keys, lengths and values fill it to the last dword. */
	for (at = 0; at < bytes / 4; at += 2 + rig_dw(&buf, at + 1)) {
		slices |= rig_dw(&buf, at) == 1;
		subslices |= rig_dw(&buf, at) == 70;
		expect_eq(rig_dw(&buf, at + 1), 1);
	}
	expect_eq(at, bytes / 4);
	expect(slices && subslices);

	/* Less room: no more than that is written. */
	memset(buf.host, 0xee, HW_PAGE_SIZE);
	memcpy(dw, (uint32_t[4]){ 0x4100, LO(buf.ggtt), HI(buf.ggtt), 8 },
	       sizeof(dw));
	expect_eq(rig_mailbox(&rig, false, dw), SUCCESS | bytes);
	expect_eq(rig_dw(&buf, 0), 1);
	expect_eq(buf.host[8], 0xee);

	/* An address that leads nowhere. */
	memcpy(dw, (uint32_t[4]){ 0x4100, 0x1000, 0, bytes }, sizeof(dw));
	expect_eq(rig_mailbox(&rig, false, dw),
		  FAILURE(XE_GUC_RESPONSE_INVALID_PARAMS));
	rig_free(&rig);
}

static void control(void)
{
	struct rig rig;
	uint32_t dw[4] = { 0x4509, 1 };

	rig_init(&rig, NULL, NULL);
	/* No addresses yet. */
	expect_eq(rig_mailbox(&rig, false, dw),
		  FAILURE(XE_GUC_RESPONSE_INVALID_PARAMS));
	expect(!rig.vf->guc.ct_enabled);
	rig_ctb(&rig, RIG_RAM, 1024, 1024);
	expect(rig.vf->guc.ct_enabled);
	memcpy(dw, (uint32_t[4]){ 0x4509, 0 }, sizeof(dw));
	expect_eq(rig_mailbox(&rig, false, dw), SUCCESS);
	expect(!rig.vf->guc.ct_enabled);

	/* Sizes that are no rings: 63 dwords, more than 4 MiB. */
	for (int i = 0; i < 2; i++) {
		rig_self_cfg(&rig, 0x0904, i ? HW_MIB(4) + 4 : 4 * 63);
		memcpy(dw, (uint32_t[4]){ 0x4509, 1 }, sizeof(dw));
		expect_eq(rig_mailbox(&rig, false, dw),
			  FAILURE(XE_GUC_RESPONSE_INVALID_PARAMS));
	}
	rig_self_cfg(&rig, 0x0904, 4 * 64);
	memcpy(dw, (uint32_t[4]){ 0x4509, 1 }, sizeof(dw));
	expect_eq(rig_mailbox(&rig, false, dw), SUCCESS);
	rig_free(&rig);
}

/* A doorbell with an answer in the mailbox is for the rings. */
static void one_doorbell(void)
{
	struct rig rig;
	uint32_t dw[4] = { 0x5500, 0 };

	rig_init(&rig, NULL, NULL);
	rig_ctb(&rig, RIG_RAM, 1024, 1024);
	expect(!rig.vf->guc.kicked);
	expect_eq(rig_read(&rig, VF_SW_FLAG(0).addr) >> 31, 1);
	rig_doorbell(&rig);
	expect(rig.vf->guc.kicked);
	rig_work(&rig);
	expect(!rig.vf->guc.kicked);
	/* A request is not. */
	rig_mailbox(&rig, false, dw);
	expect(!rig.vf->guc.kicked);
	/* Nor is the other GuC's doorbell. */
	rig_write(&rig, MED_GUC_HOST_INTERRUPT.addr, 1);
	expect(!rig.vf->guc.kicked);
	/* An empty mailbox is no request either. */
	rig_write(&rig, VF_SW_FLAG(0).addr, 0);
	rig_doorbell(&rig);
	expect(rig.vf->guc.kicked);
	rig_free(&rig);
}

static void media_is_apart(void)
{
	struct rig_ctx ctx;
	struct rig rig;
	uint32_t dw[4] = { 0x5507 };

	rig_init(&rig, NULL, NULL);
	rig_ctb(&rig, RIG_RAM, 1024, 1024);
	rig_ctx(&rig, &ctx, 1, GUC_RENDER_CLASS, 1);
	expect_eq(rig_mailbox(&rig, true, dw), SUCCESS);
	expect(rig.vf->guc.ct_enabled && rig.vf->context[1]);
	memcpy(dw, (uint32_t[4]){ 0x5507 }, sizeof(dw));
	expect_eq(rig_mailbox(&rig, false, dw), SUCCESS);
	expect(!rig.vf->guc.ct_enabled && !rig.vf->context[1]);
	rig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "MATCH_VERSION always answers 1.2.0", versions },
	{ "headers of answers, field by field", header_bits },
	{ "keys, their lengths and values, and unknown ones", keys },
	{ "keys follow the options", configured_keys },
	{ "SELF_CFG takes eight keys", self_config },
	{ "GET_HWCONFIG: size, table, short room, bad address", hwconfig },
	{ "CONTROL_CTB wants rings", control },
	{ "one doorbell for mailbox and rings", one_doorbell },
	{ "the media GuC has nothing to do with the other", media_is_apart },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
