// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_mixed_test [options] NVME_BDF GPU_BDF GPU2_BDF
 *
 * A buffer object has more than one importer: an IOMMU by physical addresses, a
 * second GPU that does peer to peer DMA, and vgem, which does not and so wants it
 * in system memory. And what becomes of importers when the exporter is unbound.
 */
#include <dirent.h>
#include <libgen.h>
#include <linux/kernel.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <drm/drm.h>

#include "vram_test.h"
#include "kselftest_harness.h"

#define BUFFER_SIZE	(SZ_1M + SZ_64K)

/* The render node whose device is called vgem */
static int vgem_open(struct gpu *vgem)
{
	char path[300], link[300];
	struct dirent *entry;
	int ret = -ENODEV;
	ssize_t len;
	DIR *dir;

	dir = opendir("/sys/class/drm");
	while (dir && ret && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "renderD", 7))
			continue;
		snprintf(path, sizeof(path), "/sys/class/drm/%s/device", entry->d_name);
		len = readlink(path, link, sizeof(link) - 1);
		if (len < 0)
			continue;
		link[len] = 0;
		if (strcmp(basename(link), "vgem"))
			continue;
		snprintf(path, sizeof(path), "/dev/dri/%s", entry->d_name);
		*vgem = (struct gpu){ .fd = open(path, O_RDWR | O_CLOEXEC) };
		ret = vgem->fd < 0 ? -errno : 0;
	}
	if (dir)
		closedir(dir);
	return ret;
}

FIXTURE(vram_mixed) {
	struct env env;
	struct gpu vgem;
	struct buffer buf;
	struct dma_region map;
};

FIXTURE_SETUP(vram_mixed)
{
	env_open(&self->env);
	ASSERT_EQ(0, vgem_open(&self->vgem));
	buffer_open(&self->env, &self->buf, BUFFER_SIZE);
}

FIXTURE_TEARDOWN(vram_mixed)
{
	buffer_close(&self->env, &self->buf);
	close(self->vgem.fd);
	env_close(&self->env);
}

/*
 * xe keeps a BO for VRAM alone there, and refuses who wants it in system memory;
 * amdgpu moves it.
 */
static bool may_leave_vram(void)
{
	return !strcmp(gpu_driver_name(&card), "amdgpu");
}

TEST_F(vram_mixed, system_importer_after_iommu)
{
	struct env *env = &self->env;
	struct buffer *buf = &self->buf;
	uint32_t handle;

	dma_map(&env->dma, &self->map, buf->fd, BUFFER_SIZE);
	EXPECT_EQ(-EBUSY, __gpu_import(&self->vgem, buf->fd, &handle));
	EXPECT_EQ(1, bufinfo(buf->fd).attachments);
	EXPECT_TRUE(gpu_in_vram(&env->gpu, buf->fd, BUFFER_SIZE));
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &buf->bo));

	dma_unmap(&env->dma, &self->map);
	if (may_leave_vram()) {
		ASSERT_EQ(0, __gpu_import(&self->vgem, buf->fd, &handle));
		gpu_handle_close(&self->vgem, handle);
	} else {
		EXPECT_EQ(-EOPNOTSUPP, __gpu_import(&self->vgem, buf->fd, &handle));
	}
	EXPECT_TRUE(gpu_in_vram(&env->gpu, buf->fd, BUFFER_SIZE));
}

