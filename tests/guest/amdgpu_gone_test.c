// SPDX-License-Identifier: GPL-2.0-only
/*
 * amdgpu_gone_test BDF [CYCLES]
 *
 * An amdgpu device goes away, or is reset, while it works and while VRAM of it is
 * mapped into an IOAS. Nobody translates the IOVAs here: this is about who still
 * has the addresses, and about what the driver does to its own memory. Needs a
 * kernel with KASAN to tell all.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <drm/amdgpu_drm.h>
#include <linux/iommufd.h>
#include <linux/sizes.h>

#include "dma.h"
#include "gpu_driver.h"
#include "mapping.h"
#include "tap.h"

#define BO_SIZE		(4 * SZ_1M)
/* In the batch: zeros, which SDMA calls NOP, and behind them a packet that never ends */
#define HANG_OFFSET	0x400
#define IB_DWORDS	16
/* Rows that each way of losing the device has */
#define GONE_ROWS	8

static const char *bdf;

static bool take_away(bool removal)
{
	char path[96];

	if (!removal)
		return !pci_driver("amdgpu", "unbind", bdf);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", bdf);
	return !write_file(path, "1");
}

static bool bring_back(bool removal)
{
	return !(removal ? write_file("/sys/bus/pci/rescan", "1") :
			   pci_driver("amdgpu", "bind", bdf));
}

/* The importer: an IOAS that no device is attached to */
struct ioas {
	int fd;
	uint32_t id;
};

static bool ioas_open(struct ioas *ioas)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	ioas->fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (ioas->fd < 0 || ioctl(ioas->fd, IOMMU_IOAS_ALLOC, &alloc))
		return false;
	ioas->id = alloc.out_ioas_id;
	return true;
}

static int ioas_map(struct ioas *ioas, int dma_buf, uint64_t *iova)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas->id,
		.fd = dma_buf,
		.length = BO_SIZE,
	};

	if (ioctl(ioas->fd, IOMMU_IOAS_MAP_FILE, &map))
		return -errno;
	*iova = map.iova;
	return 0;
}

static int ioas_unmap(struct ioas *ioas, uint64_t iova)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas->id,
		.iova = iova,
		.length = BO_SIZE,
	};

	return ioctl(ioas->fd, IOMMU_IOAS_UNMAP, &unmap) ? -errno : 0;
}

/* By an importer that is still there */
static bool is_mapped(int dma_buf, uint64_t bytes)
{
	struct bufinfo info = bufinfo(dma_buf);

	return info.pal_attachments == 1 && info.bytes == bytes;
}

/* Lost once and there again; no device is attached, so there is no event. */
static bool restored_within(struct ioas *ioas, uint64_t iova, int seconds)
{
	time_t end = time(NULL) + seconds;

	while (!mapping_is_back(ioas->fd, ioas->id, iova, 1)) {
		if (time(NULL) >= end)
			return false;
		usleep(10000);
	}
	return true;
}

/*
 * Command submissions of one thread, as many as the driver takes: they run, or the
 * first one hangs and the others wait in the scheduler's queue.
 */
struct load {
	pthread_t thread;
	struct gpu_ctx ctx;
	bool ready, hang;
	atomic_bool stop;
	atomic_ulong submitted;
};

static bool load_submit(struct load *load, uint64_t offset)
{
	uint64_t handle;

	return !gpu_amdgpu_submit(&load->ctx, AMDGPU_HW_IP_DMA,
				  load->ctx.batch_va + offset, IB_DWORDS, &handle);
}

static void *load_run(void *arg)
{
	struct load *load = arg;

	if (load->hang && !load_submit(load, HANG_OFFSET))
		return NULL;
	while (!load->stop && load_submit(load, 0))
		load->submitted++;
	return NULL;
}

static bool load_start(struct load *load, struct gpu *gpu, bool hang)
{
	memset(load, 0, sizeof(*load));
	load->hang = hang;
	gpu_ctx_open(&load->ctx, gpu);
	gpu->driver->emit_hang(&load->ctx, load->ctx.batch.vaddr + HANG_OFFSET);
	if (pthread_create(&load->thread, NULL, load_run, load))
		return false;
	load->ready = true;
	for (int i = 0; i < 500 && load->submitted < 16; i++)
		usleep(10000);
	return load->submitted >= 16;
}

