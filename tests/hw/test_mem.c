// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/mem.h"
#include "tap.h"

#define PAGE	HW_PAGE_SIZE
#define RW	(MEM_READ | MEM_WRITE)
#define FILE_PAGES 64

/* A file whose 64 bit words say where in it they are. */
static int counting_file(uint64_t **words)
{
	void *host;
	int fd = hw_memfd("test", FILE_PAGES * PAGE, &host);

	if (fd < 0)
		abort();
	*words = host;
	for (uint64_t i = 0; i < FILE_PAGES * PAGE / 8; i++)
		(*words)[i] = i * 8;
	return fd;
}

static void drop_file(int fd, uint64_t *words)
{
	munmap(words, FILE_PAGES * PAGE);
	close(fd);
}

/* How often the file of a test is mapped into this process. */
static unsigned int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned int n = 0;
	char line[512];

	while (fgets(line, sizeof(line), maps))
		n += !!strstr(line, "/memfd:test");
	fclose(maps);
	return n;
}

static uint64_t word(struct mem *mem, uint64_t addr)
{
	uint64_t value = 0;
	int err = mem_read(mem, addr, &value, sizeof(value));

	return err ? (uint64_t)err : value;
}

static void lookups(void)
{
	struct mem *mem = mem_new();
	struct mem_span span;
	uint64_t *words;
	int fd = counting_file(&words);

	expect_eq(mem_span(mem, 0, MEM_READ, &span), -EFAULT);
	expect_eq(mem_map(mem, 0x10000, 2 * PAGE, RW, fd, PAGE), 0);
	expect_eq(mem_map(mem, 0x40000, PAGE, MEM_READ, fd, 5 * PAGE), 0);
	expect_eq(mem_count(mem), 2);

	expect_eq(mem_span(mem, 0xffff, MEM_READ, &span), -EFAULT);
	expect_eq(mem_span(mem, 0x10000, MEM_READ, &span), 0);
	expect_eq(span.len, 2 * PAGE);
	expect_eq(*(uint64_t *)span.host, PAGE);
	expect_eq(mem_span(mem, 0x11ff8, MEM_WRITE, &span), 0);
	expect_eq(span.len, 8);
	expect_eq(mem_span(mem, 0x12000, MEM_READ, &span), -EFAULT);
	expect_eq(mem_span(mem, 0x40000, MEM_WRITE, &span), -EACCES);
	expect_eq(mem_span(mem, 0x40000, RW, &span), -EACCES);
	expect_eq(mem_span(mem, 0x40010, MEM_READ, &span), 0);
	expect_eq(*(uint64_t *)span.host, 5 * PAGE + 0x10);
	expect_eq(word(mem, 0x10008), PAGE + 8);

	mem_free(mem);
	drop_file(fd, words);
}

static void refusals(void)
{
	struct mem *mem = mem_new();
	uint64_t *words;
	int fd = counting_file(&words);

	expect_eq(mem_map(mem, 0, 0, RW, fd, 0), -EINVAL);
	expect_eq(mem_map(mem, 0, PAGE, 0, fd, 0), -EINVAL);
	expect_eq(mem_map(mem, 0, PAGE, 4, fd, 0), -EINVAL);
	expect_eq(mem_map(mem, UINT64_MAX, 2, RW, -1, 0), -EINVAL);
	expect_eq(mem_map(mem, 0, FILE_PAGES * PAGE + 1, RW, fd, 0), -EINVAL);
	expect_eq(mem_map(mem, 0, PAGE, RW, fd, FILE_PAGES * PAGE), -EINVAL);
	expect_eq(mem_map(mem, 0, PAGE, RW, fd, UINT64_MAX - 100), -EINVAL);
	expect_eq(mem_map(mem, 0, PAGE, RW, 1000000, 0), -EBADF);
	expect_eq(mem_unmap(mem, 0, 0), -EINVAL);
	expect_eq(mem_unmap(mem, 2, UINT64_MAX), -EINVAL);
	expect_eq(mem_unmap(mem, 0, PAGE), -ENOENT);
	expect_eq(mem_count(mem), 0);
	expect_eq(mappings(), 1);

	/* The same with arguments that are right. */
	expect_eq(mem_map(mem, 0, FILE_PAGES * PAGE, RW, fd, 0), 0);
	expect_eq(mappings(), 2);
	mem_free(mem);
	expect_eq(mappings(), 1);
	drop_file(fd, words);
}

