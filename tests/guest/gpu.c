// SPDX-License-Identifier: GPL-2.0-only
/* What does not depend on the GPU's driver: see gpu.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/align.h>
#include <linux/kernel.h>

#include <libvfio/assert.h>

#include "gpu_driver.h"
#include "outside.h"

#define VA_START	(4ull << 30)
#define VA_ALIGN	(2ull << 20)

/* What the engines of all drivers copy in one go */
#define COPY_UNIT	256
#define COPY_DWORDS	16

static const struct gpu_driver *const drivers[] = {
	&gpu_xe_driver, &gpu_amdgpu_driver,
};

int gpu_ioctl(struct gpu *gpu, unsigned long cmd, void *arg)
{
	int ret;

	do {
		ret = ioctl(gpu->fd, cmd, arg);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

static const struct gpu_driver *driver_of(const char *bdf)
{
	char path[128], link[256];
	const char *name;
	ssize_t len;
	size_t i;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", bdf);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return NULL;
	link[len] = 0;
	name = basename(link);
	for (i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i]->name, name))
			return drivers[i];
	return NULL;
}

static int render_node(const char *bdf, char *path, size_t size)
{
	struct dirent *entry;
	int ret = -ENODEV;
	DIR *dir;

	snprintf(path, size, "/sys/bus/pci/devices/%s/drm", bdf);
	dir = opendir(path);
	if (!dir)
		return -ENODEV;
	while (ret && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "renderD", 7))
			continue;
		snprintf(path, size, "/dev/dri/%s", entry->d_name);
		ret = 0;
	}
	closedir(dir);
	return ret;
}

int __gpu_open(struct gpu *gpu, const char *bdf)
{
	char path[300];
	int ret;

	*gpu = (struct gpu){ .fd = -1, .driver = driver_of(bdf), .next_va = VA_START };
	snprintf(gpu->bdf, sizeof(gpu->bdf), "%s", bdf);
	if (!gpu->driver)
		return -ENODEV;
	ret = render_node(bdf, path, sizeof(path));
	if (ret)
		return ret;
	gpu->fd = open(path, O_RDWR | O_CLOEXEC);
	return gpu->fd < 0 ? -errno : 0;
}

void gpu_open(struct gpu *gpu, const char *bdf)
{
	VFIO_ASSERT_EQ(__gpu_open(gpu, bdf), 0, "%s has no usable render node\n", bdf);
}

void gpu_close(struct gpu *gpu)
{
	VFIO_ASSERT_EQ(close(gpu->fd), 0);
	gpu->fd = -1;
}

const char *gpu_driver_name(struct gpu *gpu)
{
	return gpu->driver->name;
}

struct gpu_vram gpu_vram(struct gpu *gpu)
{
	struct gpu_vram vram = gpu->driver->vram(gpu);

	VFIO_ASSERT_NE(vram.total, 0);
	return vram;
}

uint64_t gpu_vram_reserve(struct gpu *gpu)
{
	return gpu->driver->vram_reserve;
}

int gpu_vram_bar(struct gpu *gpu)
{
	return gpu->driver->vram_bar;
}

void gpu_vram_debugfs(struct gpu *gpu, char *path, size_t size)
{
	snprintf(path, size, "/sys/kernel/debug/dri/%s/%s", gpu->bdf,
		 gpu->driver->vram_debugfs);
}

int __gpu_bo_create(struct gpu *gpu, struct gpu_bo *bo, uint64_t size,
		    uint32_t where, struct gpu_ctx *ctx)
{
	*bo = (struct gpu_bo){ .gpu = gpu, .size = size };
	return gpu->driver->bo_create(bo, where, ctx);
}

static int bo_map(struct gpu_bo *bo, void *at, void **vaddr)
{
	uint64_t offset;
	int ret;

	ret = bo->gpu->driver->mmap_offset(bo, &offset);
	if (ret)
		return ret;
	*vaddr = mmap(at, bo->size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | (at ? MAP_FIXED : 0), bo->gpu->fd, offset);
	return *vaddr == MAP_FAILED ? -errno : 0;
}

