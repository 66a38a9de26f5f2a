/* SPDX-License-Identifier: MIT */
/*
 * Copyright © 2026 dmabuf-pal developers
 *
 * What the tests of exported VRAM have in common: buffer objects of xe and amdgpu,
 * an IOAS of iommufd, an NVMe controller that does DMA for us, and a guest of KVM.
 *
 * Functions assert, and so end the subtest, unless they return an int: those return 0
 * or -errno. None of them is thread safe but pal_map() and pal_unmap(). Sizes, offsets
 * and addresses are bytes.
 */
#ifndef PAL_H
#define PAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/iommufd.h>
#include <linux/kvm.h>

#define PAL_PAGE	4096ull
#define PAL_MIB		(1ull << 20)

/* Where a BO may be; both of the first two is possible. */
#define PAL_VRAM	0x1
#define PAL_SYSTEM	0x2
/* If it is in VRAM then where the BAR shows it */
#define PAL_VISIBLE	0x4

struct pal_vram {
	uint64_t total;
	uint64_t used;
	/* The part that the BAR shows */
	uint64_t visible;
	uint64_t visible_used;
};

struct pal;

/* What the drivers do in different ways */
struct pal_driver {
	const char *name;
	unsigned int chipset;
	/* Its word for VRAM in fdinfo, and the file of the VRAM manager in debugfs */
	const char *fdinfo_vram;
	const char *vram_mm;
	/* VRAM that the driver may want for itself, for page tables */
	uint64_t reserve;

	void (*vram)(int fd, struct pal_vram *vram);
	int (*create)(int fd, uint64_t size, unsigned int where, uint32_t *handle);
	int (*mmap_offset)(int fd, uint32_t handle, uint64_t *offset);
	/* The GPU writes @value to @offset of the BO. */
	void (*store)(int fd, uint32_t handle, uint64_t size, uint64_t offset,
		      uint32_t value);
	/* A job that never ends; returns when the driver has given up on it. */
	void (*hang)(int fd);
};

extern const struct pal_driver pal_xe, pal_amdgpu;

/* An open GPU */
struct pal {
	const struct pal_driver *driver;
	int fd;
	char bdf[32];
};

/**
 * pal_open - open the first GPU of @chipset, DRIVER_XE, DRIVER_AMDGPU or both
 *
 * Skips if there is none, if it has no VRAM, or if this kernel cannot tell an importer
 * where VRAM is.
 */
void pal_open(struct pal *pal, unsigned int chipset);
void pal_close(struct pal *pal);

/* A BO with its dma-buf, -1 if it has none, and the CPU's mapping or NULL */
struct pal_bo {
	struct pal *pal;
	uint32_t handle;
	uint64_t size;
	int fd;
	void *vaddr;
};

int pal_bo_create(struct pal *pal, struct pal_bo *bo, uint64_t size, unsigned int where);
/* In visible VRAM alone, exported with O_RDWR and mapped */
void pal_bo_vram(struct pal *pal, struct pal_bo *bo, uint64_t size);
/* The same, in pieces of at most @piece of which most do not touch one another. Nearly
 * all of VRAM is taken for a moment. */
void pal_bo_fragmented(struct pal *pal, struct pal_bo *bo, uint64_t size, uint64_t piece);
void pal_bo_mmap(struct pal_bo *bo);
void pal_bo_destroy(struct pal_bo *bo);
/* A dma-buf of it or -errno; @flags of DRM_IOCTL_PRIME_HANDLE_TO_FD */
int pal_export(struct pal *pal, uint32_t handle, uint32_t flags);

/* A pattern that has another word at each offset and for each seed */
void pal_fill(void *vaddr, uint64_t offset, uint64_t size, uint32_t seed);
/* The first offset at which it is not there, or @size */
uint64_t pal_differs(const void *vaddr, uint64_t offset, uint64_t size, uint32_t seed);

/* Where the memory of a dma-buf of this GPU is, by the driver's account */
struct pal_place {
	uint64_t vram;
	uint64_t system;
};

struct pal_place pal_place(struct pal *pal, int dma_buf);
bool pal_in_vram(struct pal *pal, struct pal_bo *bo);

/* VRAM as the driver accounts it; 0 is for what nobody may ask */
struct pal_vram pal_vram(struct pal *pal);
/* Waits for freed VRAM, which comes back when the GPU is done with it. */
bool pal_vram_returns(struct pal *pal, uint64_t used);
/* Allocates more than there is, so that what can move goes to system memory, and frees
 * it; false if that did not fit. */
bool pal_pressure(struct pal *pal);

/* Of all VRAM, what importers may have pinned: the parameter pal_pin_percent of TTM.
 * 0 sets it back to what it was, as the end of the test does. */
void pal_set_pin_percent(unsigned int percent);
uint64_t pal_pinned(struct pal *pal);

/* Takes the driver away from its device, and gives it back; also at exit. */
void pal_unbind(struct pal *pal);
void pal_bind(struct pal *pal);

/* What debugfs' dma_buf/bufinfo says of a dma-buf */
struct pal_bufinfo {
	unsigned int attachments;
	/* Those that have ranges and not a scatterlist, and what the last one has mapped */
	unsigned int pal;
	uint64_t ranges;
	uint64_t bytes;
};