static void overlaps(void)
{
	struct mem *mem = mem_new();

	expect_eq(mem_map(mem, 4 * PAGE, 4 * PAGE, RW, -1, 0), 0);
	expect_eq(mem_map(mem, 4 * PAGE, 4 * PAGE, RW, -1, 0), -EEXIST);
	expect_eq(mem_map(mem, 7 * PAGE, PAGE, RW, -1, 0), -EEXIST);
	expect_eq(mem_map(mem, 3 * PAGE, PAGE + 1, RW, -1, 0), -EEXIST);
	expect_eq(mem_map(mem, 0, 100 * PAGE, RW, -1, 0), -EEXIST);
	expect_eq(mem_map(mem, 0, UINT64_MAX, RW, -1, 0), -EEXIST);
	expect_eq(mem_map(mem, 3 * PAGE, PAGE, RW, -1, 0), 0);
	expect_eq(mem_map(mem, 8 * PAGE, PAGE, RW, -1, 0), 0);
	expect_eq(mem_count(mem), 3);
	mem_free(mem);
}

static void end_of_space(void)
{
	const uint64_t top = -(uint64_t)PAGE;
	struct mem *mem = mem_new();
	struct mem_span span;
	uint64_t *words, value;
	int fd = counting_file(&words);

	expect_eq(mem_map(mem, top, PAGE, RW, fd, PAGE), 0);
	expect_eq(mem_map(mem, 0, PAGE, RW, fd, 2 * PAGE), 0);
	expect_eq(mem_span(mem, UINT64_MAX, MEM_READ, &span), 0);
	expect_eq(span.len, 1);
	expect_eq(word(mem, UINT64_MAX - 7), 2 * PAGE - 8);
	/* What goes on behind it does not come back at 0. */
	expect_eq(mem_read(mem, UINT64_MAX - 3, &value, 8), -EFAULT);
	expect_eq(mem_write(mem, UINT64_MAX - 3, &value, 8), -EFAULT);
	expect_eq(mem_unmap(mem, top + 2048, 2048), 0);
	expect_eq(mem_span(mem, top, MEM_READ, &span), 0);
	expect_eq(span.len, 2048);
	expect_eq(mem_unmap(mem, PAGE, -(uint64_t)PAGE), 0);
	expect_eq(mem_span(mem, top, MEM_READ, &span), -EFAULT);
	expect_eq(mem_count(mem), 1);
	mem_free(mem);
	drop_file(fd, words);
}

static void splits(void)
{
	struct mem *mem = mem_new();
	uint64_t *words;
	int fd = counting_file(&words);

	expect_eq(mem_map(mem, 0x100000, 16 * PAGE, RW, fd, 3 * PAGE), 0);
	expect_eq(mem_unmap(mem, 0x104000, 2 * PAGE), 0);
	expect_eq(mem_count(mem), 2);
	expect_eq(word(mem, 0x103ff8), 3 * PAGE + 0x3ff8);
	expect_eq(word(mem, 0x104000), -EFAULT);
	expect_eq(word(mem, 0x105ff8), -EFAULT);
	expect_eq(word(mem, 0x106000), 3 * PAGE + 0x6000);

	/* From the middle of one to the middle of the other. */
	expect_eq(mem_unmap(mem, 0x103000, 4 * PAGE), 0);
	expect_eq(word(mem, 0x102ff8), 3 * PAGE + 0x2ff8);
	expect_eq(word(mem, 0x103000), -EFAULT);
	expect_eq(word(mem, 0x107000), 3 * PAGE + 0x7000);

	/* Odd edges, then the rest and more. */
	expect_eq(mem_unmap(mem, 0x100000, 24), 0);
	expect_eq(word(mem, 0x100018), 3 * PAGE + 24);
	expect_eq(mem_unmap(mem, 0, 0x200000), 0);
	expect_eq(mem_count(mem), 0);
	expect_eq(mappings(), 1);
	mem_free(mem);
	drop_file(fd, words);
}

