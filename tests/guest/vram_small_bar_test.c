// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_small_bar_test [options] NVME_BDF GPU_BDF
 *
 * The BAR shows a part of VRAM only. Buffer objects that are in the other part are
 * moved to where it shows them when they are mapped, with what is in them; those
 * that do not fit there are refused.
 */
#include <linux/kernel.h>

#include "vram_test.h"
#include "kselftest_harness.h"

#define BUFFER_SIZE	(SZ_4M + SZ_4K)

FIXTURE(vram_small_bar) {
	struct env env;
	struct gpu_vram vram;
	struct dma_region map;
	struct gpu_bo bo;
	u64 va;
	int fd;
};

/* Without the flag of visible VRAM it is where VRAM is not visible. */
FIXTURE_SETUP(vram_small_bar)
{
	struct gpu_vram after;
	struct env *env = &self->env;

	env_open(env);
	self->vram = gpu_vram(&env->gpu);
	ASSERT_LT(self->vram.visible, self->vram.total);
	ASSERT_EQ(0, __gpu_bo_create(&env->gpu, &self->bo, BUFFER_SIZE, GPU_VRAM, NULL));
	after = gpu_vram(&env->gpu);
	/* What comes with it, like page tables, is small. */
	ASSERT_LE(self->vram.used + BUFFER_SIZE, after.used);
	ASSERT_GE(self->vram.visible_used + SZ_64K, after.visible_used);
	self->va = gpu_bind(&env->ctx, self->bo.handle, BUFFER_SIZE);
	self->fd = gpu_bo_export(&self->bo);
	gpu_view_fill(&env->view, self->va, BUFFER_SIZE, DATA);
}

FIXTURE_TEARDOWN(vram_small_bar)
{
	close(self->fd);
	gpu_unbind(&self->env.ctx, self->va, BUFFER_SIZE);
	gpu_bo_destroy(&self->bo);
	env_close(&self->env);
}

/* Bytes of visible VRAM that are in use on top of those at the start */
static u64 visible(struct gpu *gpu, const struct gpu_vram *start)
{
	return gpu_vram(gpu).visible_used - start->visible_used;
}

TEST_F_TIMEOUT(vram_small_bar, moved_when_mapped, 120)
{
	struct env *env = &self->env;
	struct bufinfo info;

	dma_map(&env->dma, &self->map, self->fd, BUFFER_SIZE);
	EXPECT_LE(BUFFER_SIZE, visible(&env->gpu, &self->vram));
	EXPECT_TRUE(gpu_in_vram(&env->gpu, self->fd, BUFFER_SIZE));
	info = bufinfo(self->fd);
	EXPECT_EQ(BUFFER_SIZE, info.bytes);

	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, BUFFER_SIZE, DATA));
	EXPECT_EQ(0, gpu_view_differs(&env->view, self->va, BUFFER_SIZE, DATA));
	dma_fill(&env->dma, self->map.iova, 0, BUFFER_SIZE, AFTER);
	EXPECT_EQ(0, gpu_view_differs(&env->view, self->va, BUFFER_SIZE, AFTER));

	dma_unmap(&env->dma, &self->map);
	dma_fill(&env->dma, self->map.iova, 0, BUFFER_SIZE, LATE);
	EXPECT_EQ(0, gpu_view_differs(&env->view, self->va, BUFFER_SIZE, AFTER));
}

TEST_F_TIMEOUT(vram_small_bar, moved_for_movable_importer, 120)
{
	struct env *env = &self->env;
	char *data = malloc_assert(BUFFER_SIZE);
	int imp;

	imp = pal_import(self->fd);
	ASSERT_LE(0, imp);
	EXPECT_EQ(0, visible(&env->gpu, &self->vram) / BUFFER_SIZE);
	ASSERT_EQ(BUFFER_SIZE, pread(imp, data, BUFFER_SIZE, 0));
	EXPECT_EQ(0, outside_differs(data, 0, BUFFER_SIZE, DATA));
	EXPECT_LE(BUFFER_SIZE, visible(&env->gpu, &self->vram));
	close(imp);
	free(data);
}

TEST_F_TIMEOUT(vram_small_bar, larger_than_visible, 120)
{
	struct env *env = &self->env;
	struct gpu_bo big;
	int fd;

	ASSERT_EQ(0, __gpu_bo_create(&env->gpu, &big, self->vram.visible + SZ_2M,
				    GPU_VRAM, NULL));
	fd = gpu_bo_export(&big);
	EXPECT_EQ(-EOPNOTSUPP, __dma_map(&env->dma, &self->map, fd, 0, SZ_2M, IOMMU_FILE_RW));
	EXPECT_EQ(-EOPNOTSUPP, pal_import(fd));
	EXPECT_TRUE(gpu_in_vram(&env->gpu, fd, big.size));
	EXPECT_EQ(0, bufinfo(fd).attachments);
	close(fd);
	gpu_bo_destroy(&big);

	dma_map(&env->dma, &self->map, self->fd, BUFFER_SIZE);
	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, BUFFER_SIZE, DATA));
	dma_unmap(&env->dma, &self->map);
}

/* All that is visible is pinned: there is no room, though VRAM is far from full. */
TEST_F_TIMEOUT(vram_small_bar, visible_part_is_full, 120)
{
	u64 half = self->vram.visible / 2 / SZ_2M * SZ_2M;
	struct env *env = &self->env;
	struct dma_region map;
	struct buffer big;
	struct gpu_bo bo;
	int fd;

	ASSERT_EQ(0, write_file("/sys/module/ttm/parameters/pal_pin_percent", "100"));
	buffer_open(env, &big, half);
	dma_map(&env->dma, &map, big.fd, half);
	ASSERT_EQ(0, __gpu_bo_create(&env->gpu, &bo, half + SZ_2M, GPU_VRAM, NULL));
	fd = gpu_bo_export(&bo);
	EXPECT_EQ(-ENOMEM, __dma_map(&env->dma, &self->map, fd, 0, bo.size, IOMMU_FILE_RW));
	EXPECT_EQ(0, bufinfo(fd).attachments);
	EXPECT_TRUE(gpu_in_vram(&env->gpu, fd, bo.size));

	dma_unmap(&env->dma, &map);
	EXPECT_EQ(0, __dma_map(&env->dma, &self->map, fd, 0, bo.size, IOMMU_FILE_RW));
	dma_unmap(&env->dma, &self->map);
	ASSERT_EQ(0, write_file("/sys/module/ttm/parameters/pal_pin_percent", "50"));
	close(fd);
	gpu_bo_destroy(&bo);
	buffer_close(env, &big);
}

int main(int argc, char *argv[])
{
	vram_test_devices(&argc, argv, 2);
	return test_harness_run(argc, argv);
}
