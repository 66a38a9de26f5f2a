// SPDX-License-Identifier: GPL-2.0-only
/*
 * map_bench NVME_BDF IVSHMEM_BDF [LAYOUT...]
 *
 * What IOMMU_IOAS_MAP_FILE and IOMMU_IOAS_UNMAP cost, for dma-bufs of one and of
 * many ranges of a BAR and for memfds: instructions, leaf page table entries, and
 * the kernel memory that a mapping holds. The NVMe controller is attached to the
 * IOAS, so that there is a domain to fill; it does no DMA.
 *
 * The VM has to run with QEMU's -icount shift=0: then the time stamp counter
 * counts instructions. The first row checks that it does.
 *
 * A measurement is a line "@bench {json}", and scripts/bench makes figures and
 * judgments of them. TAP on stdout: a row fails if its measurement could not be
 * made. A kernel that refuses a layout with EOPNOTSUPP is a measurement.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/sizes.h>

#include <libvfio.h>
#include <libvfio/dma_buf.h>

#include "mapping.h"
#include "tap.h"

#define BAR		2
#define MAX_RANGES	512
#define MAX_REPS	64
#define LOST_REPS	21
/* A multiple of the largest page size, and below what any width of IOVA ends at */
#define FIXED_BASE	(16ULL * SZ_1G)
#define TRACING		"/sys/kernel/tracing/"

enum { LEAF_4K, LEAF_2M, LEAF_1G, NR_LEAVES };

static const uint64_t leaf_size[NR_LEAVES] = { SZ_4K, SZ_2M, SZ_1G };

struct layout {
	const char *name;
	uint32_t nr_ranges;	/* 0: a memfd */
	uint64_t offset;	/* of the first range in the BAR */
	uint64_t range_size;	/* or the memfd's size */
	uint64_t stride;	/* from one range to the next in the BAR */
	int warm_up;
	int reps;
};

/*
 * Ranges of the same layout never touch: they would be merged, and count as one.
 * The first one is what the cost of further ranges is compared with.
 */
static const struct layout layouts[] = {
	{ "1x2M", 1, 0, SZ_2M, 0, 5, 41 },
	{ "1x64M", 1, 0, SZ_64M, 0, 5, 41 },
	{ "1x1G", 1, 0, SZ_1G, 0, 5, 41 },
	{ "1x64M-odd", 1, SZ_1M + 3 * SZ_4K, SZ_64M, 0, 5, 41 },
	{ "64x2M", 64, 0, SZ_2M, SZ_4M, 5, 41 },
	{ "512x2M", 512, 0, SZ_2M, SZ_4M, 5, 41 },
	{ "memfd-64M", 0, 0, SZ_64M, 0, 2, 9 },
	{ "memfd-1G", 0, 0, SZ_1G, 0, 1, 5 },
};

struct bench {
	struct iommu *iommu;
	/* Signaled when a mapping is lost or comes back; -1 if that does not happen */
	int event;
	struct vfio_pci_device *nvme;
	struct vfio_pci_device *ivshmem;
	uint64_t bar_pa;
	char leaves_path[128];
};

/* One layout as it is measured */
struct buffer {
	const struct layout *layout;
	struct vfio_region_dma_range ranges[MAX_RANGES];
	uint64_t size;
	int fd;
};

static uint64_t instructions(void)
{
	return __builtin_ia32_rdtsc();
}

/* A loop whose instructions are known: is it them that are counted? */
static bool counts_instructions(void)
{
	const uint64_t rounds = 100000;
	uint64_t best = UINT64_MAX;
	int i;

	/* Short enough to get between two ticks of the timer */
	for (i = 0; i < 40; i++) {
		uint64_t n = rounds, start = instructions(), took;

		asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n) : : "cc");
		took = instructions() - start;
		if (took < best)
			best = took;
	}
	printf("# a loop of %" PRIu64 " instructions counts as %" PRIu64 "\n",
	       2 * rounds, best);
	return best >= 2 * rounds && best < 2 * rounds + rounds / 1000;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

