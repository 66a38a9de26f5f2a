// SPDX-License-Identifier: GPL-2.0-only
/*
 * xe_refuse_test [options] NVME_BDF XE_BDF
 *
 * Buffer objects that must not reach the page tables of an IOMMU are refused, with
 * the error that the kernel's documentation gives, and neither they nor anything
 * else is moved or left half done by that.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kernel.h>
#include <linux/udmabuf.h>
#include <sys/mman.h>

#include "xe_test.h"
#include "kselftest_harness.h"

#define VRAM_DEBUGFS	"/sys/kernel/debug/dri/%s/tile0/vram_mm"
#define PIN_PERCENT	"/sys/module/ttm/parameters/pal_pin_percent"

FIXTURE(xe_refuse) {
	struct env env;
	struct dma_region map;
};

FIXTURE_SETUP(xe_refuse)
{
	env_open(&self->env);
}

FIXTURE_TEARDOWN(xe_refuse)
{
	env_close(&self->env);
}

static int map_rw(struct env *env, struct dma_region *map, struct xe_bo *bo, int fd)
{
	return __dma_map(&env->dma, map, fd, 0, bo->size, IOMMU_FILE_RW);
}

/* The same size in VRAM alone is mapped: it is the BO that is refused. */
static bool control(struct env *env, uint64_t size)
{
	struct dma_region map;
	struct xe_bo bo;
	bool works;
	int fd;

	xe_bo_create_vram(&env->xe, &bo, size);
	fd = xe_bo_export(&bo);
	dma_map(&env->dma, &map, fd, size);
	works = dma_works(&env->dma, map.iova, &bo);
	dma_unmap(&env->dma, &map);
	close(fd);
	xe_bo_destroy(&bo);
	return works;
}

TEST_F(xe_refuse, vram_or_system)
{
	struct env *env = &self->env;
	struct xe_place place;
	struct xe_bo bo;
	int fd;

	ASSERT_EQ(0, __xe_bo_create(&env->xe, &bo, SZ_1M, env->xe.vram | env->xe.system,
				    DRM_XE_GEM_CREATE_FLAG_NEEDS_VISIBLE_VRAM, 0));
	xe_bo_mmap(&bo);
	cpu_fill(&bo, DATA);
	fd = xe_bo_export(&bo);
	ASSERT_TRUE(xe_in_vram(&env->xe, fd, bo.size));

	EXPECT_EQ(-EOPNOTSUPP, map_rw(env, &self->map, &bo, fd));
	EXPECT_EQ(-EOPNOTSUPP, pal_import(fd));
	EXPECT_EQ(0, bufinfo(fd).attachments);
	place = xe_place(&env->xe, fd);
	EXPECT_EQ(bo.size, place.vram);
	EXPECT_EQ(0, place.system);
	EXPECT_EQ(0, cpu_differs(&bo, DATA));
	EXPECT_TRUE(control(env, bo.size));
	close(fd);
	xe_bo_destroy(&bo);
}

TEST_F(xe_refuse, system)
{
	struct env *env = &self->env;
	struct xe_bo bo;
	int fd;

	xe_bo_create_system(&env->xe, &bo, SZ_1M);
	cpu_fill(&bo, DATA);
	fd = xe_bo_export(&bo);
	ASSERT_EQ(bo.size, xe_place(&env->xe, fd).system);

	EXPECT_EQ(-EOPNOTSUPP, map_rw(env, &self->map, &bo, fd));
	EXPECT_EQ(-EOPNOTSUPP, pal_import(fd));
	EXPECT_EQ(0, bufinfo(fd).attachments);
	EXPECT_EQ(bo.size, xe_place(&env->xe, fd).system);
	EXPECT_EQ(0, cpu_differs(&bo, DATA));
	EXPECT_TRUE(control(env, bo.size));
	close(fd);
	xe_bo_destroy(&bo);
}

