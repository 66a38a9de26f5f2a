// SPDX-License-Identifier: GPL-2.0 AND MIT
/*
 * Live KUnit tests of VRAM exported by its physical addresses
 */

#include <kunit/test.h>
#include <kunit/visibility.h>
#include <linux/dma-buf-mapping.h>
#include <linux/dma-buf.h>
#include <linux/io.h>
#include <linux/pci.h>

#include <drm/ttm/ttm_resource.h>
#include <uapi/drm/xe_drm.h>

#include "regs/xe_bars.h"
#include "tests/xe_dma_buf_pal_test.h"
#include "tests/xe_kunit_helpers.h"
#include "tests/xe_pci_test.h"
#include "xe_bo.h"
#include "xe_device.h"
#include "xe_dma_buf.h"
#include "xe_res_cursor.h"
#include "xe_ttm_vram_mgr.h"
#include "xe_validation.h"

#define PAL_PIECE	SZ_64K
#define PAL_PIECES	128
#define PAL_WINDOW	(PAL_PIECE * PAL_PIECES)

/* An importer that can be revoked and maps again when it is asked to */
struct pal_imp {
	struct dma_buf_attachment *attach;
	struct dma_buf_phys_list *phys;
	unsigned int invalidated;
	bool pinned;
};

static void pal_imp_drop(struct pal_imp *imp)
{
	if (imp->phys)
		dma_buf_pal_unmap_phys(imp->attach, imp->phys);
	imp->phys = NULL;
}

static void pal_imp_invalidate(struct dma_buf_attachment *attach)
{
	struct pal_imp *imp = attach->importer_priv;

	pal_imp_drop(imp);
	imp->invalidated++;
}

static const struct dma_buf_attach_ops pal_imp_ops = {
	.invalidate_mappings = pal_imp_invalidate,
};

static void pal_imp_detach(void *arg)
{
	struct pal_imp *imp = arg;
	struct dma_buf *dmabuf;

	if (IS_ERR_OR_NULL(imp->attach))
		return;

	dmabuf = imp->attach->dmabuf;
	dma_resv_lock(dmabuf->resv, NULL);
	pal_imp_drop(imp);
	if (imp->pinned)
		dma_buf_unpin(imp->attach);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, imp->attach);
	imp->attach = NULL;
}

static struct pal_imp *pal_imp_attach(struct kunit *test, struct dma_buf *dmabuf)
{
	const struct dma_buf_mapping_match match = DMA_BUF_IMAPPING_PAL();
	struct pal_imp *imp;

	imp = kunit_kzalloc(test, sizeof(*imp), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, imp);
	imp->attach = dma_buf_mapping_attach(dmabuf, &match, 1, &pal_imp_ops, imp);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, pal_imp_detach, imp));
	return imp;
}

static int pal_imp_map(struct pal_imp *imp)
{
	struct dma_buf_phys_list *phys;

	dma_resv_lock(imp->attach->dmabuf->resv, NULL);
	phys = dma_buf_pal_map_phys(imp->attach);
	if (!IS_ERR(phys)) {
		imp->phys = phys;
		/* With a small BAR this may have been a move */
		imp->invalidated = 0;
	}
	dma_resv_unlock(imp->attach->dmabuf->resv);
	return PTR_ERR_OR_ZERO(phys);
}

static int pal_imp_pin(struct pal_imp *imp)
{
	int ret;

	dma_resv_lock(imp->attach->dmabuf->resv, NULL);
	ret = dma_buf_pin(imp->attach);
	imp->pinned = !ret;
	dma_resv_unlock(imp->attach->dmabuf->resv);
	return ret;
}

static void pal_imp_unpin(struct pal_imp *imp)
{
	dma_resv_lock(imp->attach->dmabuf->resv, NULL);
	dma_buf_unpin(imp->attach);
	imp->pinned = false;
	dma_resv_unlock(imp->attach->dmabuf->resv);
}

