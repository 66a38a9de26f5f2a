// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes as packets of a ring and of an IB, and as page table entries. An input is a
 * header of eight bytes, then entries, then dwords of the ring and of the IB.
 *
 * All memory that there is for it is at the same low addresses in the VMID of user
 * space, page tables included, so that packets can change them; and where the
 * kernel has it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amdgpu_rig.h"
#include "core/trace.h"
#include "fuzzer.h"
#include "log.h"

#define DATA		0x10000u
#define CODE		0x20000u	/* and a page that is not there after it */
#define TABLES		0x30000u
#define REMOTE		0x40000u
#define RING		0x50000u
#define DATA_PAGES	8
#define RING_DWORDS	128
#define MANY		4000	/* packets, of an input */

/**
 * struct header - the first bytes of an input
 * @engine: which one
 * @patches: page table entries that follow, each ten bytes
 * @ring: dwords of the ring that follow them; the rest is the IB
 * @steps: what happens between the turns
 */
struct header {
	uint8_t engine;
	uint8_t patches;
	uint8_t ring;
	uint8_t steps[5];
};

enum step {
	STEP_TURN, STEP_REPAIR, STEP_SIGNAL, STEP_HALT, STEP_RESET, STEP_SOFT,
	STEP_CLEAR, STEP_RING, STEPS
};

static struct arig rig;
static struct arig_buf data, code, tables, remote;
static uint8_t *clean;	/* VRAM as it is before an input */
static bool faulted, interrupted, stopped, moved, waited;

static void map(uint32_t va, const struct arig_buf *buf)
{
	uint64_t flags = ARIG_RW | (buf->where == ARIG_VRAM ? 0 :
							      CIK_PTE_SYSTEM);
	uint64_t *table = (uint64_t *)tables.host;
	uint64_t i;

	for (i = 0; i < buf->size / HW_PAGE_SIZE; i++)
		table[va / HW_PAGE_SIZE + i] =
			(buf->addr + i * HW_PAGE_SIZE) | flags;
}

static void reset_tables(void)
{
	memset(tables.host, 0, tables.size);
	*arig_pde(&rig, 0) = tables.mc | CIK_PTE_VALID;
	map(DATA, &data);
	map(CODE, &code);
	map(TABLES, &tables);
	map(REMOTE, &remote);
	map(RING, &rig.ring[ARIG_SDMA0].buf);
	/* Pages that can only be read, and only be written. */
	((uint64_t *)tables.host)[0x18] = data.addr |
		(ARIG_RW & ~CIK_PTE_WRITEABLE);
	((uint64_t *)tables.host)[0x19] = data.addr |
		(ARIG_RW & ~CIK_PTE_READABLE);
}

static void setup(void)
{
	struct cik_config config = arig_config;

	config.vram = HW_MIB(2);
	arig_init(&rig, &config, NULL);
	arig_setup(&rig);
	data = arig_buf(&rig, ARIG_VRAM, DATA_PAGES * HW_PAGE_SIZE);
	tables = arig_buf(&rig, ARIG_VRAM, 2 * HW_PAGE_SIZE);
	code = arig_buf(&rig, ARIG_RAM, HW_PAGE_SIZE);
	remote = arig_buf(&rig, ARIG_REMOTE, 2 * HW_PAGE_SIZE);
	reset_tables();
	clean = malloc(rig.cik->config.vram);
	if (!clean)
		hw_die(1, "no memory");
	memcpy(clean, rig.cik->vram, rig.cik->config.vram);
	/* Names of packets, for fuzz_missing(). */
	log_start("cmd");
}

static void halt(enum arig_engine engine)
{
	switch (engine) {
	case ARIG_SDMA0:
	case ARIG_SDMA1:
		arig_write(&rig, mmSDMA0_F32_CNTL, SDMA0_F32_CNTL__HALT_MASK);
		break;
	case ARIG_GFX:
		arig_write(&rig, mmCP_ME_CNTL, CP_ME_CNTL__ME_HALT_MASK);
		break;
	case ARIG_COMPUTE:
		arig_write(&rig, mmCP_MEC_CNTL,
			   CP_MEC_CNTL__MEC_ME1_HALT_MASK);
		break;
	}
}

