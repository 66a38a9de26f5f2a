// SPDX-License-Identifier: GPL-2.0-only
/* The copy engine: against memcpy() and memset(), with canaries around. */
#include "tap.h"
#include "xe/cmd.h"
#include "xe/ctx.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define VA		0x4000000000ull
#define SRC		VA
#define DST		(VA + HW_GIB(1))
#define CANARY		0xc5
#define BUF_SIZE	HW_MIB(1)

static struct rig rig;
static struct rig_ctx ctx;
static struct rig_buf src, dst;

static void setup_in(enum rig_where from, enum rig_where to)
{
	rig_init(&rig, NULL, NULL);
	rig_ctb(&rig, RIG_RAM, 1024, 1024);
	rig_ctx(&rig, &ctx, 1, GUC_BLITTER_CLASS, 1);
	src = rig_buf(&rig, from, BUF_SIZE);
	dst = rig_buf(&rig, to, BUF_SIZE);
	rig_map(&rig, ctx.root, SRC, &src, false);
	rig_map(&rig, ctx.root, DST, &dst, true);
	for (uint64_t i = 0; i < BUF_SIZE; i++)
		src.host[i] = i * 31 + i / 256;
	memset(dst.host, CANARY, BUF_SIZE);
}

static void setup(void)
{
	setup_in(RIG_VRAM, RIG_VRAM);
}

/* All of the destination is the canary but for @rows of @width, @pitch apart. */
static bool only(uint64_t at, uint64_t width, uint64_t rows, uint64_t pitch)
{
	for (uint64_t i = 0; i < BUF_SIZE; i++) {
		uint64_t row = i < at ? rows : (i - at) / pitch;

		if (row < rows && (i - at) % pitch < width)
			continue;
		if (dst.host[i] != CANARY) {
			printf("#   byte %#llx was written\n",
			       (unsigned long long)i);
			return false;
		}
	}
	return true;
}

static void copy(uint32_t flags, uint64_t width, uint64_t height,
		 uint64_t src_pitch, uint64_t dst_pitch, uint64_t from,
		 uint64_t to)
{
	EMIT(&ctx, MEM_COPY_CMD | flags | 8, width - 1, height - 1,
	     src_pitch - 1, dst_pitch - 1, LO(from), HI(from), LO(to), HI(to),
	     0);
	rig_submit(&ctx);
}

static void linear_copy(void)
{
	static const uint32_t sizes[] = { 1, 3, 4095, 4096, 4097, 65536, 700001 };

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(dst.host, CANARY, BUF_SIZE);
		copy(0, sizes[i], 1, 1, 1, SRC + 77, DST + 1000);
		expect(rig_idle(&ctx));
		expect(!memcmp(dst.host + 1000, src.host + 77, sizes[i]));
		expect(only(1000, sizes[i], 1, BUF_SIZE));
	}
	expect(rig.vf->stats.bytes_copied ==
	       1 + 3 + 4095 + 4096 + 4097 + 65536 + 700001);
	rig_free(&rig);
}

static void page_copy(void)
{
	setup();
	/* The width counts 256 bytes; other fields are not looked at. */
	copy(MEM_COPY_PAGE_COPY_MODE, 0x30, 77, 88, 99, SRC + 0x2000,
	     DST + 0x5000);
	expect(rig_idle(&ctx));
	expect(!memcmp(dst.host + 0x5000, src.host + 0x2000, 0x3000));
	expect(only(0x5000, 0x3000, 1, BUF_SIZE));
	rig_free(&rig);
}

static void matrix_copy(void)
{
	uint64_t row;

	setup();
	copy(MEM_COPY_MATRIX_COPY, 100, 60, 4000, 333, SRC + 5, DST + 7);
	expect(rig_idle(&ctx));
	for (row = 0; row < 60; row++)
		expect(!memcmp(dst.host + 7 + 333 * row,
			       src.host + 5 + 4000 * row, 100));
	expect(only(7, 100, 60, 333));

	/* Rows that touch are one long row, on one side or on both. */
	memset(dst.host, CANARY, BUF_SIZE);
	copy(MEM_COPY_MATRIX_COPY, 4096, 16, 4096, 4096, SRC, DST);
	expect(!memcmp(dst.host, src.host, 65536));
	expect(only(0, 65536, 1, BUF_SIZE));
	memset(dst.host, CANARY, BUF_SIZE);
	copy(MEM_COPY_MATRIX_COPY, 4096, 16, 4096, 8192, SRC, DST);
	for (row = 0; row < 16; row++)
		expect(!memcmp(dst.host + 8192 * row, src.host + 4096 * row,
			       4096));
	expect(only(0, 4096, 16, 8192));
	rig_free(&rig);
}

