/* SPDX-License-Identifier: MIT */
/*
 * The memory controller: where an address of a VMID leads. VMID 0 is the kernel's,
 * with VRAM in the system aperture and system memory in the GART; VMIDs 1-15 are
 * user space's, each with page tables of two levels.
 */
#ifndef HW_AMDGPU_GMC_H
#define HW_AMDGPU_GMC_H

#include "core/util.h"

struct cik;

/* Of a page table entry; the driver has them in amdgpu_vm.h. */
#define CIK_PTE_VALID		(1ull << 0)
#define CIK_PTE_SYSTEM		(1ull << 1)
#define CIK_PTE_READABLE	(1ull << 5)
#define CIK_PTE_WRITEABLE	(1ull << 6)
#define CIK_PTE_ADDRESS		0x000000fffffff000ull

/* Reasons of a fault, bits of VM_CONTEXT1_PROTECTION_FAULT_STATUS. */
#define CIK_FAULT_RANGE		0x01
#define CIK_FAULT_PDE		0x02
#define CIK_FAULT_VALID		0x04
#define CIK_FAULT_READ		0x08
#define CIK_FAULT_WRITE		0x10

/**
 * struct cik_as - who accesses memory
 * @cik: the device
 * @vmid: whose addresses they are
 * @client: four characters by which the driver reports it
 */
struct cik_as {
	struct cik *cik;
	unsigned int vmid;
	uint32_t client;
};

/**
 * struct cik_fault - why a translation failed
 * @va: the virtual address
 * @vmid: of whom
 * @write: somebody wanted to write
 * @reason: CIK_FAULT_*
 * @what: in words
 */
struct cik_fault {
	uint64_t va;
	unsigned int vmid;
	bool write;
	unsigned int reason;
	const char *what;
};

/**
 * struct cik_loc - where an address leads
 * @host: memory of this process, or NULL
 * @far: system memory that only messages reach, at @dma
 * @dma: its address
 * @len: bytes that are contiguous there
 */
struct cik_loc {
	uint8_t *host;
	bool far;
	uint64_t dma;
	uint64_t len;
};

/**
 * cik_find - translate
 * @as: who asks
 * @va: the virtual address
 * @want: bytes for which the caller has use
 * @write: what is to be done there
 * @loc: receives the answer, which holds until messages are served again
 *
 * Page tables are read anew each time: there is no TLB to get stale. Pages that
 * follow each other in memory as well are one piece.
 *
 * Return: 0, or -EFAULT with cik.fault filled in; the driver is not told.
 */
int cik_find(const struct cik_as *as, uint64_t va, uint64_t want, bool write,
	     struct cik_loc *loc);

/*
 * A fault is told to the driver. Then reads give zeroes and writes are dropped, as
 * from the page that the driver puts behind what is not mapped; if it has turned
 * that off, these return -EFAULT and whoever did it stops.
 */
int cik_read(const struct cik_as *as, uint64_t va, void *buf, size_t len);
int cik_write(const struct cik_as *as, uint64_t va, const void *buf,
	      size_t len);
int cik_copy(const struct cik_as *as, uint64_t dst, uint64_t src, size_t len);
/* @pattern is repeated, its first byte at @va. */
int cik_fill(const struct cik_as *as, uint64_t va, uint32_t pattern,
	     size_t len);

/* Naturally aligned accesses are single ones, and writes are releases. */
int cik_read32(const struct cik_as *as, uint64_t va, uint32_t *value);
int cik_read64(const struct cik_as *as, uint64_t va, uint64_t *value);
int cik_write32(const struct cik_as *as, uint64_t va, uint32_t value);
int cik_write64(const struct cik_as *as, uint64_t va, uint64_t value);

/* Tells the driver of cik.fault. 0 if it goes on with the dummy page. */
int cik_fault(const struct cik_as *as);

/* What writing VM_CONTEXT1_CNTL2 does. */
void cik_fault_control(struct cik *cik, uint32_t value);

#endif