/* Its objects go with the file: there may be nobody who could free one by one. */
static void load_stop(struct load *load)
{
	if (!load->ready)
		return;
	load->stop = true;
	pthread_join(load->thread, NULL);
	munmap(load->ctx.batch.vaddr, load->ctx.batch.size);
}

/* One owner of VRAM that an IOAS has; the handle is closed, as it usually is. */
static int mapped_buffer(struct gpu *gpu, struct ioas *ioas, uint64_t *iova)
{
	struct gpu_bo bo;
	int dma_buf, ret;

	ret = __gpu_bo_create(gpu, &bo, BO_SIZE, GPU_VRAM, NULL);
	if (ret)
		return ret;
	dma_buf = __gpu_export(gpu, bo.handle, GPU_EXPORT_RW);
	gpu_bo_destroy(&bo);
	if (dma_buf < 0)
		return dma_buf;
	ret = ioas_map(ioas, dma_buf, iova);
	if (!ret)
		return dma_buf;
	close(dma_buf);
	return ret;
}

/* The device goes while jobs are queued and VRAM is mapped, and comes back. */
static void test_gone(bool removal, bool hang, struct ioas *ioas)
{
	const char *how = removal ? hang ? "removal, hung" : "removal" :
				    hang ? "unbind, hung" : "unbind";
	struct load load = {};
	uint64_t iova = 0, other;
	int dma_buf = -1;
	struct gpu gpu;
	bool open;

	open = !__gpu_open(&gpu, bdf);
	result(open, "%s: the device is there", how);
	if (open)
		dma_buf = mapped_buffer(&gpu, ioas, &iova);
	result(dma_buf >= 0 && is_mapped(dma_buf, BO_SIZE),
	       "%s: VRAM is mapped (%d)", how, dma_buf);
	result(open && load_start(&load, &gpu, hang), "%s: jobs are queued", how);

	result(take_away(removal), "%s: done", how);
	result(dma_buf >= 0 && is_mapped(dma_buf, 0),
	       "%s: nothing is mapped when it returns", how);
	load_stop(&load);
	result(dma_buf >= 0 && ioas_map(ioas, dma_buf, &other) == -ENODEV,
	       "%s: it cannot be mapped again", how);
	result(dma_buf >= 0 && !ioas_unmap(ioas, iova),
	       "%s: the IOAS lets go of it", how);
	if (dma_buf >= 0)
		close(dma_buf);
	if (open)
		gpu_close(&gpu);

	result(bring_back(removal), "%s: it comes back", how);
}

/* The GPUs of CIK are assumed to lose VRAM. */
static void test_reset(struct ioas *ioas)
{
	uint64_t iova = 0, other;
	int dma_buf = -1;
	struct gpu gpu;
	bool open;

	open = !__gpu_open(&gpu, bdf);
	if (open)
		dma_buf = mapped_buffer(&gpu, ioas, &iova);
	result(dma_buf >= 0 && is_mapped(dma_buf, BO_SIZE),
	       "reset: VRAM is mapped (%d)", dma_buf);
	result(open && !gpu_reset(&gpu), "reset: it succeeded");
	result(dma_buf >= 0 && restored_within(ioas, iova, 10),
	       "reset: revoked, and mapped again by itself");
	result(dma_buf >= 0 && is_mapped(dma_buf, BO_SIZE),
	       "reset: all of it is mapped");
	result(dma_buf >= 0 && !ioas_unmap(ioas, iova),
	       "reset: the IOAS lets go of it");
	result(dma_buf >= 0 && !ioas_map(ioas, dma_buf, &other),
	       "reset: the device works, so it can be mapped again");
	if (dma_buf >= 0) {
		ioas_unmap(ioas, other);
		close(dma_buf);
	}
	if (open)
		gpu_close(&gpu);
}

int main(int argc, char **argv)
{
	int cycles = argc > 2 ? atoi(argv[2]) : 2;
	struct ioas ioas;

	if (argc < 2 || cycles < 1) {
		fprintf(stderr, "usage: %s BDF [CYCLES]\n", argv[0]);
		return 2;
	}
	bdf = argv[1];
	printf("1..%d\n", 7 + cycles * 4 * GONE_ROWS);

	result(ioas_open(&ioas), "an IOAS");
	test_reset(&ioas);
	for (int i = 0; i < cycles; i++) {
		test_gone(false, false, &ioas);
		test_gone(true, false, &ioas);
		test_gone(false, true, &ioas);
		test_gone(true, true, &ioas);
	}
	return !!failed;
}
