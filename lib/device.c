// SPDX-License-Identifier: MIT
/* Opening a GPU, allocating and exporting: what does not depend on the driver */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <xf86drm.h>

#include "internal.h"

#define MAX_DEVICES	64

static const struct pal_driver *const drivers[] = {
	&pal_xe_driver, &pal_amdgpu_driver,
};

const struct pal_driver *pal_driver(int drm_fd)
{
	drmVersionPtr version = drmGetVersion(drm_fd);
	const struct pal_driver *found = NULL;
	size_t i;

	if (!version)
		return NULL;
	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]) && !found; i++)
		if (!strcmp(version->name, drivers[i]->name))
			found = drivers[i];
	drmFreeVersion(version);
	return found;
}

static bool is_at(drmDevicePtr device, const drmPciBusInfo *at)
{
	const drmPciBusInfo *own = device->businfo.pci;

	return device->bustype == DRM_BUS_PCI &&
	       device->available_nodes & 1 << DRM_NODE_RENDER &&
	       own->domain == at->domain && own->bus == at->bus && own->dev == at->dev &&
	       own->func == at->func;
}

static bool parse_bdf(const char *bdf, drmPciBusInfo *at)
{
	static const char shape[] = "xxxx:xx:xx.x";
	unsigned int domain, bus, dev, func;
	size_t i;

	if (!bdf || strlen(bdf) != strlen(shape))
		return false;
	/* sscanf() would take signs and spaces as well. */
	for (i = 0; shape[i]; i++)
		if (shape[i] == 'x' ? !isxdigit((unsigned char)bdf[i]) : bdf[i] != shape[i])
			return false;
	if (sscanf(bdf, "%4x:%2x:%2x.%1x", &domain, &bus, &dev, &func) != 4 || dev > 31 ||
	    func > 7)
		return false;
	*at = (drmPciBusInfo){ .domain = domain, .bus = bus, .dev = dev, .func = func };
	return true;
}

int dmabuf_pal_open(const char *bdf, int *drm_fd, struct dmabuf_pal_error *error)
{
	drmDevicePtr devices[MAX_DEVICES];
	drmPciBusInfo at;
	int nr, i, ret = -ENODEV;

	if (!parse_bdf(bdf, &at))
		return pal_fail(error, DMABUF_PAL_BAD_ARGUMENT, -EINVAL,
				"'%s' is no address of a PCI device, as 0000:03:00.0 is",
				bdf ? bdf : "(null)");
	nr = drmGetDevices2(0, devices, MAX_DEVICES);
	for (i = 0; i < nr && i < MAX_DEVICES; i++) {
		if (!is_at(devices[i], &at))
			continue;
		*drm_fd = open(devices[i]->nodes[DRM_NODE_RENDER], O_RDWR | O_CLOEXEC);
		ret = *drm_fd < 0 ? -errno : 0;
		if (ret)
			pal_fail(error, DMABUF_PAL_NO_ACCESS, ret, "%s: %m",
				 devices[i]->nodes[DRM_NODE_RENDER]);
		break;
	}
	if (nr > 0)
		drmFreeDevices(devices, nr < MAX_DEVICES ? nr : MAX_DEVICES);
	if (ret == -ENODEV)
		return pal_fail(error, DMABUF_PAL_NO_ACCESS, ret,
				"%s has no render node: no driver of a GPU is bound to it", bdf);
	return ret ? ret : pal_done(error, 0, NULL);
}

/* The driver and what it says of its VRAM */
static int get_vram(int drm_fd, const struct pal_driver **driver, struct pal_vram *vram,
		    struct dmabuf_pal_error *error)
{
	*driver = pal_driver(drm_fd);
	if (!*driver)
		return pal_fail(error, DMABUF_PAL_UNKNOWN_DRIVER, -ENOTSUP,
				"file %d is no DRM device of xe or amdgpu", drm_fd);
	return pal_done(error, (*driver)->vram(drm_fd, vram), "the query of VRAM");
}

int dmabuf_pal_vram_size(int drm_fd, uint64_t *total, uint64_t *visible,
			 struct dmabuf_pal_error *error)
{
	const struct pal_driver *driver;
	struct pal_vram vram = {};
	int ret;

	ret = get_vram(drm_fd, &driver, &vram, error);
	*total = vram.total;
	*visible = vram.visible;
	return ret;
}

