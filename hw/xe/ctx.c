// SPDX-License-Identifier: MIT
/*
 * The scheduler takes turns among the contexts that have work, whatever their engine,
 * with a budget for each turn: an endless loop on the GPU costs the others nothing
 * but time. Real hardware runs one context an engine at a time and preempts; the
 * driver cannot tell.
 */
#include <stdlib.h>
#include <string.h>

#include "xe/ctx.h"
#include "xe/driver.h"

/* A turn ends after so many commands, or 4 KiB pages copied. */
#define TURN_BUDGET	8192

/*
 * A context that used up that many turns in a row without moving data is a loop
 * that waits for somebody: let it breathe, or it takes a processor from the
 * one who is to end it.
 */
#define HOT_TURNS	16

/* The crystal's 38.4 MHz, see RPM_CONFIG0. */
#define TICKS(ns)	((ns) / 1000 * 384 / 10)

static const struct xe_engine engines[] = {
	{ "rcs0", GUC_RENDER_CLASS, 0, 0 },
	{ "bcs0", GUC_BLITTER_CLASS, 0, 15 },
	{ "bcs8", GUC_BLITTER_CLASS, 1, 23 },
	{ "ccs0", GUC_COMPUTE_CLASS, 0, 4 },
	{ "ccs1", GUC_COMPUTE_CLASS, 1, 5 },
	{ "ccs2", GUC_COMPUTE_CLASS, 2, 6 },
	{ "ccs3", GUC_COMPUTE_CLASS, 3, 7 },
};

static const struct xe_engine *find_engine(struct xe_vf *vf, uint32_t class,
					   uint32_t mask)
{
	unsigned int logical;
	size_t i;

	if (!mask)
		return NULL;
	/* A mask with several bits leaves the choice to the scheduler. */
	logical = __builtin_ctz(mask);
	if (class == GUC_COMPUTE_CLASS && logical >= vf->config.ccs)
		return NULL;	/* fused off */
	for (i = 0; i < ARRAY_SIZE(engines); i++)
		if (engines[i].class == class && engines[i].logical == logical)
			return &engines[i];
	return NULL;
}

struct xe_ctx *xe_ctx_find(struct xe_vf *vf, uint32_t id)
{
	return id < XE_MAX_CONTEXTS ? vf->context[id] : NULL;
}

int xe_ctx_register(struct xe_vf *vf, uint32_t id, uint32_t class,
		    uint32_t submit_mask, uint64_t hwlrca)
{
	const struct xe_engine *engine = find_engine(vf, class, submit_mask);
	struct xe_ctx *ctx;

	if (id >= XE_MAX_CONTEXTS || vf->context[id] || !engine) {
		trace(TRACE_FAULT,
		      "context %u: class %u, mask %#x cannot be registered",
		      id, class, submit_mask);
		return -1;
	}
	ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		hw_die(1, "no memory for a context");
	ctx->vf = vf;
	ctx->id = id;
	ctx->engine = engine;
	ctx->lrc = hwlrca & GENMASK(31, 12);
	ctx->ppgtt.vf = vf;
	vf->context[id] = ctx;
	vf->nr_contexts++;
	trace(TRACE_CTX, "ctx %u on %s: registered, LRC %#llx", id,
	      engine->name, (unsigned long long)ctx->lrc);
	return 0;
}

static void enqueue(struct xe_ctx *ctx)
{
	struct xe_vf *vf = ctx->vf;

	if (ctx->queued)
		return;
	ctx->queued = true;
	ctx->run_since = hw_now();
	ctx->next = NULL;
	*vf->runq_tail = ctx;
	vf->runq_tail = &ctx->next;
}

static void dequeue(struct xe_ctx *ctx)
{
	struct xe_vf *vf = ctx->vf;
	struct xe_ctx **link;

	if (!ctx->queued)
		return;
	for (link = &vf->runq; *link != ctx; link = &(*link)->next)
		;
	*link = ctx->next;
	if (vf->runq_tail == &ctx->next)
		vf->runq_tail = link;
	ctx->queued = false;
	ctx->waiting = false;
	ctx->hot = 0;
	ctx->run_time += hw_now() - ctx->run_since;
}

/*
 * While a context's memory is accessed, register writes may be served, and one of
 * them may be a reset: see xe_ctx_destroy().
 */
static void hold(struct xe_ctx *ctx)
{
	ctx->vf->current = ctx;
}

static void release(struct xe_ctx *ctx)
{
	ctx->vf->current = NULL;
	if (ctx->dead)
		free(ctx);
}

void xe_ctx_destroy(struct xe_ctx *ctx)
{
	dequeue(ctx);
	ctx->vf->context[ctx->id] = NULL;
	ctx->vf->nr_contexts--;
	if (ctx == ctx->vf->current)
		ctx->dead = true;
	else
		free(ctx);
}

void xe_ctx_destroy_all(struct xe_vf *vf)
{
	unsigned int id;

	for (id = 0; vf->nr_contexts; id++)
		if (vf->context[id])
			xe_ctx_destroy(vf->context[id]);
}

void xe_ctx_enable(struct xe_ctx *ctx, bool enable)
{
	trace(TRACE_CTX, "ctx %u on %s: %s", ctx->id, ctx->engine->name,
	      enable ? "enabled" : "disabled");
	ctx->enabled = enable;
	if (enable) {
		xe_ctx_kick(ctx);
		return;
	}
	dequeue(ctx);
	hold(ctx);
	xe_ctx_save(ctx);
	release(ctx);
}