static void fill(void)
{
	uint64_t row, i;

	setup();
	EMIT(&ctx, PVC_MEM_SET_CMD | 5, 700000 - 1, 0, 0, LO(DST + 3),
	     HI(DST + 3), 0x5au << 24);
	rig_submit(&ctx);
	expect(rig_idle(&ctx));
	for (i = 3; i < 700003; i++)
		expect_eq(dst.host[i], 0x5a);
	expect(only(3, 700000, 1, BUF_SIZE));

	memset(dst.host, CANARY, BUF_SIZE);
	EMIT(&ctx, PVC_MEM_SET_CMD | PVC_MEM_SET_MATRIX | 5, 10 - 1, 300 - 1,
	     1000 - 1, LO(DST + 9), HI(DST), 0xa5u << 24 | 0x1e);
	rig_submit(&ctx);
	expect(rig_idle(&ctx));
	for (row = 0; row < 300; row++)
		for (i = 0; i < 10; i++)
			expect_eq(dst.host[9 + 1000 * row + i], 0xa5);
	expect(only(9, 10, 300, 1000));
	expect_eq(rig.vf->stats.bytes_filled, 700000 + 3000);
	rig_free(&rig);
}

static void other_memory(void)
{
	static const enum rig_where kinds[] = { RIG_VRAM, RIG_RAM, RIG_REMOTE };

	for (int i = 0; i < 9; i++) {
		setup_in(kinds[i / 3], kinds[i % 3]);
		copy(0, 300000, 1, 1, 1, SRC + 1, DST + 2);
		expect(rig_idle(&ctx));
		expect(!memcmp(dst.host + 2, src.host + 1, 300000));
		expect(only(2, 300000, 1, BUF_SIZE));
		EMIT(&ctx, PVC_MEM_SET_CMD | 5, 5000 - 1, 0, 0, LO(DST),
		     HI(DST), (uint32_t)CANARY << 24);
		rig_submit(&ctx);
		expect(only(5000, 300002 - 5000, 1, BUF_SIZE));
		rig_free(&rig);
	}
}

/*
 * 2 GiB by a mapping of the same 2 MiB again and again: more than a turn, so it
 * is done in pieces between which other contexts run.
 */
static void budget(void)
{
	struct rig_ctx other;
	struct rig_buf note;
	unsigned int turns = 0;
	uint64_t i;

	setup();
	while (rig.used[RIG_VRAM] % HW_MIB(2))
		rig_buf(&rig, RIG_VRAM, HW_PAGE_SIZE);
	note = rig_buf(&rig, RIG_VRAM, HW_MIB(2));
	for (i = 0; i < HW_GIB(2); i += HW_MIB(2))
		rig_map_entry(&rig, ctx.root, HW_GIB(64) + i, 1,
			      note.addr | XE_PAGE_PRESENT | XE_PAGE_RW |
			      XE_PPGTT_PTE_DM | XE_PDE_PS_2M);
	rig_ctx(&rig, &other, 2, GUC_RENDER_CLASS, 1);
	EMIT(&ctx, PVC_MEM_SET_CMD | PVC_MEM_SET_MATRIX | 5, 0x20000 - 1,
	     (HW_GIB(2) >> 17) - 1, 0x20000 - 1, LO(HW_GIB(64)), HI(HW_GIB(64)),
	     0x77u << 24);
	EMIT(&ctx, MI_STORE_DATA_IMM | MI_SDI_GGTT | MI_SDI_NUM_DW(1),
	     LO(src.ggtt), HI(src.ggtt), 0x1234);
	rig_schedule(&ctx);
	expect_eq(rig_turn(&rig), 0);
	expect(!rig_idle(&ctx));
	expect_eq(rig.vf->stats.bytes_filled, 0);
	/* Meanwhile the other one is done within a turn. */
	EMIT(&other, MI_STORE_DATA_IMM | MI_SDI_GGTT | MI_SDI_NUM_DW(1),
	     LO(dst.ggtt), HI(dst.ggtt), 0x5678);
	rig_schedule(&other);
	rig_turn(&rig);
	expect(rig_idle(&other));
	expect_eq(rig_dw(&dst, 0), 0x5678);
	expect(!rig_idle(&ctx));
	while (!rig_idle(&ctx) && turns < 10000) {
		rig_turn(&rig);
		turns++;
	}
	expect(rig_idle(&ctx));
	expect(turns > 10);
	expect_eq(rig.vf->stats.bytes_filled, HW_GIB(2));
	for (i = 0; i < note.size; i++)
		expect_eq(note.host[i], 0x77);
	expect_eq(rig_dw(&src, 0), 0x1234);
	rig_free(&rig);
}

