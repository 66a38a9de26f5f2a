// SPDX-License-Identifier: MIT
/* What iommufd and KVM are asked */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/kvm.h>

#include "internal.h"

/* Of kernels with dma-buf memory slots; older headers do not have them. */
#ifndef KVM_MEM_DMABUF
#define KVM_MEM_DMABUF		(1UL << 3)
#endif
#ifndef KVM_CAP_DMABUF_MEM
#define KVM_CAP_DMABUF_MEM	252
#endif

/* Of kernels whose iommufd restores mappings */
#define MAP_MOVABLE		(1u << 3)

/* Where PCs have no memory of their own: the slot of a VM that nobody runs */
#define PROBE_GPA	(1ull << 32)

/* What can be said before the kernel is asked */
static int check(const struct dmabuf_pal_buf *buf, uint64_t offset, uint64_t length,
		 uint32_t flags, uint32_t known, struct dmabuf_pal_error *error)
{
	int mode = fcntl(buf->fd, F_GETFL);

	if (flags & ~known)
		return pal_fail(error, DMABUF_PAL_BAD_ARGUMENT, -EINVAL,
				"unknown flags %#x", flags & ~known);
	if (mode < 0)
		return pal_fail(error, DMABUF_PAL_BAD_ARGUMENT, -EBADF,
				"file %d is not open", buf->fd);
	if (!pal_is_dma_buf(buf->fd))
		return pal_fail(error, DMABUF_PAL_NOT_DMA_BUF, -EINVAL,
				"file %d is no dma-buf", buf->fd);
	if (!length || offset > buf->size || length > buf->size - offset)
		return pal_fail(error, DMABUF_PAL_BAD_RANGE, -EINVAL,
				"%#llx + %#llx is not within the %#llx bytes of the buffer",
				(unsigned long long)offset, (unsigned long long)length,
				(unsigned long long)buf->size);
	return 0;
}

static int map_file(int iommufd, uint32_t ioas_id, int fd, uint64_t offset,
		    uint64_t length, uint32_t flags, uint64_t *iova)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE |
			 (flags & DMABUF_PAL_FLAG_READ_ONLY ? 0 : IOMMU_IOAS_MAP_WRITEABLE) |
			 (flags & DMABUF_PAL_FLAG_FIXED_IOVA ? IOMMU_IOAS_MAP_FIXED_IOVA : 0) |
			 (flags & DMABUF_PAL_FLAG_MOVABLE ? MAP_MOVABLE : 0),
		.ioas_id = ioas_id,
		.fd = fd,
		.start = offset,
		.length = length,
		.iova = flags & DMABUF_PAL_FLAG_FIXED_IOVA ? *iova : 0,
	};
	int ret;

	ret = pal_ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map);
	if (!ret)
		*iova = map.iova;
	return ret;
}

static void destroy(int iommufd, uint32_t id)
{
	struct iommu_destroy arg = { .size = sizeof(arg), .id = id };

	pal_ioctl(iommufd, IOMMU_DESTROY, &arg);
}

/* Maps it into an IOAS that nothing else is in, and takes it out again. */
static int try_map(int iommufd, const struct dmabuf_pal_buf *buf, uint64_t offset,
		   uint64_t length, uint32_t flags)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	uint64_t iova;
	int ret;

	ret = pal_ioctl(iommufd, IOMMU_IOAS_ALLOC, &ioas);
	if (ret)
		return ret;
	ret = map_file(iommufd, ioas.out_ioas_id, buf->fd, offset, length,
		       flags & ~DMABUF_PAL_FLAG_FIXED_IOVA, &iova);
	/* Which unmaps */
	destroy(iommufd, ioas.out_ioas_id);
	return ret;
}

bool pal_has_ioas(int iommufd, uint32_t ioas_id)
{
	struct iommu_ioas_iova_ranges ranges = { .size = sizeof(ranges), .ioas_id = ioas_id };
	int ret = pal_ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, &ranges);

	/* It has more ranges than there is room for here. */
	return !ret || ret == -EMSGSIZE;
}

/* Three causes have one errno: the IOAS, the kernel, and the buffer. */
static int explain_movable(int iommufd, const struct dmabuf_pal_buf *buf, uint64_t offset,
			   uint64_t length, uint32_t flags, int err,
			   struct dmabuf_pal_error *error)
{
	if (!try_map(iommufd, buf, offset, length, flags))
		return pal_fail(error, DMABUF_PAL_NO_FAULTS, err,
				"the IOAS has an HWPT that does not report faults, so that "
				"nothing in it may move");
	if (!try_map(iommufd, buf, offset, length, flags & ~DMABUF_PAL_FLAG_MOVABLE))
		return pal_fail(error, DMABUF_PAL_OLD_KERNEL, err,
				"iommufd of this kernel pins what it maps, nothing may move");
	return pal_explain(error, buf, err, "iommufd");
}

