// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only program of the inner guest, a guest of the test VM: its first process. It
 * does what is asked for over the second serial port, a line each, and answers
 * "ok [NUMBERS]" or "err REASON". inner.h is the other half.
 *
 *	open N mem ADDRESS SIZE		area N is guest physical memory
 *	open N vram I			the same, the I-th vram= of the command line
 *	open N bar BDF BAR		area N is a BAR of a PCI device
 *	fill N OFFSET SIZE SEED		writes the pattern of outside.h
 *	check N OFFSET SIZE SEED	ok WRONG_WORDS
 *	touch N OFFSET SIZE STEP	writes a word each STEP bytes: ok NANOSECONDS
 *	loop N OFFSET SIZE THREADS	writes and verifies generation after generation
 *	state				of the loop: ok GENERATIONS WRONG_WORDS
 *	stop				ends it: ok GENERATIONS WRONG_WORDS
 *	nvme BDF			starts an NVMe controller
 *	dmafill N OFFSET SIZE SEED	the pattern by way of the disk, by DMA into the area
 *	dmacheck N OFFSET SIZE SEED	the area by way of the disk: ok WRONG_WORDS
 *	off				resets the guest, without an answer
 *
 * Words are compared one by one with moves of 8 bytes, so that KVM can emulate an access
 * to memory that is gone.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>

#include "inner_nvme.h"
#include "outside.h"

#define PORT		"/dev/ttyS1"
#define MAX_AREAS	4
#define MAX_THREADS	4
#define MAX_WORDS	8
#define LINE		256

struct area {
	volatile void *vaddr;
	uint64_t addr;
	uint64_t size;
};

struct worker {
	pthread_t thread;
	volatile void *vaddr;
	uint64_t size;
	uint64_t seed;
	/* Read by others while it runs */
	uint64_t generations;
	uint64_t wrong;
};

static struct area areas[MAX_AREAS];
static struct worker workers[MAX_THREADS];
static unsigned int nr_workers;
static bool stopping;
static struct nvme nvme;
static int port;

__attribute__((format(printf, 1, 2)))
static void answer(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vdprintf(port, fmt, args);
	va_end(args);
}

static uint64_t number(const char *text)
{
	return text ? strtoull(text, NULL, 0) : 0;
}

/* Area, offset and size of a command, or an answer that says what is wrong */
static struct area *range(char **word, uint64_t *offset, uint64_t *size)
{
	struct area *area = &areas[number(word[1]) % MAX_AREAS];

	*offset = number(word[2]);
	*size = number(word[3]);
	if (area->vaddr && !(*offset % 8) && !(*size % 8) && *size &&
	    *offset + *size <= area->size)
		return area;
	answer("err no such range\n");
	return NULL;
}

static int map_file(struct area *area, const char *path, off_t at, uint64_t size)
{
	int fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	void *vaddr;

	if (fd < 0)
		return -errno;
	vaddr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);
	close(fd);
	if (vaddr == MAP_FAILED)
		return -errno;
	area->vaddr = vaddr;
	area->size = size;
	return 0;
}

static int open_mem(struct area *area, uint64_t addr, uint64_t size)
{
	area->addr = addr;
	return map_file(area, "/dev/mem", addr, size);
}

/* The @index-th vram=ADDRESS,SIZE of the kernel's command line */
static int open_vram(struct area *area, unsigned int index)
{
	char line[4096] = "", *at = line, *end;
	uint64_t addr;
	int fd;

	fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, line, sizeof(line) - 1) < 0)
		return -errno;
	close(fd);
	do {
		at = strstr(at, " vram=");
		if (!at)
			return -ENOENT;
		at += strlen(" vram=");
	} while (index--);
	addr = strtoull(at, &end, 0);
	if (*end != ',')
		return -EINVAL;
	return open_mem(area, addr, strtoull(end + 1, NULL, 0));
}

/* Memory decoding and bus mastering, which nobody else switches on here */
static int pci_enable(const char *bdf)
{
	char path[96];
	uint16_t command;
	int fd, ret = 0;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pread(fd, &command, 2, 4) != 2)
		ret = -EIO;
	command |= 0x6;
	if (!ret && pwrite(fd, &command, 2, 4) != 2)
		ret = -EIO;
	close(fd);
	return ret;
}

