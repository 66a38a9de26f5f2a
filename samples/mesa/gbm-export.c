// SPDX-License-Identifier: MIT
/*
 * gbm-export --nvme BDF [--refused] GPU_BDF
 *
 * A linear buffer of GBM becomes a dma-buf by gbm_bo_get_fd(), and nvme_dmabuf_demo has
 * an NVMe controller read and write it. With --refused the driver is known to leave it
 * to the kernel whether the buffer is in VRAM, and iommufd is expected to refuse it.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use, 77 no such device.
 */
#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#include <gbm.h>

#include "handover.h"

#define WIDTH	1024
#define HEIGHT	512
#define FORMAT	GBM_FORMAT_XRGB8888
#define USE	(GBM_BO_USE_LINEAR | GBM_BO_USE_RENDERING)

/*
 * The way back, by the same device, finds the buffer object that there is. (gbm_bo_map()
 * would do, but a driver may have the GPU copy what is mapped, by a shader.)
 */
static void check_import(struct gbm_device *gbm, struct gbm_bo *bo, int fd)
{
	struct gbm_import_fd_data data = {
		.fd = fd, .width = WIDTH, .height = HEIGHT,
		.stride = gbm_bo_get_stride(bo), .format = FORMAT,
	};
	struct gbm_bo *other = gbm_bo_create(gbm, WIDTH, HEIGHT, FORMAT, USE), *again;

	again = gbm_bo_import(gbm, GBM_BO_IMPORT_FD, &data, GBM_BO_USE_RENDERING);
	if (!other || !again)
		bail_out("gbm_bo_create, gbm_bo_import", errno);
	check(gbm_bo_get_handle(again).u32 == gbm_bo_get_handle(bo).u32 &&
	      gbm_bo_get_handle(other).u32 != gbm_bo_get_handle(bo).u32,
	      "gbm_bo_import of the file is the same buffer object, and another one is not");
	gbm_bo_destroy(again);
	gbm_bo_destroy(other);
}

static void test(struct gbm_device *gbm, const char *nvme, bool refused)
{
	struct dma_buf buf;
	struct gbm_bo *bo;
	int fd;

	bo = gbm_bo_create(gbm, WIDTH, HEIGHT, FORMAT, USE);
	check(bo, "gbm_bo_create: %u x %u pixels, linear", WIDTH, HEIGHT);
	if (!bo)
		bail_out("gbm_bo_create", errno);
	printf("# stride %u, modifier 0x%llx\n", gbm_bo_get_stride(bo),
	       (unsigned long long)gbm_bo_get_modifier(bo));
	fd = gbm_bo_get_fd(bo);
	if (fd < 0)
		bail_out("gbm_bo_get_fd", errno);
	dma_buf_open(&buf, fd, (uint64_t)gbm_bo_get_stride(bo) * HEIGHT, "what GBM exports",
		     DMA_BUF_MAPPED);
	check_import(gbm, bo, fd);
	if (refused)
		dma_buf_refused(&buf, nvme);
	else
		dma_buf_peer(&buf, nvme);
	dma_buf_close(&buf);
	gbm_bo_destroy(bo);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "nvme", required_argument, NULL, 'n' },
		{ "refused", no_argument, NULL, 'r' },
		{}
	};
	const char *nvme = NULL;
	struct gbm_device *gbm;
	bool refused = false;
	int opt, drm_fd;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'n')
			nvme = optarg;
		else if (opt == 'r')
			refused = true;
		else
			return BAD_USE;
	}
	if (!nvme || argc - optind != 1)
		die(BAD_USE, "usage: --nvme BDF [--refused] GPU_BDF");

	drm_fd = open_render_node(argv[optind]);
	begin();
	gbm = gbm_create_device(drm_fd);
	check(gbm, "GBM has a device: %s", gbm ? gbm_device_get_backend_name(gbm) : "none");
	if (!gbm)
		bail_out("gbm_create_device", errno);
	test(gbm, nvme, refused);
	gbm_device_destroy(gbm);
	close(drm_fd);
	return finish();
}
