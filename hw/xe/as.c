// SPDX-License-Identifier: MIT
/*
 * Both translations end in VRAM or in system memory. The GGTT is a flat table of
 * 8-byte entries in BAR 0, which the driver writes and the model only reads. A
 * PPGTT has five levels, and its tables are always in VRAM on a discrete GPU: the
 * entries that lead to them have no bit to say otherwise.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/walk.h"
#include "xe/driver.h"
#include "xe/xe.h"

/* 46 bits of address: what the driver's DMA mask and VRAM offsets need. */
#define PTE_ADDRESS	GENMASK_ULL(45, 12)

static int fail(const struct xe_as *as, uint64_t va, bool write,
		unsigned int level, bool recoverable, const char *what)
{
	as->vf->fault = (struct xe_fault){
		.va = va, .level = level, .write = write,
		.recoverable = recoverable, .what = what,
	};
	return -EFAULT;
}

/* @addr is an offset into VRAM, or a DMA address. */
static int find_memory(const struct xe_as *as, uint64_t va, bool write,
		       bool vram, uint64_t addr, struct xe_loc *loc)
{
	struct xe_vf *vf = as->vf;
	struct mem_span span;

	if (vram) {
		if (addr >= vf->config.vram)
			return fail(as, va, write, 0, false,
				    "beyond the end of VRAM");
		loc->kind = XE_LOC_HOST;
		loc->host = vf->vram + addr;
		loc->len = hw_min(loc->len, vf->config.vram - addr);
		return 0;
	}
	if (mem_span(vf->mem, addr, write ? MEM_WRITE : MEM_READ, &span))
		return fail(as, va, write, 0, false,
			    "system memory that is not mapped for DMA");
	loc->kind = span.host ? XE_LOC_HOST : XE_LOC_REMOTE;
	loc->host = span.host;
	loc->dma = addr;
	loc->len = hw_min(loc->len, span.len);
	return 0;
}

static int find_ggtt(const struct xe_as *as, uint64_t va, bool write,
		     struct xe_loc *loc)
{
	uint64_t index = va / HW_PAGE_SIZE;
	uint64_t offset = va % HW_PAGE_SIZE;
	uint64_t *table = (uint64_t *)(as->vf->bar0 + XE_GGTT_OFFSET);
	uint64_t pte;

	if (index >= XE_GGTT_BYTES / sizeof(pte))
		return fail(as, va, write, 0, false, "beyond the GGTT");
	pte = __atomic_load_n(&table[index], __ATOMIC_ACQUIRE);
	if (!(pte & XE_PAGE_PRESENT))
		return fail(as, va, write, 0, false, "no GGTT entry");
	loc->len = HW_PAGE_SIZE - offset;
	return find_memory(as, va, write, pte & XE_GGTT_PTE_DM,
			   (pte & PTE_ADDRESS) + offset, loc);
}

static struct walk_entry ppgtt_decode(uint64_t entry, unsigned int level)
{
	struct walk_entry decoded = { .kind = WALK_TABLE, .attrs = entry };
	bool leaf = !level || (level == 1 && entry & XE_PDE_PS_2M) ||
		    (level == 2 && entry & XE_PDPE_PS_1G);

	if (!(entry & XE_PAGE_PRESENT)) {
		decoded.kind = WALK_INVALID;
	} else if (leaf) {
		decoded.kind = WALK_LEAF;
		decoded.address = entry & PTE_ADDRESS &
				  ~((1ull << (12 + 9 * level)) - 1);
	} else {
		decoded.address = entry & PTE_ADDRESS;
		/*
		 * Where all of 2 MiB is in pieces of 64 KiB the driver makes a
		 * compact table, with one entry for each of them.
		 */
		if (level == 1 && entry & XE_PDE_64K) {
			decoded.shift = 16;
			decoded.bits = 5;
		}
	}
	return decoded;
}

const struct walk_format xe_ppgtt_format = {
	.levels = 5,
	.shift = { 12, 21, 30, 39, 48 },
	.bits = { 9, 9, 9, 9, 9 },
	.decode = ppgtt_decode,
};

