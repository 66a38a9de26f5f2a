// SPDX-License-Identifier: GPL-2.0-only
/*
 * tool_amdgpu_speed: how fast the model of the Bonaire clears and copies VRAM, and
 * executes packets, without a VM around it. One JSON object a line:
 *
 *   @speed {"what": "clear VRAM", "unit": "GB/s", "value": 8.1}
 *
 * All is done by IBs of user space, whose page tables have 4 KiB entries. Figures
 * are of this machine and of this moment, for make bench; nothing is judged here.
 */
#include "amdgpu_rig.h"
#include "tap.h"

#define AREA	HW_MIB(64)
#define ROUNDS	16
#define NOPS	(HW_MIB(2) / 4)
#define WRITES	(HW_MIB(2) / 32)

#define SRC_VA	HW_GIB(1)
#define DST_VA	HW_GIB(2)
#define IB_VA	HW_GIB(3)

struct bench {
	struct arig rig;
	struct arig_buf src, dst, ib;
};

static void say(const char *what, const char *unit, double value)
{
	printf("@speed {\"what\": \"%s\", \"unit\": \"%s\", \"value\": %.1f}\n",
	       what, unit, value);
}

/* Runs what is in the IB so many times; seconds. */
static double run(struct bench *b, enum arig_engine engine, unsigned int dwords,
		  unsigned int times)
{
	uint64_t start = hw_now();

	while (times--) {
		if (engine == ARIG_SDMA0)
			AEMIT(&b->rig, engine,
			      SDMA_PACKET(SDMA_OPCODE_INDIRECT_BUFFER, 0,
					  ARIG_VMID), LO(IB_VA), HI(IB_VA),
			      dwords);
		else
			AEMIT(&b->rig, engine,
			      PACKET3(PACKET3_INDIRECT_BUFFER, 2), LO(IB_VA),
			      HI(IB_VA), dwords | ARIG_VMID << 24);
		arig_submit(&b->rig, engine);
		if (!arig_idle(&b->rig, engine) || b->rig.cik->stats.faults)
			hw_die(1, "tool_amdgpu_speed: %s",
			       b->rig.cik->fault.what ?: "not done");
	}
	return (hw_now() - start) / 1e9;
}

static void clear(struct bench *b)
{
	AIB(&b->ib, 0, SDMA_OPCODE_CONSTANT_FILL, LO(DST_VA), HI(DST_VA), 0,
	    AREA);
	say("clear VRAM", "GB/s", ROUNDS * AREA / 1e9 /
	    run(b, ARIG_SDMA0, 5, ROUNDS));
}

static void copy(struct bench *b)
{
	AIB(&b->ib, 0, SDMA_OPCODE_COPY, AREA, 0, LO(SRC_VA), HI(SRC_VA),
	    LO(DST_VA), HI(DST_VA));
	say("copy VRAM", "GB/s", ROUNDS * AREA / 1e9 /
	    run(b, ARIG_SDMA0, 7, ROUNDS));
}

static void nops(struct bench *b)
{
	unsigned int i;

	memset(b->ib.host, 0, NOPS * 4);
	say("execute SDMA NOP", "million/s", ROUNDS * (NOPS / 1e6) /
	    run(b, ARIG_SDMA0, NOPS, ROUNDS));
	for (i = 0; i < NOPS; i++)
		AIB(&b->ib, i, PACKET3(PACKET3_NOP, 0x3fff));
	say("execute PM4 NOP", "million/s", ROUNDS * (NOPS / 1e6) /
	    run(b, ARIG_GFX, NOPS, ROUNDS));
}

static void writes(struct bench *b)
{
	unsigned int i, at = 0;

	for (i = 0; i < WRITES; i++)
		at = AIB(&b->ib, at, PACKET3(PACKET3_WRITE_DATA, 3),
			 WRITE_DATA_DST_SEL(5), LO(DST_VA + 4 * i), HI(DST_VA),
			 i);
	say("execute WRITE_DATA", "million/s", ROUNDS * (WRITES / 1e6) /
	    run(b, ARIG_GFX, at, ROUNDS));
}

int main(void)
{
	struct cik_config config = arig_config;
	struct bench b;

	config.vram = HW_MIB(256);
	arig_init(&b.rig, &config, NULL);
	arig_setup(&b.rig);
	b.src = arig_buf(&b.rig, ARIG_VRAM, AREA);
	b.dst = arig_buf(&b.rig, ARIG_VRAM, AREA);
	b.ib = arig_buf(&b.rig, ARIG_VRAM, HW_MIB(2));
	arig_map(&b.rig, SRC_VA, &b.src, ARIG_RW);
	arig_map(&b.rig, DST_VA, &b.dst, ARIG_RW);
	arig_map(&b.rig, IB_VA, &b.ib, ARIG_RW);
	clear(&b);
	copy(&b);
	nops(&b);
	writes(&b);
	arig_free(&b.rig);
	return 0;
}
