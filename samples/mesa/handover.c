// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "handover.h"
#include "outside.h"
#include "tap.h"

#define DEMO		"nvme_dmabuf_demo"
#define MEMFD_SIZE	(1ull << 20)

void die(int status, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(status);
}

void check(bool ok, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	result(ok, "%s", text);
}

void bail_out(const char *what, long status)
{
	printf("Bail out! %s: %ld\n", what, status);
	exit(1);
}

void begin(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
}

int finish(void)
{
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}

void dma_buf_sync(struct dma_buf *buf, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_RW | flags };

	if (ioctl(buf->fd, DMA_BUF_IOCTL_SYNC, &sync))
		bail_out("DMA_BUF_IOCTL_SYNC", errno);
}

void dma_buf_fill(struct dma_buf *buf, uint64_t seed)
{
	dma_buf_sync(buf, DMA_BUF_SYNC_START);
	outside_pattern(buf->vaddr, 0, buf->size, seed);
	dma_buf_sync(buf, DMA_BUF_SYNC_END);
}

uint64_t dma_buf_differs(struct dma_buf *buf, uint64_t seed)
{
	uint64_t wrong;

	dma_buf_sync(buf, DMA_BUF_SYNC_START);
	wrong = outside_differs(buf->vaddr, 0, buf->size, seed);
	dma_buf_sync(buf, DMA_BUF_SYNC_END);
	return wrong;
}

/* Whether an access works, asked of the kernel: our own would be the end of us. */
static bool accessible(const void *vaddr)
{
	ssize_t ret = -1;
	int ends[2];

	if (vaddr == MAP_FAILED || pipe(ends))
		return false;
	ret = write(ends[1], vaddr, 1);
	close(ends[0]);
	close(ends[1]);
	return ret == 1;
}

void dma_buf_open(struct dma_buf *buf, int fd, uint64_t size, const char *what,
		  enum dma_buf_view view)
{
	off_t found = lseek(fd, 0, SEEK_END);

