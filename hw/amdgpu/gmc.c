// SPDX-License-Identifier: MIT
/*
 * Page tables of both kinds are in VRAM and addressed as the memory controller
 * does, with VRAM at CIK_FB_BASE. Entries that lead to VRAM have offsets into it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "amdgpu/amdgpu.h"
#include "amdgpu/driver.h"
#include "core/walk.h"

#define PAGE_SHIFT	12
#define VA_BITS		40
#define LEAF_BITS	9	/* and PAGE_TABLE_BLOCK_SIZE more */

static int fail(const struct cik_as *as, uint64_t va, bool write,
		unsigned int reason, const char *what)
{
	as->cik->fault = (struct cik_fault){
		.va = va, .vmid = as->vmid, .write = write, .reason = reason,
		.what = what,
	};
	return -EFAULT;
}

/* The entry of a page table at an address of the memory controller, or NULL. */
static uint64_t *entry_at(struct cik *cik, uint64_t mc)
{
	uint64_t offset = mc - CIK_FB_BASE;

	if (mc < CIK_FB_BASE || offset > cik->config.vram - sizeof(uint64_t) ||
	    offset % sizeof(uint64_t))
		return NULL;
	return (uint64_t *)(cik->vram + offset);
}

static int read_table(void *priv, uint64_t address, uint64_t *entry)
{
	uint64_t *at = entry_at(priv, address);

	if (!at)
		return -ENXIO;
	*entry = __atomic_load_n(at, __ATOMIC_ACQUIRE);
	return 0;
}

/*
 * @loc->len reaches to the end of the page. Looks how many of the pages after it,
 * up to the end of the table, @more entries further, follow in memory.
 */
static void extend(struct cik *cik, uint64_t table, uint64_t entry,
		   uint64_t more, uint64_t want, struct cik_loc *loc)
{
	uint64_t *at = entry_at(cik, table);
	uint64_t *end = entry_at(cik, table + 8 * more);

	while (at && end && at < end && loc->len < want) {
		entry += HW_PAGE_SIZE;
		if (__atomic_load_n(++at, __ATOMIC_ACQUIRE) != entry)
			break;
		loc->len += HW_PAGE_SIZE;
	}
}

/* What is behind a valid entry; @loc->len is what the page tables allow. */
static int find_memory(const struct cik_as *as, uint64_t va, bool write,
		       uint64_t entry, struct cik_loc *loc)
{
	struct cik *cik = as->cik;
	uint64_t addr = (entry & CIK_PTE_ADDRESS) + va % HW_PAGE_SIZE;
	struct mem_span span;

	if (!(entry & (write ? CIK_PTE_WRITEABLE : CIK_PTE_READABLE)))
		return fail(as, va, write,
			    write ? CIK_FAULT_WRITE : CIK_FAULT_READ,
			    write ? "write to a page that is not writeable" :
				    "read of a page that is not readable");
	if (!(entry & CIK_PTE_SYSTEM)) {
		if (addr >= cik->config.vram)
			return fail(as, va, write, CIK_FAULT_RANGE,
				    "beyond the end of VRAM");
		loc->host = cik->vram + addr;
		loc->len = hw_min(loc->len, cik->config.vram - addr);
		return 0;
	}
	if (mem_span(cik->mem, addr, write ? MEM_WRITE : MEM_READ, &span))
		return fail(as, va, write, CIK_FAULT_VALID,
			    "system memory that is not mapped for DMA");
	loc->host = span.host;
	loc->far = !span.host;
	loc->dma = addr;
	loc->len = hw_min(loc->len, span.len);
	return 0;
}

static bool in_aperture(struct cik *cik, uint64_t va)
{
	uint64_t low = (uint64_t)cik->reg[mmMC_VM_SYSTEM_APERTURE_LOW_ADDR]
		       << PAGE_SHIFT;
	uint64_t high = (cik->reg[mmMC_VM_SYSTEM_APERTURE_HIGH_ADDR] + 1ull)
			<< PAGE_SHIFT;

	return va >= low && va < high && va >= CIK_FB_BASE &&
	       va - CIK_FB_BASE < cik->config.vram;
}