static uint64_t random_state;

static uint64_t below(uint64_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % n;
}

/* The same as an array that has an entry for each page. */
static void against_a_table(void)
{
	enum { PAGES = 200 };
	const uint64_t base = -(uint64_t)PAGES * PAGE;
	struct mem *mem = mem_new();
	uint64_t table[PAGES] = {};	/* page in the file, from 1 on */
	uint64_t *words;
	int fd = counting_file(&words);

	random_state = 42;
	for (int round = 0; round < 20000; round++) {
		uint64_t at = below(PAGES);
		uint64_t n = 1 + below(hw_min((uint64_t)12, PAGES - at));
		uint64_t offset = below(FILE_PAGES - n);
		bool map = below(2), used = false;
		int err;

		for (uint64_t i = at; i < at + n; i++)
			used |= table[i] != 0;
		if (map) {
			err = mem_map(mem, base + at * PAGE, n * PAGE, RW, fd,
				      offset * PAGE);
			expect_eq(err, used ? -EEXIST : 0);
		} else {
			err = mem_unmap(mem, base + at * PAGE, n * PAGE);
			expect_eq(err, used ? 0 : -ENOENT);
		}
		for (uint64_t i = 0; i < n; i++)
			if (!map)
				table[at + i] = 0;
			else if (!used)
				table[at + i] = 1 + offset + i;
		at = below(PAGES);
		expect_eq(word(mem, base + at * PAGE + 8),
			  table[at] ? (table[at] - 1) * PAGE + 8 :
			  (uint64_t)-EFAULT);
	}
	mem_free(mem);
	expect_eq(mappings(), 1);
	drop_file(fd, words);
}

static void across_ranges(void)
{
	struct mem *mem = mem_new();
	uint64_t *words, buf[3 * PAGE / 8];
	int fd = counting_file(&words);

	expect_eq(mem_map(mem, 0x1000, PAGE, RW, fd, 7 * PAGE), 0);
	expect_eq(mem_map(mem, 0x2000, PAGE, RW, fd, PAGE), 0);
	expect_eq(mem_map(mem, 0x3000, PAGE, MEM_READ, fd, 9 * PAGE), 0);
	expect_eq(mem_read(mem, 0x1000, buf, sizeof(buf)), 0);
	expect_eq(buf[0], 7 * PAGE);
	expect_eq(buf[PAGE / 8], PAGE);
	expect_eq(buf[3 * PAGE / 8 - 1], 10 * PAGE - 8);
	expect_eq(mem_read(mem, 0x1800, buf, sizeof(buf)), -EFAULT);

	memset(buf, 0x5a, sizeof(buf));
	expect_eq(mem_write(mem, 0x1ff8, buf, 16), 0);
	expect_eq(words[(8 * PAGE - 8) / 8], 0x5a5a5a5a5a5a5a5aull);
	expect_eq(words[PAGE / 8], 0x5a5a5a5a5a5a5a5aull);
	expect_eq(mem_write(mem, 0x2ff8, buf, 16), -EACCES);
	expect_eq(words[9 * PAGE / 8], 9 * PAGE);
	mem_free(mem);
	drop_file(fd, words);
}

