// SPDX-License-Identifier: MIT
/*
 * Memory interface commands and PIPE_CONTROL. Of the flushes and stalls only the
 * writes after them are of interest: commands are executed in order, and there are
 * no caches.
 */
#include <errno.h>

#include "xe/cmd.h"
#include "xe/driver.h"

#define ADDRESS_HI		GENMASK(15, 0)
#define USE_GGTT		BIT(22)
#define ATOMIC_OP		GENMASK(15, 8)
#define ATOMIC_INC		5
#define ATOMIC_DEC		6
/* MI_FLUSH_DW and PIPE_CONTROL have it at the same place. */
#define POST_SYNC		GENMASK(15, 14)
#define POST_SYNC_IMMEDIATE	1
#define POST_SYNC_TIMESTAMP	3
#define REG_OFFSET		GENMASK(22, 2)
#define REG_PER_ENGINE		0xffcu
/* A register write of this kind arms or disarms the engine's watchdog. */
#define WATCHDOG_STOP		0x1

#define OFFSET(reg)		((reg).addr)

static struct xe_as space(struct xe_ctx *ctx, bool ggtt)
{
	struct xe_as as = { .vf = ctx->vf, .ggtt = true };

	return ggtt ? as : ctx->ppgtt;
}

static int bad_command(struct xe_ctx *ctx, const char *what)
{
	ctx->vf->fault = (struct xe_fault){ .va = ctx->last_va, .what = what };
	return -EFAULT;
}

bool xe_compare(unsigned int op, uint32_t left, uint32_t right)
{
	switch (op) {
	case COMPARE_OP_SAD_GT_SDD:
		return left > right;
	case COMPARE_OP_SAD_GTE_SDD:
		return left >= right;
	case COMPARE_OP_SAD_LT_SDD:
		return left < right;
	case COMPARE_OP_SAD_LTE_SDD:
		return left <= right;
	case COMPARE_OP_SAD_EQ_SDD:
		return left == right;
	case COMPARE_OP_SAD_NEQ_SDD:
		return left != right;
	default:
		return true;
	}
}

/*
 * Registers of the engine go by their offset from its base, whether a command
 * names them absolutely or relatively. The rest keep what was written, so that
 * contexts are initialised and read back as the driver expects.
 */
static bool of_engine(uint32_t offset, bool relative)
{
	static const uint32_t bases[] = {
		RENDER_RING_BASE,   BLT_RING_BASE,	XEHPC_BCS8_RING_BASE,
		COMPUTE0_RING_BASE, COMPUTE1_RING_BASE, COMPUTE2_RING_BASE,
		COMPUTE3_RING_BASE,
	};
	size_t i;

	if (relative)
		return true;
	for (i = 0; i < ARRAY_SIZE(bases); i++)
		if ((offset & ~GENMASK(11, 0)) == bases[i])
			return true;
	return false;
}

/* Linear probing; NULL when the table is full. */
static uint32_t *other_register(struct xe_ctx *ctx, uint32_t offset, bool add)
{
	unsigned int i, at = offset / 4 * 2654435761u;

	for (i = 0; i < XE_CTX_OTHER; i++, at++) {
		at %= XE_CTX_OTHER;
		if (ctx->other[at].offset == offset)
			return &ctx->other[at].value;
		if (ctx->other[at].offset)
			continue;
		if (!add)
			return NULL;
		ctx->other[at].offset = offset;
		return &ctx->other[at].value;
	}
	return NULL;
}

uint32_t xe_ctx_reg_read(struct xe_ctx *ctx, uint32_t offset, bool relative)
{
	uint32_t *other;

	offset &= REG_OFFSET;
	if (!of_engine(offset, relative)) {
		other = other_register(ctx, offset, false);
		return other ? *other : 0;
	}
	offset &= REG_PER_ENGINE;
	if (offset == OFFSET(RING_CTX_TIMESTAMP(0)))
		return xe_ctx_timestamp(ctx);
	if (offset == OFFSET(RING_CTX_TIMESTAMP_UDW(0)))
		return xe_ctx_timestamp(ctx) >> 32;
	if (offset == OFFSET(RING_TIMESTAMP(0)))
		return xe_gpu_timestamp();
	if (offset == OFFSET(RING_TIMESTAMP_UDW(0)))
		return xe_gpu_timestamp() >> 32;
	return ctx->regs[offset / 4];
}

void xe_ctx_reg_write(struct xe_ctx *ctx, uint32_t offset, bool relative,
		      uint32_t value)
{
	uint32_t *other;

	offset &= REG_OFFSET;
	if (!of_engine(offset, relative)) {
		other = other_register(ctx, offset, true);
		if (other)
			*other = value;
		else
			trace(TRACE_NOTE, "ctx %u: too many registers",
			      ctx->id);
		return;
	}
	offset &= REG_PER_ENGINE;
	ctx->regs[offset / 4] = value;
	/*
	 * The driver provokes a reset in each new default context: it arms the
	 * watchdog and waits for what never comes. Here the wait ends instead.
	 */
	if (offset == OFFSET(PR_CTR_CTRL(0)))
		ctx->watchdog = !(value & WATCHDOG_STOP);
}

