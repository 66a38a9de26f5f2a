// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_dma_demo NVME_BDF IVSHMEM_BDF [RANGES [SEED]]
 *
 * A user-space NVMe driver moves data between its disk and the memory of another
 * PCI device. That memory is a dma-buf of RANGES shuffled pieces of a BAR, mapped
 * into the controller's IOAS by IOMMU_IOAS_MAP_FILE, where it is contiguous.
 *
 * The data is made and verified outside of the VM, on the memory behind the disk
 * and behind the BAR: no part of the guest, its kernel included, has a say in
 * whether a byte is where it should be. TAP on stdout, with what is going on in
 * its comments. Exit status: 0 all is well, 1 not, 2 bad use, 77 no view from
 * outside (then nothing was touched).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/sizes.h>

#include <libvfio.h>
#include <libvfio/nvme.h>

#include "mapping.h"
#include "outside.h"
#include "tap.h"

#define BAR		2
#define WINDOW_OFFSET	(SZ_1M + 3 * SZ_4K)
#define WINDOW_SIZE	SZ_16M
#define DEFAULT_RANGES	7
#define MAX_RANGES	1024
#define SHOWN_RANGES	12

/* Seeds of the patterns: what the disk has, what the BAR has, in this order */
enum { SEED_DISK = 1, SEED_BAR, SEED_BACK, SEED_SCRUB, SEED_REVOKED, SEED_SECOND };

/*
 * The outside's pattern depends on where the word is. This seed makes a range at
 * @at look as the bytes do that have the pattern of @seed at @offset.
 */
static uint64_t moved_seed(uint64_t seed, uint64_t offset, uint64_t at)
{
	return seed + offset / 8 - at / 8;
}

static bool check(const char *what, uint64_t at, uint64_t len, uint64_t seed)
{
	int ret = outside_check(what, at, len, seed);

	if (ret == -EIO)
		printf("# outside: %s at 0x%" PRIx64 ": wanted 0x%016" PRIx64 ", found 0x%016" PRIx64 "\n",
		       what, outside_wrong()->at, outside_wrong()->want, outside_wrong()->found);
	else if (ret)
		printf("# outside: %s\n", strerror(-ret));
	return !ret;
}

/* The ranges, in the dma-buf's order, have the pattern of @seed at @offset on. */
static bool check_ranges(struct vfio_dma_buf *buf, uint64_t seed, uint64_t offset)
{
	bool ok = true;
	uint32_t i;

	for (i = 0; i < buf->nr_ranges; i++) {
		struct vfio_region_dma_range *r = &buf->ranges[i];

		ok &= check("bar", r->offset, r->length,
			    moved_seed(seed, offset, r->offset));
		offset += r->length;
	}
	return ok;
}

static void fill_ranges(struct vfio_dma_buf *buf, uint64_t seed)
{
	uint64_t offset = 0;
	uint32_t i;

	for (i = 0; i < buf->nr_ranges; i++) {
		struct vfio_region_dma_range *r = &buf->ranges[i];

		VFIO_ASSERT_EQ(outside_fill("bar", r->offset, r->length,
					    moved_seed(seed, offset, r->offset)), 0);
		offset += r->length;
	}
}

static int by_offset(const void *a, const void *b)
{
	const struct vfio_region_dma_range *ra = a, *rb = b;

	return ra->offset < rb->offset ? -1 : ra->offset > rb->offset;
}

/* All of the BAR that is in no range still has the pattern of @seed. */
static bool check_gaps(struct vfio_dma_buf *buf, uint64_t bar_size, uint64_t seed)
{
	struct vfio_region_dma_range *sorted;
	uint64_t at = 0, end;
	bool ok = true;
	uint32_t i;

	sorted = calloc_assert(buf->nr_ranges, sizeof(*sorted));
	memcpy(sorted, buf->ranges, buf->nr_ranges * sizeof(*sorted));
	qsort(sorted, buf->nr_ranges, sizeof(*sorted), by_offset);
	for (i = 0; i <= buf->nr_ranges; i++) {
		end = i < buf->nr_ranges ? sorted[i].offset : bar_size;
		if (end > at)
			ok &= check("bar", at, end - at, seed);
		if (i < buf->nr_ranges)
			at = end + sorted[i].length;
	}
	free(sorted);
	return ok;
}

static struct vfio_pci_device *open_nvme(const char *bdf, struct iommu *iommu)
{
	struct vfio_pci_device *nvme = vfio_pci_device_init(bdf, iommu);
	struct iova_allocator *iovas = iova_allocator_init(iommu);
	struct dma_region *region = &nvme->driver.region;