/* The piece after the pause starts where the one before it ended. */
static void resumed(void)
{
	uint64_t i, n = 0, rows = 0x20000;

	setup();
	/* Rows of 5 bytes, 8 apart: a turn does 8192 or so of them. */
	EMIT(&ctx, MEM_COPY_CMD | MEM_COPY_MATRIX_COPY | 8, 5 - 1, rows - 1,
	     7 - 1, 8 - 1, LO(SRC), HI(SRC), LO(DST), HI(DST), 0);
	rig_schedule(&ctx);
	while (!rig_idle(&ctx) && n < 1000) {
		rig_turn(&rig);
		n++;
	}
	expect(n > 5 && n < 1000);
	for (i = 0; i < rows; i++)
		expect(!memcmp(dst.host + 8 * i, src.host + 7 * i, 5));
	expect(only(0, 5, rows, 8));
	rig_free(&rig);
}

/* A page fault in the middle: after its repair the rest is done. */
static void fault_in_the_middle(void)
{
	uint32_t msg[256];

	setup();
	rig_unmap(&rig, ctx.root, SRC + HW_KIB(512), HW_PAGE_SIZE);
	copy(0, BUF_SIZE, 1, 1, 1, SRC, DST);
	expect(!rig_idle(&ctx));
	expect_eq(rig_g2h(&rig, msg), 5);
	expect_eq(msg[1] & 0xffff, XE_GUC_ACTION_REPORT_PAGE_FAULT_REQ_DESC);
	expect_eq(msg[4] & ~0xfffu, LO(SRC + HW_KIB(512)));
	expect_eq(msg[5], HI(SRC));
	rig_map(&rig, ctx.root, SRC, &src, false);
	rig_send(&rig, GUC_HXG_TYPE_FAST_REQUEST,
		 XE_GUC_ACTION_PAGE_FAULT_RES_DESC, 1, ctx.id << 16, 0, 0);
	expect(rig_idle(&ctx));
	expect(!memcmp(dst.host, src.host, BUF_SIZE));
	rig_free(&rig);
}

static void fast_copy(uint32_t bits0, uint32_t bits1, uint32_t depth)
{
	uint64_t from = SRC + 0x1000, to = DST + 0x2000;

	/* 40 x 20 pixels from (3, 2) to (5, 7). */
	EMIT(&ctx, XY_FAST_COPY_BLT_CMD | bits0 | 8, depth << 24 | bits1 | 2048,
	     7 << 16 | 5, 27 << 16 | 45, LO(to), HI(to), 2 << 16 | 3, 1024,
	     LO(from), HI(from));
	rig_submit(&ctx);
}

static void surfaces(void)
{
	static const unsigned int bytes[] = { 1, 2, 4, 4, 8, 16 };

	setup();
	for (unsigned int depth = 0; depth < 6; depth++) {
		unsigned int n = bytes[depth], at = 0x2000 + 7 * 2048 + 5 * n;

		memset(dst.host, CANARY, BUF_SIZE);
		fast_copy(0, 0, depth);
		expect(rig_idle(&ctx));
		for (int y = 0; y < 20; y++)
			expect(!memcmp(dst.host + at + 2048 * y, src.host +
				       0x1000 + (2 + y) * 1024 + 3 * n, 40 * n));
		expect(only(at, 40 * n, 20, 2048));
	}
	rig_free(&rig);
}

static void no_surfaces(void)
{
	static const struct {
		uint32_t bits0, bits1;
	} tiled[] = {
		{ 1 << 20, 0 }, { 2 << 20, 0 }, { 1 << 13, 0 }, { 2 << 13, 0 },
		{ 1 << 20, XY_FAST_COPY_BLT_D1_SRC_TILE4 },
		{ 1 << 13, XY_FAST_COPY_BLT_D1_DST_TILE4 },
	};

	/* Tiled ones are not modelled: nothing is better than garbage. */
	setup();
	for (size_t i = 0; i < ARRAY_SIZE(tiled); i++) {
		fast_copy(tiled[i].bits0, tiled[i].bits1, 3);
		expect(rig_idle(&ctx));
		expect(only(0, 0, 1, BUF_SIZE));
	}
	/* Control: bits that only tell which tiling, where there is none. */
	fast_copy(0, XY_FAST_COPY_BLT_D1_SRC_TILE4 |
		  XY_FAST_COPY_BLT_D1_DST_TILE4, 3);
	expect(rig_idle(&ctx));
	expect(only(0x2000 + 7 * 2048 + 5 * 4, 40 * 4, 20, 2048));
	/* An empty rectangle. */
	memset(dst.host, CANARY, BUF_SIZE);
	EMIT(&ctx, XY_FAST_COPY_BLT_CMD | 8, 3 << 24 | 2048, 5, 7 << 16 | 5,
	     LO(DST), HI(DST), 0, 1024, LO(SRC), HI(SRC));
	rig_submit(&ctx);
	expect(rig_idle(&ctx));
	expect(only(0, 0, 1, BUF_SIZE));
	rig_free(&rig);
}

