// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of dma-bufs with physical address lists on a machine without a device:
 * /dev/dma_buf_pal_test exports buffers of many ranges and imports them, and
 * iommufd imports them as well. See linux/dma-buf-pal-test.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/iommufd.h>

#include "dmabuf_pal.h"
#include "kselftest_harness.h"
#include "../../../../drivers/iommu/iommufd/iommufd_test.h"

/* Under emulation and with checkers the loops take longer than the default */
#define LONG_TIMEOUT 240

static size_t page_size;

/* Different in each word of the buffer, so that no page looks like another */
static void fill(void *data, size_t length)
{
	uint64_t *word = data;
	size_t i;

	for (i = 0; i < length / sizeof(*word); i++)
		word[i] = (i + 1) * 0x9e3779b97f4a7c15ULL;
}

static int ioas_alloc(int iommufd, uint32_t *ioas_id)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };
	int ret;

	ret = ioctl(iommufd, IOMMU_IOAS_ALLOC, &cmd);
	*ioas_id = cmd.out_ioas_id;
	return ret;
}

static int ioas_map(int iommufd, uint32_t ioas_id, int fd, uint64_t start,
		    uint64_t length, unsigned int flags, uint64_t *iova)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd), .flags = flags, .ioas_id = ioas_id,
		.fd = fd, .start = start, .length = length,
		.iova = *iova,
	};
	int ret;

	ret = ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &cmd);
	*iova = cmd.iova;
	return ret;
}

static int ioas_unmap(int iommufd, uint32_t ioas_id, uint64_t iova,
		      uint64_t length)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd), .ioas_id = ioas_id, .iova = iova,
		.length = length,
	};

	return ioctl(iommufd, IOMMU_IOAS_UNMAP, &cmd);
}

static int mock_domain(int iommufd, uint32_t ioas_id)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd), .op = IOMMU_TEST_OP_MOCK_DOMAIN,
		.id = ioas_id,
	};

	return ioctl(iommufd, IOMMU_TEST_CMD, &cmd);
}

#define MAP_RW (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

FIXTURE(pal)
{
	int dev;
	int fd;
	int imp;
	size_t size;
	/* What is in the buffer, and room to read it */
	void *data;
	void *back;
};

FIXTURE_VARIANT(pal)
{
	unsigned int nr_ranges;
	unsigned int nr_pages;
};

FIXTURE_VARIANT_ADD(pal, one_range) { .nr_ranges = 1, .nr_pages = 64, };
FIXTURE_VARIANT_ADD(pal, two_ranges) { .nr_ranges = 2, .nr_pages = 64, };
FIXTURE_VARIANT_ADD(pal, five_ranges) { .nr_ranges = 5, .nr_pages = 64, };
FIXTURE_VARIANT_ADD(pal, many_ranges) { .nr_ranges = 512, .nr_pages = 512, };

FIXTURE_SETUP(pal)
{
	page_size = sysconf(_SC_PAGESIZE);
	self->dev = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (self->dev < 0)
		SKIP(return, "no " DEVICE ", or not root: %s",
		     strerror(errno));

	self->size = variant->nr_pages * page_size;
	self->data = malloc(self->size);
	self->back = malloc(self->size);
	ASSERT_NE(NULL, self->data);
	ASSERT_NE(NULL, self->back);
	fill(self->data, self->size);

	self->fd = create(self->dev, self->size, variant->nr_ranges, O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, exporter_rw(self->dev, DMA_BUF_PAL_TEST_POKE, self->fd, 0,
				 self->data, self->size));
	self->imp = import(self->dev, self->fd, 0);
	ASSERT_LE(0, self->imp);
}

FIXTURE_TEARDOWN(pal)
{
	struct dma_buf_pal_test_query q;

	EXPECT_EQ(0, close(self->imp));
	q = query(self->dev, self->fd);
	EXPECT_EQ(0, q.live_maps);
	EXPECT_EQ(0, q.pins);
	EXPECT_EQ(q.maps, q.unmaps);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, close(self->dev));
	free(self->data);
	free(self->back);
}