static void do_step(unsigned int step, enum arig_engine engine)
{
	switch ((enum step)(step % STEPS)) {
	case STEP_TURN:
		break;
	case STEP_REPAIR:
		reset_tables();
		break;
	case STEP_SIGNAL:
		arig_set_dw(&data, 0, arig_dw(&data, 0) + 1);
		break;
	case STEP_HALT:
		halt(engine);
		break;
	case STEP_RESET:
		pci_reset(&rig.cik->pci);
		arig_start(&rig);
		break;
	case STEP_SOFT:
		arig_write(&rig, mmGRBM_SOFT_RESET,
			   GRBM_SOFT_RESET__SOFT_RESET_CP_MASK);
		break;
	case STEP_CLEAR:
		arig_write(&rig, mmVM_CONTEXT1_CNTL2, 1);
		break;
	case STEP_RING:
		arig_kick(&rig, engine);
		break;
	case STEPS:
		break;
	}
	arig_turn(&rig);
}

static void take_vectors(void)
{
	unsigned int n = HW_PAGE_SIZE / 16;
	struct arig_iv iv;

	/* Where the pointer is may be an input's doing. */
	while (n-- && arig_iv(&rig, &iv)) {
		faulted |= iv.source == 146 || iv.source == 147;
		interrupted |= iv.source == 181 || iv.source == 224;
		stopped |= iv.source == 185 || iv.source == 241;
	}
}

/* Entries, ring and IB as the input has them. */
static void load(const struct header *header, enum arig_engine engine,
		 const uint8_t *at, size_t size)
{
	unsigned int n = header->patches % 8, dwords;
	uint32_t dw[RING_DWORDS] = { 0 };
	size_t bytes;

	for (; n && size >= 10; n--, at += 10, size -= 10) {
		uint16_t where;

		memcpy(&where, at, 2);
		memcpy(tables.host + where % (tables.size / 8) * 8, at + 2, 8);
	}
	dwords = header->ring % RING_DWORDS;
	bytes = hw_min(size, dwords * 4ul);
	memcpy(dw, at, bytes);
	arig_emit(&rig, engine, dw, bytes / 4);
	memcpy(code.host, at + bytes, hw_min(size - bytes, code.size));
	/* User space's IB comes after what the ring has. */
	dwords = (size - bytes) / 4;
	if (engine <= ARIG_SDMA1)
		AEMIT(&rig, engine, SDMA_PACKET(SDMA_OPCODE_INDIRECT_BUFFER, 0,
						ARIG_VMID), CODE, 0, dwords);
	else
		AEMIT(&rig, engine, PACKET3(PACKET3_INDIRECT_BUFFER, 2), CODE,
		      0, (dwords & 0xfffff) | ARIG_VMID << 24);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct header header;
	enum arig_engine engine;
	uint64_t packets;
	unsigned int i;

	if (!rig.cik)
		setup();
	if (size < sizeof(header))
		return 0;
	memcpy(&header, bytes, sizeof(header));
	engine = header.engine % 4;
	packets = rig.cik->stats.packets;
	pci_reset(&rig.cik->pci);
	/* The one before may have been anywhere, the GART's table included. */
	memcpy(rig.cik->vram, clean, rig.cik->config.vram);
	memset(rig.ram, 0, rig.used[ARIG_RAM]);
	memset(rig.remote, 0, rig.used[ARIG_REMOTE]);
	arig_start(&rig);
	load(&header, engine, bytes + sizeof(header), size - sizeof(header));
	arig_kick(&rig, engine);
	arig_turn(&rig);
	for (i = 0; i < ARRAY_SIZE(header.steps); i++) {
		do_step(header.steps[i], engine);
		waited |= rig.cik->ring[CIK_KEY_SDMA].waiting ||
			  rig.cik->ring[CIK_KEY_GFX].waiting;
		take_vectors();
		/* A loop is as good as what it did in its first turns. */
		if (rig.cik->stats.packets - packets > MANY)
			break;
	}
	moved |= rig.cik->stats.bytes_copied && rig.cik->stats.bytes_filled;
	return 0;
}

