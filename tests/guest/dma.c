// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/sizes.h>

#include "outside.h"
#include "dma.h"

#define BUFINFO	"/sys/kernel/debug/dma_buf/bufinfo"

static void host_map(struct dma *dma, struct iova_allocator *iovas,
		     struct dma_region *region, uint64_t size)
{
	region->size = size;
	region->iova = iova_allocator_alloc(iovas, size);
	region->vaddr = mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	VFIO_ASSERT_NE(region->vaddr, MAP_FAILED);
	iommu_map(dma->iommu, region);
}

void dma_open(struct dma *dma, const char *nvme_bdf)
{
	struct iova_allocator *iovas;

	/* The disk of a test VM is there to be overwritten. */
	setenv(NVME_OVERWRITE_ENV, "1", 1);
	dma->iommu = iommu_init(MODE_IOMMUFD);
	dma->nvme = vfio_pci_device_init(nvme_bdf, dma->iommu);
	VFIO_ASSERT_TRUE(nvme_device(dma->nvme), "%s is not an NVMe controller\n",
			 nvme_bdf);
	iovas = iova_allocator_init(dma->iommu);
	host_map(dma, iovas, &dma->host, DMA_HOST_SIZE);
	host_map(dma, iovas, &dma->nvme->driver.region, SZ_2M);
	iova_allocator_cleanup(iovas);
	vfio_pci_driver_init(dma->nvme);
}

void dma_close(struct dma *dma)
{
	struct dma_region driver = dma->nvme->driver.region;

	vfio_pci_device_cleanup(dma->nvme);
	iommu_cleanup(dma->iommu);
	VFIO_ASSERT_EQ(munmap(dma->host.vaddr, dma->host.size), 0);
	VFIO_ASSERT_EQ(munmap(driver.vaddr, driver.size), 0);
}

int __dma_map(struct dma *dma, struct dma_region *map, int dma_buf,
	      uint64_t start, uint64_t size, uint32_t flags)
{
	*map = (struct dma_region){ .size = size };
	return __iommu_map_file(dma->iommu, map, dma_buf, start, flags);
}

void dma_map(struct dma *dma, struct dma_region *map, int dma_buf, uint64_t size)
{
	VFIO_ASSERT_EQ(__dma_map(dma, map, dma_buf, 0, size, IOMMU_FILE_RW), 0);
}

void dma_unmap(struct dma *dma, struct dma_region *map)
{
	iommu_unmap(dma->iommu, map);
}

static uint64_t chunk(uint64_t left)
{
	return left < DMA_HOST_SIZE ? left : DMA_HOST_SIZE;
}

void dma_fill(struct dma *dma, iova_t iova, uint64_t offset, uint64_t size,
	      uint64_t seed)
{
	uint64_t at, len;

	for (at = offset; at < offset + size; at += len) {
		len = chunk(offset + size - at);
		outside_pattern(dma->host.vaddr, at, len, seed);
		VFIO_ASSERT_EQ(nvme_write(dma->nvme, 0, dma->host.iova, len), 0);
		nvme_read(dma->nvme, 0, iova + at, len);
	}
}

uint64_t dma_differs(struct dma *dma, iova_t iova, uint64_t offset,
		     uint64_t size, uint64_t seed)
{
	uint64_t at, len, wrong = 0;

	for (at = offset; at < offset + size; at += len) {
		len = chunk(offset + size - at);
		/* Neither the disk nor our memory has the data from before. */
		memset(dma->host.vaddr, 0x5a, len);
		VFIO_ASSERT_EQ(nvme_write(dma->nvme, 0, dma->host.iova, len), 0);
		nvme_write(dma->nvme, 0, iova + at, len);
		VFIO_ASSERT_EQ(nvme_read(dma->nvme, 0, dma->host.iova, len), 0);
		wrong += outside_differs(dma->host.vaddr, at, len, seed);
	}
	return wrong;
}

/* A line of a dma-buf: size, flags, mode, count, exporter, inode, name */
static bool is_buffer(const char *line, unsigned long *ino)
{
	return sscanf(line, "%*u\t%*x\t%*x\t%*d\t%*s\t%lu\t", ino) == 1;
}

struct bufinfo bufinfo(int dma_buf)
{
	unsigned long ino, number, ranges, bytes;
	struct bufinfo info = {};
	bool ours = false;
	struct stat st;
	char line[256];
	const char *pal;
	FILE *file;

	VFIO_ASSERT_EQ(fstat(dma_buf, &st), 0);
	file = fopen(BUFINFO, "r");
	VFIO_ASSERT_NOT_NULL(file);
	while (fgets(line, sizeof(line), file)) {
		int end = 0;

		if (is_buffer(line, &ino))
			ours = ino == st.st_ino;
		if (!ours)
			continue;
		if (sscanf(line, "Total %lu devices%n", &number, &end) == 1 && end)
			info.attachments = number;
		pal = strstr(line, "mapping=PAL");
		if (!pal)
			continue;
		info.pal_attachments++;
		info.ranges = info.bytes = 0;
		if (sscanf(pal, "mapping=PAL ranges=%lu bytes=%lu", &ranges, &bytes) == 2) {
			info.ranges = ranges;
			info.bytes = bytes;
		}
	}
	fclose(file);
	return info;
}

uint64_t bar_map(const char *bdf, int bar, void **vaddr)
{
	char path[128];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%d", bdf, bar);
	fd = open(path, O_RDWR | O_CLOEXEC);
	VFIO_ASSERT_GE(fd, 0);
	VFIO_ASSERT_EQ(fstat(fd, &st), 0);
	*vaddr = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	VFIO_ASSERT_NE(*vaddr, MAP_FAILED);
	close(fd);
	return st.st_size;
}

int write_file(const char *path, const char *text)
{
	int fd, ret = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int pci_driver(const char *driver, const char *verb, const char *bdf)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/%s", driver, verb);
	return write_file(path, bdf);
}