TEST_F(pal, query)
{
	struct dma_buf_pal_test_query q = query(self->dev, self->fd);
	struct dma_buf_pal_test_imp_query iq = imp_query(self->imp);

	EXPECT_EQ(self->size, q.size);
	EXPECT_EQ(variant->nr_ranges, q.nr_ranges);
	EXPECT_EQ(0, q.live_maps + q.pins + q.revoked + q.fail_count);
	EXPECT_EQ(0, q.generation + q.maps + q.unmaps);
	EXPECT_EQ(0, iq.maps + iq.invalidations + iq.available + iq.mapped);

	/* It maps when it has to, and the ranges stay apart */
	EXPECT_EQ(1, pread(self->imp, self->back, 1, 0));
	q = query(self->dev, self->fd);
	iq = imp_query(self->imp);
	EXPECT_EQ(1, q.live_maps);
	EXPECT_EQ(1, q.maps);
	EXPECT_EQ(0, q.pins);
	EXPECT_EQ(1, iq.mapped);
	EXPECT_EQ(variant->nr_ranges, iq.nr_ranges);
}

TEST_F(pal, import_sees_data)
{
	char patch[77];
	size_t offset;

	ASSERT_EQ(self->size, pread(self->imp, self->back, self->size, 0));
	EXPECT_EQ(0, memcmp(self->data, self->back, self->size));

	/* Over the end of each page, and so of each range */
	memset(patch, 0x5a, sizeof(patch));
	for (offset = page_size; offset < self->size; offset += page_size) {
		memcpy(self->data + offset - 40, patch, sizeof(patch));
		ASSERT_EQ(sizeof(patch), pwrite(self->imp, patch, sizeof(patch),
						offset - 40));
	}
	ASSERT_EQ(0, exporter_rw(self->dev, DMA_BUF_PAL_TEST_PEEK, self->fd, 0,
				 self->back, self->size));
	EXPECT_EQ(0, memcmp(self->data, self->back, self->size));

	/* Not a byte behind the end */
	EXPECT_EQ(3, pread(self->imp, self->back, 100, self->size - 3));
	EXPECT_EQ(0, pread(self->imp, self->back, 100, self->size));
	EXPECT_EQ(3, pwrite(self->imp, patch, sizeof(patch), self->size - 3));
	EXPECT_EQ(ENOSPC, err(pwrite(self->imp, patch, 1, self->size)));
	EXPECT_EQ(1, query(self->dev, self->fd).maps);
}

TEST_F(pal, revoke_restore)
{
	struct dma_buf_pal_test_imp_query iq;
	struct dma_buf_pal_test_query q;

	ASSERT_EQ(self->size, pread(self->imp, self->back, self->size, 0));
	ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_REVOKE, self->fd));
	q = query(self->dev, self->fd);
	EXPECT_EQ(1, q.revoked);
	EXPECT_EQ(0, q.live_maps);
	EXPECT_EQ(1, q.unmaps);
	EXPECT_EQ(ENODEV, err(pread(self->imp, self->back, 1, 0)));
	EXPECT_EQ(ENODEV, err(pwrite(self->imp, self->data, 1, 0)));
	EXPECT_EQ(EALREADY,
		  err(buf_cmd(self->dev, DMA_BUF_PAL_TEST_REVOKE, self->fd)));
	iq = imp_query(self->imp);
	EXPECT_EQ(1, iq.invalidations);
	EXPECT_EQ(0, iq.available);
	EXPECT_EQ(0, iq.mapped);

	ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_RESTORE, self->fd));
	EXPECT_EQ(EALREADY,
		  err(buf_cmd(self->dev, DMA_BUF_PAL_TEST_RESTORE, self->fd)));
	iq = imp_query(self->imp);
	EXPECT_EQ(1, iq.invalidations);
	EXPECT_EQ(1, iq.available);
	memset(self->back, 0, self->size);
	ASSERT_EQ(self->size, pread(self->imp, self->back, self->size, 0));
	EXPECT_EQ(0, memcmp(self->data, self->back, self->size));
	EXPECT_EQ(2, imp_query(self->imp).maps);
}

