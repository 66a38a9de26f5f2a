// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes as commands and page tables of a context. An input is a header of eight
 * bytes, then page table entries, then dwords of the ring and of a batch.
 *
 * All memory that there is for it is at the same low addresses in the GGTT and
 * the PPGTT, page tables included, so that commands can change them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/trace.h"
#include "fuzzer.h"
#include "log.h"
#include "xe/cmd.h"
#include "xe/ctx.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define PAGES		8	/* of data */
#define DATA		0x10000u
#define CODE		0x20000u	/* and a page that is not there after it */
#define TABLES		0x30000u	/* the five tables of DATA's address */
#define REMOTE		0x40000u
#define RING		0x50000u
#define RING_DWORDS	128
#define LRC		0x60000u
#define MANY		4000	/* commands, of an input */

/**
 * struct header - the first bytes of an input
 * @engine: which one
 * @patches: page table entries that follow, each ten bytes
 * @ring: dwords of the ring that follow them; the rest is the batch
 * @steps: what happens between the turns
 */
struct header {
	uint8_t engine;
	uint8_t patches;
	uint8_t ring;
	uint8_t steps[5];
};

enum step {
	STEP_TURN, STEP_REPAIR, STEP_REFUSE, STEP_KICK, STEP_STOP, STEP_START,
	STEP_RESET, STEP_AGAIN, STEPS
};

static struct rig rig;
static struct rig_buf data, batch, tables, remote, ring, lrc;
static bool patched = true;
static bool faulted, repaired, cat_error, interrupted, moved;

static void map(uint32_t va, const struct rig_buf *buf)
{
	uint64_t *table = (uint64_t *)tables.host;
	uint64_t i;

	for (i = 0; i < buf->size / HW_PAGE_SIZE; i++) {
		uint64_t addr = buf->addr + i * HW_PAGE_SIZE;
		bool vram = buf->where == RIG_VRAM;

		rig_set_pte(&rig, va + i * HW_PAGE_SIZE, addr |
			    XE_PAGE_PRESENT | (vram ? XE_GGTT_PTE_DM : 0));
		table[va / HW_PAGE_SIZE + i] = addr | XE_PAGE_PRESENT |
					       XE_PAGE_RW |
					       (vram ? XE_PPGTT_PTE_DM : 0);
	}
}

/* The first page is level 0, the last one the root. */
static void reset_tables(void)
{
	uint64_t *table = (uint64_t *)tables.host;

	memset(table, 0, tables.size);
	for (int level = 1; level < 5; level++)
		table[512 * level] = (tables.addr + (level - 1) * HW_PAGE_SIZE) |
				     XE_PAGE_PRESENT | XE_PAGE_RW;
	map(DATA, &data);
	map(CODE, &batch);
	map(TABLES, &tables);
	map(REMOTE, &remote);
	/* A page of zeroes, and one that can only be read. */
	table[0x18] = XE_PAGE_PRESENT | XE_PAGE_RW | XE_PTE_NULL;
	table[0x19] = data.addr | XE_PAGE_PRESENT | XE_PPGTT_PTE_DM;
}

static void setup(void)
{
	struct xe_config config = rig_config;

	config.vram = HW_MIB(2);
	rig_init(&rig, &config, NULL);
	data = rig_buf(&rig, RIG_VRAM, PAGES * HW_PAGE_SIZE);
	batch = rig_buf(&rig, RIG_VRAM, HW_PAGE_SIZE);
	tables = rig_buf(&rig, RIG_VRAM, 5 * HW_PAGE_SIZE);
	remote = rig_buf(&rig, RIG_REMOTE, 2 * HW_PAGE_SIZE);
	ring = rig_buf(&rig, RIG_RAM, HW_PAGE_SIZE);
	lrc = rig_buf(&rig, RIG_RAM, 2 * HW_PAGE_SIZE);
	rig_ctb(&rig, RIG_RAM, 1024, 1024);
	reset_tables();
	map(RING, &ring);
	map(LRC, &lrc);
	/* Names of commands, for fuzz_missing(). */
	log_start("cmd");
}

static void enable_rings(void)
{
	rig_ctb_enable(&rig);
}

