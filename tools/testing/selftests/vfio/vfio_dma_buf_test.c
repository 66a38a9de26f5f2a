// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA through mappings of a VFIO dma-buf: does it reach the right memory, and
 * does it end when the memory, its exporter, its importer or its user go away?
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include <sys/ioctl.h>
#include <sys/wait.h>

#include <libvfio/nvme.h>

#include "vfio_dma_buf_common.h"
#include "../kselftest_harness.h"

#define NR_RACE_MAPS	1000
#define NR_RACE_REVOKES	20
#define MAPS_PER_REVOKE	16

FIXTURE(vfio_dma_buf_test) {
	struct devices d;
	struct vfio_dma_buf *dma_buf;
	struct dma_region map;
};

FIXTURE_VARIANT(vfio_dma_buf_test) {
	u32 nr_ranges;
	u64 size;
};

FIXTURE_VARIANT_ADD(vfio_dma_buf_test, 1_range) {
	.nr_ranges = 1,
	.size = SZ_256K,
};

FIXTURE_VARIANT_ADD(vfio_dma_buf_test, 5_ranges) {
	.nr_ranges = 5,
	.size = SZ_256K,
};

FIXTURE_VARIANT_ADD(vfio_dma_buf_test, 64_ranges) {
	.nr_ranges = 64,
	.size = SZ_1M,
};

FIXTURE_SETUP(vfio_dma_buf_test)
{
	exporter_open(&self->d);
	bar_fill_area(&self->d);
	dma_device_open(&self->d);
	self->dma_buf = export(&self->d, variant->nr_ranges, variant->size);
}

FIXTURE_TEARDOWN(vfio_dma_buf_test)
{
	vfio_dma_buf_cleanup(self->dma_buf);
	dma_device_close(&self->d);
	exporter_close(&self->d);
}

TEST_F(vfio_dma_buf_test, dma_write)
{
	ASSERT_EQ(0, map_fixed(&self->d, &self->map, self->dma_buf->fd, 0, self->dma_buf->size));
	bar_fill(self->dma_buf, BEFORE);

	ASSERT_EQ(0, dma_write(&self->d, DATA, self->map.iova, self->dma_buf->size, 0));
	ASSERT_EQ(self->dma_buf->size, bar_match(self->dma_buf, DATA));
	ASSERT_TRUE(bar_guards_intact(self->dma_buf));
	iommu_unmap(self->d.iommu, &self->map);
}

TEST_F(vfio_dma_buf_test, dma_read)
{
	ASSERT_EQ(0, map_fixed(&self->d, &self->map, self->dma_buf->fd, 0, self->dma_buf->size));
	bar_fill(self->dma_buf, DATA);

	ASSERT_EQ(0, dma_read(&self->d, self->map.iova, self->dma_buf->size));
	ASSERT_EQ(self->dma_buf->size, match(host_dst(&self->d), self->dma_buf->size, DATA, 0));
	ASSERT_EQ(self->dma_buf->size, bar_match(self->dma_buf, DATA));
	iommu_unmap(self->d.iommu, &self->map);
}

TEST_F(vfio_dma_buf_test, disk)
{
	struct devices *d = &self->d;
	u64 size = self->dma_buf->size;
	const struct nvme_namespace *ns;

	if (!nvme_device(d->dma))
		SKIP(return, "%s has no disk", dma_bdf);

	ns = nvme_namespace(d->dma);
	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, size));

	fill(host_src(d), size, DATA, 0);
	ASSERT_EQ(0, nvme_write(d->dma, 0, d->host.iova, size));
	bar_fill(self->dma_buf, BEFORE);
	ASSERT_EQ(0, nvme_read(d->dma, 0, self->map.iova, size));
	ASSERT_EQ(size, bar_match(self->dma_buf, DATA));
	ASSERT_TRUE(bar_guards_intact(self->dma_buf));

	bar_fill(self->dma_buf, AFTER);
	ASSERT_EQ(0, nvme_write(d->dma, size / ns->block_size, self->map.iova, size));
	ASSERT_EQ(0, nvme_read(d->dma, size / ns->block_size,
			       d->host.iova + MAX_WINDOW_SIZE, size));
	ASSERT_EQ(size, match(host_dst(d), size, AFTER, 0));
}

