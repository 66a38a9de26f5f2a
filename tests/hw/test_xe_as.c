// SPDX-License-Identifier: GPL-2.0-only
/* Address translation: the PPGTT's format alone, then both spaces with memory. */
#include "core/walk.h"
#include "tap.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define RW	(XE_PAGE_PRESENT | XE_PAGE_RW)
#define VA	0x123456789000ull	/* five different indices */

/* A page table tree that is not in any device: one entry is read at each level. */
static uint64_t entry_at[5];
static uint64_t read_from[5];
static unsigned int reads;

static int read_entry(void *priv, uint64_t address, uint64_t *entry)
{
	(void)priv;
	read_from[4 - reads] = address;
	*entry = entry_at[4 - reads++];
	return 0;
}

static int go(uint64_t va, struct walk_result *result)
{
	reads = 0;
	return walk(&xe_ppgtt_format, 0x7000, va, read_entry, NULL, result);
}

static void setup(void)
{
	for (int level = 1; level < 5; level++)
		entry_at[level] = 0x10000ull * level | RW;
	entry_at[0] = 0x3ffffffff000ull | RW | XE_PPGTT_PTE_DM;
}

static void indices(void)
{
	struct walk_result r;
	int level;

	setup();
	expect_eq(go(VA + 0x10, &r), 0);
	expect_eq(reads, 5);
	expect_eq(r.address, 0x3ffffffff010);
	expect_eq(r.len, 0xff0);
	expect_eq(r.level, 0);
	for (level = 4; level >= 0; level--)
		expect_eq(read_from[level],
			  (level == 4 ? 0x7000 : 0x10000ull * (level + 1)) +
			  8 * (VA >> (12 + 9 * level) & 511));
	/* 57 bits of address; the driver keeps them canonical, or not. */
	expect_eq(go(VA | 0xfe00000000000000ull, &r), 0);
	expect_eq(read_from[4], 0x7000 + 8 * (VA >> 48 & 511));
}

static void not_present(void)
{
	struct walk_result r;

	for (int level = 0; level < 5; level++) {
		setup();
		entry_at[level] &= ~XE_PAGE_PRESENT;
		expect_eq(go(VA, &r), -EFAULT);
		expect_eq(r.level, level);
		expect_eq(reads, 5 - level);
	}
}

static void big_leaves(void)
{
	struct walk_result r;

	setup();
	entry_at[1] = 0x40200000 | RW | XE_PDE_PS_2M | XE_PPGTT_PDE_PDPE_PAT2;
	expect_eq(go(VA + 0x10, &r), 0);
	expect_eq(r.level, 1);
	/* Bit 12 is an attribute and not part of the address. */
	expect_eq(r.address, 0x40200000 + ((VA + 0x10) & 0x1fffff));
	expect_eq(r.len, 0x200000 - ((VA + 0x10) & 0x1fffff));
	expect_eq(reads, 4);

	setup();
	entry_at[2] = 0x140000000 | RW | XE_PDPE_PS_1G | XE_PPGTT_PDE_PDPE_PAT2;
	expect_eq(go(VA + 0x10, &r), 0);
	expect_eq(r.level, 2);
	expect_eq(r.address, 0x140000000 + ((VA + 0x10) & 0x3fffffff));
	expect_eq(r.len, 0x40000000 - ((VA + 0x10) & 0x3fffffff));
	expect_eq(reads, 3);

	/* Further up the bit says nothing, at level 0 it is PAT. */
	setup();
	entry_at[4] |= XE_PDPE_PS_1G;
	entry_at[3] |= XE_PDPE_PS_1G;
	entry_at[0] |= XE_PPGTT_PTE_PAT2;
	expect_eq(go(VA, &r), 0);
	expect_eq(r.level, 0);
	expect_eq(r.address, 0x3ffffffff000);
}

static void edges(void)
{
	struct walk_result r;

	setup();
	expect_eq(go(VA + 0xfff, &r), 0);
	expect_eq(r.len, 1);
	expect_eq(go(VA, &r), 0);
	expect_eq(r.len, 0x1000);
	entry_at[1] |= XE_PDE_PS_2M;
	expect_eq(go(VA | 0x1fffff, &r), 0);
	expect_eq(r.len, 1);
	expect_eq(go(VA & ~0x1fffffull, &r), 0);
	expect_eq(r.len, 0x200000);
	/* High attribute bits are no address either. */
	setup();
	entry_at[0] |= XELPG_PPGTT_PTE_PAT3 | XE2_PPGTT_PTE_PAT4;
	expect_eq(go(VA, &r), 0);
	expect_eq(r.address, 0x3ffffffff000);
}