static int open_bar(struct area *area, const char *bdf, unsigned int bar)
{
	unsigned long long start = 0, end = 0;
	char path[96], line[96];
	FILE *file;
	int ret;

	ret = pci_enable(bdf);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", bdf);
	file = fopen(path, "r");
	if (!file)
		return -errno;
	/* A line for each: start, end, flags */
	while (fgets(line, sizeof(line), file) && bar-- > 0)
		;
	fclose(file);
	if (sscanf(line, "%llx %llx", &start, &end) != 2 || end <= start)
		return -ENXIO;
	return open_mem(area, start, end - start + 1);
}

static void do_open(char **word)
{
	struct area *area = &areas[number(word[1]) % MAX_AREAS];
	int ret = -EINVAL;

	if (!strcmp(word[2], "mem"))
		ret = open_mem(area, number(word[3]), number(word[4]));
	else if (!strcmp(word[2], "vram"))
		ret = open_vram(area, number(word[3]));
	else if (!strcmp(word[2], "bar"))
		ret = open_bar(area, word[3], number(word[4]));
	if (ret)
		answer("err %s\n", strerror(-ret));
	else
		answer("ok %" PRIu64 " %" PRIu64 "\n", area->size, area->addr);
}

static void do_pattern(char **word, bool fill)
{
	uint64_t offset, size, wrong = 0;
	struct area *area = range(word, &offset, &size);

	if (!area)
		return;
	if (fill)
		outside_pattern(area->vaddr + offset, offset, size, number(word[4]));
	else
		wrong = outside_differs(area->vaddr + offset, offset, size,
					number(word[4]));
	answer("ok %" PRIu64 "\n", wrong);
}

static void do_touch(char **word)
{
	uint64_t offset, size, at, step = number(word[4]) ?: 4096;
	struct area *area = range(word, &offset, &size);
	struct timespec from, to;

	if (!area)
		return;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (at = offset; at < offset + size; at += step)
		*(volatile uint64_t *)(area->vaddr + at) = at;
	clock_gettime(CLOCK_MONOTONIC, &to);
	answer("ok %lld\n", (to.tv_sec - from.tv_sec) * 1000000000ll +
	       to.tv_nsec - from.tv_nsec);
}