/* Memory of another exporter does not become VRAM by way of a BO. */
TEST_F(xe_refuse, imported)
{
	struct udmabuf_create create = { .size = SZ_1M };
	struct env *env = &self->env;
	int memfd, dev, theirs, ours;
	uint32_t handle;

	memfd = memfd_create("imported", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	ASSERT_LE(0, memfd);
	ASSERT_EQ(0, ftruncate(memfd, SZ_1M));
	ASSERT_EQ(0, fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, dev);
	create.memfd = memfd;
	theirs = ioctl(dev, UDMABUF_CREATE, &create);
	ASSERT_LE(0, theirs);

	ASSERT_EQ(0, __xe_import(&env->xe, theirs, &handle));
	ours = __xe_export(&env->xe, handle, XE_EXPORT_RW);
	ASSERT_LE(0, ours);
	EXPECT_EQ(-EOPNOTSUPP, __dma_map(&env->dma, &self->map, ours, 0, SZ_1M,
					 IOMMU_FILE_RW));
	EXPECT_EQ(-EOPNOTSUPP, pal_import(ours));
	EXPECT_TRUE(control(env, SZ_1M));
	close(ours);
	xe_handle_close(&env->xe, handle);
	close(theirs);
	close(dev);
	close(memfd);
}

TEST_F(xe_refuse, read_only_fd)
{
	struct env *env = &self->env;
	struct xe_bo bo;
	int fd;

	xe_bo_create_vram(&env->xe, &bo, SZ_1M);
	fd = __xe_export(&env->xe, bo.handle, DRM_CLOEXEC);
	ASSERT_LE(0, fd);

	EXPECT_EQ(-EPERM, map_rw(env, &self->map, &bo, fd));
	EXPECT_EQ(0, bufinfo(fd).attachments);

	/* Good for reading: that works, and writing does not. */
	ASSERT_EQ(0, __dma_map(&env->dma, &self->map, fd, 0, bo.size,
			       IOMMU_IOAS_MAP_READABLE));
	cpu_fill(&bo, DATA);
	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, bo.size, DATA));
	dma_fill(&env->dma, self->map.iova, 0, bo.size, LATE);
	EXPECT_EQ(0, cpu_differs(&bo, DATA));
	dma_unmap(&env->dma, &self->map);
	EXPECT_TRUE(control(env, bo.size));
	close(fd);
	xe_bo_destroy(&bo);
}

TEST_F(xe_refuse, private_to_vm)
{
	struct env *env = &self->env;
	struct xe_bo bo;

	ASSERT_EQ(0, __xe_bo_create(&env->xe, &bo, SZ_1M, env->xe.vram,
				    DRM_XE_GEM_CREATE_FLAG_NEEDS_VISIBLE_VRAM,
				    env->gpu.vm));
	EXPECT_EQ(-EPERM, __xe_export(&env->xe, bo.handle, XE_EXPORT_RW));
	xe_bo_destroy(&bo);
	EXPECT_TRUE(control(env, SZ_1M));
}

/* Returns 1 if the memory was still there, 0 if it was purged, or -errno. */
static int madvise_bo(struct xe_gpu *gpu, uint64_t va, uint64_t size, uint32_t state)
{
	uint32_t retained = 0;
	struct drm_xe_madvise arg = {
		.start = va,
		.range = size,
		.vm_id = gpu->vm,
		.type = DRM_XE_VMA_ATTR_PURGEABLE_STATE,
		.purge_state_val = {
			.val = state,
			.retained_ptr = (uintptr_t)&retained,
		},
	};

	return ioctl(gpu->xe->fd, DRM_IOCTL_XE_MADVISE, &arg) ? -errno : retained;
}

TEST_F(xe_refuse, purgeable)
{
	struct env *env = &self->env;
	struct xe_bo bo;
	u64 va;
	int fd;

	xe_bo_create_vram(&env->xe, &bo, SZ_1M);
	va = xe_gpu_bind(&env->gpu, bo.handle, bo.size);
	ASSERT_EQ(1, madvise_bo(&env->gpu, va, bo.size, DRM_XE_VMA_PURGEABLE_STATE_DONTNEED));
	EXPECT_EQ(-EBUSY, __xe_export(&env->xe, bo.handle, XE_EXPORT_RW));

	/* Wanted again it can be had. */
	ASSERT_EQ(1, madvise_bo(&env->gpu, va, bo.size, DRM_XE_VMA_PURGEABLE_STATE_WILLNEED));
	fd = __xe_export(&env->xe, bo.handle, XE_EXPORT_RW);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, map_rw(env, &self->map, &bo, fd));
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &bo));
	dma_unmap(&env->dma, &self->map);
	close(fd);
	xe_gpu_unbind(&env->gpu, va, bo.size);
	xe_bo_destroy(&bo);
}

TEST_F(xe_refuse, purged)
{
	struct env *env = &self->env;
	struct drm_xe_mem_region vram;
	struct pressure pressure;
	struct xe_bo bo;
	u64 va;

	xe_bo_create_vram(&env->xe, &bo, SZ_1M);
	va = xe_gpu_bind(&env->gpu, bo.handle, bo.size);
	ASSERT_EQ(1, madvise_bo(&env->gpu, va, bo.size, DRM_XE_VMA_PURGEABLE_STATE_DONTNEED));
	vram = xe_vram(&env->xe);
	pressure_make(&env->xe, &pressure, vram.total_size + PRESSURE_SIZE);
	pressure_end(&pressure);
	ASSERT_EQ(0, madvise_bo(&env->gpu, va, bo.size, DRM_XE_VMA_PURGEABLE_STATE_WILLNEED));
	EXPECT_EQ(-EINVAL, __xe_export(&env->xe, bo.handle, XE_EXPORT_RW));
	EXPECT_TRUE(control(env, bo.size));
	xe_gpu_unbind(&env->gpu, va, bo.size);
	xe_bo_destroy(&bo);
}

