// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coherency and access brackets of dma-bufs, by /dev/dma_buf_sgt_test
 *
 * The CPU's view is a mapping of the dma-buf, the device's is read and written by
 * the test importer through its DMA addresses. With swiotlb=force these lead to
 * other memory, so that what was not synchronised is really not there: each test
 * first leaves the bracket out and looks for the loss. On machines that bounce
 * nothing there is no loss to be seen, and what remains is the negotiation, the
 * synchronisation by the tracepoints, and that the data are right.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/dma-buf-sgt-test.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/memfd.h>
#include <linux/udmabuf.h>

#include "../../kselftest_harness.h"

/* swiotlb maps no more than 256 KiB in one piece */
#define SIZE (64 * 1024UL)
#define EVENTS "/sys/kernel/tracing/events/dma_buf/"

#define ANY DMA_BUF_SGT_TEST_ANY
#define REQUIRE DMA_BUF_SGT_TEST_REQUIRE_COHERENT
#define CACHES DMA_BUF_SGT_TEST_CACHES_MAPPING
#define BIDIR DMA_BUF_SGT_TEST_BIDIRECTIONAL
#define TO_DEVICE DMA_BUF_SGT_TEST_TO_DEVICE
#define FROM_DEVICE DMA_BUF_SGT_TEST_FROM_DEVICE

/* What goes to the device and comes from it */
static unsigned char data[SIZE];
static const unsigned char zeros[SIZE];

/* What this machine is said to be, by others than the code under test */
static bool bounces(void)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "r");

	if (file) {
		if (!fgets(line, sizeof(line), file))
			line[0] = 0;
		fclose(file);
	}
	return strstr(line, "swiotlb=force");
}

/* On arm64 devices that no firmware describes are not */
static bool coherent(void)
{
	struct utsname machine;

	if (uname(&machine) || !strcmp(machine.machine, "aarch64"))
		return false;
	return !bounces();
}

static int err(int ret)
{
	return ret < 0 ? errno : 0;
}

static int make_udmabuf(void)
{
	struct udmabuf_create arg = { .size = SIZE };
	int dev, fd;

	dev = open("/dev/udmabuf", O_RDWR);
	if (dev < 0)
		return -1;
	arg.memfd = memfd_create("access", MFD_ALLOW_SEALING);
	if (ftruncate(arg.memfd, SIZE) ||
	    fcntl(arg.memfd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		close(arg.memfd);
		close(dev);
		return -1;
	}
	fd = ioctl(dev, UDMABUF_CREATE, &arg);
	close(arg.memfd);
	close(dev);
	return fd;
}

static int make_heap(const char *path)
{
	struct dma_heap_allocation_data arg = {
		.len = SIZE, .fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap = open(path, O_RDWR);
	int ret;

	if (heap < 0)
		return -1;
	ret = ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &arg);
	close(heap);
	return ret ? -1 : (int)arg.fd;
}

FIXTURE(access)
{
	int dev;
	int buf;
	unsigned char *cpu;
};

FIXTURE_VARIANT(access)
{
	const char *heap;
	/* Whether it synchronises all mappings for the CPU's accesses */
	bool syncs_mappings;
	bool optional;
};

FIXTURE_VARIANT_ADD(access, udmabuf) {};

FIXTURE_VARIANT_ADD(access, system_heap)
{
	.heap = "/dev/dma_heap/system",
	.syncs_mappings = true,
};

FIXTURE_VARIANT_ADD(access, cma_heap)
{
	.heap = "/dev/dma_heap/default_cma_region",
	.syncs_mappings = true,
	.optional = true,
};

FIXTURE_SETUP(access)
{
	if (variant->optional && access(variant->heap, F_OK))
		SKIP(return, "no %s", variant->heap);
	self->dev = open("/dev/dma_buf_sgt_test", O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->dev, 0);
	self->buf = variant->heap ? make_heap(variant->heap) : make_udmabuf();
	ASSERT_GE(self->buf, 0);
	self->cpu = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->buf, 0);
	ASSERT_NE(MAP_FAILED, self->cpu);
}

