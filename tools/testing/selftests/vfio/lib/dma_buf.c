// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include <linux/iommufd.h>
#include <linux/types.h>
#include <linux/vfio.h>

#include <libvfio.h>
#include <libvfio/dma_buf.h>

int __vfio_pci_dma_buf_export(struct vfio_pci_device *device, u32 region_index,
			      u32 open_flags, u32 nr_ranges,
			      const struct vfio_region_dma_range *ranges)
{
	struct vfio_device_feature_dma_buf *dma_buf;
	struct vfio_device_feature *feature;
	size_t argsz;
	int ret;

	argsz = sizeof(*feature) + sizeof(*dma_buf) + nr_ranges * sizeof(*ranges);
	feature = calloc_assert(1, argsz);
	feature->argsz = argsz;
	feature->flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF;

	dma_buf = (void *)feature->data;
	dma_buf->region_index = region_index;
	dma_buf->open_flags = open_flags;
	dma_buf->nr_ranges = nr_ranges;
	memcpy(dma_buf->dma_ranges, ranges, nr_ranges * sizeof(*ranges));

	ret = ioctl(device->fd, VFIO_DEVICE_FEATURE, feature);
	if (ret < 0)
		ret = -errno;

	free(feature);
	return ret;
}

/* splitmix64: any seed will do, and the sequence is the same everywhere. */
static u64 next_random(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void vfio_dma_buf_shuffle(struct vfio_region_dma_range *ranges, u32 nr_ranges,
			  u64 offset, u64 size, u64 seed)
{
	u64 page_size = getpagesize();
	struct vfio_region_dma_range tmp;
	u64 slot_pages, pages, skip;
	u32 i, j;

	VFIO_ASSERT_GT(nr_ranges, 0);

	if (nr_ranges == 1) {
		ranges[0].offset = offset;
		ranges[0].length = size;
		return;
	}

	/*
	 * Each range lives in a slot of its own and leaves at least one page of
	 * it free, at the end, so that neighbours in the BAR cannot be merged
	 * and that DMA beyond a range is seen.
	 */
	slot_pages = size / nr_ranges / page_size;
	VFIO_ASSERT_GE(slot_pages, 2, "Window is too small for %u ranges\n", nr_ranges);

	for (i = 0; i < nr_ranges; i++) {
		pages = 1 + next_random(&seed) % (slot_pages - 1);
		skip = next_random(&seed) % (slot_pages - pages);
		ranges[i].offset = offset + (i * slot_pages + skip) * page_size;
		ranges[i].length = pages * page_size;
	}

	/* Sattolo's shuffle: a single cycle, hence no range stays in its place. */
	for (i = nr_ranges - 1; i > 0; i--) {
		j = next_random(&seed) % i;
		tmp = ranges[i];
		ranges[i] = ranges[j];
		ranges[j] = tmp;
	}
}

struct vfio_dma_buf *vfio_dma_buf_init(struct vfio_pci_device *device, u32 bar,
				       u32 open_flags, u64 offset, u64 size,
				       u32 nr_ranges, u64 seed)
{
	struct vfio_dma_buf *dma_buf;
	u32 i;

	VFIO_ASSERT_LT(bar, PCI_STD_NUM_BARS);

	dma_buf = calloc_assert(1, sizeof(*dma_buf));
	dma_buf->ranges = calloc_assert(nr_ranges, sizeof(*dma_buf->ranges));
	dma_buf->nr_ranges = nr_ranges;
	dma_buf->device = device;
	dma_buf->bar = bar;

	vfio_dma_buf_shuffle(dma_buf->ranges, nr_ranges, offset, size, seed);
	for (i = 0; i < nr_ranges; i++)
		dma_buf->size += dma_buf->ranges[i].length;

	dma_buf->fd = __vfio_pci_dma_buf_export(device, bar, open_flags,
						nr_ranges, dma_buf->ranges);
	VFIO_ASSERT_GE(dma_buf->fd, 0, "Failed to export BAR %u\n", bar);

	return dma_buf;
}

void vfio_dma_buf_cleanup(struct vfio_dma_buf *dma_buf)
{
	if (dma_buf->fd >= 0)
		VFIO_ASSERT_EQ(close(dma_buf->fd), 0);

	free(dma_buf->ranges);
	free(dma_buf);
}

u64 vfio_dma_buf_bar_offset(struct vfio_dma_buf *dma_buf, u64 offset)
{
	struct vfio_region_dma_range *range;

	for (range = dma_buf->ranges; range < dma_buf->ranges + dma_buf->nr_ranges; range++) {
		if (offset < range->length)
			return range->offset + offset;
		offset -= range->length;
	}

	VFIO_FAIL("Offset is 0x%lx bytes beyond the dma-buf\n", (unsigned long)offset);
}

void *vfio_dma_buf_vaddr(struct vfio_dma_buf *dma_buf, u64 offset)
{
	return dma_buf->device->bars[dma_buf->bar].vaddr +
	       vfio_dma_buf_bar_offset(dma_buf, offset);
}

int __iommu_map_file(struct iommu *iommu, struct dma_region *region, int fd,
		     u64 start, u32 flags)
{
	struct iommu_ioas_map_file args = {
		.size = sizeof(args),
		.flags = flags,
		.ioas_id = iommu->ioas_id,
		.fd = fd,
		.start = start,
		.length = region->size,
		.iova = region->iova,
	};

	VFIO_ASSERT_GT(iommu->iommufd, 0, "MAP_FILE needs mode %s\n", MODE_IOMMUFD);

	if (ioctl(iommu->iommufd, IOMMU_IOAS_MAP_FILE, &args))
		return -errno;

	region->iova = args.iova;
	list_add(&region->link, &iommu->dma_regions);

	return 0;
}
