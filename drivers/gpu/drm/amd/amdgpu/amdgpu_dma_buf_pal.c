// SPDX-License-Identifier: MIT
/*
 * The exporter side of the PAL mapping type of dma-buf: VRAM by its addresses
 */

#include "amdgpu_dma_buf_pal.h"

#include <linux/dma-buf.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <drm/amdgpu_drm.h>
#include <drm/ttm/ttm_bo.h>

#include "amdgpu.h"
#include "amdgpu_dma_buf.h"
#include "amdgpu_object.h"
#include "amdgpu_res_cursor.h"
#include "amdgpu_ttm.h"

/**
 * DOC: Exporting VRAM by its physical addresses
 *
 * A dma-buf of amdgpu can be had with two mapping types. SGT is for devices: DMA
 * addresses of VRAM where there is a path between both devices, of system
 * memory otherwise. PAL is for importers that own page tables, like iommufd,
 * and puts VRAM into those by its address in the memory BAR.
 *
 * PAL is offered for the BOs of a discrete GPU
 *
 * - whose domain is VRAM and nothing else. A BO that may be in system memory as
 *   well would have to be forced out of there. That includes those that were
 *   created when there was no room in VRAM, to which the driver adds GTT.
 * - that fit into the part of VRAM that the BAR shows. With a small BAR they are
 *   moved there when they are mapped.
 * - that were created without AMDGPU_GEM_CREATE_NO_CPU_ACCESS, which says that
 *   the BAR is not used, AMDGPU_GEM_CREATE_ENCRYPTED and
 *   AMDGPU_GEM_CREATE_GFX12_DCC, of which it shows ciphertext or compressed
 *   data, and AMDGPU_GEM_CREATE_DISCARDABLE, which eviction throws away.
 *
 * It is not offered where VRAM is not behind BAR 0: on APUs, whose VRAM is a part
 * of RAM, and for GPUs that only have XGMI to the CPU.
 *
 * An unpinned importer loses its mappings when the BO is evicted, and gets the
 * BO back into VRAM when it maps again. Importers that cannot take faults pin.
 * That is limited by the pal_pin_percent parameter of TTM, see "TTM accounting
 * of pinned device memory"; it has to be VRAM that the BAR shows, and nothing
 * ever falls back to system memory.
 *
 * While there are PAL importers nobody gets the BO moved to system memory:
 * importers without peer to peer cannot attach, and DMA_BUF_IOCTL_SYNC leaves
 * the BO in place. Only its owner can, with AMDGPU_GEM_OP_SET_PLACEMENT and a
 * command submission, and not while it is pinned.
 *
 * The mappings are revoked, pinned or not, at unbind and unplug, after a GPU
 * reset that lost VRAM or failed, when a PCI error makes the link be reset, and
 * when the system is suspended. A GPU reset that keeps VRAM revokes nothing. If
 * the device works afterwards the BO can be mapped again, with contents that are
 * undefined, and importers are told so. The attachment keeps the device from
 * runtime suspend.
 *
 * What fails, and how:
 *
 * ============= ============ ================================================
 * operation     errno        reason
 * ============= ============ ================================================
 * export        -EPERM       userptr, or AMDGPU_GEM_CREATE_VM_ALWAYS_VALID
 * attach        -EOPNOTSUPP  PAL is not offered, see above
 * attach        -EBUSY       PAL and an importer without peer to peer exclude
 *                            each other, whichever comes second
 * attach        -ENODEV      the device is unbound, its last reset failed, or
 *                            its PCI channel is offline
 * pin, map      -ENODEV      the same
 * pin           -ENOSPC      more than pal_pin_percent of VRAM would be pinned
 * pin, map      -ENOMEM      no room in VRAM that the BAR shows
 * pin, map      -EBUSY       somebody else pinned the BO where the BAR does
 *                            not show it, AMDGPU_GEM_OP_SET_PLACEMENT wants it
 *                            elsewhere, or an importer without peer to peer
 *                            attached at the same time
 * ============= ============ ================================================
 *
 * An imported BO is exported by its original exporter and not by amdgpu.
 */

/* Whether BAR 0 is how VRAM is reached */
static bool amdgpu_dma_buf_pal_has_window(struct amdgpu_device *adev)
{
	const struct amdgpu_gmc *gmc = &adev->gmc;

	if (adev->flags & AMD_IS_APU || gmc->is_app_apu ||
	    gmc->xgmi.connected_to_cpu)
		return false;

	return gmc->visible_vram_size &&
	       gmc->aper_base == pci_resource_start(adev->pdev, 0) &&
	       gmc->visible_vram_size <= pci_resource_len(adev->pdev, 0);
}

/**
 * amdgpu_dma_buf_pal_offered - whether a BO can be had by physical addresses
 * @bo: the exported BO
 *
 * Looks at what is constant over the life of @bo, but for the domain, which is
 * looked at again when the BO is mapped. No lock is needed.
 *
 * Return: true if importers may use the PAL mapping type.
 */
bool amdgpu_dma_buf_pal_offered(struct amdgpu_bo *bo)
{
	const u64 refused = AMDGPU_GEM_CREATE_NO_CPU_ACCESS |
			    AMDGPU_GEM_CREATE_ENCRYPTED |
			    AMDGPU_GEM_CREATE_DISCARDABLE;
	struct amdgpu_device *adev = amdgpu_ttm_adev(bo->tbo.bdev);

	if (READ_ONCE(bo->preferred_domains) != AMDGPU_GEM_DOMAIN_VRAM ||
	    bo->tbo.type != ttm_bo_type_device)
		return false;

	if (READ_ONCE(bo->flags) & refused || amdgpu_dma_buf_has_dcc(bo))
		return false;

	return amdgpu_dma_buf_pal_has_window(adev) &&
	       amdgpu_bo_size(bo) <= adev->gmc.visible_vram_size;
}

