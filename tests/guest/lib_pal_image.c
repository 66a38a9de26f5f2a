// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_pal [-k] [-o] GPU_BDF
 *
 * libdmabuf-pal on a real driver: what it allocates is exported and mapped, and each
 * reason that it gives is provoked by its cause, with the same call beside it that
 * succeeds where the cause is absent. With -k KVM is there; with -o the kernel is one
 * without the series, where that is the reason. The GPU's BAR shows a part of its VRAM.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/udmabuf.h>

#include <amdgpu.h>
#include <amdgpu_drm.h>
#include <drm/xe_drm.h>
#include <xf86drm.h>

#include "dmabuf_pal.h"
#include "dmabuf_pal_amdgpu.h"
#include "lib_pal.h"
#include "tap.h"

#define SIZE		(4ull << 20)
#define NR_THREADS	8
#define NR_ROUNDS	20
#define MAX_FILL	64
#define PERCENT		"/sys/module/ttm/parameters/pal_pin_percent"

static const char *bdf;
static int gpu, iommufd;
static bool is_xe, with_kvm;
static uint32_t ioas;
static uint64_t total, visible;

struct bo {
	uint32_t handle;
	struct dmabuf_pal_buf buf;
};

static void open_bo(struct bo *bo, uint32_t handle, uint32_t flags)
{
	struct dmabuf_pal_error error;

	bo->handle = handle;
	if (dmabuf_pal_export(gpu, handle, flags, &bo->buf, &error))
		printf("# %s\n", error.text);
	need(error.error, "export");
}

static void make_bo(struct bo *bo, uint64_t size, uint32_t flags)
{
	struct dmabuf_pal_error error;
	uint32_t handle;

	if (dmabuf_pal_bo_alloc(gpu, size, &handle, &error))
		printf("# %s\n", error.text);
	need(error.error, "allocation");
	open_bo(bo, handle, flags);
}

static void drop_bo(struct bo *bo)
{
	close(bo->buf.fd);
	need(dmabuf_pal_bo_free(gpu, bo->handle), "closing a handle");
}

static int map(const struct dmabuf_pal_buf *buf, uint64_t *iova,
	       struct dmabuf_pal_error *error)
{
	return dmabuf_pal_ioas_map(iommufd, ioas, buf, 0, buf->size, 0, iova, error);
}

static void unmap(uint64_t iova, uint64_t size)
{
	need(dmabuf_pal_ioas_unmap(iommufd, ioas, iova, size, NULL), "unmap");
}

/* What is mapped where the cause is absent: the control of the rows of refusals */
static bool maps(const struct dmabuf_pal_buf *buf)
{
	struct dmabuf_pal_error error;
	uint64_t iova;

	if (map(buf, &iova, &error)) {
		printf("# %s\n", error.text);
		return false;
	}
	unmap(iova, buf->size);
	return error.reason == DMABUF_PAL_OK && !error.text[0];
}

static bool control(void)
{
	struct bo bo;
	bool good;

	make_bo(&bo, SIZE, 0);
	good = maps(&bo.buf) && !dmabuf_pal_probe_iommufd(&bo.buf, -1, 0, NULL);
	drop_bo(&bo);
	return good;
}

/* A BO as the driver makes it, in VRAM, in system memory or in either of them */
enum { VRAM = 1, SYSTEM = 2 };

static int xe_create(uint64_t size, unsigned int where, uint32_t vm, uint32_t *handle)
{
	struct drm_xe_gem_create create = {
		/* The system memory is region 0, the VRAM of a GPU with one tile 1. */
		.placement = (where & SYSTEM ? 1 : 0) | (where & VRAM ? 2 : 0),
		.size = size,
		.vm_id = vm,
		.cpu_caching = where & VRAM ? DRM_XE_GEM_CPU_CACHING_WC :
					      DRM_XE_GEM_CPU_CACHING_WB,
	};
	int ret = drmIoctl(gpu, DRM_IOCTL_XE_GEM_CREATE, &create);

	*handle = create.handle;
	return ret;
}