TEST_F(pal, move)
{
	int dead;

	dead = import(self->dev, self->fd, DMA_BUF_PAL_TEST_STAY_DEAD);
	ASSERT_LE(0, dead);
	ASSERT_EQ(1, pread(dead, self->back, 1, 0));
	ASSERT_EQ(1, pread(self->imp, self->back, 1, 0));
	EXPECT_EQ(2, query(self->dev, self->fd).live_maps);

	ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_MOVE, self->fd));
	EXPECT_EQ(1, query(self->dev, self->fd).generation);
	EXPECT_EQ(0, query(self->dev, self->fd).live_maps);
	ASSERT_EQ(self->size, pread(self->imp, self->back, self->size, 0));
	EXPECT_EQ(0, memcmp(self->data, self->back, self->size));
	EXPECT_EQ(variant->nr_ranges, imp_query(self->imp).nr_ranges);

	EXPECT_EQ(ENODEV, err(pread(dead, self->back, 1, 0)));
	EXPECT_EQ(1, imp_query(dead).invalidations);
	close(dead);
}

/* Files may be closed in any order, the importer keeps the buffer */
TEST_F(pal, exporter_closed_first)
{
	int fd = create(self->dev, self->size, variant->nr_ranges, O_RDWR);
	int imp, imp_idle;

	ASSERT_LE(0, fd);
	imp = import(self->dev, fd, 0);
	ASSERT_LE(0, imp);
	imp_idle = import(self->dev, fd, 0);
	ASSERT_LE(0, imp_idle);
	EXPECT_EQ(self->size, pwrite(imp, self->data, self->size, 0));
	close(fd);
	EXPECT_EQ(self->size, pread(imp, self->back, self->size, 0));
	EXPECT_EQ(0, memcmp(self->data, self->back, self->size));
	close(imp_idle);
	close(imp);
}

TEST_F(pal, iommufd)
{
	uint64_t iova = MOCK_APERTURE_START, slice = 0, end_iova = 0;
	struct dma_buf_pal_test_query q;
	uint32_t ioas_id;
	int iommufd, ret;

	iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (iommufd < 0)
		SKIP(return, "no /dev/iommu: %s", strerror(errno));
	ASSERT_EQ(0, ioas_alloc(iommufd, &ioas_id));

	/* First with no page table at all, later with one */
	ASSERT_EQ(0, ioas_map(iommufd, ioas_id, self->fd, 0, self->size,
			      MAP_RW | IOMMU_IOAS_MAP_FIXED_IOVA, &iova));
	q = query(self->dev, self->fd);
	EXPECT_EQ(1, q.live_maps);
	EXPECT_EQ(1, q.pins);
	ret = err(mock_domain(iommufd, ioas_id));
	if (ret == ENOTTY)
		TH_LOG("no mock domain (CONFIG_IOMMUFD_TEST), less is tested");
	else
		ASSERT_EQ(0, ret);

	/* A slice that begins and ends in the middle of a page */
	ASSERT_EQ(0, ioas_map(iommufd, ioas_id, self->fd,
			      3 * page_size + page_size / 2,
			      self->size - 6 * page_size, MAP_RW, &slice));
	EXPECT_EQ(EINVAL, err(ioas_map(iommufd, ioas_id, self->fd, page_size,
				       self->size, MAP_RW, &end_iova)));
	EXPECT_EQ(EINVAL, err(ioas_map(iommufd, ioas_id, self->fd, self->size,
				       page_size, MAP_RW, &end_iova)));

	/* It pins: no move, but the other importer is none the worse for it */
	EXPECT_EQ(EBUSY,
		  err(buf_cmd(self->dev, DMA_BUF_PAL_TEST_MOVE, self->fd)));
	EXPECT_EQ(1, pread(self->imp, self->back, 1, 0));

	/* A revoke takes everything away, and what is new stays possible */
	ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_REVOKE, self->fd));
	EXPECT_EQ(0, query(self->dev, self->fd).live_maps);
	EXPECT_EQ(ENODEV, err(ioas_map(iommufd, ioas_id, self->fd, 0,
				       self->size, MAP_RW, &end_iova)));
	ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_RESTORE, self->fd));
	EXPECT_EQ(0, ioas_unmap(iommufd, ioas_id, iova, self->size));
	EXPECT_EQ(0, ioas_map(iommufd, ioas_id, self->fd, 0, self->size,
			      MAP_RW, &iova));
	EXPECT_EQ(0, ioas_unmap(iommufd, ioas_id, iova, self->size));
	EXPECT_EQ(0, ioas_unmap(iommufd, ioas_id, slice,
				self->size - 6 * page_size));
	EXPECT_EQ(0, query(self->dev, self->fd).pins);
	EXPECT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_MOVE, self->fd));

	/* What is mapped when the file is closed is given back as well */
	EXPECT_EQ(0, ioas_map(iommufd, ioas_id, self->fd, 0, self->size,
			      MAP_RW, &iova));
	EXPECT_EQ(1, query(self->dev, self->fd).pins);
	close(iommufd);
}

