// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_refuse_test [options] NVME_BDF GPU_BDF
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

#include "vram_test.h"
#include "kselftest_harness.h"

#define PIN_PERCENT	"/sys/module/ttm/parameters/pal_pin_percent"

FIXTURE(vram_refuse) {
	struct env env;
	struct dma_region map;
};

FIXTURE_SETUP(vram_refuse)
{
	env_open(&self->env);
}

FIXTURE_TEARDOWN(vram_refuse)
{
	env_close(&self->env);
}

TEST_F(vram_refuse, vram_or_system)
{
	struct env *env = &self->env;
	struct gpu_place place;
	struct gpu_bo bo;
	int fd;

	ASSERT_EQ(0, __gpu_bo_create(&env->gpu, &bo, SZ_1M, GPU_VRAM | GPU_SYSTEM | GPU_VISIBLE, NULL));
	gpu_bo_mmap(&bo);
	cpu_fill(&bo, DATA);
	fd = gpu_bo_export(&bo);
	ASSERT_TRUE(gpu_in_vram(&env->gpu, fd, bo.size));

	EXPECT_EQ(-EOPNOTSUPP, map_rw(env, &self->map, &bo, fd));
	EXPECT_EQ(-EOPNOTSUPP, pal_import(fd));
	EXPECT_EQ(0, bufinfo(fd).attachments);
	place = gpu_place(&env->gpu, fd);
	EXPECT_EQ(bo.size, place.vram);
	EXPECT_EQ(0, place.system);
	EXPECT_EQ(0, cpu_differs(&bo, DATA));
	EXPECT_TRUE(control(env, bo.size));
	close(fd);
	gpu_bo_destroy(&bo);
}

TEST_F(vram_refuse, system)
{
	struct env *env = &self->env;
	struct gpu_bo bo;
	int fd;

	gpu_bo_create_system(&env->gpu, &bo, SZ_1M);
	cpu_fill(&bo, DATA);
	fd = gpu_bo_export(&bo);
	ASSERT_EQ(bo.size, gpu_place(&env->gpu, fd).system);

	EXPECT_EQ(-EOPNOTSUPP, map_rw(env, &self->map, &bo, fd));
	EXPECT_EQ(-EOPNOTSUPP, pal_import(fd));
	EXPECT_EQ(0, bufinfo(fd).attachments);
	EXPECT_EQ(bo.size, gpu_place(&env->gpu, fd).system);
	EXPECT_EQ(0, cpu_differs(&bo, DATA));
	EXPECT_TRUE(control(env, bo.size));
	close(fd);
	gpu_bo_destroy(&bo);
}

/* Memory of another exporter does not become VRAM by way of a BO. */
TEST_F(vram_refuse, imported)
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

	ASSERT_EQ(0, __gpu_import(&env->gpu, theirs, &handle));
	ours = __gpu_export(&env->gpu, handle, GPU_EXPORT_RW);
	ASSERT_LE(0, ours);
	EXPECT_EQ(-EOPNOTSUPP, __dma_map(&env->dma, &self->map, ours, 0, SZ_1M,
					 IOMMU_FILE_RW));
	EXPECT_EQ(-EOPNOTSUPP, pal_import(ours));
	EXPECT_TRUE(control(env, SZ_1M));
	close(ours);
	gpu_handle_close(&env->gpu, handle);
	close(theirs);
	close(dev);
	close(memfd);
}

TEST_F(vram_refuse, read_only_fd)
{
	struct env *env = &self->env;
	struct gpu_bo bo;
	int fd;

	gpu_bo_create_vram(&env->gpu, &bo, SZ_1M);
	fd = __gpu_export(&env->gpu, bo.handle, DRM_CLOEXEC);
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
	gpu_bo_destroy(&bo);
}

TEST_F(vram_refuse, private_to_vm)
{
	struct env *env = &self->env;
	struct gpu_bo bo;

	ASSERT_EQ(0, __gpu_bo_create(&env->gpu, &bo, SZ_1M, GPU_VRAM | GPU_VISIBLE, &env->ctx));
	EXPECT_EQ(-EPERM, __gpu_export(&env->gpu, bo.handle, GPU_EXPORT_RW));
	gpu_bo_destroy(&bo);
	EXPECT_TRUE(control(env, SZ_1M));
}

/* What the TTM manager of VRAM says that PAL importers have pinned, in bytes */
static u64 pinned(struct env *env)
{
	char line[160];
	u64 bytes = ~0ull;
	FILE *file;

	gpu_vram_debugfs(&env->gpu, line, sizeof(line));
	file = fopen(line, "r");
	VFIO_ASSERT_NOT_NULL(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " pal_pinned: %llu", (unsigned long long *)&bytes) == 1)
			break;
	fclose(file);
	return bytes;
}

#define NR_CAPPED	3

TEST_F(vram_refuse, pin_limit)
{
	struct dma_region map[NR_CAPPED], again;
	struct env *env = &self->env;
	struct buffer buf[NR_CAPPED];
	u64 size;
	int i;

	/* Two fit into the default of half of all VRAM, three do not. */
	size = gpu_vram(&env->gpu).total / 5 / SZ_2M * SZ_2M;
	EXPECT_EQ(0, pinned(env));
	for (i = 0; i < NR_CAPPED; i++)
		buffer_open(env, &buf[i], size);
	dma_map(&env->dma, &map[0], buf[0].fd, size);
	dma_map(&env->dma, &map[1], buf[1].fd, size);
	EXPECT_EQ(2 * size, pinned(env));

	cpu_fill(&buf[2].bo, DATA);
	EXPECT_EQ(-ENOSPC, map_rw(env, &map[2], &buf[2].bo, buf[2].fd));
	EXPECT_EQ(0, bufinfo(buf[2].fd).attachments);
	EXPECT_TRUE(gpu_in_vram(&env->gpu, buf[2].fd, size));
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

TEST_F(vram_refuse, pin_limit_of_zero)
{
	struct env *env = &self->env;
	struct gpu_bo bo;
	int fd, ret;

	gpu_bo_create_vram(&env->gpu, &bo, SZ_4K);
	fd = gpu_bo_export(&bo);
	ASSERT_EQ(0, write_file(PIN_PERCENT, "0"));
	ret = map_rw(env, &self->map, &bo, fd);
	ASSERT_EQ(0, write_file(PIN_PERCENT, "50"));
	EXPECT_EQ(-ENOSPC, ret);
	EXPECT_EQ(0, bufinfo(fd).attachments);
	EXPECT_TRUE(control(env, bo.size));
	close(fd);
	gpu_bo_destroy(&bo);
}

int main(int argc, char *argv[])
{
	vram_test_devices(&argc, argv, 2);
	return test_harness_run(argc, argv);
}
