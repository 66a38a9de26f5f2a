// SPDX-License-Identifier: MIT
/*
 * The copy engines: MEM_COPY and MEM_SET, with which the driver moves and clears,
 * and XY_FAST_COPY_BLT and XY_BLOCK_COPY_BLT for linear surfaces, which user space
 * likes. Long ones are done in pieces, so that other contexts and the driver's
 * register accesses get their turn; a command's progress is kept in the context.
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

/* Coordinates of both copies of surfaces: x in the lower half, y in the upper */
#define SURFACE_X		GENMASK(15, 0)
#define SURFACE_Y		GENMASK(31, 16)
/* Mesa's addresses are canonical, and 48 bits of them are translated. */
#define SURFACE_HI		GENMASK(15, 0)

/**
 * struct surface - one side of a copy of surfaces
 * @at: dword of the address
 * @corner: dword of the first pixel's coordinates
 * @pitch: bytes from one row to the next
 */
struct surface {
	unsigned int at;
	unsigned int corner;
	uint64_t pitch;
};

static uint64_t first_pixel(const uint32_t *dw, const struct surface *surface,
			    uint32_t depth)
{
	uint32_t corner = dw[surface->corner];

	return lo_hi(dw[surface->at], dw[surface->at + 1] & SURFACE_HI) +
	       FIELD_GET(SURFACE_Y, corner) * surface->pitch +
	       (uint64_t)FIELD_GET(SURFACE_X, corner) * depth;
}

/* Linear ones; the destination's rectangle ends where dword @end says. */
static int copy_surface(struct xe_ctx *ctx, const uint32_t *dw, unsigned int end,
			const struct surface *dst, const struct surface *src,
			uint32_t depth)
{
	uint32_t x1 = FIELD_GET(SURFACE_X, dw[dst->corner]);
	uint32_t y1 = FIELD_GET(SURFACE_Y, dw[dst->corner]);
	uint32_t x2 = FIELD_GET(SURFACE_X, dw[end]);
	uint32_t y2 = FIELD_GET(SURFACE_Y, dw[end]);
	struct area area;
	int ret;

	if (x2 <= x1 || y2 <= y1)
		return XE_CMD_DONE;
	area = (struct area){
		.width = (uint64_t)(x2 - x1) * depth,
		.rows = y2 - y1,
		.dst = first_pixel(dw, dst, depth),
		.src = first_pixel(dw, src, depth),
		.dst_pitch = dst->pitch,
		.src_pitch = src->pitch,
	};
	ret = transfer(ctx, &area, -1);
	if (ret == XE_CMD_DONE)
		ctx->vf->stats.bytes_copied += area.width * area.rows;
	return ret;
}

/* Fields of XY_FAST_COPY_BLT that the driver's headers do not have. */
#define FAST_COPY_SRC_TILING	GENMASK(21, 20)
#define FAST_COPY_DST_TILING	GENMASK(14, 13)
#define FAST_COPY_DEPTH		GENMASK(26, 24)
#define FAST_COPY_PITCH		GENMASK(15, 0)

int xe_fast_copy(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len)
{
	static const uint8_t bytes[8] = { 1, 2, 4, 4, 8, 16, 4, 4 };
	struct surface dst = { .at = 4, .corner = 2 };
	struct surface src = { .at = 8, .corner = 6 };

	if (len < 10)
		return short_command(ctx);
	/* The bits of D1 only tell which tiling, where these say that there is one. */
	if (dw[0] & (FAST_COPY_SRC_TILING | FAST_COPY_DST_TILING)) {
		/* Wrong pixels would be worse than none. */
		trace(TRACE_NOTE, "tiled XY_FAST_COPY_BLT is not modelled");
		return XE_CMD_DONE;
	}
	dst.pitch = FIELD_GET(FAST_COPY_PITCH, dw[1]);
	src.pitch = FIELD_GET(FAST_COPY_PITCH, dw[7]);
	return copy_surface(ctx, dw, 3, &dst, &src,
			    bytes[FIELD_GET(FAST_COPY_DEPTH, dw[1])]);
}

/* XY_BLOCK_COPY_BLT, of which the driver's headers have nothing */
#define BLOCK_COPY_DEPTH	GENMASK(21, 19)
#define BLOCK_COPY_PITCH	GENMASK(17, 0)	/* in bytes, minus one */
#define BLOCK_COPY_TILING	GENMASK(31, 30)
#define BLOCK_COPY_OFFSETS	(GENMASK(29, 16) | GENMASK(13, 0))
#define BLOCK_COPY_LENGTH	22		/* since Xe2 */

int xe_block_copy(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len)
{
	static const uint8_t bytes[8] = { 1, 2, 4, 8, 12, 16, 0, 0 };
	struct surface dst = { .at = 4, .corner = 2 };
	struct surface src = { .at = 9, .corner = 7 };
	uint32_t depth;

	if (len < BLOCK_COPY_LENGTH)
		return short_command(ctx);
	depth = bytes[FIELD_GET(BLOCK_COPY_DEPTH, dw[0])];
	/* Offsets are those within a tile. */
	if (!depth || (dw[1] | dw[8]) & BLOCK_COPY_TILING ||
	    (dw[6] | dw[11]) & BLOCK_COPY_OFFSETS) {
		trace(TRACE_NOTE, "tiled XY_BLOCK_COPY_BLT is not modelled");
		return XE_CMD_DONE;
	}
	dst.pitch = FIELD_GET(BLOCK_COPY_PITCH, dw[1]) + 1ull;
	src.pitch = FIELD_GET(BLOCK_COPY_PITCH, dw[8]) + 1ull;
	return copy_surface(ctx, dw, 3, &dst, &src, depth);
}