TEST_F(pal, read_only)
{
	int fd = create(self->dev, self->size, variant->nr_ranges, O_RDONLY);
	int iommufd, imp;
	uint32_t ioas_id;
	uint64_t iova = 0;

	ASSERT_LE(0, fd);
	imp = import(self->dev, fd, 0);
	ASSERT_LE(0, imp);
	EXPECT_EQ(EPERM, err(pwrite(imp, self->data, 1, 0)));
	EXPECT_EQ(self->size, pread(imp, self->back, self->size, 0));
	/* The same on the one that is not read-only */
	EXPECT_EQ(1, pwrite(self->imp, self->data, 1, 0));

	iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (iommufd >= 0) {
		ASSERT_EQ(0, ioas_alloc(iommufd, &ioas_id));
		EXPECT_EQ(EPERM, err(ioas_map(iommufd, ioas_id, fd, 0,
					      self->size, MAP_RW, &iova)));
		EXPECT_EQ(0, ioas_map(iommufd, ioas_id, fd, 0, self->size,
				      IOMMU_IOAS_MAP_READABLE, &iova));
		close(iommufd);
	}
	close(imp);
	close(fd);
}

static const struct {
	unsigned int kind;
	unsigned int error;
	int expected;
} failures[] = {
	{ DMA_BUF_PAL_TEST_FAIL_ERRNO, ENODEV, ENODEV },
	{ DMA_BUF_PAL_TEST_FAIL_ERRNO, ENOMEM, ENOMEM },
	{ DMA_BUF_PAL_TEST_FAIL_ERRNO, EBUSY, EBUSY },
	{ DMA_BUF_PAL_TEST_FAIL_ERRNO, EINTR, EINTR },
	{ DMA_BUF_PAL_TEST_FAIL_ERRNO, EIO, EIO },
	{ DMA_BUF_PAL_TEST_FAIL_ERRNO, ENOSPC, ENOSPC },
	{ DMA_BUF_PAL_TEST_FAIL_NO_RANGES, 0, EINVAL },
	{ DMA_BUF_PAL_TEST_FAIL_EMPTY_RANGE, 0, EINVAL },
	{ DMA_BUF_PAL_TEST_FAIL_MISALIGNED, 0, EINVAL },
	{ DMA_BUF_PAL_TEST_FAIL_SHORT, 0, EINVAL },
	{ DMA_BUF_PAL_TEST_FAIL_LONG, 0, EINVAL },
	{ DMA_BUF_PAL_TEST_FAIL_WRAP, 0, EOVERFLOW },
};

