// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VFIO_DEVICE_FEATURE_DMA_BUF and IOMMU_IOAS_MAP_FILE refuse, each with
 * what they accept beside it.
 */
#include <errno.h>

#include <sys/ioctl.h>

#include <linux/dma-heap.h>
#include <linux/udmabuf.h>

#include "vfio_dma_buf_common.h"
#include "../kselftest_harness.h"

FIXTURE(vfio_dma_buf_uapi_test) {
	struct devices d;
	struct vfio_dma_buf *dma_buf;
	struct dma_region map;
};

FIXTURE_SETUP(vfio_dma_buf_uapi_test)
{
	exporter_open(&self->d);
	bar_fill_area(&self->d);
	dma_device_open(&self->d);
	self->dma_buf = export(&self->d, 1, SZ_256K);
}

FIXTURE_TEARDOWN(vfio_dma_buf_uapi_test)
{
	vfio_dma_buf_cleanup(self->dma_buf);
	dma_device_close(&self->d);
	exporter_close(&self->d);
}

static int export_ranges(struct devices *d, u32 nr_ranges, u64 offset0, u64 length0,
			 u64 offset1, u64 length1)
{
	struct vfio_region_dma_range ranges[] = {
		{ .offset = offset0, .length = length0 },
		{ .offset = offset1, .length = length1 },
	};
	int fd = __vfio_pci_dma_buf_export(d->exporter, d->bar, O_RDWR | O_CLOEXEC,
					   nr_ranges, ranges);

	if (fd < 0)
		return fd;

	close(fd);
	return 0;
}

TEST_F(vfio_dma_buf_uapi_test, export_errors)
{
	struct devices *d = &self->d;
	u64 bar_size = d->exporter->bars[d->bar].info.size;
	u64 page = getpagesize();

	EXPECT_EQ(0, export_ranges(d, 1, 0, bar_size, 0, 0));
	EXPECT_EQ(0, export_ranges(d, 2, bar_size - page, page, 0, page));

	EXPECT_EQ(-EINVAL, export_ranges(d, 0, 0, page, 0, 0));
	EXPECT_EQ(-EINVAL, export_ranges(d, 2, 0, page, page, 0));
	EXPECT_EQ(-EINVAL, export_ranges(d, 2, 0, page, page, page / 2));
	EXPECT_EQ(-EINVAL, export_ranges(d, 2, 0, page, page / 2, page));
	EXPECT_EQ(-EINVAL, export_ranges(d, 1, 0, bar_size + page, 0, 0));
	EXPECT_EQ(-EINVAL, export_ranges(d, 2, 0, page, bar_size, page));
	EXPECT_EQ(-EINVAL, export_ranges(d, 2, 0, -page, 0, 2 * page));
	EXPECT_EQ(-EOVERFLOW, export_ranges(d, 1, -page, page, 0, 0));
}

TEST_F(vfio_dma_buf_uapi_test, map_errors)
{
	const u32 fixed = IOMMU_FILE_RW | IOMMU_IOAS_MAP_FIXED_IOVA;
	u64 size = self->dma_buf->size, page = getpagesize();
	iova_t iova = iova_allocator_alloc(self->d.iova_allocator, IOVA_SIZE);
	const struct {
		int ret;
		int fd;
		u64 start;
		u64 size;
		iova_t iova;
		u32 flags;
	} cases[] = {
		{ -EINVAL, self->dma_buf->fd, 0, 0, iova, fixed },
		{ -EINVAL, self->dma_buf->fd, 0, size + page, iova, fixed },
		{ -EINVAL, self->dma_buf->fd, page, size, iova, fixed },
		{ -EINVAL, self->dma_buf->fd, size, page, iova, fixed },
		{ -EOVERFLOW, self->dma_buf->fd, -page, 2 * page, iova, fixed },
		{ -EOVERFLOW, self->dma_buf->fd, 0, -1UL, iova, fixed },
		{ -EINVAL, self->dma_buf->fd, 0, page / 2, iova, fixed },
		{ -EINVAL, self->dma_buf->fd, page / 2, page, iova, fixed },
		{ -EINVAL, self->dma_buf->fd, 0, size, iova + page / 2, fixed },
		{ -EOVERFLOW, self->dma_buf->fd, 0, size, -page, fixed },
		{ -EINVAL, self->dma_buf->fd, 0, size, iova, IOMMU_IOAS_MAP_FIXED_IOVA },
		{ -EOPNOTSUPP, self->dma_buf->fd, 0, size, iova, fixed | 1U << 31 },
		{ -EBADF, -1, 0, size, iova, fixed },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		self->map.iova = cases[i].iova;
		self->map.size = cases[i].size;
		EXPECT_EQ(cases[i].ret,
			  __iommu_map_file(self->d.iommu, &self->map, cases[i].fd,
					   cases[i].start, cases[i].flags)) {
			TH_LOG("case %d", i);
		}
	}

	/* The last page, and nothing left behind by the failures */
	self->map.iova = iova;
	self->map.size = page;
	ASSERT_EQ(0, __iommu_map_file(self->d.iommu, &self->map, self->dma_buf->fd,
				      size - page, fixed));
	iommu_unmap(self->d.iommu, &self->map);
}

