// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /dev/dma_buf_pal_test says to arguments that it cannot use. Each kind of
 * call is also made with good ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dmabuf_pal.h"
#include "kselftest_harness.h"

static size_t page_size;

FIXTURE(bad)
{
	int dev;
	int fd;
	int memfd;
	/* No memory there */
	void *hole;
};

FIXTURE_SETUP(bad)
{
	page_size = sysconf(_SC_PAGESIZE);
	self->dev = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (self->dev < 0)
		SKIP(return, "no " DEVICE ", or not root: %s",
		     strerror(errno));
	self->fd = create(self->dev, 4 * page_size, 2, O_RDWR);
	ASSERT_LE(0, self->fd);
	self->memfd = memfd_create("no dma-buf", MFD_CLOEXEC);
	ASSERT_LE(0, self->memfd);
	self->hole = mmap(NULL, page_size, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->hole);
}

FIXTURE_TEARDOWN(bad)
{
	munmap(self->hole, page_size);
	close(self->memfd);
	close(self->fd);
	close(self->dev);
}

TEST_F(bad, create)
{
	const struct dma_buf_pal_test_create good = {
		.size = 4 * page_size, .nr_ranges = 2, .fd_flags = O_RDWR,
	};
	struct dma_buf_pal_test_create arg;
	int fd;

#define BAD(_field, _value)						\
	do {								\
		arg = good;						\
		arg._field = (_value);					\
		EXPECT_EQ(EINVAL, err(ioctl(self->dev,			\
					    DMA_BUF_PAL_TEST_CREATE, &arg))) \
			TH_LOG(#_field " = " #_value);			\
	} while (0)

	BAD(size, 0);
	BAD(size, page_size / 2);
	BAD(size, page_size);
	BAD(size, 4 * page_size + 1);
	BAD(size, DMA_BUF_PAL_TEST_MAX_SIZE + page_size);
	BAD(size, -(uint64_t)page_size);
	BAD(size, 2 * (DMA_BUF_PAL_TEST_MAX_RANGE + page_size));
	BAD(nr_ranges, 0);
	BAD(nr_ranges, 5);
	BAD(nr_ranges, DMA_BUF_PAL_TEST_MAX_RANGES + 1);
	BAD(nr_ranges, UINT32_MAX);
	BAD(flags, 2);
	BAD(seed, 1);
	BAD(fd_flags, O_WRONLY);
	BAD(fd_flags, O_ACCMODE);
	BAD(fd_flags, O_RDWR | O_NONBLOCK);
	BAD(reserved, 1);
#undef BAD

	arg = good;
	fd = ioctl(self->dev, DMA_BUF_PAL_TEST_CREATE, &arg);
	EXPECT_LE(0, fd);
	close(fd);
	arg.size = 2 * DMA_BUF_PAL_TEST_MAX_RANGE;
	fd = ioctl(self->dev, DMA_BUF_PAL_TEST_CREATE, &arg);
	EXPECT_TRUE(fd >= 0 || errno == ENOMEM);
	close(fd);
	EXPECT_EQ(EFAULT, err(ioctl(self->dev, DMA_BUF_PAL_TEST_CREATE, NULL)));
	EXPECT_EQ(ENOTTY, err(ioctl(self->dev, DMA_BUF_PAL_TEST_IMP_QUERY,
				    &arg)));
}

TEST_F(bad, file_descriptors)
{
	const unsigned long cmds[] = {
		DMA_BUF_PAL_TEST_REVOKE, DMA_BUF_PAL_TEST_RESTORE,
		DMA_BUF_PAL_TEST_MOVE, DMA_BUF_PAL_TEST_IMPORT,
	};
	struct dma_buf_pal_test_buf arg = { .fd = self->fd, .flags = 2 };
	struct dma_buf_pal_test_query q;
	char c = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(EBADF, err(buf_cmd(self->dev, cmds[i], -1)));
		EXPECT_EQ(EINVAL, err(buf_cmd(self->dev, cmds[i], self->memfd)));
		EXPECT_EQ(EINVAL, err(ioctl(self->dev, cmds[i], &arg)));
		EXPECT_EQ(EFAULT, err(ioctl(self->dev, cmds[i], NULL)));
	}
	q.fd = self->memfd;
	EXPECT_EQ(EINVAL, err(ioctl(self->dev, DMA_BUF_PAL_TEST_QUERY, &q)));
	q.fd = -1;
	EXPECT_EQ(EBADF, err(ioctl(self->dev, DMA_BUF_PAL_TEST_QUERY, &q)));
	EXPECT_EQ(EINVAL, err(fail(self->dev, self->memfd,
				   DMA_BUF_PAL_TEST_FAIL_NOT, 0, 0)));
	EXPECT_EQ(EINVAL, err(exporter_rw(self->dev, DMA_BUF_PAL_TEST_PEEK,
					  self->memfd, 0, &c, 1)));
}

