// SPDX-License-Identifier: GPL-2.0
/*
 * Areas of an IOAS that are backed by a dma-buf.
 *
 * A dma-buf in an IOAS is memory of a device: there is no struct page, no CPU
 * mapping, nothing to account to a user, and it can be taken away at any time.
 * So there are no PFNs either. iommufd attaches with the PAL mapping type, has
 * the dma-buf core keep the address list of the attachment, and asks it to map
 * slices of the buffer into domains. Nothing in iommufd knows an address, and
 * what pages.c does with PFNs (batches, pins, accesses) does not apply:
 * iopt_area_fill_domain() and its kind come here for such pages.
 *
 * The memory is pinned from IOMMU_IOAS_MAP_FILE until the last area is gone,
 * since an IOMMU cannot in general fault. An exporter that has to have its
 * memory back revokes it: iopt_revoke_notify() unmaps all areas from all
 * domains, gives the address list back, and marks the pages as revoked. The
 * areas stay, with nothing behind them.
 *
 * When the exporter says that it can map again, iopt_dmabuf_restore_work() asks
 * for a list, whose addresses may be others, and maps all areas into all domains
 * that they are in by then, or none of them. User space does nothing for it. The
 * exporter may call from where memory must not be allocated, and holds the
 * reservation, so this is left to a worker. What can pass by, such as a lack of
 * memory, is tried again a few times.
 *
 * Where every domain can take faults user space may ask for memory that is not
 * pinned. Then invalidation is nothing special: the exporter moves the buffer,
 * and the same worker maps it where it went, or has it moved back to where it can
 * be mapped. Meanwhile devices fault, and whoever answers waits for the mapping.
 *
 * Which domains an area is mapped in is tracked per iopt_pages, because the
 * revoke comes with the dma_resv lock held and must not take the locks of the
 * IOAS. The order of locks is
 *
 *	iova_rwsem, domains_rwsem -> iopt_pages::mutex
 *	dma_resv lock -> iopt_pages::mutex
 *
 * and the mutex protects the tracker. iopt_pages_dmabuf::revoked changes with
 * both locks held, so either of them is enough to look at it: a revoke that has
 * nothing to do takes no mutex, which somebody may hold who waits for memory.
 * The core is told about the mutex by dma_buf_pal_set_lock() and asserts it.
 */
#include <linux/dma-buf-mapping.h>
#include <linux/dma-resv.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/memcontrol.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "io_pagetable.h"

#define CREATE_TRACE_POINTS
#include <trace/events/iommufd.h>

/* 10, 20, 40 ... 5120 ms, ten seconds in all */
#define IOPT_DMABUF_RESTORE_TRIES 10
#define IOPT_DMABUF_RESTORE_FIRST_MS 10

static void iopt_revoke_notify(struct dma_buf_attachment *attach)
{
	struct iopt_pages *pages = attach->importer_priv;
	struct iopt_pages_dmabuf_track *track;

	dma_resv_assert_held(attach->dmabuf->resv);
	if (pages->dmabuf.revoked)
		return;

	guard(mutex)(&pages->mutex);
	list_for_each_entry(track, &pages->dmabuf.tracker, elm)
		iopt_area_unmap_domain(track->area, track->domain);
	pages->dmabuf.revoked = true;
	pages->dmabuf.restore_error = 0;
	pages->dmabuf.nr_revokes++;
	/* The exporter may be waiting for it: this must not be put off */
	dma_buf_pal_release(attach);
	trace_iommufd_dmabuf_revoke(pages);
	iopt_dmabuf_state_changed(pages);

	/* Nobody is going to call, it may have been moved and nothing more */
	if (pages->dmabuf.movable) {
		pages->dmabuf.restore_tries = 0;
		mod_delayed_work(system_dfl_wq, &pages->dmabuf.restore_work,
				 msecs_to_jiffies(IOPT_DMABUF_RESTORE_FIRST_MS));
	}
}

static void iopt_dmabuf_available(struct dma_buf_attachment *attach)
{
	struct iopt_pages *pages = attach->importer_priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	/* iopt_map_dmabuf() has not got there, or has never lost it */
	if (!pages->dmabuf.attach || !pages->dmabuf.revoked)
		return;

	pages->dmabuf.restore_tries = 0;
	mod_delayed_work(system_dfl_wq, &pages->dmabuf.restore_work, 0);
}

static const struct dma_buf_attach_ops iopt_dmabuf_attach_revoke_ops = {
	.invalidate_mappings = iopt_revoke_notify,
	.mappings_available = iopt_dmabuf_available,
};

/* Where the area begins in the dma-buf, which can be in the middle of a page */
static size_t iopt_dmabuf_area_offset(struct iopt_area *area,
				      struct iopt_pages *pages)
{
	return pages->dmabuf.start + iopt_area_index(area) * PAGE_SIZE +
	       area->page_offset;
}

