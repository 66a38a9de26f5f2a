// SPDX-License-Identifier: MIT
/*
 * An engine fetches commands from a context's ring and from the batches that the
 * ring starts. Memory is read for each command anew, since programs change
 * themselves: that is how a loop on the GPU is ended.
 */
#include <errno.h>

#include "xe/cmd.h"
#include "xe/driver.h"

#define RING_ADDR_MASK	GENMASK(20, 2)
#define RING_TAIL_MASK	GENMASK(20, 3)
#define BB_START_PPGTT	BIT(8)
#define BB_START_2ND	BIT(22)
#define BB_ADDRESS	GENMASK_ULL(47, 2)
#define COND_GGTT	BIT(22)
#define COND_OP		GENMASK(14, 12)

/* Commands between looks at the clock and the caller's patience: a budget unit. */
#define COST_COMMAND	1

static const struct xe_as *space(struct xe_ctx *ctx, struct xe_as *ggtt,
				 bool want_ggtt)
{
	*ggtt = (struct xe_as){ .vf = ctx->vf, .ggtt = true };
	return want_ggtt ? ggtt : &ctx->ppgtt;
}

int xe_ctx_image_read(struct xe_ctx *ctx, unsigned int dw, uint32_t *value)
{
	struct xe_as ggtt = { .vf = ctx->vf, .ggtt = true };

	/* The image follows the page of hardware status. */
	return xe_as_read32(&ggtt, ctx->lrc + HW_PAGE_SIZE + 4 * dw, value);
}

int xe_ctx_image_write(struct xe_ctx *ctx, unsigned int dw, uint32_t value)
{
	struct xe_as ggtt = { .vf = ctx->vf, .ggtt = true };

	return xe_as_write32(&ggtt, ctx->lrc + HW_PAGE_SIZE + 4 * dw, value);
}

void xe_ctx_save(struct xe_ctx *ctx)
{
	uint64_t now = xe_ctx_timestamp(ctx);

	/* An image that is gone is for the driver to notice. */
	if (ctx->have_head)
		xe_ctx_image_write(ctx, CTX_RING_HEAD, ctx->head);
	xe_ctx_image_write(ctx, CTX_TIMESTAMP, now);
	xe_ctx_image_write(ctx, CTX_TIMESTAMP_UDW, now >> 32);
}

/* What the image says of ring and VM. 0 or -EFAULT. */
static int load(struct xe_ctx *ctx)
{
	struct xe_ring *ring = &ctx->ring;
	uint32_t start, ctl, tail, head, lo, hi;

	if (xe_ctx_image_read(ctx, CTX_RING_TAIL, &tail) ||
	    xe_ctx_image_read(ctx, CTX_RING_START, &start) ||
	    xe_ctx_image_read(ctx, CTX_RING_CTL, &ctl) ||
	    xe_ctx_image_read(ctx, CTX_RING_HEAD, &head) ||
	    xe_ctx_image_read(ctx, CTX_PDP0_LDW, &lo) ||
	    xe_ctx_image_read(ctx, CTX_PDP0_UDW, &hi))
		return -EFAULT;
	ring->start = start;
	ring->size = (ctl & GENMASK(20, 12)) + HW_PAGE_SIZE;
	ring->tail = (tail & RING_TAIL_MASK) % ring->size;
	ctx->ppgtt.root = lo_hi(lo, hi);
	if (!ctx->have_head) {
		ctx->head = (head & RING_ADDR_MASK) % ring->size;
		ctx->have_head = true;
	}
	return 0;
}

/* Fetches the command at @va of a batch; returns its length or -EFAULT. */
static int fetch_batch(struct xe_ctx *ctx, const struct xe_batch *batch,
		       const struct xe_cmd **cmd, uint32_t *dw)
{
	unsigned int len;

	ctx->last_va = batch->va;
	if (xe_as_read32(&batch->as, batch->va, dw))
		return -EFAULT;
	ctx->last_command = *dw;
	*cmd = xe_decode(*dw, &len);
	if (len > 1 && xe_as_read(&batch->as, batch->va + 4, dw + 1,
				  4 * (len - 1)))
		return -EFAULT;
	return len;
}