#define BLOCK_COPY	(2u << 29 | XE_XY_BLOCK_COPY_BLT << 22)

/*
 * 40 x 20 pixels from (3, 2) to (5, 7). The upper bits of an address are as Mesa has
 * them; the last ten dwords describe surfaces.
 */
static void block_copy(uint32_t depth, uint32_t tiling, uint32_t offsets)
{
	uint64_t from = SRC + 0x1000, to = DST + 0x2000;

	EMIT(&ctx, BLOCK_COPY | depth << 19 | 20, (tiling & 3) << 30 | (2048 - 1),
	     7 << 16 | 5, 27 << 16 | 45, LO(to), HI(to) | 0xffff0000, offsets,
	     2 << 16 | 3, tiling >> 2 << 30 | (1024 - 1), LO(from),
	     HI(from) | 0xffff0000, 0,
	     0, 0, 0, 0, 1u << 29, 0, 0, 1u << 29, 0, 0);
	rig_submit(&ctx);
}

static void blocks(void)
{
	static const unsigned int bytes[] = { 1, 2, 4, 8, 12, 16 };

	setup();
	for (unsigned int depth = 0; depth < 6; depth++) {
		unsigned int n = bytes[depth], at = 0x2000 + 7 * 2048 + 5 * n;

		memset(dst.host, CANARY, BUF_SIZE);
		/* The bit of the memory's kind is no offset. */
		block_copy(depth, 0, 1u << 31);
		expect(rig_idle(&ctx));
		for (int y = 0; y < 20; y++)
			expect(!memcmp(dst.host + at + 2048 * y, src.host +
				       0x1000 + (2 + y) * 1024 + 3 * n, 40 * n));
		expect(only(at, 40 * n, 20, 2048));
	}
	/* Not modelled: tiles on either side, places in a tile, no such depth. */
	memset(dst.host, CANARY, BUF_SIZE);
	for (unsigned int tiling = 1; tiling < 16; tiling++)
		block_copy(2, tiling, 0);
	block_copy(2, 0, 1);
	block_copy(2, 0, 1 << 16);
	block_copy(6, 0, 0);
	expect(rig_idle(&ctx));
	expect(only(0, 0, 1, BUF_SIZE));
	rig_free(&rig);
}

static void errors(void)
{
	static const uint32_t commands[] = {
		MEM_COPY_CMD | 6, PVC_MEM_SET_CMD | 4, XY_FAST_COPY_BLT_CMD | 7,
		BLOCK_COPY | 19,
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		setup();
		EMIT(&ctx, commands[i], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		     0, 0, 0, 0, 0, 0);
		rig_submit(&ctx);
		expect(rig_event(&rig, XE_GUC_ACTION_NOTIFY_MEMORY_CAT_ERROR,
				 1));
		rig_free(&rig);
	}
	/* The source of SRC is read-only. */
	setup();
	copy(0, 16, 1, 1, 1, DST, SRC);
	expect_eq(rig_g2h(&rig, (uint32_t[256]){ 0 }), 5);
	expect(!rig_idle(&ctx));
	rig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "MEM_COPY: linear", linear_copy },
	{ "MEM_COPY: pages", page_copy },
	{ "MEM_COPY: matrices with unequal pitches", matrix_copy },
	{ "MEM_SET: linear and matrix", fill },
	{ "each kind of memory, also that only messages reach", other_memory },
	{ "a long one leaves turns to others", budget },
	{ "it goes on where it was", resumed },
	{ "a page fault in the middle is repaired", fault_in_the_middle },
	{ "XY_FAST_COPY_BLT: linear, each depth", surfaces },
	{ "XY_BLOCK_COPY_BLT: linear, each depth, and nothing else", blocks },
	{ "XY_FAST_COPY_BLT: tiled or empty ones do nothing", no_surfaces },
	{ "commands that are too short, memory that is read-only", errors },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