TEST_F(pal, injected_failures)
{
	int iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	struct dma_buf_pal_test_query q;
	uint32_t ioas_id = 0;
	uint64_t iova = 0;
	size_t i;

	if (iommufd >= 0)
		ASSERT_EQ(0, ioas_alloc(iommufd, &ioas_id));

	for (i = 0; i < ARRAY_SIZE(failures); i++) {
		ASSERT_EQ(0, fail(self->dev, self->fd, failures[i].kind,
				  failures[i].error, 2 + (iommufd >= 0)));
		EXPECT_EQ(failures[i].expected,
			  err(pread(self->imp, self->back, 1, 0)));
		EXPECT_EQ(failures[i].expected,
			  err(pwrite(self->imp, self->data, 1, 0)));
		if (iommufd >= 0)
			EXPECT_EQ(failures[i].expected,
				  err(ioas_map(iommufd, ioas_id, self->fd, 0,
					       self->size, MAP_RW, &iova)));
		q = query(self->dev, self->fd);
		EXPECT_EQ(0, q.fail_count + q.live_maps + q.pins);

		/* As if nothing had been */
		EXPECT_EQ(1, pread(self->imp, self->back, 1, 0));
		ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_MOVE,
				     self->fd));
	}

	ASSERT_EQ(0, fail(self->dev, self->fd, DMA_BUF_PAL_TEST_FAIL_ERRNO,
			  EIO, 1000));
	ASSERT_EQ(0, fail(self->dev, self->fd, DMA_BUF_PAL_TEST_FAIL_NOT, 0,
			  0));
	EXPECT_EQ(1, pread(self->imp, self->back, 1, 0));
	close(iommufd);
}

/* Accesses in a thread while the main one does something to the buffer */
struct racer {
	pthread_t thread;
	int imp;
	size_t size;
	const void *data;
	bool stop;
	unsigned long accesses;
	unsigned long gone;
	unsigned long wrong;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	void *back = malloc(r->size);
	uint64_t seen, seq = 0;
	/* The last word is for writes, the rest must not change */
	size_t keep = r->size - sizeof(seq);

	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		ssize_t got = pread(r->imp, back, keep, 0);

		/* Large reads are made of several accesses */
		if (got < (ssize_t)keep && (got >= 0 || errno == ENODEV))
			r->gone++;
		else if (got != (ssize_t)keep || memcmp(back, r->data, keep))
			r->wrong++;

		/* A write that was reported as done is not lost in a move */
		seq++;
		if (pwrite(r->imp, &seq, sizeof(seq), keep) != sizeof(seq) ||
		    pread(r->imp, &seen, sizeof(seen), keep) != sizeof(seen)) {
			if (errno != ENODEV)
				r->wrong++;
			r->gone++;
		} else if (seen != seq) {
			r->wrong++;
		}
		__atomic_add_fetch(&r->accesses, 1, __ATOMIC_RELEASE);
	}
	free(back);
	return NULL;
}

/* Not before the other side runs, and has run since the last time */
static void wait_access(struct racer *r, unsigned long *last)
{
	unsigned long now;

	do {
		sched_yield();
		now = __atomic_load_n(&r->accesses, __ATOMIC_ACQUIRE);
	} while (now == *last);
	*last = now;
}

