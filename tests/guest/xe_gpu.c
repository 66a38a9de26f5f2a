// SPDX-License-Identifier: GPL-2.0-only
/* The copy engine of a GPU that xe drives, from user space: see xe_bo.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include <linux/align.h>

#include <libvfio/assert.h>

#include <drm/drm.h>

#include "outside.h"
#include "xe_bo.h"

/* One-way coherent: what fits both VRAM and cached system memory */
#define PAT_INDEX		1

#define VA_START		(4ull << 30)
#define VA_ALIGN		(2ull << 20)

#define BATCH_SIZE		(16u << 10)
#define WAIT_SECONDS		30

/* MEM_COPY of whole pages: the width counts units of 256 bytes, in 16 bits */
#define MEM_COPY_PAGES		(2u << 29 | 0x5au << 22 | 1u << 19)
#define MEM_COPY_DWORDS		10
#define MEM_COPY_UNIT		256
#define MEM_COPY_MAX		(8ull << 20)
#define MI_BATCH_BUFFER_END	(0xau << 23)
/* In the PPGTT */
#define MI_BATCH_BUFFER_START	(0x31u << 23 | 1u << 8 | 1)

static int gpu_ioctl(struct xe_gpu *gpu, unsigned long cmd, void *arg)
{
	int ret;

	do {
		ret = ioctl(gpu->xe->fd, cmd, arg);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

/* Waits for the fence in our syncobj, and leaves none in it. */
static int gpu_wait(struct xe_gpu *gpu)
{
	struct drm_syncobj_wait wait = {
		.handles = (uintptr_t)&gpu->syncobj,
		.count_handles = 1,
	};
	struct drm_syncobj_array reset = {
		.handles = (uintptr_t)&gpu->syncobj,
		.count_handles = 1,
	};
	struct timespec now;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &now);
	wait.timeout_nsec = (now.tv_sec + WAIT_SECONDS) * 1000000000ll;
	ret = gpu_ioctl(gpu, DRM_IOCTL_SYNCOBJ_WAIT, &wait);
	VFIO_ASSERT_EQ(gpu_ioctl(gpu, DRM_IOCTL_SYNCOBJ_RESET, &reset), 0);
	return ret;
}

static int gpu_bind_op(struct xe_gpu *gpu, uint32_t op, uint32_t handle,
		       uint64_t va, uint64_t size)
{
	struct drm_xe_sync sync = {
		.type = DRM_XE_SYNC_TYPE_SYNCOBJ,
		.flags = DRM_XE_SYNC_FLAG_SIGNAL,
		.handle = gpu->syncobj,
	};
	struct drm_xe_vm_bind bind = {
		.vm_id = gpu->vm,
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

	ret = gpu_ioctl(gpu, DRM_IOCTL_XE_VM_BIND, &bind);
	return ret ?: gpu_wait(gpu);
}

uint64_t xe_gpu_bind(struct xe_gpu *gpu, uint32_t handle, uint64_t size)
{
	uint64_t va = gpu->next_va;

	gpu->next_va += (size + VA_ALIGN - 1) / VA_ALIGN * VA_ALIGN;
	VFIO_ASSERT_EQ(gpu_bind_op(gpu, DRM_XE_VM_BIND_OP_MAP, handle, va, size), 0);
	return va;
}

void xe_gpu_unbind(struct xe_gpu *gpu, uint64_t va, uint64_t size)
{
	VFIO_ASSERT_EQ(gpu_bind_op(gpu, DRM_XE_VM_BIND_OP_UNMAP, 0, va, size), 0);
}

static uint32_t create_queue(struct xe_gpu *gpu)
{
	struct drm_xe_engine_class_instance engine = {
		.engine_class = DRM_XE_ENGINE_CLASS_COPY,
	};
	struct drm_xe_exec_queue_create queue = {
		.width = 1,
		.num_placements = 1,
		.vm_id = gpu->vm,
		.instances = (uintptr_t)&engine,
	};

	VFIO_ASSERT_EQ(gpu_ioctl(gpu, DRM_IOCTL_XE_EXEC_QUEUE_CREATE, &queue), 0);
	return queue.exec_queue_id;
}

static void destroy_queue(struct xe_gpu *gpu)
{
	struct drm_xe_exec_queue_destroy queue = { .exec_queue_id = gpu->queue };

	VFIO_ASSERT_EQ(gpu_ioctl(gpu, DRM_IOCTL_XE_EXEC_QUEUE_DESTROY, &queue), 0);
}

static void gpu_open(struct xe_gpu *gpu, struct xe *xe, uint32_t flags)
{
	struct drm_xe_vm_create vm = { .flags = flags };
	struct drm_syncobj_create syncobj = {};

	*gpu = (struct xe_gpu){ .xe = xe, .next_va = VA_START };
	VFIO_ASSERT_EQ(gpu_ioctl(gpu, DRM_IOCTL_XE_VM_CREATE, &vm), 0);
	gpu->vm = vm.vm_id;
	gpu->queue = create_queue(gpu);
	VFIO_ASSERT_EQ(gpu_ioctl(gpu, DRM_IOCTL_SYNCOBJ_CREATE, &syncobj), 0);
	gpu->syncobj = syncobj.handle;
	xe_bo_create_system(xe, &gpu->batch, BATCH_SIZE);
	gpu->batch_va = xe_gpu_bind(gpu, gpu->batch.handle, BATCH_SIZE);
}

void xe_gpu_open(struct xe_gpu *gpu, struct xe *xe)
{
	gpu_open(gpu, xe, DRM_XE_VM_CREATE_FLAG_SCRATCH_PAGE);
}

void xe_gpu_open_strict(struct xe_gpu *gpu, struct xe *xe)
{
	gpu_open(gpu, xe, 0);
}

void xe_gpu_new_queue(struct xe_gpu *gpu)
{
	destroy_queue(gpu);
	gpu->queue = create_queue(gpu);
}

void xe_gpu_close(struct xe_gpu *gpu)
{
	struct drm_syncobj_destroy syncobj = { .handle = gpu->syncobj };
	struct drm_xe_vm_destroy vm = { .vm_id = gpu->vm };

	destroy_queue(gpu);
	VFIO_ASSERT_EQ(gpu_ioctl(gpu, DRM_IOCTL_XE_VM_DESTROY, &vm), 0);
	VFIO_ASSERT_EQ(gpu_ioctl(gpu, DRM_IOCTL_SYNCOBJ_DESTROY, &syncobj), 0);
	xe_bo_destroy(&gpu->batch);
}

static uint32_t *emit_copy(uint32_t *cs, uint64_t dst, uint64_t src, uint64_t size)
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

/* Runs what is in the batch buffer. A fence with an error is one of a lost job. */
static int run_batch(struct xe_gpu *gpu)
{
	struct drm_xe_sync sync = {
		.type = DRM_XE_SYNC_TYPE_SYNCOBJ,
		.flags = DRM_XE_SYNC_FLAG_SIGNAL,
		.handle = gpu->syncobj,
	};
	struct drm_xe_exec exec = {
		.exec_queue_id = gpu->queue,
		.num_syncs = 1,
		.syncs = (uintptr_t)&sync,
		.address = gpu->batch_va,
		.num_batch_buffer = 1,
	};
	int ret;

	ret = gpu_ioctl(gpu, DRM_IOCTL_XE_EXEC, &exec);
	return ret ?: gpu_wait(gpu);
}

int __xe_gpu_copy(struct xe_gpu *gpu, uint64_t dst, uint64_t src, uint64_t size)
{
	uint32_t *cs = gpu->batch.vaddr;
	uint64_t at, len;

	VFIO_ASSERT_TRUE(IS_ALIGNED(size, MEM_COPY_UNIT));
	VFIO_ASSERT_LE(size / MEM_COPY_MAX * MEM_COPY_DWORDS * 4 + 64, BATCH_SIZE);
	for (at = 0; at < size; at += len) {
		len = size - at < MEM_COPY_MAX ? size - at : MEM_COPY_MAX;
		cs = emit_copy(cs, dst + at, src + at, len);
	}
	*cs++ = MI_BATCH_BUFFER_END;
	return run_batch(gpu);
}

int __xe_gpu_hang(struct xe_gpu *gpu)
{
	uint32_t *cs = gpu->batch.vaddr;

	/* From its start to its start */
	*cs++ = MI_BATCH_BUFFER_START;
	*cs++ = gpu->batch_va;
	*cs++ = gpu->batch_va >> 32;
	return run_batch(gpu);
}

void xe_gpu_copy(struct xe_gpu *gpu, uint64_t dst, uint64_t src, uint64_t size)
{
	VFIO_ASSERT_EQ(__xe_gpu_copy(gpu, dst, src, size), 0);
}

void xe_view_open(struct xe_view *view, struct xe_gpu *gpu)
{
	view->gpu = gpu;
	xe_bo_create_system(gpu->xe, &view->copy, XE_VIEW_SIZE);
	view->copy_va = xe_gpu_bind(gpu, view->copy.handle, XE_VIEW_SIZE);
}

void xe_view_close(struct xe_view *view)
{
	xe_gpu_unbind(view->gpu, view->copy_va, XE_VIEW_SIZE);
	xe_bo_destroy(&view->copy);
}

const void *xe_view(struct xe_view *view, uint64_t va, uint64_t size)
{
	VFIO_ASSERT_LE(size, XE_VIEW_SIZE);
	/* What an earlier copy left must not pass for the data of this one. */
	memset(view->copy.vaddr, 0x5a, size);
	xe_gpu_copy(view->gpu, view->copy_va, va, size);
	return view->copy.vaddr;
}

void xe_view_fill(struct xe_view *view, uint64_t va, uint64_t size, uint64_t seed)
{
	uint64_t at, len;

	for (at = 0; at < size; at += len) {
		len = size - at < XE_VIEW_SIZE ? size - at : XE_VIEW_SIZE;
		outside_pattern(view->copy.vaddr, at, len, seed);
		xe_gpu_copy(view->gpu, va + at, view->copy_va, len);
	}
}

uint64_t xe_view_differs(struct xe_view *view, uint64_t va, uint64_t size,
			 uint64_t seed)
{
	uint64_t at, len, wrong = 0;

	for (at = 0; at < size; at += len) {
		len = size - at < XE_VIEW_SIZE ? size - at : XE_VIEW_SIZE;
		wrong += outside_differs(xe_view(view, va + at, len), at, len, seed);
	}
	return wrong;
}