int dmabuf_pal_bo_alloc(int drm_fd, uint64_t size, uint32_t *handle,
			struct dmabuf_pal_error *error)
{
	const struct pal_driver *driver;
	struct pal_vram vram = {};
	int ret;

	ret = get_vram(drm_fd, &driver, &vram, error);
	if (ret)
		return ret;
	if (!vram.total)
		return pal_fail(error, DMABUF_PAL_NOT_VRAM, -ENODEV,
				"this GPU has no VRAM of its own");
	if (!size)
		return pal_fail(error, DMABUF_PAL_BAD_ARGUMENT, -EINVAL,
				"a buffer has at least one byte");
	if (size > vram.visible)
		return pal_fail(error, DMABUF_PAL_NOT_VISIBLE, -E2BIG,
				"%llu bytes are more than the %llu MiB of VRAM that the BAR "
				"shows, of %llu MiB", (unsigned long long)size,
				MIB(vram.visible), MIB(vram.total));
	size = (size + vram.page - 1) / vram.page * vram.page;
	ret = driver->alloc(drm_fd, size, handle);
	if (ret == -ENOMEM || ret == -ENOSPC)
		return pal_fail(error, DMABUF_PAL_NO_ROOM, -ENOMEM,
				"no room for %llu KiB in the %llu MiB of VRAM that the BAR "
				"shows", KIB(size), MIB(vram.visible));
	return pal_done(error, ret, "allocation");
}

int dmabuf_pal_bo_free(int drm_fd, uint32_t handle)
{
	struct drm_gem_close arg = { .handle = handle };

	return pal_ioctl(drm_fd, DRM_IOCTL_GEM_CLOSE, &arg);
}

static int explain_export(struct dmabuf_pal_error *error, int err)
{
	switch (err) {
	case -EPERM:
		return pal_fail(error, DMABUF_PAL_PRIVATE, err,
				"the BO is private to one address space of the GPU, or memory "
				"of the user");
	case -ENOENT:
		return pal_fail(error, DMABUF_PAL_BAD_ARGUMENT, err,
				"the client has no BO of this handle");
	case -ENOSYS:
	case -EOPNOTSUPP:
	case -ENOTTY:
		return pal_fail(error, DMABUF_PAL_UNKNOWN_DRIVER, err,
				"the driver does not export");
	default:
		return pal_done(error, err, "export");
	}
}

int dmabuf_pal_export(int drm_fd, uint32_t handle, uint32_t flags,
		      struct dmabuf_pal_buf *buf, struct dmabuf_pal_error *error)
{
	uint32_t mode = DRM_CLOEXEC | (flags & DMABUF_PAL_FLAG_READ_ONLY ? 0 : DRM_RDWR);
	uint64_t cap = 0;
	int fd = -1, ret;

	if (flags & ~DMABUF_PAL_FLAG_READ_ONLY)
		return pal_fail(error, DMABUF_PAL_BAD_ARGUMENT, -EINVAL,
				"export: unknown flags %#x", flags);
	if (drmGetCap(drm_fd, DRM_CAP_PRIME, &cap) || !(cap & DRM_PRIME_CAP_EXPORT))
		return pal_fail(error, DMABUF_PAL_UNKNOWN_DRIVER, -EOPNOTSUPP,
				"file %d is no DRM device that exports dma-bufs", drm_fd);
	if (drmPrimeHandleToFD(drm_fd, handle, mode, &fd))
		return explain_export(error, -errno);
	ret = dmabuf_pal_wrap(fd, drm_fd, buf, error);
	if (ret)
		close(fd);
	return ret;
}

int dmabuf_pal_wrap(int fd, int drm_fd, struct dmabuf_pal_buf *buf,
		    struct dmabuf_pal_error *error)
{
	off_t size;

	if (fcntl(fd, F_GETFD) < 0)
		return pal_fail(error, DMABUF_PAL_BAD_ARGUMENT, -EBADF,
				"file %d is not open", fd);
	if (!pal_is_dma_buf(fd))
		return pal_fail(error, DMABUF_PAL_NOT_DMA_BUF, -EINVAL,
				"file %d is no dma-buf", fd);
	size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		return pal_done(error, -errno, "the size of the dma-buf");
	*buf = (struct dmabuf_pal_buf){ .fd = fd, .drm_fd = drm_fd, .size = size };
	return pal_done(error, 0, NULL);
}
