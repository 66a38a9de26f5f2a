// SPDX-License-Identifier: GPL-2.0-only
/* Where addresses lead, and what happens if they lead nowhere. */
#include "amdgpu_rig.h"
#include "tap.h"

#define VA	0x100000000ull

static struct arig rig;
static struct cik_as kernel, user;
static struct cik_loc loc;

static void setup(void)
{
	arig_init(&rig, NULL, NULL);
	arig_setup(&rig);
	kernel = (struct cik_as){ .cik = rig.cik };
	user = (struct cik_as){ .cik = rig.cik, .vmid = ARIG_VMID,
				.client = 0x54455354 };
}

/* The same memory may be mapped twice. */
static bool leads_to(const struct arig_buf *buf, uint64_t offset)
{
	uint8_t old = buf->host[offset];

	if (!loc.host)
		return false;
	*loc.host = old + 1;
	return buf->host[offset] == (uint8_t)(old + 1);
}

static void aperture(void)
{
	setup();
	expect(!cik_find(&kernel, CIK_FB_BASE, 4, true, &loc));
	expect(loc.host == rig.cik->vram);
	expect_eq(loc.len, ARIG_VRAM_SIZE);
	expect(!cik_find(&kernel, CIK_FB_BASE + ARIG_VRAM_SIZE - 1, 1, false,
			 &loc));
	expect_eq(loc.len, 1);
	expect_eq(cik_find(&kernel, CIK_FB_BASE + ARIG_VRAM_SIZE, 1, false,
			   &loc), -EFAULT);
	expect_eq(cik_find(&kernel, CIK_FB_BASE - 1, 1, false, &loc), -EFAULT);
	expect_eq(rig.cik->fault.reason, CIK_FAULT_RANGE);
	/* It is where the driver puts it. */
	arig_write(&rig, mmMC_VM_SYSTEM_APERTURE_LOW_ADDR,
		   (CIK_FB_BASE >> 12) + 1);
	expect_eq(cik_find(&kernel, CIK_FB_BASE, 4, true, &loc), -EFAULT);
	expect(!cik_find(&kernel, CIK_FB_BASE + 4096, 4, true, &loc));
	arig_free(&rig);
}

static void gart(void)
{
	struct arig_buf ram, far, vram;
	uint64_t hole;

	setup();
	ram = arig_buf(&rig, ARIG_RAM, 3 * HW_PAGE_SIZE);
	far = arig_buf(&rig, ARIG_REMOTE, HW_PAGE_SIZE);
	vram = arig_buf(&rig, ARIG_VRAM, HW_PAGE_SIZE);
	expect(!cik_find(&kernel, ram.mc + 5, HW_MIB(1), true, &loc));
	expect(leads_to(&ram, 5));
	/* Pages that follow each other are one piece, and no more than they. */
	expect_eq(loc.len, 3 * HW_PAGE_SIZE - 5);
	expect(!cik_find(&kernel, ram.mc + 5, 16, true, &loc));
	expect(loc.len >= 16 && loc.len < 3 * HW_PAGE_SIZE - 5);
	expect(!cik_find(&kernel, far.mc, 8, false, &loc));
	expect(!loc.host && loc.far);
	expect_eq(loc.dma, far.addr);
	hole = far.mc + HW_PAGE_SIZE;
	expect_eq(cik_find(&kernel, hole, 1, false, &loc), -EFAULT);
	expect_eq(rig.cik->fault.reason, CIK_FAULT_VALID);
	/* Without SYSTEM it is an offset into VRAM. */
	arig_set_gart(&rig, hole, vram.addr | ARIG_RW);
	expect(!cik_find(&kernel, hole + 9, 1, true, &loc));
	expect(loc.host == vram.host + 9);
	/* The table has an end, and may be off. */
	expect_eq(cik_find(&kernel, ARIG_GART + ARIG_GART_PAGES * HW_PAGE_SIZE,
			   1, false, &loc), -EFAULT);
	expect_eq(rig.cik->fault.reason, CIK_FAULT_RANGE);
	arig_write(&rig, mmVM_CONTEXT0_CNTL, 0);
	expect_eq(cik_find(&kernel, ram.mc, 1, false, &loc), -EFAULT);
	arig_write(&rig, mmVM_CONTEXT0_CNTL, 1);
	arig_write(&rig, mmVM_CONTEXT0_PAGE_TABLE_BASE_ADDR, 0x10);
	expect_eq(cik_find(&kernel, ram.mc, 1, false, &loc), -EFAULT);
	expect_eq(rig.cik->fault.reason, CIK_FAULT_PDE);
	arig_free(&rig);
}