static int amdgpu_create(uint64_t size, unsigned int where, uint64_t flags,
			 uint32_t *handle)
{
	union drm_amdgpu_gem_create create = {};
	int ret;

	create.in.bo_size = size;
	create.in.domains = (where & SYSTEM ? AMDGPU_GEM_DOMAIN_GTT : 0) |
			    (where & VRAM ? AMDGPU_GEM_DOMAIN_VRAM : 0);
	create.in.domain_flags = flags;
	ret = drmCommandWriteRead(gpu, DRM_AMDGPU_GEM_CREATE, &create, sizeof(create));
	*handle = create.out.handle;
	return ret;
}

static uint32_t create(uint64_t size, unsigned int where)
{
	uint32_t handle;

	need(is_xe ? xe_create(size, where, 0, &handle) :
		     amdgpu_create(size, where, 0, &handle), "a BO by the driver's ioctl");
	return handle;
}

static void test_open(void)
{
	struct dmabuf_pal_error error;
	drmVersionPtr version;
	int fd, ret;

	ret = dmabuf_pal_open(bdf, &gpu, &error);
	result(!ret, "the GPU at %s has a render node", bdf);
	need(ret, "no GPU");
	version = drmGetVersion(gpu);
	is_xe = !strcmp(version->name, "xe");
	drmFreeVersion(version);
	ret = dmabuf_pal_open("0000:ff:1f.7", &fd, &error);
	result(says(ret, &error, DMABUF_PAL_NO_ACCESS, "no render node") && ret == -ENODEV,
	       "and no other address has");
	ret = dmabuf_pal_open("00:08.0", &fd, &error);
	result(says(ret, &error, DMABUF_PAL_BAD_ARGUMENT, "0000:03:00.0"),
	       "what is no address is said to be none");
	ret = dmabuf_pal_vram_size(gpu, &total, &visible, &error);
	result(!ret && visible && total > 2 * visible,
	       "the BAR shows %llu of %llu MiB of VRAM", (unsigned long long)visible >> 20,
	       (unsigned long long)total >> 20);
	ret = dmabuf_pal_vram_size(iommufd, &total, &visible, &error);
	result(says(ret, &error, DMABUF_PAL_UNKNOWN_DRIVER, "no DRM device"),
	       "of a file that is no GPU it is not known");
	need(dmabuf_pal_vram_size(gpu, &total, &visible, NULL), "the size of VRAM");
}

/* Two mappings of the same memory, by the dma-buf and by another export of it */
static void test_export(void)
{
	struct dmabuf_pal_buf again;
	struct dmabuf_pal_error error;
	uint32_t *one, *other;
	struct bo bo;

	make_bo(&bo, SIZE - 1, 0);
	result(bo.buf.size == SIZE && bo.buf.drm_fd == gpu &&
	       fcntl(bo.buf.fd, F_GETFD) & FD_CLOEXEC &&
	       (fcntl(bo.buf.fd, F_GETFL) & O_ACCMODE) == O_RDWR,
	       "an export is as large as whole pages, is closed by exec() and may be written");
	need(dmabuf_pal_export(gpu, bo.handle, 0, &again, &error), "another export");
	one = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, bo.buf.fd, 0);
	other = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, again.fd, 0);
	need(one == MAP_FAILED || other == MAP_FAILED, "mmap");
	one[SIZE / 8] = 0x50414c;
	result(other[SIZE / 8] == 0x50414c, "what is written to one export is in the other");
	munmap(one, SIZE);
	munmap(other, SIZE);
	close(again.fd);
	result(maps(&bo.buf), "iommufd maps it, and unmaps it");
	drop_bo(&bo);
}