/* Moves the BO to where the BAR shows it, unless it is there or pinned */
static int amdgpu_dma_buf_pal_validate(struct amdgpu_bo *bo)
{
	struct amdgpu_device *adev = amdgpu_ttm_adev(bo->tbo.bdev);
	struct ttm_operation_ctx ctx = {
		.interruptible = true,
		.gfp_retry_mayfail = true,
	};
	int r;

	dma_resv_assert_held(bo->tbo.base.resv);

	if (amdgpu_dma_buf_vram_lost(adev))
		return -ENODEV;

	if (bo->preferred_domains != AMDGPU_GEM_DOMAIN_VRAM ||
	    amdgpu_dma_buf_has(bo->exported, amdgpu_dma_buf_needs_system))
		return -EBUSY;

	if (!bo->tbo.pin_count) {
		bo->flags |= AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED;
		amdgpu_bo_placement_from_domain(bo, AMDGPU_GEM_DOMAIN_VRAM);
		/* What amdgpu_bo_pin() will want, so that it moves nothing */
		if (bo->flags & AMDGPU_GEM_CREATE_VRAM_CONTIGUOUS)
			bo->placements[0].flags |= TTM_PL_FLAG_CONTIGUOUS;

		r = ttm_bo_validate(&bo->tbo, &bo->placement, &ctx);
		if (r)
			return r;
	}

	if (bo->tbo.resource->mem_type != TTM_PL_VRAM ||
	    !amdgpu_res_cpu_visible(adev, bo->tbo.resource))
		return -EBUSY;
	return 0;
}

/* Where @bo is, in as few ranges as possible. Only counts them if @vec is NULL. */
static size_t amdgpu_dma_buf_pal_ranges(struct amdgpu_bo *bo,
					struct phys_vec *vec)
{
	struct amdgpu_device *adev = amdgpu_ttm_adev(bo->tbo.bdev);
	struct amdgpu_res_cursor cursor;
	phys_addr_t next = 0;
	size_t n = 0;

	for (amdgpu_res_first(bo->tbo.resource, 0, amdgpu_bo_size(bo), &cursor);
	     cursor.remaining; amdgpu_res_next(&cursor, cursor.size)) {
		phys_addr_t paddr = adev->gmc.aper_base + cursor.start;

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
amdgpu_dma_buf_map_phys(struct dma_buf_attachment *attach)
{
	struct amdgpu_bo *bo = gem_to_amdgpu_bo(attach->dmabuf->priv);
	struct dma_buf_phys_list *phys;
	size_t n;
	int r;

	r = amdgpu_dma_buf_pal_validate(bo);
	if (r)
		return ERR_PTR(r);

	n = amdgpu_dma_buf_pal_ranges(bo, NULL);
	phys = kvmalloc_flex(*phys, phys, n, GFP_KERNEL_ACCOUNT);
	if (!phys)
		return ERR_PTR(-ENOMEM);

	phys->length = n;
	amdgpu_dma_buf_pal_ranges(bo, phys->phys);
	return phys;
}

static void amdgpu_dma_buf_unmap_phys(struct dma_buf_attachment *attach,
				      struct dma_buf_phys_list *phys)
{
	kvfree(phys);
}

static const struct dma_buf_mapping_pal_exp_ops amdgpu_dma_buf_pal_ops = {
	.map_phys = amdgpu_dma_buf_map_phys,
	.unmap_phys = amdgpu_dma_buf_unmap_phys,
};

/**
 * amdgpu_dma_buf_pal_entry - what to offer importers of the PAL mapping type
 * @bo: the exported BO, for which amdgpu_dma_buf_pal_offered() is true
 *
 * The window is the whole memory BAR: all partitions have their VRAM in it, and
 * with SR-IOV each VF has one of its own.
 *
 * Return: the match entry.
 */
struct dma_buf_mapping_match amdgpu_dma_buf_pal_entry(struct amdgpu_bo *bo)
{
	struct pci_dev *pdev = amdgpu_ttm_adev(bo->tbo.bdev)->pdev;

	return DMA_BUF_EMAPPING_PAL_WINDOW(&amdgpu_dma_buf_pal_ops,
					   pci_resource_start(pdev, 0),
					   pci_resource_len(pdev, 0));
}

/**
 * amdgpu_dma_buf_pal_pin - pin a BO for an importer of the PAL mapping type
 * @bo: the exported BO
 *
 * Pins in VRAM that the BAR shows, where the BO is moved if nobody pinned it
 * before.
 *
 * Context: Process context, with the dma-resv lock of @bo held.
 *
 * Return: 0, or one of the errors that "Exporting VRAM by its physical
 * addresses" lists, after which @bo is not pinned.
 */
int amdgpu_dma_buf_pal_pin(struct amdgpu_bo *bo)
{
	int r;

	r = amdgpu_dma_buf_pal_validate(bo);
	if (r)
		return r;

	r = ttm_bo_pal_charge(&bo->tbo);
	if (r)
		return r;

	r = amdgpu_bo_pin(bo, AMDGPU_GEM_DOMAIN_VRAM);
	if (r)
		ttm_bo_pal_uncharge(&bo->tbo);
	return r;
}

/**
 * amdgpu_dma_buf_pal_unpin - undo amdgpu_dma_buf_pal_pin()
 * @bo: the exported BO
 *
 * Context: Process context, with the dma-resv lock of @bo held.
 */
void amdgpu_dma_buf_pal_unpin(struct amdgpu_bo *bo)
{
	ttm_bo_pal_uncharge(&bo->tbo);
	amdgpu_bo_unpin(bo);
}