static void two_levels(void)
{
	static const enum arig_where kinds[] = { ARIG_VRAM, ARIG_RAM,
						 ARIG_REMOTE };
	struct arig_buf buf;
	uint64_t va;

	setup();
	for (int i = 0; i < 3; i++) {
		/* The last pages of a table and the first of the next one. */
		va = VA + i * HW_MIB(64) + HW_MIB(4) - 2 * HW_PAGE_SIZE;
		buf = arig_buf(&rig, kinds[i], 4 * HW_PAGE_SIZE);
		arig_map(&rig, va, &buf, ARIG_RW);
		for (int page = 0; page < 4; page++) {
			expect(!cik_find(&user, va + page * HW_PAGE_SIZE + 1,
					 HW_MIB(1), true, &loc));
			if (kinds[i] == ARIG_REMOTE)
				expect_eq(loc.dma, buf.addr +
					  page * HW_PAGE_SIZE + 1);
			else
				expect(leads_to(&buf, page * HW_PAGE_SIZE + 1));
			/* A piece ends with its table. */
			expect_eq(loc.len, (page % 2 ? 1 : 2) * HW_PAGE_SIZE -
				  1);
		}
	}
	/* Others have other page tables. */
	user.vmid = ARIG_VMID + 1;
	expect_eq(cik_find(&user, VA + HW_MIB(4), 1, false, &loc), -EFAULT);
	arig_free(&rig);
}

/* The directory's index starts where the width of the leaves ends. */
static void block_sizes(void)
{
	struct arig_buf page, table;

	setup();
	page = arig_buf(&rig, ARIG_VRAM, HW_PAGE_SIZE);
	for (unsigned int size = 0; size < 8; size++) {
		uint64_t reach = HW_PAGE_SIZE << (9 + size);
		uint64_t va = 3 * reach + 7 * HW_PAGE_SIZE;

		table = arig_buf(&rig, ARIG_VRAM, HW_PAGE_SIZE);
		memset(rig.cik->vram + rig.root, 0, HW_PAGE_SIZE);
		((uint64_t *)(rig.cik->vram + rig.root))[3] =
			table.mc | CIK_PTE_VALID;
		((uint64_t *)table.host)[7] = page.addr | ARIG_RW;
		arig_write(&rig, mmVM_CONTEXT1_CNTL,
			   1 | FIELD_IN(size, VM_CONTEXT1_CNTL,
					PAGE_TABLE_BLOCK_SIZE));
		expect(!cik_find(&user, va + 0x123, 1, true, &loc));
		expect(loc.host == page.host + 0x123);
		expect_eq(cik_find(&user, va + HW_PAGE_SIZE, 1, true, &loc),
			  -EFAULT);
		expect_eq(cik_find(&user, va - reach, 1, true, &loc), -EFAULT);
		expect_eq(rig.cik->fault.reason, CIK_FAULT_PDE);
	}
	arig_free(&rig);
}

static void no_translation(void)
{
	static const struct {
		uint64_t pte;
		bool write;
		unsigned int reason;
	} bad[] = {
		{ 0, false, CIK_FAULT_VALID },
		{ ARIG_RW & ~CIK_PTE_VALID, false, CIK_FAULT_VALID },
		{ ARIG_RW & ~CIK_PTE_READABLE, false, CIK_FAULT_READ },
		{ ARIG_RW & ~CIK_PTE_WRITEABLE, true, CIK_FAULT_WRITE },
		{ ARIG_RW | ARIG_VRAM_SIZE, false, CIK_FAULT_RANGE },
		{ ARIG_RW | CIK_PTE_SYSTEM | 0x5000, false, CIK_FAULT_VALID },
	};
	struct arig_buf buf;

	setup();
	buf = arig_buf(&rig, ARIG_VRAM, HW_PAGE_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		arig_map(&rig, VA, &buf, ARIG_RW);
		expect(!cik_find(&user, VA, 1, bad[i].write, &loc));
		arig_map_entry(&rig, VA, bad[i].pte);
		expect_eq(cik_find(&user, VA, 1, bad[i].write, &loc), -EFAULT);
		expect_eq(rig.cik->fault.reason, bad[i].reason);
		expect_eq(rig.cik->fault.va, VA);
		expect_eq(rig.cik->fault.vmid, ARIG_VMID);
	}
	/* The other permission still works. */
	arig_map_entry(&rig, VA, buf.addr | (ARIG_RW & ~CIK_PTE_WRITEABLE));
	expect(!cik_find(&user, VA, 1, false, &loc));
	arig_map_entry(&rig, VA, buf.addr | (ARIG_RW & ~CIK_PTE_READABLE));
	expect(!cik_find(&user, VA, 1, true, &loc));
	arig_free(&rig);
}

