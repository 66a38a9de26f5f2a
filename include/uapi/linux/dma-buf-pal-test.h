/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Test exporter and importer of dma-bufs with physical address lists,
 * /dev/dma_buf_pal_test
 *
 * All ioctls return -1 and set errno on failure; EINVAL stands for anything in
 * the structure that is out of its bounds, reserved fields that are not 0, and
 * file descriptors that are no dma-buf of this exporter.
 */
#ifndef _UAPI_LINUX_DMA_BUF_PAL_TEST_H
#define _UAPI_LINUX_DMA_BUF_PAL_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Largest buffer, in bytes */
#define DMA_BUF_PAL_TEST_MAX_SIZE (256U << 20)
/* Largest number of ranges of a buffer */
#define DMA_BUF_PAL_TEST_MAX_RANGES 65536
/* Largest range of a buffer, in bytes */
#define DMA_BUF_PAL_TEST_MAX_RANGE (2U << 20)

/**
 * enum dma_buf_pal_test_create_flags - flags of DMA_BUF_PAL_TEST_CREATE
 * @DMA_BUF_PAL_TEST_SHUFFLE: the order of the ranges in the buffer is made from
 *	&dma_buf_pal_test_create.seed, otherwise it is that in which they were
 *	allocated
 */
enum dma_buf_pal_test_create_flags {
	DMA_BUF_PAL_TEST_SHUFFLE = 1 << 0,
};

/**
 * struct dma_buf_pal_test_create - argument of DMA_BUF_PAL_TEST_CREATE
 * @size: bytes, a multiple of the page size, at most DMA_BUF_PAL_TEST_MAX_SIZE
 * @seed: for DMA_BUF_PAL_TEST_SHUFFLE, otherwise 0
 * @nr_ranges: number of ranges, at most DMA_BUF_PAL_TEST_MAX_RANGES and at most
 *	the number of pages; no two of them touch in physical memory
 * @flags: of &enum dma_buf_pal_test_create_flags
 * @fd_flags: O_RDONLY or O_RDWR, and O_CLOEXEC
 * @reserved: 0
 *
 * Creates a buffer of system RAM, filled with zeros, with ranges of equal length
 * up to one page, and returns a file descriptor of its dma-buf. ENOMEM may also
 * mean that memory is too fragmented for ranges that long.
 */
struct dma_buf_pal_test_create {
	__u64 size;
	__u64 seed;
	__u32 nr_ranges;
	__u32 flags;
	__u32 fd_flags;
	__u32 reserved;
};

/**
 * struct dma_buf_pal_test_buf - which buffer an ioctl is about
 * @fd: file descriptor of a dma-buf
 * @flags: of &enum dma_buf_pal_test_import_flags for DMA_BUF_PAL_TEST_IMPORT,
 *	otherwise 0
 *
 * DMA_BUF_PAL_TEST_REVOKE takes the mappings of all importers away and fails new
 * ones with ENODEV. EALREADY if it is so already.
 *
 * DMA_BUF_PAL_TEST_RESTORE ends that and tells importers. EALREADY if nothing
 * was revoked.
 *
 * DMA_BUF_PAL_TEST_MOVE moves the buffer to other memory with its contents.
 * Importers lose their mappings and can map again at once. EBUSY if an importer
 * has pinned the buffer.
 *
 * DMA_BUF_PAL_TEST_IMPORT attaches to the dma-buf, which may be of any exporter,
 * and returns a file descriptor of an importer. It maps when it has to and does
 * not pin. read() and write() on it, with the offset in the buffer, access the
 * memory by the addresses that the importer got: ENODEV after a revoke, EPERM
 * for a write if the dma-buf's file is read-only, EOPNOTSUPP if the memory is
 * partly RAM, ENOMEM, other errors as the exporter's map_phys returns them.
 */
struct dma_buf_pal_test_buf {
	__s32 fd;
	__u32 flags;
};

/**
 * enum dma_buf_pal_test_import_flags - flags of DMA_BUF_PAL_TEST_IMPORT
 * @DMA_BUF_PAL_TEST_STAY_DEAD: once its mapping was taken away the importer does
 *	not map again, every access fails with ENODEV
 */
enum dma_buf_pal_test_import_flags {
	DMA_BUF_PAL_TEST_STAY_DEAD = 1 << 0,
};

/**
 * enum dma_buf_pal_test_fail_kind - how DMA_BUF_PAL_TEST_FAIL has mapping fail
 * @DMA_BUF_PAL_TEST_FAIL_NOT: not at all, ends an earlier request
 * @DMA_BUF_PAL_TEST_FAIL_ERRNO: map_phys returns an error
 * @DMA_BUF_PAL_TEST_FAIL_NO_RANGES: the list is empty
 * @DMA_BUF_PAL_TEST_FAIL_EMPTY_RANGE: a range has no length
 * @DMA_BUF_PAL_TEST_FAIL_MISALIGNED: an address is not page aligned
 * @DMA_BUF_PAL_TEST_FAIL_SHORT: the list is a page too short
 * @DMA_BUF_PAL_TEST_FAIL_LONG: the list is a page too long
 * @DMA_BUF_PAL_TEST_FAIL_WRAP: a range ends behind the last address
 */
