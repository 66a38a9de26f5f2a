// SPDX-License-Identifier: MIT
/*
 * Copyright © 2026 dmabuf-pal developers
 */

/**
 * TEST: dma-bufs of any driver in an IOAS of iommufd
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: Memory management tests
 * Functionality: dma-buf PAL mapping
 * Description: What IOMMU_IOAS_MAP_FILE does with a dma-buf, whoever exports it
 *
 * SUBTEST: basic-export
 * Description: VRAM of the first GPU is mapped, and DMA reaches it
 *
 * SUBTEST: fixed-iova
 * Description: A dma-buf is mapped where user space says, unless something is there
 *
 * SUBTEST: two-ioas
 * Description: Two address spaces have the same dma-buf, each for itself
 *
 * SUBTEST: ioas-copy
 * Description: A mapping is copied to another address space, and outlives its source
 *
 * SUBTEST: readonly-fd
 * Description: A dma-buf that was exported for reading is not mapped for writing
 *
 * SUBTEST: fd-closed-first
 * Description: A mapping keeps the memory when file and handle are closed
 *
 * SUBTEST: ioas-closed-first
 * Description: Nothing is left of a mapping when the address space goes
 *
 * SUBTEST: process-killed
 * Description: Nothing is left of a mapping when its process is killed
 *
 * SUBTEST: vgem-rejected
 * Description: A dma-buf of system memory, of a driver without VRAM, is refused
 *
 * SUBTEST: udmabuf-rejected
 * Description: A dma-buf of a memfd is refused, which itself is mapped
 *
 * SUBTEST: no-dma-buf
 * Description: A file that is neither a dma-buf nor a memfd is refused
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "pal.h"

IGT_TEST_DESCRIPTION("What IOMMU_IOAS_MAP_FILE does with a dma-buf, whoever exports it");

#define SIZE	(PAL_MIB + PAL_PAGE)
#define IOVA	(1ull << 32)

static void test_basic(struct pal *pal)
{
	struct pal_bufinfo info;
	struct pal_dma dma;
	struct pal_bo bo;
	uint64_t iova;

	pal_dma_open(&dma);
	pal_bo_vram(pal, &bo, SIZE);
	igt_assert_eq(pal_map(&dma.ioas, bo.fd, 0, SIZE, PAL_MAP_RW, &iova), 0);
	info = pal_bufinfo(bo.fd);
	igt_assert_eq(info.attachments, 1);
	igt_assert_eq_u64(info.bytes, SIZE);
	pal_dma_works(&dma, &bo, iova, 0, SIZE);
	igt_assert_eq(pal_unmap(&dma.ioas, iova, SIZE), 0);
	igt_assert_eq(pal_bufinfo(bo.fd).attachments, 0);
	pal_dma_blocked(&dma, &bo, iova);
	pal_bo_destroy(&bo);
	pal_dma_close(&dma);
}

static void test_fixed_iova(struct pal *pal)
{
	uint64_t iova = IOVA, inside = IOVA + PAL_PAGE;
	uint32_t fixed = PAL_MAP_RW | IOMMU_IOAS_MAP_FIXED_IOVA;
	struct pal_dma dma;
	struct pal_bo bo;

	pal_dma_open(&dma);
	pal_bo_vram(pal, &bo, SIZE);
	igt_assert_eq(pal_map(&dma.ioas, bo.fd, 0, SIZE, fixed, &iova), 0);
	igt_assert_eq_u64(iova, IOVA);
	igt_assert_eq(pal_map(&dma.ioas, bo.fd, 0, PAL_PAGE, fixed, &inside), -EEXIST);
	/* What was refused has changed nothing. */
	igt_assert_eq(pal_bufinfo(bo.fd).attachments, 1);
	pal_dma_works(&dma, &bo, IOVA, 0, SIZE);
	igt_assert_eq(pal_unmap(&dma.ioas, IOVA, SIZE), 0);

	/* And behind the end of it there is room. */
	iova = IOVA + 16 * SIZE;
	igt_assert_eq(pal_map(&dma.ioas, bo.fd, 0, SIZE, fixed, &iova), 0);
	pal_dma_works(&dma, &bo, iova, 0, SIZE);
	pal_dma_blocked(&dma, &bo, IOVA);
	igt_assert_eq(pal_unmap(&dma.ioas, iova, SIZE), 0);
	pal_bo_destroy(&bo);
	pal_dma_close(&dma);
}

