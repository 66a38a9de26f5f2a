// SPDX-License-Identifier: GPL-2.0-only
/* GPUs that amdgpu drives: see gpu.h. They have one address space a client. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <libvfio/assert.h>

#include <drm/amdgpu_drm.h>

#include "dma.h"
#include "gpu_driver.h"

/* Of the SDMA engine; the same since CIK, but for the count, from GFX9 on minus one */
#define SDMA_NOP		0
#define SDMA_COPY_LINEAR	1
#define SDMA_POLL_MEM_EQUAL	(8u | 3u << 28 | 1u << 31)
#define SDMA_POLL_FOREVER	(0xfffu << 16 | 4)
#define SDMA_COPY_MAX		(2ull << 20)
#define SDMA_IB_ALIGN		8

/* AMDGPU_VM_RESERVED_VRAM of the driver, and what is in use now and then */
#define VRAM_RESERVE		((8u << 20) + (512u << 10))

static struct gpu_vram amdgpu_vram(struct gpu *gpu)
{
	struct drm_amdgpu_memory_info memory = {};
	struct drm_amdgpu_info info = {
		.return_pointer = (uintptr_t)&memory,
		.return_size = sizeof(memory),
		.query = AMDGPU_INFO_MEMORY,
	};

	VFIO_ASSERT_EQ(gpu_ioctl(gpu, DRM_IOCTL_AMDGPU_INFO, &info), 0);
	return (struct gpu_vram){
		.total = memory.vram.total_heap_size,
		.used = memory.vram.heap_usage,
		.visible = memory.cpu_accessible_vram.total_heap_size,
		.visible_used = memory.cpu_accessible_vram.heap_usage,
	};
}

/* Where there is no room the driver adds system memory. */
static bool only_in(struct gpu_bo *bo, uint64_t domains)
{
	struct drm_amdgpu_gem_create_in info = {};
	struct drm_amdgpu_gem_op op = {
		.handle = bo->handle,
		.op = AMDGPU_GEM_OP_GET_GEM_CREATE_INFO,
		.value = (uintptr_t)&info,
	};

	VFIO_ASSERT_EQ(gpu_ioctl(bo->gpu, DRM_IOCTL_AMDGPU_GEM_OP, &op), 0);
	return info.domains == domains;
}

static int amdgpu_bo_create(struct gpu_bo *bo, uint32_t where, struct gpu_ctx *ctx)
{
	union drm_amdgpu_gem_create create = {};
	uint64_t domains;
	int ret;

	create.in.bo_size = bo->size;
	if (where & GPU_VRAM)
		create.in.domains |= AMDGPU_GEM_DOMAIN_VRAM;
	if (where & GPU_SYSTEM)
		create.in.domains |= AMDGPU_GEM_DOMAIN_GTT;
	if (where & GPU_VISIBLE)
		create.in.domain_flags |= AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED;
	if (ctx)
		create.in.domain_flags |= AMDGPU_GEM_CREATE_VM_ALWAYS_VALID;
	domains = create.in.domains;
	ret = gpu_ioctl(bo->gpu, DRM_IOCTL_AMDGPU_GEM_CREATE, &create);
	if (ret)
		return ret;
	bo->handle = create.out.handle;
	if (only_in(bo, domains))
		return 0;
	gpu_handle_close(bo->gpu, bo->handle);
	return -ENOMEM;
}

static int amdgpu_mmap_offset(struct gpu_bo *bo, uint64_t *offset)
{
	union drm_amdgpu_gem_mmap arg = { .in.handle = bo->handle };
	int ret;

	ret = gpu_ioctl(bo->gpu, DRM_IOCTL_AMDGPU_GEM_MMAP, &arg);
	*offset = arg.out.addr_ptr;
	return ret;
}

static int amdgpu_bind(struct gpu_ctx *ctx, uint32_t handle, uint64_t va,
		       uint64_t size)
{
	struct drm_amdgpu_gem_va arg = {
		.handle = handle,
		.operation = AMDGPU_VA_OP_MAP,
		.flags = AMDGPU_VM_PAGE_READABLE | AMDGPU_VM_PAGE_WRITEABLE |
			 AMDGPU_VM_PAGE_EXECUTABLE,
		.va_address = va,
		.map_size = size,
	};

	return gpu_ioctl(ctx->gpu, DRM_IOCTL_AMDGPU_GEM_VA, &arg);
}