static void bad_tables(void)
{
	struct arig_buf buf;
	uint64_t good;

	setup();
	buf = arig_buf(&rig, ARIG_VRAM, HW_PAGE_SIZE);
	arig_map(&rig, VA, &buf, ARIG_RW);
	good = *arig_pde(&rig, VA);
	*arig_pde(&rig, VA) = good | CIK_PTE_SYSTEM;
	expect_eq(cik_find(&user, VA, 1, false, &loc), -EFAULT);
	expect_eq(rig.cik->fault.reason, CIK_FAULT_PDE);
	/* Where VRAM is not, below and above. */
	*arig_pde(&rig, VA) = 0x1000 | CIK_PTE_VALID;
	expect_eq(cik_find(&user, VA, 1, false, &loc), -EFAULT);
	*arig_pde(&rig, VA) = (CIK_FB_BASE + ARIG_VRAM_SIZE) | CIK_PTE_VALID;
	expect_eq(cik_find(&user, VA, 1, false, &loc), -EFAULT);
	expect_eq(rig.cik->fault.reason, CIK_FAULT_PDE);
	*arig_pde(&rig, VA) = good;
	expect(!cik_find(&user, VA, 1, false, &loc));
	/* Beyond the VM's end, which has an exact place. */
	expect_eq(cik_find(&user, HW_GIB(64), 1, false, &loc), -EFAULT);
	expect_eq(rig.cik->fault.reason, CIK_FAULT_RANGE);
	expect_eq(cik_find(&user, HW_GIB(64) - 1, 1, false, &loc), -EFAULT);
	expect_eq(rig.cik->fault.reason, CIK_FAULT_PDE);
	arig_write(&rig, mmVM_CONTEXT1_CNTL, 0);
	expect_eq(cik_find(&user, VA, 1, false, &loc), -EFAULT);
	arig_free(&rig);
}

static void told(void)
{
	struct arig_iv iv;
	uint32_t value = 7, status;

	setup();
	expect(!cik_read32(&user, VA + 0x5000, &value));
	expect_eq(value, 0);
	status = arig_read(&rig, mmVM_CONTEXT1_PROTECTION_FAULT_STATUS);
	expect_eq(FIELD_OF(status, VM_CONTEXT1_PROTECTION_FAULT_STATUS, VMID),
		  ARIG_VMID);
	expect_eq(FIELD_OF(status, VM_CONTEXT1_PROTECTION_FAULT_STATUS,
			   MEMORY_CLIENT_RW), 0);
	expect_eq(arig_read(&rig, mmVM_CONTEXT1_PROTECTION_FAULT_ADDR),
		  (VA + 0x5000) >> 12);
	expect_eq(arig_read(&rig, mmVM_CONTEXT1_PROTECTION_FAULT_MCCLIENT),
		  0x54455354);
	expect(arig_iv(&rig, &iv));
	expect_eq(iv.source, 146);
	expect_eq(iv.vmid, ARIG_VMID);
	expect_eq(iv.pasid, ARIG_PASID);
	/* The first is kept until the driver has seen it. */
	expect(!cik_write32(&user, VA + 0x9000, 1));
	expect_eq(arig_read(&rig, mmVM_CONTEXT1_PROTECTION_FAULT_ADDR),
		  (VA + 0x5000) >> 12);
	expect(!arig_iv(&rig, &iv));
	arig_write(&rig, mmVM_CONTEXT1_CNTL2, 1);
	expect_eq(arig_read(&rig, mmVM_CONTEXT1_PROTECTION_FAULT_STATUS), 0);
	expect(!cik_write32(&user, VA + 0x9000, 1));
	status = arig_read(&rig, mmVM_CONTEXT1_PROTECTION_FAULT_STATUS);
	expect_eq(FIELD_OF(status, VM_CONTEXT1_PROTECTION_FAULT_STATUS,
			   MEMORY_CLIENT_RW), 1);
	expect(arig_iv(&rig, &iv));
	expect_eq(rig.cik->stats.faults, 3);
	arig_free(&rig);
}

