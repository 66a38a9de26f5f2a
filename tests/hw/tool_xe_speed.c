// SPDX-License-Identifier: GPL-2.0-only
/*
 * tool_xe_speed: how fast the model of the Battlemage VF clears and copies VRAM,
 * and executes commands, without a VM around it. One JSON object a line:
 *
 *   @speed {"what": "clear VRAM", "unit": "GB/s", "value": 8.1}
 *
 * The page tables have 4 KiB entries, which is the slowest layout. Figures are of
 * this machine and of this moment, for make bench; nothing is judged here.
 */
#include "tap.h"
#include "xe/cmd.h"
#include "xe/ctx.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define AREA	HW_MIB(64)
#define ROUNDS	16
#define NOPS	(HW_MIB(4) / 4)
#define PITCH	HW_KIB(64)

#define SRC_VA	HW_GIB(1)
#define DST_VA	HW_GIB(2)
#define BATCH_VA HW_GIB(3)

struct bench {
	struct rig rig;
	struct rig_ctx ctx;
	struct rig_buf src, dst, batch;
};

static void say(const char *what, const char *unit, double value)
{
	printf("@speed {\"what\": \"%s\", \"unit\": \"%s\", \"value\": %.1f}\n",
	       what, unit, value);
}

/* Runs what is in the batch; seconds. */
static double run(struct bench *b)
{
	uint64_t start = hw_now();

	EMIT(&b->ctx, MI_BATCH_BUFFER_START | BIT(8) | 1, LO(BATCH_VA),
	     HI(BATCH_VA));
	rig_submit(&b->ctx);
	/* A context that only executes is given pauses: do without them. */
	while (!rig_idle(&b->ctx)) {
		rig_turn(&b->rig);
		if (b->rig.vf->stats.faults) {
			fprintf(stderr, "tool_xe_speed: %s\n",
				b->rig.vf->fault.what);
			exit(1);
		}
	}
	return (hw_now() - start) / 1e9;
}

static void clear(struct bench *b)
{
	unsigned int i, at = 0;

	for (i = 0; i < ROUNDS; i++)
		at = BATCH(&b->batch, at, PVC_MEM_SET_CMD | PVC_MEM_SET_MATRIX | 5,
			   PITCH - 1, AREA / PITCH - 1, PITCH - 1, LO(DST_VA),
			   HI(DST_VA), FIELD_PREP(PVC_MEM_SET_DATA_FIELD, i));
	BATCH(&b->batch, at, MI_BATCH_BUFFER_END);
	say("clear VRAM", "GB/s", ROUNDS * AREA / 1e9 / run(b));
}

static void copy(struct bench *b)
{
	unsigned int i, at = 0;

	for (i = 0; i < ROUNDS; i++)
		at = BATCH(&b->batch, at, MEM_COPY_CMD | MEM_COPY_PAGE_COPY_MODE | 8,
			   AREA / 256 - 1, 0, 0, 0, LO(SRC_VA), HI(SRC_VA),
			   LO(DST_VA), HI(DST_VA), 0);
	BATCH(&b->batch, at, MI_BATCH_BUFFER_END);
	say("copy VRAM", "GB/s", ROUNDS * AREA / 1e9 / run(b));
}

static void nops(struct bench *b)
{
	memset(b->batch.host, 0, NOPS * 4);
	BATCH(&b->batch, NOPS, MI_BATCH_BUFFER_END);
	say("execute MI_NOOP", "million/s", NOPS / 1e6 / run(b));
}

int main(void)
{
	struct xe_config config = rig_config;
	struct bench b;

	config.vram = HW_MIB(256);
	rig_init(&b.rig, &config, NULL);
	rig_ctb(&b.rig, RIG_RAM, 1024, 4096);
	rig_ctx(&b.rig, &b.ctx, 1, GUC_BLITTER_CLASS, 1);
	b.src = rig_buf(&b.rig, RIG_VRAM, AREA);
	b.dst = rig_buf(&b.rig, RIG_VRAM, AREA);
	b.batch = rig_buf(&b.rig, RIG_VRAM, HW_MIB(5));
	rig_map(&b.rig, b.ctx.root, SRC_VA, &b.src, true);
	rig_map(&b.rig, b.ctx.root, DST_VA, &b.dst, true);
	rig_map(&b.rig, b.ctx.root, BATCH_VA, &b.batch, true);
	clear(&b);
	copy(&b);
	nops(&b);
	rig_free(&b.rig);
	return 0;
}
