// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_pal_mapping NVME_BDF GPU_BDF
 *
 * What libdmabuf-pal tells of mappings that a real driver takes away: by a reset, after
 * which they are back, and by its end. For that the IOAS has a device of vfio-pci, the
 * NVMe, which does nothing; its page table reports no faults, so that nothing may move.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include <xf86drm.h>

#include "lib_pal.h"
#include "tap.h"

#define SIZE		(4ull << 20)
#define TIMEOUT_MS	30000

static const char *bdf;
static int gpu, iommufd;
static uint32_t ioas;
static bool is_xe;

static void make_buf(struct dmabuf_pal_buf *buf)
{
	struct dmabuf_pal_error error;
	uint32_t handle;

	if (dmabuf_pal_bo_alloc(gpu, SIZE, &handle, &error) ||
	    dmabuf_pal_export(gpu, handle, 0, buf, &error))
		printf("# %s\n", error.text);
	need(error.error, "an exported BO");
	need(dmabuf_pal_bo_free(gpu, handle), "closing its handle");
}

static uint64_t map(const struct dmabuf_pal_buf *buf)
{
	struct dmabuf_pal_error error;
	uint64_t iova;

	if (dmabuf_pal_ioas_map(iommufd, ioas, buf, 0, SIZE, 0, &iova, &error))
		printf("# %s\n", error.text);
	need(error.error, "a mapping");
	return iova;
}

static uint32_t new_ioas(void)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	need(ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc), "an IOAS");
	return alloc.out_ioas_id;
}

static int open_vfio(const char *device)
{
	char path[96];
	struct dirent *entry;
	DIR *dir;
	int fd = -1;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", device);
	dir = opendir(path);
	need(!dir, "the NVMe belongs to vfio-pci");
	while (fd < 0 && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "vfio", 4)) {
			snprintf(path, sizeof(path), "/dev/vfio/devices/%.32s", entry->d_name);
			fd = open(path, O_RDWR | O_CLOEXEC);
		}
	closedir(dir);
	need(fd < 0, "open the NVMe");
	return fd;
}

/* From now on the IOAS has a page table, of the device's IOMMU. */
static void attach(const char *device)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };
	struct vfio_device_attach_iommufd_pt pt = { .argsz = sizeof(pt), .pt_id = ioas };
	int fd = open_vfio(device);

	need(ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind), "bind the NVMe to iommufd");
	need(ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &pt), "attach it to the IOAS");
}

static void test_calls(void)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct dmabuf_pal_mapping mapping;
	struct dmabuf_pal_error error;

	result(says(dmabuf_pal_ioas_watch(iommufd, ioas, gpu, &error), &error,
		    DMABUF_PAL_BAD_ARGUMENT, "no eventfd"), "a render node is no eventfd");
	result(says(dmabuf_pal_ioas_watch(iommufd, ioas + 1000, event, &error), &error,
		    DMABUF_PAL_BAD_ARGUMENT, "no IOAS"), "an IOAS that is not there is named");
	result(!dmabuf_pal_ioas_watch(iommufd, ioas, event, &error) && !error.text[0],
	       "control: an eventfd watches the IOAS that is");
	need(dmabuf_pal_ioas_watch(iommufd, ioas, -1, NULL), "to watch it no longer");
	result(says(dmabuf_pal_ioas_mapping(iommufd, ioas + 1000, 0, &mapping, &error), &error,
		    DMABUF_PAL_BAD_ARGUMENT, "no IOAS"), "nor has it mappings");
	result(says(dmabuf_pal_ioas_mapping(iommufd, ioas, 0, &mapping, &error), &error,
		    DMABUF_PAL_BAD_RANGE, "no mapping"), "an empty IOAS has none");
	close(event);
}

/* Of two, with a hole between them */
static void test_walk(void)
{
	struct dmabuf_pal_mapping first, second, none;
	struct dmabuf_pal_buf buf;
	uint64_t iova[2];
	int ret;

	make_buf(&buf);
	iova[0] = map(&buf);
	iova[1] = iova[0] + (1 << 30);
	ret = dmabuf_pal_ioas_map(iommufd, ioas, &buf, 0, SIZE, DMABUF_PAL_FLAG_FIXED_IOVA,
				  &iova[1], NULL);
	need(ret, "a mapping elsewhere");
	need(dmabuf_pal_ioas_mapping(iommufd, ioas, 0, &first, NULL), "the first one");
	need(dmabuf_pal_ioas_mapping(iommufd, ioas, first.iova + first.length, &second, NULL),
	     "the second one");
	result(first.iova == iova[0] && first.length == SIZE && second.iova == iova[1] &&
	       second.length == SIZE, "from one mapping the next one is found");
	result(first.state == DMABUF_PAL_STATE_MAPPED && !first.nr_revokes &&
	       second.state == DMABUF_PAL_STATE_MAPPED && !second.nr_revokes,
	       "both are there and were never lost");
	ret = dmabuf_pal_ioas_mapping(iommufd, ioas, iova[1] + SIZE, &none, NULL);
	result(ret == -ENOENT, "and there are no more");
	need(dmabuf_pal_ioas_unmap(iommufd, ioas, iova[0], SIZE, NULL) ||
	     dmabuf_pal_ioas_unmap(iommufd, ioas, iova[1], SIZE, NULL), "unmap");
	close(buf.fd);
}

