/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SELFTESTS_VFIO_LIB_INCLUDE_LIBVFIO_NVME_H
#define SELFTESTS_VFIO_LIB_INCLUDE_LIBVFIO_NVME_H

#include <libvfio/iommu.h>
#include <libvfio/vfio_pci_device.h>

/*
 * The NVMe driver bounces memcpy through the last blocks of the namespace and
 * tests write to the others, so it only accepts a device whose content may be
 * destroyed: the user says so by setting this environment variable to 1.
 */
#define NVME_OVERWRITE_ENV "VFIO_SELFTESTS_NVME_OVERWRITE"

extern struct vfio_pci_driver_ops nvme_ops;

struct nvme_namespace {
	u32 nsid;

	/* Bytes in a logical block */
	u32 block_size;

	/* Blocks for the test; the ones behind them are memcpy's bounce area */
	u64 nr_blocks;

	/* Largest size of a single command (multiple of block_size) */
	u64 max_size;
};

/* True if @device is driven by the NVMe driver, initialized or not. */
bool nvme_device(struct vfio_pci_device *device);

const struct nvme_namespace *nvme_namespace(struct vfio_pci_device *device);

/*
 * Start one read (disk to memory) or write (memory to disk) command. @iova must
 * be 4-byte aligned, @size a multiple of the block size and at most max_size.
 * Several commands can be in flight and complete in any order; the call waits
 * only when all command slots are taken.
 */
void nvme_read_start(struct vfio_pci_device *device, u64 lba, iova_t iova, u64 size);
void nvme_write_start(struct vfio_pci_device *device, u64 lba, iova_t iova, u64 size);

/*
 * Wait until no command is in flight. Returns 0, or the first error since the
 * last call: -EIO if the controller reported a failure, -ETIMEDOUT if it did
 * not answer, in which case it has been reset.
 *
 * Success does not prove that data has moved: some controllers do not report
 * that the IOMMU blocked an access.
 */
int nvme_wait(struct vfio_pci_device *device);

/* Read or write any multiple of the block size and wait for the result. */
int nvme_read(struct vfio_pci_device *device, u64 lba, iova_t iova, u64 size);
int nvme_write(struct vfio_pci_device *device, u64 lba, iova_t iova, u64 size);

#endif /* SELFTESTS_VFIO_LIB_INCLUDE_LIBVFIO_NVME_H */