static int read_table(void *priv, uint64_t address, uint64_t *entry)
{
	struct xe_vf *vf = priv;

	if (address > vf->config.vram - sizeof(*entry))
		return -ENXIO;
	*entry = __atomic_load_n((uint64_t *)(vf->vram + address),
				 __ATOMIC_ACQUIRE);
	return 0;
}

static int find_ppgtt(const struct xe_as *as, uint64_t va, bool write,
		      struct xe_loc *loc)
{
	struct walk_result result;
	int ret;

	ret = walk(&xe_ppgtt_format, as->root & PTE_ADDRESS, va, read_table,
		   as->vf, &result);
	if (ret == -ENXIO)
		return fail(as, va, write, result.level, false,
			    "page table beyond the end of VRAM");
	if (ret)
		return fail(as, va, write, result.level, true,
			    "no PPGTT entry");
	loc->len = result.len;
	if (result.attrs & XE_PTE_NULL) {
		loc->kind = XE_LOC_NULL;
		return 0;
	}
	if (write && !(result.attrs & XE_PAGE_RW))
		return fail(as, va, write, result.level, true,
			    "write to a read-only page");
	return find_memory(as, va, write, result.attrs & XE_PPGTT_PTE_DM,
			   result.address, loc);
}

int xe_as_find(const struct xe_as *as, uint64_t va, bool write,
	       struct xe_loc *loc)
{
	return as->ggtt ? find_ggtt(as, va, write, loc) :
			  find_ppgtt(as, va, write, loc);
}

static int remote_failed(const struct xe_as *as, uint64_t va, bool write,
			 int ret)
{
	return ret ? fail(as, va, write, 0, false,
			  "system memory refused by the host") : 0;
}

int xe_as_read(const struct xe_as *as, uint64_t va, void *buf, size_t len)
{
	struct xe_loc loc;
	uint8_t *to = buf;
	size_t n;
	int ret;

	for (; len; len -= n, va += n, to += n) {
		ret = xe_as_find(as, va, false, &loc);
		if (ret)
			return ret;
		n = hw_min(len, loc.len);
		if (loc.kind == XE_LOC_HOST)
			memcpy(to, loc.host, n);
		else if (loc.kind == XE_LOC_NULL)
			memset(to, 0, n);
		else
			ret = mem_read(as->vf->mem, loc.dma, to, n);
		if (ret)
			return remote_failed(as, va, false, ret);
	}
	return 0;
}

int xe_as_write(const struct xe_as *as, uint64_t va, const void *buf,
		size_t len)
{
	const uint8_t *from = buf;
	struct xe_loc loc;
	size_t n;
	int ret;

	for (; len; len -= n, va += n, from += n) {
		ret = xe_as_find(as, va, true, &loc);
		if (ret)
			return ret;
		n = hw_min(len, loc.len);
		if (loc.kind == XE_LOC_HOST)
			memcpy(loc.host, from, n);
		else if (loc.kind == XE_LOC_REMOTE)
			ret = mem_write(as->vf->mem, loc.dma, from, n);
		if (ret)
			return remote_failed(as, va, true, ret);
	}
	return 0;
}

int xe_as_fill(const struct xe_as *as, uint64_t va, uint8_t byte, size_t len)
{
	uint8_t page[HW_PAGE_SIZE];
	struct xe_loc loc;
	size_t n;
	int ret;

	for (; len; len -= n, va += n) {
		ret = xe_as_find(as, va, true, &loc);
		if (ret)
			return ret;
		n = hw_min(len, loc.len);
		if (loc.kind == XE_LOC_HOST) {
			memset(loc.host, byte, n);
		} else if (loc.kind == XE_LOC_REMOTE) {
			n = hw_min(n, sizeof(page));
			memset(page, byte, n);
			ret = mem_write(as->vf->mem, loc.dma, page, n);
		}
		if (ret)
			return remote_failed(as, va, true, ret);
	}
	return 0;
}

/*
 * Where a piece really was: "vram 0x1000", "host" for system memory. Tests compare
 * it with what an IOMMU's page tables say of the same buffer.
 */
static const char *place(const struct xe_vf *vf, const struct xe_loc *loc,
			 char *text, size_t size)
{
	uint64_t offset = loc->host - vf->vram;

	if (loc->kind == XE_LOC_NULL)
		return "null";
	if (loc->kind == XE_LOC_REMOTE || offset >= vf->config.vram)
		return "host";
	snprintf(text, size, "vram %#llx", (unsigned long long)offset);
	return text;
}

