// SPDX-License-Identifier: MIT
/* What GPUs that amdgpu drives answer: see internal.h */
#include <string.h>
#include <unistd.h>

#include <amdgpu_drm.h>
#include <xf86drm.h>

#include "internal.h"

#ifndef AMDGPU_GEM_CREATE_DISCARDABLE
#define AMDGPU_GEM_CREATE_DISCARDABLE	(1 << 12)
#endif
#ifndef AMDGPU_GEM_CREATE_GFX12_DCC
#define AMDGPU_GEM_CREATE_GFX12_DCC	(1 << 16)
#endif

static int query(int drm_fd, uint32_t what, void *data, uint32_t size)
{
	struct drm_amdgpu_info info = {
		.return_pointer = (uintptr_t)data,
		.return_size = size,
		.query = what,
	};

	return pal_ioctl(drm_fd, DRM_IOCTL_AMDGPU_INFO, &info);
}

static int amdgpu_vram(int drm_fd, struct pal_vram *vram)
{
	struct drm_amdgpu_memory_info memory = {};
	struct drm_amdgpu_info_device device = {};
	int ret;

	ret = query(drm_fd, AMDGPU_INFO_DEV_INFO, &device, sizeof(device));
	if (!ret)
		ret = query(drm_fd, AMDGPU_INFO_MEMORY, &memory, sizeof(memory));
	if (ret)
		return ret;
	/* What an APU calls VRAM is a part of RAM. */
	if (device.ids_flags & AMDGPU_IDS_FLAGS_FUSION)
		return 0;
	*vram = (struct pal_vram){
		.total = memory.vram.total_heap_size,
		.visible = memory.cpu_accessible_vram.total_heap_size,
		.page = sysconf(_SC_PAGESIZE),
	};
	return 0;
}

static int create_info(int drm_fd, uint32_t handle, struct drm_amdgpu_gem_create_in *info)
{
	struct drm_amdgpu_gem_op op = {
		.handle = handle,
		.op = AMDGPU_GEM_OP_GET_GEM_CREATE_INFO,
		.value = (uintptr_t)info,
	};

	memset(info, 0, sizeof(*info));
	return pal_ioctl(drm_fd, DRM_IOCTL_AMDGPU_GEM_OP, &op);
}

static int amdgpu_alloc(int drm_fd, uint64_t size, uint32_t *handle)
{
	union drm_amdgpu_gem_create create = {
		.in = {
			.bo_size = size,
			.domains = AMDGPU_GEM_DOMAIN_VRAM,
			.domain_flags = AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED,
		},
	};
	struct drm_amdgpu_gem_create_in info;
	int ret;

	ret = pal_ioctl(drm_fd, DRM_IOCTL_AMDGPU_GEM_CREATE, &create);
	if (ret)
		return ret;
	*handle = create.out.handle;
	/* Where there is no room the driver adds system memory, and says nothing. */
	ret = create_info(drm_fd, *handle, &info);
	if (!ret && info.domains != AMDGPU_GEM_DOMAIN_VRAM)
		ret = -ENOMEM;
	if (ret)
		dmabuf_pal_bo_free(drm_fd, *handle);
	return ret;
}

static const struct {
	uint64_t flag;
	const char *text;
} refused_flags[] = {
	{ AMDGPU_GEM_CREATE_NO_CPU_ACCESS,
	  "it was created with AMDGPU_GEM_CREATE_NO_CPU_ACCESS" },
	{ AMDGPU_GEM_CREATE_ENCRYPTED, "it is encrypted" },
	{ AMDGPU_GEM_CREATE_DISCARDABLE,
	  "it was created with AMDGPU_GEM_CREATE_DISCARDABLE" },
	{ AMDGPU_GEM_CREATE_GFX12_DCC, "it is compressed (DCC)" },
};

static enum dmabuf_pal_reason amdgpu_refused(int client, uint32_t handle, uint64_t size,
					     const char **text)
{
	struct drm_amdgpu_gem_create_in info;
	struct pal_vram vram = {};
	size_t i;

	if (amdgpu_vram(client, &vram) || create_info(client, handle, &info))
		return DMABUF_PAL_OK;
	if (!(info.domains & AMDGPU_GEM_DOMAIN_VRAM)) {
		*text = "it is in system memory";
		return DMABUF_PAL_NOT_VRAM;
	}
	if (info.domains != AMDGPU_GEM_DOMAIN_VRAM) {
		*text = "it may be moved to system memory: its domains are more than VRAM, "
			"to which the driver adds GTT when there is no room";
		return DMABUF_PAL_MAY_LEAVE_VRAM;
	}
	for (i = 0; i < sizeof(refused_flags) / sizeof(refused_flags[0]); i++) {
		if (!(info.domain_flags & refused_flags[i].flag))
			continue;
		*text = refused_flags[i].text;
		return DMABUF_PAL_NOT_OFFERED;
	}
	if (size > vram.visible) {
		*text = "it is larger than the part of VRAM that the BAR shows";
		return DMABUF_PAL_NOT_VISIBLE;
	}
	return DMABUF_PAL_OK;
}

const struct pal_driver pal_amdgpu_driver = {
	.name = "amdgpu",
	.vram = amdgpu_vram,
	.alloc = amdgpu_alloc,
	.refused = amdgpu_refused,
};
