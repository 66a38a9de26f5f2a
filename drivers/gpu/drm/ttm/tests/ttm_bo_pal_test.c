// SPDX-License-Identifier: GPL-2.0 AND MIT
/*
 * KUnit tests of the accounting of device memory pinned for page tables
 */
#include <linux/dma-resv.h>
#include <linux/sizes.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>

#include "ttm_kunit_helpers.h"
#include "ttm_mock_manager.h"

/* With the default of the module parameter half of it may be pinned */
#define MAN_SIZE	SZ_1M
#define PART_SIZE	SZ_256K

static struct ttm_buffer_object *pal_bo(struct kunit *test, size_t size,
					u32 mem_type)
{
	struct ttm_test_devices *priv = test->priv;
	struct ttm_place *place = ttm_place_kunit_init(test, mem_type, 0);
	struct ttm_buffer_object *bo;

	bo = ttm_bo_kunit_init(test, priv, size, NULL);
	KUNIT_ASSERT_EQ(test, ttm_resource_alloc(bo, place, &bo->resource, NULL),
			0);
	return bo;
}

static int pal_charge(struct ttm_buffer_object *bo)
{
	int ret;

	dma_resv_lock(bo->base.resv, NULL);
	ret = ttm_bo_pal_charge(bo);
	dma_resv_unlock(bo->base.resv);
	return ret;
}

static void pal_uncharge(struct ttm_buffer_object *bo)
{
	dma_resv_lock(bo->base.resv, NULL);
	ttm_bo_pal_uncharge(bo);
	dma_resv_unlock(bo->base.resv);
}

static u64 pal_pinned(struct kunit *test, u32 mem_type)
{
	struct ttm_test_devices *priv = test->priv;

	return ttm_resource_manager_pal_pinned(ttm_manager_type(priv->ttm_dev,
								mem_type));
}

static void ttm_bo_pal_counts_once(struct kunit *test)
{
	struct ttm_buffer_object *bo = pal_bo(test, PART_SIZE, TTM_PL_MOCK1);

	KUNIT_EXPECT_EQ(test, pal_pinned(test, TTM_PL_MOCK1), 0);
	KUNIT_EXPECT_EQ(test, pal_charge(bo), 0);
	KUNIT_EXPECT_EQ(test, pal_charge(bo), 0);
	KUNIT_EXPECT_EQ(test, pal_pinned(test, TTM_PL_MOCK1), PART_SIZE);

	pal_uncharge(bo);
	KUNIT_EXPECT_EQ(test, pal_pinned(test, TTM_PL_MOCK1), PART_SIZE);
	pal_uncharge(bo);
	KUNIT_EXPECT_EQ(test, pal_pinned(test, TTM_PL_MOCK1), 0);

	ttm_resource_free(bo, &bo->resource);
}

static void ttm_bo_pal_limit(struct kunit *test)
{
	struct ttm_buffer_object *first = pal_bo(test, PART_SIZE, TTM_PL_MOCK1);
	struct ttm_buffer_object *page = pal_bo(test, PAGE_SIZE, TTM_PL_MOCK1);
	struct ttm_buffer_object *rest = pal_bo(test, PART_SIZE, TTM_PL_MOCK1);

	KUNIT_EXPECT_EQ(test, pal_charge(first), 0);
	KUNIT_EXPECT_EQ(test, pal_charge(rest), 0);
	KUNIT_EXPECT_EQ(test, pal_pinned(test, TTM_PL_MOCK1), MAN_SIZE / 2);

	/* A page too many, and a failure that leaves no trace */
	KUNIT_EXPECT_EQ(test, pal_charge(page), -ENOSPC);
	KUNIT_EXPECT_EQ(test, page->pal_pin_count, 0);
	KUNIT_EXPECT_EQ(test, pal_pinned(test, TTM_PL_MOCK1), MAN_SIZE / 2);

	/* What counts already is not refused at the limit */
	KUNIT_EXPECT_EQ(test, pal_charge(first), 0);
	pal_uncharge(first);

	pal_uncharge(rest);
	KUNIT_EXPECT_EQ(test, pal_charge(page), 0);

	pal_uncharge(page);
	pal_uncharge(first);
	KUNIT_EXPECT_EQ(test, pal_pinned(test, TTM_PL_MOCK1), 0);

	ttm_resource_free(first, &first->resource);
	ttm_resource_free(page, &page->resource);
	ttm_resource_free(rest, &rest->resource);
}