static void test_files(void)
{
	int memfd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING), dev, fd;
	struct udmabuf_create arg = { .memfd = memfd, .size = SIZE };
	struct dmabuf_pal_error error;
	struct dmabuf_pal_buf buf;
	int ret;

	need(ftruncate(memfd, SIZE), "a memfd");
	ret = dmabuf_pal_wrap(memfd, -1, &buf, &error);
	result(says(ret, &error, DMABUF_PAL_NOT_DMA_BUF, "no dma-buf"), "a memfd is no dma-buf");
	ret = dmabuf_pal_wrap(1023, -1, &buf, &error);
	result(says(ret, &error, DMABUF_PAL_BAD_ARGUMENT, "not open") && ret == -EBADF,
	       "nor is what is not open");
	need(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK), "a seal");
	dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	fd = ioctl(dev, UDMABUF_CREATE, &arg);
	need(fd < 0, "udmabuf");
	ret = dmabuf_pal_wrap(fd, -1, &buf, &error);
	result(!ret && buf.size == SIZE, "one of udmabuf is a dma-buf");
	ret = dmabuf_pal_probe_iommufd(&buf, -1, 0, &error);
	result(says(ret, &error, DMABUF_PAL_NOT_OFFERED, "'udmabuf'"),
	       "whose exporter is named as the one that does not offer it");
	result(control(), "control: VRAM is mapped");
	close(fd);
	close(dev);
	close(memfd);
}

/* The same BO, refused with and without a GPU that can be asked why */
static void refused(uint32_t handle, enum dmabuf_pal_reason reason, const char *words,
		    const char *what)
{
	struct dmabuf_pal_error error;
	struct dmabuf_pal_buf alone;
	uint64_t iova;
	struct bo bo;
	int ret;

	open_bo(&bo, handle, 0);
	alone = bo.buf;
	alone.drm_fd = -1;
	ret = map(&bo.buf, &iova, &error);
	result(says(ret, &error, reason, words) && ret == -EOPNOTSUPP, "%s", what);
	ret = map(&alone, &iova, &error);
	result(says(ret, &error, DMABUF_PAL_NOT_OFFERED, "VRAM alone"),
	       "without its GPU all that it can be is told");
	if (with_kvm) {
		ret = dmabuf_pal_probe_kvm(&bo.buf, -1, 0, &error);
		result(says(ret, &error, reason, words), "KVM: %s", what);
	}
	drop_bo(&bo);
}

static void test_placement(void)
{
	uint32_t handle;

	refused(create(SIZE, SYSTEM), DMABUF_PAL_NOT_VRAM, "system memory",
		"system memory is told from VRAM");
	refused(create(SIZE, VRAM | SYSTEM), DMABUF_PAL_MAY_LEAVE_VRAM, "may be moved",
		"VRAM that may be moved to system memory is told from VRAM that may not");
	refused(create(visible + SIZE, VRAM), DMABUF_PAL_NOT_VISIBLE, "larger than",
		"and what is larger than the BAR shows from what is not");
	if (!is_xe) {
		need(amdgpu_create(SIZE, VRAM, AMDGPU_GEM_CREATE_NO_CPU_ACCESS, &handle),
		     "a BO without CPU access");
		refused(handle, DMABUF_PAL_NOT_OFFERED, "NO_CPU_ACCESS",
			"and so are the flags of amdgpu that do not allow it");
	}
	result(control(), "control: VRAM alone, that the BAR shows, is mapped");
	if (with_kvm) {
		struct bo bo;

		make_bo(&bo, SIZE, 0);
		result(!dmabuf_pal_probe_kvm(&bo.buf, -1, 0, NULL),
		       "control: KVM takes it as a slot");
		drop_bo(&bo);
	}
}

static void test_alloc(void)
{
	struct dmabuf_pal_error error;
	uint32_t handle;
	int ret;

	ret = dmabuf_pal_bo_alloc(gpu, visible + 1, &handle, &error);
	result(says(ret, &error, DMABUF_PAL_NOT_VISIBLE, "VRAM that the BAR shows") &&
	       ret == -E2BIG, "more than the BAR shows is not allocated");
	ret = dmabuf_pal_bo_alloc(gpu, 0, &handle, &error);
	result(says(ret, &error, DMABUF_PAL_BAD_ARGUMENT, "one byte"), "nor is nothing");
	ret = dmabuf_pal_bo_alloc(iommufd, SIZE, &handle, &error);
	result(says(ret, &error, DMABUF_PAL_UNKNOWN_DRIVER, "xe or amdgpu"),
	       "nor by a file that is no GPU");
	ret = dmabuf_pal_bo_alloc(gpu, visible / 2, &handle, &error);
	result(!ret, "control: half of it is");
	need(dmabuf_pal_bo_free(gpu, handle), "closing a handle");
	result(dmabuf_pal_bo_free(gpu, handle) == -EINVAL, "and is freed once");
}