int __gpu_bo_mmap(struct gpu_bo *bo)
{
	void *vaddr;
	int ret;

	ret = bo_map(bo, NULL, &vaddr);
	if (!ret)
		bo->vaddr = vaddr;
	return ret;
}

void *gpu_bo_map_again(struct gpu_bo *bo, void *at)
{
	void *vaddr;

	VFIO_ASSERT_EQ(bo_map(bo, at, &vaddr), 0);
	return vaddr;
}

void gpu_bo_mmap(struct gpu_bo *bo)
{
	VFIO_ASSERT_EQ(__gpu_bo_mmap(bo), 0);
}

int __gpu_bo_create_vram(struct gpu *gpu, struct gpu_bo *bo, uint64_t size)
{
	int ret;

	ret = __gpu_bo_create(gpu, bo, size, GPU_VRAM | GPU_VISIBLE, NULL);
	if (!ret)
		gpu_bo_mmap(bo);
	return ret;
}

void gpu_bo_create_vram(struct gpu *gpu, struct gpu_bo *bo, uint64_t size)
{
	VFIO_ASSERT_EQ(__gpu_bo_create_vram(gpu, bo, size), 0);
}

void gpu_bo_create_system(struct gpu *gpu, struct gpu_bo *bo, uint64_t size)
{
	VFIO_ASSERT_EQ(__gpu_bo_create(gpu, bo, size, GPU_SYSTEM, NULL), 0);
	gpu_bo_mmap(bo);
}

void gpu_bo_destroy(struct gpu_bo *bo)
{
	if (bo->vaddr)
		VFIO_ASSERT_EQ(munmap(bo->vaddr, bo->size), 0);
	bo->vaddr = NULL;
	gpu_handle_close(bo->gpu, bo->handle);
}

