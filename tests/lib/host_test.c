// SPDX-License-Identifier: GPL-2.0-only
/*
 * libdmabuf-pal without a GPU: what it says of bad input. With a GPU, and in the VM, it is
 * tests/guest/lib_pal_image.c. TAP on stdout.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dmabuf_pal.h>

#include "tap.h"

static bool says(int ret, int want, const struct dmabuf_pal_error *error,
		 enum dmabuf_pal_reason reason, const char *words)
{
	bool good = ret == want && error->error == want && error->reason == reason &&
		    strstr(error->text, words) && !strchr(error->text, '\n');

	if (!good)
		printf("# %d, %s: %s\n", ret, dmabuf_pal_reason_name(error->reason),
		       error->text);
	return good;
}

static void test_addresses(void)
{
	static const char *const bad[] = {
		"", "0", "00:08.0", "0000:00:08", "0000:00:08.0 ", "0000:00:20.0",
		"0000:00:08.8", "000g:00:08.0", "0000 00:08.0", "-000:00:08.0",
	};
	struct dmabuf_pal_error error;
	static char longer[10000];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		result(says(dmabuf_pal_open(bad[i], &fd, &error), -EINVAL, &error,
			    DMABUF_PAL_BAD_ARGUMENT, "no address"),
		       "row %d is no address of a PCI device", (int)i);
	result(dmabuf_pal_open(NULL, &fd, NULL) == -EINVAL, "nor is NULL");
	memset(longer, 'x', sizeof(longer) - 1);
	result(says(dmabuf_pal_open(longer, &fd, &error), -EINVAL, &error,
		    DMABUF_PAL_BAD_ARGUMENT, "'xxx") &&
	       strlen(error.text) == DMABUF_PAL_ERROR_SIZE - 1,
	       "nor is a long text, of which as much is repeated as there is room for");
	result(says(dmabuf_pal_open("0000:ff:1f.7", &fd, &error), -ENODEV, &error,
		    DMABUF_PAL_NO_ACCESS, "no render node"),
	       "control: one where no GPU is is an address");
}

static void test_files(void)
{
	int memfd = memfd_create("memory", MFD_CLOEXEC), null = open("/dev/null", O_RDWR);
	struct dmabuf_pal_buf buf = { .fd = memfd, .drm_fd = -1, .size = 4096 };
	struct dmabuf_pal_error error;
	struct dmabuf_pal_mapping mapping = { .iova = 1 };
	uint64_t total, visible, iova;
	uint32_t handle;

	result(says(dmabuf_pal_wrap(-1, -1, &buf, &error), -EBADF, &error,
		    DMABUF_PAL_BAD_ARGUMENT, "not open"), "no file is no dma-buf");
	result(says(dmabuf_pal_wrap(memfd, -1, &buf, &error), -EINVAL, &error,
		    DMABUF_PAL_NOT_DMA_BUF, "no dma-buf"), "nor is a memfd");
	result(dmabuf_pal_wrap(memfd, -1, &buf, NULL) == -EINVAL && buf.size == 4096,
	       "of which nothing is filled in, nor an error that is not wanted");
	result(says(dmabuf_pal_vram_size(null, &total, &visible, &error), -ENOTSUP, &error,
		    DMABUF_PAL_UNKNOWN_DRIVER, "no DRM device"), "/dev/null has no VRAM");
	result(says(dmabuf_pal_bo_alloc(null, 4096, &handle, &error), -ENOTSUP, &error,
		    DMABUF_PAL_UNKNOWN_DRIVER, "no DRM device"), "and allocates nothing");
	result(says(dmabuf_pal_export(null, 1, 0, &buf, &error), -EOPNOTSUPP, &error,
		    DMABUF_PAL_UNKNOWN_DRIVER, "no DRM device"), "and exports nothing");
	result(says(dmabuf_pal_export(null, 1, 1u << 31, &buf, &error), -EINVAL, &error,
		    DMABUF_PAL_BAD_ARGUMENT, "flags 0x80000000"), "unknown flags are named");
	result(dmabuf_pal_bo_free(null, 1) < 0, "and frees nothing");
	result(says(dmabuf_pal_ioas_map(null, 1, &buf, 0, 4096, 0, &iova, &error), -EINVAL,
		    &error, DMABUF_PAL_NOT_DMA_BUF, "no dma-buf"), "a memfd is not mapped");
	result(says(dmabuf_pal_probe_iommufd(&buf, null, 0, &error), -EINVAL, &error,
		    DMABUF_PAL_NOT_DMA_BUF, "no dma-buf"), "nor tried with iommufd");
	result(says(dmabuf_pal_probe_kvm(&buf, null, 0, &error), -EINVAL, &error,
		    DMABUF_PAL_NOT_DMA_BUF, "no dma-buf"), "nor with KVM");
	result(says(dmabuf_pal_probe_kvm(&buf, null, DMABUF_PAL_FLAG_FIXED_IOVA, &error),
		    -EINVAL, &error, DMABUF_PAL_BAD_ARGUMENT, "flags 0x2"),
	       "nor with flags of another function");
	result(says(dmabuf_pal_ioas_unmap(null, 1, 0, 0, &error), -EINVAL, &error,
		    DMABUF_PAL_BAD_RANGE, "no length") &&
	       says(dmabuf_pal_ioas_unmap(null, 1, 0, UINT64_MAX, &error), -EINVAL, &error,
		    DMABUF_PAL_BAD_RANGE, "no length"), "nothing and everything is not unmapped");
	result(dmabuf_pal_ioas_unmap(null, 1, 4096, 4096, &error) == -ENOTTY &&
	       error.reason == DMABUF_PAL_OTHER, "nor is anything by a file that is no iommufd");
	result(says(dmabuf_pal_ioas_watch(null, 1, -1, &error), -ENOTTY, &error,
		    DMABUF_PAL_OLD_KERNEL, "becomes of mappings") &&
	       says(dmabuf_pal_ioas_mapping(null, 1, 0, &mapping, &error), -ENOTTY, &error,
		    DMABUF_PAL_OLD_KERNEL, "becomes of mappings") && mapping.iova == 1,
	       "nor does it tell what becomes of mappings");
	close(memfd);
	close(null);
}

static void test_names(void)
{
	bool good = true;
	int i, k;

	for (i = DMABUF_PAL_OK; i <= DMABUF_PAL_NO_FAULTS; i++)
		for (k = DMABUF_PAL_OK; k < i; k++)
			good &= !!strcmp(dmabuf_pal_reason_name(i), dmabuf_pal_reason_name(k));
	result(good, "each reason has a name of its own");
	result(!strcmp(dmabuf_pal_reason_name(DMABUF_PAL_NO_FAULTS + 1), "unknown") &&
	       !strcmp(dmabuf_pal_reason_name((enum dmabuf_pal_reason)-1), "unknown"),
	       "what is none is unknown");
}

int main(void)
{
	printf("TAP version 13\n");
	test_addresses();
	test_files();
	test_names();
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}
