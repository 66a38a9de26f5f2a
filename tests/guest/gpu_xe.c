// SPDX-License-Identifier: GPL-2.0-only
/* GPUs that xe drives: see gpu.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <libvfio/assert.h>

#include <drm/xe_drm.h>

#include "dma.h"
#include "gpu_driver.h"

/* One-way coherent: what fits both VRAM and cached system memory */
#define PAT_INDEX		1

/* MEM_COPY of whole pages: the width counts units of 256 bytes, in 16 bits */
#define MEM_COPY_PAGES		(2u << 29 | 0x5au << 22 | 1u << 19)
#define MEM_COPY_DWORDS		10
#define MEM_COPY_UNIT		256
#define MEM_COPY_MAX		(8ull << 20)
#define MI_BATCH_BUFFER_END	(0xau << 23)
/* In the PPGTT */
#define MI_BATCH_BUFFER_START	(0x31u << 23 | 1u << 8 | 1)

static struct drm_xe_query_mem_regions *query_regions(struct gpu *gpu)
{
	struct drm_xe_device_query query = {
		.query = DRM_XE_DEVICE_QUERY_MEM_REGIONS,
	};
	struct drm_xe_query_mem_regions *regions;

	VFIO_ASSERT_EQ(gpu_ioctl(gpu, DRM_IOCTL_XE_DEVICE_QUERY, &query), 0);
	regions = calloc(1, query.size);
	VFIO_ASSERT_NOT_NULL(regions);
	query.data = (uintptr_t)regions;
	VFIO_ASSERT_EQ(gpu_ioctl(gpu, DRM_IOCTL_XE_DEVICE_QUERY, &query), 0);
	return regions;
}

static struct gpu_vram xe_vram(struct gpu *gpu)
{
	struct drm_xe_query_mem_regions *regions = query_regions(gpu);
	struct gpu_vram vram = {};
	uint32_t i;

	for (i = 0; i < regions->num_mem_regions; i++) {
		struct drm_xe_mem_region *r = &regions->mem_regions[i];

		if (r->mem_class != DRM_XE_MEM_REGION_CLASS_VRAM)
			continue;
		vram.total = r->total_size;
		vram.used = r->used;
		vram.visible = r->cpu_visible_size;
		vram.visible_used = r->cpu_visible_used;
	}
	free(regions);
	return vram;
}

/* Bits of drm_xe_gem_create.placement */
static uint32_t placement(struct gpu *gpu, uint32_t where)
{
	struct drm_xe_query_mem_regions *regions = query_regions(gpu);
	uint32_t mask = 0, i;

	for (i = 0; i < regions->num_mem_regions; i++) {
		struct drm_xe_mem_region *r = &regions->mem_regions[i];

		if (where & (r->mem_class == DRM_XE_MEM_REGION_CLASS_VRAM ?
			     GPU_VRAM : GPU_SYSTEM))
			mask |= 1u << r->instance;
	}
	free(regions);
	return mask;
}

static int xe_bo_create(struct gpu_bo *bo, uint32_t where, struct gpu_ctx *ctx)
{
	struct drm_xe_gem_create create = {
		.size = bo->size,
		.placement = placement(bo->gpu, where),
		.vm_id = ctx ? ctx->vm : 0,
		.cpu_caching = where & GPU_VRAM ? DRM_XE_GEM_CPU_CACHING_WC :
						  DRM_XE_GEM_CPU_CACHING_WB,
	};
	int ret;

	if (where & GPU_VISIBLE)
		create.flags = DRM_XE_GEM_CREATE_FLAG_NEEDS_VISIBLE_VRAM;
	ret = gpu_ioctl(bo->gpu, DRM_IOCTL_XE_GEM_CREATE, &create);
	bo->handle = create.handle;
	return ret;
}

static int xe_mmap_offset(struct gpu_bo *bo, uint64_t *offset)
{
	struct drm_xe_gem_mmap_offset arg = { .handle = bo->handle };
	int ret;

	ret = gpu_ioctl(bo->gpu, DRM_IOCTL_XE_GEM_MMAP_OFFSET, &arg);
	*offset = arg.offset;
	return ret;
}