/* Tables of 32 entries for 64 KiB each, which the driver makes where it can. */
static void compact_tables(void)
{
	struct walk_result r;

	setup();
	entry_at[1] |= XE_PDE_64K;
	entry_at[0] = 0x3fffff0000 | RW | XE_PPGTT_PTE_DM;
	expect_eq(go(VA + 0x10, &r), 0);
	expect_eq(reads, 5);
	expect_eq(read_from[0], 0x10000 + 8 * (VA >> 16 & 31));
	expect_eq(r.address, 0x3fffff0000 + ((VA + 0x10) & 0xffff));
	expect_eq(r.len, 0x10000 - ((VA + 0x10) & 0xffff));
	/* Further up, or of a page, the bit is nothing of the kind. */
	setup();
	entry_at[2] |= XE_PDE_64K;
	entry_at[0] |= XE_PDE_64K;
	expect_eq(go(VA + 0x10, &r), 0);
	expect_eq(r.len, 0xff0);
	/* Nor of a page of 2 MiB. */
	setup();
	entry_at[1] = 0x40200000 | RW | XE_PDE_PS_2M | XE_PDE_64K;
	expect_eq(go(VA, &r), 0);
	expect_eq(r.level, 1);
}

/* From here on with a device. */

static struct xe_as ppgtt(struct rig *rig, uint64_t root)
{
	return (struct xe_as){ .vf = rig->vf, .root = root };
}

static void ppgtt_memory(void)
{
	struct rig_buf vram, ram;
	struct xe_loc loc;
	struct xe_as as;
	struct rig rig;

	rig_init(&rig, NULL, NULL);
	as = ppgtt(&rig, rig_ppgtt(&rig));
	vram = rig_buf(&rig, RIG_VRAM, 2 * HW_PAGE_SIZE);
	ram = rig_buf(&rig, RIG_RAM, HW_PAGE_SIZE);
	rig_map(&rig, as.root, VA, &vram, true);
	rig_map(&rig, as.root, VA + 2 * HW_PAGE_SIZE, &ram, false);

	expect_eq(xe_as_find(&as, VA + 4, true, &loc), 0);
	expect_eq(loc.kind, XE_LOC_HOST);
	expect(loc.host == vram.host + 4);
	expect_eq(loc.len, HW_PAGE_SIZE - 4);
	expect_eq(xe_as_find(&as, VA + 2 * HW_PAGE_SIZE, false, &loc), 0);
	*(uint32_t *)ram.host = 0xfeed;
	expect_eq(*(uint32_t *)loc.host, 0xfeed);

	/* Read-only: the same address, for writing. */
	expect_eq(xe_as_find(&as, VA + 2 * HW_PAGE_SIZE, true, &loc), -EFAULT);
	expect(rig.vf->fault.recoverable && rig.vf->fault.write);
	expect_eq(rig.vf->fault.va, VA + 2 * HW_PAGE_SIZE);
	expect_eq(xe_as_find(&as, VA + 3 * HW_PAGE_SIZE, false, &loc), -EFAULT);
	expect(rig.vf->fault.recoverable && !rig.vf->fault.write);
	expect_eq(rig.vf->fault.level, 0);
	rig_free(&rig);
}

static void ppgtt_null(void)
{
	uint8_t data[64];
	struct xe_as as;
	struct rig rig;

	rig_init(&rig, NULL, NULL);
	as = ppgtt(&rig, rig_ppgtt(&rig));
	rig_map_entry(&rig, as.root, VA, 0, RW | XE_PTE_NULL);
	rig_map_entry(&rig, as.root, VA + HW_MIB(4), 1,
		      RW | XE_PTE_NULL | XE_PDE_PS_2M);
	for (int i = 0; i < 2; i++) {
		uint64_t va = VA + i * HW_MIB(4) + 32;

		memset(data, 0xaa, sizeof(data));
		expect_eq(xe_as_write(&as, va, data, sizeof(data)), 0);
		expect_eq(xe_as_write32(&as, va, 5), 0);
		expect_eq(xe_as_write64(&as, va, 5), 0);
		expect_eq(xe_as_write8(&as, va, 5), 0);
		expect_eq(xe_as_fill(&as, va, 5, 100), 0);
		expect_eq(xe_as_read(&as, va, data, sizeof(data)), 0);
		for (size_t j = 0; j < sizeof(data); j++)
			expect_eq(data[j], 0);
	}
	/* Nothing went to the memory that address 0 would be. */
	expect_eq(rig.vf->vram[32], 0);
	rig_free(&rig);
}

