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
#include <glob.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <drm/amdgpu_drm.h>
#include <drm/drm.h>
#include <linux/iommufd.h>
#include <linux/sizes.h>

#include "tap.h"

#define BUFINFO		"/sys/kernel/debug/dma_buf/bufinfo"
#define BO_SIZE		(4 * SZ_1M)
/* A page for commands: zeros, which SDMA calls NOP, and a packet that never ends */
#define VA_IB		(1ull << 32)
#define HANG_OFFSET	0x400
#define NEVER_OFFSET	0x800
#define IB_DWORDS	16
/* POLL_REG_MEM of memory until it equals, without an end to the retries */
#define SDMA_POLL_MEM_EQUAL	(8u | (0x8000u | 3u << 12) << 16)
#define SDMA_POLL_FOREVER	(0xfffu << 16 | 4)
/* Rows that each way of losing the device has */
#define GONE_ROWS	8

static const char *bdf;

static bool write_sysfs(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

static bool driver(const char *what)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/amdgpu/%s", what);
	return write_sysfs(path, bdf);
}

static bool take_away(bool removal)
{
	char path[96];

	if (!removal)
		return driver("unbind");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", bdf);
	return write_sysfs(path, "1");
}

static bool bring_back(bool removal)
{
	return removal ? write_sysfs("/sys/bus/pci/rescan", "1") : driver("bind");
}