static int amdgpu_unbind(struct gpu_ctx *ctx, uint64_t va, uint64_t size)
{
	struct drm_amdgpu_gem_va arg = {
		.operation = AMDGPU_VA_OP_CLEAR,
		.va_address = va,
		.map_size = size,
	};

	return gpu_ioctl(ctx->gpu, DRM_IOCTL_AMDGPU_GEM_VA, &arg);
}

static void amdgpu_ctx_open(struct gpu_ctx *ctx, bool strict)
{
	union drm_amdgpu_ctx arg = { .in.op = AMDGPU_CTX_OP_ALLOC_CTX };

	/* What is not mapped is a fault in any case. */
	(void)strict;
	VFIO_ASSERT_EQ(gpu_ioctl(ctx->gpu, DRM_IOCTL_AMDGPU_CTX, &arg), 0);
	ctx->queue = arg.out.alloc.ctx_id;
}

static void amdgpu_ctx_close(struct gpu_ctx *ctx)
{
	union drm_amdgpu_ctx arg = {
		.in.op = AMDGPU_CTX_OP_FREE_CTX,
		.in.ctx_id = ctx->queue,
	};

	VFIO_ASSERT_EQ(gpu_ioctl(ctx->gpu, DRM_IOCTL_AMDGPU_CTX, &arg), 0);
}

uint32_t gpu_amdgpu_state(struct gpu_ctx *ctx)
{
	union drm_amdgpu_ctx arg = {
		.in.op = AMDGPU_CTX_OP_QUERY_STATE2,
		.in.ctx_id = ctx->queue,
	};

	VFIO_ASSERT_EQ(gpu_ioctl(ctx->gpu, DRM_IOCTL_AMDGPU_CTX, &arg), 0);
	return arg.out.state.flags;
}

/*
 * A lost job is told before its reset is over. A context that is made in between is
 * one from before, to the driver, and has no more jobs run than the lost one.
 */
static void amdgpu_new_queue(struct gpu_ctx *ctx)
{
	time_t end = time(NULL) + GPU_WAIT_SECONDS;

	while (gpu_amdgpu_state(ctx) & AMDGPU_CTX_QUERY2_FLAGS_RESET_IN_PROGRESS) {
		VFIO_ASSERT_LT(time(NULL), end, "a reset without an end\n");
		sched_yield();
	}
	amdgpu_ctx_close(ctx);
	amdgpu_ctx_open(ctx, false);
}

static uint32_t *amdgpu_emit_copy(uint32_t *cs, uint64_t dst, uint64_t src,
				  uint64_t size)
{
	*cs++ = SDMA_COPY_LINEAR;
	*cs++ = size;
	*cs++ = 0;
	*cs++ = src;
	*cs++ = src >> 32;
	*cs++ = dst;
	*cs++ = dst >> 32;
	return cs;
}

static uint32_t *amdgpu_emit_hang(struct gpu_ctx *ctx, uint32_t *cs)
{
	/* Until there is in the batch what nobody writes there */
	uint64_t va = ctx->batch_va + ctx->batch.size - 8;

	*cs++ = SDMA_POLL_MEM_EQUAL;
	*cs++ = va;
	*cs++ = va >> 32;
	*cs++ = 0x77777777;
	*cs++ = ~0u;
	*cs++ = SDMA_POLL_FOREVER;
	return cs;
}

static int wait_for_job(struct gpu_ctx *ctx, unsigned int ip, uint64_t handle)
{
	union drm_amdgpu_wait_cs wait = {
		.in = {
			.handle = handle,
			.ip_type = ip,
			.ctx_id = ctx->queue,
		},
	};
	struct timespec now;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &now);
	wait.in.timeout = (now.tv_sec + GPU_WAIT_SECONDS) * 1000000000ull;
	ret = gpu_ioctl(ctx->gpu, DRM_IOCTL_AMDGPU_WAIT_CS, &wait);
	/* Not what the driver says of a job that it gave up: that is -ETIME. */
	return ret ?: wait.out.status ? -EBUSY : 0;
}

