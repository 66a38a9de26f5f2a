/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffer objects of the xe driver, as a program of the guest uses them: made by
 * ioctls of a render node, seen through the CPU's mapping, and copied by the
 * GPU's own engine.
 *
 * Calls that have to succeed exit if they do not; those that start with two
 * underscores return 0 or -errno.
 */
#ifndef PAL_GUEST_XE_BO_H
#define PAL_GUEST_XE_BO_H

#include <stdbool.h>
#include <stdint.h>

#include <drm/xe_drm.h>

struct xe {
	int fd;
	char bdf[16];
	/* Bits of drm_xe_gem_create.placement */
	uint32_t vram;
	uint32_t system;
};

struct xe_bo {
	struct xe *xe;
	uint32_t handle;
	uint64_t size;
	/* Of the CPU, or NULL: see xe_bo_mmap() */
	void *vaddr;
};

/* -ENODEV if no driver gave this PCI device a render node */
int __xe_open(struct xe *xe, const char *bdf);
void xe_open(struct xe *xe, const char *bdf);
void xe_close(struct xe *xe);

/* The state of all VRAM of the device; what is used needs CAP_PERFMON. */
struct drm_xe_mem_region xe_vram(struct xe *xe);

/*
 * @placement is of xe->vram and xe->system, @flags those of the ioctl. A BO with
 * a @vm (0: none) is private to it.
 */
int __xe_bo_create(struct xe *xe, struct xe_bo *bo, uint64_t size,
		   uint32_t placement, uint32_t flags, uint32_t vm);

/* In VRAM only, where the CPU sees it, and mapped */
int __xe_bo_create_vram(struct xe *xe, struct xe_bo *bo, uint64_t size);
void xe_bo_create_vram(struct xe *xe, struct xe_bo *bo, uint64_t size);

/* In system memory, cached and mapped */
void xe_bo_create_system(struct xe *xe, struct xe_bo *bo, uint64_t size);

int __xe_bo_mmap(struct xe_bo *bo);
void xe_bo_mmap(struct xe_bo *bo);
void xe_bo_destroy(struct xe_bo *bo);

/* A dma-buf, writable unless @flags say otherwise; the fd or -errno */
#define XE_EXPORT_RW	(DRM_CLOEXEC | DRM_RDWR)
int __xe_export(struct xe *xe, uint32_t handle, uint32_t flags);
int xe_bo_export(struct xe_bo *bo);

int __xe_import(struct xe *xe, int dma_buf, uint32_t *handle);
void xe_handle_close(struct xe *xe, uint32_t handle);

/*
 * Where the memory of one BO of @xe is right now, in bytes, by the driver's own
 * account of a client that has nothing else.
 */
struct xe_place {
	uint64_t vram;
	uint64_t system;
};

struct xe_place xe_place(struct xe *xe, int dma_buf);

static inline bool xe_in_vram(struct xe *xe, int dma_buf, uint64_t size)
{
	struct xe_place place = xe_place(xe, dma_buf);

	return place.vram == size && !place.system;
}

/* A GPU address space with a copy engine */
struct xe_gpu {
	struct xe *xe;
	uint32_t vm;
	uint32_t queue;
	uint32_t syncobj;
	uint64_t next_va;
	uint64_t batch_va;
	struct xe_bo batch;
};

void xe_gpu_open(struct xe_gpu *gpu, struct xe *xe);
/* The same, but what is not bound is a fault and not scratch memory. */
void xe_gpu_open_strict(struct xe_gpu *gpu, struct xe *xe);
void xe_gpu_close(struct xe_gpu *gpu);

/* The address at which the GPU sees the buffer from now on */
uint64_t xe_gpu_bind(struct xe_gpu *gpu, uint32_t handle, uint64_t size);
void xe_gpu_unbind(struct xe_gpu *gpu, uint64_t va, uint64_t size);

/* Another queue in place of one that the driver does not run any more */
void xe_gpu_new_queue(struct xe_gpu *gpu);

/* A batch that never ends; returns when the driver has given up on it. */
int __xe_gpu_hang(struct xe_gpu *gpu);

/* By MEM_COPY, and waits for the end of it. Multiples of 256 bytes. */
int __xe_gpu_copy(struct xe_gpu *gpu, uint64_t dst, uint64_t src, uint64_t size);
void xe_gpu_copy(struct xe_gpu *gpu, uint64_t dst, uint64_t src, uint64_t size);

/*
 * What the GPU reads in a BO at [@offset, @offset + @size): a copy, in system
 * memory, made by its engine, which stays valid until the next call.
 */
struct xe_view {
	struct xe_gpu *gpu;
	struct xe_bo copy;
	uint64_t copy_va;
};

#define XE_VIEW_SIZE	(8ull << 20)

void xe_view_open(struct xe_view *view, struct xe_gpu *gpu);
void xe_view_close(struct xe_view *view);
const void *xe_view(struct xe_view *view, uint64_t va, uint64_t size);

/*
 * The pattern of outside.h, written to the BO at @va by the GPU; and the number of
 * words that the GPU finds there and that differ from it.
 */
void xe_view_fill(struct xe_view *view, uint64_t va, uint64_t size, uint64_t seed);
uint64_t xe_view_differs(struct xe_view *view, uint64_t va, uint64_t size,
			 uint64_t seed);

/*
 * In VRAM as xe_bo_create_vram() does it, but in pieces of at most @piece bytes,
 * most of which do not touch one another. Takes all of VRAM for a moment.
 */
void xe_bo_create_fragmented(struct xe *xe, struct xe_bo *bo, uint64_t size,
			     uint64_t piece);

#endif
