// SPDX-License-Identifier: GPL-2.0-only
/*
 * xe_purge_test [options] NVME_BDF GPU_BDF
 *
 * Buffer objects of xe whose memory user space allows the driver to throw away
 * (DRM_IOCTL_XE_MADVISE): not while an IOMMU maps them, and not exported then.
 */
#include <drm/xe_drm.h>

#include "vram_test.h"
#include "kselftest_harness.h"

FIXTURE(xe_purge) {
	struct env env;
	struct dma_region map;
};

FIXTURE_SETUP(xe_purge)
{
	env_open(&self->env);
}

FIXTURE_TEARDOWN(xe_purge)
{
	env_close(&self->env);
}

/* Returns 1 if the memory was still there, 0 if it was purged, or -errno. */
static int madvise_bo(struct gpu_ctx *ctx, uint64_t va, uint64_t size, uint32_t state)
{
	uint32_t retained = 0;
	struct drm_xe_madvise arg = {
		.start = va,
		.range = size,
		.vm_id = ctx->vm,
		.type = DRM_XE_VMA_ATTR_PURGEABLE_STATE,
		.purge_state_val = {
			.val = state,
			.retained_ptr = (uintptr_t)&retained,
		},
	};

	return gpu_ioctl(ctx->gpu, DRM_IOCTL_XE_MADVISE, &arg) ?: (int)retained;
}

TEST_F(xe_purge, purgeable)
{
	struct env *env = &self->env;
	struct gpu_bo bo;
	u64 va;
	int fd;

	gpu_bo_create_vram(&env->gpu, &bo, SZ_1M);
	va = gpu_bind(&env->ctx, bo.handle, bo.size);
	ASSERT_EQ(1, madvise_bo(&env->ctx, va, bo.size, DRM_XE_VMA_PURGEABLE_STATE_DONTNEED));
	EXPECT_EQ(-EBUSY, __gpu_export(&env->gpu, bo.handle, GPU_EXPORT_RW));

	/* Wanted again it can be had. */
	ASSERT_EQ(1, madvise_bo(&env->ctx, va, bo.size, DRM_XE_VMA_PURGEABLE_STATE_WILLNEED));
	fd = __gpu_export(&env->gpu, bo.handle, GPU_EXPORT_RW);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, map_rw(env, &self->map, &bo, fd));
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &bo));
	dma_unmap(&env->dma, &self->map);
	close(fd);
	gpu_unbind(&env->ctx, va, bo.size);
	gpu_bo_destroy(&bo);
}

TEST_F(xe_purge, purged)
{
	struct env *env = &self->env;
	struct gpu_vram vram;
	struct pressure pressure;
	struct gpu_bo bo;
	u64 va;

	gpu_bo_create_vram(&env->gpu, &bo, SZ_1M);
	va = gpu_bind(&env->ctx, bo.handle, bo.size);
	ASSERT_EQ(1, madvise_bo(&env->ctx, va, bo.size, DRM_XE_VMA_PURGEABLE_STATE_DONTNEED));
	vram = gpu_vram(&env->gpu);
	pressure_make(&env->gpu, &pressure, vram.total + PRESSURE_SIZE);
	pressure_end(&pressure);
	ASSERT_EQ(0, madvise_bo(&env->ctx, va, bo.size, DRM_XE_VMA_PURGEABLE_STATE_WILLNEED));
	EXPECT_EQ(-EINVAL, __gpu_export(&env->gpu, bo.handle, GPU_EXPORT_RW));
	EXPECT_TRUE(control(env, bo.size));
	gpu_unbind(&env->ctx, va, bo.size);
	gpu_bo_destroy(&bo);
}

/* Memory that a mapping pins does not get purged under it. */
TEST_F(xe_purge, purgeable_while_mapped)
{
	struct env *env = &self->env;
	struct gpu_vram vram;
	struct pressure pressure;
	struct buffer buf;

	buffer_open(env, &buf, SZ_1M);
	dma_map(&env->dma, &self->map, buf.fd, buf.bo.size);
	madvise_bo(&env->ctx, buf.va, buf.bo.size, DRM_XE_VMA_PURGEABLE_STATE_DONTNEED);
	vram = gpu_vram(&env->gpu);
	pressure_make(&env->gpu, &pressure, vram.total + PRESSURE_SIZE);
	pressure_end(&pressure);

	ASSERT_EQ(1, madvise_bo(&env->ctx, buf.va, buf.bo.size,
				DRM_XE_VMA_PURGEABLE_STATE_WILLNEED));
	EXPECT_TRUE(gpu_in_vram(&env->gpu, buf.fd, buf.bo.size));
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &buf.bo));
	dma_unmap(&env->dma, &self->map);
	buffer_close(env, &buf);
}

int main(int argc, char *argv[])
{
	vram_test_devices(&argc, argv, 2);
	if (strcmp(gpu_driver_name(&card), "xe")) {
		fprintf(stderr, "%s: %s is not a GPU of xe\n", argv[0], gpu_bdf);
		return 2;
	}
	return test_harness_run(argc, argv);
}