TEST_F(vram_mixed, iommu_after_system_importer)
{
	struct env *env = &self->env;
	uint32_t handle;
	struct gpu_bo bo;
	int fd;

	ASSERT_EQ(0, __gpu_bo_create(&env->gpu, &bo, BUFFER_SIZE, GPU_VRAM | GPU_VISIBLE |
				     (may_leave_vram() ? 0 : GPU_SYSTEM), NULL));
	gpu_bo_mmap(&bo);
	cpu_fill(&bo, DATA);
	fd = gpu_bo_export(&bo);
	ASSERT_EQ(0, __gpu_import(&self->vgem, fd, &handle));
	EXPECT_EQ(1, bufinfo(fd).attachments);
	EXPECT_EQ(-EBUSY, __dma_map(&env->dma, &self->map, fd, 0, BUFFER_SIZE, IOMMU_FILE_RW));
	EXPECT_EQ(-EBUSY, pal_import(fd));
	EXPECT_EQ(1, bufinfo(fd).attachments);
	EXPECT_EQ(0, cpu_differs(&bo, DATA));

	/* Without it there is another reason, or none. */
	gpu_handle_close(&self->vgem, handle);
	EXPECT_EQ(0, bufinfo(fd).attachments);
	EXPECT_EQ(may_leave_vram() ? 0 : -EOPNOTSUPP,
		  __dma_map(&env->dma, &self->map, fd, 0, BUFFER_SIZE, IOMMU_FILE_RW));
	if (may_leave_vram())
		dma_unmap(&env->dma, &self->map);
	close(fd);
	gpu_bo_destroy(&bo);
}

/* The second GPU, with a buffer of its own to which it copies */
struct second {
	struct gpu gpu;
	struct gpu_ctx ctx;
	struct gpu_view view;
	uint32_t handle;
	uint64_t va;
};

static void second_open(struct second *second, int fd)
{
	gpu_open(&second->gpu, gpu2_bdf);
	gpu_ctx_open(&second->ctx, &second->gpu);
	gpu_view_open(&second->view, &second->ctx);
	VFIO_ASSERT_EQ(__gpu_import(&second->gpu, fd, &second->handle), 0);
	second->va = gpu_bind(&second->ctx, second->handle, BUFFER_SIZE);
}

static void second_close(struct second *second)
{
	gpu_unbind(&second->ctx, second->va, BUFFER_SIZE);
	gpu_handle_close(&second->gpu, second->handle);
	gpu_view_close(&second->view);
	gpu_ctx_close(&second->ctx);
	gpu_close(&second->gpu);
}

static uint64_t second_differs(struct second *second, uint64_t seed)
{
	return gpu_view_differs(&second->view, second->va, BUFFER_SIZE, seed);
}

TEST_F_TIMEOUT(vram_mixed, peer_after_iommu, 120)
{
	struct env *env = &self->env;
	struct buffer *buf = &self->buf;
	struct second second;

	dma_map(&env->dma, &self->map, buf->fd, BUFFER_SIZE);
	second_open(&second, buf->fd);
	EXPECT_EQ(2, bufinfo(buf->fd).attachments);
	dma_fill(&env->dma, self->map.iova, 0, BUFFER_SIZE, DATA);
	EXPECT_EQ(0, second_differs(&second, DATA));
	EXPECT_TRUE(gpu_in_vram(&env->gpu, buf->fd, BUFFER_SIZE));

	/* What the peer writes the controller reads. */
	gpu_view_fill(&second.view, second.va, BUFFER_SIZE, AFTER);
	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, BUFFER_SIZE, AFTER));
	EXPECT_EQ(0, cpu_differs(&buf->bo, AFTER));
	second_close(&second);
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &buf->bo));
	dma_unmap(&env->dma, &self->map);
}

TEST_F_TIMEOUT(vram_mixed, iommu_after_peer, 120)
{
	struct env *env = &self->env;
	struct buffer *buf = &self->buf;
	struct second second;

	second_open(&second, buf->fd);
	cpu_fill(&buf->bo, DATA);
	EXPECT_EQ(0, second_differs(&second, DATA));
	dma_map(&env->dma, &self->map, buf->fd, BUFFER_SIZE);
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &buf->bo));
	EXPECT_EQ(0, second_differs(&second, AFTER));
	dma_unmap(&env->dma, &self->map);
	EXPECT_EQ(0, second_differs(&second, AFTER));
	second_close(&second);
}