static void test_private(void)
{
	struct drm_xe_vm_create vm = {};
	struct dmabuf_pal_error error;
	struct dmabuf_pal_buf buf;
	uint32_t handle;
	int ret;

	if (is_xe)
		need(drmIoctl(gpu, DRM_IOCTL_XE_VM_CREATE, &vm) ||
		     xe_create(SIZE, VRAM, vm.vm_id, &handle), "a BO of a VM");
	else
		need(amdgpu_create(SIZE, VRAM, AMDGPU_GEM_CREATE_VM_ALWAYS_VALID, &handle),
		     "a BO of a VM");
	ret = dmabuf_pal_export(gpu, handle, 0, &buf, &error);
	result(says(ret, &error, DMABUF_PAL_PRIVATE, "private"),
	       "a BO of one address space is not exported");
	need(dmabuf_pal_bo_free(gpu, handle), "closing a handle");
	ret = dmabuf_pal_export(gpu, handle, 0, &buf, &error);
	result(says(ret, &error, DMABUF_PAL_BAD_ARGUMENT, "no BO"),
	       "nor is a handle that is closed");
	ret = dmabuf_pal_export(iommufd, 1, 0, &buf, &error);
	result(says(ret, &error, DMABUF_PAL_UNKNOWN_DRIVER, "no DRM device"),
	       "nor a handle of no GPU");
	result(control(), "control: another BO is");
}

static void test_read_only(void)
{
	struct dmabuf_pal_error error;
	uint64_t iova;
	struct bo bo;
	int ret;

	make_bo(&bo, SIZE, DMABUF_PAL_FLAG_READ_ONLY);
	ret = map(&bo.buf, &iova, &error);
	result(says(ret, &error, DMABUF_PAL_READ_ONLY, "without DRM_RDWR"),
	       "a read-only file is not mapped for writing");
	ret = dmabuf_pal_ioas_map(iommufd, ioas, &bo.buf, 0, SIZE,
				  DMABUF_PAL_FLAG_READ_ONLY, &iova, &error);
	result(!ret, "control: but for reading");
	need(ret, "a mapping for reading");
	unmap(iova, SIZE);
	if (with_kvm) {
		ret = dmabuf_pal_probe_kvm(&bo.buf, -1, 0, &error);
		result(says(ret, &error, DMABUF_PAL_READ_ONLY, "KVM"),
		       "KVM: no slot that is written");
		result(!dmabuf_pal_probe_kvm(&bo.buf, -1, DMABUF_PAL_FLAG_READ_ONLY, NULL),
		       "control: KVM: but one that is read");
	}
	drop_bo(&bo);
}

