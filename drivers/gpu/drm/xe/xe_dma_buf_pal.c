// SPDX-License-Identifier: MIT
/*
 * The exporter side of the PAL mapping type of dma-buf: VRAM by its addresses
 */

#include "xe_dma_buf_pal.h"

#include <linux/dma-buf.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <drm/ttm/ttm_bo.h>

#include "regs/xe_bars.h"
#include "xe_bo.h"
#include "xe_device.h"
#include "xe_dma_buf.h"
#include "xe_res_cursor.h"
#include "xe_ttm_vram_mgr.h"
#include "xe_validation.h"
#include "xe_vram.h"

/**
 * DOC: Exporting VRAM by its physical addresses
 *
 * A dma-buf of xe can be had with two mapping types. SGT is for devices: DMA
 * addresses of VRAM where there is a path between both devices, of system
 * memory otherwise. PAL is for importers that own page tables, like iommufd,
 * and puts VRAM into those by its address in the memory BAR.
 *
 * PAL is offered for the BOs of a discrete GPU
 *
 * - that may be nowhere but in VRAM. The placement of a BO says where its user
 *   wants it, and a BO that may be in system memory as well would have to be
 *   forced out of there. No import moves it and none pins it in system memory.
 * - that fit into the part of VRAM that the BAR shows. With a small BAR they are
 *   moved there when they are mapped.
 * - that are not protected by PXP, since all that the BAR shows of those is
 *   ciphertext.
 *
 * An unpinned importer loses its mappings when the BO is evicted, and gets the
 * BO back into VRAM when it maps again. Importers that cannot take faults pin.
 * That is limited by the pal_pin_percent parameter of TTM, see "TTM accounting
 * of pinned device memory"; it has to be VRAM that the BAR shows, and nothing
 * ever falls back to system memory.
 *
 * While there are PAL importers nobody gets the BO moved to system memory:
 * importers without peer to peer cannot attach, and DMA_BUF_IOCTL_SYNC leaves
 * the BO in place.
 *
 * The mappings are revoked, pinned or not, at unbind and unplug, before AER
 * recovery resets the bus, and when the device got wedged. They do not come
 * back. A GT reset keeps VRAM and revokes nothing. The attachment keeps the
 * device from runtime suspend.
 *
 * What fails, and how:
 *
 * ============= ============ ================================================
 * operation     errno        reason
 * ============= ============ ================================================
 * export        -EPERM       the BO is private to a VM
 * export        -EBUSY       the BO is purgeable (DONTNEED)
 * export        -EINVAL      the BO was purged
 * attach        -EOPNOTSUPP  PAL is not offered, see above
 * attach        -EBUSY       PAL and an importer without peer to peer exclude
 *                            each other, whichever comes second
 * attach        -ENODEV      the device is unbound or wedged
 * pin, map      -ENODEV      the same
 * pin           -ENOSPC      more than pal_pin_percent of VRAM would be pinned
 * pin, map      -ENOMEM      no room in VRAM that the BAR shows
 * pin, map      -EBUSY       somebody else pinned the BO where the BAR does
 *                            not show it
 * ============= ============ ================================================
 *
 * An imported BO is exported by its original exporter and not by xe.
 */

/* VRAM that the CPU sees of the region where @place is */
static u64 xe_dma_buf_pal_visible(struct xe_device *xe,
				  const struct ttm_place *place)
{
	struct ttm_resource_manager *man;

	man = ttm_manager_type(&xe->ttm, place->mem_type);
	return xe_ttm_vram_get_cpu_visible_size(man);
}

/**
 * xe_dma_buf_pal_offered() - Whether a BO can be had by physical addresses
 * @bo: The exported BO
 *
 * Only looks at what is constant over the life of @bo, so no lock is needed.
 *
 * Return: true if importers may use the PAL mapping type.
 */
bool xe_dma_buf_pal_offered(struct xe_bo *bo)
{
	struct xe_device *xe = xe_bo_device(bo);
	bool fits = false;
	unsigned int i;

	if (!IS_DGFX(xe) || bo->ttm.type != ttm_bo_type_device ||
	    xe_bo_is_protected(bo))
		return false;

	for (i = 0; i < bo->placement.num_placement; i++) {
		const struct ttm_place *place = &bo->placements[i];

		if (!mem_type_is_vram(place->mem_type))
			return false;
		if (xe_bo_size(bo) <= xe_dma_buf_pal_visible(xe, place))
			fits = true;
	}
	return fits;
}

