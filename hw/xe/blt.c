// SPDX-License-Identifier: MIT
/*
 * The copy engines: MEM_COPY and MEM_SET, with which the driver moves and clears,
 * and XY_FAST_COPY_BLT for linear surfaces, which user space likes. Long ones are
 * done in pieces, so that other contexts and the driver's register accesses get
 * their turn; a command's progress is kept in the context.
 */
#include <errno.h>

#include "xe/cmd.h"
#include "xe/driver.h"

#define LENGTH		GENMASK(23, 0)	/* of a linear command, minus one */
#define DIMENSION	GENMASK(17, 0)	/* of a matrix, minus one */
#define VA_HI		GENMASK(24, 0)
#define PAGE_UNIT	256		/* bytes that page copies count in */

/* Bytes between two looks at the budget, and what they cost of it. */
#define PIECE		HW_MIB(2)
#define COST(bytes)	((int64_t)((bytes) / HW_PAGE_SIZE))

/**
 * struct area - rows of bytes
 * @width: bytes in a row
 * @rows: how many there are
 * @src: first row of the source
 * @dst: first row of the destination
 * @src_pitch: bytes from one row to the next
 * @dst_pitch: the same at the destination
 */
struct area {
	uint64_t width;
	uint64_t rows;
	uint64_t src, dst;
	uint64_t src_pitch, dst_pitch;
};

/* Rows that touch each other are one long row. */
static void join_rows(struct area *area)
{
	if (area->src_pitch != area->width || area->dst_pitch != area->width)
		return;
	area->width *= area->rows;
	area->rows = 1;
}

/*
 * Does at most what the budget allows, from where the context left off. @fill is
 * the byte to write, or -1 to copy. Returns &enum xe_cmd_result or -EFAULT.
 */
static int transfer(struct xe_ctx *ctx, const struct area *area, int fill)
{
	uint64_t total = area->width * area->rows;

	while (ctx->progress < total) {
		uint64_t row = ctx->progress / area->width;
		uint64_t at = ctx->progress % area->width;
		uint64_t n = hw_min(area->width - at, PIECE);
		uint64_t dst = area->dst + row * area->dst_pitch + at;
		uint64_t src = area->src + row * area->src_pitch + at;
		int ret;

		if (ctx->budget <= 0)
			return XE_CMD_AGAIN;
		if (fill < 0)
			ret = xe_as_copy(&ctx->ppgtt, dst, &ctx->ppgtt, src, n);
		else
			ret = xe_as_fill(&ctx->ppgtt, dst, fill, n);
		if (ret)
			return ret;
		ctx->progress += n;
		ctx->moved += n;
		ctx->budget -= COST(n) + 1;
	}
	return XE_CMD_DONE;
}

static int short_command(struct xe_ctx *ctx)
{
	ctx->vf->fault = (struct xe_fault){
		.va = ctx->last_va, .what = "copy command of a wrong length",
	};
	return -EFAULT;
}

int xe_mem_copy(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len)
{
	struct area area;
	int ret;

	if (len < 9)
		return short_command(ctx);
	area = (struct area){
		.src = lo_hi(dw[5], dw[6] & VA_HI),
		.dst = lo_hi(dw[7], dw[8] & VA_HI),
		.rows = 1,
	};
	if (dw[0] & MEM_COPY_PAGE_COPY_MODE) {
		area.width = ((dw[1] & LENGTH) + 1ull) * PAGE_UNIT;
	} else if (dw[0] & MEM_COPY_MATRIX_COPY) {
		area.width = (dw[1] & DIMENSION) + 1ull;
		area.rows = (dw[2] & DIMENSION) + 1ull;
		area.src_pitch = (dw[3] & DIMENSION) + 1ull;
		area.dst_pitch = (dw[4] & DIMENSION) + 1ull;
		join_rows(&area);
	} else {
		area.width = (dw[1] & LENGTH) + 1ull;
	}
	ret = transfer(ctx, &area, -1);
	if (ret == XE_CMD_DONE)
		ctx->vf->stats.bytes_copied += area.width * area.rows;
	return ret;
}

int xe_mem_set(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len)
{
	struct area area;
	int ret;

	if (len < 7)
		return short_command(ctx);
	area = (struct area){
		.dst = lo_hi(dw[4], dw[5] & VA_HI),
		.rows = 1,
	};
	if (dw[0] & PVC_MEM_SET_MATRIX) {
		area.width = (dw[1] & DIMENSION) + 1ull;
		area.rows = (dw[2] & DIMENSION) + 1ull;
		area.dst_pitch = (dw[3] & DIMENSION) + 1ull;
		area.src_pitch = area.dst_pitch;
		join_rows(&area);
	} else {
		area.width = (dw[1] & LENGTH) + 1ull;
	}
	ret = transfer(ctx, &area, FIELD_GET(PVC_MEM_SET_DATA_FIELD, dw[6]));
	if (ret == XE_CMD_DONE)
		ctx->vf->stats.bytes_filled += area.width * area.rows;
	return ret;
}

/* Fields of XY_FAST_COPY_BLT that the driver's headers do not have. */
#define FAST_COPY_SRC_TILING	GENMASK(21, 20)
#define FAST_COPY_DST_TILING	GENMASK(14, 13)
#define FAST_COPY_DEPTH		GENMASK(26, 24)
#define FAST_COPY_PITCH		GENMASK(15, 0)
#define FAST_COPY_X		GENMASK(15, 0)
#define FAST_COPY_Y		GENMASK(31, 16)

int xe_fast_copy(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len)
{
	static const uint8_t bytes[8] = { 1, 2, 4, 4, 8, 16, 4, 4 };
	uint32_t x1, y1, x2, y2, depth;
	struct area area;
	int ret;

	if (len < 10)
		return short_command(ctx);
	/* The bits of D1 only tell which tiling, where these say that there is one. */
	if (dw[0] & (FAST_COPY_SRC_TILING | FAST_COPY_DST_TILING)) {
		/* Wrong pixels would be worse than none. */
		trace(TRACE_NOTE, "tiled XY_FAST_COPY_BLT is not modelled");
		return XE_CMD_DONE;
	}
	depth = bytes[FIELD_GET(FAST_COPY_DEPTH, dw[1])];
	x1 = FIELD_GET(FAST_COPY_X, dw[2]);
	y1 = FIELD_GET(FAST_COPY_Y, dw[2]);
	x2 = FIELD_GET(FAST_COPY_X, dw[3]);
	y2 = FIELD_GET(FAST_COPY_Y, dw[3]);
	if (x2 <= x1 || y2 <= y1)
		return XE_CMD_DONE;
	area = (struct area){
		.width = (uint64_t)(x2 - x1) * depth,
		.rows = y2 - y1,
		.dst_pitch = FIELD_GET(FAST_COPY_PITCH, dw[1]),
		.src_pitch = FIELD_GET(FAST_COPY_PITCH, dw[7]),
	};
	area.dst = lo_hi(dw[4], dw[5] & VA_HI) + y1 * area.dst_pitch +
		   x1 * depth;
	area.src = lo_hi(dw[8], dw[9] & VA_HI) +
		   FIELD_GET(FAST_COPY_Y, dw[6]) * area.src_pitch +
		   FIELD_GET(FAST_COPY_X, dw[6]) * depth;
	ret = transfer(ctx, &area, -1);
	if (ret == XE_CMD_DONE)
		ctx->vf->stats.bytes_copied += area.width * area.rows;
	return ret;
}