static void test_two_ioas(struct pal *pal)
{
	struct pal_ioas other;
	struct pal_dma dma;
	struct pal_bo bo;
	uint64_t iova, also;

	pal_dma_open(&dma);
	pal_ioas_open(&other);
	pal_bo_vram(pal, &bo, SIZE);
	igt_assert_eq(pal_map(&dma.ioas, bo.fd, 0, SIZE, PAL_MAP_RW, &iova), 0);
	igt_assert_eq(pal_map(&other, bo.fd, 0, SIZE, PAL_MAP_RW, &also), 0);
	igt_assert_eq(pal_bufinfo(bo.fd).pal, 2);
	igt_assert_eq(pal_unmap(&other, also, SIZE), 0);
	igt_assert_eq(pal_bufinfo(bo.fd).pal, 1);
	pal_dma_works(&dma, &bo, iova, 0, SIZE);
	igt_assert_eq(pal_unmap(&dma.ioas, iova, SIZE), 0);
	igt_assert_eq(pal_bufinfo(bo.fd).attachments, 0);
	pal_bo_destroy(&bo);
	pal_ioas_close(&other);
	pal_dma_close(&dma);
}

/* The source is another IOAS of the same file, to which no device belongs. */
static void test_ioas_copy(struct pal *pal)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy), .flags = PAL_MAP_RW, .length = SIZE,
	};
	struct pal_ioas source;
	struct pal_dma dma;
	struct pal_bo bo;
	uint64_t iova;

	pal_dma_open(&dma);
	do_ioctl(dma.ioas.fd, IOMMU_IOAS_ALLOC, &alloc);
	source = (struct pal_ioas){ .fd = dma.ioas.fd, .id = alloc.out_ioas_id };
	pal_bo_vram(pal, &bo, SIZE);
	igt_assert_eq(pal_map(&source, bo.fd, 0, SIZE, PAL_MAP_RW, &iova), 0);

	copy.src_ioas_id = source.id;
	copy.src_iova = iova;
	copy.dst_ioas_id = dma.ioas.id;
	do_ioctl(dma.ioas.fd, IOMMU_IOAS_COPY, &copy);
	igt_assert_eq(pal_unmap(&source, iova, SIZE), 0);
	igt_assert_eq(pal_bufinfo(bo.fd).attachments, 1);
	pal_dma_works(&dma, &bo, copy.dst_iova, 0, SIZE);
	igt_assert_eq(pal_unmap(&dma.ioas, copy.dst_iova, SIZE), 0);
	igt_assert_eq(pal_bufinfo(bo.fd).attachments, 0);
	pal_dma_blocked(&dma, &bo, copy.dst_iova);
	pal_bo_destroy(&bo);
	pal_dma_close(&dma);
}

static void test_fd_closed_first(struct pal *pal)
{
	struct pal_bo bo, other;
	struct pal_dma dma;
	uint64_t iova;

	pal_dma_open(&dma);
	pal_bo_vram(pal, &bo, SIZE);
	igt_assert_eq(pal_map(&dma.ioas, bo.fd, 0, SIZE, PAL_MAP_RW, &iova), 0);
	close(bo.fd);
	gem_close(pal->fd, bo.handle);
	/* The CPU's mapping is there to look. New BOs get other memory. */
	pal_bo_vram(pal, &other, 8 * PAL_MIB);
	pal_fill(other.vaddr, 0, other.size, 1);
	pal_dma_works(&dma, &bo, iova, 0, SIZE);
	igt_assert_eq_u64(pal_differs(other.vaddr, 0, other.size, 1), other.size);
	pal_bo_destroy(&other);
	igt_assert_eq(pal_unmap(&dma.ioas, iova, SIZE), 0);
	pal_dma_blocked(&dma, &bo, iova);
	munmap(bo.vaddr, SIZE);
	pal_dma_close(&dma);
}