static void test_range(void)
{
	struct dmabuf_pal_error error;
	uint64_t iova, second;
	struct bo bo;
	int ret;

	make_bo(&bo, SIZE, 0);
	ret = dmabuf_pal_ioas_map(iommufd, ioas, &bo.buf, SIZE - 4096, 8192, 0, &iova,
				  &error);
	result(says(ret, &error, DMABUF_PAL_BAD_RANGE, "not within"),
	       "a page more than there is is not mapped");
	ret = dmabuf_pal_ioas_map(iommufd, ioas, &bo.buf, SIZE - 4096, 4096, 0, &iova,
				  &error);
	result(!ret, "control: the last page is");
	need(ret, "the last page");
	second = iova;
	ret = dmabuf_pal_ioas_map(iommufd, ioas, &bo.buf, 0, 4096,
				  DMABUF_PAL_FLAG_FIXED_IOVA, &second, &error);
	result(says(ret, &error, DMABUF_PAL_NO_IOVA, "taken"), "where it is, is no room");
	second = iova + (1 << 30);
	ret = dmabuf_pal_ioas_map(iommufd, ioas, &bo.buf, 0, 4096,
				  DMABUF_PAL_FLAG_FIXED_IOVA, &second, &error);
	result(!ret && second == iova + (1 << 30), "control: elsewhere there is");
	need(ret, "a mapping elsewhere");
	unmap(second, 4096);
	unmap(iova, 4096);
	ret = dmabuf_pal_ioas_unmap(iommufd, ioas, iova, 4096, &error);
	result(says(ret, &error, DMABUF_PAL_BAD_RANGE, "no mapping"), "it is unmapped once");
	ret = dmabuf_pal_ioas_map(iommufd, ioas + 1000, &bo.buf, 0, SIZE, 0, &iova, &error);
	result(says(ret, &error, DMABUF_PAL_BAD_ARGUMENT, "no IOAS"),
	       "an IOAS that is not there is named");
	drop_bo(&bo);
}

static void set_percent(const char *text)
{
	int fd = open(PERCENT, O_WRONLY | O_CLOEXEC);

	need(fd < 0 || write(fd, text, strlen(text)) < 0, PERCENT);
	close(fd);
}

static void test_limit(void)
{
	struct dmabuf_pal_error error;
	char percent[24], words[48];
	uint64_t iova, second;
	struct bo one, other;
	int ret;

	/* Room for one and a half of them */
	snprintf(percent, sizeof(percent), "%llu",
		 (unsigned long long)(SIZE * 150 / total + 1));
	snprintf(words, sizeof(words), "more than %s %%", percent);
	make_bo(&one, SIZE, 0);
	make_bo(&other, SIZE, 0);
	set_percent(percent);
	need(map(&one.buf, &iova, &error), "one mapping within the limit");
	ret = map(&other.buf, &second, &error);
	result(says(ret, &error, DMABUF_PAL_LIMIT, words) && ret == -ENOSPC,
	       "beyond the limit nothing is pinned, which is named");
	unmap(iova, SIZE);
	result(maps(&other.buf), "control: when the first one is unmapped the other is mapped");
	set_percent("50");
	drop_bo(&one);
	drop_bo(&other);
}

/* All of VRAM that the BAR shows is pinned by mappings, until nothing is left. */
static void test_no_room(void)
{
	static struct bo filler[MAX_FILL];
	static uint64_t iovas[MAX_FILL];
	struct dmabuf_pal_error error = {};
	uint64_t iova;
	struct bo late;
	int nr, ret = 0;

	make_bo(&late, SIZE, 0);
	set_percent("100");
	for (nr = 0; nr < MAX_FILL; nr++) {
		uint32_t handle;

		ret = dmabuf_pal_bo_alloc(gpu, SIZE, &handle, &error);
		if (ret)
			break;
		open_bo(&filler[nr], handle, 0);
		ret = map(&filler[nr].buf, &iovas[nr], &error);
		if (!ret)
			continue;
		drop_bo(&filler[nr]);
		break;
	}
	printf("# %d times %llu MiB are pinned\n", nr, SIZE >> 20);
	result(nr > 1 && says(ret, &error, DMABUF_PAL_NO_ROOM, "no room") && ret == -ENOMEM,
	       "where all is pinned nothing is allocated or mapped");
	ret = map(&late.buf, &iova, &error);
	result(says(ret, &error, DMABUF_PAL_NO_ROOM, "no room"),
	       "nor is what had to leave for it");
	while (nr--) {
		unmap(iovas[nr], SIZE);
		drop_bo(&filler[nr]);
	}
	result(maps(&late.buf), "control: it is when they are unmapped");
	set_percent("50");
	drop_bo(&late);
}