int xe_mi_user_interrupt(struct xe_ctx *ctx, const uint32_t *dw,
			 unsigned int len)
{
	uint32_t status, source;

	(void)dw;
	(void)len;
	if (inject_hit(&ctx->vf->inject, "irq-drop", ctx->engine->vector))
		return XE_CMD_DONE;
	if (xe_ctx_image_read(ctx, CTX_INT_STATUS_REPORT_PTR, &status) ||
	    xe_ctx_image_read(ctx, CTX_INT_SRC_REPORT_PTR, &source))
		return -EFAULT;
	return xe_memirq_engine(ctx->vf, status, source, ctx->engine->vector);
}

int xe_mi_store_data_imm(struct xe_ctx *ctx, const uint32_t *dw,
			 unsigned int len)
{
	struct xe_as as = space(ctx, dw[0] & MI_SDI_GGTT);
	uint64_t va;

	if (len < 4)
		return bad_command(ctx, "MI_STORE_DATA_IMM without data");
	va = lo_hi(dw[1], dw[2] & ADDRESS_HI);
	if (len == 4)
		return xe_as_write32(&as, va, dw[3]);
	if (len == 5)
		return xe_as_write64(&as, va, lo_hi(dw[3], dw[4]));
	return xe_as_write(&as, va, dw + 3, 4 * (len - 3));
}

/**
 * enum fence - what injected faults do to the write that ends a job
 */
enum fence { FENCE_WRITE, FENCE_DROP, FENCE_LATER };

static enum fence fence(struct xe_ctx *ctx, unsigned int len)
{
	struct inject *inject = &ctx->vf->inject;
	const struct inject_rule *rule;

	if (!inject->nr || !xe_engine_at_fence(ctx, len))
		return FENCE_WRITE;
	if (ctx->wake) {
		ctx->wake = 0;	/* it was late, and now it is time */
		return FENCE_WRITE;
	}
	rule = inject_hit(inject, "fence-delay", ctx->engine->vector);
	if (rule) {
		ctx->wake = hw_now() + rule->ms * 1000000ull;
		return FENCE_LATER;
	}
	return inject_hit(inject, "fence-drop", ctx->engine->vector) ?
		       FENCE_DROP : FENCE_WRITE;
}

/* What is written after a flush: @data, or the time. @bytes is 4 or 8. */
static int post_sync(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len,
		     const struct xe_as *as, uint64_t va, uint64_t data,
		     unsigned int bytes)
{
	unsigned int op = FIELD_GET(POST_SYNC, dw[0] >> 29 ? dw[1] : dw[0]);

	if (op == POST_SYNC_TIMESTAMP)
		return xe_as_write64(as, va, xe_gpu_timestamp());
	if (op != POST_SYNC_IMMEDIATE)
		return XE_CMD_DONE;
	switch (fence(ctx, len)) {
	case FENCE_LATER:
		return XE_CMD_WAIT;
	case FENCE_DROP:
		return XE_CMD_DONE;
	case FENCE_WRITE:
		break;
	}
	return bytes == 8 ? xe_as_write64(as, va, data) :
			    xe_as_write32(as, va, data);
}

int xe_mi_flush_dw(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len)
{
	bool index = dw[0] & MI_FLUSH_DW_STORE_INDEX;
	struct xe_as as;
	uint64_t va;

	if (!FIELD_GET(POST_SYNC, dw[0]))
		return XE_CMD_DONE;
	if (len < 4)
		return bad_command(ctx, "MI_FLUSH_DW without data");
	as = space(ctx, index || dw[1] & MI_FLUSH_DW_USE_GTT);
	va = lo_hi(dw[1] & ~7u, dw[2] & ADDRESS_HI);
	if (index)
		va += ctx->lrc;
	return post_sync(ctx, dw, len, &as, va,
			 lo_hi(dw[3], len >= 5 ? dw[4] : 0), len >= 5 ? 8 : 4);
}

int xe_pipe_control(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len)
{
	struct xe_as as;
	uint64_t va;

	if (len < 6)
		return bad_command(ctx, "PIPE_CONTROL of a wrong length");
	if (dw[1] & PIPE_CONTROL_STORE_DATA_INDEX) {
		as = space(ctx, true);
		va = ctx->lrc + (dw[2] & GENMASK(11, 2));
	} else {
		as = space(ctx, dw[1] & PIPE_CONTROL_GLOBAL_GTT_IVB);
		va = lo_hi(dw[2] & ~3u, dw[3] & ADDRESS_HI);
	}
	return post_sync(ctx, dw, len, &as, va, lo_hi(dw[4], dw[5]), 8);
}

