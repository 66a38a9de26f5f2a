// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting PAL attachments into IOMMU domains
 *
 * The importer says which slice of the buffer goes to which IOVA of which
 * domain and sees no physical address. Unmapping is iommu_unmap(), which needs
 * none.
 */
#include <linux/dma-buf-mapping.h>
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/overflow.h>

#include "dma-buf-pal-internal.h"

/* A part of a slice that is contiguous in physical memory */
struct pal_piece {
	phys_addr_t paddr;
	size_t len;
};

/* Where in the list a walk is: @skip bytes into the range @index */
struct pal_cursor {
	const struct dma_buf_phys_list *phys;
	size_t index;
	size_t skip;
	size_t left;
};

static int pal_cursor_init(struct pal_cursor *cur,
			   struct dma_buf_attachment *attach, size_t offset,
			   size_t length)
{
	size_t last;

	dma_buf_pal_assert_held(attach);

	cur->phys = attach->pal.phys;
	if (!cur->phys)
		return -ENODEV;

	if (!length || check_add_overflow(offset, length - 1, &last) ||
	    last >= attach->dmabuf->size)
		return -EINVAL;

	cur->index = 0;
	cur->skip = offset;
	cur->left = length;
	/* The ranges add up to the size, so this ends inside of the list */
	while (cur->skip >= cur->phys->phys[cur->index].len)
		cur->skip -= cur->phys->phys[cur->index++].len;
	return 0;
}

static bool pal_cursor_next(struct pal_cursor *cur, struct pal_piece *piece)
{
	const struct phys_vec *vec;

	if (!cur->left)
		return false;

	vec = &cur->phys->phys[cur->index++];
	piece->paddr = vec->paddr + cur->skip;
	piece->len = min(vec->len - cur->skip, cur->left);
	cur->left -= piece->len;
	cur->skip = 0;
	return true;
}

/* Each page gets an entry of its own */
static int pal_map_small(struct pal_cursor *cur, struct iommu_domain *domain,
			 unsigned long iova, int prot)
{
	struct pal_piece piece;
	size_t mapped = 0;
	size_t done;
	int ret;

	while (pal_cursor_next(cur, &piece)) {
		for (done = 0; done < piece.len; done += PAGE_SIZE) {
			ret = iommu_map_nosync(domain, iova + mapped,
					       piece.paddr + done, PAGE_SIZE,
					       prot, GFP_KERNEL_ACCOUNT);
			if (ret)
				goto err_unmap;
			mapped += PAGE_SIZE;
		}
	}

	/* Once for the whole slice and not for each page */
	ret = iommu_sync_map(domain, iova, mapped);
	if (ret)
		goto err_unmap;
	return 0;

err_unmap:
	if (mapped)
		iommu_unmap(domain, iova, mapped);
	return ret;
}

/**
 * dma_buf_pal_iommu_map - map a slice of a buffer into an IOMMU domain
 * @attach: PAL attachment for which dma_buf_pal_acquire() succeeded
 * @domain: domain to map into
 * @iova: where the slice begins in @domain, in bytes
 * @offset: where the slice begins in the buffer, in bytes
 * @length: bytes in the slice
 * @prot: IOMMU_READ, IOMMU_WRITE and the like; IOMMU_MMIO takes the place of
 *	IOMMU_CACHE since the memory belongs to a device
 * @flags: of &enum dma_buf_pal_iommu_flags
 *
 * @iova, @offset and @length must be multiples of the smallest page size of
 * @domain, and of PAGE_SIZE with %DMA_BUF_PAL_IOMMU_SMALL. The largest page
 * sizes are used that the addresses allow; see dma_buf_pal_iova_hint(). The
 * whole of [@iova, @iova + @length) can be taken out again by one iommu_unmap().
 *
 * Context: Process context, under the lock named by dma_buf_pal_set_lock().
 * Allocates with GFP_KERNEL_ACCOUNT.
 *
 * Return: 0, or an error after which nothing is mapped: -ENODEV if there is no
 * list, -EINVAL if the slice is not inside of the buffer, or what iommu_map()
 * returns.
 */
int dma_buf_pal_iommu_map(struct dma_buf_attachment *attach,
			  struct iommu_domain *domain, unsigned long iova,
			  size_t offset, size_t length, int prot,
			  unsigned int flags)
{
	struct pal_cursor cur;
	int ret;

	ret = pal_cursor_init(&cur, attach, offset, length);
	if (ret)
		return ret;

	prot &= ~IOMMU_CACHE;
	prot |= IOMMU_MMIO;

	if (!(flags & DMA_BUF_PAL_IOMMU_SMALL))
		return iommu_map_phys_vec(domain, iova,
					  &cur.phys->phys[cur.index], cur.skip,
					  length, prot, GFP_KERNEL_ACCOUNT);

	if (!PAGE_ALIGNED(iova | offset | length))
		return -EINVAL;
	return pal_map_small(&cur, domain, iova, prot);
}
EXPORT_SYMBOL_FOR_MODULES(dma_buf_pal_iommu_map, PAL_IMPORTERS);

/**
 * dma_buf_pal_iova_hint - which IOVA allows the largest page table entries
 * @attach: PAL attachment for which dma_buf_pal_acquire() succeeded
 * @offset: where the slice begins in the buffer, in bytes
 * @length: bytes in the slice
 * @max_align: largest alignment of interest, a power of two not below PAGE_SIZE
 * @remainder: set to the remainder of a good IOVA modulo the returned value
 *
 * An entry of a large page needs an IOVA that is congruent with the physical
 * address modulo the page's size. That can be had for one range in any case, so
 * it is done for the longest one of the slice; where the ranges are themselves
 * aligned the others follow.
 *
 * User space learns from such an IOVA the low bits of the address of one range,
 * those below @max_align and no others.
 *
 * Context: Any, under the lock named by dma_buf_pal_set_lock().
 *
 * Return: a power of two between PAGE_SIZE and @max_align, or 0 if there is no
 * list or the slice is not inside of the buffer.
 */
unsigned long dma_buf_pal_iova_hint(struct dma_buf_attachment *attach,
				    size_t offset, size_t length,
				    unsigned long max_align,
				    unsigned long *remainder)
{
	phys_addr_t start = 0;
	struct pal_piece piece;
	struct pal_cursor cur;
	unsigned long align;
	size_t longest = 0;
	size_t done = 0;

	if (pal_cursor_init(&cur, attach, offset, length))
		return 0;

	while (pal_cursor_next(&cur, &piece)) {
		if (piece.len > longest) {
			longest = piece.len;
			/* Wraps for a range low in memory; only mod align counts */
			start = piece.paddr - done;
		}
		done += piece.len;
	}

	align = clamp(rounddown_pow_of_two(longest), PAGE_SIZE, max_align);
	*remainder = start & (align - 1);
	return align;
}
EXPORT_SYMBOL_FOR_MODULES(dma_buf_pal_iova_hint, PAL_IMPORTERS);
