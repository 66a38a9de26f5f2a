// SPDX-License-Identifier: GPL-2.0-only
/*
 * vramtop_check GPU_BDF
 *
 * What vramtop tells of buffers that are made here, of a known size, with known
 * importers, in known processes; and of one whose name is made to look like more.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/iommufd.h>
#include <linux/udmabuf.h>

#include "dmabuf_pal.h"
#include "tap.h"

#define SIZE	(4ull << 20)
#define SMALL	(1ull << 20)
/* An attachment that is none, and what would clear the screen */
#define HOSTILE	"a\"\n\tx\tmapping=PAL\n\033[2J"

static const char *bdf;
static char output[1 << 20];

static void need(bool good, const char *what)
{
	if (good)
		return;
	printf("Bail out! %s\n", what);
	exit(1);
}

/* The output of vramtop with these options, and its exit status */
static int run(const char *options)
{
	char command[128];
	FILE *pipe;
	size_t len;

	snprintf(command, sizeof(command), "vramtop %s 2>&1", options);
	pipe = popen(command, "r");
	need(pipe, "vramtop does not start");
	len = fread(output, 1, sizeof(output) - 1, pipe);
	output[len] = 0;
	return WEXITSTATUS(pclose(pipe));
}

/* The line that begins with this text, or an empty one */
static const char *line_of(const char *start)
{
	static char line[65536];
	const char *at = strstr(output, start);

	if (!at)
		return "";
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	printf("# %s\n", line);
	return line;
}

static uint64_t inode(int fd)
{
	struct stat st;

	need(!fstat(fd, &st), "fstat");
	return st.st_ino;
}

static const char *buffer_line(int fd)
{
	char start[48];

	need(!run("--json"), "vramtop --json fails");
	snprintf(start, sizeof(start), "{\"inode\":%" PRIu64 ",", inode(fd));
	return line_of(start);
}

static bool has(const char *line, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (strstr(line, text))
		return true;
	printf("# there is no %s\n", text);
	return false;
}

/* What is pinned of the GPU, of how much that is allowed */
static uint64_t pinned(uint64_t *limit, uint64_t *size)
{
	const char *line, *at;
	uint64_t value = ~0ull;
	char start[48];

	need(!run("--json"), "vramtop --json fails");
	snprintf(start, sizeof(start), "{\"gpu\":\"%s\",\"name\"", bdf);
	line = line_of(start);
	at = strstr(line, "\"size\":");
	need(at && sscanf(at, "\"size\":%" SCNu64, size) == 1, "no size of VRAM");
	at = strstr(line, "\"pal_pinned\":");
	need(at && sscanf(at, "\"pal_pinned\":%" SCNu64 ",\"pal_limit\":%" SCNu64, &value,
			  limit) == 2, "no account of pinned VRAM");
	return value;
}

static uint32_t make(int gpu, uint64_t size, struct dmabuf_pal_buf *buf)
{
	uint32_t handle;

	need(!dmabuf_pal_bo_alloc(gpu, size, &handle, NULL) &&
	     !dmabuf_pal_export(gpu, handle, 0, buf, NULL), "no VRAM");
	return handle;
}

/* The dma-buf alone keeps the memory. */
static void make_alone(int gpu, uint64_t size, struct dmabuf_pal_buf *buf)
{
	need(!dmabuf_pal_bo_free(gpu, make(gpu, size, buf)), "closing a handle");
}

static void test_mapped(int gpu, int iommufd, uint32_t ioas)
{
	uint64_t limit, size, iova, before;
	struct dmabuf_pal_buf buf;
	uint32_t handle = make(gpu, SIZE, &buf);
	const char *line;

	before = pinned(&limit, &size);
	result(!before && limit == size / 2, "nothing is pinned, of half of VRAM");
	line = buffer_line(buf.fd);
	result(has(line, "\"size\":%llu,", SIZE) && has(line, "\"exporter\":\"drm\"") &&
	       has(line, "\"gpu\":\"%s\"", bdf) && has(line, "\"unsure\":false") &&
	       has(line, "\"attachments\":[]"), "an export, its size and its GPU");
	/* amdgpu tells where the BO of a handle is. */
	result(has(line, strstr(output, "\"driver\":\"amdgpu\"") ? "\"memory\":\"vram\"" :
		   "\"memory\":null"), "where it is, if the driver tells that");
	need(!dmabuf_pal_bo_free(gpu, handle), "closing a handle");
	line = buffer_line(buf.fd);
	result(has(line, "\"processes\":[{\"pid\":%d,\"command\":\"vramtop_check\",\"files\":1,"
		   "\"maps\":0}]", getpid()), "and the one process that has it");
	need(!dmabuf_pal_ioas_map(iommufd, ioas, &buf, 0, SIZE, 0, &iova, NULL), "no mapping");
	line = buffer_line(buf.fd);
	result(has(line, "\"memory\":\"vram\"") &&
	       has(line, "\"attachments\":[{\"device\":null,\"mapping\":\"PAL\",\"ranges\":") &&
	       has(line, "\"bytes\":%llu}]", SIZE), "mapped by iommufd it has a PAL attachment");
	result(pinned(&limit, &size) == SIZE, "and is what is pinned");
	result(!run("--once") && has(output, "pinned") && has(output, "1/0/0"),
	       "--once has it, too");
	need(!dmabuf_pal_ioas_unmap(iommufd, ioas, iova, SIZE, NULL), "unmap");
	result(!pinned(&limit, &size) && has(buffer_line(buf.fd), "\"attachments\":[]"),
	       "unmapped it is neither");
	line = buffer_line(buf.fd);
	close(buf.fd);
	need(!run("--json"), "vramtop --json fails");
	result(*line && !strstr(output, "\"exporter\":\"drm\""), "closed it is gone");
}