static int iopt_dmabuf_map_area(struct iopt_area *area,
				struct iopt_pages *pages,
				struct iommu_domain *domain)
{
	unsigned int flags = 0;

	if (iommufd_should_fail())
		return -ENOMEM;

	/* See iopt_area_split(): such areas can get unmapped page by page */
	if (area->iopt->disable_large_pages)
		flags |= DMA_BUF_PAL_IOMMU_SMALL;

	return dma_buf_pal_iommu_map(pages->dmabuf.attach, domain,
				     iopt_area_iova(area),
				     iopt_dmabuf_area_offset(area, pages),
				     iopt_area_length(area), area->iommu_prot,
				     flags);
}

/* Into all domains, or into none */
static int iopt_dmabuf_fill_tracked(struct iopt_pages *pages)
{
	struct iopt_pages_dmabuf_track *track;
	int rc;

	lockdep_assert_held(&pages->mutex);

	list_for_each_entry(track, &pages->dmabuf.tracker, elm) {
		rc = iopt_dmabuf_map_area(track->area, pages, track->domain);
		if (rc)
			goto err_unmap;
	}
	return 0;

err_unmap:
	list_for_each_entry_continue_reverse(track, &pages->dmabuf.tracker, elm)
		iopt_area_unmap_domain(track->area, track->domain);
	return rc;
}

static int iopt_dmabuf_restore(struct iopt_pages *pages)
{
	struct dma_buf_attachment *attach = pages->dmabuf.attach;
	int rc;

	rc = dma_buf_pal_acquire(attach);
	if (rc)
		return rc;

	scoped_guard(mutex, &pages->mutex) {
		rc = iopt_dmabuf_fill_tracked(pages);
		if (!rc) {
			pages->dmabuf.revoked = false;
			return 0;
		}
	}
	dma_buf_pal_release(attach);
	return rc;
}

/*
 * Only what time may heal. -ENODEV is the exporter's word for memory that is away
 * (again): it is going to call when that changes.
 */
static bool iopt_dmabuf_restore_again(struct iopt_pages *pages, int rc)
{
	unsigned int try = pages->dmabuf.restore_tries;

	if (rc != -ENOMEM && rc != -ENOSPC && rc != -EBUSY && rc != -EAGAIN &&
	    rc != -EINTR)
		return false;
	if (try == IOPT_DMABUF_RESTORE_TRIES)
		return false;

	pages->dmabuf.restore_tries++;
	queue_delayed_work(system_dfl_wq, &pages->dmabuf.restore_work,
			   msecs_to_jiffies(IOPT_DMABUF_RESTORE_FIRST_MS << try));
	return true;
}

static void iopt_dmabuf_restore_work(struct work_struct *work)
{
	struct iopt_pages *pages = container_of(to_delayed_work(work),
						struct iopt_pages,
						dmabuf.restore_work);
	struct dma_resv *resv = pages->dmabuf.attach->dmabuf->resv;
	struct mem_cgroup *old_memcg;
	int rc;

	/* Page tables are charged to who mapped first, not to nobody */
	old_memcg = set_active_memcg(pages->dmabuf.memcg);
	dma_resv_lock(resv, NULL);
	if (!pages->dmabuf.revoked)
		goto out_unlock;

	rc = iopt_dmabuf_restore(pages);
	trace_iommufd_dmabuf_restore(pages, rc);
	if (iopt_dmabuf_restore_again(pages, rc))
		goto out_unlock;

	scoped_guard(mutex, &pages->mutex) {
		pages->dmabuf.restore_error = rc == -ENODEV ? 0 : rc;
		if (rc != -ENODEV)
			iopt_dmabuf_state_changed(pages);
	}
out_unlock:
	dma_resv_unlock(resv);
	set_active_memcg(old_memcg);
}

static int iopt_map_dmabuf(struct iopt_pages *pages, struct dma_buf *dmabuf)
{
	const struct dma_buf_mapping_match match = DMA_BUF_IMAPPING_PAL();
	struct dma_buf_attachment *attach;
	int rc;

	attach = dma_buf_mapping_attach(dmabuf, &match, 1,
					&iopt_dmabuf_attach_revoke_ops, pages);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	dma_buf_pal_set_lock(attach, &pages->mutex);

	dma_resv_lock(dmabuf->resv, NULL);
	if (!pages->dmabuf.movable) {
		rc = dma_buf_pin(attach);
		if (rc)
			goto err_detach;
	}

	rc = dma_buf_pal_acquire(attach);
	if (rc)
		goto err_unpin;

	/* Also shows lockdep the order, which a revoke may rarely do */
	mutex_lock(&pages->mutex);
	pages->dmabuf.attach = attach;
	pages->dmabuf.revoked = false;
	mutex_unlock(&pages->mutex);

	dma_resv_unlock(dmabuf->resv);
	return 0;

err_unpin:
	if (!pages->dmabuf.movable)
		dma_buf_unpin(attach);
err_detach:
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, attach);
	return rc;
}