TEST_F(vfio_dma_buf_uapi_test, overlap)
{
	const u32 fixed = IOMMU_FILE_RW | IOMMU_IOAS_MAP_FIXED_IOVA;
	struct dma_region second = { .size = self->dma_buf->size };
	struct devices *d = &self->d;
	u64 page = getpagesize();

	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, self->dma_buf->size));
	second.iova = self->map.iova;
	EXPECT_EQ(-EEXIST, __iommu_map_file(d->iommu, &second, self->dma_buf->fd, 0, fixed));
	second.iova = self->map.iova + self->map.size - page;
	EXPECT_EQ(-EEXIST, __iommu_map_file(d->iommu, &second, self->dma_buf->fd, 0, fixed));
	second.iova = d->host.iova;
	EXPECT_EQ(-EEXIST, __iommu_map_file(d->iommu, &second, self->dma_buf->fd, 0, fixed));

	second.iova = self->map.iova + self->map.size;
	ASSERT_EQ(0, __iommu_map_file(d->iommu, &second, self->dma_buf->fd, 0, fixed));
	EXPECT_TRUE(dma_works(d, self->dma_buf, self->map.iova));
	EXPECT_TRUE(dma_works(d, self->dma_buf, second.iova));

	/* A mapping can only be removed whole. */
	second.size -= page;
	EXPECT_EQ(-ENOENT, __iommu_unmap(d->iommu, &second, NULL));
	EXPECT_TRUE(dma_works(d, self->dma_buf, second.iova));
}

TEST_F(vfio_dma_buf_uapi_test, read_only_mapping)
{
	struct devices *d = &self->d;
	u64 size = self->dma_buf->size;

	self->map.iova = iova_allocator_alloc(d->iova_allocator, IOVA_SIZE);
	self->map.size = size;
	iommu_map_file(d->iommu, &self->map, self->dma_buf->fd, 0,
		       IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_FIXED_IOVA);

	bar_fill(self->dma_buf, BEFORE);
	EXPECT_EQ(0, dma_read(d, self->map.iova, size));
	EXPECT_EQ(size, match(host_dst(d), size, BEFORE, 0));
	dma_write(d, DATA, self->map.iova, size, 0);
	EXPECT_EQ(size, bar_match(self->dma_buf, BEFORE));

	iommu_unmap(d->iommu, &self->map);
	iommu_map_file(d->iommu, &self->map, self->dma_buf->fd, 0,
		       IOMMU_FILE_RW | IOMMU_IOAS_MAP_FIXED_IOVA);
	EXPECT_TRUE(dma_works(d, self->dma_buf, self->map.iova));
}

TEST_F(vfio_dma_buf_uapi_test, read_only_fd)
{
	struct devices *d = &self->d;
	struct vfio_dma_buf *read_only;

	read_only = vfio_dma_buf_init(d->exporter, d->bar, O_RDONLY | O_CLOEXEC,
				      0, SZ_256K, 1, 0);

	EXPECT_EQ(-EPERM, map_fixed(d, &self->map, read_only->fd, 0, read_only->size));
	self->map.iova = iova_allocator_alloc(d->iova_allocator, IOVA_SIZE);
	EXPECT_EQ(-EPERM, __iommu_map_file(d->iommu, &self->map, read_only->fd, 0,
					   IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_FIXED_IOVA));
	ASSERT_EQ(0, __iommu_map_file(d->iommu, &self->map, read_only->fd, 0,
				      IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_FIXED_IOVA));

	bar_fill(read_only, BEFORE);
	EXPECT_EQ(0, dma_read(d, self->map.iova, read_only->size));
	EXPECT_EQ(read_only->size, match(host_dst(d), read_only->size, BEFORE, 0));
	iommu_unmap(d->iommu, &self->map);
	vfio_dma_buf_cleanup(read_only);

	EXPECT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, self->dma_buf->size));
}

TEST_F(vfio_dma_buf_uapi_test, system_memory_refused)
{
	struct dma_heap_allocation_data heap = { .len = SZ_256K, .fd_flags = O_RDWR | O_CLOEXEC };
	struct udmabuf_create create = { .size = SZ_256K };
	struct devices *d = &self->d;
	int memfd, udmabuf, heap_dev, fd;

	memfd = memfd_create("vfio_dma_buf_test", MFD_ALLOW_SEALING);
	ASSERT_LE(0, memfd);
	ASSERT_EQ(0, ftruncate(memfd, SZ_256K));
	ASSERT_EQ(0, fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));

	udmabuf = open("/dev/udmabuf", O_RDWR);
	heap_dev = open("/dev/dma_heap/system", O_RDWR);
	if (udmabuf < 0 || heap_dev < 0)
		SKIP(return, "Needs CONFIG_UDMABUF and CONFIG_DMABUF_HEAPS_SYSTEM");

	create.memfd = memfd;
	fd = ioctl(udmabuf, UDMABUF_CREATE, &create);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EOPNOTSUPP, map_fixed(d, &self->map, fd, 0, SZ_256K));
	EXPECT_EQ(0, close(fd));

	ASSERT_EQ(0, ioctl(heap_dev, DMA_HEAP_IOCTL_ALLOC, &heap));
	EXPECT_EQ(-EOPNOTSUPP, map_fixed(d, &self->map, heap.fd, 0, SZ_256K));
	EXPECT_EQ(0, close(heap.fd));

	EXPECT_EQ(0, map_fixed(d, &self->map, memfd, 0, SZ_256K));
	iommu_unmap(d->iommu, &self->map);
	EXPECT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, self->dma_buf->size));
	EXPECT_TRUE(dma_works(d, self->dma_buf, self->map.iova));
}

int main(int argc, char *argv[])
{
	dma_buf_test_devices(&argc, argv);
	return test_harness_run(argc, argv);
}
