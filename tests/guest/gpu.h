/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffer objects of a GPU, as a program of the guest uses them: made by ioctls of a
 * render node, seen through the CPU's mapping, and copied by the GPU's own engine.
 * Whether xe or amdgpu drives it is found out when it is opened.
 *
 * Calls that have to succeed exit if they do not; those that start with two
 * underscores return 0 or -errno.
 */
#ifndef PAL_GUEST_GPU_H
#define PAL_GUEST_GPU_H

#include <stdbool.h>
#include <stdint.h>

#include <drm/drm.h>

struct gpu_driver;

struct gpu {
	const struct gpu_driver *driver;
	int fd;
	char bdf[16];
	/* Where the next buffer goes in address spaces of this client */
	uint64_t next_va;
};

struct gpu_bo {
	struct gpu *gpu;
	uint32_t handle;
	uint64_t size;
	/* Of the CPU, or NULL: see gpu_bo_mmap() */
	void *vaddr;
};

/* -ENODEV if no driver that is known here gave this PCI device a render node */
int __gpu_open(struct gpu *gpu, const char *bdf);
void gpu_open(struct gpu *gpu, const char *bdf);
void gpu_close(struct gpu *gpu);

/* For xe and amdgpu alone, tests of what only one of them has */
const char *gpu_driver_name(struct gpu *gpu);

int gpu_ioctl(struct gpu *gpu, unsigned long cmd, void *arg);

/* All VRAM of the device, in bytes; what is used of it needs CAP_PERFMON. */
struct gpu_vram {
	uint64_t total;
	uint64_t used;
	/* The part that the BAR shows */
	uint64_t visible;
	uint64_t visible_used;
};

struct gpu_vram gpu_vram(struct gpu *gpu);

/* Bytes of it that the driver may want to have for itself */
uint64_t gpu_vram_reserve(struct gpu *gpu);

/* The BAR that shows it, and what the TTM manager of VRAM tells in debugfs */
int gpu_vram_bar(struct gpu *gpu);
void gpu_vram_debugfs(struct gpu *gpu, char *path, size_t size);

/* Where a BO may be; both is possible. */
#define GPU_VRAM	0x1
#define GPU_SYSTEM	0x2
/* If it is in VRAM then where the BAR shows it */
#define GPU_VISIBLE	0x4

struct gpu_ctx;

/* A BO with a @ctx, which may be NULL, is private to it. */
int __gpu_bo_create(struct gpu *gpu, struct gpu_bo *bo, uint64_t size,
		    uint32_t where, struct gpu_ctx *ctx);

/* In VRAM only, where the CPU sees it, and mapped */
int __gpu_bo_create_vram(struct gpu *gpu, struct gpu_bo *bo, uint64_t size);
void gpu_bo_create_vram(struct gpu *gpu, struct gpu_bo *bo, uint64_t size);

/* In system memory, cached and mapped */
void gpu_bo_create_system(struct gpu *gpu, struct gpu_bo *bo, uint64_t size);

int __gpu_bo_mmap(struct gpu_bo *bo);
void gpu_bo_mmap(struct gpu_bo *bo);

/* One more mapping of it, at @at if that is not NULL; exits if it fails. */
void *gpu_bo_map_again(struct gpu_bo *bo, void *at);

void gpu_bo_destroy(struct gpu_bo *bo);

/* A dma-buf, writable unless @flags say otherwise; the fd or -errno */
#define GPU_EXPORT_RW	(DRM_CLOEXEC | DRM_RDWR)
int __gpu_export(struct gpu *gpu, uint32_t handle, uint32_t flags);
int gpu_bo_export(struct gpu_bo *bo);

int __gpu_import(struct gpu *gpu, int dma_buf, uint32_t *handle);
void gpu_handle_close(struct gpu *gpu, uint32_t handle);

/*
 * Where the memory of one BO of @gpu is right now, in bytes, by the driver's own
 * account of a client that has nothing else.
 */
struct gpu_place {
	uint64_t vram;
	uint64_t system;
};

struct gpu_place gpu_place(struct gpu *gpu, int dma_buf);

static inline bool gpu_in_vram(struct gpu *gpu, int dma_buf, uint64_t size)
{
	struct gpu_place place = gpu_place(gpu, dma_buf);

	return place.vram == size && !place.system;
}

#define GPU_MAX_BOUND	64

/* A GPU address space with a copy engine */
struct gpu_ctx {
	struct gpu *gpu;
	/* Names of the driver's objects; not each driver has each of them. */
	uint32_t vm;
	uint32_t queue;
	uint32_t syncobj;
	uint64_t batch_va;
	struct gpu_bo batch;
	struct {
		uint64_t va;
		uint32_t handle;
	} bound[GPU_MAX_BOUND];
	unsigned int nr_bound;
};

void gpu_ctx_open(struct gpu_ctx *ctx, struct gpu *gpu);
/* The same, but what is not bound is a fault and not scratch memory. */
void gpu_ctx_open_strict(struct gpu_ctx *ctx, struct gpu *gpu);
void gpu_ctx_close(struct gpu_ctx *ctx);

/* The address at which the GPU sees the buffer from now on */
uint64_t gpu_bind(struct gpu_ctx *ctx, uint32_t handle, uint64_t size);
void gpu_unbind(struct gpu_ctx *ctx, uint64_t va, uint64_t size);

/* Another queue in place of one that the driver does not run any more */
void gpu_new_queue(struct gpu_ctx *ctx);

/* A batch that never ends; returns when the driver has given up on it. */
int __gpu_hang(struct gpu_ctx *ctx);

/* By the copy engine, and waits for the end of it. Multiples of 256 bytes. */
int __gpu_copy(struct gpu_ctx *ctx, uint64_t dst, uint64_t src, uint64_t size);
void gpu_copy(struct gpu_ctx *ctx, uint64_t dst, uint64_t src, uint64_t size);

/* How long a job may take before the driver gives up on it */
void gpu_set_job_timeout(struct gpu *gpu, unsigned int ms);

/* Resets what executes jobs, as an administrator would; 0 or -errno. */
int gpu_reset(struct gpu *gpu);

/*
 * What the GPU reads in a BO at [@offset, @offset + @size): a copy, in system
 * memory, made by its engine, which stays valid until the next call.
 */
struct gpu_view {
	struct gpu_ctx *ctx;
	struct gpu_bo copy;
	uint64_t copy_va;
};

#define GPU_VIEW_SIZE	((uint64_t)8 << 20)

void gpu_view_open(struct gpu_view *view, struct gpu_ctx *ctx);
void gpu_view_close(struct gpu_view *view);
const void *gpu_view(struct gpu_view *view, uint64_t va, uint64_t size);

/*
 * The pattern of outside.h, written to the BO at @va by the GPU; and the number of
 * words that the GPU finds there and that differ from it.
 */
void gpu_view_fill(struct gpu_view *view, uint64_t va, uint64_t size, uint64_t seed);
uint64_t gpu_view_differs(struct gpu_view *view, uint64_t va, uint64_t size,
			  uint64_t seed);

/*
 * In VRAM as gpu_bo_create_vram() does it, but in pieces of at most @piece bytes,
 * most of which do not touch one another. Takes all of VRAM for a moment. Of a @size
 * that is a multiple of 2 MiB amdgpu makes pieces of 2 MiB, or evicts.
 */
void gpu_bo_create_fragmented(struct gpu *gpu, struct gpu_bo *bo, uint64_t size,
			      uint64_t piece);

#endif
