// SPDX-License-Identifier: MIT
/* What became of a mapping in an IOAS: the exporter takes memory away and gives it back. */
#include <linux/iommufd.h>

#include "internal.h"

/* Of kernels whose iommufd restores mappings; older headers do not have them. */
#ifndef IOMMU_IOAS_MAPPING_EVENT
struct iommu_ioas_mapping_event {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__s32 event_fd;
};

#define IOMMU_IOAS_MAPPING_EVENT	_IO(IOMMUFD_TYPE, 0x96)

struct iommu_ioas_mapping_state {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 out_state;
	__aligned_u64 iova;
	__aligned_u64 out_length;
	__aligned_u64 out_nr_revokes;
};

#define IOMMU_IOAS_MAPPING_STATE	_IO(IOMMUFD_TYPE, 0x97)
#endif

static int old_kernel(struct dmabuf_pal_error *error, int err)
{
	return pal_fail(error, DMABUF_PAL_OLD_KERNEL, err,
			"iommufd of this kernel does not tell what becomes of mappings, "
			"and does not restore them");
}

static int no_ioas(struct dmabuf_pal_error *error, int err, int iommufd, uint32_t ioas_id)
{
	return pal_fail(error, DMABUF_PAL_BAD_ARGUMENT, err, "iommufd %d has no IOAS %u",
			iommufd, ioas_id);
}

int dmabuf_pal_ioas_watch(int iommufd, uint32_t ioas_id, int event_fd,
			  struct dmabuf_pal_error *error)
{
	struct iommu_ioas_mapping_event event = {
		.size = sizeof(event),
		.ioas_id = ioas_id,
		.event_fd = event_fd < 0 ? -1 : event_fd,
	};
	int ret = pal_ioctl(iommufd, IOMMU_IOAS_MAPPING_EVENT, &event);

	if (ret == -ENOTTY)
		return old_kernel(error, ret);
	if (ret == -ENOENT)
		return no_ioas(error, ret, iommufd, ioas_id);
	if (ret == -EINVAL || ret == -EBADF)
		return pal_fail(error, DMABUF_PAL_BAD_ARGUMENT, ret,
				"file %d is no eventfd, or file %d no iommufd", event_fd,
				iommufd);
	return pal_done(error, ret, "IOMMU_IOAS_MAPPING_EVENT");
}

int dmabuf_pal_ioas_mapping(int iommufd, uint32_t ioas_id, uint64_t iova,
			    struct dmabuf_pal_mapping *mapping,
			    struct dmabuf_pal_error *error)
{
	struct iommu_ioas_mapping_state state = {
		.size = sizeof(state),
		.ioas_id = ioas_id,
		.iova = iova,
	};
	int ret = pal_ioctl(iommufd, IOMMU_IOAS_MAPPING_STATE, &state);

	if (ret == -ENOTTY)
		return old_kernel(error, ret);
	if (ret == -ENOENT && !pal_has_ioas(iommufd, ioas_id))
		return no_ioas(error, ret, iommufd, ioas_id);
	if (ret == -ENOENT)
		return pal_fail(error, DMABUF_PAL_BAD_RANGE, ret,
				"IOAS %u has no mapping of a dma-buf at or after %#llx", ioas_id,
				(unsigned long long)iova);
	if (!ret)
		*mapping = (struct dmabuf_pal_mapping){
			.iova = state.iova,
			.length = state.out_length,
			.nr_revokes = state.out_nr_revokes,
			.state = state.out_state,
		};
	return pal_done(error, ret, "IOMMU_IOAS_MAPPING_STATE");
}