	check(found >= (off_t)size, "%s is a dma-buf of %llu KiB", what,
	      (unsigned long long)found / 1024);
	if (found < (off_t)size)
		bail_out("its size", found);
	*buf = (struct dma_buf){ .fd = fd, .size = found };
	buf->vaddr = mmap(NULL, buf->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (view == DMA_BUF_BLIND) {
		check(!accessible(buf->vaddr), "its mmap is of no use to the CPU");
		return;
	}
	if (!accessible(buf->vaddr))
		bail_out("mmap of the dma-buf, or an access there", errno);
	dma_buf_fill(buf, SEED_BEFORE);
	check(!dma_buf_differs(buf, SEED_BEFORE) && dma_buf_differs(buf, SEED_OURS),
	      "what is written to its mmap is there");
}

void dma_buf_close(struct dma_buf *buf)
{
	if (buf->vaddr != MAP_FAILED)
		munmap(buf->vaddr, buf->size);
	close(buf->fd);
}

int peer_dma(const char *nvme_bdf, int fd, enum peer_way way, uint64_t at)
{
	char text[2][24];
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		/* Without FD_CLOEXEC, which the exporter sets */
		snprintf(text[0], sizeof(text[0]), "%d", dup(fd));
		snprintf(text[1], sizeof(text[1]), "%llu", (unsigned long long)at);
		execlp(DEMO, DEMO, way == PEER_DISK_TO_MEMORY ? "read" : "write", nvme_bdf,
		       text[0], text[1], NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	status = WEXITSTATUS(status);
	if (status != PEER_DONE && status != PEER_REFUSED)
		printf("# " DEMO ": exit status %d\n", status);
	return status;
}

void dma_buf_peer(struct dma_buf *buf, const char *nvme_bdf)
{
	int status;

	dma_buf_fill(buf, SEED_OURS);
	status = peer_dma(nvme_bdf, buf->fd, PEER_MEMORY_TO_DISK, 0);
	check(status == PEER_DONE,
	      "another process has iommufd map it, and NVMe writes what is there to the disk");
	dma_buf_fill(buf, SEED_LATE);
	status = peer_dma(nvme_bdf, buf->fd, PEER_DISK_TO_MEMORY, 0);
	check(status == PEER_DONE && !dma_buf_differs(buf, SEED_OURS),
	      "what NVMe reads from the disk arrives in it");
}

/* Memory that iommufd pins page by page. It goes the very same way. */
static void memfd_open(struct dma_buf *buf, uint64_t size)
{
	*buf = (struct dma_buf){ .size = size };
	buf->fd = memfd_create("memory", MFD_CLOEXEC);
	if (buf->fd < 0 || ftruncate(buf->fd, size))
		bail_out("memfd_create", errno);
	buf->vaddr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, buf->fd, 0);
	if (buf->vaddr == MAP_FAILED)
		bail_out("mmap of a memfd", errno);
}

/* The pattern of @seed to the disk */
static int disk_fill(struct dma_buf *memory, const char *nvme_bdf, uint64_t seed)
{
	outside_pattern(memory->vaddr, 0, memory->size, seed);
	return peer_dma(nvme_bdf, memory->fd, PEER_MEMORY_TO_DISK, 0);
}

/* Whether the disk has it */
static bool disk_has(struct dma_buf *memory, const char *nvme_bdf, uint64_t seed)
{
	outside_pattern(memory->vaddr, 0, memory->size, seed + 1);
	return peer_dma(nvme_bdf, memory->fd, PEER_DISK_TO_MEMORY, 0) == PEER_DONE &&
	       !outside_differs(memory->vaddr, 0, memory->size, seed);
}

static void memfd_control(const char *nvme_bdf)
{
	struct dma_buf memory;
	int status;

	memfd_open(&memory, MEMFD_SIZE);
	status = disk_fill(&memory, nvme_bdf, SEED_NVME);
	check(!status && disk_has(&memory, nvme_bdf, SEED_NVME),
	      "control: iommufd maps a memfd, and NVMe writes and reads it");
	dma_buf_close(&memory);
}

/* The disk has something else when NVMe writes to it what it had read. */
void dma_buf_peer_blind(struct dma_buf *buf, const char *nvme_bdf)
{
	struct dma_buf memory;
	int status;

	memfd_open(&memory, buf->size);
	status = disk_fill(&memory, nvme_bdf, SEED_OURS);
	if (!status)
		status = peer_dma(nvme_bdf, buf->fd, PEER_DISK_TO_MEMORY, 0);
	check(status == PEER_DONE,
	      "another process has iommufd map it, and NVMe reads from the disk to it");
	status = disk_fill(&memory, nvme_bdf, SEED_LATE);
	if (!status)
		status = peer_dma(nvme_bdf, buf->fd, PEER_MEMORY_TO_DISK, 0);
	check(status == PEER_DONE && disk_has(&memory, nvme_bdf, SEED_OURS),
	      "and from it, the same, to where there was something else on the disk");
	dma_buf_close(&memory);
}

void dma_buf_refused(struct dma_buf *buf, const char *nvme_bdf)
{
	bool mapped = accessible(buf->vaddr);
	int status;

	memfd_control(nvme_bdf);
	if (mapped)
		dma_buf_fill(buf, SEED_OURS);
	status = peer_dma(nvme_bdf, buf->fd, PEER_DISK_TO_MEMORY, 0);
	check(status == PEER_REFUSED && (!mapped || !dma_buf_differs(buf, SEED_OURS)),
	      "IOMMU_IOAS_MAP_FILE does not support it%s",
	      mapped ? ", and it stays as it is" : "");
}

int open_render_node(const char *bdf)
{
	char path[128];
	glob_t found;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/drm/renderD*", bdf);
	if (glob(path, 0, NULL, &found))
		die(NOT_HERE, "%s has no render node", bdf);
	snprintf(path, sizeof(path), "/dev/dri/%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die(NOT_HERE, "%s: %s", path, strerror(errno));
	return fd;
}
