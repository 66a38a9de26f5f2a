/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What goes over the socket, in host byte order, as docs/interop/vfio-user.rst
 * of QEMU's source has it. Flags and indices that VFIO has too are those of
 * <linux/vfio.h>; its structures are not used, because they grow.
 */
#ifndef HW_VFIO_USER_PROTOCOL_H
#define HW_VFIO_USER_PROTOCOL_H

#include <linux/vfio.h>
#include <stdint.h>

#define VFU_MAJOR	0
#define VFU_MINOR	0

/* What a side that says nothing about it is taken to mean. */
#define VFU_DEFAULT_XFER_SIZE	1048576u
#define VFU_DEFAULT_DMA_MAPS	65535u

enum vfu_command {
	VFU_VERSION		= 1,
	VFU_DMA_MAP		= 2,
	VFU_DMA_UNMAP		= 3,
	VFU_GET_INFO		= 4,
	VFU_REGION_INFO		= 5,
	VFU_REGION_IO_FDS	= 6,
	VFU_IRQ_INFO		= 7,
	VFU_SET_IRQS		= 8,
	VFU_REGION_READ		= 9,
	VFU_REGION_WRITE	= 10,
	VFU_DMA_READ		= 11,	/* these two: server to client */
	VFU_DMA_WRITE		= 12,
	VFU_RESET		= 13,
	VFU_WRITE_MULTI		= 15,
	VFU_FEATURE		= 16,
	VFU_MIG_DATA_READ	= 17,
	VFU_MIG_DATA_WRITE	= 18,
};

#define VFU_TYPE	0x0f
#define VFU_REQUEST	0x00
#define VFU_REPLY	0x01
#define VFU_NO_REPLY	0x10
#define VFU_ERROR	0x20

struct vfu_header {
	uint16_t id;
	uint16_t command;
	uint32_t size;		/* with this header */
	uint32_t flags;
	uint32_t error;		/* errno, in a reply with VFU_ERROR */
};

struct vfu_version {
	uint16_t major;
	uint16_t minor;
	char json[];		/* with its NUL; may be missing */
};

struct vfu_dma_map {
	uint32_t argsz;
	uint32_t flags;		/* VFIO_DMA_MAP_FLAG_READ, _WRITE */
	uint64_t offset;
	uint64_t address;
	uint64_t size;
};

struct vfu_dma_unmap {
	uint32_t argsz;
	uint32_t flags;		/* VFIO_DMA_UNMAP_FLAG_ALL */
	uint64_t address;
	uint64_t size;
};

struct vfu_device_info {
	uint32_t argsz;
	uint32_t flags;		/* VFIO_DEVICE_FLAGS_* */
	uint32_t num_regions;
	uint32_t num_irqs;
};

struct vfu_region_info {
	uint32_t argsz;
	uint32_t flags;		/* VFIO_REGION_INFO_FLAG_* */
	uint32_t index;
	uint32_t cap_offset;
	uint64_t size;
	uint64_t offset;
};

struct vfu_sparse_area {
	uint64_t offset;
	uint64_t size;
};

struct vfu_sparse_cap {
	uint16_t id;		/* VFIO_REGION_INFO_CAP_SPARSE_MMAP */
	uint16_t version;
	uint32_t next;
	uint32_t nr_areas;
	uint32_t reserved;
	struct vfu_sparse_area area[];
};

struct vfu_irq_info {
	uint32_t argsz;
	uint32_t flags;		/* VFIO_IRQ_INFO_* */
	uint32_t index;
	uint32_t count;
};

struct vfu_irq_set {
	uint32_t argsz;
	uint32_t flags;		/* VFIO_IRQ_SET_* */
	uint32_t index;
	uint32_t start;
	uint32_t count;
	uint8_t data[];		/* @count of them with VFIO_IRQ_SET_DATA_BOOL */
};

struct vfu_region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
	uint8_t data[];
};

struct vfu_multi_write {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
	uint8_t data[8];
};

struct vfu_write_multi {
	uint64_t count;
	struct vfu_multi_write write[];
};

struct vfu_dma_access {
	uint64_t address;
	uint64_t count;
	uint8_t data[];
};

_Static_assert(sizeof(struct vfu_header) == 16, "wire format");
_Static_assert(sizeof(struct vfu_version) == 4, "wire format");
_Static_assert(sizeof(struct vfu_dma_map) == 32, "wire format");
_Static_assert(sizeof(struct vfu_dma_unmap) == 24, "wire format");
_Static_assert(sizeof(struct vfu_device_info) == 16, "wire format");
_Static_assert(sizeof(struct vfu_region_info) == 32, "wire format");
_Static_assert(sizeof(struct vfu_sparse_cap) == 16, "wire format");
_Static_assert(sizeof(struct vfu_sparse_area) == 16, "wire format");
_Static_assert(sizeof(struct vfu_irq_info) == 16, "wire format");
_Static_assert(sizeof(struct vfu_irq_set) == 20, "wire format");
_Static_assert(sizeof(struct vfu_region_access) == 16, "wire format");
_Static_assert(sizeof(struct vfu_multi_write) == 24, "wire format");
_Static_assert(sizeof(struct vfu_write_multi) == 8, "wire format");
_Static_assert(sizeof(struct vfu_dma_access) == 16, "wire format");

#endif