/* The same from the ring, which wraps around. */
static int fetch_ring(struct xe_ctx *ctx, const struct xe_cmd **cmd,
		      uint32_t *dw)
{
	const struct xe_ring *ring = &ctx->ring;
	struct xe_as ggtt = { .vf = ctx->vf, .ggtt = true };
	unsigned int len, i;

	ctx->last_va = ring->start + ctx->head;
	if (xe_as_read32(&ggtt, ring->start + ctx->head, dw))
		return -EFAULT;
	ctx->last_command = *dw;
	*cmd = xe_decode(*dw, &len);
	for (i = 1; i < len; i++)
		if (xe_as_read32(&ggtt, ring->start +
				 (ctx->head + 4 * i) % ring->size, &dw[i]))
			return -EFAULT;
	return len;
}

/* Skipped by its length; told the first time, and counted for the end. */
static void count_unknown(struct xe_ctx *ctx, uint32_t dw)
{
	struct xe_unknown *unknown = ctx->vf->unknown;
	uint32_t opcode = dw & GENMASK(31, 22);
	unsigned int i;

	for (i = 0; i < XE_UNKNOWN - 1 && unknown[i].count; i++)
		if (unknown[i].opcode == opcode)
			break;
	unknown[i].opcode = opcode;
	if (!unknown[i].count++)
		trace(TRACE_NOTE, "ctx %u on %s: unknown command %#x at %#llx",
		      ctx->id, ctx->engine->name, dw,
		      (unsigned long long)ctx->last_va);
}

static void trace_command(struct xe_ctx *ctx, const struct xe_cmd *cmd,
			  const uint32_t *dw, unsigned int len)
{
	if (!cmd->modelled)
		count_unknown(ctx, dw[0]);
	trace(TRACE_CMD, "ctx %u %s%s %#llx: %s %08x %08x %08x %08x, %u dw",
	      ctx->id, ctx->engine->name, ctx->depth ? " batch" : " ring",
	      (unsigned long long)ctx->last_va, cmd->name, dw[0],
	      len > 1 ? dw[1] : 0, len > 2 ? dw[2] : 0, len > 3 ? dw[3] : 0,
	      len);
}

static bool is_mi(uint32_t dw, unsigned int op)
{
	return XE_MI(dw) == op;
}

/* Starts or chains a batch; the caller has advanced already. */
static int start_batch(struct xe_ctx *ctx, const uint32_t *dw)
{
	uint64_t va = lo_hi(dw[1], dw[2]) & BB_ADDRESS;
	bool second = ctx->depth && dw[0] & BB_START_2ND;
	struct xe_batch *batch;
	struct xe_as ggtt;

	if (!ctx->depth || second) {
		if (ctx->depth == XE_CTX_STACK) {
			ctx->vf->fault = (struct xe_fault){
				.va = va, .what = "batches nest too deeply",
			};
			return -EFAULT;
		}
		batch = &ctx->stack[ctx->depth++];
		/* From a PPGTT there is no way back to the GGTT. */
		if (ctx->depth > 1 && !batch[-1].as.ggtt)
			batch->as = ctx->ppgtt;
		else
			batch->as = *space(ctx, &ggtt,
					   !(dw[0] & BB_START_PPGTT));
	} else {
		batch = &ctx->stack[ctx->depth - 1];
		if (batch->as.ggtt)
			batch->as = *space(ctx, &ggtt,
					   !(dw[0] & BB_START_PPGTT));
	}
	batch->va = va;
	return XE_CMD_DONE;
}

/* A batch that the ring starts is a job: where faults are injected. */
static int inject_at_job(struct xe_ctx *ctx)
{
	struct inject *inject = &ctx->vf->inject;

	if (ctx->hung)
		return 0;
	if (inject_hit(inject, "engine-hang", ctx->engine->vector))
		ctx->hung = true;
	if (inject_hit(inject, "cat-error", ctx->engine->vector)) {
		ctx->vf->fault = (struct xe_fault){
			.va = ctx->last_va, .what = "injected",
		};
		return -EFAULT;
	}
	return 0;
}

