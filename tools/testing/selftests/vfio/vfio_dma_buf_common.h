/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DMA into another device's memory: one device (the exporter) exports ranges of
 * its BAR as a dma-buf, which is mapped into the IOAS of a second device, which
 * then reads and writes it. What arrived is checked through the exporter's own
 * mmap of the BAR, since some devices report success for DMA that was blocked.
 *
 * The two devices have an iommufd and an IOAS each, so that nothing but the
 * dma-buf connects them.
 */
#ifndef SELFTESTS_VFIO_VFIO_DMA_BUF_COMMON_H
#define SELFTESTS_VFIO_VFIO_DMA_BUF_COMMON_H

#include <fcntl.h>
#include <unistd.h>

#include <sys/mman.h>

#include <linux/compiler.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/sizes.h>
#include <linux/vfio.h>

#include <libvfio.h>

/* The part of the BAR that tests fill and check */
#define BAR_AREA_SIZE	SZ_2M
#define MAX_WINDOW_SIZE	SZ_1M

/* Host memory: the first half is the source of DMA, the second its destination */
#define HOST_SIZE	(2 * MAX_WINDOW_SIZE)

#define IOVA_SIZE	SZ_2M

/* Seeds of patterns; each step uses another one than the data that it replaces. */
enum { GUARD = 1, BEFORE, DATA, AFTER, SCRUB };

static const char *dma_bdf;
static const char *exporter_bdf;

struct devices {
	struct iommu *iommu;
	struct vfio_pci_device *dma;
	struct iova_allocator *iova_allocator;
	struct dma_region host;

	struct iommu *exporter_iommu;
	struct vfio_pci_device *exporter;
	u32 bar;
};

static inline u64 pattern(u64 seed, u64 offset)
{
	u64 z = (seed << 56 | offset) * 0x9e3779b97f4a7c15ULL;

	return z ^ z >> 29;
}

static inline void fill(void *vaddr, u64 size, u64 seed, u64 offset)
{
	u64 *word = vaddr;
	u64 i;

	for (i = 0; i < size; i += sizeof(*word))
		WRITE_ONCE(word[i / sizeof(*word)], pattern(seed, offset + i));
}

/* Number of bytes up to the first wrong one */
static inline u64 match(const void *vaddr, u64 size, u64 seed, u64 offset)
{
	const u64 *word = vaddr;
	u64 i;

	for (i = 0; i < size; i += sizeof(*word)) {
		if (READ_ONCE(word[i / sizeof(*word)]) != pattern(seed, offset + i))
			return i;
	}

	return size;
}

/* Number of words that are as in the pattern; for data that must not be there */
static inline u64 leaked(const void *vaddr, u64 size, u64 seed)
{
	const u64 *word = vaddr;
	u64 i, n = 0;

	for (i = 0; i < size; i += sizeof(*word))
		n += word[i / sizeof(*word)] == pattern(seed, i);

	return n;
}

static inline void *host_src(struct devices *d)
{
	return d->host.vaddr;
}

static inline void *host_dst(struct devices *d)
{
	return d->host.vaddr + MAX_WINDOW_SIZE;
}

static inline u32 largest_bar(struct vfio_pci_device *device)
{
	u32 bar, largest = 0;

	for (bar = 1; bar < PCI_STD_NUM_BARS; bar++) {
		if (device->bars[bar].vaddr &&
		    (!device->bars[largest].vaddr ||
		     device->bars[bar].info.size > device->bars[largest].info.size))
			largest = bar;
	}

	VFIO_ASSERT_NOT_NULL(device->bars[largest].vaddr);
	VFIO_ASSERT_GE(device->bars[largest].info.size, BAR_AREA_SIZE);
	return largest;
}

static inline void region_map(struct devices *d, struct dma_region *region, u64 size)
{
	region->vaddr = mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	VFIO_ASSERT_NE(region->vaddr, MAP_FAILED);
	region->size = size;
	region->iova = iova_allocator_alloc(d->iova_allocator, size);
	iommu_map(d->iommu, region);
}

static inline void dma_device_open(struct devices *d)
{
	d->iommu = iommu_init(MODE_IOMMUFD);
	d->dma = vfio_pci_device_init(dma_bdf, d->iommu);
	d->iova_allocator = iova_allocator_init(d->iommu);
	region_map(d, &d->host, HOST_SIZE);
	region_map(d, &d->dma->driver.region, SZ_2M);
	vfio_pci_driver_init(d->dma);
}

/* Mappings go away with the IOAS, as they would if the process died. */
static inline void dma_device_close(struct devices *d)
{
	struct dma_region driver = d->dma->driver.region;

	iova_allocator_cleanup(d->iova_allocator);
	vfio_pci_device_cleanup(d->dma);
	iommu_cleanup(d->iommu);
	VFIO_ASSERT_EQ(munmap(d->host.vaddr, d->host.size), 0);
	VFIO_ASSERT_EQ(munmap(driver.vaddr, driver.size), 0);
}

static inline void exporter_open(struct devices *d)
{
	d->exporter_iommu = iommu_init(MODE_IOMMUFD);
	d->exporter = vfio_pci_device_init(exporter_bdf, d->exporter_iommu);
	d->bar = largest_bar(d->exporter);
	vfio_pci_cmd_set(d->exporter, PCI_COMMAND_MEMORY);
}