static void test_ioas_closed_first(struct pal *pal)
{
	uint64_t pinned = pal_pinned(pal), iova;
	struct pal_dma dma;
	struct pal_bo bo;

	pal_bo_vram(pal, &bo, SIZE);
	pal_dma_open(&dma);
	igt_assert_eq(pal_map(&dma.ioas, bo.fd, 0, SIZE, PAL_MAP_RW, &iova), 0);
	igt_assert_eq(pal_bufinfo(bo.fd).attachments, 1);
	pal_dma_close(&dma);
	igt_assert_eq(pal_bufinfo(bo.fd).attachments, 0);
	igt_assert_eq_u64(pal_pinned(pal), pinned);
	pal_bo_destroy(&bo);
}

/* Exports, maps, says so, and waits for its end. */
static void map_until_killed(struct pal *pal, int out)
{
	struct pal_ioas ioas;
	struct pal_bo bo;
	uint64_t iova;

	pal_ioas_open(&ioas);
	pal_bo_vram(pal, &bo, SIZE);
	igt_assert_eq(pal_map(&ioas, bo.fd, 0, SIZE, PAL_MAP_RW, &iova), 0);
	igt_assert_eq(write(out, "m", 1), 1);
	for (;;)
		pause();
}

static void test_process_killed(struct pal *pal)
{
	uint64_t pinned = pal_pinned(pal), used = pal_vram(pal).used;
	int ready[2], status;
	pid_t pid;
	char byte;

	igt_assert_eq(pipe(ready), 0);
	pid = fork();
	igt_assert_lte(0, pid);
	if (!pid) {
		/* A client of its own, which goes with the process */
		pal->fd = drm_reopen_driver(pal->fd);
		map_until_killed(pal, ready[1]);
	}
	close(ready[1]);
	igt_assert_eq(read(ready[0], &byte, 1), 1);
	igt_assert_eq_u64(pal_pinned(pal), pinned + SIZE);
	igt_assert_eq(kill(pid, SIGKILL), 0);
	igt_assert_eq(waitpid(pid, &status, 0), pid);
	close(ready[0]);
	igt_assert_eq_u64(pal_pinned(pal), pinned);
	igt_assert(pal_vram_returns(pal, used + SIZE / 2));
}

static int memfd(void)
{
	int fd = memfd_create("memory", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	igt_assert_lte(0, fd);
	igt_assert_eq(ftruncate(fd, PAL_MIB), 0);
	igt_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	return fd;
}

/* Beside what is refused, in the same IOAS */
static void memfd_is_mapped(struct pal_ioas *ioas, int fd)
{
	uint64_t iova;

	igt_assert_eq(pal_map(ioas, fd, 0, PAL_MIB, PAL_MAP_RW, &iova), 0);
	igt_assert_eq(pal_unmap(ioas, iova, PAL_MIB), 0);
	close(fd);
}

static void test_vgem_rejected(void)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .height = 256, .bpp = 32 };
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	struct pal_ioas ioas;
	uint64_t iova;
	int fd;

	fd = drm_open_driver(DRIVER_VGEM);
	pal_ioas_open(&ioas);
	do_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	prime.handle = dumb.handle;
	do_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	igt_assert_eq(pal_map(&ioas, prime.fd, 0, dumb.size, PAL_MAP_RW, &iova), -EOPNOTSUPP);
	igt_assert_eq(pal_bufinfo(prime.fd).attachments, 0);
	memfd_is_mapped(&ioas, memfd());
	close(prime.fd);
	gem_close(fd, dumb.handle);
	pal_ioas_close(&ioas);
	drm_close_driver(fd);
}