	if (!nvme_device(nvme)) {
		fprintf(stderr, "vram_dma_demo: %s is not an NVMe controller\n", bdf);
		exit(2);
	}
	region->size = SZ_2M;
	region->iova = iova_allocator_alloc(iovas, region->size);
	region->vaddr = mmap(NULL, region->size, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	VFIO_ASSERT_NE(region->vaddr, MAP_FAILED);
	iommu_map(iommu, region);
	vfio_pci_driver_init(nvme);
	iova_allocator_cleanup(iovas);
	return nvme;
}

static void show_ranges(struct vfio_dma_buf *buf, iova_t iova)
{
	uint64_t offset = 0;
	uint32_t i;

	printf("#    range        IOVA             BAR offset    size\n");
	for (i = 0; i < buf->nr_ranges && i < SHOWN_RANGES; i++) {
		struct vfio_region_dma_range *r = &buf->ranges[i];

		printf("#     %3u   0x%010" PRIx64 "  ->  0x%08" PRIx64 "  %6" PRIu64 " KiB\n",
		       i, (uint64_t)iova + offset, (uint64_t)r->offset,
		       (uint64_t)r->length / 1024);
		offset += r->length;
	}
	if (i < buf->nr_ranges)
		printf("#     ...   and %u more\n", buf->nr_ranges - i);
	printf("#\n");
}

/* What root sees of the attachment: mapping type, ranges, bytes, no address */
static bool bufinfo_has(const char *want)
{
	FILE *file = fopen("/sys/kernel/debug/dma_buf/bufinfo", "r");
	bool found = false;
	char line[256];

	if (!file) {
		printf("# no bufinfo: %s\n", strerror(errno));
		return false;
	}
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, want);
	fclose(file);
	return found;
}

static void check_bufinfo(struct vfio_dma_buf *buf)
{
	char want[80];

	snprintf(want, sizeof(want), "mapping=PAL ranges=%u bytes=%" PRIu64 "\n",
		 buf->nr_ranges, (uint64_t)buf->size);
	result(bufinfo_has(want), "debugfs bufinfo: %.*s", (int)strlen(want) - 1, want);
}

static void disk_to_bar(struct vfio_pci_device *nvme, struct vfio_dma_buf *buf,
			iova_t iova, uint64_t bar_size)
{
	int ret;

	VFIO_ASSERT_EQ(outside_fill("disk", 0, buf->size, SEED_DISK), 0);
	VFIO_ASSERT_EQ(outside_fill("bar", 0, bar_size, SEED_BAR), 0);
	ret = nvme_read(nvme, 0, iova, buf->size);
	result(!ret, "disk to BAR: the controller read %" PRIu64 " KiB in commands of up to %" PRIu64 " KiB",
	       (uint64_t)buf->size / 1024, (uint64_t)nvme_namespace(nvme)->max_size / 1024);
	result(check_ranges(buf, SEED_DISK, 0),
	       "outside: the disk's data is in the BAR, at the offsets of all %u ranges",
	       buf->nr_ranges);
	result(check_gaps(buf, bar_size, SEED_BAR),
	       "outside: all other bytes of the BAR are as they were");
}

static void bar_to_disk(struct vfio_pci_device *nvme, struct vfio_dma_buf *buf,
			iova_t iova)
{
	int ret;

	fill_ranges(buf, SEED_BACK);
	VFIO_ASSERT_EQ(outside_fill("disk", 0, buf->size, SEED_SCRUB), 0);
	ret = nvme_write(nvme, 0, iova, buf->size);
	result(!ret, "BAR to disk: the controller wrote %" PRIu64 " KiB",
	       (uint64_t)buf->size / 1024);
	result(check("disk", 0, buf->size, SEED_BACK),
	       "outside: the BAR's data is on the disk, in the order of the dma-buf");
}

static void revoke_and_restore(struct vfio_pci_device *nvme,
			       struct vfio_dma_buf *buf, struct iommu *iommu,
			       struct dma_region *map)
{
	int event = mapping_watch(iommu->iommufd, iommu->ioas_id);
	int ret;

	VFIO_ASSERT_GE(event, 0);
	VFIO_ASSERT_EQ(outside_fill("disk", 0, buf->size, SEED_REVOKED), 0);
	vfio_pci_cmd_clear(buf->device, PCI_COMMAND_MEMORY);
	nvme_read(nvme, 0, map->iova, buf->size);
	result(check_ranges(buf, SEED_BACK, 0),
	       "outside: after the exporter revoked the dma-buf, DMA changes nothing");
	result(bufinfo_has("mapping=PAL unmapped\n"),
	       "debugfs bufinfo: mapping=PAL unmapped");
	VFIO_ASSERT_EQ(outside_fill("disk", 0, buf->size, SEED_SECOND), 0);
	vfio_pci_cmd_set(buf->device, PCI_COMMAND_MEMORY);