FIXTURE_TEARDOWN(access)
{
	munmap(self->cpu, SIZE);
	close(self->buf);
	close(self->dev);
}

static int import(int dev, int buf, unsigned int need, unsigned int dir,
		  unsigned int flags)
{
	struct dma_buf_sgt_test_import arg = {
		.fd = buf, .need = need, .dir = dir, .flags = flags,
	};

	return ioctl(dev, DMA_BUF_SGT_TEST_IMPORT, &arg);
}

static int bracket(int imp, unsigned long cmd, unsigned int dir)
{
	struct dma_buf_sgt_test_bracket arg = { .dir = dir };

	return ioctl(imp, cmd, &arg);
}

static int begin(int imp, unsigned int dir)
{
	return bracket(imp, DMA_BUF_SGT_TEST_BEGIN, dir);
}

static int end(int imp, unsigned int dir)
{
	return bracket(imp, DMA_BUF_SGT_TEST_END, dir);
}

static struct dma_buf_sgt_test_query query(int imp)
{
	struct dma_buf_sgt_test_query arg;

	/* Nothing that a caller expects */
	if (ioctl(imp, DMA_BUF_SGT_TEST_QUERY, &arg))
		memset(&arg, 0xff, sizeof(arg));
	return arg;
}

static void fill(unsigned char *at, size_t length, unsigned int seed)
{
	size_t i;

	for (i = 0; i < length; i++)
		at[i] = (i * 7 + (i >> 8) + seed * 31) | 1;
}

static bool has(const unsigned char *at, size_t length, unsigned int seed)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (at[i] != (unsigned char)((i * 7 + (i >> 8) + seed * 31) | 1))
			return false;
	return true;
}

static bool device_write(int imp, size_t length, unsigned int seed)
{
	fill(data, length, seed);
	return pwrite(imp, data, length, 0) == (ssize_t)length;
}

/* Reads by DMA what it then compares */
static bool device_has(int imp, unsigned int seed)
{
	memset(data, 0xee, SIZE);
	return pread(imp, data, SIZE, 0) == (ssize_t)SIZE &&
	       has(data, SIZE, seed);
}

/* Accesses of the CPU as user space has to bracket them */
static int cpu_sync(int buf, uint64_t flags)
{
	struct dma_buf_sync arg = { .flags = flags };

	return ioctl(buf, DMA_BUF_IOCTL_SYNC, &arg);
}

TEST_F(access, negotiation)
{
	struct dma_buf_sgt_test_query q;
	int imp;

	/* Refused where it would not be true, and accepted where it is */
	imp = import(self->dev, self->buf, REQUIRE, BIDIR, 0);
	ASSERT_EQ(coherent() ? 0 : EOPNOTSUPP, err(imp));
	if (imp >= 0) {
		q = query(imp);
		EXPECT_EQ(REQUIRE, q.need);
		EXPECT_EQ(0, q.needs_sync);
		close(imp);
	}

	/* With something to fall back to nobody is refused */
	imp = import(self->dev, self->buf, REQUIRE, BIDIR, DMA_BUF_SGT_TEST_LEGACY_ENTRY);
	ASSERT_GE(imp, 0);
	q = query(imp);
	EXPECT_EQ(coherent() ? REQUIRE : ANY, q.need);
	close(imp);

	imp = import(self->dev, self->buf, CACHES, BIDIR, DMA_BUF_SGT_TEST_LEGACY_ENTRY);
	ASSERT_GE(imp, 0);
	q = query(imp);
	EXPECT_EQ(CACHES, q.need);
	EXPECT_EQ(coherent(), q.dev_coherent);
	EXPECT_EQ(coherent(), q.all_coherent);
	EXPECT_EQ(!coherent(), q.needs_sync);
	close(imp);

	imp = import(self->dev, self->buf, ANY, BIDIR, 0);
	ASSERT_GE(imp, 0);
	q = query(imp);
	EXPECT_EQ(ANY, q.need);
	close(imp);
}