/* An importer of the SGT type for the device itself, or its error */
static struct dma_buf_attachment *pal_sgt_attach(struct dma_buf *dmabuf,
						 struct pal_imp *imp, bool p2p)
{
	static const struct dma_buf_attach_ops ops[] = {
		{ .invalidate_mappings = pal_imp_invalidate },
		{ .invalidate_mappings = pal_imp_invalidate,
		  .allow_peer2peer = true },
	};
	struct drm_gem_object *obj = dmabuf->priv;

	return dma_buf_dynamic_attach(dmabuf, obj->dev->dev, &ops[p2p], imp);
}

static void pal_put_bo(void *bo)
{
	xe_bo_put(bo);
}

static struct xe_bo *pal_bo(struct kunit *test, size_t size, u32 flags)
{
	struct xe_device *xe = test->priv;
	struct xe_bo *bo;

	bo = xe_bo_create_user(xe, NULL, size, DRM_XE_GEM_CPU_CACHING_WC, flags,
			       NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, pal_put_bo, bo));
	return bo;
}

static void pal_put_dmabuf(void *dmabuf)
{
	dma_buf_put(dmabuf);
}

/*
 * No handle is made and so drm_gem_object.dma_buf is not set: to xe this is a
 * dma-buf that has outlived the handles of its BO.
 */
static struct dma_buf *pal_export(struct kunit *test, struct xe_bo *bo)
{
	struct dma_buf *dmabuf = xe_gem_prime_export(&bo->ttm.base, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, pal_put_dmabuf,
							   dmabuf));
	return dmabuf;
}

static u32 pal_mem_type(struct xe_bo *bo)
{
	u32 mem_type;

	xe_bo_lock(bo, false);
	mem_type = bo->ttm.resource->mem_type;
	xe_bo_unlock(bo);
	return mem_type;
}

static int pal_evict(struct xe_bo *bo)
{
	/* Takes locks, to teach lockdep their order */
	struct drm_exec *exec = XE_VALIDATION_OPT_OUT;
	int ret;

	xe_bo_lock(bo, false);
	ret = xe_bo_evict(bo, exec);
	xe_bo_unlock(bo);
	return ret;
}

/* A BO of one PAL_PIECE after the other within PAL_WINDOW bytes at @start */
static struct xe_bo *pal_bo_in_window(struct kunit *test, size_t size, u64 start)
{
	struct xe_bo *bo = pal_bo(test, size, XE_BO_FLAG_VRAM0 |
				  XE_BO_FLAG_DEFER_BACKING);
	struct drm_exec *exec = XE_VALIDATION_OPT_OUT;
	int ret;

	xe_bo_lock(bo, false);
	bo->placements[0].fpfn = start >> PAGE_SHIFT;
	bo->placements[0].lpfn = (start + PAL_WINDOW) >> PAGE_SHIFT;
	bo->placements[0].flags = 0;
	ret = xe_bo_validate(bo, NULL, false, exec);
	dma_resv_wait_timeout(bo->ttm.base.resv, DMA_RESV_USAGE_BOOKKEEP, false,
			      MAX_SCHEDULE_TIMEOUT);
	xe_bo_unlock(bo);
	KUNIT_ASSERT_EQ(test, ret, 0);
	return bo;
}

/* Fills a window of VRAM with small BOs and frees every second one */
static struct xe_bo *pal_fragmented_bo(struct kunit *test)
{
	struct xe_res_cursor cursor;
	struct xe_bo **piece;
	struct xe_bo *holder;
	unsigned int i;
	u64 start;