/* Another process, and a mapping whose file is closed */
static void test_processes(int gpu)
{
	struct dmabuf_pal_buf buf;
	int ready[2], go[2];
	const char *line;
	char byte = 0;
	pid_t pid;

	make_alone(gpu, SMALL, &buf);
	need(!pipe(ready) && !pipe(go), "pipes");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		void *map = mmap(NULL, SMALL, PROT_READ, MAP_SHARED, buf.fd, 0);

		close(buf.fd);
		/* Or it would have the GPU open as well. */
		close(gpu);
		if (map == MAP_FAILED || write(ready[1], &byte, 1) != 1 ||
		    read(go[0], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	need(pid > 0 && read(ready[0], &byte, 1) == 1, "a child");
	line = buffer_line(buf.fd);
	result(has(line, "{\"pid\":%d,\"command\":\"vramtop_check\",\"files\":1,\"maps\":0}",
		   getpid()) &&
	       has(line, "{\"pid\":%d,\"command\":\"vramtop_check\",\"files\":0,\"maps\":1}", pid),
	       "a process that only maps it is found by its mapping");
	need(write(go[1], &byte, 1) == 1 && waitpid(pid, NULL, 0) == pid, "the child");
	result(!has(buffer_line(buf.fd), "\"pid\":%d,", pid), "and not when it has ended");
	close(buf.fd);
}

static void test_hostile(int gpu)
{
	struct dmabuf_pal_buf plain, hostile;
	const char *line;

	make_alone(gpu, SMALL, &plain);
	make_alone(gpu, SMALL, &hostile);
	need(!ioctl(plain.fd, DMA_BUF_SET_NAME, "plain"), "a name");
	line = buffer_line(plain.fd);
	result(has(line, "\"name\":\"plain\"") && has(line, "\"unsure\":false"),
	       "control: a buffer has its name");
	need(!ioctl(hostile.fd, DMA_BUF_SET_NAME, HOSTILE), "a name");
	line = buffer_line(hostile.fd);
	result(has(line, "\"name\":\"a\\\"\"") && has(line, "\"unsure\":true") &&
	       has(line, "\"attachments\":[]"),
	       "a name that looks like an attachment makes none, and is noticed");
	line = buffer_line(plain.fd);
	result(has(line, "\"unsure\":false") && has(output, "\"consistent\":true"),
	       "others are as they were");
	result(!run("--once") && !strchr(output, 27), "and the terminal is safe");
	result(!system("vramtop --json | python3 -c 'import json, sys; json.load(sys.stdin)'"),
	       "what is written is JSON");
	close(plain.fd);
	close(hostile.fd);
}

static void test_system(void)
{
	int memfd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING), dev, fd;
	struct udmabuf_create arg = { .memfd = memfd, .size = SMALL };
	const char *line;

	need(!ftruncate(memfd, SMALL) && !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK), "a memfd");
	dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	fd = ioctl(dev, UDMABUF_CREATE, &arg);
	need(fd >= 0, "no udmabuf");
	line = buffer_line(fd);
	result(has(line, "\"exporter\":\"udmabuf\"") && has(line, "\"gpu\":null") &&
	       has(line, "\"memory\":null"), "system memory is of its exporter, and of no GPU");
	close(fd);
	close(dev);
	close(memfd);
}

static void test_rights(void)
{
	int status;
	pid_t pid;

	result(!run("--once"), "control: root may read debugfs");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setuid(65534) || run("--once") != 77 ||
		    !has(output, "Permission denied: debugfs is for root"))
			_exit(1);
		_exit(0);
	}
	need(pid > 0 && waitpid(pid, &status, 0) == pid, "a child");
	result(!status, "another user is told that it is for root");
	result(run("--debugfs /tmp --once") == 77 && has(output, "is debugfs mounted there"),
	       "and who has none that it is not there");
}

int main(int argc, char **argv)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	int gpu, iommufd;

	if (argc != 2) {
		fprintf(stderr, "usage: vramtop_check GPU_BDF\n");
		return 2;
	}
	bdf = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	need(iommufd >= 0 && !ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc), "no IOAS");
	need(!dmabuf_pal_open(bdf, &gpu, NULL), "no GPU");
	test_mapped(gpu, iommufd, alloc.out_ioas_id);
	test_processes(gpu);
	test_hostile(gpu);
	test_system();
	test_rights();
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}