TEST_F(access, to_device)
{
	int imp = import(self->dev, self->buf, CACHES, TO_DEVICE, 0);

	ASSERT_GE(imp, 0);
	/* The control: the device has what was there when it was mapped */
	fill(self->cpu, SIZE, 1);
	EXPECT_EQ(!bounces(), device_has(imp, 1));
	if (bounces())
		EXPECT_EQ(0, memcmp(data, zeros, SIZE));

	ASSERT_EQ(0, begin(imp, TO_DEVICE));
	EXPECT_TRUE(device_has(imp, 1));
	ASSERT_EQ(0, end(imp, TO_DEVICE));

	/* And once more, the mapping is the same */
	fill(self->cpu, SIZE, 2);
	EXPECT_EQ(!bounces(), device_has(imp, 2));
	ASSERT_EQ(0, begin(imp, TO_DEVICE));
	EXPECT_TRUE(device_has(imp, 2));
	ASSERT_EQ(0, end(imp, TO_DEVICE));
	close(imp);
	EXPECT_TRUE(has(self->cpu, SIZE, 2));
}

TEST_F(access, from_device)
{
	int imp = import(self->dev, self->buf, CACHES, FROM_DEVICE, 0);

	ASSERT_GE(imp, 0);
	/* The control: what the device wrote is nowhere, and so it stays */
	ASSERT_EQ(0, begin(imp, FROM_DEVICE));
	ASSERT_TRUE(device_write(imp, SIZE, 1));
	EXPECT_EQ(!bounces(), has(self->cpu, SIZE, 1));
	if (bounces())
		EXPECT_EQ(0, memcmp(self->cpu, zeros, SIZE));
	ASSERT_EQ(0, end(imp, FROM_DEVICE));
	EXPECT_TRUE(has(self->cpu, SIZE, 1));

	ASSERT_EQ(0, begin(imp, FROM_DEVICE));
	ASSERT_TRUE(device_write(imp, SIZE, 2));
	ASSERT_EQ(0, end(imp, FROM_DEVICE));
	EXPECT_TRUE(has(self->cpu, SIZE, 2));

	ASSERT_TRUE(device_write(imp, SIZE, 3));
	close(imp);
	EXPECT_EQ(!bounces(), has(self->cpu, SIZE, 3));
}

