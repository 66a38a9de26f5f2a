// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_ranges_demo NVME_BDF GPU_BDF
 *
 * Says where an exported buffer object is, as seen from two sides that know nothing
 * of each other: the page table of the IOMMU into which iommufd mapped it, and the
 * GPU, which copies it once and whose model writes down where it read. The
 * comparison is made outside of the VM, by tests/vram-ranges/run.
 *
 * Needs the debugfs of Intel's IOMMU driver: 77 without.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/sizes.h>

#include "tap.h"
#include "gpu.h"
#include "dma.h"

#define BUFFER_SIZE	(97ull * SZ_64K)
#define PIECE		SZ_64K
#define ENTRY_ADDRESS	0xffffffffff000ull

/* The size of what the last entry of a line with this many entries maps */
static uint64_t entry_size(int entries)
{
	return entries == 5 ? SZ_4K : entries == 4 ? SZ_2M : SZ_1G;
}

/*
 * A line is "0xPFN | PML5E PML4E PDPE [PDE [PTE]]". Prints the leaf if it is in
 * the buffer; returns its size there.
 */
static uint64_t print_leaf(const char *line, uint64_t iova, uint64_t size)
{
	uint64_t pfn, entry[5] = { 0 }, at, len;
	int n;

	n = sscanf(line, "0x%" SCNx64 " | 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64
		   " 0x%" SCNx64 " 0x%" SCNx64, &pfn, &entry[0], &entry[1],
		   &entry[2], &entry[3], &entry[4]) - 1;
	if (n < 3)
		return 0;
	at = pfn * SZ_4K;
	if (at < iova || at >= iova + size)
		return 0;
	len = entry_size(n);
	printf("# iopte 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 "\n", at,
	       (uint64_t)(entry[n - 1] & ENTRY_ADDRESS), len);
	return len;
}

static uint64_t print_page_table(const char *bdf, uint64_t iova, uint64_t size)
{
	uint64_t total = 0;
	char line[256];
	FILE *file;

	snprintf(line, sizeof(line),
		 "/sys/kernel/debug/iommu/intel/%s/domain_translation_struct", bdf);
	file = fopen(line, "r");
	if (!file) {
		fprintf(stderr, "vram_ranges_demo: %s: %s\n", line, strerror(errno));
		exit(77);
	}
	while (fgets(line, sizeof(line), file))
		total += print_leaf(line, iova, size);
	fclose(file);
	return total;
}

static void print_bar(const char *bdf, int bar)
{
	uint64_t start = 0;
	char line[128];
	int i, got = 0;
	FILE *file;

	snprintf(line, sizeof(line), "/sys/bus/pci/devices/%s/resource", bdf);
	file = fopen(line, "r");
	VFIO_ASSERT_TRUE(file != NULL);
	for (i = 0; i <= bar && fgets(line, sizeof(line), file); i++)
		got = sscanf(line, "0x%" SCNx64, &start);
	fclose(file);
	VFIO_ASSERT_EQ(got, 1);
	printf("# bar 0x%" PRIx64 "\n", start);
}

int main(int argc, char **argv)
{
	struct gpu_bo bo, copy;
	struct dma_region map;
	struct gpu_ctx ctx;
	struct dma dma;
	struct gpu gpu;
	uint64_t va;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: vram_ranges_demo NVME_BDF GPU_BDF\n");
		return 2;
	}
	dma_open(&dma, argv[1]);
	gpu_open(&gpu, argv[2]);
	gpu_ctx_open(&ctx, &gpu);
	gpu_bo_create_fragmented(&gpu, &bo, BUFFER_SIZE, PIECE);
	gpu_bo_create_system(&gpu, &copy, BUFFER_SIZE);
	fd = gpu_bo_export(&bo);
	dma_map(&dma, &map, fd, BUFFER_SIZE);

	printf("# buffer 0x%" PRIx64 " 0x%llx\n", (uint64_t)map.iova, BUFFER_SIZE);
	print_bar(argv[2], gpu_vram_bar(&gpu));
	result(print_page_table(argv[1], map.iova, BUFFER_SIZE) == BUFFER_SIZE,
	       "the IOMMU's page table covers the buffer");

	va = gpu_bind(&ctx, bo.handle, bo.size);
	gpu_copy(&ctx, gpu_bind(&ctx, copy.handle, copy.size), va,
		    BUFFER_SIZE);
	result(true, "the GPU copied the buffer");

	dma_unmap(&dma, &map);
	dma_close(&dma);
	return failed ? 1 : 0;
}
