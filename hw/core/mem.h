/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that a device reaches by DMA: what the client of a vfio-user server
 * mapped for it, by address. Behind an IOMMU these are I/O virtual addresses.
 */
#ifndef HW_CORE_MEM_H
#define HW_CORE_MEM_H

#include "core/util.h"

#define MEM_READ	0x1
#define MEM_WRITE	0x2

struct mem;

/**
 * struct mem_remote - how to reach memory for which no file descriptor came
 * @read: copy @len bytes from @addr; 0 or a negative errno
 * @write: copy @len bytes to @addr; 0 or a negative errno
 *
 * Both may serve requests of the client while they wait for its answer, so
 * whoever calls them must not keep a &struct mem_span across the call.
 */
struct mem_remote {
	int (*read)(void *priv, uint64_t addr, void *buf, size_t len);
	int (*write)(void *priv, uint64_t addr, const void *buf, size_t len);
};

/**
 * struct mem_span - a piece of the address space that is contiguous
 * @host: where it is in this process, NULL if only mem_read() and mem_write()
 *	reach it
 * @len: bytes from the address that was asked for, at least 1
 */
struct mem_span {
	uint8_t *host;
	uint64_t len;
};

struct mem *mem_new(void);
void mem_free(struct mem *mem);
void mem_set_remote(struct mem *mem, const struct mem_remote *ops, void *priv);

/**
 * mem_map - add a range
 * @mem: the address space
 * @addr: first address
 * @size: bytes, at least one; @addr + @size may be 2^64
 * @prot: MEM_READ, MEM_WRITE
 * @fd: what is behind it, or -1; not kept, the caller closes it
 * @offset: of @addr in @fd; need not be page aligned
 *
 * One file is mapped once, however many ranges lead to it: behind an IOMMU
 * there are thousands. Whoever truncates it later ends this process, as it is
 * with all shared memory.
 *
 * Return: 0, -EINVAL (wraps around, empty, no @prot, beyond the end of the
 * file), -EEXIST (overlaps a range), -EACCES (MEM_WRITE and a file that is open
 * for reading only), or what mmap() and malloc() say.
 */
int mem_map(struct mem *mem, uint64_t addr, uint64_t size, unsigned int prot,
	    int fd, uint64_t offset);

/**
 * mem_unmap - take away all that is inside of a range
 * @mem: the address space
 * @addr: first address
 * @size: bytes; @addr + @size may be 2^64
 *
 * Ranges that the edges cut keep their other part.
 *
 * Return: 0, -ENOENT if nothing was there, -EINVAL (wraps around, empty), or
 * -ENOMEM: a range that is cut in the middle needs a second one.
 */
int mem_unmap(struct mem *mem, uint64_t addr, uint64_t size);
void mem_unmap_all(struct mem *mem);

/**
 * mem_span - where an address leads
 * @mem: the address space
 * @addr: the address
 * @prot: what is to be done there, MEM_READ or MEM_WRITE
 * @span: receives the answer, which holds until messages are served again
 *
 * Return: 0, -EFAULT if nothing is mapped, -EACCES if not for @prot.
 */
int mem_span(struct mem *mem, uint64_t addr, unsigned int prot,
	     struct mem_span *span);

/*
 * These go across ranges and to remote memory. 0, -EFAULT, -EACCES, or what the
 * remote says: -EIO. Nobody says how much was copied before an error.
 */
int mem_read(struct mem *mem, uint64_t addr, void *buf, size_t len);
int mem_write(struct mem *mem, uint64_t addr, const void *buf, size_t len);

/* Number of ranges, for limits and tests. What goes on in one file is one range. */
size_t mem_count(const struct mem *mem);

#endif