static void told_or_not(void)
{
	struct arig_buf buf;
	struct arig_iv iv;
	uint32_t value;

	setup();
	/* A permission is another source. */
	buf = arig_buf(&rig, ARIG_VRAM, HW_PAGE_SIZE);
	arig_map(&rig, VA, &buf, ARIG_RW & ~CIK_PTE_WRITEABLE);
	expect(!cik_write32(&user, VA, 1));
	expect_eq(arig_dw(&buf, 0), 0);
	expect(arig_iv(&rig, &iv));
	expect_eq(iv.source, 147);
	arig_write(&rig, mmVM_CONTEXT1_CNTL2, 1);
	/* Without interrupts, and without the dummy page. */
	arig_write(&rig, mmVM_CONTEXT1_CNTL, 1 |
		   FIELD_IN(1, VM_CONTEXT1_CNTL, PAGE_TABLE_BLOCK_SIZE));
	expect_eq(cik_write32(&user, VA, 1), -EFAULT);
	expect(!arig_iv(&rig, &iv));
	/* The kernel's faults are never told, and it goes on. */
	expect(!cik_read32(&kernel, 0x1000, &value));
	expect_eq(value, 0);
	expect(!arig_iv(&rig, &iv));
	arig_free(&rig);
}

/* Copies and fills between all kinds of memory, across pages, at odd places. */
static void move(void)
{
	static const enum arig_where kinds[] = { ARIG_VRAM, ARIG_RAM,
						 ARIG_REMOTE };
	struct arig_buf src, dst;
	uint64_t n = 3 * HW_PAGE_SIZE;

	for (int i = 0; i < 9; i++) {
		setup();
		src = arig_buf(&rig, kinds[i / 3], 4 * HW_PAGE_SIZE);
		dst = arig_buf(&rig, kinds[i % 3], 4 * HW_PAGE_SIZE);
		arig_map(&rig, VA, &src, ARIG_RW);
		arig_map(&rig, VA + HW_MIB(16), &dst, ARIG_RW);
		for (uint64_t at = 0; at < src.size; at++)
			src.host[at] = at * 7 + at / 256;
		expect(!cik_copy(&user, VA + HW_MIB(16) + 9, VA + 3, n));
		expect(!memcmp(dst.host + 9, src.host + 3, n));
		expect_eq(dst.host[8], 0);
		expect_eq(dst.host[9 + n], 0);
		expect(!cik_fill(&user, VA + HW_MIB(16) + 1, 0x44332211, n));
		for (uint64_t at = 0; at < n; at++)
			expect_eq(dst.host[1 + at], 0x11 * (1 + at % 4));
		expect_eq(dst.host[0], 0);
		arig_free(&rig);
	}
}

/* Half of it is not there: that half gives zeroes and takes nothing. */
static void move_into_holes(void)
{
	struct arig_buf src, dst;

	setup();
	src = arig_buf(&rig, ARIG_VRAM, 2 * HW_PAGE_SIZE);
	dst = arig_buf(&rig, ARIG_VRAM, 2 * HW_PAGE_SIZE);
	memset(src.host, 0x5a, src.size);
	memset(dst.host, 0xff, dst.size);
	arig_map(&rig, VA, &src, ARIG_RW);
	arig_map(&rig, VA + HW_MIB(16), &dst, ARIG_RW);
	arig_map_entry(&rig, VA + HW_PAGE_SIZE, 0);
	expect(!cik_copy(&user, VA + HW_MIB(16), VA, 2 * HW_PAGE_SIZE));
	expect_eq(dst.host[HW_PAGE_SIZE - 1], 0x5a);
	expect(rig.cik->stats.faults > 0);
	arig_map(&rig, VA, &src, ARIG_RW);
	arig_map_entry(&rig, VA + HW_MIB(16) + HW_PAGE_SIZE, 0);
	memset(dst.host, 0xff, dst.size);
	expect(!cik_copy(&user, VA + HW_MIB(16), VA, 2 * HW_PAGE_SIZE));
	expect_eq(dst.host[HW_PAGE_SIZE - 1], 0x5a);
	expect_eq(dst.host[HW_PAGE_SIZE], 0xff);
	arig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "VMID 0: the system aperture", aperture },
	{ "VMID 0: the GART", gart },
	{ "two levels, in each kind of memory", two_levels },
	{ "the width of the leaves is the register's", block_sizes },
	{ "entries that lead nowhere, and permissions", no_translation },
	{ "tables that are nowhere, ends of the range", bad_tables },
	{ "a fault is told by registers and a vector", told },
	{ "what is told, and what goes on", told_or_not },
	{ "copies and fills between all kinds of memory", move },
	{ "a copy from and to what is not there", move_into_holes },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
