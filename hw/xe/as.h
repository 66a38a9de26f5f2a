/* SPDX-License-Identifier: MIT */
/* Address spaces of the GPU: the GGTT, and one PPGTT for each VM. */
#ifndef HW_XE_AS_H
#define HW_XE_AS_H

#include "core/util.h"

struct xe_vf;

/**
 * struct xe_as - an address space
 * @vf: the device
 * @root: VRAM offset of the top page table; unused for the GGTT
 * @ggtt: this is the GGTT
 */
struct xe_as {
	struct xe_vf *vf;
	uint64_t root;
	bool ggtt;
};

/**
 * struct xe_fault - why a translation failed
 * @va: the virtual address
 * @level: of the page table entry that ended it
 * @write: somebody wanted to write
 * @recoverable: there is no PPGTT translation yet, which a page fault may
 *	repair; anything else is a CAT error
 * @what: in words
 */
struct xe_fault {
	uint64_t va;
	unsigned int level;
	bool write;
	bool recoverable;
	const char *what;
};

enum xe_loc_kind {
	XE_LOC_HOST,	/* memory of this process */
	XE_LOC_REMOTE,	/* system memory that only messages reach */
	XE_LOC_NULL,	/* reads zeroes, drops writes */
};

/**
 * struct xe_loc - where an address leads
 * @kind: see &enum xe_loc_kind
 * @host: for XE_LOC_HOST
 * @dma: for XE_LOC_REMOTE
 * @len: bytes up to the end of the page or of the memory behind it
 */
struct xe_loc {
	enum xe_loc_kind kind;
	uint8_t *host;
	uint64_t dma;
	uint64_t len;
};

/**
 * xe_as_find - translate
 * @as: the address space
 * @va: the virtual address
 * @write: what is to be done there
 * @loc: receives the answer, which holds until messages are served again
 *
 * Page tables are read anew each time: there is no TLB to get stale.
 *
 * Return: 0, or -EFAULT with xe_vf.fault filled in.
 */
int xe_as_find(const struct xe_as *as, uint64_t va, bool write,
	       struct xe_loc *loc);

/* All return 0, or -EFAULT with xe_vf.fault filled in. */
int xe_as_read(const struct xe_as *as, uint64_t va, void *buf, size_t len);
int xe_as_write(const struct xe_as *as, uint64_t va, const void *buf,
		size_t len);
int xe_as_fill(const struct xe_as *as, uint64_t va, uint8_t byte, size_t len);
int xe_as_copy(const struct xe_as *to, uint64_t dst, const struct xe_as *from,
	       uint64_t src, size_t len);

/* Naturally aligned accesses are single ones, and writes are releases. */
int xe_as_read32(const struct xe_as *as, uint64_t va, uint32_t *value);
int xe_as_write8(const struct xe_as *as, uint64_t va, uint8_t value);
int xe_as_write32(const struct xe_as *as, uint64_t va, uint32_t value);
int xe_as_write64(const struct xe_as *as, uint64_t va, uint64_t value);

/* The PPGTT's page table format, for tests. */
struct walk_format;
extern const struct walk_format xe_ppgtt_format;

#endif
