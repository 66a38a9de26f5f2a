// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_life_test [options] NVME_BDF GPU_BDF
 *
 * The exporter's process, its driver or its device go away while VRAM is mapped.
 * DMA must not reach what is somebody else's by then.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "vram_test.h"
#include "kselftest_harness.h"

#define BUFFER_SIZE	(SZ_1M + SZ_4K)
/* How VRAM gets lost to those who have it */
enum how { UNBIND, REMOVE, WEDGE };

static int debugfs_write(const char *bdf, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%s/%s", bdf, name);
	return write_file(path, text);
}

/*
 * A GT reset that fails, and after which the device is taken for dead. The driver
 * asks twice in one reset whether it is to fail.
 */
static int wedge(const char *bdf)
{
	int ret;

	ret = debugfs_write(bdf, "fail_gt_reset/times", "2") ?:
	      debugfs_write(bdf, "fail_gt_reset/verbose", "0") ?:
	      debugfs_write(bdf, "fail_gt_reset/probability", "100") ?:
	      debugfs_write(bdf, "gt0/force_reset_sync", "1");
	return ret;
}

static int take_away(const char *bdf, enum how how)
{
	char path[80];

	switch (how) {
	case UNBIND:
		return pci_driver(gpu_driver_name(&card), "unbind", bdf);
	case WEDGE:
		return wedge(bdf);
	case REMOVE:
		break;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", bdf);
	return write_file(path, "1");
}

/* The driver has its device when the write returns. */
static int bring_back(const char *bdf, enum how how)
{
	if (how == REMOVE)
		return write_file("/sys/bus/pci/rescan", "1");
	if (how == WEDGE && pci_driver(gpu_driver_name(&card), "unbind", bdf))
		return -EIO;
	return pci_driver(gpu_driver_name(&card), "bind", bdf);
}

/* A wedged device revokes from a worker, all others before they return. */
static struct bufinfo bufinfo_revoked(int fd, enum how how)
{
	time_t end = time(NULL) + 30;
	struct bufinfo info;

	do {
		info = bufinfo(fd);
	} while (how == WEDGE && info.bytes && time(NULL) < end && !sched_yield());
	return info;
}

FIXTURE(vram_gone) {
	struct dma dma;
	struct gpu gpu;
	struct gpu_bo bo;
	struct dma_region map;
	int fd;
	void *bar;
	u64 bar_size;
	u64 where[BUFFER_SIZE / SZ_4K];
};

FIXTURE_VARIANT(vram_gone) {
	enum how how;
};

FIXTURE_VARIANT_ADD(vram_gone, unbind) { .how = UNBIND, };
FIXTURE_VARIANT_ADD(vram_gone, remove) { .how = REMOVE, };
FIXTURE_VARIANT_ADD(vram_gone, wedge) { .how = WEDGE, };

FIXTURE_SETUP(vram_gone)
{
	dma_open(&self->dma, nvme_bdf);
	gpu_open(&self->gpu, gpu_bdf);
	gpu_bo_create_vram(&self->gpu, &self->bo, BUFFER_SIZE);
	self->fd = gpu_bo_export(&self->bo);
	dma_map(&self->dma, &self->map, self->fd, BUFFER_SIZE);
	self->bar_size = bar_map(gpu_bdf, gpu_vram_bar(&card), &self->bar);
	ASSERT_TRUE(bar_find(&self->bo, self->bar, self->bar_size, self->where));
}

FIXTURE_TEARDOWN(vram_gone)
{
	dma_close(&self->dma);
}

static void bar_fill(const void *bar, const u64 *where, u64 seed)
{
	u64 page;

	for (page = 0; page < BUFFER_SIZE / SZ_4K; page++)
		outside_pattern((void *)bar + where[page], page * SZ_4K, SZ_4K, seed);
}

static u64 bar_differs(const void *bar, const u64 *where, u64 seed)
{
	u64 page, wrong = 0;

	for (page = 0; page < BUFFER_SIZE / SZ_4K; page++)
		wrong += outside_differs(bar + where[page], page * SZ_4K, SZ_4K, seed);
	return wrong;
}

/* How many pages of the old buffer are now in the new owner's one */
static u64 owned_pages(struct gpu_bo *bo, const void *bar, u64 bar_size, const u64 *where)
{
	u64 nr = bo->size / SZ_4K, page, i, *now = calloc_assert(nr, sizeof(*now));
	u64 owned = 0;

	VFIO_ASSERT_TRUE(bar_find(bo, bar, bar_size, now));
	for (i = 0; i < BUFFER_SIZE / SZ_4K; i++)
		for (page = 0; page < nr; page++)
			owned += now[page] == where[i];
	free(now);
	return owned;
}

/* A new buffer of nearly all VRAM stays as it is whatever DMA the old IOVA sees. */
static bool next_owner_unharmed(struct dma *dma, iova_t old, const u64 *where)
{
	u64 bar_size, least;
	struct gpu_vram vram;
	struct dma_region map;
	struct gpu_bo bo;
	struct gpu gpu;
	bool ok;
	void *bar;
	int fd;

	gpu_open(&gpu, gpu_bdf);
	vram = gpu_vram(&gpu);
	gpu_bo_create_vram(&gpu, &bo, vram.total - vram.used - gpu_vram_reserve(&gpu) - SZ_512K);
	bar_size = bar_map(gpu_bdf, gpu_vram_bar(&card), &bar);
	/* All of them, unless the driver keeps more for itself than the buffer had. */
	least = gpu_vram_reserve(&gpu) > BUFFER_SIZE ? 1 : BUFFER_SIZE / SZ_4K;
	ok = owned_pages(&bo, bar, bar_size, where) >= least;
	cpu_fill(&bo, CANARY);
	dma_fill(dma, old, 0, BUFFER_SIZE, LATE);
	ok &= !cpu_differs(&bo, CANARY);
	gpu_bo_destroy(&bo);
	munmap(bar, bar_size);

	/* That is not because DMA to this device would not work any more. */
	gpu_bo_create_vram(&gpu, &bo, BUFFER_SIZE);
	fd = gpu_bo_export(&bo);
	dma_map(dma, &map, fd, BUFFER_SIZE);
	ok &= dma_works(dma, map.iova, &bo);
	dma_unmap(dma, &map);
	close(fd);
	gpu_bo_destroy(&bo);
	gpu_close(&gpu);
	return ok;
}

TEST_F_TIMEOUT(vram_gone, while_mapped, 120)
{
	struct dma_region again;
	struct bufinfo info;

	/* Before: DMA arrives in these pages of the BAR. */
	bar_fill(self->bar, self->where, BEFORE);
	dma_fill(&self->dma, self->map.iova, 0, BUFFER_SIZE, DATA);
	ASSERT_EQ(0, bar_differs(self->bar, self->where, DATA));

	ASSERT_EQ(0, take_away(gpu_bdf, variant->how));
	info = bufinfo_revoked(self->fd, variant->how);
	EXPECT_EQ(1, info.pal_attachments);
	EXPECT_EQ(0, info.bytes);
	EXPECT_EQ(-ENODEV, __dma_map(&self->dma, &again, self->fd, 0, BUFFER_SIZE,
				     IOMMU_FILE_RW));
	if (variant->how != REMOVE) {
		bar_fill(self->bar, self->where, CANARY);
		dma_fill(&self->dma, self->map.iova, 0, BUFFER_SIZE, LATE);
		EXPECT_EQ(0, bar_differs(self->bar, self->where, CANARY));
		EXPECT_NE(0, dma_differs(&self->dma, self->map.iova, 0, BUFFER_SIZE, CANARY));
	}
	ASSERT_EQ(0, munmap(self->bar, self->bar_size));

	ASSERT_EQ(0, bring_back(gpu_bdf, variant->how));
	EXPECT_TRUE(next_owner_unharmed(&self->dma, self->map.iova, self->where));
	EXPECT_EQ(0, bufinfo(self->fd).bytes);
	dma_unmap(&self->dma, &self->map);
	EXPECT_EQ(0, bufinfo(self->fd).attachments);
	munmap(self->bo.vaddr, BUFFER_SIZE);
	close(self->fd);
	gpu_close(&self->gpu);
}

FIXTURE(vram_killed) {
	/* What the process says that is going to be killed */
	int pipe[2];
};

FIXTURE_SETUP(vram_killed)
{
	ASSERT_EQ(0, pipe(self->pipe));
}

FIXTURE_TEARDOWN(vram_killed)
{
	close(self->pipe[0]);
}

/* The kernel of the test bed has no sockets to send a file through. */
static int take_fd(pid_t pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), ours;

	VFIO_ASSERT_GE(pidfd, 0);
	ours = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	VFIO_ASSERT_GE(ours, 0);
	close(pidfd);
	return ours;
}