static const char *const names[] = {
	"COPY", "WRITE", "INDIRECT_BUFFER", "FENCE", "TRAP", "SEMAPHORE",
	"POLL_REG_MEM", "COND_EXEC", "ATOMIC", "CONSTANT_FILL",
	"GENERATE_PTE_PDE", "TIMESTAMP", "SRBM_WRITE", "WRITE_DATA",
	"EVENT_WRITE_EOP", "EVENT_WRITE_EOS", "RELEASE_MEM", "WAIT_REG_MEM",
	"DMA_DATA", "COPY_DATA", "MEM_SEMAPHORE", "ATOMIC_MEM",
	"SET_UCONFIG_REG", "SET_CONTEXT_REG",
};

/* Asked once, after the corpus and before all the mutations. */
const char *fuzz_missing(void)
{
	const char *missing = rig.cik ? NULL : "anything";

	for (size_t i = 0; i < ARRAY_SIZE(names) && !missing; i++) {
		char text[32];

		snprintf(text, sizeof(text), ": %s ", names[i]);
		if (!log_count(text))
			missing = names[i];
	}
	trace_mask = 0;
	if (missing)
		return missing;
	return !faulted ? "a VM fault" : !interrupted ? "an interrupt" :
	       !stopped ? "a packet that is none" : !waited ? "a wait" :
	       !moved ? "copies and fills" : NULL;
}

/* Dwords rather than bytes, and now and then one of a packet. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max,
			       unsigned int seed)
{
	static const uint32_t words[] = {
		SDMA_OPCODE_COPY, SDMA_OPCODE_WRITE,
		SDMA_PACKET(SDMA_OPCODE_INDIRECT_BUFFER, 0, ARIG_VMID),
		SDMA_OPCODE_FENCE, SDMA_OPCODE_TRAP, SDMA_OPCODE_SEMAPHORE,
		SDMA_PACKET(SDMA_OPCODE_SEMAPHORE, 0, SDMA_SEMAPHORE_EXTRA_S),
		SDMA_PACKET(SDMA_OPCODE_POLL_REG_MEM, 0, 0xb000u),
		SDMA_PACKET(SDMA_OPCODE_POLL_REG_MEM, 0, 0x3400u),
		SDMA_OPCODE_COND_EXEC, SDMA_OP_ATOMIC | 0x0fu << 25,
		SDMA_PACKET(SDMA_OPCODE_CONSTANT_FILL, 0, 0x8000u),
		SDMA_OPCODE_GENERATE_PTE_PDE, SDMA_OPCODE_TIMESTAMP | 0x100,
		SDMA_PACKET(SDMA_OPCODE_SRBM_WRITE, 0, 0xf000u),
		PACKET3(PACKET3_WRITE_DATA, 3), WRITE_DATA_DST_SEL(5),
		PACKET3(PACKET3_EVENT_WRITE_EOP, 4), DATA_SEL(2u) | INT_SEL(2),
		PACKET3(PACKET3_RELEASE_MEM, 5),
		PACKET3(PACKET3_INDIRECT_BUFFER, 2), 16 | 1 << 20,
		PACKET3(PACKET3_WAIT_REG_MEM, 5), WAIT_REG_MEM_MEM_SPACE(1) | 3,
		PACKET3(PACKET3_COND_EXEC, 3), PACKET3(PACKET3_DMA_DATA, 5),
		PACKET3(PACKET3_COPY_DATA, 4), 1 | 5 << 8 | 1 << 16,
		PACKET3(PACKET3_MEM_SEMAPHORE, 1), 6u << 29,
		PACKET3(PACKET3_ATOMIC_MEM, 7), PACKET3(PACKET3_NOP, 0x3fff),
		PACKET3(PACKET3_SET_CONFIG_REG, 1), CP_PACKET2,
		DATA, DATA + 8, CODE, TABLES, TABLES + 0x80, REMOTE, RING,
		0x18000, 0x19000, HI(CIK_FB_BASE), HI(ARIG_GART), 0xfffff,
	};
	size_t at = sizeof(struct header), dwords;

	if (size < at + 4 || seed % 4 == 0)
		return LLVMFuzzerMutate(bytes, size, max);
	dwords = (size - at) / 4;
	at += (seed >> 2) % dwords * 4;
	memcpy(bytes + at, &words[(seed >> 14) % ARRAY_SIZE(words)], 4);
	return size;
}