static void test_udmabuf_rejected(void)
{
	struct udmabuf_create create = { .size = PAL_MIB };
	struct pal_ioas ioas;
	int dev, dma_buf;
	uint64_t iova;

	dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	igt_require_f(dev >= 0, "no /dev/udmabuf: %s\n", strerror(errno));
	pal_ioas_open(&ioas);
	create.memfd = memfd();
	dma_buf = ioctl(dev, UDMABUF_CREATE, &create);
	igt_assert_lte(0, dma_buf);
	igt_assert_eq(pal_map(&ioas, dma_buf, 0, PAL_MIB, PAL_MAP_RW, &iova), -EOPNOTSUPP);
	igt_assert_eq(pal_bufinfo(dma_buf).attachments, 0);
	memfd_is_mapped(&ioas, create.memfd);
	close(dma_buf);
	close(dev);
	pal_ioas_close(&ioas);
}

/* A file's memory is looked for when a device wants it, so one has to be attached. */
static void test_no_dma_buf(void)
{
	struct pal_dma dma;
	uint64_t iova;
	int fd, ret;

	pal_dma_open(&dma);
	igt_assert_eq(pal_map(&dma.ioas, -1, 0, PAL_PAGE, PAL_MAP_RW, &iova), -EBADF);
	igt_require_f(dma.has_nvme, "no device of vfio-pci is attached to the IOAS\n");
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	igt_assert_lte(0, fd);
	ret = pal_map(&dma.ioas, fd, 0, PAL_PAGE, PAL_MAP_RW, &iova);
	igt_assert_f(ret == -EINVAL || ret == -EBADF, "/dev/null: %d\n", ret);
	memfd_is_mapped(&dma.ioas, memfd());
	close(fd);
	pal_dma_close(&dma);
}

int igt_main()
{
	static struct pal pal;

	igt_describe("With VRAM of the first GPU that has some to give");
	igt_subtest_group() {
		igt_fixture()
			pal_open(&pal, DRIVER_XE | DRIVER_AMDGPU);

		igt_describe("It is mapped, and DMA reaches it");
		igt_subtest("basic-export")
			test_basic(&pal);

		igt_describe("It is mapped where user space says, unless something is there");
		igt_subtest("fixed-iova")
			test_fixed_iova(&pal);

		igt_describe("Two address spaces have it, each for itself");
		igt_subtest("two-ioas")
			test_two_ioas(&pal);

		igt_describe("A mapping is copied, and the copy outlives its source");
		igt_subtest("ioas-copy")
			test_ioas_copy(&pal);

		igt_describe("A dma-buf that was exported for reading is not mapped for writing");
		igt_subtest("readonly-fd")
			pal_check_readonly_fd(&pal);

		igt_describe("A mapping keeps the memory when file and handle are closed");
		igt_subtest("fd-closed-first")
			test_fd_closed_first(&pal);

		igt_describe("Nothing is left of a mapping when the address space goes");
		igt_subtest("ioas-closed-first")
			test_ioas_closed_first(&pal);

		igt_describe("Nothing is left of a mapping when its process is killed");
		igt_subtest("process-killed")
			test_process_killed(&pal);

		igt_fixture()
			pal_close(&pal);
	}

	igt_describe("A dma-buf of system memory, of a driver without VRAM, is refused");
	igt_subtest("vgem-rejected")
		test_vgem_rejected();

	igt_describe("A dma-buf of a memfd is refused, which itself is mapped");
	igt_subtest("udmabuf-rejected")
		test_udmabuf_rejected();

	igt_describe("A file that is neither a dma-buf nor a memfd is refused");
	igt_subtest("no-dma-buf")
		test_no_dma_buf();
}