/* Waits for the fence in our syncobj, and leaves none in it. */
static int wait_for_job(struct gpu_ctx *ctx)
{
	struct drm_syncobj_wait wait = {
		.handles = (uintptr_t)&ctx->syncobj,
		.count_handles = 1,
	};
	struct drm_syncobj_array reset = {
		.handles = (uintptr_t)&ctx->syncobj,
		.count_handles = 1,
	};
	struct timespec now;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &now);
	wait.timeout_nsec = (now.tv_sec + GPU_WAIT_SECONDS) * 1000000000ll;
	ret = gpu_ioctl(ctx->gpu, DRM_IOCTL_SYNCOBJ_WAIT, &wait);
	VFIO_ASSERT_EQ(gpu_ioctl(ctx->gpu, DRM_IOCTL_SYNCOBJ_RESET, &reset), 0);
	return ret;
}

static int bind_op(struct gpu_ctx *ctx, uint32_t op, uint32_t handle,
		   uint64_t va, uint64_t size)
{
	struct drm_xe_sync sync = {
		.type = DRM_XE_SYNC_TYPE_SYNCOBJ,
		.flags = DRM_XE_SYNC_FLAG_SIGNAL,
		.handle = ctx->syncobj,
	};
	struct drm_xe_vm_bind bind = {
		.vm_id = ctx->vm,
		.num_binds = 1,
		.bind = {
			.obj = handle,
			.pat_index = op == DRM_XE_VM_BIND_OP_MAP ? PAT_INDEX : 0,
			.addr = va,
			.range = size,
			.op = op,
		},
		.num_syncs = 1,
		.syncs = (uintptr_t)&sync,
	};
	int ret;

	ret = gpu_ioctl(ctx->gpu, DRM_IOCTL_XE_VM_BIND, &bind);
	return ret ?: wait_for_job(ctx);
}

static int xe_bind(struct gpu_ctx *ctx, uint32_t handle, uint64_t va, uint64_t size)
{
	return bind_op(ctx, DRM_XE_VM_BIND_OP_MAP, handle, va, size);
}

static int xe_unbind(struct gpu_ctx *ctx, uint64_t va, uint64_t size)
{
	return bind_op(ctx, DRM_XE_VM_BIND_OP_UNMAP, 0, va, size);
}

static uint32_t create_queue(struct gpu_ctx *ctx)
{
	struct drm_xe_engine_class_instance engine = {
		.engine_class = DRM_XE_ENGINE_CLASS_COPY,
	};
	struct drm_xe_exec_queue_create queue = {
		.width = 1,
		.num_placements = 1,
		.vm_id = ctx->vm,
		.instances = (uintptr_t)&engine,
	};

	VFIO_ASSERT_EQ(gpu_ioctl(ctx->gpu, DRM_IOCTL_XE_EXEC_QUEUE_CREATE, &queue), 0);
	return queue.exec_queue_id;
}

static void destroy_queue(struct gpu_ctx *ctx)
{
	struct drm_xe_exec_queue_destroy queue = { .exec_queue_id = ctx->queue };

	VFIO_ASSERT_EQ(gpu_ioctl(ctx->gpu, DRM_IOCTL_XE_EXEC_QUEUE_DESTROY, &queue), 0);
}

static void xe_new_queue(struct gpu_ctx *ctx)
{
	destroy_queue(ctx);
	ctx->queue = create_queue(ctx);
}

static void xe_ctx_open(struct gpu_ctx *ctx, bool strict)
{
	struct drm_xe_vm_create vm = {
		.flags = strict ? 0 : DRM_XE_VM_CREATE_FLAG_SCRATCH_PAGE,
	};
	struct drm_syncobj_create syncobj = {};

	VFIO_ASSERT_EQ(gpu_ioctl(ctx->gpu, DRM_IOCTL_XE_VM_CREATE, &vm), 0);
	ctx->vm = vm.vm_id;
	ctx->queue = create_queue(ctx);
	VFIO_ASSERT_EQ(gpu_ioctl(ctx->gpu, DRM_IOCTL_SYNCOBJ_CREATE, &syncobj), 0);
	ctx->syncobj = syncobj.handle;
}

