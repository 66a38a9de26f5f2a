/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SELFTESTS_VFIO_LIB_INCLUDE_LIBVFIO_DMA_BUF_H
#define SELFTESTS_VFIO_LIB_INCLUDE_LIBVFIO_DMA_BUF_H

#include <linux/iommufd.h>
#include <linux/types.h>
#include <linux/vfio.h>

#include <libvfio/iommu.h>
#include <libvfio/vfio_pci_device.h>

/*
 * A dma-buf of device memory: @ranges of BAR @bar of @device, in this order.
 * Offsets of ranges count from the start of the BAR; an offset into the dma-buf
 * counts through the ranges one after the other.
 */
struct vfio_dma_buf {
	struct vfio_pci_device *device;
	int fd;
	u32 bar;
	u64 size;
	u32 nr_ranges;
	struct vfio_region_dma_range *ranges;
};

/* VFIO_DEVICE_FEATURE_DMA_BUF as it is. Returns a new dma-buf fd or -errno. */
int __vfio_pci_dma_buf_export(struct vfio_pci_device *device, u32 region_index,
			      u32 open_flags, u32 nr_ranges,
			      const struct vfio_region_dma_range *ranges);

/*
 * Export @nr_ranges ranges of the window [@offset, @offset + @size) of a BAR.
 *
 * A single range covers the whole window. Several ranges are of different
 * sizes, never touch one another, and come in an order in which none is where
 * its address would put it; the same @seed gives the same ranges.
 */
struct vfio_dma_buf *vfio_dma_buf_init(struct vfio_pci_device *device, u32 bar,
				       u32 open_flags, u64 offset, u64 size,
				       u32 nr_ranges, u64 seed);
void vfio_dma_buf_cleanup(struct vfio_dma_buf *dma_buf);

/* Fill @ranges with the layout that vfio_dma_buf_init() would use. */
void vfio_dma_buf_shuffle(struct vfio_region_dma_range *ranges, u32 nr_ranges,
			  u64 offset, u64 size, u64 seed);

/* The BAR offset of byte @offset of the dma-buf */
u64 vfio_dma_buf_bar_offset(struct vfio_dma_buf *dma_buf, u64 offset);

/* The CPU mapping of byte @offset of the dma-buf. Contiguous up to the page's end. */
void *vfio_dma_buf_vaddr(struct vfio_dma_buf *dma_buf, u64 offset);

#define IOMMU_FILE_RW (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

/*
 * Map bytes [@start, @start + region->size) of the file or dma-buf @fd with
 * IOMMU_IOAS_MAP_FILE; @iommu must be in MODE_IOMMUFD. @flags are the ioctl's.
 * With IOMMU_IOAS_MAP_FIXED_IOVA region->iova says where, otherwise it returns
 * the kernel's choice. region->vaddr is not used by the mapping itself; set it
 * if iommu_hva2iova() shall find the region. Undone by iommu_unmap().
 */
int __iommu_map_file(struct iommu *iommu, struct dma_region *region, int fd,
		     u64 start, u32 flags);

static inline void iommu_map_file(struct iommu *iommu, struct dma_region *region,
				  int fd, u64 start, u32 flags)
{
	VFIO_ASSERT_EQ(__iommu_map_file(iommu, region, fd, start, flags), 0);
}

#endif /* SELFTESTS_VFIO_LIB_INCLUDE_LIBVFIO_DMA_BUF_H */
