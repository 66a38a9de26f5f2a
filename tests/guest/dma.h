/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other side of VRAM that is exported: an NVMe controller, driven from user
 * space, in an IOAS into which the dma-buf is mapped, and two views that are
 * independent of it, the BAR as PCI shows it and what debugfs tells.
 *
 * Data goes through the disk. Whether it arrived is looked up in the data, as
 * QEMU's controller reports success when the IOMMU blocked it.
 */
#ifndef PAL_GUEST_DMA_H
#define PAL_GUEST_DMA_H

#include <stdbool.h>
#include <stdint.h>

#include <libvfio.h>
#include <libvfio/nvme.h>

#define DMA_HOST_SIZE	(1ull << 20)

struct dma {
	struct iommu *iommu;
	struct vfio_pci_device *nvme;
	/* Memory of ours that the controller reaches, DMA_HOST_SIZE bytes */
	struct dma_region host;
};

void dma_open(struct dma *dma, const char *nvme_bdf);
void dma_close(struct dma *dma);

/* All of, or a part of, a dma-buf to an IOVA that the kernel chooses */
int __dma_map(struct dma *dma, struct dma_region *map, int dma_buf,
	      uint64_t start, uint64_t size, uint32_t flags);
void dma_map(struct dma *dma, struct dma_region *map, int dma_buf, uint64_t size);
void dma_unmap(struct dma *dma, struct dma_region *map);

/*
 * The pattern of outside.h for [@offset, @offset + @size), by way of the disk,
 * to IOVA + @offset; and the number of words there that differ from it.
 */
void dma_fill(struct dma *dma, iova_t iova, uint64_t offset, uint64_t size,
	      uint64_t seed);
uint64_t dma_differs(struct dma *dma, iova_t iova, uint64_t offset,
		     uint64_t size, uint64_t seed);

/* What bufinfo says of the PAL attachment of a dma-buf */
struct bufinfo {
	unsigned int attachments;
	unsigned int pal_attachments;
	/* Of the last PAL attachment; 0 if it is not mapped */
	uint64_t ranges;
	uint64_t bytes;
};

struct bufinfo bufinfo(int dma_buf);

/* All memory of a BAR, by sysfs, whatever driver there is. The size, or exits. */
uint64_t bar_map(const char *bdf, int bar, void **vaddr);

/* Writes to a file of sysfs or debugfs; 0 or -errno. */
int write_file(const char *path, const char *text);

/* Bind to, or unbind from, a driver of the PCI bus; 0 or -errno. */
int pci_driver(const char *driver, const char *verb, const char *bdf);

#endif