/* A user who may not open the device file, which is root's here for a moment */
static void test_access(void)
{
	struct dmabuf_pal_error error;
	struct stat before;
	struct bo bo;
	int status;
	pid_t pid;

	make_bo(&bo, SIZE, 0);
	result(!dmabuf_pal_probe_iommufd(&bo.buf, -1, 0, &error), "control: root may try");
	need(stat("/dev/iommu", &before) || chmod("/dev/iommu", 0600), "/dev/iommu");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setuid(65534))
			_exit(1);
		_exit(!says(dmabuf_pal_probe_iommufd(&bo.buf, -1, 0, &error), &error,
			    DMABUF_PAL_NO_ACCESS, "/dev/iommu: Permission denied"));
	}
	need(pid < 0 || waitpid(pid, &status, 0) != pid, "a child");
	need(chmod("/dev/iommu", before.st_mode & 07777), "/dev/iommu");
	result(!status, "another user is told which file it is");
	drop_bo(&bo);
}

/* Each has a reason of its own, and never that of another thread. */
static void *thread(void *arg)
{
	uint64_t number = (uintptr_t)arg, at = number * 8192, iova, bad = 0;
	struct dmabuf_pal_error error;
	struct dmabuf_pal_buf buf;
	uint32_t handle;
	char words[48];
	int i;

	for (i = 0; i < NR_ROUNDS; i++) {
		if (dmabuf_pal_bo_alloc(gpu, 65536, &handle, NULL) ||
		    dmabuf_pal_export(gpu, handle, 0, &buf, NULL))
			return "no BO";
		bad += !!map(&buf, &iova, &error) || error.reason != DMABUF_PAL_OK;
		bad += !!dmabuf_pal_ioas_unmap(iommufd, ioas, iova, buf.size, NULL);
		snprintf(words, sizeof(words), "%#llx + 0x100000 ", (unsigned long long)at);
		bad += dmabuf_pal_ioas_map(iommufd, ioas, &buf, at, 1 << 20, 0, &iova,
					   &error) != -EINVAL ||
		       error.reason != DMABUF_PAL_BAD_RANGE || !strstr(error.text, words);
		bad += !!dmabuf_pal_probe_iommufd(&buf, -1, 0, NULL);
		close(buf.fd);
		bad += !!dmabuf_pal_bo_free(gpu, handle);
	}
	return bad ? "a call went wrong" : NULL;
}

static void test_threads(void)
{
	pthread_t threads[NR_THREADS];
	bool good = true;
	uintptr_t i;
	void *bad;

	for (i = 0; i < NR_THREADS; i++)
		need(pthread_create(&threads[i], NULL, thread, (void *)i), "a thread");
	for (i = 0; i < NR_THREADS; i++) {
		pthread_join(threads[i], &bad);
		if (bad)
			printf("# thread %d: %s\n", (int)i, (char *)bad);
		good = good && !bad;
	}
	result(good, "%d threads allocate, export, map, fail and free on one client",
	       NR_THREADS);
}

static void test_amdgpu(void)
{
	amdgpu_bo_handle bo, full;
	struct dmabuf_pal_buf buf;
	amdgpu_device_handle device;
	uint32_t major, minor, fd;
	int ret;

	need(amdgpu_device_initialize(gpu, &major, &minor, &device), "libdrm_amdgpu");
	need(dmabuf_pal_amdgpu_bo_alloc(device, SIZE, &bo), "a BO of libdrm_amdgpu");
	need(amdgpu_bo_export(bo, amdgpu_bo_handle_type_dma_buf_fd, &fd), "its export");
	result(!dmabuf_pal_wrap(fd, gpu, &buf, NULL) && buf.size == SIZE && maps(&buf),
	       "a BO that libdrm_amdgpu has allocated and exported is mapped");
	close(fd);
	need(amdgpu_bo_free(bo), "amdgpu_bo_free");
	ret = dmabuf_pal_amdgpu_bo_alloc(device, total * 2, &full);
	result(ret == -ENOMEM, "twice the VRAM is no BO for which the kernel took other memory");
	need(amdgpu_device_deinitialize(device), "amdgpu_device_deinitialize");
}