	piece = kunit_kcalloc(test, PAL_PIECES, sizeof(*piece), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, piece);
	holder = pal_bo(test, PAL_WINDOW, XE_BO_FLAG_VRAM0 |
			XE_BO_FLAG_NEEDS_CPU_ACCESS);
	xe_bo_lock(holder, false);
	dma_resv_wait_timeout(holder->ttm.base.resv, DMA_RESV_USAGE_BOOKKEEP,
			      false, MAX_SCHEDULE_TIMEOUT);
	xe_res_first(holder->ttm.resource, 0, PAL_WINDOW, &cursor);
	start = cursor.start;
	xe_bo_unlock(holder);
	KUNIT_ASSERT_EQ_MSG(test, cursor.size, PAL_WINDOW, "VRAM is in use");
	kunit_release_action(test, pal_put_bo, holder);

	for (i = 0; i < PAL_PIECES; i++)
		piece[i] = pal_bo_in_window(test, PAL_PIECE, start);
	for (i = 0; i < PAL_PIECES; i++) {
		u64 index;

		xe_res_first(piece[i]->ttm.resource, 0, PAL_PIECE, &cursor);
		index = (cursor.start - start) / PAL_PIECE;
		if (index & 1)
			kunit_release_action(test, pal_put_bo, piece[i]);
	}
	return pal_bo_in_window(test, PAL_WINDOW / 2, start);
}

static void xe_dma_buf_pal_fragmented(struct kunit *test)
{
	struct xe_device *xe = test->priv;
	struct pci_dev *pdev = to_pci_dev(xe->drm.dev);
	struct xe_bo *bo = pal_fragmented_bo(test);
	struct pal_imp *imp = pal_imp_attach(test, pal_export(test, bo));
	struct xe_res_cursor cursor;
	u64 offset = 0;
	size_t i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imp->attach);
	KUNIT_ASSERT_EQ(test, pal_imp_map(imp), 0);
	KUNIT_EXPECT_EQ(test, imp->phys->length, PAL_PIECES / 2);
	KUNIT_EXPECT_FALSE(test, xe_bo_is_pinned(bo));

	for (i = 0; i < imp->phys->length; i++) {
		struct phys_vec *vec = &imp->phys->phys[i];

		xe_res_first(bo->ttm.resource, offset, vec->len, &cursor);
		KUNIT_EXPECT_EQ(test, vec->paddr,
				pci_resource_start(pdev, LMEM_BAR) + cursor.start);
		offset += vec->len;
	}
	KUNIT_EXPECT_EQ(test, offset, xe_bo_size(bo));
}

/* What is written by address is what the driver reads, also after a move */
static void xe_dma_buf_pal_evict(struct kunit *test)
{
	struct xe_bo *bo = pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0);
	struct pal_imp *imp = pal_imp_attach(test, pal_export(test, bo));
	u32 magic = 0x70a1da7a;
	void __iomem *io;
	u32 val = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imp->attach);
	KUNIT_ASSERT_EQ(test, pal_imp_map(imp), 0);

	io = ioremap_wc(imp->phys->phys[0].paddr, PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, io);
	writel(magic, io + SZ_2K);
	/* Flushes write combining */
	readl(io + SZ_2K);
	iounmap(io);
	KUNIT_EXPECT_EQ(test, xe_bo_read(bo, SZ_2K, &val, sizeof(val)), 0);
	KUNIT_EXPECT_EQ(test, val, magic);

	KUNIT_EXPECT_EQ(test, pal_evict(bo), 0);
	KUNIT_EXPECT_EQ(test, imp->invalidated, 1);
	KUNIT_EXPECT_NULL(test, imp->phys);
	KUNIT_EXPECT_FALSE(test, mem_type_is_vram(pal_mem_type(bo)));

	KUNIT_ASSERT_EQ(test, pal_imp_map(imp), 0);
	KUNIT_EXPECT_TRUE(test, mem_type_is_vram(pal_mem_type(bo)));
	io = ioremap_wc(imp->phys->phys[0].paddr, PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, io);
	KUNIT_EXPECT_EQ(test, readl(io + SZ_2K), magic);
	iounmap(io);
}