static void ttm_bo_pal_per_manager(struct kunit *test)
{
	struct ttm_buffer_object *one = pal_bo(test, MAN_SIZE / 2, TTM_PL_MOCK1);
	struct ttm_buffer_object *two = pal_bo(test, MAN_SIZE / 2, TTM_PL_MOCK2);

	KUNIT_EXPECT_EQ(test, pal_charge(one), 0);
	KUNIT_EXPECT_EQ(test, pal_pinned(test, TTM_PL_MOCK2), 0);
	KUNIT_EXPECT_EQ(test, pal_charge(two), 0);
	pal_uncharge(one);
	KUNIT_EXPECT_EQ(test, pal_pinned(test, TTM_PL_MOCK1), 0);
	KUNIT_EXPECT_EQ(test, pal_pinned(test, TTM_PL_MOCK2), MAN_SIZE / 2);
	pal_uncharge(two);

	ttm_resource_free(one, &one->resource);
	ttm_resource_free(two, &two->resource);
}

/* Scanout and peer to peer importers pin as before */
static void ttm_bo_pal_other_pins(struct kunit *test)
{
	struct ttm_buffer_object *bo = pal_bo(test, MAN_SIZE, TTM_PL_MOCK1);

	dma_resv_lock(bo->base.resv, NULL);
	ttm_bo_pin(bo);
	KUNIT_EXPECT_EQ(test, pal_pinned(test, TTM_PL_MOCK1), 0);
	KUNIT_EXPECT_EQ(test, ttm_bo_pal_charge(bo), -ENOSPC);
	ttm_bo_unpin(bo);
	dma_resv_unlock(bo->base.resv);

	ttm_resource_free(bo, &bo->resource);
}

static int ttm_bo_pal_test_init(struct kunit *test)
{
	struct ttm_test_devices *priv;
	int ret;

	ret = ttm_test_devices_all_init(test);
	if (ret)
		return ret;

	priv = test->priv;
	ret = ttm_mock_manager_init(priv->ttm_dev, TTM_PL_MOCK1, MAN_SIZE);
	if (ret)
		return ret;
	return ttm_mock_manager_init(priv->ttm_dev, TTM_PL_MOCK2, MAN_SIZE);
}

static void ttm_bo_pal_test_exit(struct kunit *test)
{
	struct ttm_test_devices *priv = test->priv;

	ttm_mock_manager_fini(priv->ttm_dev, TTM_PL_MOCK2);
	ttm_mock_manager_fini(priv->ttm_dev, TTM_PL_MOCK1);
	ttm_test_devices_fini(test);
}

static struct kunit_case ttm_bo_pal_test_cases[] = {
	KUNIT_CASE(ttm_bo_pal_counts_once),
	KUNIT_CASE(ttm_bo_pal_limit),
	KUNIT_CASE(ttm_bo_pal_per_manager),
	KUNIT_CASE(ttm_bo_pal_other_pins),
	{}
};

static struct kunit_suite ttm_bo_pal_test_suite = {
	.name = "ttm_bo_pal",
	.init = ttm_bo_pal_test_init,
	.exit = ttm_bo_pal_test_exit,
	.test_cases = ttm_bo_pal_test_cases,
};

kunit_test_suites(&ttm_bo_pal_test_suite);

MODULE_DESCRIPTION("KUnit tests for TTM accounting of device memory pinned for page tables");
MODULE_LICENSE("GPL and additional rights");