TEST_F_TIMEOUT(pal, move_race, LONG_TIMEOUT)
{
	/* Where copying all of the buffer takes long, fewer will do */
	const unsigned int moves = variant->nr_pages > 64 ? 100 : 1000;
	struct racer r = {
		.imp = self->imp, .size = self->size, .data = self->data,
	};
	unsigned long last = 0;
	unsigned int i, failed = 0;

	ASSERT_EQ(0, pthread_create(&r.thread, NULL, race, &r));
	for (i = 0; i < moves; i++) {
		if (buf_cmd(self->dev, DMA_BUF_PAL_TEST_MOVE, self->fd))
			failed++;
		if (i % 10 == 0)
			wait_access(&r, &last);
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	pthread_join(r.thread, NULL);

	EXPECT_EQ(0, failed);
	EXPECT_EQ(0, r.wrong);
	EXPECT_EQ(0, r.gone);
	EXPECT_LE(moves / 10, r.accesses);
	EXPECT_EQ(moves, query(self->dev, self->fd).generation);
	EXPECT_EQ(moves, imp_query(self->imp).invalidations);
}

TEST_F_TIMEOUT(pal, revoke_race, LONG_TIMEOUT)
{
	struct racer r = {
		.imp = self->imp, .size = self->size, .data = self->data,
	};
	unsigned int i, failed = 0;
	unsigned long last = 0;

	ASSERT_EQ(0, pthread_create(&r.thread, NULL, race, &r));
	for (i = 0; i < 1000; i++) {
		if (buf_cmd(self->dev, DMA_BUF_PAL_TEST_REVOKE, self->fd))
			failed++;
		if (query(self->dev, self->fd).live_maps)
			failed++;
		if (i % 10 == 0)
			wait_access(&r, &last);
		if (buf_cmd(self->dev, DMA_BUF_PAL_TEST_RESTORE, self->fd))
			failed++;
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	pthread_join(r.thread, NULL);

	EXPECT_EQ(0, failed);
	EXPECT_EQ(0, r.wrong);
	EXPECT_NE(0, r.gone);
	EXPECT_EQ(1000, imp_query(self->imp).invalidations);
	EXPECT_EQ(1000, imp_query(self->imp).available);
	EXPECT_EQ(1, pread(self->imp, self->back, 1, 0));
}

/* In a child: open everything there is, say so, and go on until killed */
static void occupy(int dev, int fd, size_t size, const void *data, int pipe_fd)
{
	struct racer r = { .size = size, .data = data };
	int iommufd = open("/dev/iommu", O_RDWR);
	uint32_t ioas_id;
	uint64_t iova = 0;
	int own;
	char c;

	r.imp = import(dev, fd, 0);
	own = create(dev, size, 1, O_RDWR);
	if (r.imp < 0 || own < 0 || import(dev, own, 0) < 0)
		_exit(1);
	if (iommufd >= 0 &&
	    (ioas_alloc(iommufd, &ioas_id) ||
	     ioas_map(iommufd, ioas_id, fd, 0, size, MAP_RW, &iova) ||
	     ioas_map(iommufd, ioas_id, own, 0, size, MAP_RW, &iova)))
		_exit(2);
	if (pread(r.imp, &c, 1, 0) != 1 ||
	    write(pipe_fd, "x", 1) != 1)
		_exit(3);
	race(&r);
	_exit(4);
}

TEST_F(pal, killed_with_everything_open)
{
	struct dma_buf_pal_test_query q;
	int pipe_fds[2];
	int status;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(pipe_fds));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(pipe_fds[0]);
		occupy(self->dev, self->fd, self->size, self->data,
		       pipe_fds[1]);
	}
	close(pipe_fds[1]);
	ASSERT_EQ(1, read(pipe_fds[0], &c, 1));
	q = query(self->dev, self->fd);
	EXPECT_LE(1, q.live_maps);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));

	/* The other end of the pipe was open for as long as the rest */
	EXPECT_EQ(0, read(pipe_fds[0], &c, 1));
	close(pipe_fds[0]);
	q = query(self->dev, self->fd);
	EXPECT_EQ(0, q.live_maps);
	EXPECT_EQ(0, q.pins);
	EXPECT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_MOVE, self->fd));
	EXPECT_EQ(self->size, pread(self->imp, self->back, self->size, 0));
}

TEST_HARNESS_MAIN
