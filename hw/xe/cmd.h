/* SPDX-License-Identifier: MIT */
/*
 * Commands: how long one is and what it is called (decode.c), and what it does
 * (mi.c, blt.c). The decoder knows nothing of contexts and can be tested alone.
 */
#ifndef HW_XE_CMD_H
#define HW_XE_CMD_H

#include "xe/ctx.h"

#define XE_CMD_MAX	1026	/* dwords: MI_STORE_DATA_IMM has the longest */

/**
 * enum xe_cmd_result - what a command that is no -EFAULT says
 */
enum xe_cmd_result {
	XE_CMD_DONE,	/* on to the next */
	XE_CMD_AGAIN,	/* call it again, with a new budget */
	XE_CMD_WAIT,	/* call it again later */
};

typedef int (*xe_cmd_fn)(struct xe_ctx *ctx, const uint32_t *dw,
			 unsigned int len);

/**
 * struct xe_cmd - a kind of command
 * @name: as the driver names it
 * @len_mask: bits of the first dword that hold the length minus two; 0 for
 *	commands of one dword
 * @run: what it does; NULL for what is accepted and has no effect here. It
 *	returns &enum xe_cmd_result or -EFAULT.
 * @modelled: false: nobody decided that it may be ignored
 */
struct xe_cmd {
	const char *name;
	uint32_t len_mask;
	xe_cmd_fn run;
	bool modelled;
};

/**
 * xe_decode - what a command is
 * @dw: its first dword
 * @len: receives its length in dwords, at least 1
 *
 * Return: never NULL; commands without a name are not modelled.
 */
const struct xe_cmd *xe_decode(uint32_t dw, unsigned int *len);

/* Commands that change where the next one comes from, engine.c. */
#define XE_MI(dw)		((dw) >> 23)
#define XE_MI_BB_END		XE_MI(MI_BATCH_BUFFER_END)
#define XE_MI_BB_START		XE_MI(MI_BATCH_BUFFER_START)
#define XE_MI_COND_BB_END	0x36u	/* the driver never emits it */

/* The driver has no name for it; Mesa copies buffers by it. */
#define XE_XY_BLOCK_COPY_BLT	0x41u

/* A comparison of the kind that semaphores and conditional ends make. */
bool xe_compare(unsigned int op, uint32_t left, uint32_t right);

/* mi.c */
int xe_mi_user_interrupt(struct xe_ctx *ctx, const uint32_t *dw,
			 unsigned int len);
int xe_mi_store_data_imm(struct xe_ctx *ctx, const uint32_t *dw,
			 unsigned int len);
int xe_mi_flush_dw(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len);
int xe_mi_load_register_imm(struct xe_ctx *ctx, const uint32_t *dw,
			    unsigned int len);
int xe_mi_store_register_mem(struct xe_ctx *ctx, const uint32_t *dw,
			     unsigned int len);
int xe_mi_load_register_mem(struct xe_ctx *ctx, const uint32_t *dw,
			    unsigned int len);
int xe_mi_load_register_reg(struct xe_ctx *ctx, const uint32_t *dw,
			    unsigned int len);
int xe_mi_copy_mem_mem(struct xe_ctx *ctx, const uint32_t *dw,
		       unsigned int len);
int xe_mi_atomic(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len);
int xe_mi_semaphore_wait(struct xe_ctx *ctx, const uint32_t *dw,
			 unsigned int len);
int xe_pipe_control(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len);

/* math.c */
int xe_mi_math(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len);

/* blt.c */
int xe_mem_copy(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len);
int xe_mem_set(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len);
int xe_fast_copy(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len);
int xe_block_copy(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len);

#endif
