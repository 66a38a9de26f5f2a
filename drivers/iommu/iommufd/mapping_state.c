// SPDX-License-Identifier: GPL-2.0-only
/*
 * What became of mappings of dma-bufs, for user space
 *
 * A mapping of a dma-buf comes and goes with the exporter, see dmabuf.c. Whoever
 * runs DMA through it, or a guest that does, may want to know: transfers that
 * were on their way are lost, and so may be what the memory had in it.
 *
 * The event is an eventfd because a revoke cannot allocate, and holds locks of
 * the exporter. What changed is then there to be asked for.
 */
#include <linux/eventfd.h>
#include <linux/iommufd.h>
#include <linux/spinlock.h>
#include <uapi/linux/iommufd.h>

#include "io_pagetable.h"

/**
 * iopt_dmabuf_state_changed() - Signal what watches the mappings of a dma-buf
 * @pages: Pages that were revoked, restored, or given up
 *
 * Context: Process context, with iopt_pages::mutex held.
 */
void iopt_dmabuf_state_changed(struct iopt_pages *pages)
{
	struct iopt_pages_dmabuf_track *track;

	lockdep_assert_held(&pages->mutex);

	list_for_each_entry(track, &pages->dmabuf.tracker, elm) {
		struct io_pagetable *iopt = track->area->iopt;

		guard(spinlock)(&iopt->mapping_event_lock);
		if (iopt->mapping_event)
			eventfd_signal(iopt->mapping_event);
	}
}

static void iopt_set_mapping_event(struct io_pagetable *iopt,
				   struct eventfd_ctx *event)
{
	scoped_guard(spinlock, &iopt->mapping_event_lock)
		swap(iopt->mapping_event, event);
	if (event)
		eventfd_ctx_put(event);
}

/**
 * iopt_put_mapping_event() - Drop the eventfd of an io_pagetable, if it has one
 * @iopt: io_pagetable
 */
void iopt_put_mapping_event(struct io_pagetable *iopt)
{
	iopt_set_mapping_event(iopt, NULL);
}

int iommufd_ioas_mapping_event(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_mapping_event *cmd = ucmd->cmd;
	struct eventfd_ctx *event = NULL;
	struct iommufd_ioas *ioas;

	if (cmd->flags)
		return -EOPNOTSUPP;

	ioas = iommufd_get_ioas(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	if (cmd->event_fd != -1)
		event = eventfd_ctx_fdget(cmd->event_fd);
	if (!IS_ERR(event))
		iopt_set_mapping_event(&ioas->iopt, event);

	iommufd_put_object(ucmd->ictx, &ioas->obj);
	return PTR_ERR_OR_ZERO(event);
}

static u32 iopt_dmabuf_state(struct iopt_pages *pages)
{
	if (!iopt_dmabuf_revoked(pages))
		return IOMMU_IOAS_MAPPING_MAPPED;
	if (pages->dmabuf.restore_error)
		return IOMMU_IOAS_MAPPING_FAILED;
	return IOMMU_IOAS_MAPPING_REVOKED;
}

static int iopt_get_mapping_state(struct io_pagetable *iopt,
				  struct iommu_ioas_mapping_state *cmd)
{
	struct iopt_area *area;

	guard(rwsem_read)(&iopt->iova_rwsem);
	for (area = iopt_area_iter_first(iopt, cmd->iova, ULONG_MAX); area;
	     area = iopt_area_iter_next(area, cmd->iova, ULONG_MAX)) {
		struct iopt_pages *pages = area->pages;

		/* Without pages it is being made, or on its way out */
		if (!pages || !iopt_is_dmabuf(pages))
			continue;

		guard(mutex)(&pages->mutex);
		cmd->iova = iopt_area_iova(area);
		cmd->out_length = iopt_area_length(area);
		cmd->out_state = iopt_dmabuf_state(pages);
		cmd->out_nr_revokes = pages->dmabuf.nr_revokes;
		return 0;
	}
	return -ENOENT;
}

int iommufd_ioas_mapping_state(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_mapping_state *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int rc;

	if (cmd->flags)
		return -EOPNOTSUPP;
	if (cmd->iova > ULONG_MAX)
		return -EOVERFLOW;

	ioas = iommufd_get_ioas(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	rc = iopt_get_mapping_state(&ioas->iopt, cmd);
	iommufd_put_object(ucmd->ictx, &ioas->obj);
	return rc ?: iommufd_ucmd_respond(ucmd, sizeof(*cmd));
}