/* Whether it is the addresses: an empty IOAS would have taken the buffer. */
static int explain_map(int iommufd, uint32_t ioas_id, const struct dmabuf_pal_buf *buf,
		       uint64_t offset, uint64_t length, uint32_t flags, uint64_t iova,
		       int err, struct dmabuf_pal_error *error)
{
	bool fixed = flags & DMABUF_PAL_FLAG_FIXED_IOVA;

	if (err == -EOPNOTSUPP && (flags & DMABUF_PAL_FLAG_MOVABLE))
		return explain_movable(iommufd, buf, offset, length, flags, err, error);
	if (err == -EOPNOTSUPP || err == -EBUSY || err == -ENODEV || err == -ENOTTY)
		return pal_explain(error, buf, err, "iommufd");
	if (err == -ENOENT && !pal_has_ioas(iommufd, ioas_id))
		return pal_fail(error, DMABUF_PAL_BAD_ARGUMENT, err,
				"iommufd %d has no IOAS %u", iommufd, ioas_id);
	if ((err == -ENOSPC || err == -EEXIST || err == -EADDRINUSE || err == -EINVAL ||
	     err == -ENOENT) && !try_map(iommufd, buf, offset, length, flags))
		return pal_fail(error, DMABUF_PAL_NO_IOVA, err,
				fixed ? "the IOAS has no room for %llu KiB at %#llx: taken, not "
					"aligned or not one that its devices have" :
					"the IOAS has no room for %llu KiB",
				KIB(length), (unsigned long long)iova);
	return pal_explain(error, buf, err, "iommufd");
}

int dmabuf_pal_ioas_map(int iommufd, uint32_t ioas_id, const struct dmabuf_pal_buf *buf,
			uint64_t offset, uint64_t length, uint32_t flags,
			uint64_t *iova, struct dmabuf_pal_error *error)
{
	int ret;

	ret = check(buf, offset, length, flags,
		    DMABUF_PAL_FLAG_READ_ONLY | DMABUF_PAL_FLAG_FIXED_IOVA |
		    DMABUF_PAL_FLAG_MOVABLE, error);
	if (ret)
		return ret;
	ret = map_file(iommufd, ioas_id, buf->fd, offset, length, flags, iova);
	if (!ret)
		return pal_done(error, 0, NULL);
	return explain_map(iommufd, ioas_id, buf, offset, length, flags, *iova, ret, error);
}

int dmabuf_pal_ioas_unmap(int iommufd, uint32_t ioas_id, uint64_t iova, uint64_t length,
			  struct dmabuf_pal_error *error)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas_id,
		.iova = iova,
		.length = length,
	};
	int ret;

	/* To iommufd the address space as a whole, and its errno for nothing there */
	if (!length || (!iova && length == UINT64_MAX))
		return pal_fail(error, DMABUF_PAL_BAD_RANGE, -EINVAL,
				"unmap: that is no length of a mapping");
	ret = pal_ioctl(iommufd, IOMMU_IOAS_UNMAP, &unmap);
	if (ret == -ENOENT)
		return pal_fail(error, DMABUF_PAL_BAD_RANGE, ret,
				"IOAS %u has no mapping that is within %#llx + %#llx", ioas_id,
				(unsigned long long)iova, (unsigned long long)length);
	return pal_done(error, ret, "IOMMU_IOAS_UNMAP");
}

/* A device file that is the caller's, or opened here if @given is negative */
static int open_device(const char *path, int given, struct dmabuf_pal_error *error)
{
	int fd = given >= 0 ? given : open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return pal_fail(error, DMABUF_PAL_NO_ACCESS, -errno, "%s: %m", path);
	return fd;
}

int dmabuf_pal_probe_iommufd(const struct dmabuf_pal_buf *buf, int iommufd,
			     uint32_t flags, struct dmabuf_pal_error *error)
{
	int fd, ret;

	ret = check(buf, 0, buf->size, flags, DMABUF_PAL_FLAG_READ_ONLY, error);
	if (ret)
		return ret;
	fd = open_device("/dev/iommu", iommufd, error);
	if (fd < 0)
		return fd;
	ret = pal_explain(error, buf, try_map(fd, buf, 0, buf->size, flags), "iommufd");
	if (fd != iommufd)
		close(fd);
	return ret;
}

/* Needs a VM, since not each of them may have such slots. */
static int try_slot(int vm, const struct dmabuf_pal_buf *buf, uint32_t flags,
		    struct dmabuf_pal_error *error)
{
	struct kvm_userspace_memory_region2 region = {
		.flags = KVM_MEM_DMABUF |
			 (flags & DMABUF_PAL_FLAG_READ_ONLY ? KVM_MEM_READONLY : 0),
		.guest_phys_addr = PROBE_GPA,
		.memory_size = buf->size,
		.guest_memfd = buf->fd,
	};

	if (ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_DMABUF_MEM) <= 0)
		return pal_fail(error, DMABUF_PAL_OLD_KERNEL, -EOPNOTSUPP,
				"KVM of this kernel has no memory slots of dma-bufs "
				"(KVM_CAP_DMABUF_MEM)");
	return pal_explain(error, buf, pal_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region),
			   "KVM");
}

int dmabuf_pal_probe_kvm(const struct dmabuf_pal_buf *buf, int kvm, uint32_t flags,
			 struct dmabuf_pal_error *error)
{
	int fd, vm, ret;

	ret = check(buf, 0, buf->size, flags, DMABUF_PAL_FLAG_READ_ONLY, error);
	if (ret)
		return ret;
	fd = open_device("/dev/kvm", kvm, error);
	if (fd < 0)
		return fd;
	do {
		vm = ioctl(fd, KVM_CREATE_VM, 0);
	} while (vm < 0 && errno == EINTR);
	if (vm < 0) {
		ret = pal_fail(error, DMABUF_PAL_NO_ACCESS, -errno, "KVM makes no VM: %m");
	} else {
		ret = try_slot(vm, buf, flags, error);
		close(vm);
	}
	if (fd != kvm)
		close(fd);
	return ret;
}
