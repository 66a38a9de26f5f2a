// SPDX-License-Identifier: MIT
/*
 * Why an importer does not take a buffer. The kernel says it by errno, and several
 * causes have the same one; they are told apart by what else can be seen from
 * outside. Nothing here changes the buffer, and all of it happens after a failure.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include <xf86drm.h>

#include "internal.h"

#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC	0x444d4142
#endif

static const char *const names[] = {
	[DMABUF_PAL_OK] = "ok",
	[DMABUF_PAL_OTHER] = "other",
	[DMABUF_PAL_BAD_ARGUMENT] = "bad-argument",
	[DMABUF_PAL_NOT_DMA_BUF] = "not-dma-buf",
	[DMABUF_PAL_BAD_RANGE] = "bad-range",
	[DMABUF_PAL_READ_ONLY] = "read-only",
	[DMABUF_PAL_NO_ACCESS] = "no-access",
	[DMABUF_PAL_OLD_KERNEL] = "old-kernel",
	[DMABUF_PAL_UNKNOWN_DRIVER] = "unknown-driver",
	[DMABUF_PAL_PRIVATE] = "private",
	[DMABUF_PAL_NOT_VRAM] = "not-vram",
	[DMABUF_PAL_MAY_LEAVE_VRAM] = "may-leave-vram",
	[DMABUF_PAL_NOT_VISIBLE] = "not-visible",
	[DMABUF_PAL_NOT_OFFERED] = "not-offered",
	[DMABUF_PAL_LIMIT] = "limit",
	[DMABUF_PAL_NO_ROOM] = "no-room",
	[DMABUF_PAL_BUSY] = "busy",
	[DMABUF_PAL_GONE] = "gone",
	[DMABUF_PAL_NO_IOVA] = "no-iova",
	[DMABUF_PAL_NO_FAULTS] = "no-faults",
};

const char *dmabuf_pal_reason_name(enum dmabuf_pal_reason reason)
{
	if ((size_t)reason >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[reason];
}

int pal_fail(struct dmabuf_pal_error *error, enum dmabuf_pal_reason reason, int err,
	     const char *fmt, ...)
{
	va_list args;

	if (!error)
		return err;
	error->reason = reason;
	error->error = err;
	va_start(args, fmt);
	/* For %m, which is strerror() for threads */
	errno = -err;
	vsnprintf(error->text, sizeof(error->text), fmt, args);
	va_end(args);
	return err;
}

int pal_done(struct dmabuf_pal_error *error, int err, const char *what)
{
	if (err == -ENODEV)
		return pal_fail(error, DMABUF_PAL_GONE, err,
				"%s: the device is gone, or does not work any more", what);
	if (err)
		return pal_fail(error, DMABUF_PAL_OTHER, err, "%s: %m", what);
	if (error)
		*error = (struct dmabuf_pal_error){ .reason = DMABUF_PAL_OK };
	return 0;
}

bool pal_is_dma_buf(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == DMA_BUF_MAGIC;
}

static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read(fd, text, size - 1);
	close(fd);
	if (len < 0)
		return -1;
	text[len] = 0;
	return len;
}

bool pal_exporter(int fd, char *name, size_t size)
{
	static const char key[] = "exp_name:\t";
	char path[40], text[1024], *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (read_text(path, text, sizeof(text)) < 0)
		return false;
	at = strstr(text, key);
	if (!at)
		return false;
	at += sizeof(key) - 1;
	at[strcspn(at, "\n")] = 0;
	snprintf(name, size, "%s", at);
	return true;
}

int pal_parameter(const char *module, const char *name, char *value, size_t size)
{
	char path[128];
	int len;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, name);
	len = read_text(path, value, size);
	if (len >= 0)
		value[strcspn(value, "\n")] = 0;
	return len;
}

/*
 * iommufd has this parameter since it takes the memory of any exporter. Without sysfs
 * it is not known, and the kernel is not blamed.
 */
