// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: fuzz_NAME [--runs N] [--seconds N] [--seed N] [--keep FOLDER] INPUT...
 *
 * An INPUT is a file, or a folder of files. They are run, then mutated, the same
 * way each time with the same seed and --runs. Prints TAP. --keep writes what
 * reached something new. An input that ends the program is left beside it as
 * fuzz_NAME.crash; given as the only INPUT with --runs 0 it is run again.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util.h"
#include "fuzzer.h"

#define INPUT_SIZE	4096
#define MAX_CORPUS	4096
#define HANG		20	/* seconds for one input */
#define MAP_SIZE	(1u << 16)

struct input {
	uint8_t *data;
	size_t size;
};

static struct input corpus[MAX_CORPUS];
static size_t corpus_size;
static uint8_t now_reached[MAP_SIZE], reached[MAP_SIZE];
static unsigned int edges;
static uint8_t current[INPUT_SIZE];
static size_t current_size;
static char crash_path[4096];
static const char *keep;
static uint64_t state;

/* The code under test calls this at each of its basic blocks. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	static uint32_t last;
	uint32_t pc = (uint32_t)(uintptr_t)__builtin_return_address(0);
	uint32_t here = (pc * 2654435761u) >> 16;

	now_reached[(here ^ last) % MAP_SIZE]++;
	last = here >> 1;
}

static uint32_t random_below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % n;
}

static void save(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		fprintf(stderr, "cannot write %s\n", path);
	if (fd >= 0)
		close(fd);
}

static void on_death(void)
{
	save(crash_path, current, current_size);
	fprintf(stderr, "input: %s\n", crash_path);
}

static void on_signal(int sig)
{
	if (sig == SIGALRM)
		fprintf(stderr, "no end within %d s\n", HANG);
	on_death();
	_exit(99);
}

/* How often is told apart as 1, 2, 3, some, many. */
static uint8_t bucket(uint8_t n)
{
	if (n <= 3)
		return (uint8_t)(n == 3 ? 4 : n);
	return n < 8 ? 8 : n < 32 ? 16 : 32;
}

static bool something_new(void)
{
	bool new = false;

	for (unsigned int i = 0; i < MAP_SIZE; i += 8) {
		uint64_t word;

		memcpy(&word, now_reached + i, 8);
		if (!word)
			continue;
		for (unsigned int j = i; j < i + 8; j++) {
			uint8_t bits = bucket(now_reached[j]);

			if (!(bits & ~reached[j]))
				continue;
			edges += !reached[j];
			reached[j] |= bits;
			new = true;
		}
	}
	return new;
}

static void add(const uint8_t *data, size_t size)
{
	struct input *input = &corpus[corpus_size];
	char path[4200];

	if (corpus_size == MAX_CORPUS)
		return;
	input->data = malloc(size + 1);
	if (!input->data)
		hw_die(1, "no memory");
	memcpy(input->data, data, size);
	input->size = size;
	if (keep) {
		snprintf(path, sizeof(path), "%s/%04zu", keep, corpus_size);
		save(path, data, size);
	}
	corpus_size++;
}

/* Runs what is in @current; whether it reached something new. */
static bool run(void)
{
	memset(now_reached, 0, sizeof(now_reached));
	alarm(HANG);
	LLVMFuzzerTestOneInput(current, current_size);
	alarm(0);
	return something_new();
}