/**
 * iopt_alloc_dmabuf_pages() - Make pages of a slice of a dma-buf
 * @dmabuf: The buffer, whose reference is consumed on success
 * @start_byte: Offset of @start in its page
 * @start: First byte of the slice in the buffer
 * @length: Bytes in the slice
 * @writable: If areas may be mapped for writing
 * @movable: Do not pin, but map only into domains that can fault
 *
 * The buffer is attached, and pinned unless @movable, until the pages are
 * released.
 *
 * Return: the pages or an ERR_PTR: -EINVAL if the slice is not inside of the
 * buffer, -EOPNOTSUPP if the exporter has no physical addresses to give,
 * -ENODEV if they are revoked, -ENOMEM, or another error of the exporter.
 */
struct iopt_pages *iopt_alloc_dmabuf_pages(struct dma_buf *dmabuf,
					   unsigned long start_byte,
					   unsigned long start,
					   unsigned long length, bool writable,
					   bool movable)
{
	static struct lock_class_key pages_dmabuf_mutex_key;
	struct iopt_pages *pages;
	int rc;

	if (start + (length - 1) >= dmabuf->size)
		return ERR_PTR(-EINVAL);

	pages = iopt_alloc_pages(start_byte, length, writable);
	if (IS_ERR(pages))
		return pages;

	/*
	 * Pages of user memory take mmap_lock inside of their mutex, and an
	 * exporter's fault handler takes the reservation inside of mmap_lock.
	 * These pages do not use mmap_lock, so there is no cycle.
	 */
	lockdep_set_class(&pages->mutex, &pages_dmabuf_mutex_key);

	/* It is not the user's memory that is held here */
	pages->account_mode = IOPT_PAGES_ACCOUNT_NONE;
	pages->type = IOPT_ADDRESS_DMABUF;
	pages->dmabuf.start = start - start_byte;
	pages->dmabuf.revoked = true;
	pages->dmabuf.movable = movable;
	INIT_LIST_HEAD(&pages->dmabuf.tracker);
	INIT_DELAYED_WORK(&pages->dmabuf.restore_work,
			  iopt_dmabuf_restore_work);
	pages->dmabuf.memcg = get_mem_cgroup_from_mm(current->mm);

	rc = iopt_map_dmabuf(pages, dmabuf);
	if (rc) {
		iopt_put_pages(pages);
		return ERR_PTR(rc);
	}

	return pages;
}

/**
 * iopt_dmabuf_release() - Undo iopt_alloc_dmabuf_pages()
 * @pages: Pages that no area uses any more
 */