/* What an IOMMU's driver does: from the top down, all of it one file. */
static void ten_thousand(void)
{
	const uint64_t top = 0xfffff000;
	struct mem *mem = mem_new();
	uint64_t *words, start;
	int fd = counting_file(&words);

	start = hw_now();
	for (uint64_t i = 0; i < 10000; i++)
		expect_eq(mem_map(mem, top - i * 2 * PAGE, PAGE, RW, fd,
				  i % FILE_PAGES * PAGE), 0);
	expect_eq(mem_count(mem), 10000);
	expect_eq(mappings(), 2);
	for (uint64_t i = 0; i < 10000; i += 7)
		expect_eq(word(mem, top - i * 2 * PAGE), i % FILE_PAGES * PAGE);
	for (uint64_t i = 0; i < 10000; i += 2)
		expect_eq(mem_unmap(mem, top - i * 2 * PAGE, PAGE), 0);
	expect_eq(mem_count(mem), 5000);
	expect_eq(word(mem, top), -EFAULT);
	expect_eq(word(mem, top - 2 * PAGE), PAGE);
	printf("# %llu us\n",
	       (unsigned long long)(hw_now() - start) / 1000);
	mem_unmap_all(mem);
	expect_eq(mem_count(mem), 0);
	expect_eq(mappings(), 1);
	mem_free(mem);
	drop_file(fd, words);
}

/* What an IOMMU maps page by page is one range, and can be taken apart again. */
static void neighbours(void)
{
	struct mem *mem = mem_new();
	uint64_t *words;
	int fd = counting_file(&words);

	expect_eq(mem_map(mem, 0x10000, PAGE, RW, fd, PAGE), 0);
	expect_eq(mem_map(mem, 0x12000, PAGE, RW, fd, 3 * PAGE), 0);
	expect_eq(mem_count(mem), 2);
	expect_eq(mem_map(mem, 0x11000, PAGE, RW, fd, 2 * PAGE), 0);
	expect_eq(mem_count(mem), 1);
	expect_eq(mem_map(mem, 0xf000, PAGE, RW, fd, 0), 0);
	expect_eq(mem_map(mem, 0x13000, PAGE, RW, fd, 4 * PAGE), 0);
	expect_eq(mem_count(mem), 1);
	for (uint64_t i = 0; i < 5; i++)
		expect_eq(word(mem, 0xf000 + i * PAGE + 16), i * PAGE + 16);
	expect_eq(mem_map(mem, 0x11000, PAGE, RW, fd, 2 * PAGE), -EEXIST);

	/* Elsewhere in the file, and not for the same accesses */
	expect_eq(mem_map(mem, 0x14000, PAGE, RW, fd, 6 * PAGE), 0);
	expect_eq(mem_map(mem, 0xe000, PAGE, MEM_READ, fd, 7 * PAGE), 0);
	expect_eq(mem_map(mem, 0xd000, PAGE, MEM_READ, fd, 5 * PAGE), 0);
	expect_eq(mem_count(mem), 4);
	expect_eq(word(mem, 0x14000), 6 * PAGE);
	expect_eq(word(mem, 0xe000), 7 * PAGE);

	expect_eq(mem_unmap(mem, 0x11000, PAGE), 0);
	expect_eq(mem_count(mem), 5);
	expect_eq(word(mem, 0x11000), -EFAULT);
	expect_eq(word(mem, 0x10ff8), 2 * PAGE - 8);
	expect_eq(word(mem, 0x12000), 3 * PAGE);
	mem_unmap_all(mem);
	expect_eq(mappings(), 1);
	mem_free(mem);
	drop_file(fd, words);
}

/* One file by two descriptors is one mapping; reading only is another. */
static void files(void)
{
	struct mem *mem = mem_new();
	uint64_t *words, value = 1;
	int fd = counting_file(&words), again = dup(fd), readonly, open_fds;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	readonly = open(path, O_RDONLY | O_CLOEXEC);
	expect(readonly >= 0);
	open_fds = tap_open_fds();

	expect_eq(mem_map(mem, 0, PAGE, RW, fd, 0), 0);
	expect_eq(mem_map(mem, PAGE, PAGE, RW, again, PAGE), 0);
	expect_eq(mappings(), 2);
	expect_eq(mem_map(mem, 2 * PAGE, PAGE, RW, readonly, 0), -EACCES);
	expect_eq(mappings(), 2);
	expect_eq(mem_map(mem, 2 * PAGE, PAGE, MEM_READ, readonly, 0), 0);
	expect_eq(mappings(), 3);
	expect_eq(word(mem, 2 * PAGE + 8), 8);
	expect_eq(mem_write(mem, 2 * PAGE, &value, 8), -EACCES);

	/* A file that has grown is mapped again, in full. */
	expect(!ftruncate(fd, (FILE_PAGES + 1) * PAGE));
	expect_eq(mem_map(mem, 3 * PAGE, PAGE, RW, fd, FILE_PAGES * PAGE), 0);
	expect_eq(mem_write(mem, 3 * PAGE, &value, 8), 0);
	expect_eq(word(mem, 3 * PAGE), 1);
	expect_eq(mappings(), 4);

	expect_eq(mem_unmap(mem, PAGE, PAGE), 0);
	expect_eq(mappings(), 4);
	expect_eq(mem_unmap(mem, 0, PAGE), 0);
	expect_eq(mappings(), 3);
	mem_free(mem);
	expect_eq(mappings(), 1);
	expect_eq(tap_open_fds(), open_fds);
	close(readonly);
	close(again);
	drop_file(fd, words);
}