TEST_F(vfio_dma_buf_test, slices)
{
	u64 page = getpagesize(), total = self->dma_buf->size;
	u64 start, end;
	int i = 0;

	for (start = 0; start < total; start += page * (1 + i++ * 2)) {
		end = min(start + page * (1 + i * 5 % 16), total);
		bar_fill(self->dma_buf, BEFORE);

		ASSERT_EQ(0, map_fixed(&self->d, &self->map, self->dma_buf->fd,
				       start, end - start));
		ASSERT_EQ(0, dma_write(&self->d, DATA, self->map.iova, end - start, start));
		EXPECT_EQ(start, bar_match_slice(self->dma_buf, BEFORE, 0, start));
		EXPECT_EQ(end - start, bar_match_slice(self->dma_buf, DATA, start, end));
		EXPECT_EQ(total - end, bar_match_slice(self->dma_buf, BEFORE, end, total));
		ASSERT_TRUE(bar_guards_intact(self->dma_buf));

		ASSERT_EQ(0, dma_read(&self->d, self->map.iova, end - start));
		ASSERT_EQ(end - start, match(host_dst(&self->d), end - start, DATA, start));
		iommu_unmap(self->d.iommu, &self->map);
	}

	ASSERT_GT(i, 3);
}

TEST_F(vfio_dma_buf_test, kernel_chooses_iova)
{
	struct dma_region second = { .size = self->dma_buf->size };

	self->map.size = self->dma_buf->size;
	ASSERT_EQ(0, __iommu_map_file(self->d.iommu, &self->map, self->dma_buf->fd, 0,
				      IOMMU_FILE_RW));
	ASSERT_EQ(0, __iommu_map_file(self->d.iommu, &second, self->dma_buf->fd, 0,
				      IOMMU_FILE_RW));

	ASSERT_TRUE(self->map.iova + self->map.size <= second.iova ||
		    second.iova + second.size <= self->map.iova);
	EXPECT_TRUE(dma_works(&self->d, self->dma_buf, self->map.iova));
	EXPECT_TRUE(dma_works(&self->d, self->dma_buf, second.iova));

	/* The one must outlive the other. */
	iommu_unmap(self->d.iommu, &self->map);
	EXPECT_TRUE(dma_works(&self->d, self->dma_buf, second.iova));
	iommu_unmap(self->d.iommu, &second);
}

TEST_F(vfio_dma_buf_test, revoke_blocks_dma)
{
	struct devices *d = &self->d;
	u64 size = self->dma_buf->size;
	struct dma_region again;

	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, size));
	ASSERT_TRUE(dma_works(d, self->dma_buf, self->map.iova));

	bar_fill(self->dma_buf, BEFORE);
	vfio_pci_cmd_clear(d->exporter, PCI_COMMAND_MEMORY);
	dma_write(d, DATA, self->map.iova, size, 0);
	dma_read(d, self->map.iova, size);
	EXPECT_EQ(0, leaked(host_dst(d), size, BEFORE));
	EXPECT_EQ(-ENODEV, map_fixed(d, &again, self->dma_buf->fd, 0, size));

	vfio_pci_cmd_set(d->exporter, PCI_COMMAND_MEMORY);
	EXPECT_EQ(size, bar_match(self->dma_buf, BEFORE));
	EXPECT_TRUE(bar_guards_intact(self->dma_buf));

	iommu_unmap(d->iommu, &self->map);
	ASSERT_EQ(0, map_fixed(d, &again, self->dma_buf->fd, 0, size));
	EXPECT_TRUE(dma_works(d, self->dma_buf, again.iova));
}

TEST_F(vfio_dma_buf_test, unmap_blocks_dma)
{
	struct devices *d = &self->d;
	u64 size = self->dma_buf->size;

	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, size));
	ASSERT_TRUE(dma_works(d, self->dma_buf, self->map.iova));

	bar_fill(self->dma_buf, BEFORE);
	iommu_unmap(d->iommu, &self->map);
	dma_write(d, DATA, self->map.iova, size, 0);
	dma_read(d, self->map.iova, size);
	EXPECT_EQ(0, leaked(host_dst(d), size, BEFORE));
	EXPECT_EQ(size, bar_match(self->dma_buf, BEFORE));
}

