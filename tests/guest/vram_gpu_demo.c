// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_gpu_demo NVME_BDF GPU_BDF [PIECES]
 *
 * A user-space NVMe driver moves data between its disk and VRAM of a GPU that
 * xe or amdgpu drives. The VRAM is a buffer object in about PIECES pieces, exported by
 * PRIME and mapped into the controller's IOAS by IOMMU_IOAS_MAP_FILE.
 *
 * The data on the disk is made and verified outside of the VM. In VRAM it is seen
 * by the CPU and by the GPU's copy engine. TAP on stdout, with what is going on in
 * its comments. Exit status: 0 all is well, 1 not, 2 bad use, 77 no view from
 * outside (then nothing was touched).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/sizes.h>

#include "outside.h"
#include "tap.h"
#include "gpu.h"
#include "dma.h"

#define PIECE_SIZE	SZ_64K
#define DEFAULT_PIECES	97
#define MAX_PIECES	((int)(GPU_VIEW_SIZE / PIECE_SIZE))
#define PRESSURE_SIZE	SZ_32M

/* Seeds of patterns; each step uses another one than the data that it replaces. */
enum { SEED_DISK = 1, SEED_BACK, SEED_SCRUB, SEED_BLOCKED, SEED_BEFORE, SEED_AGAIN };

struct demo {
	struct gpu gpu;
	struct gpu_ctx ctx;
	struct gpu_view view;
	struct gpu_bo bo;
	uint64_t va;
	int dma_buf;
	struct dma dma;
	struct dma_region map;
};

static bool on_disk(struct demo *d, uint64_t seed)
{
	int ret = outside_check("disk", 0, d->bo.size, seed);

	if (ret == -EIO)
		printf("# outside: disk at 0x%" PRIx64 ": wanted 0x%016" PRIx64 ", found 0x%016" PRIx64 "\n",
		       outside_wrong()->at, outside_wrong()->want,
		       outside_wrong()->found);
	return !ret;
}

static void fill_disk(struct demo *d, uint64_t seed)
{
	VFIO_ASSERT_EQ(outside_fill("disk", 0, d->bo.size, seed), 0);
}

static bool cpu_sees(struct demo *d, uint64_t seed)
{
	return !outside_differs(d->bo.vaddr, 0, d->bo.size, seed);
}

static bool gpu_sees(struct demo *d, uint64_t seed)
{
	return !gpu_view_differs(&d->view, d->va, d->bo.size, seed);
}

static void setup(struct demo *d, const char *nvme_bdf, const char *gpu_bdf,
		  unsigned int pieces)
{
	struct gpu_vram vram;

	gpu_open(&d->gpu, gpu_bdf);
	gpu_ctx_open(&d->ctx, &d->gpu);
	gpu_view_open(&d->view, &d->ctx);
	vram = gpu_vram(&d->gpu);
	dma_open(&d->dma, nvme_bdf);
	printf("# %s: NVMe controller, driven from user space, in an IOAS of its own\n",
	       nvme_bdf);
	printf("# %s: %s, %" PRIu64 " MiB of VRAM, of which the BAR shows %" PRIu64 " MiB\n",
	       gpu_bdf, gpu_driver_name(&d->gpu), (uint64_t)vram.total / SZ_1M,
	       (uint64_t)vram.visible / SZ_1M);

	gpu_bo_create_fragmented(&d->gpu, &d->bo, pieces * PIECE_SIZE, PIECE_SIZE);
	d->va = gpu_bind(&d->ctx, d->bo.handle, d->bo.size);
	d->dma_buf = gpu_bo_export(&d->bo);
	printf("# a buffer object of %" PRIu64 " KiB in fragmented VRAM, DRM_IOCTL_PRIME_HANDLE_TO_FD\n",
	       d->bo.size / 1024);
}

static bool map(struct demo *d)
{
	int ret = __dma_map(&d->dma, &d->map, d->dma_buf, 0, d->bo.size,
			    IOMMU_FILE_RW);

	result(!ret, "IOMMU_IOAS_MAP_FILE of a dma-buf of VRAM, %" PRIu64 " KiB%s%s",
	       d->bo.size / 1024, ret ? ": " : "", ret ? strerror(-ret) : "");
	return !ret;
}

static void show_mapping(struct demo *d, unsigned int pieces)
{
	struct bufinfo info = bufinfo(d->dma_buf);

	/* The comb in VRAM is not perfect: neighbours happen. */
	result(info.ranges >= pieces * 2 / 3 && info.bytes == d->bo.size,
	       "debugfs bufinfo: mapping=PAL ranges=%" PRIu64 " bytes=%" PRIu64,
	       info.ranges, info.bytes);
	printf("#     IOVA 0x%010" PRIx64 " .. 0x%010" PRIx64 "  ->  %" PRIu64 " ranges of VRAM\n#\n",
	       (uint64_t)d->map.iova, (uint64_t)d->map.iova + d->bo.size - 1,
	       info.ranges);
}

