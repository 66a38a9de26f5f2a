// SPDX-License-Identifier: GPL-2.0-only
/*
 * xe_copy_demo XE_BDF: is this GPU alive? Its copy engine takes a pattern from
 * system memory to VRAM and back. Exit status: 0 it is, 1 it is not, 2 bad use.
 */
#include <stdio.h>

#include <linux/sizes.h>

#include "xe_bo.h"

int main(int argc, char **argv)
{
	struct xe_view view;
	struct xe_gpu gpu;
	struct xe_bo bo;
	struct xe xe;
	uint64_t va;
	bool alive;

	if (argc != 2) {
		fprintf(stderr, "usage: xe_copy_demo XE_BDF\n");
		return 2;
	}
	if (__xe_open(&xe, argv[1])) {
		fprintf(stderr, "xe_copy_demo: %s has no render node of xe\n", argv[1]);
		return 2;
	}
	xe_gpu_open(&gpu, &xe);
	xe_view_open(&view, &gpu);
	xe_bo_create_vram(&xe, &bo, SZ_1M);
	va = xe_gpu_bind(&gpu, bo.handle, bo.size);
	xe_view_fill(&view, va, bo.size, 1);
	alive = !xe_view_differs(&view, va, bo.size, 1);
	xe_gpu_unbind(&gpu, va, bo.size);
	xe_bo_destroy(&bo);
	xe_view_close(&view);
	xe_gpu_close(&gpu);
	xe_close(&xe);
	return alive ? 0 : 1;
}