struct far {
	struct mem *mem;
	uint64_t addr, len;
	unsigned int calls;
	bool unmaps;
};

static int far_read(void *priv, uint64_t addr, void *buf, size_t len)
{
	struct far *far = priv;

	far->calls++;
	far->addr = addr;
	far->len = len;
	memset(buf, 0x77, len);
	if (far->unmaps)
		mem_unmap_all(far->mem);
	return addr >= 0x100000 ? -EIO : 0;
}

static int far_write(void *priv, uint64_t addr, const void *buf, size_t len)
{
	uint8_t first = *(const uint8_t *)buf;

	return far_read(priv, addr, &first, 1) ?: (((struct far *)priv)->len = len, 0);
}

static void remote(void)
{
	static const struct mem_remote ops = { far_read, far_write };
	struct far far = { .mem = mem_new() };
	struct mem *mem = far.mem;
	struct mem_span span;
	uint8_t buf[2 * PAGE];
	uint64_t *words;
	int fd = counting_file(&words);

	expect_eq(mem_map(mem, 0x1000, PAGE, MEM_READ, -1, 0), 0);
	expect_eq(mem_map(mem, 0x2000, PAGE, RW, fd, 0), 0);
	expect_eq(mem_map(mem, 0x3000, PAGE, RW, -1, 0), 0);
	expect_eq(mem_map(mem, 0x100000, PAGE, RW, -1, 0), 0);
	expect_eq(mem_read(mem, 0x1000, buf, 1), -EFAULT);
	mem_set_remote(mem, &ops, &far);

	expect_eq(mem_span(mem, 0x1100, MEM_READ, &span), 0);
	expect(!span.host);
	expect_eq(span.len, PAGE - 0x100);
	expect_eq(mem_read(mem, 0x1800, buf, PAGE), 0);
	expect_eq(far.calls, 1);
	expect_eq(far.addr, 0x1800);
	expect_eq(far.len, 0x800);
	expect_eq(buf[0x7ff], 0x77);
	expect_eq(buf[0x808], 8);
	expect_eq(mem_write(mem, 0x1000, buf, 1), -EACCES);
	expect_eq(far.calls, 1);
	expect_eq(mem_write(mem, 0x3ff0, buf, 16), 0);
	expect_eq(far.calls, 2);
	expect_eq(far.len, 16);
	expect_eq(mem_read(mem, 0x100000, buf, 4), -EIO);

	/* What comes after the call is looked up after it. */
	far.unmaps = true;
	expect_eq(mem_read(mem, 0x1800, buf, PAGE), -EFAULT);
	mem_free(mem);
	drop_file(fd, words);
}

static const struct tap_test tests[] = {
	{ "lookups and permissions", lookups },
	{ "what cannot be mapped", refusals },
	{ "ranges do not overlap", overlaps },
	{ "the end of the address space", end_of_space },
	{ "unmapping splits ranges", splits },
	{ "20000 random calls against a table", against_a_table },
	{ "reads and writes go across ranges", across_ranges },
	{ "neighbours become one range", neighbours },
	{ "10000 ranges of one file", ten_thousand },
	{ "files are mapped once", files },
	{ "memory without a file", remote },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