/* The kernel's addresses: VRAM as it is, and a flat table for system memory. */
static int find_kernel(const struct cik_as *as, uint64_t va, uint64_t want,
		       bool write, struct cik_loc *loc)
{
	struct cik *cik = as->cik;
	uint64_t page = va >> PAGE_SHIFT;
	uint64_t start = cik->reg[mmVM_CONTEXT0_PAGE_TABLE_START_ADDR];
	uint64_t end = cik->reg[mmVM_CONTEXT0_PAGE_TABLE_END_ADDR];
	uint64_t table, entry;

	if (in_aperture(cik, va)) {
		loc->host = cik->vram + (va - CIK_FB_BASE);
		loc->len = cik->config.vram - (va - CIK_FB_BASE);
		return 0;
	}
	if (!FIELD_OF(cik->reg[mmVM_CONTEXT0_CNTL], VM_CONTEXT0_CNTL,
		      ENABLE_CONTEXT) || page < start || page > end)
		return fail(as, va, write, CIK_FAULT_RANGE,
			    "outside of the system aperture and the GART");
	table = ((uint64_t)cik->reg[mmVM_CONTEXT0_PAGE_TABLE_BASE_ADDR]
		 << PAGE_SHIFT) + 8 * (page - start);
	if (read_table(cik, table, &entry))
		return fail(as, va, write, CIK_FAULT_PDE,
			    "the GART's table is not in VRAM");
	if (!(entry & CIK_PTE_VALID))
		return fail(as, va, write, CIK_FAULT_VALID, "no GART entry");
	loc->len = HW_PAGE_SIZE - va % HW_PAGE_SIZE;
	extend(cik, table, entry, end - page, want, loc);
	return find_memory(as, va, write, entry, loc);
}

static struct walk_entry decode(uint64_t entry, unsigned int level)
{
	struct walk_entry decoded = {
		.kind = level ? WALK_TABLE : WALK_LEAF,
		.address = entry & CIK_PTE_ADDRESS, .attrs = entry,
	};

	/* The tables are in VRAM, whatever an entry says. */
	if (!(entry & CIK_PTE_VALID) || (level && entry & CIK_PTE_SYSTEM))
		decoded.kind = WALK_INVALID;
	return decoded;
}

static uint64_t root_of(struct cik *cik, unsigned int vmid)
{
	unsigned int reg = vmid < 8 ?
		mmVM_CONTEXT0_PAGE_TABLE_BASE_ADDR + vmid :
		mmVM_CONTEXT8_PAGE_TABLE_BASE_ADDR + vmid - 8;

	return (uint64_t)cik->reg[reg] << PAGE_SHIFT;
}

static int find_user(const struct cik_as *as, uint64_t va, uint64_t want,
		     bool write, struct cik_loc *loc)
{
	struct cik *cik = as->cik;
	uint32_t cntl = cik->reg[mmVM_CONTEXT1_CNTL];
	uint64_t page = va >> PAGE_SHIFT;
	unsigned int bits = LEAF_BITS + FIELD_OF(cntl, VM_CONTEXT1_CNTL,
						 PAGE_TABLE_BLOCK_SIZE);
	const struct walk_format format = {
		.levels = 2,
		.shift = { PAGE_SHIFT, PAGE_SHIFT + bits },
		.bits = { bits, VA_BITS - PAGE_SHIFT - bits },
		.decode = decode,
	};
	struct walk_result result;
	uint64_t index;
	int ret;

	if (!FIELD_OF(cntl, VM_CONTEXT1_CNTL, ENABLE_CONTEXT) ||
	    page < cik->reg[mmVM_CONTEXT1_PAGE_TABLE_START_ADDR] ||
	    page > cik->reg[mmVM_CONTEXT1_PAGE_TABLE_END_ADDR])
		return fail(as, va, write, CIK_FAULT_RANGE,
			    "outside of the VM's range");
	ret = walk(&format, root_of(cik, as->vmid), va, read_table, cik,
		   &result);
	if (ret)
		return fail(as, va, write, result.level || ret == -ENXIO ?
			    CIK_FAULT_PDE : CIK_FAULT_VALID,
			    ret == -ENXIO ? "a page table is not in VRAM" :
			    result.level  ? "no page directory entry" :
					    "no page table entry");
	loc->len = result.len;
	index = page & ((1ull << bits) - 1);
	extend(cik, result.table + 8 * index, result.entry,
	       (1ull << bits) - 1 - index, want, loc);
	return find_memory(as, va, write, result.entry, loc);
}