static void xe_dma_buf_pal_small_bar(struct kunit *test)
{
	struct xe_device *xe = test->priv;
	struct ttm_resource_manager *man = ttm_manager_type(&xe->ttm, XE_PL_VRAM0);
	struct pal_imp *imp;
	struct xe_bo *bo;

	if (xe_ttm_vram_get_cpu_visible_size(man) >= man->size)
		kunit_skip(test, "the BAR shows all of VRAM");

	bo = pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0);
	xe_bo_lock(bo, false);
	KUNIT_EXPECT_FALSE(test, xe_bo_is_visible_vram(bo));
	xe_bo_unlock(bo);

	imp = pal_imp_attach(test, pal_export(test, bo));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imp->attach);
	KUNIT_ASSERT_EQ(test, pal_imp_map(imp), 0);
	xe_bo_lock(bo, false);
	KUNIT_EXPECT_TRUE(test, xe_bo_is_visible_vram(bo));
	xe_bo_unlock(bo);
}

static void pal_expect_refused(struct kunit *test, struct xe_bo *bo)
{
	u32 mem_type = pal_mem_type(bo);
	struct pal_imp *imp = pal_imp_attach(test, pal_export(test, bo));

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(imp->attach), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, pal_mem_type(bo), mem_type);
}

static void xe_dma_buf_pal_refused(struct kunit *test)
{
	struct xe_bo *bo = pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0);
	struct pal_imp *imp;

	pal_expect_refused(test, pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0 |
					XE_BO_FLAG_SYSTEM));
	pal_expect_refused(test, pal_bo(test, SZ_64K, XE_BO_FLAG_SYSTEM));

	bo->pxp_key_instance = 1;
	pal_expect_refused(test, bo);
	bo->pxp_key_instance = 0;

	/* Nothing else was wrong with it */
	imp = pal_imp_attach(test, pal_export(test, bo));
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, imp->attach);
}

static void xe_dma_buf_pal_purgeable(struct kunit *test)
{
	struct xe_bo *bo = pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0);

	xe_bo_lock(bo, false);
	xe_bo_set_purgeable_state(bo, XE_MADV_PURGEABLE_DONTNEED);
	xe_bo_unlock(bo);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(xe_gem_prime_export(&bo->ttm.base, 0)),
			-EBUSY);

	xe_bo_lock(bo, false);
	xe_bo_set_purgeable_state(bo, XE_MADV_PURGEABLE_WILLNEED);
	xe_bo_unlock(bo);
	pal_export(test, bo);
}

static void xe_dma_buf_pal_then_system(struct kunit *test)
{
	struct xe_bo *bo = pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0);
	struct dma_buf *dmabuf = pal_export(test, bo);
	struct pal_imp *imp = pal_imp_attach(test, dmabuf);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imp->attach);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(pal_sgt_attach(dmabuf, NULL, false)),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, pal_imp_map(imp), 0);

	kunit_release_action(test, pal_imp_detach, imp);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(pal_sgt_attach(dmabuf, NULL, false)),
			-EOPNOTSUPP);
}

static void xe_dma_buf_pal_after_system(struct kunit *test)
{
	struct xe_bo *bo = pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0 |
				  XE_BO_FLAG_SYSTEM);
	struct dma_buf *dmabuf = pal_export(test, bo);
	struct dma_buf_attachment *sgt;
	struct pal_imp other = {};
	struct pal_imp *imp;

	sgt = pal_sgt_attach(dmabuf, &other, false);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	imp = pal_imp_attach(test, dmabuf);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(imp->attach), -EBUSY);

	dma_buf_detach(dmabuf, sgt);
	imp = pal_imp_attach(test, dmabuf);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(imp->attach), -EOPNOTSUPP);
}

