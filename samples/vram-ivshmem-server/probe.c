// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether iommufd takes a dma-buf. There is no question that user space could ask but
 * the mapping itself, for which no device is needed: the exporter is asked for the
 * memory, which is pinned, as soon as it is mapped into an IOAS. QEMU ends when this
 * fails while a guest runs, so it is better known before.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/iommufd.h>

#include "server.h"

static const char *reason(int error)
{
	switch (error) {
	case ENOTTY:
		return "this kernel's iommufd maps no files (Linux 6.13 and newer do)";
	case EOPNOTSUPP:
		return "this kernel's iommufd takes no dma-buf of this exporter: the PAL "
		       "mapping type is missing, or the memory may leave VRAM";
	case EPERM:
		return "the dma-buf is read-only, and a guest's BAR is written";
	case EBUSY:
		return "it is not in the part of VRAM that the BAR shows, or somebody has it "
		       "who cannot do peer-to-peer DMA";
	case ENOSPC:
	case ENOMEM:
	case EDQUOT:
		return "no room: VRAM is full, or more of it would be pinned than "
		       "ttm.pal_pin_percent allows";
	case ENODEV:
		return "the GPU is gone";
	default:
		return strerror(error);
	}
}

void probe_iommufd(int dma_buf, uint64_t size)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
		.fd = dma_buf,
		.length = size,
	};
	int iommufd, ret;

	iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (iommufd < 0)
		die(NOT_HERE, "/dev/iommu: %s (CONFIG_IOMMUFD, and who may open it)",
		    strerror(errno));
	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &ioas))
		die(FAILED, "IOMMU_IOAS_ALLOC: %s", strerror(errno));
	map.ioas_id = ioas.out_ioas_id;
	ret = ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map);
	if (ret)
		die(NOT_HERE, "iommufd does not map it: %s", reason(errno));
	/* Which unmaps, and with that unpins */
	close(iommufd);
}