int gpu_amdgpu_submit(struct gpu_ctx *ctx, unsigned int ip, uint64_t va,
		      uint32_t dwords, uint64_t *handle)
{
	struct drm_amdgpu_bo_list_entry entries[GPU_MAX_BOUND] = {};
	struct drm_amdgpu_bo_list_in bos = {
		.operation = ~0u,
		.list_handle = ~0u,
		.bo_number = ctx->nr_bound,
		.bo_info_size = sizeof(entries[0]),
		.bo_info_ptr = (uintptr_t)entries,
	};
	struct drm_amdgpu_cs_chunk_ib ib = {
		.va_start = va,
		.ib_bytes = dwords * 4,
		.ip_type = ip,
	};
	struct drm_amdgpu_cs_chunk chunks[] = {
		{ AMDGPU_CHUNK_ID_BO_HANDLES, sizeof(bos) / 4, (uintptr_t)&bos },
		{ AMDGPU_CHUNK_ID_IB, sizeof(ib) / 4, (uintptr_t)&ib },
	};
	uint64_t list[] = { (uintptr_t)&chunks[0], (uintptr_t)&chunks[1] };
	union drm_amdgpu_cs cs = {
		.in = {
			.ctx_id = ctx->queue,
			.num_chunks = 2,
			.chunks = (uintptr_t)list,
		},
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ctx->nr_bound; i++)
		entries[i].bo_handle = ctx->bound[i].handle;
	ret = gpu_ioctl(ctx->gpu, DRM_IOCTL_AMDGPU_CS, &cs);
	*handle = cs.out.handle;
	return ret;
}

int gpu_amdgpu_run(struct gpu_ctx *ctx, unsigned int ip, uint32_t dwords)
{
	uint64_t handle;
	int ret;

	ret = gpu_amdgpu_submit(ctx, ip, ctx->batch_va, dwords, &handle);
	return ret ?: wait_for_job(ctx, ip, handle);
}

static int amdgpu_run(struct gpu_ctx *ctx, uint32_t dwords)
{
	while (dwords % SDMA_IB_ALIGN)
		((uint32_t *)ctx->batch.vaddr)[dwords++] = SDMA_NOP;
	return gpu_amdgpu_run(ctx, AMDGPU_HW_IP_DMA, dwords);
}

/* It is a parameter of the module, so that all there is to do is to see it. */
static void amdgpu_set_job_timeout(struct gpu *gpu, unsigned int ms)
{
	char text[64] = "";
	FILE *file;

	file = fopen("/sys/module/amdgpu/parameters/lockup_timeout", "r");
	VFIO_ASSERT_NOT_NULL(file);
	VFIO_ASSERT_NOT_NULL(fgets(text, sizeof(text), file));
	fclose(file);
	printf("# %s: amdgpu.lockup_timeout=%.*s, wanted %u\n", gpu->bdf,
	       (int)strcspn(text, "\n"), text, ms);
}

/* Reading the file resets, and tells how that went. */
static int amdgpu_reset(struct gpu *gpu)
{
	char path[128], text[64];
	FILE *file;
	int ret;

	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%s/amdgpu_gpu_recover",
		 gpu->bdf);
	file = fopen(path, "r");
	if (!file)
		return -errno;
	ret = fgets(text, sizeof(text), file) ? atoi(text) : -EIO;
	fclose(file);
	return ret;
}

const struct gpu_driver gpu_amdgpu_driver = {
	.name = "amdgpu",
	.vram_bar = 0,
	.vram_debugfs = "amdgpu_vram_mm",
	.fdinfo_vram = "vram",
	.vram_reserve = VRAM_RESERVE,
	.batch_size = 16u << 10,
	.vram = amdgpu_vram,
	.bo_create = amdgpu_bo_create,
	.mmap_offset = amdgpu_mmap_offset,
	.ctx_open = amdgpu_ctx_open,
	.ctx_close = amdgpu_ctx_close,
	.bind = amdgpu_bind,
	.unbind = amdgpu_unbind,
	.new_queue = amdgpu_new_queue,
	.copy_max = SDMA_COPY_MAX,
	.emit_copy = amdgpu_emit_copy,
	.emit_hang = amdgpu_emit_hang,
	.run = amdgpu_run,
	.set_job_timeout = amdgpu_set_job_timeout,
	.reset = amdgpu_reset,
};