/* Memory that a mapping pins does not get purged under it. */
TEST_F(xe_refuse, purgeable_while_mapped)
{
	struct env *env = &self->env;
	struct drm_xe_mem_region vram;
	struct pressure pressure;
	struct buffer buf;

	buffer_open(env, &buf, SZ_1M);
	dma_map(&env->dma, &self->map, buf.fd, buf.bo.size);
	madvise_bo(&env->gpu, buf.va, buf.bo.size, DRM_XE_VMA_PURGEABLE_STATE_DONTNEED);
	vram = xe_vram(&env->xe);
	pressure_make(&env->xe, &pressure, vram.total_size + PRESSURE_SIZE);
	pressure_end(&pressure);

	ASSERT_EQ(1, madvise_bo(&env->gpu, buf.va, buf.bo.size,
				DRM_XE_VMA_PURGEABLE_STATE_WILLNEED));
	EXPECT_TRUE(xe_in_vram(&env->xe, buf.fd, buf.bo.size));
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &buf.bo));
	dma_unmap(&env->dma, &self->map);
	buffer_close(env, &buf);
}

/* What the TTM manager of VRAM says that PAL importers have pinned, in bytes */
static u64 pinned(struct env *env)
{
	char line[160];
	u64 bytes = ~0ull;
	FILE *file;

	snprintf(line, sizeof(line), VRAM_DEBUGFS, env->xe.bdf);
	file = fopen(line, "r");
	VFIO_ASSERT_NOT_NULL(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " pal_pinned: %llu", (unsigned long long *)&bytes) == 1)
			break;
	fclose(file);
	return bytes;
}

#define NR_CAPPED	3

TEST_F(xe_refuse, pin_limit)
{
	struct dma_region map[NR_CAPPED], again;
	struct env *env = &self->env;
	struct buffer buf[NR_CAPPED];
	u64 size;
	int i;

	/* Two fit into the default of half of all VRAM, three do not. */
	size = xe_vram(&env->xe).total_size / 5 / SZ_2M * SZ_2M;
	EXPECT_EQ(0, pinned(env));
	for (i = 0; i < NR_CAPPED; i++)
		buffer_open(env, &buf[i], size);
	dma_map(&env->dma, &map[0], buf[0].fd, size);
	dma_map(&env->dma, &map[1], buf[1].fd, size);
	EXPECT_EQ(2 * size, pinned(env));

	cpu_fill(&buf[2].bo, DATA);
	EXPECT_EQ(-ENOSPC, map_rw(env, &map[2], &buf[2].bo, buf[2].fd));
	EXPECT_EQ(0, bufinfo(buf[2].fd).attachments);
	EXPECT_TRUE(xe_in_vram(&env->xe, buf[2].fd, size));
	EXPECT_EQ(0, cpu_differs(&buf[2].bo, DATA));
	EXPECT_EQ(2 * size, pinned(env));

	/* A BO counts once. */
	dma_map(&env->dma, &again, buf[0].fd, size);
	EXPECT_EQ(2 * size, pinned(env));
	dma_unmap(&env->dma, &map[0]);
	EXPECT_EQ(2 * size, pinned(env));
	dma_unmap(&env->dma, &again);
	EXPECT_EQ(size, pinned(env));

	dma_map(&env->dma, &map[2], buf[2].fd, size);
	EXPECT_EQ(2 * size, pinned(env));
	dma_fill(&env->dma, map[2].iova, 0, SZ_4M, AFTER);
	EXPECT_EQ(0, outside_differs(buf[2].bo.vaddr, 0, SZ_4M, AFTER));
	dma_unmap(&env->dma, &map[1]);
	dma_unmap(&env->dma, &map[2]);
	EXPECT_EQ(0, pinned(env));
	for (i = 0; i < NR_CAPPED; i++)
		buffer_close(env, &buf[i]);
}

TEST_F(xe_refuse, pin_limit_of_zero)
{
	struct env *env = &self->env;
	struct xe_bo bo;
	int fd, ret;

	xe_bo_create_vram(&env->xe, &bo, SZ_4K);
	fd = xe_bo_export(&bo);
	ASSERT_EQ(0, write_file(PIN_PERCENT, "0"));
	ret = map_rw(env, &self->map, &bo, fd);
	ASSERT_EQ(0, write_file(PIN_PERCENT, "50"));
	EXPECT_EQ(-ENOSPC, ret);
	EXPECT_EQ(0, bufinfo(fd).attachments);
	EXPECT_TRUE(control(env, bo.size));
	close(fd);
	xe_bo_destroy(&bo);
}

int main(int argc, char *argv[])
{
	xe_test_devices(&argc, argv, 2);
	return test_harness_run(argc, argv);
}
