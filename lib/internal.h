/* SPDX-License-Identifier: MIT */
/*
 * libdmabuf-pal inside: device.c has what is asked of a GPU, xe.c and amdgpu.c what its
 * driver answers, import.c what iommufd and KVM are asked, mapping.c what becomes of what
 * they took, why.c how a failure is explained.
 */
#ifndef DMABUF_PAL_INTERNAL_H
#define DMABUF_PAL_INTERNAL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "dmabuf_pal.h"

#define MIB(bytes)	((unsigned long long)(bytes) >> 20)
#define KIB(bytes)	((unsigned long long)(bytes) >> 10)

struct pal_vram {
	uint64_t total;
	uint64_t visible;
	/* What sizes of buffer objects are multiples of */
	uint64_t page;
};

struct pal_driver {
	const char *name;
	int (*vram)(int drm_fd, struct pal_vram *vram);
	int (*alloc)(int drm_fd, uint64_t size, uint32_t *handle);
	/*
	 * Why the exporter does not give addresses of a BO of @size bytes, of which the
	 * client @drm_fd has nothing else. DMABUF_PAL_OK if it is not known; otherwise
	 * @text says it.
	 */
	enum dmabuf_pal_reason (*refused)(int drm_fd, uint32_t handle, uint64_t size,
					  const char **text);
};

extern const struct pal_driver pal_xe_driver, pal_amdgpu_driver;

/* That of a DRM device, or NULL */
const struct pal_driver *pal_driver(int drm_fd);

/* Interrupted calls are made again; 0 or -errno. */
static inline int pal_ioctl(int fd, unsigned long cmd, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, cmd, arg);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

/* Fills in @error, which may be NULL, and returns @err. %m is of @err. */
__attribute__((format(printf, 4, 5)))
int pal_fail(struct dmabuf_pal_error *error, enum dmabuf_pal_reason reason, int err,
	     const char *fmt, ...);

/* @err is 0 or a negative errno, of which no more is known. */
int pal_done(struct dmabuf_pal_error *error, int err, const char *what);

bool pal_is_dma_buf(int fd);

/* "xe" of the file, by /proc; false if that does not tell */
bool pal_exporter(int fd, char *name, size_t size);

/* Explains that an importer, named @who, did not take the buffer. */
int pal_explain(struct dmabuf_pal_error *error, const struct dmabuf_pal_buf *buf,
		int err, const char *who);

bool pal_has_ioas(int iommufd, uint32_t ioas_id);

/* A module's parameter as text: its length, or -1 if there is none */
int pal_parameter(const char *module, const char *name, char *value, size_t size);

#endif