/*
 * Whether a batch ends with this command. 1, 0, or -EFAULT: then it has to be
 * asked again when the fault is repaired.
 */
static int ends_batch(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len)
{
	struct xe_as ggtt;
	uint32_t value;

	if (is_mi(dw[0], XE_MI_BB_END))
		return 1;
	if (!is_mi(dw[0], XE_MI_COND_BB_END) || len < 4)
		return 0;
	if (xe_as_read32(space(ctx, &ggtt, dw[0] & COND_GGTT),
			 lo_hi(dw[2], dw[3]) & BB_ADDRESS, &value))
		return -EFAULT;
	/* It goes on as long as the comparison holds. */
	return !xe_compare(FIELD_GET(COND_OP, dw[0]), value, dw[1]);
}

static void advance(struct xe_ctx *ctx, unsigned int len)
{
	if (ctx->depth)
		ctx->stack[ctx->depth - 1].va += 4 * len;
	else
		ctx->head = (ctx->head + 4 * len) % ctx->ring.size;
	ctx->progress = 0;
}

bool xe_engine_at_fence(struct xe_ctx *ctx, unsigned int len)
{
	struct xe_as ggtt = { .vf = ctx->vf, .ggtt = true };
	uint32_t next;

	if (ctx->depth)
		return false;
	return !xe_as_read32(&ggtt, ctx->ring.start +
			     (ctx->head + 4 * len) % ctx->ring.size, &next) &&
	       next == MI_USER_INTERRUPT;
}

/* One command. Returns &enum xe_cmd_result or -EFAULT. */
static int step(struct xe_ctx *ctx)
{
	uint32_t dw[XE_CMD_MAX];
	const struct xe_cmd *cmd;
	int len, ret = XE_CMD_DONE, end = 0;
	bool in_batch = ctx->depth;

	if (in_batch)
		len = fetch_batch(ctx, &ctx->stack[ctx->depth - 1], &cmd, dw);
	else
		len = fetch_ring(ctx, &cmd, dw);
	if (len < 0)
		return len;
	if (!ctx->progress && !ctx->waiting)
		trace_command(ctx, cmd, dw, len);
	if (is_mi(dw[0], XE_MI_BB_START) && !in_batch && inject_at_job(ctx))
		return -EFAULT;
	if (ctx->hung)
		return XE_CMD_WAIT;
	if (cmd->run)
		ret = cmd->run(ctx, dw, len);
	else if (in_batch)
		end = ends_batch(ctx, dw, len);
	if (ret || end < 0)
		return ret ? ret : end;

	ctx->vf->stats.commands++;
	advance(ctx, len);
	ctx->depth -= end;
	if (is_mi(dw[0], XE_MI_BB_START) && len >= 3)
		return start_batch(ctx, dw);
	return XE_CMD_DONE;
}

enum xe_turn xe_engine_run(struct xe_ctx *ctx)
{
	enum xe_turn end;
	int ret;

	if (ctx->wake > hw_now())
		return XE_TURN_WAIT;
	if (load(ctx))
		return XE_TURN_FAULT;
	for (;;) {
		if (!ctx->depth && ctx->head == ctx->ring.tail) {
			end = XE_TURN_IDLE;
			break;
		}
		if (ctx->budget <= 0) {
			end = XE_TURN_MORE;
			break;
		}
		ctx->budget -= COST_COMMAND;
		ret = step(ctx);
		if (ctx->dead)
			return XE_TURN_IDLE;
		if (ret == XE_CMD_DONE) {
			ctx->waiting = false;
			continue;
		}
		end = ret == XE_CMD_WAIT  ? XE_TURN_WAIT :
		      ret == XE_CMD_AGAIN ? XE_TURN_MORE :
					    XE_TURN_FAULT;
		break;
	}
	if (end != XE_TURN_FAULT)
		xe_ctx_save(ctx);
	return end;
}