static inline void exporter_close(struct devices *d)
{
	vfio_pci_device_cleanup(d->exporter);
	iommu_cleanup(d->exporter_iommu);
}

static inline void bar_fill_area(struct devices *d)
{
	fill(d->exporter->bars[d->bar].vaddr, BAR_AREA_SIZE, GUARD, 0);
}

static inline struct vfio_dma_buf *export(struct devices *d, u32 nr_ranges, u64 size)
{
	/* Start at an odd page: no part of the layout is better aligned. */
	return vfio_dma_buf_init(d->exporter, d->bar, O_RDWR | O_CLOEXEC,
				 3 * getpagesize(), size, nr_ranges, nr_ranges);
}

static inline void bar_fill(struct vfio_dma_buf *dma_buf, u64 seed)
{
	u64 page = getpagesize(), offset;

	for (offset = 0; offset < dma_buf->size; offset += page)
		fill(vfio_dma_buf_vaddr(dma_buf, offset), page, seed, offset);
}

/* Bytes [start, end) of the dma-buf: number of bytes up to the first wrong one */
static inline u64 bar_match_slice(struct vfio_dma_buf *dma_buf, u64 seed, u64 start, u64 end)
{
	u64 page = getpagesize(), offset, n;

	for (offset = start; offset < end; offset += page) {
		n = match(vfio_dma_buf_vaddr(dma_buf, offset), page, seed, offset);
		if (n != page)
			return offset - start + n;
	}

	return end - start;
}

static inline u64 bar_match(struct vfio_dma_buf *dma_buf, u64 seed)
{
	return bar_match_slice(dma_buf, seed, 0, dma_buf->size);
}

/* True if all of the area that is in no range still has its guard pattern. */
static inline bool bar_guards_intact(struct vfio_dma_buf *dma_buf)
{
	struct vfio_region_dma_range *range;
	u64 page = getpagesize(), offset;
	bool exported;
	u32 i;

	for (offset = 0; offset < BAR_AREA_SIZE; offset += page) {
		exported = false;
		for (i = 0; i < dma_buf->nr_ranges; i++) {
			range = &dma_buf->ranges[i];
			exported |= offset >= range->offset &&
				    offset < range->offset + range->length;
		}

		if (!exported &&
		    match(dma_buf->device->bars[dma_buf->bar].vaddr + offset,
			  page, GUARD, offset) != page)
			return false;
	}

	return true;
}

static inline int map_fixed(struct devices *d, struct dma_region *map, int fd, u64 start, u64 size)
{
	*map = (struct dma_region) {
		.iova = iova_allocator_alloc(d->iova_allocator, IOVA_SIZE),
		.size = size,
	};

	return __iommu_map_file(d->iommu, map, fd, start,
				IOMMU_FILE_RW | IOMMU_IOAS_MAP_FIXED_IOVA);
}

/* Results are ignored where DMA is meant to fail: not all devices notice. */
static inline int dma_write(struct devices *d, u64 seed, iova_t iova, u64 size, u64 offset)
{
	fill(host_src(d), size, seed, offset);
	return vfio_pci_driver_memcpy(d->dma, d->host.iova, iova, size);
}

static inline int dma_read(struct devices *d, iova_t iova, u64 size)
{
	fill(host_dst(d), size, SCRUB, 0);
	return vfio_pci_driver_memcpy(d->dma, iova, d->host.iova + MAX_WINDOW_SIZE, size);
}

/*
 * Write and read all of a mapping. The data of both directions differ, so that
 * nothing that a device kept of the first can pass for the second.
 */
static inline bool dma_works(struct devices *d, struct vfio_dma_buf *dma_buf, iova_t iova)
{
	bar_fill(dma_buf, BEFORE);
	if (dma_write(d, DATA, iova, dma_buf->size, 0) ||
	    bar_match(dma_buf, DATA) != dma_buf->size)
		return false;

	bar_fill(dma_buf, AFTER);
	return !dma_read(d, iova, dma_buf->size) &&
	       match(host_dst(d), dma_buf->size, AFTER, 0) == dma_buf->size;
}

static inline bool device_has_selftests_driver(const char *bdf)
{
	struct vfio_pci_device *device;
	struct iommu *iommu;
	bool has_driver;

	iommu = iommu_init(MODE_IOMMUFD);
	device = vfio_pci_device_init(bdf, iommu);
	has_driver = device->driver.ops;
	vfio_pci_device_cleanup(device);
	iommu_cleanup(iommu);

	return has_driver;
}

/* Take both BDFs from the command line, or exit. */
static inline void dma_buf_test_devices(int *argc, char *argv[])
{
	int nr_bdfs;
	char **bdfs;

	bdfs = vfio_selftests_get_bdfs(argc, argv, &nr_bdfs);
	if (nr_bdfs != 2) {
		fprintf(stderr, "usage: %s [options] DMA_DEVICE_BDF EXPORTER_BDF\n", argv[0]);
		exit(KSFT_SKIP);
	}

	dma_bdf = bdfs[0];
	exporter_bdf = bdfs[1];

	if (!device_has_selftests_driver(dma_bdf)) {
		fprintf(stderr, "No driver found for device %s\n", dma_bdf);
		exit(KSFT_SKIP);
	}
}

#endif /* SELFTESTS_VFIO_VFIO_DMA_BUF_COMMON_H */
