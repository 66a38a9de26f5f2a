// SPDX-License-Identifier: MIT
/*
 * The mailbox. The driver writes up to four dwords to the software flags, rings,
 * and polls the first flag until the origin bit says that it holds the answer. All
 * answers are immediate, which real firmware's are not: a driver that did not poll
 * would not be noticed here.
 */
#include <string.h>

#include "xe/ctx.h"
#include "xe/driver.h"
#include "xe/hxg.h"
#include "xe/xe.h"

#define XE_GUC_VERSION_MAJOR	1
#define XE_GUC_VERSION_MINOR	2

static uint32_t success(uint32_t data0)
{
	return hxg_success(GUC_HXG_ORIGIN_GUC, data0);
}

static uint32_t failure(uint32_t error)
{
	return hxg_failure(GUC_HXG_ORIGIN_GUC, error);
}

static const char *name(const struct xe_guc *guc)
{
	return guc->media ? "media GuC" : "GuC";
}

void xe_guc_init(struct xe_guc *guc, struct xe_vf *vf, bool media)
{
	memset(guc, 0, sizeof(*guc));
	guc->vf = vf;
	guc->media = media;
}

void xe_guc_reset(struct xe_guc *guc)
{
	xe_guc_ct_enable(guc, false);
	memset(guc->self_cfg, 0, sizeof(guc->self_cfg));
	guc->nr_pending = 0;
	if (!guc->media)
		xe_ctx_destroy_all(guc->vf);
}

static void match_version(struct xe_guc *guc, uint32_t *sw)
{
	uint32_t wanted = sw[1];

	sw[0] = success(0);
	sw[1] = FIELD_PREP(VF2GUC_MATCH_VERSION_RESPONSE_MSG_1_MAJOR,
			   XE_GUC_VERSION_MAJOR) |
		FIELD_PREP(VF2GUC_MATCH_VERSION_RESPONSE_MSG_1_MINOR,
			   XE_GUC_VERSION_MINOR);
	trace(TRACE_MSG, "%s mailbox VF2GUC_MATCH_VERSION %#x -> %#x",
	      name(guc), wanted, sw[1]);
}

static void query_klv(struct xe_guc *guc, uint32_t *sw)
{
	uint32_t key = FIELD_GET(VF2GUC_QUERY_SINGLE_KLV_REQUEST_MSG_1_KEY,
				 sw[1]);
	uint32_t value[3] = { 0 };
	unsigned int len;

	if (xe_guc_klv(guc, key, value, &len)) {
		trace(TRACE_MSG, "%s mailbox QUERY_SINGLE_KLV %#x: unknown",
		      name(guc), key);
		sw[0] = failure(XE_GUC_RESPONSE_NOT_SUPPORTED);
		return;
	}
	sw[0] = success(FIELD_PREP(
		VF2GUC_QUERY_SINGLE_KLV_RESPONSE_MSG_0_LENGTH, len));
	memcpy(&sw[1], value, len * sizeof(*value));
	trace(TRACE_MSG, "%s mailbox QUERY_SINGLE_KLV %s -> %#x %#x", name(guc),
	      xe_guc_klv_name(key), value[0], value[1]);
}

static void self_cfg(struct xe_guc *guc, uint32_t *sw)
{
	uint32_t key = FIELD_GET(HOST2GUC_SELF_CFG_REQUEST_MSG_1_KLV_KEY, sw[1]);
	uint32_t len = FIELD_GET(HOST2GUC_SELF_CFG_REQUEST_MSG_1_KLV_LEN, sw[1]);
	uint64_t value = lo_hi(sw[2], len == 2 ? sw[3] : 0);

	trace(TRACE_MSG, "%s mailbox SELF_CFG %s = %#llx", name(guc),
	      xe_guc_klv_name(key), (unsigned long long)value);
	if (xe_guc_self_cfg(guc, key, value))
		sw[0] = failure(XE_GUC_RESPONSE_NOT_SUPPORTED);
	else
		sw[0] = success(1);	/* one KLV was taken */
}

static void control_ctb(struct xe_guc *guc, uint32_t *sw)
{
	bool enable = sw[1];

	trace(TRACE_MSG, "%s mailbox CONTROL_CTB %u", name(guc), enable);
	sw[0] = xe_guc_ct_enable(guc, enable) ?
			success(0) : failure(XE_GUC_RESPONSE_INVALID_PARAMS);
}

static void get_hwconfig(struct xe_guc *guc, uint32_t *sw)
{
	struct xe_as ggtt = { .vf = guc->vf, .ggtt = true };
	uint64_t address = lo_hi(sw[1], sw[2]);
	uint32_t room = sw[3];
	const uint32_t *table;
	size_t bytes;

	table = xe_guc_hwconfig(&bytes);
	trace(TRACE_MSG, "%s mailbox GET_HWCONFIG to %#llx+%#x -> %zu bytes",
	      name(guc), (unsigned long long)address, room, bytes);
	sw[0] = success(bytes);
	if (room && xe_as_write(&ggtt, address, table, hw_min(bytes, room)))
		sw[0] = failure(XE_GUC_RESPONSE_INVALID_PARAMS);
}

static void mailbox(struct xe_guc *guc)
{
	uint32_t *sw = guc->sw_flag;
	uint32_t action = FIELD_GET(GUC_HXG_REQUEST_MSG_0_ACTION, sw[0]);

	switch (action) {
	case GUC_ACTION_VF2GUC_VF_RESET:
		trace(TRACE_MSG, "%s mailbox VF2GUC_VF_RESET", name(guc));
		xe_guc_reset(guc);
		sw[0] = success(0);
		break;
	case GUC_ACTION_VF2GUC_MATCH_VERSION:
		match_version(guc, sw);
		break;
	case GUC_ACTION_VF2GUC_QUERY_SINGLE_KLV:
		query_klv(guc, sw);
		break;
	case GUC_ACTION_HOST2GUC_SELF_CFG:
		self_cfg(guc, sw);
		break;
	case GUC_ACTION_HOST2GUC_CONTROL_CTB:
		control_ctb(guc, sw);
		break;
	case XE_GUC_ACTION_GET_HWCONFIG:
		get_hwconfig(guc, sw);
		break;
	default:
		trace(TRACE_FAULT, "%s mailbox: unknown action %#x", name(guc),
		      action);
		sw[0] = failure(XE_GUC_RESPONSE_UNKNOWN_ACTION);
	}
}

void xe_guc_doorbell(struct xe_guc *guc)
{
	uint32_t first = guc->sw_flag[0];

	/*
	 * One doorbell for both: a request in the mailbox has the host as its
	 * origin, while an old answer still has the GuC.
	 */
	if (first && !(first & GUC_HXG_MSG_0_ORIGIN))
		mailbox(guc);
	else if (guc->ct_enabled)
		guc->kicked = true;
	else
		trace(TRACE_FAULT, "%s doorbell with nothing to do", name(guc));
}