void xe_ctx_kick(struct xe_ctx *ctx)
{
	if (ctx->enabled && !ctx->page_fault)
		enqueue(ctx);
}

uint64_t xe_gpu_timestamp(void)
{
	return TICKS(hw_now());
}

uint64_t xe_ctx_timestamp(struct xe_ctx *ctx)
{
	uint64_t ns = ctx->run_time;

	if (ctx->queued)
		ns += hw_now() - ctx->run_since;
	/* Zero would mean to the driver that it never ran. */
	return TICKS(ns) + 1;
}

/* Bad memory: tell the driver, which resets and bans. @ctx may be gone after it. */
static void memory_error(struct xe_ctx *ctx)
{
	struct xe_vf *vf = ctx->vf;
	const struct xe_fault *fault = &vf->fault;
	uint32_t id = ctx->id;

	trace(TRACE_FAULT,
	      "ctx %u on %s: %s of %#llx, level %u: %s; command %#x at %#llx",
	      id, ctx->engine->name, fault->write ? "write" : "read",
	      (unsigned long long)fault->va, fault->level,
	      fault->what ? fault->what : "?", ctx->last_command,
	      (unsigned long long)ctx->last_va);
	vf->stats.faults++;
	ctx->enabled = false;
	dequeue(ctx);
	xe_guc_event(&vf->guc, XE_GUC_ACTION_NOTIFY_MEMORY_CAT_ERROR, &id, 1);
	xe_guc_event(&vf->guc, XE_GUC_ACTION_CONTEXT_RESET_NOTIFICATION, &id,
		     1);
}

/*
 * A missing translation: ask the driver to repair it. It answers for a VM that
 * is not in fault mode as well, and says no. The layout of the message is that
 * of struct xe_guc_pagefault_desc, PFD_* in the driver's xe_guc_fwif.h; the
 * context's id goes along as the descriptor's private data.
 */
static void ask_for_page(struct xe_ctx *ctx)
{
	struct xe_vf *vf = ctx->vf;
	const struct xe_fault failed = vf->fault, *fault = &failed;
	uint32_t asid = 0;
	uint32_t msg[4];

	if (xe_ctx_image_read(ctx, CTX_ASID, &asid)) {
		memory_error(ctx);
		return;
	}
	if (ctx->dead)
		return;
	asid &= GENMASK(19, 0);
	trace(TRACE_CTX, "ctx %u: page fault, asid %u, %s of %#llx, level %u",
	      ctx->id, asid, fault->write ? "write" : "read",
	      (unsigned long long)fault->va, fault->level);
	ctx->page_fault = true;
	dequeue(ctx);
	msg[0] = fault->level | ctx->engine->class << 25 | ctx->id << 28;
	msg[1] = asid << 12 | (ctx->id >> 4 & GENMASK(11, 0));
	msg[2] = (fault->va & GENMASK(31, 12)) | fault->write;
	msg[3] = fault->va >> 32;
	xe_guc_event(&vf->guc, XE_GUC_ACTION_REPORT_PAGE_FAULT_REQ_DESC, msg,
		     4);
}

void xe_ctx_fault_done(struct xe_ctx *ctx, bool repaired)
{
	if (!ctx->page_fault)
		return;
	ctx->page_fault = false;
	if (repaired) {
		xe_ctx_kick(ctx);
		return;
	}
	ctx->vf->fault = (struct xe_fault){
		.what = "page fault that the driver did not repair",
	};
	memory_error(ctx);
}

static int run(struct xe_ctx *ctx)
{
	struct xe_vf *vf = ctx->vf;
	enum xe_turn end;

	ctx->budget = TURN_BUDGET;
	ctx->moved = 0;
	end = xe_engine_run(ctx);
	if (ctx->dead)
		return 0;
	ctx->waiting = end == XE_TURN_WAIT;
	switch (end) {
	case XE_TURN_IDLE:
		dequeue(ctx);
		return -1;
	case XE_TURN_FAULT:
		if (vf->fault.recoverable)
			ask_for_page(ctx);
		else
			memory_error(ctx);
		return 0;
	case XE_TURN_WAIT:
		return 1;
	case XE_TURN_MORE:
		break;
	}
	ctx->hot = ctx->moved ? 0 : ctx->hot + 1;
	return ctx->hot > HOT_TURNS;
}

/* One turn; returns what xe_sched_work() returns. */
static int turn(struct xe_ctx *ctx)
{
	int wanted;

	hold(ctx);
	wanted = run(ctx);
	release(ctx);
	return wanted;
}

/* Behind the others. */
static void rotate(struct xe_vf *vf)
{
	struct xe_ctx *ctx = vf->runq;

	if (!ctx || !ctx->next)
		return;
	vf->runq = ctx->next;
	ctx->next = NULL;
	*vf->runq_tail = ctx;
	vf->runq_tail = &ctx->next;
}

int xe_sched_work(struct xe_vf *vf)
{
	int wait = -1, wanted;
	unsigned int n = 0;
	struct xe_ctx *ctx;

	for (ctx = vf->runq; ctx; ctx = ctx->next)
		n++;
	while (n-- && vf->runq) {
		ctx = vf->runq;
		wanted = turn(ctx);
		if (vf->runq == ctx)
			rotate(vf);
		if (wait < 0 || (wanted >= 0 && wanted < wait))
			wait = wanted;
	}
	return wait;
}