/* A device that does no DMA, and so none to its peers */
static int open_vgem(void)
{
	char path[32];
	int fd, i;

	for (i = 0; i < 4; i++) {
		drmVersionPtr version;
		bool found;

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		version = fd < 0 ? NULL : drmGetVersion(fd);
		found = version && !strcmp(version->name, "vgem");
		if (version)
			drmFreeVersion(version);
		if (found)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

/* xe lets nobody like that have VRAM that may not leave it. */
static void test_busy(void)
{
	struct dmabuf_pal_error error;
	int vgem = open_vgem(), ret;
	uint32_t handle;
	uint64_t iova;
	struct bo bo;

	need(vgem < 0, "no vgem");
	make_bo(&bo, SIZE, 0);
	need(drmPrimeFDToHandle(vgem, bo.buf.fd, &handle), "vgem does not import");
	ret = map(&bo.buf, &iova, &error);
	result(says(ret, &error, DMABUF_PAL_BUSY, "peer-to-peer") && ret == -EBUSY,
	       "what somebody without peer-to-peer DMA has is not mapped");
	close(vgem);
	result(maps(&bo.buf), "control: it is when that one has gone");
	drop_bo(&bo);
}

/* The last one: the device comes back as another one. */
static void test_gone(void)
{
	struct dmabuf_pal_error error;
	uint64_t iova;
	struct bo bo;
	int ret;

	make_bo(&bo, SIZE, 0);
	result(maps(&bo.buf), "control: the device is there, and its memory is mapped");
	driver_does(is_xe ? "xe" : "amdgpu", "unbind", bdf);
	ret = map(&bo.buf, &iova, &error);
	result(says(ret, &error, DMABUF_PAL_GONE, "gone") && ret == -ENODEV,
	       "when the driver has left it, it is gone");
	close(bo.buf.fd);
}

/* Linux 7.3 without the series: an export, and the reason why it is not mapped */
static void test_old_kernel(void)
{
	struct dmabuf_pal_error error;
	uint64_t iova;
	struct bo bo;
	int ret;

	make_bo(&bo, SIZE, 0);
	result(bo.buf.size == SIZE, "control: VRAM is allocated and exported");
	ret = map(&bo.buf, &iova, &error);
	result(says(ret, &error, DMABUF_PAL_OLD_KERNEL, "vfio-pci alone"),
	       "iommufd's kernel is too old");
	ret = dmabuf_pal_probe_iommufd(&bo.buf, -1, 0, &error);
	result(says(ret, &error, DMABUF_PAL_OLD_KERNEL, "vfio-pci alone"), "probed, too");
	ret = dmabuf_pal_ioas_watch(iommufd, ioas, -1, &error);
	result(says(ret, &error, DMABUF_PAL_OLD_KERNEL, "becomes of mappings"),
	       "and to watch mappings");
	if (with_kvm) {
		ret = dmabuf_pal_probe_kvm(&bo.buf, -1, 0, &error);
		result(says(ret, &error, DMABUF_PAL_OLD_KERNEL, "KVM_CAP_DMABUF_MEM"),
		       "and so is KVM's");
	}
	drop_bo(&bo);
}

static void test_all(void)
{
	test_export();
	test_files();
	test_placement();
	test_alloc();
	test_private();
	test_read_only();
	test_range();
	test_limit();
	test_no_room();
	test_access();
	test_threads();
	if (!is_xe) {
		test_busy();
		test_amdgpu();
	}
	test_gone();
}

int main(int argc, char **argv)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	bool old = false;
	int opt;

	while ((opt = getopt(argc, argv, "ko")) != -1) {
		if (opt == '?')
			return 2;
		*(opt == 'k' ? &with_kvm : &old) = true;
	}
	if (argc - optind != 1) {
		fprintf(stderr, "usage: lib_pal [-k] [-o] GPU_BDF\n");
		return 2;
	}
	bdf = argv[optind];
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	need(iommufd < 0 || ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc), "an IOAS");
	ioas = alloc.out_ioas_id;
	test_open();
	if (old)
		test_old_kernel();
	else
		test_all();
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}
