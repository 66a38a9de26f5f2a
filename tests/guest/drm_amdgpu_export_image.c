// SPDX-License-Identifier: GPL-2.0-only
/*
 * drm_amdgpu_export [-n NVME_BDF] GPU_BDF
 *
 * libdrm_amdgpu opens the GPU, allocates VRAM that the CPU sees, exports it as a
 * dma-buf and imports that again. With -n the memory is also reached by an NVMe
 * controller (nvme_dmabuf_demo), and system memory of the same GPU is not.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <amdgpu.h>
#include <amdgpu_drm.h>
#include <xf86drm.h>

#include "../../samples/mesa/handover.h"
#include "outside.h"

#define SIZE		(2ull << 20)
#define MAX_DEVICES	16

struct bo {
	amdgpu_bo_handle handle;
	struct dma_buf buf;
};

static void need(int ret, const char *what)
{
	if (ret)
		bail_out(what, ret);
}

static bool is_at(drmDevicePtr device, const char *bdf)
{
	char own[16];

	if (device->bustype != DRM_BUS_PCI ||
	    !(device->available_nodes & 1 << DRM_NODE_RENDER))
		return false;
	snprintf(own, sizeof(own), "%04x:%02x:%02x.%x", device->businfo.pci->domain,
		 device->businfo.pci->bus, device->businfo.pci->dev,
		 device->businfo.pci->func);
	return !strcmp(own, bdf);
}

static int render_node_of(const char *bdf)
{
	drmDevicePtr devices[MAX_DEVICES];
	int nr = drmGetDevices2(0, devices, MAX_DEVICES), fd = -1, i;

	if (nr < 0)
		bail_out("drmGetDevices2", nr);
	for (i = 0; i < nr && i < MAX_DEVICES && fd < 0; i++)
		if (is_at(devices[i], bdf))
			fd = open(devices[i]->nodes[DRM_NODE_RENDER], O_RDWR | O_CLOEXEC);
	drmFreeDevices(devices, nr);
	check(fd >= 0, "libdrm finds the render node of %s", bdf);
	if (fd < 0)
		bail_out("no render node", fd);
	return fd;
}

static void open_device(int fd, amdgpu_device_handle *device)
{
	struct amdgpu_heap_info vram = {};
	struct amdgpu_gpu_info info = {};
	uint32_t major, minor;
	const char *name;
	int ret;

	ret = amdgpu_device_initialize(fd, &major, &minor, device);
	check(!ret, "amdgpu_device_initialize");
	need(ret, "amdgpu_device_initialize");
	need(amdgpu_query_gpu_info(*device, &info), "amdgpu_query_gpu_info");
	need(amdgpu_query_heap_info(*device, AMDGPU_GEM_DOMAIN_VRAM, 0, &vram),
	     "amdgpu_query_heap_info");
	name = amdgpu_get_marketing_name(*device);
	printf("# amdgpu %u.%u: family %u, %llu MiB of VRAM, %s\n", major, minor,
	       info.family_id, (unsigned long long)vram.heap_size >> 20,
	       name ? name : "no name");
}

static void bo_export(amdgpu_device_handle device, struct bo *bo, uint32_t heap,
		      const char *what)
{
	struct amdgpu_bo_alloc_request request = {
		.alloc_size = SIZE, .preferred_heap = heap,
		.flags = AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED,
	};
	struct amdgpu_bo_info info = {};
	uint32_t fd;

	need(amdgpu_bo_alloc(device, &request, &bo->handle), "amdgpu_bo_alloc");
	need(amdgpu_bo_query_info(bo->handle, &info), "amdgpu_bo_query_info");
	if (info.preferred_heap != heap)
		bail_out("the BO is for another heap", info.preferred_heap);
	need(amdgpu_bo_export(bo->handle, amdgpu_bo_handle_type_dma_buf_fd, &fd),
	     "amdgpu_bo_export");
	dma_buf_open(&bo->buf, fd, SIZE, what, DMA_BUF_MAPPED);
}

static void bo_free(struct bo *bo)
{
	dma_buf_close(&bo->buf);
	need(amdgpu_bo_free(bo->handle), "amdgpu_bo_free");
}

static void check_mapping(struct bo *bo)
{
	void *vaddr;

	need(amdgpu_bo_cpu_map(bo->handle, &vaddr), "amdgpu_bo_cpu_map");
	dma_buf_fill(&bo->buf, SEED_LATE);
	check(!outside_differs(vaddr, 0, SIZE, SEED_LATE),
	       "amdgpu_bo_cpu_map shows what was written to the dma-buf's mmap");
	need(amdgpu_bo_cpu_unmap(bo->handle), "amdgpu_bo_cpu_unmap");
}

/* By another open file, so that it is no name for a BO that is known there. */
static void check_import(const char *bdf, struct bo *bo)
{
	struct amdgpu_bo_import_result in = {};
	amdgpu_device_handle device;
	uint32_t major, minor;
	void *vaddr;
	int fd, ret;

	fd = render_node_of(bdf);
	need(amdgpu_device_initialize2(fd, false, &major, &minor, &device),
	     "amdgpu_device_initialize2");
	ret = amdgpu_bo_import(device, amdgpu_bo_handle_type_dma_buf_fd, bo->buf.fd, &in);
	need(ret, "amdgpu_bo_import");
	need(amdgpu_bo_cpu_map(in.buf_handle, &vaddr), "amdgpu_bo_cpu_map of the import");
	dma_buf_fill(&bo->buf, SEED_BEFORE);
	check(in.alloc_size == SIZE && !outside_differs(vaddr, 0, SIZE, SEED_BEFORE),
	       "amdgpu_bo_import by another client is the same memory");
	need(amdgpu_bo_cpu_unmap(in.buf_handle), "amdgpu_bo_cpu_unmap of the import");
	need(amdgpu_bo_free(in.buf_handle), "amdgpu_bo_free of the import");
	need(amdgpu_device_deinitialize(device), "amdgpu_device_deinitialize");
	close(fd);
}

static void test(const char *bdf, const char *nvme)
{
	amdgpu_device_handle device;
	struct bo bo;
	int fd;

	fd = render_node_of(bdf);
	open_device(fd, &device);
	bo_export(device, &bo, AMDGPU_GEM_DOMAIN_VRAM, "VRAM");
	check_mapping(&bo);
	check_import(bdf, &bo);
	if (nvme)
		dma_buf_peer(&bo.buf, nvme);
	bo_free(&bo);
	if (nvme) {
		bo_export(device, &bo, AMDGPU_GEM_DOMAIN_GTT, "system memory");
		dma_buf_refused(&bo.buf, nvme);
		bo_free(&bo);
	}
	need(amdgpu_device_deinitialize(device), "amdgpu_device_deinitialize");
	close(fd);
}

int main(int argc, char **argv)
{
	const char *nvme = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "n:")) != -1) {
		if (opt != 'n')
			return 2;
		nvme = optarg;
	}
	if (argc - optind != 1) {
		fprintf(stderr, "usage: drm_amdgpu_export [-n NVME_BDF] GPU_BDF\n");
		return 2;
	}
	begin();
	test(argv[optind], nvme);
	return finish();
}
