// SPDX-License-Identifier: GPL-2.0-only
/* Each place where the model can be told to fail does so, when it should. */
#include "amdgpu_rig.h"
#include "tap.h"

#define VA	0x100000000ull
#define P3(op, n) PACKET3(PACKET3_##op, n)
#define SDMA(op, extra) SDMA_PACKET(SDMA_OPCODE_##op, 0, (uint32_t)(extra))

static struct arig rig;
static struct arig_buf mem, ib;

static void setup(const char *spec)
{
	struct inject inject = { .nr = 0 };

	if (inject_add(&inject, spec, cik_inject_points))
		hw_die(1, "%s", spec);
	arig_init(&rig, NULL, &inject);
	arig_setup(&rig);
	mem = arig_buf(&rig, ARIG_RAM, HW_PAGE_SIZE);
	ib = arig_buf(&rig, ARIG_RAM, HW_PAGE_SIZE);
	arig_map(&rig, VA, &ib, ARIG_RW);
}

/* A job as the driver writes one: an IB, the fence, the interrupt. */
static void emit(enum arig_engine engine, uint32_t seqno)
{
	switch (engine) {
	case ARIG_SDMA0:
	case ARIG_SDMA1:
		AIB(&ib, 0, 0);
		AEMIT(&rig, engine, SDMA(INDIRECT_BUFFER, ARIG_VMID), LO(VA),
		      HI(VA), 1, SDMA(FENCE, 0), LO(mem.mc), HI(mem.mc), seqno,
		      SDMA(TRAP, 0));
		break;
	case ARIG_GFX:
		AIB(&ib, 0, P3(NOP, 0x3fff));
		AEMIT(&rig, engine, P3(INDIRECT_BUFFER, 2), LO(VA), HI(VA),
		      1 | ARIG_VMID << 24, P3(EVENT_WRITE_EOP, 4), 0x500,
		      LO(mem.mc + 64), HI(mem.mc) | DATA_SEL(1u), seqno - 1, 0,
		      P3(EVENT_WRITE_EOP, 4), 0x500, LO(mem.mc),
		      HI(mem.mc) | DATA_SEL(1u) | INT_SEL(2), seqno, 0);
		break;
	case ARIG_COMPUTE:
		AIB(&ib, 0, P3(NOP, 0x3fff));
		AEMIT(&rig, engine, P3(INDIRECT_BUFFER, 2), LO(VA), HI(VA),
		      1 | ARIG_VMID << 24, P3(RELEASE_MEM, 5), 0x500,
		      DATA_SEL(1u) | INT_SEL(2), LO(mem.mc), HI(mem.mc), seqno,
		      0);
		break;
	}
}

static int job(enum arig_engine engine, uint32_t seqno)
{
	emit(engine, seqno);
	return arig_submit(&rig, engine);
}

static const struct {
	enum arig_engine engine;
	const char *key;
	unsigned int source, ring_id;
} engines[] = {
	{ ARIG_GFX, "0", 181, 0 },
	{ ARIG_SDMA0, "1", 224, 0 },
	{ ARIG_SDMA1, "2", 224, 1 },
	/* pipe 1, queue 2 */
	{ ARIG_COMPUTE, "13", 181, 0x25 },
};

static const char *spec(const char *point, size_t i, const char *rest)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s=%s%s", point, engines[i].key, rest);
	return text;
}

static void fences_lost(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		setup(spec("fence-drop", i, "@2"));
		job(engines[i].engine, 1);
		expect_eq(arig_dw(&mem, 0), 1);
		/* The job is done, and nobody can tell. */
		job(engines[i].engine, 2);
		expect(arig_idle(&rig, engines[i].engine));
		expect_eq(arig_dw(&mem, 0), 1);
		job(engines[i].engine, 3);
		expect_eq(arig_dw(&mem, 0), 3);
		for (int n = 0; n < 3; n++)
			expect(arig_expect_iv(&rig, engines[i].source,
					      engines[i].ring_id));
		arig_free(&rig);
	}
}

static void fences_late(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		uint64_t start;

		setup(spec("fence-delay", i, "@1,ms=20"));
		start = hw_now();
		expect(job(engines[i].engine, 1) > 1);
		expect_eq(arig_dw(&mem, 0), 0);
		while (!arig_dw(&mem, 0) && hw_now() - start < 2000000000)
			arig_turn(&rig);
		expect_eq(arig_dw(&mem, 0), 1);
		expect(hw_now() - start >= 20000000);
		job(engines[i].engine, 2);
		expect_eq(arig_dw(&mem, 0), 2);
		arig_free(&rig);
	}
}

static void interrupts_lost(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		setup(spec("irq-drop", i, "@1"));
		job(engines[i].engine, 1);
		expect_eq(arig_dw(&mem, 0), 1);
		expect(!arig_iv(&rig, &(struct arig_iv){ 0 }));
		job(engines[i].engine, 2);
		expect(arig_expect_iv(&rig, engines[i].source,
				      engines[i].ring_id));
		arig_free(&rig);
	}
}

static void stand_still(const char *point)
{
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		size_t other = (i + 1) % ARRAY_SIZE(engines);

		setup(spec(point, i, "@2"));
		job(engines[i].engine, 1);
		job(engines[i].engine, 2);
		expect(!arig_idle(&rig, engines[i].engine));
		expect_eq(arig_dw(&mem, 0), 1);
		/* Others go on. */
		job(engines[other].engine, 7);
		expect_eq(arig_dw(&mem, 0), 7);
		/* A reset ends it. */
		pci_reset(&rig.cik->pci);
		arig_start(&rig);
		job(engines[i].engine, 3);
		expect_eq(arig_dw(&mem, 0), 3);
		arig_free(&rig);
	}
}

static void hangs(void)
{
	stand_still("engine-hang");
}

static void stalls(void)
{
	stand_still("ring-stall");
}

static void faults(void)
{
	struct arig_iv iv;

	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		setup(spec("vm-fault", i, "@1"));
		job(engines[i].engine, 1);
		expect(arig_iv(&rig, &iv));
		expect_eq(iv.source, 146);
		expect_eq(iv.vmid, ARIG_VMID);
		/* It goes on with the dummy page. */
		expect(arig_expect_iv(&rig, engines[i].source,
				      engines[i].ring_id));
		expect_eq(arig_dw(&mem, 0), 1);
		expect_eq(rig.cik->stats.faults, 1);
		job(engines[i].engine, 2);
		expect_eq(rig.cik->stats.faults, 1);
		arig_free(&rig);
	}
}

/* A rule for another ring does nothing here. */
static void other_rings(void)
{
	static const char *const points[] = { "fence-drop=2@0", "irq-drop=2@0",
					      "engine-hang=2@0",
					      "ring-stall=2@0",
					      "vm-fault=2@0" };

	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		setup(points[i]);
		job(ARIG_SDMA0, 1);
		expect_eq(arig_dw(&mem, 0), 1);
		expect(arig_expect_iv(&rig, 224, 0));
		expect_eq(rig.cik->stats.faults, 0);
		arig_free(&rig);
	}
}

static const struct tap_test tests[] = {
	{ "fence-drop, of each engine", fences_lost },
	{ "fence-delay, of each engine", fences_late },
	{ "irq-drop, of each engine", interrupts_lost },
	{ "engine-hang, of each engine", hangs },
	{ "ring-stall, of each engine", stalls },
	{ "vm-fault, of each engine", faults },
	{ "other rings are left alone", other_rings },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