/* Between end and the next begin the memory is the CPU's */
TEST_F(access, cpu_in_between)
{
	int imp = import(self->dev, self->buf, CACHES, BIDIR, 0);

	ASSERT_GE(imp, 0);
	ASSERT_EQ(0, cpu_sync(self->buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	fill(self->cpu, SIZE, 9);
	ASSERT_EQ(0, cpu_sync(self->buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
	ASSERT_EQ(0, begin(imp, BIDIR));
	EXPECT_TRUE(device_has(imp, 9));
	ASSERT_TRUE(device_write(imp, SIZE, 1));
	ASSERT_EQ(0, end(imp, BIDIR));
	ASSERT_EQ(0, cpu_sync(self->buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_TRUE(has(self->cpu, SIZE, 1));
	ASSERT_EQ(0, cpu_sync(self->buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));

	/* What the device has is old from here on, and must not come back */
	ASSERT_EQ(0, cpu_sync(self->buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	fill(self->cpu, SIZE, 2);
	ASSERT_EQ(0, cpu_sync(self->buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	ASSERT_EQ(0, cpu_sync(self->buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_TRUE(has(self->cpu, SIZE, 2));
	ASSERT_EQ(0, cpu_sync(self->buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	close(imp);
	EXPECT_TRUE(has(self->cpu, SIZE, 2));
}

/* The same without brackets is what exporters did before, and is not changed */
TEST_F(access, no_brackets)
{
	int imp;

	fill(self->cpu, SIZE, 1);
	imp = import(self->dev, self->buf, ANY, BIDIR, 0);
	ASSERT_GE(imp, 0);
	fill(self->cpu, SIZE, 2);
	EXPECT_EQ(!bounces(), device_has(imp, 2));

	/* Accepted, and without effect */
	ASSERT_EQ(0, begin(imp, BIDIR));
	EXPECT_EQ(!bounces(), device_has(imp, 2));
	ASSERT_EQ(0, end(imp, BIDIR));

	if (variant->syncs_mappings) {
		ASSERT_EQ(0, cpu_sync(self->buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
		EXPECT_TRUE(device_has(imp, 2));
	}

	/* Heaps synchronise when they unmap, here what is newer is lost by it */
	fill(self->cpu, SIZE, 3);
	close(imp);
	EXPECT_EQ(!bounces() || !variant->syncs_mappings,
		  has(self->cpu, SIZE, 3));
}

/* A bracket of another device is like an access of the CPU */
TEST_F(access, two_importers)
{
	int one = import(self->dev, self->buf, CACHES, BIDIR, 0);
	int other = import(self->dev, self->buf, CACHES, BIDIR, 0);

	ASSERT_GE(one, 0);
	ASSERT_GE(other, 0);
	ASSERT_EQ(0, begin(one, BIDIR));
	ASSERT_TRUE(device_write(one, SIZE, 1));
	EXPECT_EQ(!bounces(), device_has(other, 1));
	ASSERT_EQ(0, end(one, BIDIR));

	ASSERT_EQ(0, begin(other, BIDIR));
	EXPECT_TRUE(device_has(other, 1));
	ASSERT_TRUE(device_write(other, SIZE, 2));
	ASSERT_EQ(0, end(other, BIDIR));

	/* The first one's view is old */
	ASSERT_EQ(0, cpu_sync(self->buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_TRUE(has(self->cpu, SIZE, 2));
	ASSERT_EQ(0, cpu_sync(self->buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	EXPECT_EQ(bounces(), device_has(one, 1));
	close(one);
	close(other);
	EXPECT_TRUE(has(self->cpu, SIZE, 2));
}

/* A device that writes less than the whole buffer has to say BIDIRECTIONAL */
TEST_F(access, partial_write)
{
	int imp = import(self->dev, self->buf, CACHES, BIDIR, 0);

	ASSERT_GE(imp, 0);
	fill(self->cpu, SIZE, 1);
	ASSERT_EQ(0, begin(imp, BIDIR));
	ASSERT_TRUE(device_write(imp, SIZE / 4, 2));
	ASSERT_EQ(0, end(imp, BIDIR));
	EXPECT_TRUE(has(self->cpu, SIZE / 4, 2));
	fill(data, SIZE, 1);
	EXPECT_EQ(0, memcmp(self->cpu + SIZE / 4, data + SIZE / 4,
			    SIZE - SIZE / 4));

	/* The control, with which the rest is what the device has of it */
	fill(self->cpu, SIZE, 3);
	ASSERT_EQ(0, begin(imp, FROM_DEVICE));
	ASSERT_TRUE(device_write(imp, SIZE / 4, 4));
	ASSERT_EQ(0, end(imp, FROM_DEVICE));
	EXPECT_TRUE(has(self->cpu, SIZE / 4, 4));
	fill(data, SIZE, 3);
	EXPECT_EQ(bounces(), !!memcmp(self->cpu + SIZE / 4,
				      data + SIZE / 4, SIZE - SIZE / 4));
	close(imp);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	int ret;

	if (fd < 0)
		return -1;
	ret = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return ret;
}

/* Events of this name in the trace, of which @synced were said to do something */
static int count_events(const char *name, int *synced)
{
	FILE *file = fopen("/sys/kernel/tracing/trace", "r");
	char line[1024];
	int count = 0;

	*synced = 0;
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || !strstr(line, name))
			continue;
		count++;
		if (strstr(line, "synced=1"))
			(*synced)++;
	}
	fclose(file);
	return count;
}

/* Both the calls, and what the DMA API was told to do */
TEST_F(access, traced)
{
	int imp, calls, synced, need = !coherent();

	ASSERT_EQ(0, write_file(EVENTS "dma_buf_begin_access/enable", "1"));
	ASSERT_EQ(0, write_file(EVENTS "dma_buf_end_access/enable", "1"));
	ASSERT_EQ(0, write_file(EVENTS "../dma/dma_sync_sg_for_device/enable",
				"1"));
	ASSERT_EQ(0, write_file(EVENTS "../dma/dma_sync_sg_for_cpu/enable",
				"1"));
	ASSERT_EQ(0, write_file("/sys/kernel/tracing/trace", ""));

	imp = import(self->dev, self->buf, CACHES, BIDIR, 0);
	ASSERT_GE(imp, 0);
	fill(self->cpu, SIZE, 1);
	ASSERT_EQ(0, begin(imp, TO_DEVICE));
	EXPECT_TRUE(device_has(imp, 1));
	ASSERT_EQ(0, end(imp, TO_DEVICE));
	ASSERT_EQ(0, begin(imp, FROM_DEVICE));
	ASSERT_EQ(0, end(imp, FROM_DEVICE));

	EXPECT_EQ(2, count_events(" dma_buf_begin_access:", &synced));
	EXPECT_EQ(2 * need, synced);
	EXPECT_EQ(2, count_events(" dma_buf_end_access:", &synced));
	EXPECT_EQ(2 * need, synced);
	calls = count_events(" dma_sync_sg_for_device:", &synced);
	EXPECT_EQ(2 * need, calls);
	calls = count_events(" dma_sync_sg_for_cpu:", &synced);
	EXPECT_EQ(2 * need, calls);
	close(imp);

	write_file("/sys/kernel/tracing/events/enable", "0");
}

TEST_F(access, input)
{
	struct dma_buf_sgt_test_import arg = { .fd = self->buf };
	struct dma_buf_sgt_test_bracket reserved = { .reserved = 1 };
	int imp;

	EXPECT_EQ(EINVAL, err(import(self->dev, self->buf, CACHES + 1, BIDIR, 0)));
	EXPECT_EQ(EINVAL, err(import(self->dev, self->buf, ANY, FROM_DEVICE + 1, 0)));
	EXPECT_EQ(EINVAL, err(import(self->dev, self->buf, ANY, BIDIR, 2)));
	EXPECT_EQ(ENOTTY, err(ioctl(self->dev, DMA_BUF_SGT_TEST_BEGIN, &arg)));
	arg.fd = self->dev;
	EXPECT_EQ(EINVAL, err(ioctl(self->dev, DMA_BUF_SGT_TEST_IMPORT, &arg)));
	arg.fd = -1;
	EXPECT_EQ(EBADF, err(ioctl(self->dev, DMA_BUF_SGT_TEST_IMPORT, &arg)));
	EXPECT_EQ(EFAULT, err(ioctl(self->dev, DMA_BUF_SGT_TEST_IMPORT, NULL)));

	imp = import(self->dev, self->buf, CACHES, TO_DEVICE, 0);
	ASSERT_GE(imp, 0);
	EXPECT_EQ(EINVAL, err(begin(imp, FROM_DEVICE + 1)));
	EXPECT_EQ(EINVAL, err(begin(imp, FROM_DEVICE)));
	EXPECT_EQ(EINVAL, err(end(imp, BIDIR)));
	EXPECT_EQ(EINVAL, err(ioctl(imp, DMA_BUF_SGT_TEST_END, &reserved)));
	EXPECT_EQ(EPERM, err(pwrite(imp, data, 1, 0)));
	EXPECT_EQ(0, pread(imp, data, 1, SIZE));
	EXPECT_EQ(0, begin(imp, TO_DEVICE));
	EXPECT_EQ(0, end(imp, TO_DEVICE));
	close(imp);
}

TEST_HARNESS_MAIN