static void ppgtt_beyond(void)
{
	struct xe_loc loc;
	struct xe_as as;
	struct rig rig;

	rig_init(&rig, NULL, NULL);
	as = ppgtt(&rig, rig_ppgtt(&rig));
	/* The last page of VRAM, and the one after it. */
	rig_map_entry(&rig, as.root, VA, 0, (RIG_VRAM_SIZE - HW_PAGE_SIZE) |
		      RW | XE_PPGTT_PTE_DM);
	rig_map_entry(&rig, as.root, VA + HW_PAGE_SIZE, 0, RIG_VRAM_SIZE | RW |
		      XE_PPGTT_PTE_DM);
	expect_eq(xe_as_find(&as, VA + 0xfff, true, &loc), 0);
	expect_eq(loc.len, 1);
	expect_eq(xe_as_find(&as, VA + 0x1000, true, &loc), -EFAULT);
	expect(!rig.vf->fault.recoverable);

	/* 1 GiB of which 16 MiB are there: as much as there is. */
	rig_map_entry(&rig, as.root, HW_GIB(2), 2, RW | XE_PPGTT_PTE_DM |
		      XE_PDPE_PS_1G);
	expect_eq(xe_as_find(&as, HW_GIB(2) + 0x1000, true, &loc), 0);
	expect_eq(loc.len, RIG_VRAM_SIZE - 0x1000);
	expect_eq(xe_as_find(&as, HW_GIB(2) + RIG_VRAM_SIZE, true, &loc),
		  -EFAULT);

	/* Tables that are nowhere are no page fault that could be repaired. */
	for (unsigned int level = 1; level < 5; level++) {
		rig_map_entry(&rig, as.root, HW_GIB(4), level,
			      RIG_VRAM_SIZE | RW);
		expect_eq(xe_as_find(&as, HW_GIB(4), false, &loc), -EFAULT);
		expect(!rig.vf->fault.recoverable);
		expect_eq(rig.vf->fault.level, level - 1);
	}
	as.root = RIG_VRAM_SIZE;
	expect_eq(xe_as_find(&as, VA, false, &loc), -EFAULT);
	expect(!rig.vf->fault.recoverable);
	expect_eq(rig.vf->fault.level, 4);
	/* The root's low bits are flags; the last page can be one. */
	as.root = (RIG_VRAM_SIZE - HW_PAGE_SIZE) | 0x19;
	expect_eq(xe_as_find(&as, VA, false, &loc), -EFAULT);
	expect(rig.vf->fault.recoverable);
	rig_free(&rig);
}

static void ggtt(void)
{
	struct rig_buf vram, ram;
	struct xe_loc loc;
	struct xe_as as;
	struct rig rig;

	rig_init(&rig, NULL, NULL);
	as = (struct xe_as){ .vf = rig.vf, .ggtt = true };
	vram = rig_buf(&rig, RIG_VRAM, HW_PAGE_SIZE);
	ram = rig_buf(&rig, RIG_RAM, HW_PAGE_SIZE);
	/* With bit 1 it is VRAM, without it system memory. */
	expect_eq(xe_as_find(&as, vram.ggtt + 8, true, &loc), 0);
	expect(loc.host == vram.host + 8);
	expect_eq(loc.len, HW_PAGE_SIZE - 8);
	expect_eq(xe_as_find(&as, ram.ggtt + 8, true, &loc), 0);
	expect(loc.kind == XE_LOC_HOST);
	*(uint64_t *)loc.host = 0xfeed;
	expect_eq(*(uint64_t *)(ram.host + 8), 0xfeed);

	/* The VF's number is in bits 11:2, and no part of the address. */
	rig_set_pte(&rig, ram.ggtt, ram.addr | GGTT_PTE_VFID |
		    XELPG_GGTT_PTE_PAT0 | XE_PAGE_PRESENT);
	expect_eq(xe_as_find(&as, ram.ggtt + 8, true, &loc), 0);
	expect_eq(*(uint64_t *)loc.host, 0xfeed);

	expect_eq(xe_as_find(&as, ram.ggtt + HW_PAGE_SIZE, false, &loc),
		  -EFAULT);
	expect(!rig.vf->fault.recoverable);
	expect_eq(rig.vf->fault.va, ram.ggtt + HW_PAGE_SIZE);
	/* The table's last entry is 4 GiB - 4 KiB. */
	rig_set_pte(&rig, HW_GIB(4) - HW_PAGE_SIZE, vram.addr |
		    XE_GGTT_PTE_DM | XE_PAGE_PRESENT);
	expect_eq(xe_as_find(&as, HW_GIB(4) - 1, false, &loc), 0);
	expect_eq(loc.len, 1);
	expect_eq(xe_as_find(&as, HW_GIB(4), false, &loc), -EFAULT);
	/* Not by an entry that happened to be no good. */
	expect(!strcmp(rig.vf->fault.what, "beyond the GGTT"));
	expect_eq(xe_as_find(&as, UINT64_MAX, false, &loc), -EFAULT);
	rig_free(&rig);
}

