// SPDX-License-Identifier: GPL-2.0-only
/*
 * gpu_copy_demo GPU_BDF: is this GPU alive? Its copy engine takes a pattern from
 * system memory to VRAM and back. Exit status: 0 it is, 1 it is not, 2 bad use.
 */
#include <stdio.h>

#include <linux/sizes.h>

#include "gpu.h"

int main(int argc, char **argv)
{
	struct gpu_view view;
	struct gpu_ctx ctx;
	struct gpu_bo bo;
	struct gpu gpu;
	uint64_t va;
	bool alive;

	if (argc != 2) {
		fprintf(stderr, "usage: gpu_copy_demo GPU_BDF\n");
		return 2;
	}
	if (__gpu_open(&gpu, argv[1])) {
		fprintf(stderr, "gpu_copy_demo: %s has no render node of xe or amdgpu\n", argv[1]);
		return 2;
	}
	gpu_ctx_open(&ctx, &gpu);
	gpu_view_open(&view, &ctx);
	gpu_bo_create_vram(&gpu, &bo, SZ_1M);
	va = gpu_bind(&ctx, bo.handle, bo.size);
	gpu_view_fill(&view, va, bo.size, 1);
	alive = !gpu_view_differs(&view, va, bo.size, 1);
	gpu_unbind(&ctx, va, bo.size);
	gpu_bo_destroy(&bo);
	gpu_view_close(&view);
	gpu_ctx_close(&ctx);
	gpu_close(&gpu);
	return alive ? 0 : 1;
}