struct pal_bufinfo pal_bufinfo(int dma_buf);

#define PAL_MAP_RW	(IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

struct pal_ioas {
	int fd;
	uint32_t id;
};

/* Skips if there is no /dev/iommu. */
void pal_ioas_open(struct pal_ioas *ioas);
void pal_ioas_close(struct pal_ioas *ioas);
/* [@start, @start + @size) of the dma-buf; with IOMMU_IOAS_MAP_FIXED_IOVA at *@iova */
int pal_map(struct pal_ioas *ioas, int dma_buf, uint64_t start, uint64_t size,
	    uint32_t flags, uint64_t *iova);
int pal_unmap(struct pal_ioas *ioas, uint64_t iova, uint64_t size);

#ifndef IOMMU_IOAS_MAPPING_STATE
enum {
	IOMMU_IOAS_MAPPING_MAPPED = 0,
	IOMMU_IOAS_MAPPING_REVOKED = 1,
	IOMMU_IOAS_MAPPING_FAILED = 2,
};

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

/* Of the mapping that begins at @iova */
struct iommu_ioas_mapping_state pal_mapping_state(struct pal_ioas *ioas, uint64_t iova);

/*
 * An NVMe controller that belongs to vfio-pci. It is asked to identify itself, to any
 * address, and it fetches commands from any address: that is DMA in both directions
 * which changes nothing on the disk.
 */
struct pal_nvme {
	int fd;
	volatile uint8_t *regs;
	size_t regs_size;
	uint32_t doorbell_stride;
	struct pal_ioas *ioas;
	/* Queues and one page of data, in memory of ours */
	uint8_t *host;
	uint64_t host_iova;
	/* Where the submission queue is, and its next entry */
	volatile uint8_t *sq;
	unsigned int sq_tail;
	unsigned int cq_head;
	bool phase;
	uint16_t cid;
};

/* Attaches the first one that there is to @ioas; -ENODEV if there is none. */
int pal_nvme_open(struct pal_nvme *nvme, struct pal_ioas *ioas);
void pal_nvme_close(struct pal_nvme *nvme);

/* An IOAS, and the controller of it or none */
struct pal_dma {
	struct pal_ioas ioas;
	struct pal_nvme nvme;
	bool has_nvme;
};

void pal_dma_open(struct pal_dma *dma);
void pal_dma_close(struct pal_dma *dma);

/*
 * DMA to @iova, where [@start, @start + @size) of the BO is mapped, reaches exactly that
 * memory; and it does not reach the BO. Without a controller nothing is done.
 */
void pal_dma_works(struct pal_dma *dma, struct pal_bo *bo, uint64_t iova,
		   uint64_t start, uint64_t size);
void pal_dma_blocked(struct pal_dma *dma, struct pal_bo *bo, uint64_t iova);

#ifndef KVM_MEM_DMABUF
#define KVM_MEM_DMABUF		(1UL << 3)
#endif
#ifndef KVM_CAP_DMABUF_MEM
#define KVM_CAP_DMABUF_MEM	252
#endif

/* Of a guest: memory of its own, and where a device's memory goes */
#define PAL_VM_RAM	(16 * PAL_MIB)
#define PAL_VM_DATA	PAL_MIB
#define PAL_VM_DEVICE	(1ull << 30)
#define PAL_VM_SLOT	1

/* A guest of a few instructions, with one vCPU */
struct pal_vm {
	int kvm, fd, cpu;
	struct kvm_run *run;
	size_t run_size;
	uint8_t *ram;
};

/* Skips if there is no KVM or if it takes no dma-buf as a memory slot. */
void pal_vm_open(struct pal_vm *vm);
void pal_vm_close(struct pal_vm *vm);
/* [@start, @start + @size) of the dma-buf at guest physical address PAL_VM_DEVICE; a
 * @size of 0 takes it away. @flags: 0 or KVM_MEM_READONLY */
int pal_vm_map(struct pal_vm *vm, int dma_buf, uint64_t start, uint64_t size,
	       uint32_t flags);
/*
 * The guest copies. 0 when it has done so; 1 if KVM came back for another reason, which
 * vm->run tells; -errno if KVM_RUN failed.
 */
int pal_vm_copy(struct pal_vm *vm, uint64_t to, uint64_t from, uint64_t size);
/* By it: the pattern to the device's memory, and whether that has the pattern */
int pal_vm_fill(struct pal_vm *vm, uint64_t size, uint32_t seed);
int pal_vm_verify(struct pal_vm *vm, uint64_t size, uint32_t seed);
/*
 * The guest counts in the first word of each of @pages of the device's memory, which
 * have to be 0, until pal_vm_stop() of another thread. *@rounds is how far it came;
 * -EILSEQ if a word had another value than the one it wrote there.
 */
int pal_vm_count(struct pal_vm *vm, uint32_t pages, uint32_t *rounds);
void pal_vm_stop(struct pal_vm *vm);

/* Subtests that are the same for each driver, and an entry without a name at the end */
struct pal_check {
	const char *name;
	void (*run)(struct pal *pal);
	const char *description;
};

extern const struct pal_check pal_checks[];

/* One of them, for tests of no driver in particular */
void pal_check_readonly_fd(struct pal *pal);

#endif /* PAL_H */