static int render_node(void)
{
	char path[96];
	glob_t found;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/drm/renderD*", bdf);
	if (glob(path, 0, NULL, &found))
		return -ENODEV;
	snprintf(path, sizeof(path), "/dev/dri/%s",
		 strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static uint32_t bo_create(int drm, uint64_t size, uint32_t domain, uint64_t flags)
{
	union drm_amdgpu_gem_create create = {
		.in = { .bo_size = size, .alignment = SZ_4K, .domains = domain,
			.domain_flags = flags },
	};

	return ioctl(drm, DRM_IOCTL_AMDGPU_GEM_CREATE, &create) ?
		0 : create.out.handle;
}

static int bo_export(int drm, uint32_t handle)
{
	struct drm_prime_handle prime = {
		.handle = handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};

	return ioctl(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) ? -errno : prime.fd;
}

static void bo_close(int drm, uint32_t handle)
{
	struct drm_gem_close close = { .handle = handle };

	ioctl(drm, DRM_IOCTL_GEM_CLOSE, &close);
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

/* Bytes that page tables have of a dma-buf, -1 if nobody attached for that */
static long bytes_mapped(int dma_buf)
{
	unsigned long size, inode;
	bool ours = false;
	long mapped = -1;
	struct stat st;
	char line[256];
	FILE *file;

	file = fstat(dma_buf, &st) ? NULL : fopen(BUFINFO, "r");
	while (file && fgets(line, sizeof(line), file)) {
		const char *pal = strstr(line, "mapping=PAL");
		const char *bytes = strstr(line, "bytes=");

		/* size flags mode count exp_name ino name */
		if (sscanf(line, "%lu %*x %*x %*u %*s %lu", &size, &inode) == 2)
			ours = inode == st.st_ino;
		else if (ours && pal)
			mapped = bytes ? atol(bytes + strlen("bytes=")) : 0;
	}
	if (file)
		fclose(file);
	return mapped;
}

static bool revoked_within(int dma_buf, int seconds)
{
	time_t end = time(NULL) + seconds;

	while (bytes_mapped(dma_buf)) {
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
	int drm;
	bool ready, hang;
	uint32_t handle, list, ctx;
	atomic_bool stop;
	atomic_ulong submitted;
};

static bool write_hang(struct load *load)
{
	union drm_amdgpu_gem_mmap arg = { .in.handle = load->handle };
	const uint64_t never = VA_IB + NEVER_OFFSET;
	uint32_t *ib;

	if (ioctl(load->drm, DRM_IOCTL_AMDGPU_GEM_MMAP, &arg))
		return false;
	ib = mmap(NULL, SZ_4K, PROT_READ | PROT_WRITE, MAP_SHARED, load->drm,
		  arg.out.addr_ptr);
	if (ib == MAP_FAILED)
		return false;
	ib += HANG_OFFSET / 4;
	ib[0] = SDMA_POLL_MEM_EQUAL;
	ib[1] = (uint32_t)never;
	ib[2] = never >> 32;
	ib[3] = 1;
	ib[4] = ~0u;
	ib[5] = SDMA_POLL_FOREVER;
	return !munmap(ib - HANG_OFFSET / 4, SZ_4K);
}

static bool load_prepare(struct load *load)
{
	union drm_amdgpu_ctx ctx = { .in.op = AMDGPU_CTX_OP_ALLOC_CTX };
	struct drm_amdgpu_bo_list_entry entry = {};
	union drm_amdgpu_bo_list list = {
		.in = { .operation = AMDGPU_BO_LIST_OP_CREATE, .bo_number = 1,
			.bo_info_size = sizeof(entry),
			.bo_info_ptr = (uintptr_t)&entry },
	};
	struct drm_amdgpu_gem_va va = {
		.operation = AMDGPU_VA_OP_MAP,
		.flags = AMDGPU_VM_PAGE_READABLE | AMDGPU_VM_PAGE_EXECUTABLE,
		.va_address = VA_IB,
		.map_size = SZ_4K,
	};

	load->handle = bo_create(load->drm, SZ_4K, AMDGPU_GEM_DOMAIN_GTT, 0);
	if (!load->handle || !write_hang(load))
		return false;
	va.handle = entry.bo_handle = load->handle;
	if (ioctl(load->drm, DRM_IOCTL_AMDGPU_CTX, &ctx) ||
	    ioctl(load->drm, DRM_IOCTL_AMDGPU_BO_LIST, &list) ||
	    ioctl(load->drm, DRM_IOCTL_AMDGPU_GEM_VA, &va))
		return false;
	load->ctx = ctx.out.alloc.ctx_id;
	load->list = list.out.list_handle;
	return true;
}

static bool load_submit(struct load *load, uint64_t va)
{
	struct drm_amdgpu_cs_chunk_ib ib = {
		.va_start = va,
		.ib_bytes = IB_DWORDS * 4,
		.ip_type = AMDGPU_HW_IP_DMA,
	};
	struct drm_amdgpu_cs_chunk chunk = {
		.chunk_id = AMDGPU_CHUNK_ID_IB,
		.length_dw = sizeof(ib) / 4,
		.chunk_data = (uintptr_t)&ib,
	};
	uint64_t chunks = (uintptr_t)&chunk;
	union drm_amdgpu_cs cs = {
		.in = { .ctx_id = load->ctx, .bo_list_handle = load->list,
			.num_chunks = 1, .chunks = (uintptr_t)&chunks },
	};

	return !ioctl(load->drm, DRM_IOCTL_AMDGPU_CS, &cs);
}

static void *load_run(void *arg)
{
	struct load *load = arg;

	if (load->hang && !load_submit(load, VA_IB + HANG_OFFSET))
		return NULL;
	while (!load->stop && load_submit(load, VA_IB))
		load->submitted++;
	return NULL;
}

static bool load_start(struct load *load, int drm, bool hang)
{
	memset(load, 0, sizeof(*load));
	load->drm = drm;
	load->hang = hang;
	if (!load_prepare(load) ||
	    pthread_create(&load->thread, NULL, load_run, load))
		return false;
	load->ready = true;
	for (int i = 0; i < 500 && load->submitted < 16; i++)
		usleep(10000);
	return load->submitted >= 16;
}

static void load_stop(struct load *load)
{
	load->stop = true;
	if (load->ready)
		pthread_join(load->thread, NULL);
}

/* One owner of VRAM that an IOAS has; the handle is closed, as it usually is. */
static int mapped_buffer(int drm, struct ioas *ioas, uint64_t *iova)
{
	uint32_t handle = bo_create(drm, BO_SIZE, AMDGPU_GEM_DOMAIN_VRAM, 0);
	int dma_buf, ret;

	if (!handle)
		return -ENOMEM;
	dma_buf = bo_export(drm, handle);
	bo_close(drm, handle);
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
	int drm, dma_buf = -1;

	drm = render_node();
	result(drm >= 0, "%s: the device is there", how);
	if (drm >= 0)
		dma_buf = mapped_buffer(drm, ioas, &iova);
	result(dma_buf >= 0 && bytes_mapped(dma_buf) == BO_SIZE,
	       "%s: VRAM is mapped (%d)", how, dma_buf);
	result(drm >= 0 && load_start(&load, drm, hang), "%s: jobs are queued", how);

	result(take_away(removal), "%s: done", how);
	result(dma_buf >= 0 && !bytes_mapped(dma_buf),
	       "%s: nothing is mapped when it returns", how);
	load_stop(&load);
	result(dma_buf >= 0 && ioas_map(ioas, dma_buf, &other) == -ENODEV,
	       "%s: it cannot be mapped again", how);
	result(dma_buf >= 0 && !ioas_unmap(ioas, iova),
	       "%s: the IOAS lets go of it", how);
	if (dma_buf >= 0)
		close(dma_buf);
	if (drm >= 0)
		close(drm);

	result(bring_back(removal), "%s: it comes back", how);
}

/* Reading the file resets the GPU. Those of CIK are assumed to lose VRAM. */
static void test_reset(struct ioas *ioas)
{
	uint64_t iova = 0, other;
	int drm, dma_buf = -1, fd;
	char path[96], text[16];
	ssize_t len = -1;

	drm = render_node();
	if (drm >= 0)
		dma_buf = mapped_buffer(drm, ioas, &iova);
	result(dma_buf >= 0 && bytes_mapped(dma_buf) == BO_SIZE,
	       "reset: VRAM is mapped (%d)", dma_buf);

	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%s/amdgpu_gpu_recover",
		 bdf);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	result(len > 0 && text[0] == '0', "reset: it succeeded");
	result(dma_buf >= 0 && revoked_within(dma_buf, 10), "reset: revoked");
	result(dma_buf >= 0 && !ioas_unmap(ioas, iova),
	       "reset: the IOAS lets go of it");
	result(dma_buf >= 0 && !ioas_map(ioas, dma_buf, &other),
	       "reset: the device works, so it can be mapped again");
	if (dma_buf >= 0) {
		ioas_unmap(ioas, other);
		close(dma_buf);
	}
	if (drm >= 0)
		close(drm);
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
	printf("1..%d\n", 6 + cycles * 4 * GONE_ROWS);

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
