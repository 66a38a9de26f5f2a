/* SPDX-License-Identifier: MIT */
/*
 * libdmabuf-pal: memory of a GPU, exported so that iommufd and KVM take it, and an
 * answer to why they do not.
 *
 * All functions return 0, or a negative errno, and can be called by any number of
 * threads at the same time; the library keeps no state. Whoever passes a struct
 * dmabuf_pal_error finds the reason there, as a number and as a line of English.
 * It may be NULL, and is filled in on success as well. Sizes and offsets are bytes.
 */
#ifndef DMABUF_PAL_H
#define DMABUF_PAL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why something failed. Later versions may have more of them. */
enum dmabuf_pal_reason {
	DMABUF_PAL_OK = 0,
	/* What the errno says, and no more is known. */
	DMABUF_PAL_OTHER,
	/* An argument makes no sense. */
	DMABUF_PAL_BAD_ARGUMENT,
	/* The file is open, but no dma-buf. */
	DMABUF_PAL_NOT_DMA_BUF,
	/* Not within the buffer, or not on its pages */
	DMABUF_PAL_BAD_RANGE,
	/* Writing was asked for, and the file is open for reading alone. */
	DMABUF_PAL_READ_ONLY,
	/* There is no such device file, or the caller may not open it. */
	DMABUF_PAL_NO_ACCESS,
	/* The kernel has no interface for this. */
	DMABUF_PAL_OLD_KERNEL,
	/* The device's driver is not known here, or cannot export. */
	DMABUF_PAL_UNKNOWN_DRIVER,
	/* The buffer is private to an address space of the GPU, or user memory. */
	DMABUF_PAL_PRIVATE,
	/* System memory */
	DMABUF_PAL_NOT_VRAM,
	/* In VRAM at the moment, but the driver may move it to system memory. */
	DMABUF_PAL_MAY_LEAVE_VRAM,
	/* Larger than the part of VRAM that the BAR shows */
	DMABUF_PAL_NOT_VISIBLE,
	/* The exporter has no physical addresses to give, for other reasons. */
	DMABUF_PAL_NOT_OFFERED,
	/* More VRAM would be pinned than ttm.pal_pin_percent allows. */
	DMABUF_PAL_LIMIT,
	/* VRAM, or the part of it that the BAR shows, is full. */
	DMABUF_PAL_NO_ROOM,
	/* Somebody has it who cannot share it like this. */
	DMABUF_PAL_BUSY,
	/* The device is unbound, unplugged or does not work any more. */
	DMABUF_PAL_GONE,
	/* The IOAS has no such I/O virtual addresses, or they are taken. */
	DMABUF_PAL_NO_IOVA,
	/* What may move needs an IOAS of which all HWPTs report faults. */
	DMABUF_PAL_NO_FAULTS,
};

#define DMABUF_PAL_ERROR_SIZE	256

struct dmabuf_pal_error {
	enum dmabuf_pal_reason reason;
	/* What the function returned */
	int error;
	/* One line without a full stop; empty on success */
	char text[DMABUF_PAL_ERROR_SIZE];
};

/* A dma-buf, as dmabuf_pal_export() and dmabuf_pal_wrap() fill it in. */
struct dmabuf_pal_buf {
	int fd;
	/*
	 * An open file of the DRM device that exports it, or -1. It is only used after
	 * a failure, to find out more: a new client of the device imports the buffer
	 * and looks where it is. It must stay open as long as this is used.
	 */
	int drm_fd;
	uint64_t size;
};

/* Flags */
#define DMABUF_PAL_FLAG_READ_ONLY	(1u << 0)
#define DMABUF_PAL_FLAG_FIXED_IOVA	(1u << 1)
#define DMABUF_PAL_FLAG_MOVABLE		(1u << 2)

/* What became of a mapping. Later versions may have more of them. */
enum dmabuf_pal_state {
	/* DMA reaches the memory. */
	DMABUF_PAL_STATE_MAPPED = 0,
	/* The exporter took the memory away. The mapping comes back when it does. */
	DMABUF_PAL_STATE_REVOKED = 1,
	/* The memory came back, and mapping it failed: unmap it, and map it again. */
	DMABUF_PAL_STATE_FAILED = 2,
};

struct dmabuf_pal_mapping {
	uint64_t iova;
	uint64_t length;
	/* How many times it was lost: the same before and after means never between */
	uint64_t nr_revokes;
	enum dmabuf_pal_state state;
};

/*
 * Opens the render node of the PCI device @bdf, "0000:03:00.0". The file is the
 * caller's to close. -EINVAL if @bdf is no such address, -ENODEV if there is none.
 */
int dmabuf_pal_open(const char *bdf, int *drm_fd, struct dmabuf_pal_error *error);

/*
 * How much VRAM the GPU has, and how much of it its BAR shows. Both are 0 for a GPU
 * that has none. -ENOTSUP if neither xe nor amdgpu drives it.
 */