static uint64_t bar_address(const char *bdf)
{
	uint64_t start = 0;
	char path[128];
	FILE *file;
	int fields = 1;
	int i;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", bdf);
	file = fopen(path, "r");
	VFIO_ASSERT_NOT_NULL(file, "%s\n", path);
	for (i = 0; i <= BAR && fields == 1; i++)
		fields = fscanf(file, "%" SCNx64 " %*x %*x", &start);
	fclose(file);
	VFIO_ASSERT_EQ(fields, 1, "%s\n", path);
	return start;
}

static void make_buffer(struct bench *b, const struct layout *layout,
			struct buffer *buf)
{
	uint64_t state = 1;
	uint32_t i, j;

	buf->layout = layout;
	if (!layout->nr_ranges) {
		buf->size = layout->range_size;
		buf->fd = memfd_create("bench", MFD_CLOEXEC);
		VFIO_ASSERT_GE(buf->fd, 0);
		VFIO_ASSERT_EQ(ftruncate(buf->fd, buf->size), 0);
		VFIO_ASSERT_EQ(posix_fallocate(buf->fd, 0, buf->size), 0);
		return;
	}
	for (i = 0; i < layout->nr_ranges; i++) {
		buf->ranges[i].offset = layout->offset + i * layout->stride;
		buf->ranges[i].length = layout->range_size;
	}
	/* Sattolo's shuffle leaves none in its place, and hence no two in order */
	for (i = layout->nr_ranges - 1; i > 0; i--) {
		struct vfio_region_dma_range tmp = buf->ranges[i];

		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		j = (state >> 33) % i;
		buf->ranges[i] = buf->ranges[j];
		buf->ranges[j] = tmp;
	}
	buf->size = layout->nr_ranges * layout->range_size;
	buf->fd = __vfio_pci_dma_buf_export(b->ivshmem, BAR, O_RDWR | O_CLOEXEC,
					    layout->nr_ranges, buf->ranges);
	VFIO_ASSERT_GE(buf->fd, 0, "Failed to export %s\n", layout->name);
}

/* All of a layout's ranges are equally long, so the first decides. */
static uint64_t congruent_iova(struct bench *b, struct buffer *buf)
{
	return FIXED_BASE + ((b->bar_pa + buf->ranges[0].offset) & (SZ_1G - 1));
}

static bool is_congruent(struct bench *b, struct buffer *buf, uint64_t iova)
{
	uint64_t differ = iova ^ (b->bar_pa + buf->ranges[0].offset);
	int i;

	for (i = NR_LEAVES - 1; i > LEAF_4K; i--)
		if (buf->layout->range_size >= leaf_size[i])
			return !(differ & (leaf_size[i] - 1));
	return true;
}

/* With the largest page at each place where one fits: no table can have fewer. */
static void least_leaves(struct bench *b, struct buffer *buf, uint64_t iova,
			 uint64_t leaves[NR_LEAVES])
{
	uint32_t i;
	int size;

	memset(leaves, 0, NR_LEAVES * sizeof(*leaves));
	for (i = 0; i < buf->layout->nr_ranges; i++) {
		uint64_t pa = b->bar_pa + buf->ranges[i].offset;
		uint64_t left = buf->ranges[i].length;

		while (left) {
			for (size = NR_LEAVES - 1; size > LEAF_4K; size--)
				if (left >= leaf_size[size] &&
				    !((iova | pa) & (leaf_size[size] - 1)))
					break;
			leaves[size]++;
			iova += leaf_size[size];
			pa += leaf_size[size];
			left -= leaf_size[size];
		}
	}
}

/*
 * Intel's debugfs has a line for each leaf: the IOVA's page, then an entry of
 * each level down to the leaf's, 1 GiB being the third.
 */