static const uint64_t interesting[] = {
	0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x100,
	0xfff, 0x1000, 0x1001, 0x7fff, 0x8000, 0xffff, 0x10000, 0x100000,
	0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
	0x8000000000000000, 0xfffffffffffff000, 0xffffffffffffffff,
};

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
	size_t at = size ? random_below((uint32_t)size) : 0;
	size_t n = 1 + random_below(8);
	uint64_t value;

	switch (size ? random_below(6) : 0) {
	case 0:		/* insert */
		n = hw_min(n, max - size);
		memmove(data + at + n, data + at, size - at);
		for (size_t i = 0; i < n; i++)
			data[at + i] = (uint8_t)random_below(256);
		return size + n;
	case 1:		/* delete */
		n = hw_min(n, size - at);
		memmove(data + at, data + at + n, size - at - n);
		return size - n;
	case 2:		/* flip a bit */
		data[at] ^= (uint8_t)(1 << random_below(8));
		return size;
	case 3:		/* a value that is often a limit */
		n = (size_t)1 << random_below(4);
		value = interesting[random_below(ARRAY_SIZE(interesting))];
		memcpy(data + at, &value, hw_min(n, size - at));
		return size;
	case 4:		/* add a little */
		data[at] = (uint8_t)(data[at] + random_below(33) - 16);
		return size;
	default:	/* any byte */
		data[at] = (uint8_t)random_below(256);
		return size;
	}
}

static void mutate(void)
{
	const struct input *from = &corpus[random_below((uint32_t)corpus_size)];
	unsigned int times = 1u << random_below(4);

	memcpy(current, from->data, from->size);
	current_size = from->size;
	while (times--) {
		if (LLVMFuzzerCustomMutator)
			current_size = LLVMFuzzerCustomMutator(
				current, current_size, INPUT_SIZE,
				random_below(1u << 31));
		else
			current_size = LLVMFuzzerMutate(current, current_size,
							INPUT_SIZE);
	}
}

static void read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, current, sizeof(current));

	if (n < 0)
		hw_die(2, "%s: %s", path, strerror(errno));
	close(fd);
	current_size = (size_t)n;
	run();
	add(current, current_size);
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void read_inputs(const char *path)
{
	struct dirent **names;
	char name[4096];
	struct stat st;
	int n;

	if (stat(path, &st))
		hw_die(2, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode)) {
		read_file(path);
		return;
	}
	n = scandir(path, &names, visible, alphasort);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, names[i]->d_name);
		read_file(name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static uint64_t number(const char *name, const char *text)
{
	uint64_t value;

	if (!text || hw_parse_size(text, &value))
		hw_die(2, "%s: a number is needed", name);
	return value;
}

int main(int argc, char **argv)
{
	uint64_t runs = 10000, seconds = 0, seed = 1, done = 0, end;
	const char *missing;

	snprintf(crash_path, sizeof(crash_path), "%s.crash", argv[0]);
	__sanitizer_set_death_callback(on_death);
	signal(SIGALRM, on_signal);
	signal(SIGABRT, on_signal);

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--runs"))
			runs = number(argv[i], argv[i + 1]), i++;
		else if (!strcmp(argv[i], "--seconds"))
			seconds = number(argv[i], argv[i + 1]), i++;
		else if (!strcmp(argv[i], "--seed"))
			seed = number(argv[i], argv[i + 1]), i++;
		else if (!strcmp(argv[i], "--keep") && argv[i + 1])
			keep = argv[++i];
		else if (argv[i][0] == '-')
			hw_die(2, "unknown option %s", argv[i]);
		else
			read_inputs(argv[i]);
	}
	missing = fuzz_missing ? fuzz_missing() : NULL;
	printf("%sok 1 - %zu inputs of the corpus%s%s\n",
	       missing || !corpus_size ? "not " : "", corpus_size,
	       missing ? ", none comes to " : "", missing ?: "");
	if (!corpus_size)
		add(current, 0);

	state = seed * 0x9e3779b97f4a7c15u | 1;
	end = hw_now() + seconds * 1000000000;
	while (seconds ? hw_now() < end : done < runs) {
		mutate();
		if (run())
			add(current, current_size);
		done++;
	}
	printf("%sok 2 - %llu mutations of seed %llu, %u edges, "
	       "%zu inputs in the end\n1..2\n", edges ? "" : "not ",
	       (unsigned long long)done, (unsigned long long)seed, edges,
	       corpus_size);
	for (size_t i = 0; i < corpus_size; i++)
		free(corpus[i].data);
	return missing || !edges;
}