int cik_find(const struct cik_as *as, uint64_t va, uint64_t want, bool write,
	     struct cik_loc *loc)
{
	loc->host = NULL;
	loc->far = false;
	return as->vmid ? find_user(as, va, want, write, loc) :
			  find_kernel(as, va, want, write, loc);
}

/* Whether the driver wants to hear of a fault, and to go on after it. */
#define INTERRUPTS \
	VM_CONTEXT1_CNTL__VALID_PROTECTION_FAULT_ENABLE_INTERRUPT_MASK
#define GO_ON VM_CONTEXT1_CNTL__VALID_PROTECTION_FAULT_ENABLE_DEFAULT_MASK

static uint32_t status_of(const struct cik_fault *fault)
{
	return FIELD_IN(fault->reason, VM_CONTEXT1_PROTECTION_FAULT_STATUS,
			PROTECTIONS) |
	       FIELD_IN(fault->write, VM_CONTEXT1_PROTECTION_FAULT_STATUS,
			MEMORY_CLIENT_RW) |
	       FIELD_IN(fault->vmid, VM_CONTEXT1_PROTECTION_FAULT_STATUS, VMID);
}

int cik_fault(const struct cik_as *as)
{
	struct cik *cik = as->cik;
	const struct cik_fault fault = cik->fault;
	bool user = fault.vmid;
	unsigned int status = user ? mmVM_CONTEXT1_PROTECTION_FAULT_STATUS :
				     mmVM_CONTEXT0_PROTECTION_FAULT_STATUS;
	unsigned int addr = user ? mmVM_CONTEXT1_PROTECTION_FAULT_ADDR :
				   mmVM_CONTEXT0_PROTECTION_FAULT_ADDR;
	unsigned int client = user ? mmVM_CONTEXT1_PROTECTION_FAULT_MCCLIENT :
				     mmVM_CONTEXT0_PROTECTION_FAULT_MCCLIENT;

	cik->stats.faults++;
	/* The first one is kept until the driver has seen it. */
	if (!cik->reg[status]) {
		trace(TRACE_FAULT, "VM fault: vmid %u, %s of %#llx: %s",
		      fault.vmid, fault.write ? "write" : "read",
		      (unsigned long long)fault.va, fault.what);
		cik->reg[status] = status_of(&fault);
		cik->reg[addr] = fault.va >> PAGE_SHIFT;
		cik->reg[client] = as->client;
		if (user && cik->reg[mmVM_CONTEXT1_CNTL] & INTERRUPTS)
			cik_interrupt(cik, fault.reason & (CIK_FAULT_READ |
							   CIK_FAULT_WRITE) ?
				      VISLANDS30_IV_SRCID_GFX_MEM_PROT_FAULT :
				      VISLANDS30_IV_SRCID_GFX_PAGE_INV_FAULT,
				      0, 0, fault.vmid);
	}
	return !user || cik->reg[mmVM_CONTEXT1_CNTL] & GO_ON ? 0 : -EFAULT;
}

