/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program does with a dma-buf that a library of the image exported for it: it
 * looks at it by mmap, and hands it to another process (dma_fd_demo), which runs
 * an NVMe controller that reaches it by IOMMU_IOAS_MAP_FILE.
 */
#ifndef PAL_GUEST_PEER_DMA_H
#define PAL_GUEST_PEER_DMA_H

/* Exit status of dma_fd_demo; 2 is bad use. */
enum {
	PEER_DONE = 0,
	/* It was mapped, and something else than the pattern was there. */
	PEER_OTHER_DATA = 3,
	/* The kernel says that it does not support this dma-buf. */
	PEER_REFUSED = 4,
	/* Any other error of the mapping */
	PEER_FAILED = 5,
};

/* Seeds of patterns; each step uses another one than the data that it replaces. */
enum { PEER_BEFORE = 21, PEER_OURS, PEER_NVME, PEER_LATE };

#ifdef PAL_PEER_DMA_CALLER
#include <linux/dma-buf.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "outside.h"
#include "tap.h"

struct dma_buf {
	int fd;
	uint64_t size;
	void *vaddr;
};

static void bail_out(const char *what, long status)
{
	printf("Bail out! %s: %ld\n", what, status);
	exit(1);
}

static void dma_buf_sync(struct dma_buf *buf, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_RW | flags };

	if (ioctl(buf->fd, DMA_BUF_IOCTL_SYNC, &sync))
		bail_out("DMA_BUF_IOCTL_SYNC", flags);
}

static void dma_buf_fill(struct dma_buf *buf, uint64_t seed)
{
	dma_buf_sync(buf, DMA_BUF_SYNC_START);
	outside_pattern(buf->vaddr, 0, buf->size, seed);
	dma_buf_sync(buf, DMA_BUF_SYNC_END);
}

static uint64_t dma_buf_differs(struct dma_buf *buf, uint64_t seed)
{
	uint64_t wrong;

	dma_buf_sync(buf, DMA_BUF_SYNC_START);
	wrong = outside_differs(buf->vaddr, 0, buf->size, seed);
	dma_buf_sync(buf, DMA_BUF_SYNC_END);
	return wrong;
}

/* Two rows: its size, and that it can be mapped and written */
static void dma_buf_open(struct dma_buf *buf, int fd, uint64_t size, const char *what)
{
	off_t found = lseek(fd, 0, SEEK_END);

	*buf = (struct dma_buf){ .fd = fd, .size = size };
	result(found == (off_t)size, "%s is a dma-buf of %llu KiB", what,
	       (unsigned long long)size / 1024);
	if (found != (off_t)size)
		bail_out("its size", found);
	buf->vaddr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (buf->vaddr == MAP_FAILED)
		bail_out("mmap of the dma-buf failed", fd);
	dma_buf_fill(buf, PEER_BEFORE);
	result(!dma_buf_differs(buf, PEER_BEFORE) && dma_buf_differs(buf, PEER_OURS),
	       "what is written to its mmap is there");
}

static void dma_buf_close(struct dma_buf *buf)
{
	munmap(buf->vaddr, buf->size);
	close(buf->fd);
}

/* The exit status of dma_fd_demo, or -1. */
static int peer_dma(const char *nvme_bdf, int fd, int there, int put)
{
	char text[3][16];
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		/* Without FD_CLOEXEC, which the exporter sets */
		snprintf(text[0], sizeof(text[0]), "%d", dup(fd));
		snprintf(text[1], sizeof(text[1]), "%d", there);
		snprintf(text[2], sizeof(text[2]), "%d", put);
		execl("/guest/dma_fd_demo", "dma_fd_demo", nvme_bdf, text[0], text[1],
		      text[2], NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Two rows: the controller finds what the CPU wrote, and the CPU what it wrote. */
static void dma_buf_peer(struct dma_buf *buf, const char *nvme_bdf)
{
	int status;

	dma_buf_fill(buf, PEER_OURS);
	status = peer_dma(nvme_bdf, buf->fd, PEER_OURS, PEER_NVME);
	if (status)
		printf("# dma_fd_demo: exit status %d\n", status);
	result(status == PEER_DONE,
	       "another process maps it by IOMMU_IOAS_MAP_FILE, and NVMe reads what is there");
	result(!dma_buf_differs(buf, PEER_NVME), "what NVMe writes is in the mmap");
}

/* One row: memory that is no VRAM, or may leave it, is refused and stays as it is. */
static void dma_buf_refused(struct dma_buf *buf, const char *nvme_bdf)
{
	int status;

	dma_buf_fill(buf, PEER_OURS);
	status = peer_dma(nvme_bdf, buf->fd, PEER_OURS, PEER_LATE);
	if (status != PEER_REFUSED)
		printf("# dma_fd_demo: exit status %d\n", status);
	result(status == PEER_REFUSED && !dma_buf_differs(buf, PEER_OURS),
	       "IOMMU_IOAS_MAP_FILE does not support it, and it stays as it is");
}
#endif /* PAL_PEER_DMA_CALLER */

#endif
