// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_share_demo NVME_BDF GPU_BDF GPU_BDF
 *
 * Two GPUs, of whatever drivers, and an NVMe controller that a user-space driver
 * runs. Each GPU exports VRAM; both buffers are mapped into the controller's one IOAS,
 * and each GPU imports the other one's. Data goes from the disk to the first GPU's
 * VRAM, from there with the second one's copy engine to its own VRAM, and back to
 * the disk, and the other way round.
 *
 * The data is made and verified outside of the VM. TAP on stdout. Exit status: 0 all is
 * well, 1 not, 2 bad use, 77 no view from outside.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/sizes.h>

#include "dma.h"
#include "gpu.h"
#include "outside.h"
#include "tap.h"

#define BUFFER_SIZE	SZ_2M

/* Seeds of patterns; each step uses another one than the data that it replaces. */
enum { SEED_DISK = 1, SEED_BEFORE, SEED_SCRUB, SEED_BLOCKED };

/* A GPU with a buffer of its own, which it exports */
struct side {
	struct gpu gpu;
	struct gpu_ctx ctx;
	struct gpu_bo bo;
	uint64_t va;
	int dma_buf;
	struct dma_region map;
	/* The other one's buffer */
	uint32_t peer;
	uint64_t peer_va;
};

static void side_open(struct side *side, const char *bdf)
{
	gpu_open(&side->gpu, bdf);
	gpu_ctx_open(&side->ctx, &side->gpu);
	gpu_bo_create_vram(&side->gpu, &side->bo, BUFFER_SIZE);
	side->va = gpu_bind(&side->ctx, side->bo.handle, BUFFER_SIZE);
	side->dma_buf = gpu_bo_export(&side->bo);
	printf("# %s: %s, exports %d KiB of VRAM\n", bdf, gpu_driver_name(&side->gpu),
	       BUFFER_SIZE / SZ_1K);
}

static void side_close(struct side *side)
{
	if (side->peer) {
		gpu_unbind(&side->ctx, side->peer_va, BUFFER_SIZE);
		gpu_handle_close(&side->gpu, side->peer);
	}
	gpu_unbind(&side->ctx, side->va, BUFFER_SIZE);
	gpu_bo_destroy(&side->bo);
	gpu_ctx_close(&side->ctx);
	close(side->dma_buf);
	gpu_close(&side->gpu);
}

static void import(struct side *side, struct side *from)
{
	int ret = __gpu_import(&side->gpu, from->dma_buf, &side->peer);

	result(!ret, "%s imports the buffer of %s%s%s", side->gpu.bdf,
	       from->gpu.bdf, ret ? ": " : "", ret ? strerror(-ret) : "");
	if (!ret)
		side->peer_va = gpu_bind(&side->ctx, side->peer, BUFFER_SIZE);
}

static bool map(struct dma *dma, struct side *side)
{
	int ret = __dma_map(dma, &side->map, side->dma_buf, 0, BUFFER_SIZE,
			    IOMMU_FILE_RW);

	result(!ret, "IOMMU_IOAS_MAP_FILE of VRAM of %s%s%s", side->gpu.bdf,
	       ret ? ": " : "", ret ? strerror(-ret) : "");
	return !ret;
}

/* Disk, VRAM of @from, by the engine of @to to its own VRAM, disk */
static void round_trip(struct dma *dma, struct side *from, struct side *to,
		       uint64_t seed)
{
	bool sees;
	int ret;

	outside_pattern(from->bo.vaddr, 0, BUFFER_SIZE, SEED_BEFORE);
	outside_pattern(to->bo.vaddr, 0, BUFFER_SIZE, SEED_BEFORE);
	VFIO_ASSERT_EQ(outside_fill("disk", 0, BUFFER_SIZE, seed), 0);
	ret = nvme_read(dma->nvme, 0, from->map.iova, BUFFER_SIZE);
	result(!ret && !outside_differs(from->bo.vaddr, 0, BUFFER_SIZE, seed),
	       "disk to VRAM of %s by peer DMA", from->gpu.bdf);

	ret = __gpu_copy(&to->ctx, to->va, to->peer_va, BUFFER_SIZE);
	sees = !outside_differs(to->bo.vaddr, 0, BUFFER_SIZE, seed);
	result(!ret && sees && gpu_in_vram(&from->gpu, from->dma_buf, BUFFER_SIZE),
	       "the engine of %s copies it from there, where it stays, to its own VRAM",
	       to->gpu.bdf);

	VFIO_ASSERT_EQ(outside_fill("disk", 0, BUFFER_SIZE, SEED_SCRUB), 0);
	ret = nvme_write(dma->nvme, 0, to->map.iova, BUFFER_SIZE);
	result(!ret && !outside_check("disk", 0, BUFFER_SIZE, seed),
	       "VRAM of %s to disk, and outside of the VM it is what was there first",
	       to->gpu.bdf);
}

/* One buffer's end is not the other one's. */
static void unmap_one(struct dma *dma, struct side *gone, struct side *left)
{
	dma_unmap(dma, &gone->map);
	outside_pattern(gone->bo.vaddr, 0, BUFFER_SIZE, SEED_BEFORE);
	outside_pattern(left->bo.vaddr, 0, BUFFER_SIZE, SEED_BEFORE);
	VFIO_ASSERT_EQ(outside_fill("disk", 0, BUFFER_SIZE, SEED_BLOCKED), 0);
	nvme_read(dma->nvme, 0, gone->map.iova, BUFFER_SIZE);
	nvme_read(dma->nvme, 0, left->map.iova, BUFFER_SIZE);
	result(!outside_differs(gone->bo.vaddr, 0, BUFFER_SIZE, SEED_BEFORE) &&
	       !outside_differs(left->bo.vaddr, 0, BUFFER_SIZE, SEED_BLOCKED),
	       "after IOMMU_IOAS_UNMAP of one the transfer reaches only the other");
	dma_unmap(dma, &left->map);
}

static int bad_use(const char *what, const char *arg)
{
	fprintf(stderr, "vram_share_demo: '%s' is no %s\n", arg, what);
	return 2;
}

int main(int argc, char **argv)
{
	struct side first = {}, second = {};
	char path[128];
	struct dma dma;
	struct gpu gpu;
	int i, ret;

	if (argc != 4) {
		fprintf(stderr, "usage: vram_share_demo NVME_BDF GPU_BDF GPU_BDF\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", argv[1]);
	if (access(path, F_OK))
		return bad_use("device that is bound to vfio-pci", argv[1]);
	for (i = 2; i < 4; i++) {
		if (__gpu_open(&gpu, argv[i]))
			return bad_use("device with a render node of xe or amdgpu", argv[i]);
		gpu_close(&gpu);
	}
	ret = outside_open();
	if (ret) {
		fprintf(stderr, "vram_share_demo: no view from outside: %s\n", strerror(-ret));
		return 77;
	}

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	dma_open(&dma, argv[1]);
	side_open(&first, argv[2]);
	side_open(&second, argv[3]);
	if (map(&dma, &first) && map(&dma, &second)) {
		import(&first, &second);
		import(&second, &first);
		if (first.peer && second.peer) {
			round_trip(&dma, &first, &second, SEED_DISK);
			round_trip(&dma, &second, &first, SEED_DISK + 10);
		}
		unmap_one(&dma, &first, &second);
	}
	side_close(&second);
	side_close(&first);
	dma_close(&dma);
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}
