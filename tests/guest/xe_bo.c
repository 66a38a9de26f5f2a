// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <libvfio/assert.h>

#include <drm/drm.h>

#include "xe_bo.h"

#define FRAGMENT_SLACK	(512ull << 10)

static int xe_ioctl(struct xe *xe, unsigned long cmd, void *arg)
{
	int ret;

	do {
		ret = ioctl(xe->fd, cmd, arg);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
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

static struct drm_xe_query_mem_regions *query_regions(struct xe *xe)
{
	struct drm_xe_device_query query = {
		.query = DRM_XE_DEVICE_QUERY_MEM_REGIONS,
	};
	struct drm_xe_query_mem_regions *regions;

	VFIO_ASSERT_EQ(xe_ioctl(xe, DRM_IOCTL_XE_DEVICE_QUERY, &query), 0);
	regions = calloc(1, query.size);
	VFIO_ASSERT_NOT_NULL(regions);
	query.data = (uintptr_t)regions;
	VFIO_ASSERT_EQ(xe_ioctl(xe, DRM_IOCTL_XE_DEVICE_QUERY, &query), 0);
	return regions;
}

int __xe_open(struct xe *xe, const char *bdf)
{
	struct drm_xe_query_mem_regions *regions;
	char path[300];
	uint32_t i;
	int ret;

	*xe = (struct xe){ .fd = -1 };
	snprintf(xe->bdf, sizeof(xe->bdf), "%s", bdf);
	ret = render_node(bdf, path, sizeof(path));
	if (ret)
		return ret;
	xe->fd = open(path, O_RDWR | O_CLOEXEC);
	if (xe->fd < 0)
		return -errno;

	regions = query_regions(xe);
	for (i = 0; i < regions->num_mem_regions; i++) {
		struct drm_xe_mem_region *r = &regions->mem_regions[i];

		if (r->mem_class == DRM_XE_MEM_REGION_CLASS_VRAM)
			xe->vram |= 1u << r->instance;
		else
			xe->system |= 1u << r->instance;
	}
	free(regions);
	return 0;
}

void xe_open(struct xe *xe, const char *bdf)
{
	VFIO_ASSERT_EQ(__xe_open(xe, bdf), 0, "%s has no usable render node\n", bdf);
	VFIO_ASSERT_NE(xe->vram, 0);
}

void xe_close(struct xe *xe)
{
	VFIO_ASSERT_EQ(close(xe->fd), 0);
	xe->fd = -1;
}

struct drm_xe_mem_region xe_vram(struct xe *xe)
{
	struct drm_xe_query_mem_regions *regions = query_regions(xe);
	struct drm_xe_mem_region vram = {};
	uint32_t i;

	for (i = 0; i < regions->num_mem_regions; i++)
		if (regions->mem_regions[i].mem_class == DRM_XE_MEM_REGION_CLASS_VRAM)
			vram = regions->mem_regions[i];
	free(regions);
	VFIO_ASSERT_NE(vram.total_size, 0);
	return vram;
}

int __xe_bo_create(struct xe *xe, struct xe_bo *bo, uint64_t size,
		   uint32_t placement, uint32_t flags, uint32_t vm)
{
	struct drm_xe_gem_create create = {
		.size = size,
		.placement = placement,
		.flags = flags,
		.vm_id = vm,
		.cpu_caching = placement & xe->vram ? DRM_XE_GEM_CPU_CACHING_WC :
						      DRM_XE_GEM_CPU_CACHING_WB,
	};
	int ret;

	*bo = (struct xe_bo){ .xe = xe, .size = size };
	ret = xe_ioctl(xe, DRM_IOCTL_XE_GEM_CREATE, &create);
	bo->handle = create.handle;
	return ret;
}

int __xe_bo_mmap(struct xe_bo *bo)
{
	struct drm_xe_gem_mmap_offset arg = { .handle = bo->handle };
	void *vaddr;
	int ret;

	ret = xe_ioctl(bo->xe, DRM_IOCTL_XE_GEM_MMAP_OFFSET, &arg);
	if (ret)
		return ret;
	vaddr = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		     bo->xe->fd, arg.offset);
	if (vaddr == MAP_FAILED)
		return -errno;
	bo->vaddr = vaddr;
	return 0;
}

void xe_bo_mmap(struct xe_bo *bo)
{
	VFIO_ASSERT_EQ(__xe_bo_mmap(bo), 0);
}

int __xe_bo_create_vram(struct xe *xe, struct xe_bo *bo, uint64_t size)
{
	int ret;

	ret = __xe_bo_create(xe, bo, size, xe->vram,
			     DRM_XE_GEM_CREATE_FLAG_NEEDS_VISIBLE_VRAM, 0);
	if (!ret)
		xe_bo_mmap(bo);
	return ret;
}

void xe_bo_create_vram(struct xe *xe, struct xe_bo *bo, uint64_t size)
{
	VFIO_ASSERT_EQ(__xe_bo_create_vram(xe, bo, size), 0);
}

void xe_bo_create_system(struct xe *xe, struct xe_bo *bo, uint64_t size)
{
	VFIO_ASSERT_EQ(__xe_bo_create(xe, bo, size, xe->system, 0, 0), 0);
	xe_bo_mmap(bo);
}

void xe_bo_destroy(struct xe_bo *bo)
{
	if (bo->vaddr)
		VFIO_ASSERT_EQ(munmap(bo->vaddr, bo->size), 0);
	bo->vaddr = NULL;
	xe_handle_close(bo->xe, bo->handle);
}

int __xe_export(struct xe *xe, uint32_t handle, uint32_t flags)
{
	struct drm_prime_handle prime = { .handle = handle, .flags = flags };
	int ret;

	ret = xe_ioctl(xe, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	return ret ?: prime.fd;
}

int xe_bo_export(struct xe_bo *bo)
{
	int fd = __xe_export(bo->xe, bo->handle, XE_EXPORT_RW);

	VFIO_ASSERT_GE(fd, 0);
	return fd;
}

int __xe_import(struct xe *xe, int dma_buf, uint32_t *handle)
{
	struct drm_prime_handle prime = { .fd = dma_buf };
	int ret;

	ret = xe_ioctl(xe, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	*handle = prime.handle;
	return ret;
}

void xe_handle_close(struct xe *xe, uint32_t handle)
{
	struct drm_gem_close arg = { .handle = handle };

	VFIO_ASSERT_EQ(xe_ioctl(xe, DRM_IOCTL_GEM_CLOSE, &arg), 0);
}

/* "KEY:	123 KiB"; the unit is absent, KiB or MiB */
static uint64_t fdinfo_bytes(const char *line, const char *key)
{
	unsigned long long n;
	char unit[8] = "";

	if (strncmp(line, key, strlen(key)) ||
	    sscanf(line + strlen(key), "%llu %7s", &n, unit) < 1)
		return 0;
	return n << (!strcmp(unit, "MiB") ? 20 : !strcmp(unit, "KiB") ? 10 : 0);
}

struct xe_place xe_place(struct xe *xe, int dma_buf)
{
	struct xe_place place = {};
	struct xe client;
	uint32_t handle;
	char line[160];
	FILE *file;

	xe_open(&client, xe->bdf);
	VFIO_ASSERT_EQ(__xe_import(&client, dma_buf, &handle), 0);
	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", client.fd);
	file = fopen(line, "r");
	VFIO_ASSERT_NOT_NULL(file);
	while (fgets(line, sizeof(line), file)) {
		place.vram += fdinfo_bytes(line, "drm-resident-vram0:");
		place.system += fdinfo_bytes(line, "drm-resident-gtt:") +
				fdinfo_bytes(line, "drm-resident-system:");
	}
	fclose(file);
	xe_handle_close(&client, handle);
	xe_close(&client);
	return place;
}

/* Freed memory comes back when the GPU is done with it. */
static void wait_for_vram(struct xe *xe, uint64_t used)
{
	time_t end = time(NULL) + 30;

	while (xe_vram(xe).used > used) {
		VFIO_ASSERT_LT(time(NULL), end, "VRAM does not come back\n");
		sched_yield();
	}
}

static uint32_t take_vram(struct xe *xe, uint64_t size)
{
	struct xe_bo bo;

	VFIO_ASSERT_EQ(__xe_bo_create(xe, &bo, size, xe->vram, 0, 0), 0);
	return bo.handle;
}

void xe_bo_create_fragmented(struct xe *xe, struct xe_bo *bo, uint64_t size,
			     uint64_t piece)
{
	unsigned int nr = 2 * (size / piece) + 2, i;
	struct drm_xe_mem_region vram = xe_vram(xe);
	uint64_t room = vram.total_size - vram.used;
	uint32_t *comb, rest;

	/* All but the memory of the comb and a bit for page tables. */
	VFIO_ASSERT_GT(room, (nr + 1) * piece + FRAGMENT_SLACK);
	rest = take_vram(xe, (room - nr * piece - FRAGMENT_SLACK) / piece * piece);
	comb = calloc(nr, sizeof(*comb));
	VFIO_ASSERT_NOT_NULL(comb);
	for (i = 0; i < nr; i++)
		comb[i] = take_vram(xe, piece);

	/* Every second one makes room for the pieces. */
	vram = xe_vram(xe);
	for (i = 0; i < nr - 2; i += 2)
		xe_handle_close(xe, comb[i]);
	wait_for_vram(xe, vram.used - size);
	xe_bo_create_vram(xe, bo, size);

	for (i = 0; i < nr; i++)
		if (i % 2 || i >= nr - 2)
			xe_handle_close(xe, comb[i]);
	xe_handle_close(xe, rest);
	free(comb);
}