static void test_movable(void)
{
	uint32_t other = new_ioas();
	struct dmabuf_pal_error error;
	struct dmabuf_pal_buf buf;
	uint64_t iova;
	int ret;

	make_buf(&buf);
	ret = dmabuf_pal_ioas_map(iommufd, ioas, &buf, 0, SIZE, DMABUF_PAL_FLAG_MOVABLE, &iova,
				  &error);
	result(says(ret, &error, DMABUF_PAL_NO_FAULTS, "report faults"),
	       "nothing may move under a page table that does not report faults");
	ret = dmabuf_pal_ioas_map(iommufd, other, &buf, 0, SIZE, DMABUF_PAL_FLAG_MOVABLE, &iova,
				  &error);
	result(!ret, "control: in an IOAS without a page table it may");
	need(ret || dmabuf_pal_ioas_unmap(iommufd, other, iova, SIZE, NULL), "unmap");
	close(buf.fd);
}

static bool wait_for(uint64_t iova, int event, enum dmabuf_pal_state state,
		     uint64_t nr_revokes)
{
	struct pollfd poll_fd = { .fd = event, .events = POLLIN };
	struct dmabuf_pal_mapping mapping;
	uint64_t count;

	for (;;) {
		if (dmabuf_pal_ioas_mapping(iommufd, ioas, iova, &mapping, NULL) ||
		    mapping.iova != iova)
			return false;
		if (mapping.state == state && mapping.nr_revokes == nr_revokes)
			return true;
		printf("# state %d, lost %llu times\n", mapping.state,
		       (unsigned long long)mapping.nr_revokes);
		if (poll(&poll_fd, 1, TIMEOUT_MS) != 1 ||
		    read(event, &count, sizeof(count)) != sizeof(count))
			return false;
	}
}

/* amdgpu has a file for it in debugfs. */
static void reset_gpu(void)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%s/amdgpu_gpu_recover", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	need(fd < 0 || read(fd, path, sizeof(path)) < 0, "reset");
	close(fd);
}

/* The last one: the device comes back as another one. */
static void test_loss(void)
{
	const char *driver = is_xe ? "xe" : "amdgpu";
	int old = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int event = eventfd(0, EFD_CLOEXEC);
	uint64_t iova, count, lost = 0;
	struct dmabuf_pal_buf buf;

	make_buf(&buf);
	iova = map(&buf);
	need(dmabuf_pal_ioas_watch(iommufd, ioas, old, NULL), "watch");
	need(dmabuf_pal_ioas_watch(iommufd, ioas, event, NULL), "watch by another eventfd");
	if (!is_xe) {
		reset_gpu();
		result(wait_for(iova, event, DMABUF_PAL_STATE_MAPPED, ++lost),
		       "a reset takes the mapping away, and gives it back");
	}
	driver_does(driver, "unbind", bdf);
	result(wait_for(iova, event, DMABUF_PAL_STATE_REVOKED, ++lost),
	       "the driver takes it along, and the event tells");
	result(read(old, &count, sizeof(count)) < 0 && errno == EAGAIN,
	       "the eventfd that was replaced was told nothing");
	result(!dmabuf_pal_ioas_unmap(iommufd, ioas, iova, SIZE, NULL),
	       "what is lost can be unmapped");
	close(buf.fd);
	close(gpu);
	driver_does(driver, "bind", bdf);
}

int main(int argc, char **argv)
{
	struct dmabuf_pal_error error;
	drmVersionPtr version;

	if (argc != 3) {
		fprintf(stderr, "usage: lib_pal_mapping NVME_BDF GPU_BDF\n");
		return 2;
	}
	bdf = argv[2];
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	need(dmabuf_pal_open(bdf, &gpu, &error), "the GPU");
	version = drmGetVersion(gpu);
	is_xe = !strcmp(version->name, "xe");
	drmFreeVersion(version);
	iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	need(iommufd < 0, "/dev/iommu");
	ioas = new_ioas();
	attach(argv[1]);
	test_calls();
	test_walk();
	test_movable();
	test_loss();
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}