/* Both types at once, where a peer to peer importer neither moves nor pins */
static void xe_dma_buf_pal_with_p2p(struct kunit *test)
{
	struct xe_bo *bo = pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0 |
				  XE_BO_FLAG_NEEDS_CPU_ACCESS);
	struct dma_buf *dmabuf = pal_export(test, bo);
	struct pal_imp *imp = pal_imp_attach(test, dmabuf);
	struct dma_buf_attachment *sgt;
	struct pal_imp other = {};
	struct sg_table *table;

	if (!IS_ENABLED(CONFIG_PCI_P2PDMA))
		kunit_skip(test, "needs CONFIG_PCI_P2PDMA");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imp->attach);
	KUNIT_ASSERT_EQ(test, pal_imp_map(imp), 0);

	sgt = pal_sgt_attach(dmabuf, &other, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	table = dma_buf_map_attachment_unlocked(sgt, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, table);
	if (!IS_ERR_OR_NULL(table))
		dma_buf_unmap_attachment_unlocked(sgt, table, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, sgt);

	KUNIT_EXPECT_EQ(test, imp->invalidated, 0);
	KUNIT_EXPECT_NOT_NULL(test, imp->phys);
}

static void xe_dma_buf_pal_cpu_access(struct kunit *test)
{
	struct xe_bo *both = pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0 |
				    XE_BO_FLAG_SYSTEM);
	struct xe_bo *bo = pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0);
	struct dma_buf *dmabuf = pal_export(test, bo);
	struct pal_imp *imp = pal_imp_attach(test, dmabuf);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imp->attach);
	KUNIT_ASSERT_EQ(test, pal_imp_map(imp), 0);

	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, imp->invalidated, 0);
	KUNIT_EXPECT_TRUE(test, mem_type_is_vram(pal_mem_type(bo)));

	/* The same call does move a BO that allows it */
	dmabuf = pal_export(test, both);
	KUNIT_EXPECT_TRUE(test, mem_type_is_vram(pal_mem_type(both)));
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
	KUNIT_EXPECT_FALSE(test, mem_type_is_vram(pal_mem_type(both)));
}

static void xe_dma_buf_pal_pinned(struct kunit *test)
{
	struct xe_device *xe = test->priv;
	struct ttm_resource_manager *man = ttm_manager_type(&xe->ttm, XE_PL_VRAM0);
	struct xe_bo *bo = pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0);
	struct dma_buf *dmabuf = pal_export(test, bo);
	struct pal_imp *one = pal_imp_attach(test, dmabuf);
	struct pal_imp *two = pal_imp_attach(test, dmabuf);
	u64 before = ttm_resource_manager_pal_pinned(man);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, one->attach);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, two->attach);

	KUNIT_EXPECT_EQ(test, pal_imp_pin(one), 0);
	KUNIT_EXPECT_EQ(test, pal_imp_pin(two), 0);
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_pal_pinned(man),
			before + SZ_64K);
	KUNIT_EXPECT_EQ(test, pal_imp_map(one), 0);
	KUNIT_EXPECT_NE(test, pal_evict(bo), 0);
	KUNIT_EXPECT_EQ(test, one->invalidated, 0);

	pal_imp_unpin(one);
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_pal_pinned(man),
			before + SZ_64K);
	pal_imp_unpin(two);
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_pal_pinned(man), before);

	KUNIT_EXPECT_EQ(test, pal_evict(bo), 0);
	KUNIT_EXPECT_EQ(test, one->invalidated, 1);
}

static void pal_fake_pinned(struct ttm_resource_manager *man, s64 bytes)
{
	spin_lock(&man->bdev->lru_lock);
	man->pal_pinned += bytes;
	spin_unlock(&man->bdev->lru_lock);
}