/* The exporter: hands its buffer over and waits for its end. */
static void export_until_killed(int out)
{
	struct gpu_bo bo;
	struct gpu gpu;
	int fd;

	gpu_open(&gpu, gpu_bdf);
	gpu_bo_create_vram(&gpu, &bo, BUFFER_SIZE);
	fd = gpu_bo_export(&bo);
	VFIO_ASSERT_EQ(write(out, &fd, sizeof(fd)), sizeof(fd));
	for (;;)
		pause();
}

static void transfer_start(struct dma *dma, iova_t iova)
{
	u64 max = nvme_namespace(dma->nvme)->max_size;

	nvme_read_start(dma->nvme, 0, iova, min(max, (u64)SZ_1M));
	nvme_write_start(dma->nvme, 0, iova, min(max, (u64)SZ_1M));
}

/* Exporter and importer in one */
static void transfer_until_killed(int out)
{
	struct dma_region map;
	struct dma dma;
	struct gpu_bo bo;
	struct gpu gpu;

	gpu_open(&gpu, gpu_bdf);
	dma_open(&dma, nvme_bdf);
	gpu_bo_create_vram(&gpu, &bo, BUFFER_SIZE);
	dma_map(&dma, &map, gpu_bo_export(&bo), BUFFER_SIZE);
	for (;;) {
		transfer_start(&dma, map.iova);
		VFIO_ASSERT_EQ(write(out, "", 1), 1);
		nvme_wait(dma.nvme);
	}
}