static void set_image(unsigned int dw, uint32_t value)
{
	rig_set_dw(&lrc, 1024 + dw, value);
}

static void make_image(void)
{
	uint64_t root = tables.addr + 4 * HW_PAGE_SIZE;

	memset(lrc.host, 0, lrc.size);
	set_image(CTX_RING_START, RING);
	set_image(CTX_RING_CTL, 1);
	set_image(CTX_PDP0_LDW, LO(root));
	set_image(CTX_PDP0_UDW, HI(root));
	set_image(CTX_INT_STATUS_REPORT_PTR, DATA);
	set_image(CTX_INT_SRC_REPORT_PTR, DATA + 0x400);
}

static void message(uint32_t action, uint32_t a, uint32_t b)
{
	const uint32_t dw[2] = { a, b };

	rig_h2g(&rig, GUC_HXG_TYPE_FAST_REQUEST, action, dw, 2);
	rig_doorbell(&rig);
}

static void add_context(unsigned int engine)
{
	static const uint32_t classes[] = { GUC_RENDER_CLASS, GUC_BLITTER_CLASS,
					    GUC_BLITTER_CLASS,
					    GUC_COMPUTE_CLASS };
	const uint32_t dw[11] = { 1, 1, classes[engine & 3],
				  (engine & 3) == 2 ? 2 : 1, 0, 0, 0, 0, 0, LRC };

	rig_h2g(&rig, GUC_HXG_TYPE_FAST_REQUEST, XE_GUC_ACTION_REGISTER_CONTEXT,
		dw, 11);
	message(XE_GUC_ACTION_SCHED_CONTEXT_MODE_SET, 1, 1);
}

static void do_step(unsigned int step, unsigned int engine)
{
	switch ((enum step)(step % STEPS)) {
	case STEP_TURN:
		break;
	case STEP_REPAIR:
		reset_tables();
		repaired |= faulted;
		message(XE_GUC_ACTION_PAGE_FAULT_RES_DESC, 1, 1 << 16);
		break;
	case STEP_REFUSE:
		message(XE_GUC_ACTION_PAGE_FAULT_RES_DESC, 3, 1 << 16);
		break;
	case STEP_KICK:
		message(XE_GUC_ACTION_SCHED_CONTEXT, 1, 0);
		break;
	case STEP_STOP:
	case STEP_START:
		message(XE_GUC_ACTION_SCHED_CONTEXT_MODE_SET, 1,
			step % STEPS == STEP_START);
		break;
	case STEP_RESET:
		pci_reset(&rig.vf->pci);
		enable_rings();
		break;
	case STEP_AGAIN:
		message(XE_GUC_ACTION_DEREGISTER_CONTEXT, 1, 0);
		add_context(engine);
		break;
	case STEPS:
		break;
	}
	rig_turn(&rig);
}

static void take_messages(void)
{
	uint32_t msg[256];

	while (rig_g2h(&rig, msg)) {
		faulted |= msg[1] == 0x90006002;
		cat_error |= msg[1] == 0x90006000;
	}
}

