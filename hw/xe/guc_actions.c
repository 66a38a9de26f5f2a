// SPDX-License-Identifier: MIT
/*
 * Messages from the driver. A request gets an answer with its fence; a fast request
 * and an event get none unless they fail. Lengths are checked against what each
 * action needs, since a driver's mistake must not become the model's.
 */
#include "xe/ctx.h"
#include "xe/driver.h"
#include "xe/hxg.h"

/* Layout of the answer to a page fault: PFR_* in the driver's xe_guc_fwif.h. */
#define FAULT_REPLY_FAILED	BIT(1)
#define FAULT_REPLY_ID		GENMASK(31, 16)

/**
 * struct request - a message that is being handled
 * @guc: the firmware
 * @fence: goes into the answer
 * @type: GUC_HXG_TYPE_*
 * @data: after the HXG header
 * @len: dwords of @data
 */
struct request {
	struct xe_guc *guc;
	uint16_t fence;
	uint32_t type;
	const uint32_t *data;
	unsigned int len;
};

static void answer(const struct request *rq, uint32_t data0)
{
	uint32_t msg;

	if (rq->type != GUC_HXG_TYPE_REQUEST)
		return;
	msg = hxg_success(GUC_HXG_ORIGIN_GUC, data0);
	xe_guc_send(rq->guc, rq->fence, &msg, 1);
}

static void refuse(const struct request *rq, uint32_t error)
{
	uint32_t msg = hxg_failure(GUC_HXG_ORIGIN_GUC, error);

	trace(TRACE_FAULT, "GuC refuses a message: error %#x", error);
	if (rq->type != GUC_HXG_TYPE_EVENT)
		xe_guc_send(rq->guc, rq->fence, &msg, 1);
}

static void relay_to_pf(const struct request *rq)
{
	answer(rq, 0);
	xe_guc_relay(rq->guc, rq->data, rq->len);
}

/* flags, id, class, submit mask, five work queue fields, LRC lo, hi */
static void register_context(const struct request *rq)
{
	if (xe_ctx_register(rq->guc->vf, rq->data[1], rq->data[2], rq->data[3],
			    lo_hi(rq->data[9], rq->data[10])))
		refuse(rq, XE_GUC_RESPONSE_INVALID_CONTEXT_REGISTRATION);
	else
		answer(rq, 0);
}

static void deregister_context(const struct request *rq)
{
	struct xe_ctx *ctx = xe_ctx_find(rq->guc->vf, rq->data[0]);

	if (!ctx) {
		refuse(rq, XE_GUC_RESPONSE_CONTEXT_NOT_REGISTERED);
		return;
	}
	trace(TRACE_CTX, "ctx %u: deregistered", rq->data[0]);
	xe_ctx_destroy(ctx);
	answer(rq, 0);
	xe_guc_event(rq->guc, XE_GUC_ACTION_DEREGISTER_CONTEXT_DONE, rq->data,
		     1);
}

static void mode_set(const struct request *rq)
{
	struct xe_ctx *ctx = xe_ctx_find(rq->guc->vf, rq->data[0]);
	uint32_t done[2] = { rq->data[0], !!rq->data[1] };

	if (!ctx) {
		refuse(rq, XE_GUC_RESPONSE_CONTEXT_NOT_REGISTERED);
		return;
	}
	xe_ctx_enable(ctx, done[1]);
	answer(rq, 0);
	xe_guc_event(rq->guc, XE_GUC_ACTION_SCHED_CONTEXT_MODE_DONE, done, 2);
}

static void sched_context(const struct request *rq)
{
	struct xe_ctx *ctx = xe_ctx_find(rq->guc->vf, rq->data[0]);

	if (!ctx) {
		refuse(rq, XE_GUC_RESPONSE_CONTEXT_NOT_REGISTERED);
		return;
	}
	answer(rq, 0);
	xe_ctx_kick(ctx);
}