int dmabuf_pal_vram_size(int drm_fd, uint64_t *total, uint64_t *visible,
			 struct dmabuf_pal_error *error);

/*
 * Allocates a buffer object of at least @size bytes of which the exporter gives
 * physical addresses: in VRAM alone, where the BAR shows it, and of no address
 * space. -ENOTSUP as above, -E2BIG if the BAR shows less, -ENOMEM if it is full.
 */
int dmabuf_pal_bo_alloc(int drm_fd, uint64_t size, uint32_t *handle,
			struct dmabuf_pal_error *error);

/* Closes the handle. The memory lives on as long as there is a dma-buf of it. */
int dmabuf_pal_bo_free(int drm_fd, uint32_t handle);

/*
 * Exports any buffer object of the client @drm_fd. The dma-buf is closed by exec()
 * and may be written, unless @flags has DMABUF_PAL_FLAG_READ_ONLY: importers that write
 * ask for such a file. @buf->fd is the caller's to close. -EOPNOTSUPP if the driver
 * does not export, -EPERM if this BO cannot be.
 */
int dmabuf_pal_export(int drm_fd, uint32_t handle, uint32_t flags,
		      struct dmabuf_pal_buf *buf, struct dmabuf_pal_error *error);

/*
 * Fills in @buf for a dma-buf that somebody else exported. @drm_fd may be -1 (see
 * above). -EBADF or -EINVAL if @fd is none.
 */
int dmabuf_pal_wrap(int fd, int drm_fd, struct dmabuf_pal_buf *buf,
		    struct dmabuf_pal_error *error);

/*
 * Maps [@offset, @offset + @length) of the buffer into an IOAS, for reading and, without
 * DMABUF_PAL_FLAG_READ_ONLY, for writing. @iova is where, chosen by the kernel unless
 * @flags has DMABUF_PAL_FLAG_FIXED_IOVA. The buffer is pinned until it is unmapped, unless
 * @flags has DMABUF_PAL_FLAG_MOVABLE: then its driver may move it, for which all HWPTs of
 * the IOAS have to report faults. Errors are those of IOMMU_IOAS_MAP_FILE. To explain
 * ENOSPC and EOPNOTSUPP it may be mapped into another IOAS of the same iommufd for a moment.
 */
int dmabuf_pal_ioas_map(int iommufd, uint32_t ioas_id, const struct dmabuf_pal_buf *buf,
			uint64_t offset, uint64_t length, uint32_t flags,
			uint64_t *iova, struct dmabuf_pal_error *error);

/* What was mapped in one call is unmapped in one, all of it. */
int dmabuf_pal_ioas_unmap(int iommufd, uint32_t ioas_id, uint64_t iova, uint64_t length,
			  struct dmabuf_pal_error *error);

/*
 * Has @event_fd, an eventfd, signaled when a mapping of a dma-buf in the IOAS is lost,
 * comes back or is given up, in place of the one that the IOAS had; none if it is
 * negative. The IOAS keeps it, the caller may close it. Nothing is signaled as long as
 * no device is attached to the IOAS.
 */
int dmabuf_pal_ioas_watch(int iommufd, uint32_t ioas_id, int event_fd,
			  struct dmabuf_pal_error *error);

/*
 * Tells of the first mapping of a dma-buf that ends at or after @iova. To see all of
 * them begin at 0 and go on where the last one ends. -ENOENT if there is none.
 */
int dmabuf_pal_ioas_mapping(int iommufd, uint32_t ioas_id, uint64_t iova,
			    struct dmabuf_pal_mapping *mapping,
			    struct dmabuf_pal_error *error);

/*
 * Whether the buffer can be mapped into an IOAS right now. There is no question that
 * tells, so it is mapped and unmapped: it is pinned for a moment, and what a
 * device without an IOMMU or one that cannot reach the other does is not known by this.
 * @iommufd may be -1: then /dev/iommu is opened.
 */
int dmabuf_pal_probe_iommufd(const struct dmabuf_pal_buf *buf, int iommufd,
			     uint32_t flags, struct dmabuf_pal_error *error);

/*
 * Whether it can back a memory slot, KVM_MEM_DMABUF. A VM is made and destroyed.
 * The size of a slot is a multiple of the page size, and so is the buffer's. Nothing
 * is pinned: that a guest's access finds room in VRAM is not known by this. @kvm
 * may be -1: then /dev/kvm is opened.
 */
int dmabuf_pal_probe_kvm(const struct dmabuf_pal_buf *buf, int kvm, uint32_t flags,
			 struct dmabuf_pal_error *error);

/* "not-vram", for programs; a string that stays valid */
const char *dmabuf_pal_reason_name(enum dmabuf_pal_reason reason);

#ifdef __cplusplus
}
#endif

#endif