static void trace_piece(const struct xe_vf *vf, const struct xe_loc *in,
			const struct xe_loc *out, size_t len)
{
	char from[32], to[32];

	if (trace_on(TRACE_MEM))
		trace_line(TRACE_MEM, "copy %#zx bytes: %s -> %s", len,
			   place(vf, in, from, sizeof(from)),
			   place(vf, out, to, sizeof(to)));
}

/* One piece that is contiguous on both sides. */
static int copy_piece(const struct xe_as *to, uint64_t dst,
		      const struct xe_as *from, uint64_t src, size_t *len)
{
	/* What one message to the client carries well. */
	static uint8_t buffer[HW_KIB(64)];
	struct xe_loc in, out;
	int ret;

	ret = xe_as_find(from, src, false, &in);
	if (!ret)
		ret = xe_as_find(to, dst, true, &out);
	if (ret)
		return ret;
	*len = hw_min(*len, hw_min(in.len, out.len));
	trace_piece(to->vf, &in, &out, *len);
	if (in.kind == XE_LOC_HOST && out.kind == XE_LOC_HOST) {
		memmove(out.host, in.host, *len);
		return 0;
	}
	if (in.kind == XE_LOC_HOST && out.kind == XE_LOC_NULL)
		return 0;
	/* Messages are served meanwhile, so nothing of the above holds on. */
	*len = hw_min(*len, sizeof(buffer));
	ret = xe_as_read(from, src, buffer, *len);
	return ret ? ret : xe_as_write(to, dst, buffer, *len);
}

int xe_as_copy(const struct xe_as *to, uint64_t dst, const struct xe_as *from,
	       uint64_t src, size_t len)
{
	size_t n;
	int ret;

	for (; len; len -= n, dst += n, src += n) {
		n = len;
		ret = copy_piece(to, dst, from, src, &n);
		if (ret)
			return ret;
	}
	return 0;
}

int xe_as_read32(const struct xe_as *as, uint64_t va, uint32_t *value)
{
	struct xe_loc loc;
	int ret;

	if (va & 3)
		return xe_as_read(as, va, value, sizeof(*value));
	ret = xe_as_find(as, va, false, &loc);
	if (ret)
		return ret;
	if (loc.kind == XE_LOC_HOST) {
		*value = __atomic_load_n((uint32_t *)loc.host,
					 __ATOMIC_ACQUIRE);
		return 0;
	}
	return xe_as_read(as, va, value, sizeof(*value));
}

int xe_as_write8(const struct xe_as *as, uint64_t va, uint8_t value)
{
	struct xe_loc loc;
	int ret = xe_as_find(as, va, true, &loc);

	if (ret)
		return ret;
	if (loc.kind == XE_LOC_HOST) {
		__atomic_store_n(loc.host, value, __ATOMIC_RELEASE);
		return 0;
	}
	return xe_as_write(as, va, &value, sizeof(value));
}

int xe_as_write32(const struct xe_as *as, uint64_t va, uint32_t value)
{
	struct xe_loc loc;
	int ret;

	if (va & 3)
		return xe_as_write(as, va, &value, sizeof(value));
	ret = xe_as_find(as, va, true, &loc);
	if (ret)
		return ret;
	if (loc.kind == XE_LOC_HOST) {
		__atomic_store_n((uint32_t *)loc.host, value, __ATOMIC_RELEASE);
		return 0;
	}
	return xe_as_write(as, va, &value, sizeof(value));
}

int xe_as_write64(const struct xe_as *as, uint64_t va, uint64_t value)
{
	struct xe_loc loc;
	int ret;

	if (va & 7)
		return xe_as_write(as, va, &value, sizeof(value));
	ret = xe_as_find(as, va, true, &loc);
	if (ret)
		return ret;
	if (loc.kind == XE_LOC_HOST) {
		__atomic_store_n((uint64_t *)loc.host, value, __ATOMIC_RELEASE);
		return 0;
	}
	return xe_as_write(as, va, &value, sizeof(value));
}