static bool read_leaves(struct bench *b, uint64_t iova, uint64_t size,
			uint64_t leaves[NR_LEAVES])
{
	static char line[512];
	FILE *file = fopen(b->leaves_path, "r");
	uint64_t pfn, bytes = 0;
	int columns, leaf;
	char *at;

	memset(leaves, 0, NR_LEAVES * sizeof(*leaves));
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "0x%" SCNx64 " |", &pfn) != 1)
			continue;
		if (pfn * SZ_4K < iova || pfn * SZ_4K - iova >= size)
			continue;
		columns = 0;
		for (at = strstr(line, "|"); at; at = strstr(at + 1, "\t0x"))
			columns++;
		leaf = LEAF_1G + 4 - columns;
		if (leaf < 0 || leaf >= NR_LEAVES)
			break;
		leaves[leaf]++;
		bytes += leaf_size[leaf];
	}
	fclose(file);
	return bytes == size;
}

static int map(struct bench *b, struct buffer *buf, bool fixed, uint64_t *iova)
{
	struct iommu_ioas_map_file args = {
		.size = sizeof(args),
		.flags = IOMMU_FILE_RW | (fixed ? IOMMU_IOAS_MAP_FIXED_IOVA : 0),
		.ioas_id = b->iommu->ioas_id,
		.fd = buf->fd,
		.length = buf->size,
		.iova = *iova,
	};

	if (ioctl(b->iommu->iommufd, IOMMU_IOAS_MAP_FILE, &args))
		return -errno;
	*iova = args.iova;
	return 0;
}

static int unmap(struct bench *b, struct buffer *buf, uint64_t iova)
{
	struct iommu_ioas_unmap args = {
		.size = sizeof(args),
		.ioas_id = b->iommu->ioas_id,
		.iova = iova,
		.length = buf->size,
	};

	return ioctl(b->iommu->iommufd, IOMMU_IOAS_UNMAP, &args) ? -errno : 0;
}

/* Allocations that a mapping holds, from the slab allocator's tracepoints */
#define MAX_HELD 1024

struct held {
	char ptr[24];
	char site[64];
	unsigned long req, alloc;
	unsigned int count;
};

static struct held held[MAX_HELD];
static unsigned int nr_held;

static int tracing_on = -1;

/* Only the switch is used while it is on: what opens a file allocates as well. */
static bool trace_start(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	if (!write_file(TRACING "tracing_on", "0") ||
	    !write_file(TRACING "trace", " ") ||
	    !write_file(TRACING "set_event_pid", pid) ||
	    !write_file(TRACING "events/kmem/kmalloc/enable", "1") ||
	    !write_file(TRACING "events/kmem/kmem_cache_alloc/enable", "1") ||
	    !write_file(TRACING "events/kmem/kfree/enable", "1") ||
	    !write_file(TRACING "events/kmem/kmem_cache_free/enable", "1"))
		return false;
	if (tracing_on < 0)
		tracing_on = open(TRACING "tracing_on", O_WRONLY | O_CLOEXEC);
	return tracing_on >= 0 && pwrite(tracing_on, "1", 1, 0) == 1;
}

static struct held *find_held(const char *ptr)
{
	unsigned int i;

	for (i = 0; i < nr_held; i++)
		if (!strcmp(held[i].ptr, ptr))
			return &held[i];
	return NULL;
}

static void trace_line(const char *line)
{
	const char *at = strstr(line, "call_site=");
	struct held h = { .count = 1 }, *known;

	if (!at || sscanf(at, "call_site=%63[^+ ]", h.site) != 1)
		return;
	at = strstr(at, "ptr=");
	if (!at || sscanf(at, "ptr=%23s", h.ptr) != 1)
		return;
	known = find_held(h.ptr);
	if (!strstr(line, "alloc: ")) {
		if (known)
			*known = held[--nr_held];
		return;
	}
	at = strstr(at, "bytes_req=");
	if (!at || sscanf(at, "bytes_req=%lu bytes_alloc=%lu", &h.req, &h.alloc) != 2)
		return;
	/* A large allocation has two lines, and the second one's site is the caller */
	if (known)
		*known = h;
	else if (nr_held < MAX_HELD)
		held[nr_held++] = h;
}