/* A byte that is lost or comes late belongs to another generation than the rest. */
static void *work(void *arg)
{
	struct worker *worker = arg;
	uint64_t seed, wrong;

	while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED)) {
		seed = worker->seed + worker->generations * 0x100000001ull;
		outside_pattern(worker->vaddr, 0, worker->size, seed);
		wrong = outside_differs(worker->vaddr, 0, worker->size, seed);
		__atomic_fetch_add(&worker->wrong, wrong, __ATOMIC_RELAXED);
		__atomic_fetch_add(&worker->generations, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void do_loop(char **word)
{
	uint64_t offset, size, part, threads = number(word[4]) ?: 1;
	struct area *area = range(word, &offset, &size);

	if (!area)
		return;
	if (nr_workers || threads > MAX_THREADS) {
		answer("err a loop of up to %d threads\n", MAX_THREADS);
		return;
	}
	part = size / threads & ~7ull;
	__atomic_store_n(&stopping, false, __ATOMIC_RELAXED);
	while (nr_workers < threads) {
		struct worker *worker = &workers[nr_workers];

		*worker = (struct worker){
			.vaddr = area->vaddr + offset + nr_workers * part, .size = part,
			.seed = ((uint64_t)nr_workers + 1) << 56,
		};
		if (pthread_create(&worker->thread, NULL, work, worker))
			break;
		nr_workers++;
	}
	answer("ok %u\n", nr_workers);
}

static void do_state(bool stop)
{
	uint64_t generations = 0, wrong = 0;
	unsigned int i;

	__atomic_store_n(&stopping, stop, __ATOMIC_RELAXED);
	for (i = 0; i < nr_workers; i++) {
		if (stop)
			pthread_join(workers[i].thread, NULL);
		generations += __atomic_load_n(&workers[i].generations, __ATOMIC_RELAXED);
		wrong += __atomic_load_n(&workers[i].wrong, __ATOMIC_RELAXED);
	}
	if (stop)
		nr_workers = 0;
	answer("ok %" PRIu64 " %" PRIu64 "\n", generations, wrong);
}

static void do_nvme(char **word)
{
	struct area regs = {};
	int ret;

	ret = open_bar(&regs, word[1], 0);
	if (!ret)
		ret = nvme_start(&nvme, regs.vaddr);
	if (ret)
		answer("err %s (%d)\n", ret < 0 ? strerror(-ret) : "status", ret);
	else
		answer("ok\n");
}

/* The same route as tests/guest/dma.c has, one stop further inside */
static void do_dma(char **word, bool fill)
{
	void *data = nvme.area + NVME_DATA_AT;
	uint64_t offset, size, at, len, seed = number(word[4]), wrong = 0;
	uint64_t data_at = nvme.phys + NVME_DATA_AT;
	struct area *area = range(word, &offset, &size);
	int ret = 0;

	if (!area)
		return;
	if (!nvme.area || (offset | size) % NVME_PAGE) {
		answer("err no controller, or not in pages\n");
		return;
	}
	for (at = offset; at < offset + size && !ret; at += len) {
		len = offset + size - at < NVME_CHUNK ? offset + size - at : NVME_CHUNK;
		/* Neither the disk nor our memory has the data from before. */
		if (fill)
			outside_pattern(data, at, len, seed);
		else
			memset(data, 0x5a, len);
		ret = nvme_move(&nvme, NVME_WRITE, data_at, len) ?:
		      nvme_move(&nvme, fill ? NVME_READ : NVME_WRITE, area->addr + at, len);
		if (!ret && !fill) {
			ret = nvme_move(&nvme, NVME_READ, data_at, len);
			wrong += outside_differs(data, at, len, seed);
		}
	}
	if (ret)
		answer("err %s (%d)\n", ret < 0 ? strerror(-ret) : "status", ret);
	else
		answer("ok %" PRIu64 "\n", wrong);
}

static void serve(char *line)
{
	char *word[MAX_WORDS] = {}, *rest = NULL;
	int nr = 0;

	for (word[0] = strtok_r(line, " ", &rest); word[nr] && nr < MAX_WORDS - 2;)
		word[++nr] = strtok_r(NULL, " ", &rest);
	if (!word[0])
		return;
	if (!strcmp(word[0], "open") && nr >= 4)
		do_open(word);
	else if (!strcmp(word[0], "fill") || !strcmp(word[0], "check"))
		do_pattern(word, *word[0] == 'f');
	else if (!strcmp(word[0], "touch"))
		do_touch(word);
	else if (!strcmp(word[0], "loop"))
		do_loop(word);
	else if (!strcmp(word[0], "state") || !strcmp(word[0], "stop"))
		do_state(!strcmp(word[0], "stop"));
	else if (!strcmp(word[0], "nvme") && nr >= 2)
		do_nvme(word);
	else if (!strcmp(word[0], "dmafill") || !strcmp(word[0], "dmacheck"))
		do_dma(word, word[0][3] == 'f');
	else if (!strcmp(word[0], "off"))
		reboot(RB_AUTOBOOT);
	else
		answer("err unknown\n");
}

static void mounts(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
}

static int open_port(void)
{
	struct termios tio;
	int fd = open(PORT, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || tcgetattr(fd, &tio))
		return -1;
	cfmakeraw(&tio);
	tio.c_cflag |= CLOCAL | CREAD;
	return tcsetattr(fd, TCSANOW, &tio) ? -1 : fd;
}

int main(void)
{
	char line[LINE];
	size_t len = 0;

	if (getpid() != 1) {
		fprintf(stderr, "inner: is the first process of a guest\n");
		return 2;
	}
	mounts();
	port = open_port();
	if (port < 0) {
		fprintf(stderr, "inner: %s: %s\n", PORT, strerror(errno));
		return 1;
	}
	answer("ready\n");
	while (read(port, &line[len], 1) == 1) {
		if (line[len] != '\n') {
			len += len < sizeof(line) - 1;
			continue;
		}
		line[len] = 0;
		len = 0;
		serve(line);
	}
	return 1;
}