static void ggtt_dma(void)
{
	struct rig_buf buf;
	struct xe_loc loc;
	struct xe_as as;
	struct rig rig;

	rig_init(&rig, NULL, NULL);
	as = (struct xe_as){ .vf = rig.vf, .ggtt = true };
	buf = rig_buf(&rig, RIG_RAM, 2 * HW_PAGE_SIZE);
	expect_eq(xe_as_find(&as, buf.ggtt, true, &loc), 0);
	/* The client takes the first page away and gives it back read-only. */
	expect_eq(mem_unmap(rig.vf->mem, buf.addr, HW_PAGE_SIZE), 0);
	expect_eq(xe_as_find(&as, buf.ggtt, false, &loc), -EFAULT);
	expect(!rig.vf->fault.recoverable);
	expect_eq(xe_as_find(&as, buf.ggtt + HW_PAGE_SIZE, true, &loc), 0);
	expect_eq(mem_map(rig.vf->mem, buf.addr, HW_PAGE_SIZE, MEM_READ,
			  rig.ram_fd, buf.addr - RIG_RAM_ADDR), 0);
	expect_eq(xe_as_find(&as, buf.ggtt, false, &loc), 0);
	expect_eq(xe_as_find(&as, buf.ggtt, true, &loc), -EFAULT);
	expect(rig.vf->fault.write);
	/* An entry for VRAM that has no such page. */
	rig_set_pte(&rig, buf.ggtt, RIG_VRAM_SIZE | XE_GGTT_PTE_DM |
		    XE_PAGE_PRESENT);
	expect_eq(xe_as_find(&as, buf.ggtt, false, &loc), -EFAULT);
	rig_free(&rig);
}

/* Across three pages of different kinds, with an odd start. */
static void accesses(void)
{
	static const enum rig_where kinds[] = { RIG_VRAM, RIG_REMOTE, RIG_RAM };
	uint8_t out[2 * HW_PAGE_SIZE], in[2 * HW_PAGE_SIZE];
	struct rig_buf buf[3];
	struct xe_as as, gg;
	struct rig rig;
	uint32_t value;
	size_t i;

	rig_init(&rig, NULL, NULL);
	as = ppgtt(&rig, rig_ppgtt(&rig));
	gg = (struct xe_as){ .vf = rig.vf, .ggtt = true };
	for (i = 0; i < 3; i++) {
		buf[i] = rig_buf(&rig, kinds[i], HW_PAGE_SIZE);
		rig_map(&rig, as.root, VA + i * HW_PAGE_SIZE, &buf[i], true);
	}
	for (i = 0; i < sizeof(out); i++)
		out[i] = i * 7 + i / 256;
	expect_eq(xe_as_write(&as, VA + 0x7ff, out, sizeof(out)), 0);
	expect_eq(buf[0].host[0x7ff], out[0]);
	expect(!memcmp(buf[1].host, out + 0x801, HW_PAGE_SIZE));
	expect_eq(buf[2].host[0x7fe], out[sizeof(out) - 1]);
	expect_eq(buf[2].host[0x7ff], 0);
	expect_eq(xe_as_read(&as, VA + 0x7ff, in, sizeof(in)), 0);
	expect(!memcmp(in, out, sizeof(in)));

	/* One that crosses a page, one that does not, remote ones. */
	expect_eq(xe_as_write32(&as, VA + 0xffe, 0x44332211), 0);
	expect_eq(buf[0].host[0xfff], 0x22);
	expect_eq(buf[1].host[0], 0x33);
	expect_eq(xe_as_read32(&as, VA + 0xffe, &value), 0);
	expect_eq(value, 0x44332211);
	expect_eq(xe_as_write64(&as, VA + 0x1008, 0x8877665544332211), 0);
	expect_eq(buf[1].host[0xf], 0x88);
	expect_eq(xe_as_read32(&gg, buf[1].ggtt + 0xc, &value), 0);
	expect_eq(value, 0x88776655);
	expect_eq(xe_as_fill(&as, VA + 0xfff, 0x5a, HW_PAGE_SIZE + 2), 0);
	expect_eq(buf[0].host[0xffe], 0x11);
	expect_eq(buf[0].host[0xfff], 0x5a);
	expect_eq(buf[1].host[0x800], 0x5a);
	expect_eq(buf[2].host[0], 0x5a);
	expect_eq(buf[2].host[1], out[0x1802]);

	/* A page missing in the middle: the access fails. */
	rig_unmap(&rig, as.root, VA + HW_PAGE_SIZE, HW_PAGE_SIZE);
	expect_eq(xe_as_read(&as, VA, in, 2 * HW_PAGE_SIZE), -EFAULT);
	expect_eq(rig.vf->fault.va, VA + HW_PAGE_SIZE);
	expect_eq(xe_as_write(&as, VA, in, 2 * HW_PAGE_SIZE), -EFAULT);
	expect_eq(xe_as_fill(&as, VA, 0, 2 * HW_PAGE_SIZE), -EFAULT);
	rig_free(&rig);
}

