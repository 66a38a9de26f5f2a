// SPDX-License-Identifier: MIT
/* What GPUs that xe drives answer: see internal.h */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xf86drm.h>

#include <drm/xe_drm.h>

#include "internal.h"

static int query_regions(int drm_fd, struct drm_xe_query_mem_regions **regions)
{
	struct drm_xe_device_query query = {
		.query = DRM_XE_DEVICE_QUERY_MEM_REGIONS,
	};
	int ret;

	ret = pal_ioctl(drm_fd, DRM_IOCTL_XE_DEVICE_QUERY, &query);
	if (ret)
		return ret;
	*regions = calloc(1, query.size);
	if (!*regions)
		return -ENOMEM;
	query.data = (uintptr_t)*regions;
	ret = pal_ioctl(drm_fd, DRM_IOCTL_XE_DEVICE_QUERY, &query);
	if (ret)
		free(*regions);
	return ret;
}

/* The VRAM of one tile. A BO that names several may be in each of them. */
static const struct drm_xe_mem_region *
vram_region(const struct drm_xe_query_mem_regions *regions)
{
	const struct drm_xe_mem_region *best = NULL, *region;
	uint32_t i;

	for (i = 0; i < regions->num_mem_regions; i++) {
		region = &regions->mem_regions[i];
		if (region->mem_class == DRM_XE_MEM_REGION_CLASS_VRAM &&
		    (!best || region->cpu_visible_size > best->cpu_visible_size))
			best = region;
	}
	return best;
}

static int xe_vram(int drm_fd, struct pal_vram *vram)
{
	struct drm_xe_query_mem_regions *regions;
	const struct drm_xe_mem_region *region;
	int ret;

	ret = query_regions(drm_fd, &regions);
	if (ret)
		return ret;
	region = vram_region(regions);
	if (region)
		*vram = (struct pal_vram){
			.total = region->total_size,
			.visible = region->cpu_visible_size,
			.page = region->min_page_size,
		};
	free(regions);
	return 0;
}

static int xe_alloc(int drm_fd, uint64_t size, uint32_t *handle)
{
	/* Of no VM, or it would be private to that. */
	struct drm_xe_gem_create create = {
		.size = size,
		.flags = DRM_XE_GEM_CREATE_FLAG_NEEDS_VISIBLE_VRAM,
		.cpu_caching = DRM_XE_GEM_CPU_CACHING_WC,
	};
	struct drm_xe_query_mem_regions *regions;
	int ret;

	ret = query_regions(drm_fd, &regions);
	if (ret)
		return ret;
	create.placement = 1u << vram_region(regions)->instance;
	free(regions);
	ret = pal_ioctl(drm_fd, DRM_IOCTL_XE_GEM_CREATE, &create);
	*handle = create.handle;
	return ret;
}

/* KiB of "drm-total-KEY..." in a line of fdinfo, whose unit may be absent or MiB */
static unsigned long long total(const char *line, const char *key)
{
	unsigned long long number;
	char prefix[32], unit[8] = "";

	snprintf(prefix, sizeof(prefix), "drm-total-%s", key);
	if (strncmp(line, prefix, strlen(prefix)) || !strchr(line, ':') ||
	    sscanf(strchr(line, ':') + 1, "%llu %7s", &number, unit) < 1)
		return 0;
	return !strcmp(unit, "MiB") ? number << 10 : !strcmp(unit, "KiB") ? number :
	       number >> 10;
}

/* Where the one BO of a client is at the moment; false if it cannot be seen. */
static bool place(int client, bool *in_vram)
{
	unsigned long long vram = 0, system = 0;
	char path[40], line[160];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", client);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		vram += total(line, "vram");
		system += total(line, "gtt") + total(line, "system");
	}
	fclose(file);
	*in_vram = vram > system;
	return vram || system;
}

/*
 * The kernel does not tell where a BO may be, but where it is. One that is in
 * VRAM and fits into what the BAR shows is refused for no other reasons than these.
 */
static enum dmabuf_pal_reason xe_refused(int client, uint32_t handle, uint64_t size,
					 const char **text)
{
	struct pal_vram vram = {};
	bool in_vram;

	(void)handle;
	if (xe_vram(client, &vram) || !place(client, &in_vram))
		return DMABUF_PAL_OK;
	if (!in_vram) {
		*text = "it is in system memory, or may be there";
		return DMABUF_PAL_NOT_VRAM;
	}
	if (size > vram.visible) {
		*text = "it is larger than the part of VRAM that the BAR shows";
		return DMABUF_PAL_NOT_VISIBLE;
	}
	*text = "it is in VRAM, but may be moved to system memory, or is protected (PXP)";
	return DMABUF_PAL_MAY_LEAVE_VRAM;
}

const struct pal_driver pal_xe_driver = {
	.name = "xe",
	.vram = xe_vram,
	.alloc = xe_alloc,
	.refused = xe_refused,
};