	result(mapping_comes_back(iommu->iommufd, iommu->ioas_id, event, map->iova, 1),
	       "the exporter has its memory again, and the mapping comes back by itself");
	ret = nvme_read(nvme, 0, map->iova, buf->size);
	result(!ret && check_ranges(buf, SEED_SECOND, 0),
	       "outside: DMA to the same IOVA arrives again");
	close(event);
}

static void demo(const char *nvme_bdf, const char *ivshmem_bdf, uint32_t nr_ranges,
		 uint64_t seed)
{
	struct iommu *iommu = iommu_init(MODE_IOMMUFD);
	struct iommu *exporter_iommu = iommu_init(MODE_IOMMUFD);
	struct vfio_pci_device *nvme = open_nvme(nvme_bdf, iommu);
	struct vfio_pci_device *ivshmem = vfio_pci_device_init(ivshmem_bdf, exporter_iommu);
	const struct nvme_namespace *ns = nvme_namespace(nvme);
	uint64_t bar_size = ivshmem->bars[BAR].info.size;
	struct dma_region map = {};
	struct vfio_dma_buf *buf;
	int ret;

	/* Else the outside looks at other memory than the two devices use. */
	VFIO_ASSERT_EQ(outside_size("bar"), bar_size);
	VFIO_ASSERT_EQ(outside_size("disk"),
		       ns->nr_blocks * ns->block_size + ns->max_size);

	buf = vfio_dma_buf_init(ivshmem, BAR, O_RDWR | O_CLOEXEC, WINDOW_OFFSET,
				WINDOW_SIZE, nr_ranges, seed);
	map.size = buf->size;
	printf("# %s: NVMe controller, driven from user space, in an IOAS of its own\n", nvme_bdf);
	printf("# %s: %" PRIu64 " MiB of device memory in BAR %d\n", ivshmem_bdf,
	       bar_size / SZ_1M, BAR);
	ret = __iommu_map_file(iommu, &map, buf->fd, 0, IOMMU_FILE_RW);
	result(!ret, "IOMMU_IOAS_MAP_FILE of a dma-buf with %" PRIu64 " KiB in %u range%s%s%s",
	       (uint64_t)buf->size / 1024, nr_ranges, nr_ranges == 1 ? "" : "s",
	       ret ? ": " : "", ret ? strerror(-ret) : "");
	if (!ret) {
		show_ranges(buf, map.iova);
		check_bufinfo(buf);
		disk_to_bar(nvme, buf, map.iova, bar_size);
		bar_to_disk(nvme, buf, map.iova);
		revoke_and_restore(nvme, buf, iommu, &map);
	}
	vfio_dma_buf_cleanup(buf);
	vfio_pci_device_cleanup(nvme);
	vfio_pci_device_cleanup(ivshmem);
	iommu_cleanup(exporter_iommu);
	iommu_cleanup(iommu);
}

static uint64_t number(const char *arg, uint64_t min, uint64_t max)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(arg, &end, 0);
	if (errno || *end || end == arg || *arg == '-' || n < min || n > max) {
		fprintf(stderr, "vram_dma_demo: '%s' is not a number from %" PRIu64 " to %" PRIu64 "\n",
			arg, min, max);
		exit(2);
	}
	return n;
}

static void need_vfio(const char *bdf)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	if (access(path, F_OK)) {
		fprintf(stderr, "vram_dma_demo: no device '%s' that is bound to vfio-pci\n", bdf);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	uint32_t nr_ranges = DEFAULT_RANGES;
	uint64_t seed = 1;
	int ret;

	if (argc < 3 || argc > 5) {
		fprintf(stderr, "usage: vram_dma_demo NVME_BDF IVSHMEM_BDF [RANGES [SEED]]\n");
		return 2;
	}
	if (argc > 3)
		nr_ranges = number(argv[3], 1, MAX_RANGES);
	if (argc > 4)
		seed = number(argv[4], 0, UINT64_MAX);

	need_vfio(argv[1]);
	need_vfio(argv[2]);
	ret = outside_open();
	if (ret) {
		fprintf(stderr, "vram_dma_demo: no view from outside: %s\n", strerror(-ret));
		return 77;
	}
	/* What the runner shows us is its own disk, made to be overwritten. */
	setenv(NVME_OVERWRITE_ENV, "1", 1);

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	demo(argv[1], argv[2], nr_ranges, seed);
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}