/* Moves the BO to where the BAR shows it, unless it is there or pinned */
static int xe_dma_buf_pal_validate(struct xe_bo *bo)
{
	struct ttm_place places[XE_BO_MAX_PLACEMENTS];
	struct ttm_placement placement = {
		.num_placement = bo->placement.num_placement,
		.placement = places,
	};
	struct ttm_operation_ctx ctx = {
		.interruptible = true,
		.gfp_retry_mayfail = true,
	};
	struct drm_exec *exec = XE_VALIDATION_UNSUPPORTED;
	struct xe_device *xe = xe_bo_device(bo);
	unsigned int i;
	int ret;

	xe_bo_assert_held(bo);

	if (xe_dma_buf_vram_lost(xe))
		return -ENODEV;

	for (i = 0; i < placement.num_placement; i++) {
		u64 visible = xe_dma_buf_pal_visible(xe, &bo->placements[i]);

		places[i] = bo->placements[i];
		if (visible >= ttm_manager_type(&xe->ttm, places[i].mem_type)->size)
			continue;
		places[i].lpfn = min_not_zero(places[i].lpfn,
					      visible >> PAGE_SHIFT);
		places[i].flags &= ~TTM_PL_FLAG_TOPDOWN;
	}

	if (!xe_bo_is_pinned(bo)) {
		xe_validation_assert_exec(xe, exec, &bo->ttm.base);
		ret = ttm_bo_validate(&bo->ttm, &placement, &ctx);
		if (ret)
			return ret;
	}

	return xe_bo_is_visible_vram(bo) ? 0 : -EBUSY;
}

/* Where @bo is, in as few ranges as possible. Only counts them if @vec is NULL. */
static size_t xe_dma_buf_pal_ranges(struct xe_bo *bo, struct phys_vec *vec)
{
	struct ttm_resource *res = bo->ttm.resource;
	struct xe_res_cursor cursor;
	phys_addr_t base, next = 0;
	size_t n = 0;

	base = xe_vram_region_io_start(xe_map_resource_to_region(res));
	for (xe_res_first(res, 0, xe_bo_size(bo), &cursor); cursor.remaining;
	     xe_res_next(&cursor, cursor.size)) {
		phys_addr_t paddr = base + cursor.start;

		if (!n || paddr != next) {
			if (vec)
				vec[n] = (struct phys_vec){ .paddr = paddr };
			n++;
		}
		if (vec)
			vec[n - 1].len += cursor.size;
		next = paddr + cursor.size;
	}
	return n;
}

static struct dma_buf_phys_list *
xe_dma_buf_map_phys(struct dma_buf_attachment *attach)
{
	struct xe_bo *bo = gem_to_xe_bo(attach->dmabuf->priv);
	struct dma_buf_phys_list *phys;
	size_t n;
	int ret;

	ret = xe_dma_buf_pal_validate(bo);
	if (ret)
		return ERR_PTR(ret);

	n = xe_dma_buf_pal_ranges(bo, NULL);
	phys = kvmalloc_flex(*phys, phys, n, GFP_KERNEL_ACCOUNT);
	if (!phys)
		return ERR_PTR(-ENOMEM);

	phys->length = n;
	xe_dma_buf_pal_ranges(bo, phys->phys);
	return phys;
}

static void xe_dma_buf_unmap_phys(struct dma_buf_attachment *attach,
				  struct dma_buf_phys_list *phys)
{
	kvfree(phys);
}

static const struct dma_buf_mapping_pal_exp_ops xe_dma_buf_pal_ops = {
	.map_phys = xe_dma_buf_map_phys,
	.unmap_phys = xe_dma_buf_unmap_phys,
};

/**
 * xe_dma_buf_pal_entry() - What to offer importers of the PAL mapping type
 * @bo: The exported BO, for which xe_dma_buf_pal_offered() is true
 *
 * The window is the whole BAR: all tiles have their VRAM in it, and with SR-IOV
 * each VF has one of its own.
 *
 * Return: the match entry.
 */
struct dma_buf_mapping_match xe_dma_buf_pal_entry(struct xe_bo *bo)
{
	struct pci_dev *pdev = to_pci_dev(xe_bo_device(bo)->drm.dev);

	return DMA_BUF_EMAPPING_PAL_WINDOW(&xe_dma_buf_pal_ops,
					   pci_resource_start(pdev, LMEM_BAR),
					   pci_resource_len(pdev, LMEM_BAR));
}

/**
 * xe_dma_buf_pal_pin() - Pin a BO for an importer of the PAL mapping type
 * @bo: The exported BO
 *
 * Pins in VRAM that the BAR shows, where the BO is moved if nobody pinned it
 * before.
 *
 * Context: Process context, with the dma-resv lock of @bo held.
 *
 * Return: 0, or one of the errors that "Exporting VRAM by its physical
 * addresses" lists, after which @bo is not pinned.
 */
int xe_dma_buf_pal_pin(struct xe_bo *bo)
{
	int ret;

	ret = xe_dma_buf_pal_validate(bo);
	if (ret)
		return ret;

	ret = ttm_bo_pal_charge(&bo->ttm);
	if (ret)
		return ret;

	ret = xe_bo_pin_external(bo, true, XE_VALIDATION_UNSUPPORTED);
	if (ret)
		ttm_bo_pal_uncharge(&bo->ttm);
	return ret;
}

/**
 * xe_dma_buf_pal_unpin() - Undo xe_dma_buf_pal_pin()
 * @bo: The exported BO
 *
 * Context: Process context, with the dma-resv lock of @bo held.
 */
void xe_dma_buf_pal_unpin(struct xe_bo *bo)
{
	ttm_bo_pal_uncharge(&bo->ttm);
	xe_bo_unpin_external(bo);
}