void cik_fault_control(struct cik *cik, uint32_t value)
{
	if (FIELD_OF(value, VM_CONTEXT1_CNTL2,
		     CLEAR_PROTECTION_FAULT_STATUS_ADDR)) {
		cik->reg[mmVM_CONTEXT1_PROTECTION_FAULT_STATUS] = 0;
		cik->reg[mmVM_CONTEXT1_PROTECTION_FAULT_ADDR] = 0;
	}
	cik->reg[mmVM_CONTEXT1_CNTL2] = value &
		~VM_CONTEXT1_CNTL2__CLEAR_PROTECTION_FAULT_STATUS_ADDR_MASK;
}

/*
 * cik_find(), or the dummy page where that fails: neither near nor far.
 * @loc->len is at most @want.
 */
static int resolve(const struct cik_as *as, uint64_t va, uint64_t want,
		   bool write, struct cik_loc *loc)
{
	int ret = 0;

	if (cik_find(as, va, want, write, loc)) {
		ret = cik_fault(as);
		loc->host = NULL;
		loc->far = false;
		loc->len = HW_PAGE_SIZE - va % HW_PAGE_SIZE;
	}
	loc->len = hw_min(loc->len, want);
	return ret;
}

/* Messages are served while memory is far away, and what was known may change. */
static int far_read(const struct cik_as *as, const struct cik_loc *loc,
		    uint64_t va, void *buf, size_t len)
{
	as->cik->epoch++;
	if (!mem_read(as->cik->mem, loc->dma, buf, len))
		return 0;
	fail(as, va, false, CIK_FAULT_VALID, "refused by the host");
	memset(buf, 0, len);
	return cik_fault(as);
}

static int far_write(const struct cik_as *as, const struct cik_loc *loc,
		     uint64_t va, const void *buf, size_t len)
{
	as->cik->epoch++;
	if (!mem_write(as->cik->mem, loc->dma, buf, len))
		return 0;
	fail(as, va, true, CIK_FAULT_VALID, "refused by the host");
	return cik_fault(as);
}

int cik_read(const struct cik_as *as, uint64_t va, void *buf, size_t len)
{
	uint8_t *to = buf;
	struct cik_loc loc;
	int ret = 0;

	for (; len && !ret; va += loc.len, to += loc.len, len -= loc.len) {
		ret = resolve(as, va, len, false, &loc);
		if (loc.host)
			memcpy(to, loc.host, loc.len);
		else if (loc.far)
			ret = far_read(as, &loc, va, to, loc.len);
		else
			memset(to, 0, loc.len);
	}
	return ret;
}

int cik_write(const struct cik_as *as, uint64_t va, const void *buf,
	      size_t len)
{
	const uint8_t *from = buf;
	struct cik_loc loc;
	int ret = 0;

	for (; len && !ret; va += loc.len, from += loc.len, len -= loc.len) {
		ret = resolve(as, va, len, true, &loc);
		if (loc.host)
			memcpy(loc.host, from, loc.len);
		else if (loc.far)
			ret = far_write(as, &loc, va, from, loc.len);
	}
	return ret;
}

/* Whole patterns by doubling what is there already: as fast as a copy. */
static void fill_host(uint8_t *to, uint32_t pattern, size_t len)
{
	size_t n = hw_min(len, sizeof(pattern));

	if (pattern == (uint8_t)pattern * 0x01010101u) {
		memset(to, (uint8_t)pattern, len);
		return;
	}
	memcpy(to, &pattern, n);
	for (; n < len; n += hw_min(n, len - n))
		memcpy(to + n, to, hw_min(n, len - n));
}

static uint32_t rotate(uint32_t pattern, unsigned int bytes)
{
	return bytes % 4 ? pattern >> bytes % 4 * 8 |
			   pattern << (4 - bytes % 4) * 8 : pattern;
}