static void copies(void)
{
	static const enum rig_where kinds[] = { RIG_VRAM, RIG_REMOTE, RIG_RAM };
	const uint64_t size = HW_KIB(200);	/* more than one message */
	struct rig_buf from[3], to[3];
	struct xe_as as;
	struct rig rig;
	int i, j;

	rig_init(&rig, NULL, NULL);
	as = ppgtt(&rig, rig_ppgtt(&rig));
	for (i = 0; i < 3; i++) {
		from[i] = rig_buf(&rig, kinds[i], size);
		to[i] = rig_buf(&rig, kinds[i], size);
		rig_map(&rig, as.root, VA + i * HW_MIB(4), &from[i], false);
		rig_map(&rig, as.root, VA + i * HW_MIB(4) + HW_MIB(2), &to[i],
			true);
		for (uint64_t at = 0; at < size; at++)
			from[i].host[at] = at * 13 + at / 251 + i;
	}
	for (i = 0; i < 9; i++) {
		struct rig_buf *source = &from[i / 3], *target = &to[i % 3];

		memset(target->host, 0, size);
		expect_eq(xe_as_copy(&as, VA + i % 3 * HW_MIB(4) + HW_MIB(2) +
				     33, &as, VA + i / 3 * HW_MIB(4) + 77,
				     size - 100), 0);
		expect(!memcmp(target->host + 33, source->host + 77,
			       size - 100));
		expect_eq(target->host[32], 0);
		expect_eq(target->host[size - 67], 0);
	}
	/* From nothing come zeroes, and nothing takes anything. */
	for (j = 0; j < 3; j++)
		rig_map_entry(&rig, as.root, VA + HW_GIB(1) + j * 4096, 0,
			      RW | XE_PTE_NULL);
	memset(to[0].host, 0xff, 8192);
	expect_eq(xe_as_copy(&as, VA + HW_MIB(2), &as, VA + HW_GIB(1), 8192),
		  0);
	for (j = 0; j < 8192; j++)
		expect_eq(to[0].host[j], 0);
	expect_eq(xe_as_copy(&as, VA + HW_GIB(1), &as, VA, 8192), 0);
	/* The source is read-only. */
	expect_eq(xe_as_copy(&as, VA, &as, VA + HW_MIB(2), 16), -EFAULT);
	rig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "PPGTT: five indices of nine bits", indices },
	{ "PPGTT: not present at each level", not_present },
	{ "PPGTT: leaves of 2 MiB and 1 GiB", big_leaves },
	{ "PPGTT: compact tables of 64 KiB", compact_tables },
	{ "PPGTT: lengths at the edges, attribute bits", edges },
	{ "PPGTT: memory, read-only and missing pages", ppgtt_memory },
	{ "PPGTT: NULL pages read zeroes and drop writes", ppgtt_null },
	{ "PPGTT: pages and tables beyond VRAM", ppgtt_beyond },
	{ "GGTT: both memories, missing entries, the end", ggtt },
	{ "GGTT: DMA that is not mapped, or read-only", ggtt_dma },
	{ "accesses across pages of each kind of memory", accesses },
	{ "copies between each kind of memory", copies },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
