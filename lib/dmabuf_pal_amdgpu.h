/* SPDX-License-Identifier: MIT */
/*
 * For programs that have their buffers of libdrm_amdgpu. It is a header, so that
 * libdmabuf-pal itself needs libdrm and no library of a driver.
 */
#ifndef DMABUF_PAL_AMDGPU_H
#define DMABUF_PAL_AMDGPU_H

#include <errno.h>
#include <string.h>

#include <amdgpu.h>
#include <amdgpu_drm.h>

/*
 * As dmabuf_pal_bo_alloc(), by libdrm_amdgpu: in VRAM alone, where the CPU sees it, and
 * none of what keeps it from being exported or its contents from being plain. If
 * VRAM is full the kernel adds system memory to a BO's domains without a word, and what
 * comes then can never be mapped: that is -ENOMEM here. To be exported by
 * amdgpu_bo_export() with amdgpu_bo_handle_type_dma_buf_fd, which sets O_RDWR.
 */
static inline int dmabuf_pal_amdgpu_bo_alloc(amdgpu_device_handle device, uint64_t size,
					     amdgpu_bo_handle *bo)
{
	struct amdgpu_bo_alloc_request request;
	struct amdgpu_bo_info info;
	int ret;

	memset(&request, 0, sizeof(request));
	memset(&info, 0, sizeof(info));
	request.alloc_size = size;
	request.preferred_heap = AMDGPU_GEM_DOMAIN_VRAM;
	request.flags = AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED;
	ret = amdgpu_bo_alloc(device, &request, bo);
	if (ret)
		return ret;
	ret = amdgpu_bo_query_info(*bo, &info);
	if (!ret && info.preferred_heap != AMDGPU_GEM_DOMAIN_VRAM)
		ret = -ENOMEM;
	if (ret)
		amdgpu_bo_free(*bo);
	return ret;
}

#endif
