// SPDX-License-Identifier: MIT
/*
 * The physical function at the other end of the relay. A virtual function asks it
 * for a common version, and then for the values of registers that it cannot read
 * itself.
 */
#include "xe/driver.h"
#include "xe/hxg.h"
#include "xe/xe.h"

#define MAX_REGISTERS	16u	/* in one message, as the real one */

static uint32_t relay_success(uint32_t data0)
{
	return hxg_success(GUC_HXG_ORIGIN_HOST, data0);
}

static uint32_t relay_failure(uint32_t error)
{
	return hxg_failure(GUC_HXG_ORIGIN_HOST, error);
}

static unsigned int handshake(const uint32_t *data, unsigned int len,
			      uint32_t *answer)
{
	if (len != VF2PF_HANDSHAKE_REQUEST_MSG_LEN) {
		answer[0] = relay_failure(GUC_RELAY_ERROR_MESSAGE_SIZE);
		return 1;
	}
	trace(TRACE_MSG, "relay HANDSHAKE %#x", data[1]);
	answer[0] = relay_success(0);
	answer[1] = FIELD_PREP(VF2PF_HANDSHAKE_RESPONSE_MSG_1_MAJOR,
			       GUC_RELAY_VERSION_BASE_MAJOR) |
		    FIELD_PREP(VF2PF_HANDSHAKE_RESPONSE_MSG_1_MINOR,
			       GUC_RELAY_VERSION_BASE_MINOR);
	return 2;
}

static unsigned int query_runtime(struct xe_vf *vf, const uint32_t *data,
				  unsigned int len, uint32_t *answer)
{
	unsigned int limit, start, count, total, i;

	if (len != VF2PF_QUERY_RUNTIME_REQUEST_MSG_LEN) {
		answer[0] = relay_failure(GUC_RELAY_ERROR_MESSAGE_SIZE);
		return 1;
	}
	limit = FIELD_GET(VF2PF_QUERY_RUNTIME_REQUEST_MSG_0_LIMIT, data[0]);
	start = data[1];
	total = xe_runtime_registers();
	if (start > total) {
		answer[0] = relay_failure(GUC_RELAY_ERROR_NO_DATA_AVAILABLE);
		return 1;
	}
	count = hw_min(total - start, MAX_REGISTERS);
	if (limit)
		count = hw_min(count, limit);
	trace(TRACE_MSG, "relay QUERY_RUNTIME from %u: %u registers", start,
	      count);
	answer[0] = relay_success(
		FIELD_PREP(VF2PF_QUERY_RUNTIME_RESPONSE_MSG_0_COUNT, count));
	answer[1] = total - start - count;
	for (i = 0; i < count; i++)
		answer[3 + 2 * i] = xe_runtime_register(vf, start + i,
							&answer[2 + 2 * i]);
	return 2 + 2 * count;
}

void xe_guc_relay(struct xe_guc *guc, const uint32_t *data, unsigned int len)
{
	/* The relay's id and an answer of at most this many registers. */
	uint32_t event[1 + 2 + 2 * MAX_REGISTERS];
	uint32_t *answer = &event[1];
	unsigned int n = 1;

	if (len < 2) {
		trace(TRACE_FAULT, "relay message of %u dwords", len);
		return;
	}
	event[0] = *data++;
	len--;
	switch (FIELD_GET(GUC_HXG_REQUEST_MSG_0_ACTION, data[0])) {
	case GUC_RELAY_ACTION_VF2PF_HANDSHAKE:
		n = handshake(data, len, answer);
		break;
	case GUC_RELAY_ACTION_VF2PF_QUERY_RUNTIME:
		n = query_runtime(guc->vf, data, len, answer);
		break;
	default:
		trace(TRACE_FAULT, "relay: unknown request %#x", data[0]);
		answer[0] = relay_failure(GUC_RELAY_ERROR_INVALID_REQUEST_CODE);
	}
	xe_guc_event(guc, XE_GUC_ACTION_GUC2VF_RELAY_FROM_PF, event, 1 + n);
}