TEST_F(bad, arguments)
{
	const unsigned long cmds[] = { DMA_BUF_PAL_TEST_PEEK,
				       DMA_BUF_PAL_TEST_POKE };
	const uint64_t size = 4 * page_size;
	char c = 0;
	size_t i;
	int imp;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
#define RW(_offset, _data, _length) \
	err(exporter_rw(self->dev, cmds[i], self->fd, _offset, _data, _length))
		EXPECT_EQ(EINVAL, RW(0, &c, 0));
		EXPECT_EQ(EINVAL, RW(size, &c, 1));
		EXPECT_EQ(EINVAL, RW(size - 1, &c, 2));
		EXPECT_EQ(EINVAL, RW(-1ULL, &c, 1));
		EXPECT_EQ(EINVAL, RW(1, &c, -1ULL));
		EXPECT_EQ(EFAULT, RW(0, self->hole, 1));
		EXPECT_EQ(0, RW(size - 1, &c, 1));
#undef RW
	}

#define FAIL(_kind, _error, _count) \
	err(fail(self->dev, self->fd, DMA_BUF_PAL_TEST_##_kind, _error, _count))
	EXPECT_EQ(EINVAL, FAIL(FAIL_WRAP + 1, 0, 1));
	EXPECT_EQ(EINVAL, FAIL(FAIL_NOT, 0, 1));
	EXPECT_EQ(EINVAL, FAIL(FAIL_SHORT, 0, 0));
	EXPECT_EQ(EINVAL, FAIL(FAIL_SHORT, EIO, 1));
	EXPECT_EQ(EINVAL, FAIL(FAIL_ERRNO, 0, 1));
	EXPECT_EQ(EINVAL, FAIL(FAIL_ERRNO, EPERM, 1));
	EXPECT_EQ(EINVAL, FAIL(FAIL_ERRNO, 5000, 1));
	EXPECT_EQ(0, query(self->dev, self->fd).fail_count);
	EXPECT_EQ(0, FAIL(FAIL_ERRNO, EIO, 1));
	EXPECT_EQ(0, FAIL(FAIL_NOT, 0, 0));
#undef FAIL

	imp = import(self->dev, self->fd, 0);
	ASSERT_LE(0, imp);
	EXPECT_EQ(EINVAL, err(pread(imp, &c, 1, -1)));
	EXPECT_EQ(EFAULT, err(pread(imp, self->hole, 1, 0)));
	EXPECT_EQ(EFAULT, err(pwrite(imp, self->hole, 1, 0)));
	EXPECT_EQ(1, pread(imp, &c, 1, 0));
	EXPECT_EQ(EFAULT, err(ioctl(imp, DMA_BUF_PAL_TEST_IMP_QUERY, NULL)));
	EXPECT_EQ(ENOTTY, err(ioctl(imp, DMA_BUF_PAL_TEST_QUERY, &c)));
	close(imp);
}

TEST_HARNESS_MAIN
