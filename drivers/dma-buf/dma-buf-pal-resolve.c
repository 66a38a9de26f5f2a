// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single pages of PAL attachments
 *
 * For importers that fill their page table one fault at a time, like KVM. They
 * say which page of the buffer they want and get its page frame number and how
 * much around it they may map at once; no list leaves the core.
 */
#include <linux/dma-buf-mapping.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/slab.h>

#include "dma-buf-pal-internal.h"

/*
 * Where each range begins in the buffer. Fragmented VRAM can be in a million
 * ranges, and a fault should not cost a walk over all of them.
 */
struct dma_buf_pal_index {
	size_t length;
	size_t starts[] __counted_by(length);
};

/**
 * dma_buf_pal_index_alloc - prepare a list for dma_buf_pal_resolve()
 * @attach: PAL attachment for which dma_buf_pal_acquire() succeeded
 *
 * The index belongs to the list that the core keeps now. It must be freed by
 * dma_buf_pal_index_free() when dma_buf_pal_release() has dropped that list.
 *
 * Context: Process context, with the dma_resv lock held.
 *
 * Return: the index, NULL if there is no list or no memory.
 */
struct dma_buf_pal_index *
dma_buf_pal_index_alloc(struct dma_buf_attachment *attach)
{
	const struct dma_buf_phys_list *phys = attach->pal.phys;
	struct dma_buf_pal_index *index;
	size_t start = 0;
	size_t i;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (!phys)
		return NULL;

	index = kvmalloc_flex(*index, starts, phys->length, GFP_KERNEL_ACCOUNT);
	if (!index)
		return NULL;
	index->length = phys->length;
	for (i = 0; i < phys->length; i++) {
		index->starts[i] = start;
		start += phys->phys[i].len;
	}
	return index;
}
EXPORT_SYMBOL_FOR_MODULES(dma_buf_pal_index_alloc, PAL_IMPORTERS);

/**
 * dma_buf_pal_index_free - free an index
 * @index: what dma_buf_pal_index_alloc() returned, or NULL
 */
void dma_buf_pal_index_free(struct dma_buf_pal_index *index)
{
	kvfree(index);
}
EXPORT_SYMBOL_FOR_MODULES(dma_buf_pal_index_free, PAL_IMPORTERS);

/* The last range that does not begin behind @offset */
static size_t pal_index_find(const struct dma_buf_pal_index *index,
			     size_t offset)
{
	size_t low = 0;
	size_t high = index->length;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (index->starts[mid] <= offset)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/**
 * dma_buf_pal_resolve - where a page of a buffer is
 * @attach: PAL attachment for which dma_buf_pal_acquire() succeeded
 * @index: index of the list
 * @offset: a byte of the page, as an offset in the buffer
 * @max_order: largest order of interest
 * @pfn: set to the page frame number of the page
 * @order: set to the order of the largest naturally aligned block of physical
 *	memory, at most @max_order, that contains the page and all of which is in
 *	the buffer, in this place and order
 *
 * The result holds until the importer is asked to let go of the memory. An
 * importer that drops its lock before it fills its page table has to find out,
 * by a sequence count or the like, that this has not happened in between.
 *
 * The memory has no struct page and may be neither dereferenced nor pinned.
 *
 * Context: Any, under the lock named by dma_buf_pal_set_lock().
 *
 * Return: 0, -ENODEV if there is no list, -EINVAL if @offset is not inside of
 * the buffer.
 */
int dma_buf_pal_resolve(struct dma_buf_attachment *attach,
			const struct dma_buf_pal_index *index, size_t offset,
			unsigned int max_order, unsigned long *pfn,
			unsigned int *order)
{
	const struct dma_buf_phys_list *phys = attach->pal.phys;
	unsigned long first, last, block;
	const struct phys_vec *vec;
	size_t i;

	dma_buf_pal_assert_held(attach);

	if (!phys || WARN_ON_ONCE(!index || index->length != phys->length))
		return -ENODEV;
	if (offset >= attach->dmabuf->size)
		return -EINVAL;

	i = pal_index_find(index, offset);
	vec = &phys->phys[i];
	first = PHYS_PFN(vec->paddr);
	last = first + PHYS_PFN(vec->len) - 1;
	*pfn = first + PHYS_PFN(offset - index->starts[i]);

	*order = min_t(unsigned int, max_order, ilog2(last - first + 1));
	for (; *order; (*order)--) {
		block = *pfn & ~((1UL << *order) - 1);
		if (block >= first && block + ((1UL << *order) - 1) <= last)
			break;
	}
	return 0;
}
EXPORT_SYMBOL_FOR_MODULES(dma_buf_pal_resolve, PAL_IMPORTERS);
