// SPDX-License-Identifier: GPL-2.0-only
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util.h"
#include "tap.h"

static void sizes(void)
{
	static const struct {
		const char *text;
		uint64_t size;
	} good[] = {
		{ "0", 0 }, { "1", 1 }, { "4096", 4096 }, { "4K", 4096 },
		{ "256M", 256ull << 20 }, { "8G", 8ull << 30 },
		{ "18446744073709551615", UINT64_MAX },
		{ "17179869183G", 17179869183ull << 30 },
	};
	uint64_t size;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		expect_eq(hw_parse_size(good[i].text, &size), 0);
		expect_eq(size, good[i].size);
	}
}

static void no_sizes(void)
{
	static const char *const bad[] = {
		"", "K", "-1", "+1", " 1", "1 ", "1k", "1KB", "1KM", "1.5G",
		"0x10", "18446744073709551616", "99999999999999999999",
		"17179869184G",
	};
	uint64_t size = 42;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_eq(hw_parse_size(bad[i], &size), -EINVAL);
	expect_eq(size, 42);
}

static void memory(void)
{
	struct stat st;
	char *host, *again;
	void *map;
	int fd = hw_memfd("test", HW_MIB(2), &map);

	expect(fd >= 0);
	host = map;
	expect(!fstat(fd, &st) && st.st_size == (off_t)HW_MIB(2));
	again = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, HW_MIB(1));
	expect(again != MAP_FAILED);
	host[HW_MIB(1)] = 'x';
	expect_eq(again[0], 'x');
	munmap(again, 4096);
	munmap(host, HW_MIB(2));
	close(fd);
	expect_eq(hw_memfd("test", 0, &map), -EINVAL);
	expect_eq(hw_memfd("test", UINT64_MAX, &map), -EINVAL);
}

static void monotonic(void)
{
	uint64_t before = hw_now(), after = hw_now();

	expect(before && after >= before);
}

static const struct tap_test tests[] = {
	{ "sizes that people write", sizes },
	{ "sizes that are none", no_sizes },
	{ "shared memory", memory },
	{ "the clock does not go back", monotonic },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