/* There is no TLB; what the driver waits for is the acknowledgement. */
static void tlb_invalidation(const struct request *rq)
{
	answer(rq, 0);
	xe_guc_event(rq->guc, XE_GUC_ACTION_TLB_INVALIDATION_DONE, rq->data, 1);
}

static void page_fault_response(const struct request *rq)
{
	uint32_t id = FIELD_GET(FAULT_REPLY_ID, rq->data[1]);
	struct xe_ctx *ctx = xe_ctx_find(rq->guc->vf, id);

	answer(rq, 0);
	if (ctx)
		xe_ctx_fault_done(ctx, !(rq->data[0] & FAULT_REPLY_FAILED));
}

/* Policies: accepted, since the model has no time slices to divide up. */
static void accept(const struct request *rq)
{
	answer(rq, 0);
}

static const struct {
	uint32_t action;
	unsigned int len;	/* least dwords after the header */
	const char *name;
	void (*handle)(const struct request *rq);
} actions[] = {
	{ XE_GUC_ACTION_VF2GUC_RELAY_TO_PF, 2, "RELAY_TO_PF", relay_to_pf },
	{ XE_GUC_ACTION_REGISTER_CONTEXT, 11, "REGISTER_CONTEXT",
	  register_context },
	{ XE_GUC_ACTION_DEREGISTER_CONTEXT, 1, "DEREGISTER_CONTEXT",
	  deregister_context },
	{ XE_GUC_ACTION_SCHED_CONTEXT_MODE_SET, 2, "SCHED_CONTEXT_MODE_SET",
	  mode_set },
	{ XE_GUC_ACTION_SCHED_CONTEXT, 1, "SCHED_CONTEXT", sched_context },
	{ XE_GUC_ACTION_TLB_INVALIDATION, 1, "TLB_INVALIDATION",
	  tlb_invalidation },
	{ XE_GUC_ACTION_TLB_INVALIDATION_ALL, 1, "TLB_INVALIDATION_ALL",
	  tlb_invalidation },
	{ XE_GUC_ACTION_PAGE_FAULT_RES_DESC, 2, "PAGE_FAULT_RES_DESC",
	  page_fault_response },
	{ XE_GUC_ACTION_HOST2GUC_UPDATE_CONTEXT_POLICIES, 1,
	  "UPDATE_CONTEXT_POLICIES", accept },
	{ XE_GUC_ACTION_UPDATE_SCHEDULING_POLICIES_KLV, 1,
	  "UPDATE_SCHEDULING_POLICIES_KLV", accept },
	{ XE_GUC_ACTION_OPT_IN_FEATURE_KLV, 1, "OPT_IN_FEATURE_KLV", accept },
};

void xe_guc_message(struct xe_guc *guc, uint16_t fence, const uint32_t *msg,
		    unsigned int len)
{
	uint32_t action = FIELD_GET(GUC_HXG_REQUEST_MSG_0_ACTION, msg[0]);
	struct request rq = {
		.guc = guc,
		.fence = fence,
		.type = FIELD_GET(GUC_HXG_MSG_0_TYPE, msg[0]),
		.data = msg + 1,
		.len = len - 1,
	};
	size_t i;

	if (msg[0] & GUC_HXG_MSG_0_ORIGIN) {
		refuse(&rq, XE_GUC_RESPONSE_ERROR_PROTOCOL);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (actions[i].action == action)
			break;
	if (i == ARRAY_SIZE(actions)) {
		trace(TRACE_FAULT, "H2G %#x: unknown action, %u dwords", action,
		      len);
		refuse(&rq, XE_GUC_RESPONSE_UNKNOWN_ACTION);
		return;
	}
	trace(TRACE_MSG, "H2G fence %#x %s: %#x %#x %#x, %u dwords", fence,
	      actions[i].name, rq.len > 0 ? msg[1] : 0, rq.len > 1 ? msg[2] : 0,
	      rq.len > 2 ? msg[3] : 0, len);
	if (rq.len < actions[i].len)
		refuse(&rq, XE_GUC_RESPONSE_INVALID_SIZE);
	else
		actions[i].handle(&rq);
}