/* What the second GPU exports of the first one's is the first one's. */
TEST_F(vram_mixed, exported_again)
{
	struct env *env = &self->env;
	struct buffer *buf = &self->buf;
	struct stat ours, again;
	struct second second;
	int fd;

	second_open(&second, buf->fd);
	fd = __gpu_export(&second.gpu, second.handle, GPU_EXPORT_RW);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(buf->fd, &ours));
	ASSERT_EQ(0, fstat(fd, &again));
	EXPECT_EQ(ours.st_ino, again.st_ino);
	dma_map(&env->dma, &self->map, fd, BUFFER_SIZE);
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &buf->bo));
	dma_unmap(&env->dma, &self->map);
	close(fd);
	second_close(&second);
}

FIXTURE(vram_exporter_gone) {
	struct env env;
	struct buffer buf;
	struct second second;
	struct dma_region map;
};

FIXTURE_VARIANT(vram_exporter_gone) {
	bool mapped;
};

FIXTURE_VARIANT_ADD(vram_exporter_gone, peer) { .mapped = false, };
FIXTURE_VARIANT_ADD(vram_exporter_gone, peer_and_iommu) { .mapped = true, };

FIXTURE_SETUP(vram_exporter_gone)
{
	env_open(&self->env);
	buffer_open(&self->env, &self->buf, BUFFER_SIZE);
	second_open(&self->second, self->buf.fd);
}

FIXTURE_TEARDOWN(vram_exporter_gone)
{
	dma_close(&self->env.dma);
}

/*
 * The second GPU executes once more when the first one's driver is gone. In 7.3
 * that moved the buffer with the engine of the unbound device, after its memory
 * was freed.
 */
TEST_F_TIMEOUT(vram_exporter_gone, exec, 120)
{
	struct second *second = &self->second;
	struct env *env = &self->env;
	struct dma_region again;
	const void *copy;
	int ret;

	if (variant->mapped)
		dma_map(&env->dma, &self->map, self->buf.fd, BUFFER_SIZE);
	cpu_fill(&self->buf.bo, DATA);
	ASSERT_EQ(0, second_differs(second, DATA));

	ASSERT_EQ(0, pci_driver(gpu_driver_name(&card), "unbind", gpu_bdf));
	memset(second->view.copy.vaddr, 0x5a, BUFFER_SIZE);
	ret = __gpu_copy(&second->ctx, second->view.copy_va, second->va, BUFFER_SIZE);
	copy = second->view.copy.vaddr;
	TH_LOG("exec after the exporter was unbound: %s", strerror(-ret));
	if (variant->mapped || may_leave_vram()) {
		/* It was pinned in VRAM, or left there: that is gone for everybody. */
		EXPECT_NE(0, ret);
		EXPECT_NE(0, outside_differs(copy, 0, BUFFER_SIZE, DATA));
		EXPECT_EQ(0, bufinfo(self->buf.fd).bytes);
	} else {
		/* xe saved it to system memory. */
		EXPECT_EQ(0, ret);
		EXPECT_EQ(0, outside_differs(copy, 0, BUFFER_SIZE, DATA));
	}

	gpu_handle_close(&second->gpu, second->handle);
	gpu_close(&second->gpu);
	close(self->buf.fd);
	munmap(self->buf.bo.vaddr, BUFFER_SIZE);
	gpu_close(&env->gpu);
	ASSERT_EQ(0, pci_driver(gpu_driver_name(&card), "bind", gpu_bdf));

	gpu_side_open(env);
	buffer_open(env, &self->buf, BUFFER_SIZE);
	second_open(second, self->buf.fd);
	cpu_fill(&self->buf.bo, LATE);
	EXPECT_EQ(0, second_differs(second, LATE));
	dma_map(&env->dma, &again, self->buf.fd, BUFFER_SIZE);
	EXPECT_TRUE(dma_works(&env->dma, again.iova, &self->buf.bo));
	second_close(second);
}

int main(int argc, char *argv[])
{
	vram_test_devices(&argc, argv, 3);
	return test_harness_run(argc, argv);
}
