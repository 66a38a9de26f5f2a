// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Accounting of device memory that page tables of importers pin
 */

#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_resource.h>

/**
 * DOC: device memory pinned for page tables
 *
 * An importer of the PAL mapping type of dma-buf puts the physical addresses of
 * a buffer into page tables of its own. One whose page tables cannot fault,
 * like iommufd, pins the buffer for as long as user space wants it mapped.
 * Without a limit one process could so take all of the device memory away from
 * everybody else, and unlike other allocations this one cannot be evicted.
 *
 * A driver that exports such buffers calls ttm_bo_pal_charge() before it pins
 * one for a PAL importer, and ttm_bo_pal_uncharge() when that importer unpins.
 * Each buffer object counts once, however many importers there are. The sum is
 * kept per resource manager, stands in its debugfs file, and is limited to the
 * percentage of the manager's size that the module parameter pal_pin_percent
 * gives.
 *
 * Other pins, for example those of scanout or of peer to peer importers, are
 * not counted and not limited. The dmem cgroup controller was charged when the
 * memory was allocated; pinning does not charge it again.
 */

static unsigned int pal_pin_percent = 50;

static int pal_pin_percent_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, 100);
}

static const struct kernel_param_ops pal_pin_percent_ops = {
	.set = pal_pin_percent_set,
	.get = param_get_uint,
};

module_param_cb(pal_pin_percent, &pal_pin_percent_ops, &pal_pin_percent, 0644);
MODULE_PARM_DESC(pal_pin_percent,
		 "Percent of a device's memory that importers of physical addresses may pin (0-100, default 50)");

/**
 * ttm_resource_manager_pal_limit() - most that may be pinned for page tables
 * @man: resource manager of device memory
 *
 * The module parameter can change at any time. What is pinned already stays so
 * when the limit falls below it.
 *
 * Return: the limit in bytes.
 */
u64 ttm_resource_manager_pal_limit(struct ttm_resource_manager *man)
{
	return mul_u64_u32_div(man->size, READ_ONCE(pal_pin_percent), 100);
}
EXPORT_SYMBOL_GPL(ttm_resource_manager_pal_limit);

/**
 * ttm_bo_pal_charge() - account a buffer object that will be pinned for a PAL
 *	importer
 * @bo: buffer object, in device memory where it can stay
 *
 * To be called by exporters before they pin @bo, once for each dma_buf_pin() of
 * an attachment of the PAL type. Only the first call counts @bo.
 *
 * Context: Process context, with the dma_resv lock of @bo held from before this
 * call until @bo is pinned: its resource must not change in between.
 *
 * Return: 0, or -ENOSPC if the limit would be exceeded, in which case nothing
 * has changed.
 */
int ttm_bo_pal_charge(struct ttm_buffer_object *bo)
{
	struct ttm_resource_manager *man;
	u64 limit;
	int ret = 0;

	dma_resv_assert_held(bo->base.resv);

	if (bo->pal_pin_count) {
		bo->pal_pin_count++;
		return 0;
	}

	man = ttm_manager_type(bo->bdev, bo->resource->mem_type);
	limit = ttm_resource_manager_pal_limit(man);

	spin_lock(&bo->bdev->lru_lock);
	if (man->pal_pinned >= limit ||
	    bo->resource->size > limit - man->pal_pinned) {
		ret = -ENOSPC;
	} else {
		man->pal_pinned += bo->resource->size;
		bo->pal_pin_count = 1;
	}
	spin_unlock(&bo->bdev->lru_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(ttm_bo_pal_charge);

/**
 * ttm_bo_pal_uncharge() - undo one ttm_bo_pal_charge()
 * @bo: buffer object for which it succeeded
 *
 * To be called before the matching unpin, while the resource of @bo is still
 * the one that was charged.
 *
 * Context: Process context, with the dma_resv lock of @bo held.
 */
void ttm_bo_pal_uncharge(struct ttm_buffer_object *bo)
{
	struct ttm_resource_manager *man;

	dma_resv_assert_held(bo->base.resv);

	if (WARN_ON_ONCE(!bo->pal_pin_count))
		return;
	if (--bo->pal_pin_count)
		return;

	man = ttm_manager_type(bo->bdev, bo->resource->mem_type);
	spin_lock(&bo->bdev->lru_lock);
	man->pal_pinned -= bo->resource->size;
	spin_unlock(&bo->bdev->lru_lock);
}
EXPORT_SYMBOL_GPL(ttm_bo_pal_uncharge);

/**
 * ttm_resource_manager_pal_pinned() - what is pinned for page tables
 * @man: resource manager of device memory
 *
 * Return: the sum of what ttm_bo_pal_charge() counted, in bytes.
 */
u64 ttm_resource_manager_pal_pinned(struct ttm_resource_manager *man)
{
	u64 pinned;

	spin_lock(&man->bdev->lru_lock);
	pinned = man->pal_pinned;
	spin_unlock(&man->bdev->lru_lock);
	return pinned;
}
EXPORT_SYMBOL_GPL(ttm_resource_manager_pal_pinned);