int xe_mi_load_register_imm(struct xe_ctx *ctx, const uint32_t *dw,
			    unsigned int len)
{
	bool relative = dw[0] & MI_LRI_LRM_CS_MMIO;
	unsigned int i;

	for (i = 1; i + 1 < len; i += 2)
		xe_ctx_reg_write(ctx, dw[i], relative, dw[i + 1]);
	return XE_CMD_DONE;
}

int xe_mi_store_register_mem(struct xe_ctx *ctx, const uint32_t *dw,
			     unsigned int len)
{
	struct xe_as as = space(ctx, dw[0] & MI_SRM_USE_GGTT);

	if (len < 4)
		return bad_command(ctx, "MI_STORE_REGISTER_MEM is too short");
	return xe_as_write32(&as, lo_hi(dw[2], dw[3] & ADDRESS_HI),
			     xe_ctx_reg_read(ctx, dw[1],
					     dw[0] & MI_SRM_ADD_CS_OFFSET));
}

int xe_mi_load_register_mem(struct xe_ctx *ctx, const uint32_t *dw,
			    unsigned int len)
{
	struct xe_as as = space(ctx, dw[0] & MI_LRM_USE_GGTT);
	uint32_t value;
	int ret;

	if (len < 4)
		return bad_command(ctx, "MI_LOAD_REGISTER_MEM is too short");
	ret = xe_as_read32(&as, lo_hi(dw[2], dw[3] & ADDRESS_HI), &value);
	if (!ret)
		xe_ctx_reg_write(ctx, dw[1], dw[0] & MI_LRI_LRM_CS_MMIO, value);
	return ret;
}

int xe_mi_load_register_reg(struct xe_ctx *ctx, const uint32_t *dw,
			    unsigned int len)
{
	if (len < 3)
		return bad_command(ctx, "MI_LOAD_REGISTER_REG is too short");
	xe_ctx_reg_write(ctx, dw[2], dw[0] & MI_LRR_DST_CS_MMIO,
			 xe_ctx_reg_read(ctx, dw[1],
					 dw[0] & MI_LRR_SRC_CS_MMIO));
	return XE_CMD_DONE;
}

int xe_mi_copy_mem_mem(struct xe_ctx *ctx, const uint32_t *dw,
		       unsigned int len)
{
	struct xe_as to = space(ctx, dw[0] & MI_COPY_MEM_MEM_DST_GGTT);
	struct xe_as from = space(ctx, dw[0] & MI_COPY_MEM_MEM_SRC_GGTT);
	uint32_t value;
	int ret;

	if (len < 5)
		return bad_command(ctx, "MI_COPY_MEM_MEM is too short");
	ret = xe_as_read32(&from, lo_hi(dw[3], dw[4] & ADDRESS_HI), &value);
	return ret ? ret : xe_as_write32(&to, lo_hi(dw[1], dw[2] & ADDRESS_HI),
					 value);
}

int xe_mi_atomic(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len)
{
	struct xe_as as = space(ctx, dw[0] & USE_GGTT);
	unsigned int op = FIELD_GET(ATOMIC_OP, dw[0]);
	uint32_t value;
	uint64_t va;
	int ret;

	if (len < 3)
		return bad_command(ctx, "MI_ATOMIC is too short");
	if (op != ATOMIC_INC && op != ATOMIC_DEC)
		return bad_command(ctx, "MI_ATOMIC operation that nobody models");
	va = lo_hi(dw[1], dw[2] & ADDRESS_HI);
	ret = xe_as_read32(&as, va, &value);
	if (ret)
		return ret;
	return xe_as_write32(&as, va, op == ATOMIC_INC ? value + 1 : value - 1);
}

int xe_mi_semaphore_wait(struct xe_ctx *ctx, const uint32_t *dw,
			 unsigned int len)
{
	struct xe_as as = space(ctx, dw[0] & MI_SEMW_GGTT);
	unsigned int op = FIELD_GET(MI_SEMW_COMPARE_OP_MASK, dw[0]);
	uint32_t value;
	int ret = 0;

	if (len < 4)
		return bad_command(ctx, "MI_SEMAPHORE_WAIT is too short");
	if (dw[0] & MI_SEMAPHORE_REGISTER_POLL)
		value = xe_ctx_reg_read(ctx, dw[2], false);
	else
		ret = xe_as_read32(&as, lo_hi(dw[2], dw[3] & ADDRESS_HI),
				   &value);
	if (ret)
		return ret;
	if (!xe_compare(op, value, dw[1]) && !ctx->watchdog)
		return XE_CMD_WAIT;
	ctx->watchdog = false;
	return XE_CMD_DONE;
}