static void xe_dma_buf_pal_cap(struct kunit *test)
{
	struct xe_device *xe = test->priv;
	struct ttm_resource_manager *man = ttm_manager_type(&xe->ttm, XE_PL_VRAM0);
	struct xe_bo *bo = pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0);
	struct pal_imp *imp = pal_imp_attach(test, pal_export(test, bo));
	u64 before = ttm_resource_manager_pal_pinned(man);
	u64 room = ttm_resource_manager_pal_limit(man) - before;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imp->attach);

	pal_fake_pinned(man, room - SZ_64K + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pal_imp_pin(imp), -ENOSPC);
	KUNIT_EXPECT_FALSE(test, xe_bo_is_pinned(bo));
	/* Only pins are limited */
	KUNIT_EXPECT_EQ(test, pal_imp_map(imp), 0);

	pal_fake_pinned(man, -PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pal_imp_pin(imp), 0);

	pal_imp_unpin(imp);
	pal_fake_pinned(man, -(s64)(room - SZ_64K));
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_pal_pinned(man), before);
}

static void xe_dma_buf_pal_revoke(struct kunit *test)
{
	struct xe_device *xe = test->priv;
	struct xe_bo *bo = pal_bo(test, SZ_64K, XE_BO_FLAG_VRAM0);
	struct pal_imp *imp = pal_imp_attach(test, pal_export(test, bo));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imp->attach);
	KUNIT_ASSERT_EQ(test, pal_imp_pin(imp), 0);
	KUNIT_ASSERT_EQ(test, pal_imp_map(imp), 0);

	xe_dma_buf_revoke_vram(xe);
	KUNIT_EXPECT_EQ(test, imp->invalidated, 1);
	KUNIT_EXPECT_NULL(test, imp->phys);
	KUNIT_EXPECT_TRUE(test, xe_bo_is_pinned(bo));
	/* Nothing has really happened to the device */
	KUNIT_EXPECT_EQ(test, pal_imp_map(imp), 0);
}

static int xe_dma_buf_pal_test_init(struct kunit *test)
{
	struct xe_device *xe;
	int ret;

	ret = xe_kunit_helper_xe_device_live_test_init(test);
	if (ret)
		return ret;

	xe = test->priv;
	if (!IS_DGFX(xe))
		kunit_skip(test, "needs VRAM");
	return 0;
}

static struct kunit_case xe_dma_buf_pal_tests[] = {
	KUNIT_CASE_PARAM(xe_dma_buf_pal_fragmented, xe_pci_live_device_gen_param),
	KUNIT_CASE_PARAM(xe_dma_buf_pal_evict, xe_pci_live_device_gen_param),
	KUNIT_CASE_PARAM(xe_dma_buf_pal_small_bar, xe_pci_live_device_gen_param),
	KUNIT_CASE_PARAM(xe_dma_buf_pal_refused, xe_pci_live_device_gen_param),
	KUNIT_CASE_PARAM(xe_dma_buf_pal_purgeable, xe_pci_live_device_gen_param),
	KUNIT_CASE_PARAM(xe_dma_buf_pal_then_system, xe_pci_live_device_gen_param),
	KUNIT_CASE_PARAM(xe_dma_buf_pal_after_system, xe_pci_live_device_gen_param),
	KUNIT_CASE_PARAM(xe_dma_buf_pal_with_p2p, xe_pci_live_device_gen_param),
	KUNIT_CASE_PARAM(xe_dma_buf_pal_cpu_access, xe_pci_live_device_gen_param),
	KUNIT_CASE_PARAM(xe_dma_buf_pal_pinned, xe_pci_live_device_gen_param),
	KUNIT_CASE_PARAM(xe_dma_buf_pal_cap, xe_pci_live_device_gen_param),
	KUNIT_CASE_PARAM(xe_dma_buf_pal_revoke, xe_pci_live_device_gen_param),
	{}
};

VISIBLE_IF_KUNIT
struct kunit_suite xe_dma_buf_pal_test_suite = {
	.name = "xe_dma_buf_pal",
	.test_cases = xe_dma_buf_pal_tests,
	.init = xe_dma_buf_pal_test_init,
};
EXPORT_SYMBOL_IF_KUNIT(xe_dma_buf_pal_test_suite);