TEST_F(vfio_dma_buf_test, importer_closed_first)
{
	struct devices *d = &self->d;

	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, self->dma_buf->size));
	ASSERT_TRUE(dma_works(d, self->dma_buf, self->map.iova));

	dma_device_close(d);
	dma_device_open(d);

	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, self->dma_buf->size));
	EXPECT_TRUE(dma_works(d, self->dma_buf, self->map.iova));
}

TEST_F(vfio_dma_buf_test, fd_closed_first)
{
	struct devices *d = &self->d;

	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, self->dma_buf->size));
	ASSERT_EQ(0, close(self->dma_buf->fd));
	self->dma_buf->fd = -1;

	/* The mapping holds the dma-buf. */
	EXPECT_TRUE(dma_works(d, self->dma_buf, self->map.iova));
	iommu_unmap(d->iommu, &self->map);
}

TEST_F(vfio_dma_buf_test, exporter_closed_first)
{
	struct devices *d = &self->d;
	u64 size = self->dma_buf->size;
	struct dma_region again;

	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, size));
	ASSERT_TRUE(dma_works(d, self->dma_buf, self->map.iova));

	bar_fill(self->dma_buf, BEFORE);
	exporter_close(d);
	dma_write(d, DATA, self->map.iova, size, 0);
	EXPECT_EQ(-ENODEV, map_fixed(d, &again, self->dma_buf->fd, 0, size));

	/* A new owner of the BAR must be out of the old mapping's reach, too. */
	exporter_open(d);
	self->dma_buf->device = d->exporter;
	bar_fill(self->dma_buf, BEFORE);
	dma_write(d, DATA, self->map.iova, size, 0);
	dma_read(d, self->map.iova, size);
	EXPECT_EQ(0, leaked(host_dst(d), size, BEFORE));
	EXPECT_EQ(size, bar_match(self->dma_buf, BEFORE));

	iommu_unmap(d->iommu, &self->map);
	vfio_dma_buf_cleanup(self->dma_buf);
	self->dma_buf = export(d, variant->nr_ranges, variant->size);
	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, size));
	EXPECT_TRUE(dma_works(d, self->dma_buf, self->map.iova));
}

/* Never returns: the parent kills it while DMA goes on. */
static void transfer_until_killed(u32 nr_ranges, u64 size, int ready_fd)
{
	struct vfio_dma_buf *dma_buf;
	struct devices d = {};
	struct dma_region map;

	exporter_open(&d);
	dma_device_open(&d);
	dma_buf = export(&d, nr_ranges, size);
	if (map_fixed(&d, &map, dma_buf->fd, 0, dma_buf->size) ||
	    !dma_works(&d, dma_buf, map.iova))
		exit(KSFT_FAIL);

	for (;;) {
		vfio_pci_driver_memcpy_start(d.dma, d.host.iova, map.iova,
					     min(dma_buf->size, d.dma->driver.max_memcpy_size),
					     d.dma->driver.max_memcpy_count);
		VFIO_ASSERT_EQ(write(ready_fd, "", 1), 1);
		vfio_pci_driver_memcpy_wait(d.dma);
	}
}

TEST_F_TIMEOUT(vfio_dma_buf_test, killed_during_dma, 60)
{
	struct devices *d = &self->d;
	int fds[2], status;
	char byte;
	pid_t pid;

	/* The child opens the devices itself, so they have to be free. */
	vfio_dma_buf_cleanup(self->dma_buf);
	dma_device_close(d);
	exporter_close(d);

	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		transfer_until_killed(variant->nr_ranges, variant->size, fds[1]);

	close(fds[1]);
	EXPECT_EQ(1, read(fds[0], &byte, 1));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	close(fds[0]);

	exporter_open(d);
	bar_fill_area(d);
	dma_device_open(d);
	self->dma_buf = export(d, variant->nr_ranges, variant->size);
	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, self->dma_buf->size));
	EXPECT_TRUE(dma_works(d, self->dma_buf, self->map.iova));
	EXPECT_TRUE(bar_guards_intact(self->dma_buf));
}

