/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What became of a mapping of a dma-buf that its exporter takes away and gives back,
 * from where a VMM would see it: an eventfd to poll, and a state to ask for.
 */
#ifndef PAL_GUEST_MAPPING_H
#define PAL_GUEST_MAPPING_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/iommufd.h>

#define MAPPING_TIMEOUT_MS	30000

/* The eventfd of an IOAS from now on, which has a device attached; -1 on error */
static inline int mapping_watch(int iommufd, uint32_t ioas_id)
{
	struct iommu_ioas_mapping_event cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas_id,
		.event_fd = eventfd(0, EFD_CLOEXEC),
	};

	if (cmd.event_fd == -1 || ioctl(iommufd, IOMMU_IOAS_MAPPING_EVENT, &cmd))
		return -1;
	return cmd.event_fd;
}

/* Whether it was lost that many times and is there now */
static inline bool mapping_is_back(int iommufd, uint32_t ioas_id, uint64_t iova,
				   uint64_t nr_revokes)
{
	struct iommu_ioas_mapping_state cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas_id,
		.iova = iova,
	};

	return !ioctl(iommufd, IOMMU_IOAS_MAPPING_STATE, &cmd) && cmd.iova == iova &&
	       cmd.out_state == IOMMU_IOAS_MAPPING_MAPPED &&
	       cmd.out_nr_revokes == nr_revokes;
}

/* Wait for that; the event has to be older than what is waited for. */
static inline bool mapping_comes_back(int iommufd, uint32_t ioas_id, int event,
				      uint64_t iova, uint64_t nr_revokes)
{
	struct pollfd poll_fd = { .fd = event, .events = POLLIN };
	uint64_t count;

	while (!mapping_is_back(iommufd, ioas_id, iova, nr_revokes))
		if (poll(&poll_fd, 1, MAPPING_TIMEOUT_MS) != 1 ||
		    read(event, &count, sizeof(count)) != sizeof(count))
			return false;
	return true;
}

#endif