static void disk_to_vram(struct demo *d)
{
	int ret;

	outside_pattern(d->bo.vaddr, 0, d->bo.size, SEED_BEFORE);
	fill_disk(d, SEED_DISK);
	ret = nvme_read(d->dma.nvme, 0, d->map.iova, d->bo.size);
	result(!ret, "disk to VRAM: the controller read %" PRIu64 " KiB by peer DMA",
	       d->bo.size / 1024);
	result(cpu_sees(d, SEED_DISK),
	       "CPU: the data that was made outside is in the buffer");
	result(gpu_sees(d, SEED_DISK),
	       "GPU: its copy engine reads the same from VRAM");
}

static void vram_to_disk(struct demo *d)
{
	int ret;

	gpu_view_fill(&d->view, d->va, d->bo.size, SEED_BACK);
	fill_disk(d, SEED_SCRUB);
	ret = nvme_write(d->dma.nvme, 0, d->map.iova, d->bo.size);
	result(!ret, "VRAM to disk: the controller wrote %" PRIu64 " KiB by peer DMA",
	       d->bo.size / 1024);
	result(on_disk(d, SEED_BACK), "outside: what the GPU wrote to VRAM is on the disk");
}

/* More than all of VRAM; what is mapped must be where it was. */
static void pressure(struct demo *d)
{
	uint64_t total = gpu_vram(&d->gpu).total;
	unsigned int nr = total / PRESSURE_SIZE + 1, made = 0, i;
	struct gpu_bo *bos = calloc_assert(nr, sizeof(*bos));

	for (i = 0; i < nr; i++)
		made += !__gpu_bo_create(&d->gpu, &bos[i], PRESSURE_SIZE,
					GPU_VRAM, NULL);
	result(made == nr && gpu_in_vram(&d->gpu, d->dma_buf, d->bo.size) &&
	       cpu_sees(d, SEED_BACK),
	       "pressure: %" PRIu64 " MiB more than there is were allocated, the mapped buffer stayed in VRAM",
	       (nr * (uint64_t)PRESSURE_SIZE + d->bo.size - total) / SZ_1M);
	for (i = 0; i < nr; i++)
		if (bos[i].handle)
			gpu_handle_close(&d->gpu, bos[i].handle);
	free(bos);

	fill_disk(d, SEED_AGAIN);
	nvme_read(d->dma.nvme, 0, d->map.iova, d->bo.size);
	result(cpu_sees(d, SEED_AGAIN), "CPU: DMA still arrives in it");
}

static void unmap(struct demo *d)
{
	dma_unmap(&d->dma, &d->map);
	fill_disk(d, SEED_BLOCKED);
	nvme_read(d->dma.nvme, 0, d->map.iova, d->bo.size);
	result(cpu_sees(d, SEED_AGAIN) && gpu_sees(d, SEED_AGAIN),
	       "after IOMMU_IOAS_UNMAP the same transfer changes nothing");
}

static void teardown(struct demo *d)
{
	close(d->dma_buf);
	dma_close(&d->dma);
	gpu_unbind(&d->ctx, d->va, d->bo.size);
	gpu_bo_destroy(&d->bo);
	gpu_view_close(&d->view);
	gpu_ctx_close(&d->ctx);
	gpu_close(&d->gpu);
}

static int bad_use(const char *what, const char *arg)
{
	fprintf(stderr, "vram_gpu_demo: '%s' is no %s\n", arg, what);
	return 2;
}

int main(int argc, char **argv)
{
	unsigned long pieces = DEFAULT_PIECES;
	struct demo demo = {};
	char path[128], *end;
	struct gpu gpu;
	int ret;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: vram_gpu_demo NVME_BDF GPU_BDF [PIECES]\n");
		return 2;
	}
	if (argc > 3) {
		pieces = strtoul(argv[3], &end, 0);
		if (*end || !pieces || pieces > MAX_PIECES)
			return bad_use("number from 1 to 128", argv[3]);
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", argv[1]);
	if (access(path, F_OK))
		return bad_use("device that is bound to vfio-pci", argv[1]);
	if (__gpu_open(&gpu, argv[2]))
		return bad_use("device with a render node of xe or amdgpu", argv[2]);
	gpu_close(&gpu);
	ret = outside_open();
	if (ret) {
		fprintf(stderr, "vram_gpu_demo: no view from outside: %s\n", strerror(-ret));
		return 77;
	}

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	setup(&demo, argv[1], argv[2], pieces);
	if (map(&demo)) {
		show_mapping(&demo, pieces);
		disk_to_vram(&demo);
		vram_to_disk(&demo);
		pressure(&demo);
		unmap(&demo);
	}
	teardown(&demo);
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}
