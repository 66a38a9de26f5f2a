/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the test exporter and the test importer of physical address lists
 */
#ifndef _DMA_BUF_PAL_TEST_H
#define _DMA_BUF_PAL_TEST_H

#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/types.h>

struct dma_buf;

/* User memory must not be accessed under the dma_resv lock: data go through it */
#define PAL_TEST_BOUNCE (64 * 1024UL)

/**
 * struct pal_test_walk - a position in a list of ranges of RAM
 * @vec: current range
 * @skip: bytes of it that are before the position
 */
struct pal_test_walk {
	const struct phys_vec *vec;
	size_t skip;
};

/* @offset must be inside of the ranges */
static inline void pal_test_walk_seek(struct pal_test_walk *walk,
				      const struct phys_vec *vecs,
				      size_t offset)
{
	walk->vec = vecs;
	walk->skip = offset;
	while (walk->skip >= walk->vec->len)
		walk->skip -= walk->vec++->len;
}

/* Returns how many of the @max bytes from here are contiguous, and where */
static inline size_t pal_test_walk_next(struct pal_test_walk *walk, size_t max,
					phys_addr_t *paddr)
{
	size_t len = min(walk->vec->len - walk->skip, max);

	*paddr = walk->vec->paddr + walk->skip;
	walk->skip += len;
	if (walk->skip == walk->vec->len) {
		walk->vec++;
		walk->skip = 0;
	}
	return len;
}

/* Copies between the ranges and @buf, all of which must be RAM */
static inline void pal_test_copy(const struct phys_vec *vecs, size_t offset,
				 void *buf, size_t length, bool write)
{
	struct pal_test_walk walk;
	phys_addr_t paddr;
	size_t len;

	pal_test_walk_seek(&walk, vecs, offset);
	for (; length; length -= len, buf += len) {
		len = pal_test_walk_next(&walk, length, &paddr);
		if (write)
			memcpy(phys_to_virt(paddr), buf, len);
		else
			memcpy(buf, phys_to_virt(paddr), len);
	}
}

int pal_test_import(struct dma_buf *dmabuf, u32 flags);

#endif