void iopt_dmabuf_release(struct iopt_pages *pages)
{
	struct dma_buf_attachment *attach = pages->dmabuf.attach;
	struct dma_buf *dmabuf;

	WARN_ON(!list_empty(&pages->dmabuf.tracker));
	/* The exporter can still say that it is available, that does nothing now */
	disable_delayed_work_sync(&pages->dmabuf.restore_work);
	mem_cgroup_put(pages->dmabuf.memcg);
	/* Attaching has failed */
	if (!attach)
		return;

	dmabuf = attach->dmabuf;
	dma_resv_lock(dmabuf->resv, NULL);
	/* Until it is detached the exporter can still revoke, and may just have */
	scoped_guard(mutex, &pages->mutex) {
		if (!iopt_dmabuf_revoked(pages))
			dma_buf_pal_release(attach);
		pages->dmabuf.revoked = true;
	}
	if (!pages->dmabuf.movable)
		dma_buf_unpin(attach);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

/**
 * iopt_dmabuf_fill_domain() - Map a dma-buf's area into one domain
 * @area: The area to map
 * @pages: The pages associated with the area (area->pages can be NULL)
 * @domain: Domain to map into, which the caller tracks
 *
 * On failure the domain is left unchanged. Does nothing for a revoked dma-buf.
 *
 * Return: 0 or a negative error code.
 */
int iopt_dmabuf_fill_domain(struct iopt_area *area, struct iopt_pages *pages,
			    struct iommu_domain *domain)
{
	if (iopt_dmabuf_revoked(pages))
		return 0;
	return iopt_dmabuf_map_area(area, pages, domain);
}

/**
 * iopt_dmabuf_fill_domains() - Map a new area into all domains of its IOAS
 * @area: The area to map
 * @pages: The pages associated with the area (area->pages is NULL)
 *
 * Also tracks the domains. On failure all domains are left unchanged.
 *
 * Return: 0 or a negative error code.
 */
int iopt_dmabuf_fill_domains(struct iopt_area *area, struct iopt_pages *pages)
{
	struct iommu_domain *domain;
	unsigned long unmap_index;
	unsigned long index;
	int rc;

	lockdep_assert_held(&area->iopt->domains_rwsem);
	lockdep_assert_held(&pages->mutex);

	xa_for_each_range(&area->iopt->domains, index, domain, 0,
			  iopt_last_domain(area->iopt)) {
		rc = iopt_dmabuf_track_domain(pages, area, domain);
		if (rc)
			goto err_unmap;
		rc = iopt_dmabuf_fill_domain(area, pages, domain);
		if (rc)
			goto err_unmap;
	}
	return 0;

err_unmap:
	xa_for_each_range(&area->iopt->domains, unmap_index, domain, 0,
			  iopt_last_domain(area->iopt)) {
		if (unmap_index == index)
			break;
		if (!iopt_dmabuf_revoked(pages))
			iopt_area_unmap_domain(area, domain);
	}
	iopt_dmabuf_untrack_all_domains(area, pages);
	return rc;
}

/**
 * iopt_dmabuf_iova_hint() - Ask for a good IOVA for an area to be
 * @pages: Pages of a dma-buf
 * @start_byte: Where the area will begin in the pages
 * @length: Bytes in the area
 * @max_align: Largest alignment to be considered
 * @remainder: Remainder of the IOVA modulo the returned alignment
 *
 * Return: an alignment that is a power of two, or 0 if there is no preference.
 */
unsigned long iopt_dmabuf_iova_hint(struct iopt_pages *pages,
				    unsigned long start_byte,
				    unsigned long length,
				    unsigned long max_align,
				    unsigned long *remainder)
{
	guard(mutex)(&pages->mutex);
	if (iopt_dmabuf_revoked(pages))
		return 0;
	return dma_buf_pal_iova_hint(pages->dmabuf.attach,
				     pages->dmabuf.start + start_byte, length,
				     max_align, remainder);
}

static struct iopt_pages_dmabuf_track *
iopt_dmabuf_find_track(struct iopt_pages *pages, struct iopt_area *area,
		       struct iommu_domain *domain)
{
	struct iopt_pages_dmabuf_track *track;

	lockdep_assert_held(&pages->mutex);

	list_for_each_entry(track, &pages->dmabuf.tracker, elm)
		if (track->area == area && track->domain == domain)
			return track;
	return NULL;
}

static void iopt_dmabuf_free_track(struct iopt_pages_dmabuf_track *track)
{
	list_del(&track->elm);
	kfree(track);
}

/**
 * iopt_dmabuf_track_domain() - Note that an area will be mapped in a domain
 * @pages: Pages of a dma-buf
 * @area: Area that uses them
 * @domain: Domain of the area's IOAS
 *
 * From here on, and if the domain is not yet filled too, a revoke unmaps the
 * area's IOVA from the domain.
 *
 * Return: 0, -ENOMEM, -EOPNOTSUPP if the memory can move and the domain cannot
 * fault, or -EINVAL if the area is tracked there already.
 */
int iopt_dmabuf_track_domain(struct iopt_pages *pages, struct iopt_area *area,
			     struct iommu_domain *domain)
{
	struct iopt_pages_dmabuf_track *track;

	if (WARN_ON(iopt_dmabuf_find_track(pages, area, domain)))
		return -EINVAL;

	if (pages->dmabuf.movable && !domain->iopf_handler)
		return -EOPNOTSUPP;

	track = kzalloc_obj(*track, GFP_KERNEL_ACCOUNT);
	if (!track)
		return -ENOMEM;
	track->area = area;
	track->domain = domain;
	list_add_tail(&track->elm, &pages->dmabuf.tracker);
	return 0;
}

/**
 * iopt_dmabuf_untrack_domain() - Undo iopt_dmabuf_track_domain()
 * @pages: Pages of a dma-buf
 * @area: Area that uses them
 * @domain: Domain from which the area was unmapped
 */
void iopt_dmabuf_untrack_domain(struct iopt_pages *pages,
				struct iopt_area *area,
				struct iommu_domain *domain)
{
	struct iopt_pages_dmabuf_track *track;

	track = iopt_dmabuf_find_track(pages, area, domain);
	if (!WARN_ON(!track))
		iopt_dmabuf_free_track(track);
}

/**
 * iopt_dmabuf_untrack_all_domains() - Forget all domains of an area
 * @area: Area that was unmapped from all of them
 * @pages: Pages of a dma-buf
 */
void iopt_dmabuf_untrack_all_domains(struct iopt_area *area,
				     struct iopt_pages *pages)
{
	struct iopt_pages_dmabuf_track *track, *next;

	lockdep_assert_held(&pages->mutex);

	list_for_each_entry_safe(track, next, &pages->dmabuf.tracker, elm)
		if (track->area == area)
			iopt_dmabuf_free_track(track);
}