/* Ends what trace_start() began; what is still held is in held[], by call site */
static bool trace_end(void)
{
	static char line[1024];
	unsigned int i, j;
	FILE *file;

	nr_held = 0;
	if (pwrite(tracing_on, "0", 1, 0) != 1 ||
	    !write_file(TRACING "events/enable", "0"))
		return false;
	file = fopen(TRACING "trace", "r");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		trace_line(line);
	fclose(file);
	for (i = 0; i < nr_held; i++) {
		for (j = i + 1; j < nr_held;) {
			if (strcmp(held[i].site, held[j].site)) {
				j++;
				continue;
			}
			held[i].req += held[j].req;
			held[i].alloc += held[j].alloc;
			held[i].count++;
			held[j] = held[--nr_held];
		}
	}
	return nr_held && nr_held < MAX_HELD;
}

/* Pages of IOMMU page tables, of all domains */
static int64_t table_pages(void)
{
	static char line[256];
	int64_t pages = -1;
	FILE *file;

	/* Each CPU keeps a part of the count to itself */
	if (!write_file("/proc/sys/vm/stat_refresh", "1"))
		return -1;
	file = fopen("/proc/vmstat", "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "nr_iommu_pages %" SCNd64, &pages) == 1)
			break;
	fclose(file);
	return pages;
}

static void print_leaves(const char *name, const uint64_t leaves[NR_LEAVES])
{
	printf(",\"%s\":{\"4K\":%" PRIu64 ",\"2M\":%" PRIu64 ",\"1G\":%" PRIu64 "}",
	       name, leaves[LEAF_4K], leaves[LEAF_2M], leaves[LEAF_1G]);
}

static void print_counts(const char *name, const uint64_t *counts, int n)
{
	int i;

	printf(",\"%s\":[", name);
	for (i = 0; i < n; i++)
		printf("%s%" PRIu64, i ? "," : "", counts[i]);
	printf("]");
}

static void print_held(int64_t pages)
{
	unsigned int i;

	printf(",\"table_pages\":%" PRId64 ",\"held\":[", pages);
	for (i = 0; i < nr_held; i++)
		printf("%s{\"site\":\"%s\",\"requested\":%lu,\"allocated\":%lu,\"count\":%u}",
		       i ? "," : "", held[i].site, held[i].req, held[i].alloc,
		       held[i].count);
	printf("]");
}

/* What is not instructions, from a mapping made for it */
static bool inspect(struct bench *b, struct buffer *buf, bool fixed, uint64_t iova)
{
	uint64_t leaves[NR_LEAVES], least[NR_LEAVES];
	int64_t pages;
	bool traced;

	pages = table_pages();
	if (!trace_start())
		return false;
	if (map(b, buf, fixed, &iova)) {
		trace_end();
		return false;
	}
	traced = trace_end();
	pages = table_pages() - pages;
	if (traced)
		print_held(pages);

	/* Of a large memfd it would take minutes, and be of no interest */
	if (buf->layout->nr_ranges || buf->size <= SZ_64M) {
		if (read_leaves(b, iova, buf->size, leaves))
			print_leaves("leaves", leaves);
		else
			traced = false;
	}
	if (buf->layout->nr_ranges) {
		least_leaves(b, buf, iova, least);
		print_leaves("least", least);
		printf(",\"congruent\":%s",
		       is_congruent(b, buf, iova) ? "true" : "false");
	}
	printf(",\"iova\":\"0x%" PRIx64 "\"", iova);
	return !unmap(b, buf, iova) && traced;
}

/*
 * From the write that ends the exporter's memory decoding until nothing is mapped,
 * which is when it returns, and from the one that begins it until all is mapped again.
 */
static bool measure_lost(struct bench *b, struct buffer *buf)
{
	uint64_t lost[LOST_REPS], back[LOST_REPS], start, iova = 0;
	int i;

	if (map(b, buf, false, &iova))
		return false;
	for (i = 0; i < LOST_REPS; i++) {
		start = instructions();
		vfio_pci_cmd_clear(b->ivshmem, PCI_COMMAND_MEMORY);
		lost[i] = instructions() - start;
		start = instructions();
		vfio_pci_cmd_set(b->ivshmem, PCI_COMMAND_MEMORY);
		if (!mapping_comes_back(b->iommu->iommufd, b->iommu->ioas_id, b->event,
					iova, i + 1))
			return false;
		back[i] = instructions() - start;
	}
	print_counts("lost", lost, LOST_REPS);
	print_counts("back", back, LOST_REPS);
	return !unmap(b, buf, iova);
}

static void measure(struct bench *b, struct buffer *buf, bool fixed)
{
	const struct layout *layout = buf->layout;
	const char *rule = fixed ? "congruent" : "kernel";
	uint64_t maps[MAX_REPS], unmaps[MAX_REPS], iova = 0;
	int i, ret = 0;
	bool ok = true;

	if (fixed)
		iova = congruent_iova(b, buf);
	/* Else the port's interrupts are counted in what is measured */
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	for (i = -layout->warm_up; i < layout->reps && !ret; i++) {
		uint64_t start = instructions(), mapped, end;

		ret = map(b, buf, fixed, &iova);
		mapped = instructions();
		if (ret)
			break;
		ret = unmap(b, buf, iova);
		end = instructions();
		if (i < 0)
			continue;
		maps[i] = mapped - start;
		unmaps[i] = end - mapped;
	}
	printf("@bench {\"layout\":\"%s\",\"iova_rule\":\"%s\",\"ranges\":%u,\"bytes\":%" PRIu64 ",\"error\":\"%s\"",
	       layout->name, rule, layout->nr_ranges, buf->size,
	       ret ? strerrorname_np(-ret) : "");
	if (!ret) {
		print_counts("map", maps, layout->reps);
		print_counts("unmap", unmaps, layout->reps);
		ok = inspect(b, buf, fixed, iova);
		if (layout->nr_ranges && !fixed && b->event >= 0)
			ok &= measure_lost(b, buf);
	}
	printf("}\n");
	result(ok && (!ret || ret == -EOPNOTSUPP), "%s, %s IOVA: %s", layout->name, rule,
	       ret ? strerrorname_np(-ret) : "measured");
}

static bool wanted(const char *name, char **names)
{
	bool any = !*names;

	for (; *names; names++)
		any |= !strcmp(*names, name);
	return any;
}

static void bench(const char *nvme_bdf, const char *ivshmem_bdf, char **names)
{
	static struct buffer buf;
	struct iommu *exporter_iommu;
	struct bench b = {};
	unsigned int i;

	b.iommu = iommu_init(MODE_IOMMUFD);
	exporter_iommu = iommu_init(MODE_IOMMUFD);
	b.nvme = vfio_pci_device_init(nvme_bdf, b.iommu);
	b.event = mapping_watch(b.iommu->iommufd, b.iommu->ioas_id);
	b.ivshmem = vfio_pci_device_init(ivshmem_bdf, exporter_iommu);
	b.bar_pa = bar_address(ivshmem_bdf);
	snprintf(b.leaves_path, sizeof(b.leaves_path),
		 "/sys/kernel/debug/iommu/intel/%s/domain_translation_struct",
		 nvme_bdf);
	printf("# BAR %d: 0x%" PRIx64 " at 0x%" PRIx64 "\n", BAR,
	       (uint64_t)b.ivshmem->bars[BAR].info.size, b.bar_pa);

	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		if (!wanted(layouts[i].name, names))
			continue;
		make_buffer(&b, &layouts[i], &buf);
		measure(&b, &buf, false);
		if (layouts[i].nr_ranges)
			measure(&b, &buf, true);
		close(buf.fd);
	}
	vfio_pci_device_cleanup(b.nvme);
	vfio_pci_device_cleanup(b.ivshmem);
	iommu_cleanup(exporter_iommu);
	iommu_cleanup(b.iommu);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: map_bench NVME_BDF IVSHMEM_BDF [LAYOUT...]\n");
		return 2;
	}
	printf("TAP version 13\n");
	result(counts_instructions(), "the time stamp counter counts instructions");
	bench(argv[1], argv[2], argv + 3);
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}