static bool kernel_is_old(void)
{
	char value[8];

	return !access("/sys/module", F_OK) &&
	       pal_parameter("iommufd", "dmabuf_iova_1g", value, sizeof(value)) < 0;
}

/* A client of the same device that has no handle yet: one of the caller's own would
 * come back for a buffer that it knows, and must not be closed.
 */
static enum dmabuf_pal_reason ask_exporter(const struct dmabuf_pal_buf *buf,
					   const char **text)
{
	enum dmabuf_pal_reason reason = DMABUF_PAL_OK;
	const struct pal_driver *driver;
	uint32_t handle;
	char path[40];
	int client;

	if (buf->drm_fd < 0)
		return DMABUF_PAL_OK;
	driver = pal_driver(buf->drm_fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", buf->drm_fd);
	client = open(path, O_RDWR | O_CLOEXEC);
	if (!driver || client < 0)
		goto out;
	if (drmPrimeFDToHandle(client, buf->fd, &handle))
		goto out;
	reason = driver->refused(client, handle, buf->size, text);
out:
	if (client >= 0)
		close(client);
	return reason;
}

static int not_supported(struct dmabuf_pal_error *error,
			 const struct dmabuf_pal_buf *buf, int err, const char *who)
{
	enum dmabuf_pal_reason reason;
	char exporter[64] = "";
	const char *text = "";

	/* KVM was asked for its capability. */
	if (!strcmp(who, "iommufd") && kernel_is_old())
		return pal_fail(error, DMABUF_PAL_OLD_KERNEL, err,
				"iommufd of this kernel takes dma-bufs of vfio-pci alone: "
				"it does not have the PAL mapping type");
	reason = ask_exporter(buf, &text);
	if (reason)
		return pal_fail(error, reason, err, "%s does not take it: %s", who, text);
	if (pal_exporter(buf->fd, exporter, sizeof(exporter)) && strcmp(exporter, "drm"))
		return pal_fail(error, DMABUF_PAL_NOT_OFFERED, err,
				"%s does not take it: its exporter '%s' gives no physical "
				"addresses; if this is system memory map the memory itself",
				who, exporter);
	return pal_fail(error, DMABUF_PAL_NOT_OFFERED, err,
			"%s does not take it: it is not in VRAM alone, or larger than what "
			"the BAR shows, or protected, or the driver is none that exports VRAM",
			who);
}

int pal_explain(struct dmabuf_pal_error *error, const struct dmabuf_pal_buf *buf,
		int err, const char *who)
{
	char percent[16] = "?";

	switch (err) {
	case -ENOTTY:
		return pal_fail(error, DMABUF_PAL_OLD_KERNEL, err,
				"%s of this kernel maps no files (Linux 6.13 and newer do)",
				who);
	case -EOPNOTSUPP:
		return not_supported(error, buf, err, who);
	case -EPERM:
	case -EACCES:
		return pal_fail(error, DMABUF_PAL_READ_ONLY, err,
				"%s shall write to it, and the dma-buf was exported without "
				"DRM_RDWR", who);
	case -ENOSPC:
		pal_parameter("ttm", "pal_pin_percent", percent, sizeof(percent));
		return pal_fail(error, DMABUF_PAL_LIMIT, err,
				"with %llu KiB more than %s %% of the GPU's VRAM would be "
				"pinned, the limit of ttm.pal_pin_percent",
				KIB(buf->size), percent);
	case -ENOMEM:
		return pal_fail(error, DMABUF_PAL_NO_ROOM, err,
				"no room for its %llu KiB in the part of VRAM that the BAR "
				"shows, or the kernel is out of memory", KIB(buf->size));
	case -EBUSY:
		return pal_fail(error, DMABUF_PAL_BUSY, err,
				"somebody has it who cannot do peer-to-peer DMA, or pinned it "
				"where the BAR does not show it");
	default:
		return pal_done(error, err, who);
	}
}
