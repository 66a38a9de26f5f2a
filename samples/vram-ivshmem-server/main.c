// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram-ivshmem-server: gives VRAM to guests of an unpatched QEMU, as the BAR of an
 * ivshmem-doorbell device. It allocates a buffer object in VRAM that the CPU sees,
 * exports it as a dma-buf, tries whether iommufd can map it, and hands it to each QEMU that
 * connects. The guest's CPU reaches it by KVM, its assigned devices by the IOMMU. See
 * ../README.md for QEMU's command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dmabuf_pal.h>

#include "../number.h"
#include "server.h"

static const char usage[] =
"usage: vram-ivshmem-server --socket PATH --gpu PCI_ADDRESS --size SIZE [options]\n"
"       vram-ivshmem-server --socket PATH --fd N [options]\n"
"  --gpu PCI_ADDRESS   allocates VRAM of this GPU, which xe or amdgpu drives\n"
"  --size SIZE         a power of two from 4K on, as all BARs\n"
"  --fd N              in place of these an inherited dma-buf\n"
"  --vectors N         doorbells of each guest, 1 to 8 (1), as in QEMU's option\n"
"  --no-probe          guests have no assigned devices: iommufd is not tried\n"
"It says \"ready\" when QEMU may connect, and serves until SIGTERM or SIGINT. Exit\n"
"status: 1 something failed, 2 bad use, 77 this machine or kernel does not have it.\n";

struct options {
	const char *socket;
	const char *gpu;
	uint64_t size;
	int fd;
	unsigned int nr_vectors;
	bool probe;
};

void die(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "vram-ivshmem-server: ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(status);
}

static uint64_t number(const char *what, const char *text)
{
	uint64_t value;

	if (read_number(text, &value))
		die(BAD_USE, "%s: '%s' is no number or size", what, text);
	return value;
}

enum { SOCKET = 's', GPU, SIZE, FD, VECTORS, NO_PROBE, HELP };

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, SOCKET },
	{ "gpu", required_argument, NULL, GPU },
	{ "size", required_argument, NULL, SIZE },
	{ "fd", required_argument, NULL, FD },
	{ "vectors", required_argument, NULL, VECTORS },
	{ "no-probe", no_argument, NULL, NO_PROBE },
	{ "help", no_argument, NULL, HELP },
	{}
};

static void parse_option(int which, struct options *opt)
{
	switch (which) {
	case SOCKET:
		opt->socket = optarg;
		break;
	case GPU:
		opt->gpu = optarg;
		break;
	case SIZE:
		opt->size = number("--size", optarg);
		break;
	case FD:
		opt->fd = number("--fd", optarg);
		break;
	case VECTORS:
		opt->nr_vectors = number("--vectors", optarg);
		break;
	case NO_PROBE:
		opt->probe = false;
		break;
	case HELP:
		fputs(usage, stdout);
		exit(0);
	default:
		/* getopt has said what. */
		exit(BAD_USE);
	}
}

static void parse_options(int argc, char **argv, struct options *opt)
{
	int which;

	while ((which = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		parse_option(which, opt);
	if (optind < argc)
		die(BAD_USE, "unknown argument '%s'", argv[optind]);
	if (!opt->socket || (opt->fd < 0) == !opt->gpu)
		die(BAD_USE, "wants --socket and one of --gpu and --fd (see --help)");
	if (opt->gpu && !opt->size)
		die(BAD_USE, "--size is missing");
	if (opt->fd >= 0 && opt->size)
		die(BAD_USE, "--size: that of --fd is what it is");
	if (opt->nr_vectors < 1 || opt->nr_vectors > MAX_VECTORS)
		die(BAD_USE, "--vectors: 1 to %d", MAX_VECTORS);
}

static void check_size(uint64_t size)
{
	if (size < 4096 || (size & (size - 1)))
		die(BAD_USE, "%llu KiB: a BAR has a power of two of at least 4 KiB",
		    (unsigned long long)size >> 10);
}

/* Which status the reason of the library has */
static int status_of(const struct dmabuf_pal_error *error)
{
	switch (error->reason) {
	case DMABUF_PAL_BAD_ARGUMENT:
	case DMABUF_PAL_NOT_DMA_BUF:
		return BAD_USE;
	case DMABUF_PAL_NO_ACCESS:
	case DMABUF_PAL_OLD_KERNEL:
	case DMABUF_PAL_UNKNOWN_DRIVER:
		return NOT_HERE;
	default:
		return FAILED;
	}
}

/* A dma-buf of VRAM; the client of the GPU lives as long as we do. */
static void allocate(const char *bdf, uint64_t size, struct dmabuf_pal_buf *buf)
{
	struct dmabuf_pal_error error;
	uint32_t handle;
	int drm_fd;

	if (dmabuf_pal_open(bdf, &drm_fd, &error) ||
	    dmabuf_pal_bo_alloc(drm_fd, size, &handle, &error) ||
	    dmabuf_pal_export(drm_fd, handle, 0, buf, &error))
		die(status_of(&error), "%s: %s", bdf, error.text);
}

/*
 * QEMU ends when iommufd does not map the memory while a guest runs, so it is better
 * known before.
 */
static void probe(struct dmabuf_pal_buf *buf)
{
	struct dmabuf_pal_error error;

	if (dmabuf_pal_wrap(buf->fd, buf->drm_fd, buf, &error) ||
	    dmabuf_pal_probe_iommufd(buf, -1, 0, &error))
		die(error.reason == DMABUF_PAL_NOT_DMA_BUF ? BAD_USE : NOT_HERE, "%s",
		    error.text);
}

static int inherited(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		die(BAD_USE, "--fd: %d is not open", fd);
	if ((flags & O_ACCMODE) != O_RDWR)
		die(BAD_USE, "--fd: opened read-only, and QEMU maps it for writing");
	return fd;
}

int main(int argc, char **argv)
{
	struct options opt = { .fd = -1, .nr_vectors = 1, .probe = true };
	struct dmabuf_pal_buf buf;
	off_t size;

	parse_options(argc, argv, &opt);
	if (opt.gpu) {
		check_size(opt.size);
		allocate(opt.gpu, opt.size, &buf);
	} else {
		buf = (struct dmabuf_pal_buf){ .fd = inherited(opt.fd), .drm_fd = -1 };
	}
	size = lseek(buf.fd, 0, SEEK_END);
	if (size < 0)
		die(BAD_USE, "--fd: %d has no size: %s", buf.fd, strerror(errno));
	check_size(size);
	if (opt.probe)
		probe(&buf);
	serve(opt.socket, buf.fd, opt.nr_vectors);
	return 0;
}