static pid_t start(int pipe[2], void (*child)(int out))
{
	pid_t pid = fork();

	VFIO_ASSERT_GE(pid, 0);
	if (!pid) {
		close(pipe[0]);
		child(pipe[1]);
	}
	close(pipe[1]);
	return pid;
}

static bool kill_it(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
}

/* The mapping keeps the buffer, whoever made it. */
TEST_F_TIMEOUT(vram_killed, exporter_during_dma, 120)
{
	struct dma_region map;
	struct gpu_bo other, view;
	struct dma dma;
	struct gpu gpu;
	pid_t pid;
	int fd;

	pid = start(self->pipe, export_until_killed);
	dma_open(&dma, nvme_bdf);
	ASSERT_EQ(sizeof(fd), read(self->pipe[0], &fd, sizeof(fd)));
	fd = take_fd(pid, fd);
	dma_map(&dma, &map, fd, BUFFER_SIZE);
	view.size = BUFFER_SIZE;
	view.vaddr = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, view.vaddr);
	ASSERT_TRUE(dma_works(&dma, map.iova, &view));

	transfer_start(&dma, map.iova);
	EXPECT_TRUE(kill_it(pid));
	EXPECT_EQ(0, nvme_wait(dma.nvme));

	gpu_open(&gpu, gpu_bdf);
	gpu_bo_create_vram(&gpu, &other, SZ_16M);
	cpu_fill(&other, CANARY);
	EXPECT_TRUE(dma_works(&dma, map.iova, &view));
	EXPECT_EQ(0, cpu_differs(&other, CANARY));
	EXPECT_TRUE(gpu_in_vram(&gpu, fd, BUFFER_SIZE));
	gpu_bo_destroy(&other);

	dma_unmap(&dma, &map);
	EXPECT_TRUE(dma_blocked(&dma, map.iova, &view));
	munmap(view.vaddr, BUFFER_SIZE);
	close(fd);
	gpu_close(&gpu);
	dma_close(&dma);
}

TEST_F_TIMEOUT(vram_killed, everybody_during_dma, 120)
{
	struct gpu_vram before, after;
	struct dma_region map;
	struct gpu_bo bo;
	struct dma dma;
	struct gpu gpu;
	pid_t pid;
	char byte;
	int fd;

	gpu_open(&gpu, gpu_bdf);
	before = gpu_vram(&gpu);
	pid = start(self->pipe, transfer_until_killed);
	ASSERT_EQ(1, read(self->pipe[0], &byte, 1));
	after = gpu_vram(&gpu);
	EXPECT_LE(before.used + BUFFER_SIZE, after.used);
	EXPECT_TRUE(kill_it(pid));

	/* Nothing of theirs is left, and nothing of theirs reaches ours. */
	gpu_bo_create_vram(&gpu, &bo, before.total - before.used - 2 * gpu_vram_reserve(&gpu));
	cpu_fill(&bo, CANARY);
	dma_open(&dma, nvme_bdf);
	EXPECT_EQ(0, cpu_differs(&bo, CANARY));
	gpu_bo_destroy(&bo);

	gpu_bo_create_vram(&gpu, &bo, BUFFER_SIZE);
	fd = gpu_bo_export(&bo);
	dma_map(&dma, &map, fd, BUFFER_SIZE);
	EXPECT_TRUE(dma_works(&dma, map.iova, &bo));
	dma_unmap(&dma, &map);
	close(fd);
	gpu_bo_destroy(&bo);
	gpu_close(&gpu);
	dma_close(&dma);
}

int main(int argc, char *argv[])
{
	vram_test_devices(&argc, argv, 2);
	return test_harness_run(argc, argv);
}