TEST_F(vfio_dma_buf_test, two_ioases)
{
	struct devices *d = &self->d;
	struct dma_region host = d->host, driver = d->dma->driver.region, map;
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu second = *d->iommu;
	u64 size = self->dma_buf->size;

	INIT_LIST_HEAD(&second.dma_regions);
	ioctl_assert(d->iommu->iommufd, IOMMU_IOAS_ALLOC, &alloc);
	second.ioas_id = alloc.out_ioas_id;

	/* The second IOAS has no domain until the device moves to it. */
	iommu_map(&second, &host);
	iommu_map(&second, &driver);
	map.size = size;
	map.iova = iova_allocator_alloc(d->iova_allocator, IOVA_SIZE);
	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, size));
	ASSERT_EQ(0, __iommu_map_file(&second, &map, self->dma_buf->fd, 0,
				      IOMMU_FILE_RW | IOMMU_IOAS_MAP_FIXED_IOVA));

	EXPECT_TRUE(dma_works(d, self->dma_buf, self->map.iova));

	attach.pt_id = second.ioas_id;
	ioctl_assert(d->dma->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
	EXPECT_TRUE(dma_works(d, self->dma_buf, map.iova));

	/* Only the IOAS that the device is attached to counts. */
	bar_fill(self->dma_buf, BEFORE);
	dma_write(d, DATA, self->map.iova, size, 0);
	EXPECT_EQ(size, bar_match(self->dma_buf, BEFORE));

	iommu_unmap(d->iommu, &self->map);
	EXPECT_TRUE(dma_works(d, self->dma_buf, map.iova));

	/* Revoke reaches the mapping that was there before the domain. */
	bar_fill(self->dma_buf, BEFORE);
	vfio_pci_cmd_clear(d->exporter, PCI_COMMAND_MEMORY);
	dma_write(d, DATA, map.iova, size, 0);
	vfio_pci_cmd_set(d->exporter, PCI_COMMAND_MEMORY);
	EXPECT_EQ(size, bar_match(self->dma_buf, BEFORE));
}

struct race {
	struct vfio_pci_device *exporter;
	pthread_t revoker;
	atomic_int nr_maps;
	atomic_int nr_revokes;
	atomic_bool stop;
};

static void *revoke_and_restore(void *arg)
{
	struct race *race = arg;
	int nr_maps;

	while (!race->stop) {
		vfio_pci_cmd_clear(race->exporter, PCI_COMMAND_MEMORY);
		vfio_pci_cmd_set(race->exporter, PCI_COMMAND_MEMORY);
		race->nr_revokes++;

		/* The switch takes long: let maps succeed between two of them. */
		nr_maps = race->nr_maps;
		while (!race->stop && race->nr_maps < nr_maps + MAPS_PER_REVOKE)
			sched_yield();
	}

	return NULL;
}

TEST_F_TIMEOUT(vfio_dma_buf_test, map_races_revoke, 120)
{
	struct race race = { .exporter = self->d.exporter };
	struct devices *d = &self->d;
	int refused = 0, ret;

	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, self->dma_buf->size));
	iommu_unmap(d->iommu, &self->map);

	ASSERT_EQ(0, pthread_create(&race.revoker, NULL, revoke_and_restore, &race));
	while (race.nr_maps < NR_RACE_MAPS || race.nr_revokes < NR_RACE_REVOKES) {
		ret = __iommu_map_file(d->iommu, &self->map, self->dma_buf->fd, 0,
				       IOMMU_FILE_RW | IOMMU_IOAS_MAP_FIXED_IOVA);
		if (ret) {
			ASSERT_EQ(-ENODEV, ret);
			refused++;
			continue;
		}
		iommu_unmap(d->iommu, &self->map);
		race.nr_maps++;
	}
	race.stop = true;
	ASSERT_EQ(0, pthread_join(race.revoker, NULL));
	TH_LOG("%d maps, %d refused, %d revokes", race.nr_maps, refused, race.nr_revokes);

	ASSERT_EQ(0, map_fixed(d, &self->map, self->dma_buf->fd, 0, self->dma_buf->size));
	EXPECT_TRUE(dma_works(d, self->dma_buf, self->map.iova));
	EXPECT_TRUE(bar_guards_intact(self->dma_buf));
}

int main(int argc, char *argv[])
{
	dma_buf_test_devices(&argc, argv);
	return test_harness_run(argc, argv);
}
