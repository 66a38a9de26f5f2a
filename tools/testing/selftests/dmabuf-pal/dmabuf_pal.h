/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of /dev/dma_buf_pal_test for the tests in this folder
 */
#ifndef _DMABUF_PAL_H
#define _DMABUF_PAL_H

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/dma-buf-pal-test.h>

#define DEVICE "/dev/dma_buf_pal_test"

static inline int err(int ret)
{
	return ret < 0 ? errno : 0;
}

static inline int create(int dev, size_t size, unsigned int nr_ranges,
			 unsigned int fd_flags)
{
	struct dma_buf_pal_test_create arg = {
		.size = size,
		.nr_ranges = nr_ranges,
		.flags = DMA_BUF_PAL_TEST_SHUFFLE,
		.seed = 20 + nr_ranges,
		.fd_flags = fd_flags | O_CLOEXEC,
	};

	return ioctl(dev, DMA_BUF_PAL_TEST_CREATE, &arg);
}

static inline int buf_cmd(int dev, unsigned long cmd, int fd)
{
	struct dma_buf_pal_test_buf arg = { .fd = fd };

	return ioctl(dev, cmd, &arg);
}

static inline int import(int dev, int fd, unsigned int flags)
{
	struct dma_buf_pal_test_buf arg = { .fd = fd, .flags = flags };

	return ioctl(dev, DMA_BUF_PAL_TEST_IMPORT, &arg);
}

static inline int fail(int dev, int fd, unsigned int kind, unsigned int error,
		       unsigned int count)
{
	struct dma_buf_pal_test_fail arg = {
		.fd = fd, .kind = kind, .error = error, .count = count,
	};

	return ioctl(dev, DMA_BUF_PAL_TEST_FAIL, &arg);
}

/* Access by the exporter, which no state of the mappings prevents */
static inline int exporter_rw(int dev, unsigned long cmd, int fd,
			      uint64_t offset, void *data, uint64_t length)
{
	struct dma_buf_pal_test_data arg = {
		.fd = fd, .offset = offset, .length = length,
		.data = (uintptr_t)data,
	};

	return ioctl(dev, cmd, &arg);
}

static inline struct dma_buf_pal_test_query query(int dev, int fd)
{
	struct dma_buf_pal_test_query arg = { .fd = fd };

	/* Nothing that a caller expects */
	if (ioctl(dev, DMA_BUF_PAL_TEST_QUERY, &arg))
		memset(&arg, 0xff, sizeof(arg));
	return arg;
}

static inline struct dma_buf_pal_test_imp_query imp_query(int imp)
{
	struct dma_buf_pal_test_imp_query arg;

	if (ioctl(imp, DMA_BUF_PAL_TEST_IMP_QUERY, &arg))
		memset(&arg, 0xff, sizeof(arg));
	return arg;
}

#endif