int cik_fill(const struct cik_as *as, uint64_t va, uint32_t pattern,
	     size_t len)
{
	uint8_t page[HW_PAGE_SIZE];
	struct cik_loc loc;
	int ret = 0;

	for (; len && !ret; va += loc.len, len -= loc.len) {
		ret = resolve(as, va, len, true, &loc);
		if (loc.host) {
			fill_host(loc.host, pattern, loc.len);
		} else if (loc.far) {
			loc.len = hw_min(loc.len, sizeof(page));
			fill_host(page, pattern, loc.len);
			ret = far_write(as, &loc, va, page, loc.len);
		}
		pattern = rotate(pattern, loc.len);
	}
	return ret;
}

/* Where a piece really was: tests compare it with an IOMMU's page tables. */
static const char *place(struct cik *cik, const struct cik_loc *loc,
			 char *text, size_t size)
{
	if (!loc->host && !loc->far)
		return "nowhere";
	if (!loc->host || loc->host < cik->vram ||
	    loc->host >= cik->vram + cik->config.vram)
		return "host";
	snprintf(text, size, "vram %#llx",
		 (unsigned long long)(loc->host - cik->vram));
	return text;
}

static void trace_piece(struct cik *cik, const struct cik_loc *in,
			const struct cik_loc *out, size_t len)
{
	char from[32], to[32];

	if (trace_on(TRACE_MEM))
		trace_line(TRACE_MEM, "copy %#zx bytes: %s -> %s", len,
			   place(cik, in, from, sizeof(from)),
			   place(cik, out, to, sizeof(to)));
}

int cik_copy(const struct cik_as *as, uint64_t dst, uint64_t src, size_t len)
{
	/* What one message to the client carries well. */
	static uint8_t buffer[HW_KIB(64)];
	struct cik_loc in, out;
	size_t n;
	int ret;

	for (; len; len -= n, dst += n, src += n) {
		ret = resolve(as, src, len, false, &in);
		if (!ret)
			ret = resolve(as, dst, len, true, &out);
		if (ret)
			return ret;
		n = hw_min(in.len, out.len);
		trace_piece(as->cik, &in, &out, n);
		if (in.host && out.host) {
			memmove(out.host, in.host, n);
			continue;
		}
		if (!out.host && !out.far)
			continue;
		n = hw_min(n, sizeof(buffer));
		ret = cik_read(as, src, buffer, n);
		if (!ret)
			ret = cik_write(as, dst, buffer, n);
		if (ret)
			return ret;
	}
	return 0;
}

int cik_read32(const struct cik_as *as, uint64_t va, uint32_t *value)
{
	struct cik_loc loc;

	if (!(va & 3) && !cik_find(as, va, 4, false, &loc) && loc.host) {
		*value = __atomic_load_n((uint32_t *)loc.host,
					 __ATOMIC_ACQUIRE);
		return 0;
	}
	return cik_read(as, va, value, sizeof(*value));
}

int cik_read64(const struct cik_as *as, uint64_t va, uint64_t *value)
{
	struct cik_loc loc;

	if (!(va & 7) && !cik_find(as, va, 8, false, &loc) && loc.host) {
		*value = __atomic_load_n((uint64_t *)loc.host,
					 __ATOMIC_ACQUIRE);
		return 0;
	}
	return cik_read(as, va, value, sizeof(*value));
}

int cik_write32(const struct cik_as *as, uint64_t va, uint32_t value)
{
	struct cik_loc loc;

	if (!(va & 3) && !cik_find(as, va, 4, true, &loc) && loc.host) {
		__atomic_store_n((uint32_t *)loc.host, value,
				 __ATOMIC_RELEASE);
		return 0;
	}
	return cik_write(as, va, &value, sizeof(value));
}

int cik_write64(const struct cik_as *as, uint64_t va, uint64_t value)
{
	struct cik_loc loc;

	if (!(va & 7) && !cik_find(as, va, 8, true, &loc) && loc.host) {
		__atomic_store_n((uint64_t *)loc.host, value,
				 __ATOMIC_RELEASE);
		return 0;
	}
	return cik_write(as, va, &value, sizeof(value));
}
