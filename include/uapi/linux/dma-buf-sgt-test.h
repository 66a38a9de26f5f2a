/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Test importer of dma-bufs with scatterlists, /dev/dma_buf_sgt_test
 *
 * All ioctls return -1 and set errno on failure; EINVAL stands for anything in
 * the structure that is out of its bounds and for file descriptors that are no
 * dma-buf.
 */
#ifndef _UAPI_LINUX_DMA_BUF_SGT_TEST_H
#define _UAPI_LINUX_DMA_BUF_SGT_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * enum dma_buf_sgt_test_need - what the importer needs of the CPU caches
 * @DMA_BUF_SGT_TEST_ANY: nothing
 * @DMA_BUF_SGT_TEST_REQUIRE_COHERENT: coherent memory
 * @DMA_BUF_SGT_TEST_CACHES_MAPPING: it brackets its accesses
 */
enum dma_buf_sgt_test_need {
	DMA_BUF_SGT_TEST_ANY,
	DMA_BUF_SGT_TEST_REQUIRE_COHERENT,
	DMA_BUF_SGT_TEST_CACHES_MAPPING,
};

/**
 * enum dma_buf_sgt_test_dir - direction of a mapping or a bracket
 * @DMA_BUF_SGT_TEST_BIDIRECTIONAL: the device reads and writes
 * @DMA_BUF_SGT_TEST_TO_DEVICE: it reads
 * @DMA_BUF_SGT_TEST_FROM_DEVICE: it writes
 */
enum dma_buf_sgt_test_dir {
	DMA_BUF_SGT_TEST_BIDIRECTIONAL,
	DMA_BUF_SGT_TEST_TO_DEVICE,
	DMA_BUF_SGT_TEST_FROM_DEVICE,
};

/**
 * enum dma_buf_sgt_test_flags - flags of DMA_BUF_SGT_TEST_IMPORT
 * @DMA_BUF_SGT_TEST_LEGACY_ENTRY: the importer has a second match entry that
 *	needs nothing
 */
enum dma_buf_sgt_test_flags {
	DMA_BUF_SGT_TEST_LEGACY_ENTRY = 1 << 0,
};

/**
 * struct dma_buf_sgt_test_import - argument of DMA_BUF_SGT_TEST_IMPORT
 * @fd: file descriptor of a dma-buf of any exporter
 * @need: of &enum dma_buf_sgt_test_need
 * @dir: of &enum dma_buf_sgt_test_dir, for the mapping
 * @flags: of &enum dma_buf_sgt_test_flags
 *
 * Attaches a device to the dma-buf, maps, and returns a file descriptor of the
 * importer, which keeps the mapping until it is closed. pread() and pwrite() on
 * it, with the offset in the buffer, are DMA of the device: it takes the DMA
 * addresses that it got and synchronises nothing. EOPNOTSUPP if the two sides do
 * not agree, ENODEV if the device's DMA goes through an IOMMU or what else there
 * is, where it could not follow its addresses.
 */
struct dma_buf_sgt_test_import {
	__s32 fd;
	__u32 need;
	__u32 dir;
	__u32 flags;
};

/**
 * struct dma_buf_sgt_test_bracket - argument of DMA_BUF_SGT_TEST_BEGIN and _END
 * @dir: of &enum dma_buf_sgt_test_dir
 * @reserved: 0
 *
 * dma_buf_begin_access() and dma_buf_end_access() of the importer.
 */
struct dma_buf_sgt_test_bracket {
	__u32 dir;
	__u32 reserved;
};

/**
 * struct dma_buf_sgt_test_query - argument of DMA_BUF_SGT_TEST_QUERY
 * @need: out: what the two sides agreed on, of &enum dma_buf_sgt_test_need
 * @dev_coherent: out: 1 if the core takes the device for coherent
 * @all_coherent: out: 1 if it takes all attached devices for coherent
 * @needs_sync: out: 1 if the DMA API wants some of the mapping synchronised
 */
struct dma_buf_sgt_test_query {
	__u32 need;
	__u32 dev_coherent;
	__u32 all_coherent;
	__u32 needs_sync;
};

#define DMA_BUF_SGT_TEST_BASE 'b'
/* On /dev/dma_buf_sgt_test */
#define DMA_BUF_SGT_TEST_IMPORT \
	_IOW(DMA_BUF_SGT_TEST_BASE, 0x70, struct dma_buf_sgt_test_import)
/* On what DMA_BUF_SGT_TEST_IMPORT returned */
#define DMA_BUF_SGT_TEST_BEGIN \
	_IOW(DMA_BUF_SGT_TEST_BASE, 0x71, struct dma_buf_sgt_test_bracket)
#define DMA_BUF_SGT_TEST_END \
	_IOW(DMA_BUF_SGT_TEST_BASE, 0x72, struct dma_buf_sgt_test_bracket)
#define DMA_BUF_SGT_TEST_QUERY \
	_IOR(DMA_BUF_SGT_TEST_BASE, 0x73, struct dma_buf_sgt_test_query)

#endif