enum dma_buf_pal_test_fail_kind {
	DMA_BUF_PAL_TEST_FAIL_NOT,
	DMA_BUF_PAL_TEST_FAIL_ERRNO,
	DMA_BUF_PAL_TEST_FAIL_NO_RANGES,
	DMA_BUF_PAL_TEST_FAIL_EMPTY_RANGE,
	DMA_BUF_PAL_TEST_FAIL_MISALIGNED,
	DMA_BUF_PAL_TEST_FAIL_SHORT,
	DMA_BUF_PAL_TEST_FAIL_LONG,
	DMA_BUF_PAL_TEST_FAIL_WRAP,
};

/**
 * struct dma_buf_pal_test_fail - argument of DMA_BUF_PAL_TEST_FAIL
 * @fd: file descriptor of a dma-buf of this exporter
 * @kind: of &enum dma_buf_pal_test_fail_kind
 * @error: for DMA_BUF_PAL_TEST_FAIL_ERRNO a positive errno, one of EINTR, EIO,
 *	ENOMEM, EBUSY, ENODEV and ENOSPC; otherwise 0
 * @count: how many of the next calls of map_phys to fail, 0 just for
 *	DMA_BUF_PAL_TEST_FAIL_NOT
 *
 * While a buffer is revoked it is ENODEV in any case, and that is not counted.
 */
struct dma_buf_pal_test_fail {
	__s32 fd;
	__u32 kind;
	__u32 error;
	__u32 count;
};

/**
 * struct dma_buf_pal_test_query - argument of DMA_BUF_PAL_TEST_QUERY
 * @fd: in: file descriptor of a dma-buf of this exporter
 * @nr_ranges: out: as given at creation
 * @size: out: as given at creation
 * @live_maps: out: lists that importers have now
 * @pins: out: how often importers have the buffer pinned now
 * @revoked: out: 1 between DMA_BUF_PAL_TEST_REVOKE and DMA_BUF_PAL_TEST_RESTORE
 * @fail_count: out: calls of map_phys that are still to fail
 * @generation: out: number of moves so far
 * @maps: out: lists that were handed out so far
 * @unmaps: out: lists that came back so far
 */
struct dma_buf_pal_test_query {
	__s32 fd;
	__u32 nr_ranges;
	__u64 size;
	__u32 live_maps;
	__u32 pins;
	__u32 revoked;
	__u32 fail_count;
	__u64 generation;
	__u64 maps;
	__u64 unmaps;
};

/**
 * struct dma_buf_pal_test_data - argument of DMA_BUF_PAL_TEST_PEEK and _POKE
 * @fd: file descriptor of a dma-buf of this exporter
 * @reserved: 0
 * @offset: first byte in the buffer
 * @length: bytes, all of which have to be inside of the buffer
 * @data: address of as many bytes in user memory
 *
 * The exporter reads (PEEK) or writes (POKE) its memory with no importer
 * involved, and in any state. EFAULT if @data is not accessible; what comes
 * before that may have been copied.
 */
struct dma_buf_pal_test_data {
	__s32 fd;
	__u32 reserved;
	__u64 offset;
	__u64 length;
	__u64 data;
};

/**
 * struct dma_buf_pal_test_imp_query - argument of DMA_BUF_PAL_TEST_IMP_QUERY
 * @maps: out: lists that this importer got so far
 * @invalidations: out: calls of its invalidate_mappings so far
 * @available: out: calls of its mappings_available so far
 * @mapped: out: 1 if it has a list now
 * @nr_ranges: out: number of ranges in that list
 *
 * For the file descriptor that DMA_BUF_PAL_TEST_IMPORT returned.
 */
struct dma_buf_pal_test_imp_query {
	__u64 maps;
	__u64 invalidations;
	__u64 available;
	__u32 mapped;
	__u32 nr_ranges;
};

#define DMA_BUF_PAL_TEST_BASE 'b'
#define DMA_BUF_PAL_TEST_CREATE \
	_IOW(DMA_BUF_PAL_TEST_BASE, 0x60, struct dma_buf_pal_test_create)
#define DMA_BUF_PAL_TEST_REVOKE \
	_IOW(DMA_BUF_PAL_TEST_BASE, 0x61, struct dma_buf_pal_test_buf)
#define DMA_BUF_PAL_TEST_RESTORE \
	_IOW(DMA_BUF_PAL_TEST_BASE, 0x62, struct dma_buf_pal_test_buf)
#define DMA_BUF_PAL_TEST_MOVE \
	_IOW(DMA_BUF_PAL_TEST_BASE, 0x63, struct dma_buf_pal_test_buf)
#define DMA_BUF_PAL_TEST_IMPORT \
	_IOW(DMA_BUF_PAL_TEST_BASE, 0x64, struct dma_buf_pal_test_buf)
#define DMA_BUF_PAL_TEST_FAIL \
	_IOW(DMA_BUF_PAL_TEST_BASE, 0x65, struct dma_buf_pal_test_fail)
#define DMA_BUF_PAL_TEST_QUERY \
	_IOWR(DMA_BUF_PAL_TEST_BASE, 0x66, struct dma_buf_pal_test_query)
#define DMA_BUF_PAL_TEST_PEEK \
	_IOW(DMA_BUF_PAL_TEST_BASE, 0x67, struct dma_buf_pal_test_data)
#define DMA_BUF_PAL_TEST_POKE \
	_IOW(DMA_BUF_PAL_TEST_BASE, 0x68, struct dma_buf_pal_test_data)
#define DMA_BUF_PAL_TEST_IMP_QUERY \
	_IOR(DMA_BUF_PAL_TEST_BASE, 0x69, struct dma_buf_pal_test_imp_query)

#endif