/* Entries, ring and batch as the input has them. */
static void load(const struct header *header, const uint8_t *at, size_t size)
{
	unsigned int n = header->patches % 8;
	size_t bytes;

	for (; n && size >= 10; n--, at += 10, size -= 10) {
		uint16_t where;

		memcpy(&where, at, 2);
		memcpy(tables.host + where % (tables.size / 8) * 8, at + 2, 8);
	}
	bytes = hw_min(size, (size_t)(header->ring % RING_DWORDS) * 4);
	memcpy(ring.host, at, bytes);
	set_image(CTX_RING_TAIL, bytes & ~7u);
	at += bytes;
	size -= bytes;
	memcpy(batch.host, at, hw_min(size, batch.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct header header;
	uint64_t commands;
	unsigned int i;

	if (!rig.vf)
		setup();
	if (size < sizeof(header))
		return 0;
	commands = rig.vf->stats.commands;
	memcpy(&header, bytes, sizeof(header));
	pci_reset(&rig.vf->pci);
	enable_rings();
	/* With page tables of its own an input may have been anywhere. */
	memset(rig.vf->vram, 0, patched ? HW_MIB(2) : rig.used[RIG_VRAM]);
	patched = header.patches % 8;
	memset(rig.ram, 0, rig.used[RIG_RAM]);
	memset(rig.remote, 0, rig.used[RIG_REMOTE]);
	enable_rings();
	reset_tables();
	make_image();
	load(&header, bytes + sizeof(header), size - sizeof(header));
	add_context(header.engine);
	rig_turn(&rig);
	for (i = 0; i < ARRAY_SIZE(header.steps); i++) {
		do_step(header.steps[i], header.engine);
		take_messages();
		/* A loop is as good as what it did in its first turn. */
		if (rig.vf->stats.commands - commands > MANY)
			break;
	}
	interrupted |= data.host[0x400] == 0xff;
	moved |= rig.vf->stats.bytes_copied && rig.vf->stats.bytes_filled;
	if (rig.vf->current) {
		fprintf(stderr, "a context is held\n");
		abort();
	}
	return 0;
}

static const char *const names[] = {
	"MI_USER_INTERRUPT", "MI_BATCH_BUFFER_END", "MI_MATH",
	"MI_SEMAPHORE_WAIT", "MI_STORE_DATA_IMM", "MI_LOAD_REGISTER_IMM",
	"MI_STORE_REGISTER_MEM", "MI_FLUSH_DW", "MI_LOAD_REGISTER_MEM",
	"MI_LOAD_REGISTER_REG", "MI_COPY_MEM_MEM", "MI_ATOMIC",
	"MI_BATCH_BUFFER_START", "MI_CONDITIONAL_BATCH_BUFFER_END",
	"XY_FAST_COPY_BLT", "MEM_COPY", "MEM_SET", "PIPE_CONTROL", "3D state",
};

/* Asked once, after the corpus and before all the mutations. */
const char *fuzz_missing(void)
{
	const char *missing = rig.vf ? NULL : "anything";

	for (size_t i = 0; i < ARRAY_SIZE(names) && !missing; i++)
		if (!log_count(names[i]))
			missing = names[i];
	trace_mask = 0;
	if (missing)
		return missing;
	return !faulted ? "a page fault" : !repaired ? "its repair" :
	       !cat_error ? "a CAT error" : !interrupted ? "an interrupt" :
	       !moved ? "copies and fills" : NULL;
}

/* Dwords rather than bytes, and now and then one of a command. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max,
			       unsigned int seed)
{
	static const uint32_t words[] = {
		MI_USER_INTERRUPT, MI_BATCH_BUFFER_END, MI_MATH(3),
		MI_SEMAPHORE_WAIT, MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1),
		MI_LOAD_REGISTER_IMM | MI_LRI_NUM_REGS(1) | MI_LRI_LRM_CS_MMIO,
		MI_STORE_REGISTER_MEM, MI_FLUSH_DW | MI_FLUSH_DW_OP_STOREDW | 3,
		MI_LOAD_REGISTER_MEM, MI_LOAD_REGISTER_REG, MI_COPY_MEM_MEM,
		0x2fu << 23 | 5 << 8 | 1, MI_BATCH_BUFFER_START | 1 | BIT(8),
		MI_BATCH_BUFFER_START | 1 | BIT(8) | BIT(22), 0x36u << 23 | 2,
		XY_FAST_COPY_BLT_CMD | 8,
		2u << 29 | XE_XY_BLOCK_COPY_BLT << 22 | 20, MEM_COPY_CMD | 8,
		MEM_COPY_CMD | MEM_COPY_MATRIX_COPY | 8,
		PVC_MEM_SET_CMD | PVC_MEM_SET_MATRIX | 5,
		GFX_OP_PIPE_CONTROL(6), PIPE_CONTROL_QW_WRITE, DATA, DATA + 8,
		CODE, TABLES, TABLES + 0x80, REMOTE, RING, LRC, BIT(22),
	};
	size_t at = sizeof(struct header), dwords;

	if (size < at + 4 || seed % 4 == 0)
		return LLVMFuzzerMutate(bytes, size, max);
	dwords = (size - at) / 4;
	at += (seed >> 2) % dwords * 4;
	memcpy(bytes + at, &words[(seed >> 14) % ARRAY_SIZE(words)], 4);
	return size;
}