int __gpu_export(struct gpu *gpu, uint32_t handle, uint32_t flags)
{
	struct drm_prime_handle prime = { .handle = handle, .flags = flags };
	int ret;

	ret = gpu_ioctl(gpu, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	return ret ?: prime.fd;
}

int gpu_bo_export(struct gpu_bo *bo)
{
	int fd = __gpu_export(bo->gpu, bo->handle, GPU_EXPORT_RW);

	VFIO_ASSERT_GE(fd, 0);
	return fd;
}

int __gpu_import(struct gpu *gpu, int dma_buf, uint32_t *handle)
{
	struct drm_prime_handle prime = { .fd = dma_buf };
	int ret;

	ret = gpu_ioctl(gpu, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	*handle = prime.handle;
	return ret;
}

void gpu_handle_close(struct gpu *gpu, uint32_t handle)
{
	struct drm_gem_close arg = { .handle = handle };

	VFIO_ASSERT_EQ(gpu_ioctl(gpu, DRM_IOCTL_GEM_CLOSE, &arg), 0);
}

/* "drm-resident-KEY:	123 KiB"; the unit is absent, KiB or MiB */
static uint64_t fdinfo_bytes(const char *line, const char *key)
{
	unsigned long long n;
	char unit[8] = "";
	char prefix[40];

	snprintf(prefix, sizeof(prefix), "drm-resident-%s:", key);
	if (strncmp(line, prefix, strlen(prefix)) ||
	    sscanf(line + strlen(prefix), "%llu %7s", &n, unit) < 1)
		return 0;
	return n << (!strcmp(unit, "MiB") ? 20 : !strcmp(unit, "KiB") ? 10 : 0);
}

struct gpu_place gpu_place(struct gpu *gpu, int dma_buf)
{
	struct gpu_place place = {}, before = {};
	struct gpu client;
	uint32_t handle;
	char line[160];
	int with;
	FILE *file;

	gpu_open(&client, gpu->bdf);
	/* A client may have memory of its own, its page tables. */
	for (with = 0; with < 2; with++) {
		before = place;
		place = (struct gpu_place){};
		if (with)
			VFIO_ASSERT_EQ(__gpu_import(&client, dma_buf, &handle), 0);
		snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", client.fd);
		file = fopen(line, "r");
		VFIO_ASSERT_NOT_NULL(file);
		while (fgets(line, sizeof(line), file)) {
			place.vram += fdinfo_bytes(line, gpu->driver->fdinfo_vram);
			place.system += fdinfo_bytes(line, "gtt") +
					fdinfo_bytes(line, "system") +
					fdinfo_bytes(line, "cpu");
		}
		fclose(file);
	}
	place.vram -= before.vram;
	place.system -= before.system;
	gpu_handle_close(&client, handle);
	gpu_close(&client);
	return place;
}

static void ctx_open(struct gpu_ctx *ctx, struct gpu *gpu, bool strict)
{
	*ctx = (struct gpu_ctx){ .gpu = gpu };
	gpu->driver->ctx_open(ctx, strict);
	gpu_bo_create_system(gpu, &ctx->batch, gpu->driver->batch_size);
	ctx->batch_va = gpu_bind(ctx, ctx->batch.handle, ctx->batch.size);
}

void gpu_ctx_open(struct gpu_ctx *ctx, struct gpu *gpu)
{
	ctx_open(ctx, gpu, false);
}

void gpu_ctx_open_strict(struct gpu_ctx *ctx, struct gpu *gpu)
{
	ctx_open(ctx, gpu, true);
}

void gpu_ctx_close(struct gpu_ctx *ctx)
{
	gpu_unbind(ctx, ctx->batch_va, ctx->batch.size);
	ctx->gpu->driver->ctx_close(ctx);
	gpu_bo_destroy(&ctx->batch);
}

uint64_t gpu_bind(struct gpu_ctx *ctx, uint32_t handle, uint64_t size)
{
	uint64_t va = ctx->gpu->next_va;

	VFIO_ASSERT_LT(ctx->nr_bound, GPU_MAX_BOUND);
	ctx->gpu->next_va += ALIGN(size, VA_ALIGN);
	VFIO_ASSERT_EQ(ctx->gpu->driver->bind(ctx, handle, va, size), 0);
	ctx->bound[ctx->nr_bound].va = va;
	ctx->bound[ctx->nr_bound++].handle = handle;
	return va;
}

void gpu_unbind(struct gpu_ctx *ctx, uint64_t va, uint64_t size)
{
	unsigned int i = 0;

	VFIO_ASSERT_EQ(ctx->gpu->driver->unbind(ctx, va, size), 0);
	while (i < ctx->nr_bound && ctx->bound[i].va != va)
		i++;
	VFIO_ASSERT_LT(i, ctx->nr_bound);
	ctx->bound[i] = ctx->bound[--ctx->nr_bound];
}

void gpu_new_queue(struct gpu_ctx *ctx)
{
	ctx->gpu->driver->new_queue(ctx);
}

int __gpu_copy(struct gpu_ctx *ctx, uint64_t dst, uint64_t src, uint64_t size)
{
	const struct gpu_driver *driver = ctx->gpu->driver;
	uint32_t *start = ctx->batch.vaddr, *cs = start;
	uint64_t at, len;

	VFIO_ASSERT_TRUE(IS_ALIGNED(size, COPY_UNIT));
	VFIO_ASSERT_LE((size / driver->copy_max + 2) * COPY_DWORDS * 4,
		       ctx->batch.size);
	for (at = 0; at < size; at += len) {
		len = min(size - at, driver->copy_max);
		cs = driver->emit_copy(cs, dst + at, src + at, len);
	}
	return driver->run(ctx, cs - start);
}

int __gpu_hang(struct gpu_ctx *ctx)
{
	uint32_t *start = ctx->batch.vaddr;

	return ctx->gpu->driver->run(ctx, ctx->gpu->driver->emit_hang(ctx, start) -
				     start);
}

void gpu_copy(struct gpu_ctx *ctx, uint64_t dst, uint64_t src, uint64_t size)
{
	VFIO_ASSERT_EQ(__gpu_copy(ctx, dst, src, size), 0);
}

void gpu_set_job_timeout(struct gpu *gpu, unsigned int ms)
{
	gpu->driver->set_job_timeout(gpu, ms);
}

int gpu_reset(struct gpu *gpu)
{
	return gpu->driver->reset(gpu);
}

void gpu_view_open(struct gpu_view *view, struct gpu_ctx *ctx)
{
	view->ctx = ctx;
	gpu_bo_create_system(ctx->gpu, &view->copy, GPU_VIEW_SIZE);
	view->copy_va = gpu_bind(ctx, view->copy.handle, GPU_VIEW_SIZE);
}

void gpu_view_close(struct gpu_view *view)
{
	gpu_unbind(view->ctx, view->copy_va, GPU_VIEW_SIZE);
	gpu_bo_destroy(&view->copy);
}

const void *gpu_view(struct gpu_view *view, uint64_t va, uint64_t size)
{
	VFIO_ASSERT_LE(size, GPU_VIEW_SIZE);
	/* What an earlier copy left must not pass for the data of this one. */
	memset(view->copy.vaddr, 0x5a, size);
	gpu_copy(view->ctx, view->copy_va, va, size);
	return view->copy.vaddr;
}

void gpu_view_fill(struct gpu_view *view, uint64_t va, uint64_t size, uint64_t seed)
{
	uint64_t at, len;

	for (at = 0; at < size; at += len) {
		len = min(size - at, GPU_VIEW_SIZE);
		outside_pattern(view->copy.vaddr, at, len, seed);
		gpu_copy(view->ctx, va + at, view->copy_va, len);
	}
}

uint64_t gpu_view_differs(struct gpu_view *view, uint64_t va, uint64_t size,
			  uint64_t seed)
{
	uint64_t at, len, wrong = 0;

	for (at = 0; at < size; at += len) {
		len = min(size - at, GPU_VIEW_SIZE);
		wrong += outside_differs(gpu_view(view, va + at, len), at, len, seed);
	}
	return wrong;
}

/* Freed memory comes back when the GPU is done with it. */
static void wait_for_vram(struct gpu *gpu, uint64_t used)
{
	time_t end = time(NULL) + 30;

	while (gpu_vram(gpu).used > used) {
		VFIO_ASSERT_LT(time(NULL), end, "VRAM does not come back\n");
		sched_yield();
	}
}

static uint32_t take_vram(struct gpu *gpu, uint64_t size)
{
	struct gpu_bo bo;

	VFIO_ASSERT_EQ(__gpu_bo_create(gpu, &bo, size, GPU_VRAM, NULL), 0);
	return bo.handle;
}

/*
 * Nearly all of VRAM is taken by one BO and, where that ends, by pieces. Every second
 * piece is given back, and what the driver never gave out, which would be one large
 * hole, is taken instead. So nothing but small holes is left for the BO.
 */
void gpu_bo_create_fragmented(struct gpu *gpu, struct gpu_bo *bo, uint64_t size,
			      uint64_t piece)
{
	uint64_t reserve = ALIGN(gpu->driver->vram_reserve, piece);
	unsigned int nr = 2 * (reserve + size) / piece + 2, i;
	struct gpu_vram vram = gpu_vram(gpu);
	uint64_t room = vram.total - vram.used;
	uint32_t *comb, head, rest;

	VFIO_ASSERT_GT(room, (nr + 1) * piece + reserve);
	head = take_vram(gpu, (room - nr * piece - reserve) / piece * piece);
	comb = calloc(nr, sizeof(*comb));
	VFIO_ASSERT_NOT_NULL(comb);
	for (i = 0; i < nr; i++)
		comb[i] = take_vram(gpu, piece);

	vram = gpu_vram(gpu);
	for (i = 0; i < nr - 2; i += 2)
		gpu_handle_close(gpu, comb[i]);
	wait_for_vram(gpu, vram.used - reserve - size);
	rest = take_vram(gpu, reserve);
	gpu_bo_create_vram(gpu, bo, size);

	for (i = 0; i < nr; i++)
		if (i % 2 || i >= nr - 2)
			gpu_handle_close(gpu, comb[i]);
	gpu_handle_close(gpu, rest);
	gpu_handle_close(gpu, head);
	free(comb);
}