static void xe_ctx_close(struct gpu_ctx *ctx)
{
	struct drm_syncobj_destroy syncobj = { .handle = ctx->syncobj };
	struct drm_xe_vm_destroy vm = { .vm_id = ctx->vm };

	destroy_queue(ctx);
	VFIO_ASSERT_EQ(gpu_ioctl(ctx->gpu, DRM_IOCTL_XE_VM_DESTROY, &vm), 0);
	VFIO_ASSERT_EQ(gpu_ioctl(ctx->gpu, DRM_IOCTL_SYNCOBJ_DESTROY, &syncobj), 0);
}

static uint32_t *xe_emit_copy(uint32_t *cs, uint64_t dst, uint64_t src, uint64_t size)
{
	*cs++ = MEM_COPY_PAGES | (MEM_COPY_DWORDS - 2);
	*cs++ = size / MEM_COPY_UNIT - 1;
	*cs++ = 0;
	*cs++ = 0;
	*cs++ = 0;
	*cs++ = src;
	*cs++ = src >> 32;
	*cs++ = dst;
	*cs++ = dst >> 32;
	*cs++ = 0;
	return cs;
}

static uint32_t *xe_emit_hang(struct gpu_ctx *ctx, uint32_t *cs)
{
	/* From its start to its start */
	*cs++ = MI_BATCH_BUFFER_START;
	*cs++ = ctx->batch_va;
	*cs++ = ctx->batch_va >> 32;
	return cs;
}

/* The fence of a lost job gets signaled, too. */
static int xe_run(struct gpu_ctx *ctx, uint32_t dwords)
{
	struct drm_xe_sync sync = {
		.type = DRM_XE_SYNC_TYPE_SYNCOBJ,
		.flags = DRM_XE_SYNC_FLAG_SIGNAL,
		.handle = ctx->syncobj,
	};
	struct drm_xe_exec exec = {
		.exec_queue_id = ctx->queue,
		.num_syncs = 1,
		.syncs = (uintptr_t)&sync,
		.address = ctx->batch_va,
		.num_batch_buffer = 1,
	};
	int ret;

	((uint32_t *)ctx->batch.vaddr)[dwords] = MI_BATCH_BUFFER_END;
	ret = gpu_ioctl(ctx->gpu, DRM_IOCTL_XE_EXEC, &exec);
	return ret ?: wait_for_job(ctx);
}

static void xe_set_job_timeout(struct gpu *gpu, unsigned int ms)
{
	char path[128], text[16];

	snprintf(path, sizeof(path),
		 "/sys/bus/pci/devices/%s/tile0/gt0/engines/bcs/job_timeout_ms",
		 gpu->bdf);
	snprintf(text, sizeof(text), "%u", ms);
	VFIO_ASSERT_EQ(write_file(path, text), 0);
}

static int xe_reset(struct gpu *gpu)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%s/gt0/force_reset_sync",
		 gpu->bdf);
	return write_file(path, "1");
}

const struct gpu_driver gpu_xe_driver = {
	.name = "xe",
	.vram_bar = 2,
	.vram_debugfs = "tile0/vram_mm",
	.fdinfo_vram = "vram0",
	.vram_reserve = 512u << 10,
	.batch_size = 16u << 10,
	.vram = xe_vram,
	.bo_create = xe_bo_create,
	.mmap_offset = xe_mmap_offset,
	.ctx_open = xe_ctx_open,
	.ctx_close = xe_ctx_close,
	.bind = xe_bind,
	.unbind = xe_unbind,
	.new_queue = xe_new_queue,
	.copy_max = MEM_COPY_MAX,
	.emit_copy = xe_emit_copy,
	.emit_hang = xe_emit_hang,
	.run = xe_run,
	.set_job_timeout = xe_set_job_timeout,
	.reset = xe_reset,
};
