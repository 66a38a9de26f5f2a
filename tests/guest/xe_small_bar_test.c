// SPDX-License-Identifier: GPL-2.0-only
/*
 * xe_small_bar_test [options] NVME_BDF XE_BDF
 *
 * The BAR shows a part of VRAM only. Buffer objects that are in the other part are
 * moved to where it shows them when they are mapped, with what is in them; those
 * that do not fit there are refused.
 */
#include <linux/kernel.h>

#include "xe_test.h"
#include "kselftest_harness.h"

#define BUFFER_SIZE	(SZ_4M + SZ_4K)

FIXTURE(xe_small_bar) {
	struct env env;
	struct drm_xe_mem_region vram;
	struct dma_region map;
	struct xe_bo bo;
	u64 va;
	int fd;
};

/* Without the flag of visible VRAM it is where VRAM is not visible. */
FIXTURE_SETUP(xe_small_bar)
{
	struct drm_xe_mem_region after;
	struct env *env = &self->env;

	env_open(env);
	self->vram = xe_vram(&env->xe);
	ASSERT_LT(self->vram.cpu_visible_size, self->vram.total_size);
	ASSERT_EQ(0, __xe_bo_create(&env->xe, &self->bo, BUFFER_SIZE, env->xe.vram, 0, 0));
	after = xe_vram(&env->xe);
	ASSERT_EQ(self->vram.used + BUFFER_SIZE, after.used);
	ASSERT_EQ(self->vram.cpu_visible_used, after.cpu_visible_used);
	self->va = xe_gpu_bind(&env->gpu, self->bo.handle, BUFFER_SIZE);
	self->fd = xe_bo_export(&self->bo);
	xe_view_fill(&env->view, self->va, BUFFER_SIZE, DATA);
}

FIXTURE_TEARDOWN(xe_small_bar)
{
	close(self->fd);
	xe_gpu_unbind(&self->env.gpu, self->va, BUFFER_SIZE);
	xe_bo_destroy(&self->bo);
	env_close(&self->env);
}

/* Bytes of visible VRAM that are in use on top of those at the start */
static u64 visible(struct xe *xe, const struct drm_xe_mem_region *start)
{
	return xe_vram(xe).cpu_visible_used - start->cpu_visible_used;
}

TEST_F_TIMEOUT(xe_small_bar, moved_when_mapped, 120)
{
	struct env *env = &self->env;
	struct bufinfo info;

	dma_map(&env->dma, &self->map, self->fd, BUFFER_SIZE);
	EXPECT_LE(BUFFER_SIZE, visible(&env->xe, &self->vram));
	EXPECT_TRUE(xe_in_vram(&env->xe, self->fd, BUFFER_SIZE));
	info = bufinfo(self->fd);
	EXPECT_EQ(BUFFER_SIZE, info.bytes);

	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, BUFFER_SIZE, DATA));
	EXPECT_EQ(0, xe_view_differs(&env->view, self->va, BUFFER_SIZE, DATA));
	dma_fill(&env->dma, self->map.iova, 0, BUFFER_SIZE, AFTER);
	EXPECT_EQ(0, xe_view_differs(&env->view, self->va, BUFFER_SIZE, AFTER));

	dma_unmap(&env->dma, &self->map);
	dma_fill(&env->dma, self->map.iova, 0, BUFFER_SIZE, LATE);
	EXPECT_EQ(0, xe_view_differs(&env->view, self->va, BUFFER_SIZE, AFTER));
}

TEST_F_TIMEOUT(xe_small_bar, moved_for_movable_importer, 120)
{
	struct env *env = &self->env;
	char *data = malloc_assert(BUFFER_SIZE);
	int imp;

	imp = pal_import(self->fd);
	ASSERT_LE(0, imp);
	EXPECT_EQ(0, visible(&env->xe, &self->vram) / BUFFER_SIZE);
	ASSERT_EQ(BUFFER_SIZE, pread(imp, data, BUFFER_SIZE, 0));
	EXPECT_EQ(0, outside_differs(data, 0, BUFFER_SIZE, DATA));
	EXPECT_LE(BUFFER_SIZE, visible(&env->xe, &self->vram));
	close(imp);
	free(data);
}

TEST_F_TIMEOUT(xe_small_bar, larger_than_visible, 120)
{
	struct env *env = &self->env;
	struct xe_bo big;
	int fd;

	ASSERT_EQ(0, __xe_bo_create(&env->xe, &big, self->vram.cpu_visible_size + SZ_2M,
				    env->xe.vram, 0, 0));
	fd = xe_bo_export(&big);
	EXPECT_EQ(-EOPNOTSUPP, __dma_map(&env->dma, &self->map, fd, 0, SZ_2M, IOMMU_FILE_RW));
	EXPECT_EQ(-EOPNOTSUPP, pal_import(fd));
	EXPECT_TRUE(xe_in_vram(&env->xe, fd, big.size));
	EXPECT_EQ(0, bufinfo(fd).attachments);
	close(fd);
	xe_bo_destroy(&big);

	dma_map(&env->dma, &self->map, self->fd, BUFFER_SIZE);
	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, BUFFER_SIZE, DATA));
	dma_unmap(&env->dma, &self->map);
}

/* All that is visible is pinned: there is no room, though VRAM is far from full. */
TEST_F_TIMEOUT(xe_small_bar, visible_part_is_full, 120)
{
	u64 half = self->vram.cpu_visible_size / 2 / SZ_2M * SZ_2M;
	struct env *env = &self->env;
	struct dma_region map;
	struct buffer big;
	struct xe_bo bo;
	int fd;

	ASSERT_EQ(0, write_file("/sys/module/ttm/parameters/pal_pin_percent", "100"));
	buffer_open(env, &big, half);
	dma_map(&env->dma, &map, big.fd, half);
	ASSERT_EQ(0, __xe_bo_create(&env->xe, &bo, half + SZ_2M, env->xe.vram, 0, 0));
	fd = xe_bo_export(&bo);
	EXPECT_EQ(-ENOMEM, __dma_map(&env->dma, &self->map, fd, 0, bo.size, IOMMU_FILE_RW));
	EXPECT_EQ(0, bufinfo(fd).attachments);
	EXPECT_TRUE(xe_in_vram(&env->xe, fd, bo.size));

	dma_unmap(&env->dma, &map);
	EXPECT_EQ(0, __dma_map(&env->dma, &self->map, fd, 0, bo.size, IOMMU_FILE_RW));
	dma_unmap(&env->dma, &self->map);
	ASSERT_EQ(0, write_file("/sys/module/ttm/parameters/pal_pin_percent", "50"));
	close(fd);
	xe_bo_destroy(&bo);
	buffer_close(env, &big);
}

int main(int argc, char *argv[])
{
	xe_test_devices(&argc, argv, 2);
	return test_harness_run(argc, argv);
}
