/* SPDX-License-Identifier: GPL-2.0-only */
/* What gpu.c needs of each driver; the names are those of gpu.h. */
#ifndef PAL_GUEST_GPU_DRIVER_H
#define PAL_GUEST_GPU_DRIVER_H

#include "gpu.h"

#define GPU_WAIT_SECONDS	30

struct gpu_driver {
	const char *name;
	int vram_bar;
	/* Of debugfs, in the folder of the device */
	const char *vram_debugfs;
	/* The word of fdinfo for the device's own memory */
	const char *fdinfo_vram;
	/* Bytes that are not for BOs of user space, but for page tables */
	uint64_t vram_reserve;
	/* Of the batch buffer */
	uint32_t batch_size;

	struct gpu_vram (*vram)(struct gpu *gpu);
	int (*bo_create)(struct gpu_bo *bo, uint32_t where, struct gpu_ctx *ctx);
	int (*mmap_offset)(struct gpu_bo *bo, uint64_t *offset);

	void (*ctx_open)(struct gpu_ctx *ctx, bool strict);
	void (*ctx_close)(struct gpu_ctx *ctx);
	int (*bind)(struct gpu_ctx *ctx, uint32_t handle, uint64_t va,
		    uint64_t size);
	int (*unbind)(struct gpu_ctx *ctx, uint64_t va, uint64_t size);
	void (*new_queue)(struct gpu_ctx *ctx);

	/* Dwords into the batch: a piece of a copy, and what never ends */
	uint64_t copy_max;
	uint32_t *(*emit_copy)(uint32_t *cs, uint64_t dst, uint64_t src,
			       uint64_t size);
	uint32_t *(*emit_hang)(struct gpu_ctx *ctx, uint32_t *cs);
	/* Runs the batch and waits. A lost job may look like one that ended. */
	int (*run)(struct gpu_ctx *ctx, uint32_t dwords);

	void (*set_job_timeout)(struct gpu *gpu, unsigned int ms);
	int (*reset)(struct gpu *gpu);
};

/*
 * Of amdgpu alone: a job on an engine of the kind AMDGPU_HW_IP_*, from an address in the
 * batch and without a wait; one from its start that is waited for; and the flags
 * AMDGPU_CTX_QUERY2_FLAGS_* of the context.
 */
int gpu_amdgpu_submit(struct gpu_ctx *ctx, unsigned int ip, uint64_t va,
		      uint32_t dwords, uint64_t *handle);
int gpu_amdgpu_run(struct gpu_ctx *ctx, unsigned int ip, uint32_t dwords);
uint32_t gpu_amdgpu_state(struct gpu_ctx *ctx);

extern const struct gpu_driver gpu_xe_driver, gpu_amdgpu_driver;

#endif
