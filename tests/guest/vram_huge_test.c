// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_huge_test GPU_BDF [PART...]
 *
 * VRAM that a process maps is mapped by pages of 2 MiB where it is in such pieces,
 * and by small pages elsewhere; and whatever becomes of the mapping or of the memory,
 * the data stays right. Each part is an own process, so that none leaves a mapping,
 * or a page table, to the next.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "tap.h"
#include "vram_test.h"
#include "huge_map.h"

#define BIG_SIZE	SZ_64M
/* What TTM maps by one fault if pages are small */
#define PREFAULT	SZ_64K
/* Faults that the test itself may take meanwhile */
#define SLACK		8

static struct env env;

/* Rows that depend on the page table are skipped where the kernel does not show it. */
__attribute__((format(printf, 2, 3)))
static void result_table(bool ok, const char *fmt, ...)
{
	char text[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (page_table_shown())
		result(ok, "%s", text);
	else
		result(true, "%s # SKIP the kernel does not show page tables", text);
}

static struct page_table look(const void *vaddr, uint64_t size)
{
	struct page_table none = {};

	return page_table_shown() ? page_table(vaddr, size) : none;
}

static bool about(long faults, uint64_t want)
{
	return faults >= (long)want && faults <= (long)want + SLACK;
}

/* One word in each page, by the CPU; which page and which round it is from */
static uint64_t mark(uint64_t page, uint64_t round)
{
	return outside_word(round, page * SZ_4K);
}

static void write_marks(void *vaddr, uint64_t size, uint64_t round)
{
	uint64_t page;

	for (page = 0; page < size / SZ_4K; page++)
		*(volatile uint64_t *)(vaddr + page * SZ_4K) = mark(page, round);
}

static uint64_t wrong_marks(const void *vaddr, uint64_t size, uint64_t round)
{
	uint64_t page, wrong = 0;

	for (page = 0; page < size / SZ_4K; page++)
		wrong += *(const volatile uint64_t *)(vaddr + page * SZ_4K) !=
			 mark(page, round);
	return wrong;
}

static bool gpu_and_cpu_agree(struct buffer *buf)
{
	bool ok;

	cpu_fill(&buf->bo, DATA);
	ok = !gpu_view_differs(&env.view, buf->va, buf->bo.size, DATA);
	gpu_view_fill(&env.view, buf->va, buf->bo.size, AFTER);
	return ok && !cpu_differs(&buf->bo, AFTER);
}

/* By default, and where the address is odd: the same data, by other pages */
static void test_sizes(void)
{
	struct page_table table;
	struct buffer buf;
	struct gpu_bo odd;
	long faults;

	buffer_open(&env, &buf, BIG_SIZE);
	faults = touch(buf.bo.vaddr, BIG_SIZE, true);
	result(about(faults, BIG_SIZE / SZ_2M),
	       "64 MiB are touched with %ld faults, 32 huge pages", faults);
	table = look(buf.bo.vaddr, BIG_SIZE);
	result_table(table.huge == BIG_SIZE, "the page table has it as huge pages");
	result_table(table.write_combined == BIG_SIZE, "and all of it write-combined");

	odd = buf.bo;
	odd.vaddr = gpu_bo_map_again(&buf.bo, address_space(BIG_SIZE, SZ_2M, SZ_4K));
	faults = touch(odd.vaddr, BIG_SIZE, false);
	result(about(faults, BIG_SIZE / PREFAULT),
	       "a page beside that they are touched with %ld faults", faults);
	table = look(odd.vaddr, BIG_SIZE);
	result_table(table.small == BIG_SIZE, "the page table has it as small pages");
	result_table(table.write_combined == BIG_SIZE, "and all of it write-combined");

	result(gpu_and_cpu_agree(&buf), "data is right between the GPU and huge pages");
	result(!cpu_differs(&odd, AFTER), "small pages show the same");
	cpu_fill(&odd, LATE);
	result(!gpu_view_differs(&env.view, buf.va, BIG_SIZE, LATE) &&
	       !cpu_differs(&buf.bo, LATE), "and the other way round");
	munmap(odd.vaddr, BIG_SIZE);
	buffer_close(&env, &buf);
}

static void fragmented(uint64_t size, uint64_t piece, uint64_t huge, const char *what)
{
	uint64_t want = huge / SZ_2M + (size - huge) / PREFAULT;
	struct page_table table;
	struct buffer buf;
	long faults;

	gpu_bo_create_fragmented(&env.gpu, &buf.bo, size, piece);
	buffer_export(&env, &buf);
	faults = touch(buf.bo.vaddr, size, true);
	result(about(faults, want), "%s: %ld faults", what, faults);
	table = look(buf.bo.vaddr, size);
	result_table(table.huge == huge && table.small == size - huge,
		     "%s: huge pages where the memory is one", what);
	result(gpu_and_cpu_agree(&buf), "%s: data is right", what);
	buffer_close(&env, &buf);
}

/* A BO whose last part is too small, and others in pieces that do not touch */
static void test_ranges(void)
{
	uint64_t size = SZ_4M + SZ_2M + SZ_64K;
	struct page_table table;
	struct buffer buf;
	long faults;

	fragmented(97ull * SZ_64K, SZ_64K, 0, "pieces of 64 KiB");
	fragmented(SZ_8M, SZ_2M, SZ_8M, "pieces of 2 MiB");

	buffer_open(&env, &buf, size);
	faults = touch(buf.bo.vaddr, size, true);
	result(about(faults, 3 + SZ_64K / PREFAULT),
	       "a rest of 64 KiB: %ld faults", faults);
	table = look(buf.bo.vaddr, size);
	result_table(table.huge == SZ_4M + SZ_2M && table.small == SZ_64K,
		     "a rest of 64 KiB: it alone has small pages");
	result(gpu_and_cpu_agree(&buf), "a rest of 64 KiB: data is right");
	buffer_close(&env, &buf);
}

/* System memory is as it was. */
static void test_system(void)
{
	struct page_table table;
	struct gpu_bo bo;
	long faults;

	gpu_bo_create_system(&env.gpu, &bo, SZ_8M);
	faults = touch(bo.vaddr, SZ_8M, true);
	result(about(faults, SZ_8M / PREFAULT), "system memory: %ld faults", faults);
	table = look(bo.vaddr, SZ_8M);
	result_table(table.small == SZ_8M && table.write_back == SZ_8M,
		     "system memory: small pages, cached");
	cpu_fill(&bo, DATA);
	result(!cpu_differs(&bo, DATA), "system memory: data is right");
	gpu_bo_destroy(&bo);
}

static void test_mprotect(void)
{
	struct page_table table;
	struct buffer buf;
	void *part;

	buffer_open(&env, &buf, SZ_4M);
	cpu_fill(&buf.bo, DATA);
	part = buf.bo.vaddr + SZ_2M + SZ_1M;
	VFIO_ASSERT_EQ(mprotect(part, SZ_64K, PROT_READ), 0);
	result(access_signal(part, true) == SIGSEGV, "mprotect: no write where it was");
	result(!access_signal(part, false) && !access_signal(part - SZ_4K, true) &&
	       !access_signal(part + SZ_64K, true), "mprotect: all else is allowed");
	result(!cpu_differs(&buf.bo, DATA), "mprotect: data is right");
	table = look(buf.bo.vaddr, SZ_4M);
	result_table(table.huge == SZ_2M && table.small == SZ_2M &&
		     table.read_only == SZ_64K, "mprotect: one huge page was split");
	result_table(table.write_combined == SZ_4M, "mprotect: write-combined still");

	VFIO_ASSERT_EQ(mprotect(part, SZ_64K, PROT_READ | PROT_WRITE), 0);
	result(gpu_and_cpu_agree(&buf), "mprotect: back, and data is right");

	/* Of the whole VMA: the entry stays huge, and loses and gets the right to write. */
	VFIO_ASSERT_EQ(mprotect(buf.bo.vaddr, SZ_2M, PROT_READ), 0);
	result(access_signal(buf.bo.vaddr, true) == SIGSEGV, "mprotect of a huge page: no write");
	table = look(buf.bo.vaddr, SZ_2M);
	result_table(table.huge == SZ_2M && table.read_only == SZ_2M &&
		     table.write_combined == SZ_2M, "mprotect of a huge page: it stays one");
	VFIO_ASSERT_EQ(mprotect(buf.bo.vaddr, SZ_2M, PROT_READ | PROT_WRITE), 0);
	result(gpu_and_cpu_agree(&buf), "mprotect of a huge page: back, and data is right");
	buffer_close(&env, &buf);
}

static void test_munmap(void)
{
	struct page_table table;
	struct buffer buf;
	uint64_t hole = SZ_1M;
	void *base;

	buffer_open(&env, &buf, SZ_4M);
	base = buf.bo.vaddr;
	cpu_fill(&buf.bo, DATA);
	VFIO_ASSERT_EQ(munmap(base + hole, SZ_4K), 0);
	result(access_signal(base + hole, false) == SIGSEGV, "munmap: a hole of a page");
	result(!outside_differs(base, 0, hole, DATA) &&
	       !outside_differs(base + hole + SZ_4K, hole + SZ_4K,
				SZ_4M - hole - SZ_4K, DATA),
	       "munmap: data around it is right");
	table = look(base, SZ_4M);
	result_table(table.huge == SZ_2M && table.small == SZ_2M - SZ_4K,
		     "munmap: one huge page was split, the other is left");
	outside_pattern(base, 0, hole, LATE);
	result(!gpu_view_differs(&env.view, buf.va, hole, LATE),
	       "munmap: the GPU sees what is written there");
	VFIO_ASSERT_EQ(munmap(base, SZ_4M), 0);
	buf.bo.vaddr = gpu_bo_map_again(&buf.bo, NULL);
	result(about(touch(buf.bo.vaddr, SZ_4M, true), 2), "munmap: a new mapping is huge");
	buffer_close(&env, &buf);
}

static void test_fork(void)
{
	struct buffer buf;
	int status = -1;
	long faults;
	pid_t pid;

	buffer_open(&env, &buf, SZ_8M);
	cpu_fill(&buf.bo, DATA);
	fflush(stdout);
	pid = fork();
	VFIO_ASSERT_GE(pid, 0);
	if (!pid) {
		faults = touch(buf.bo.vaddr, SZ_8M, false);
		if (faults > SLACK || cpu_differs(&buf.bo, DATA))
			_exit(1);
		cpu_fill(&buf.bo, AFTER);
		/* What the child splits is its own affair. */
		_exit(!!munmap(buf.bo.vaddr + SZ_1M, SZ_64K));
	}
	VFIO_ASSERT_EQ(waitpid(pid, &status, 0), pid);
	result(WIFEXITED(status) && !WEXITSTATUS(status),
	       "fork: the child has the mapping, without faults (status %#x)", status);
	result(!cpu_differs(&buf.bo, AFTER), "fork: the parent sees what it wrote");
	result(touch(buf.bo.vaddr, SZ_8M, true) <= SLACK, "fork: the parent's is as it was");
	buffer_close(&env, &buf);
}

/* Page protections without the right to write, though the VMA has it */
static void test_soft_dirty(void)
{
	struct buffer buf;

	buffer_open(&env, &buf, SZ_8M);
	cpu_fill(&buf.bo, BEFORE);
	if (!soft_dirty_tracked()) {
		result(true, "dirty tracking, mapped before # SKIP not in this kernel");
		result(true, "dirty tracking, mapped after # SKIP not in this kernel");
		goto out;
	}
	VFIO_ASSERT_EQ(write_file("/proc/self/clear_refs", "4"), 0);
	result(gpu_and_cpu_agree(&buf), "dirty tracking, mapped before: data is right");
	munmap(buf.bo.vaddr, SZ_8M);
	buf.bo.vaddr = gpu_bo_map_again(&buf.bo, NULL);
	VFIO_ASSERT_EQ(write_file("/proc/self/clear_refs", "4"), 0);
	result(gpu_and_cpu_agree(&buf), "dirty tracking, mapped after: data is right");
out:
	buffer_close(&env, &buf);
}

static bool squeeze_vram(void)
{
	uint64_t total = gpu_vram(&env.gpu).total;
	struct pressure pressure;
	unsigned int nr;

	nr = pressure_make(&env.gpu, &pressure, total + PRESSURE_SIZE);
	pressure_end(&pressure);
	return nr * (uint64_t)PRESSURE_SIZE >= total + PRESSURE_SIZE;
}

/* Out of VRAM, and back by what the GPU does there */
static void test_move(void)
{
	struct page_table table;
	struct buffer buf;
	long faults;

	buffer_open(&env, &buf, SZ_8M);
	cpu_fill(&buf.bo, DATA);
	result(gpu_in_vram(&env.gpu, buf.fd, SZ_8M), "move: in VRAM");
	result(squeeze_vram() && gpu_place(&env.gpu, buf.fd).system == SZ_8M,
	       "move: evicted");
	table = look(buf.bo.vaddr, SZ_8M);
	result_table(!table.huge && !table.small, "move: nothing of it is mapped then");
	result(!gpu_view_differs(&env.view, buf.va, SZ_8M, DATA) &&
	       gpu_in_vram(&env.gpu, buf.fd, SZ_8M), "move: the GPU has it in VRAM again");
	faults = touch(buf.bo.vaddr, SZ_8M, false);
	result(about(faults, SZ_8M / SZ_2M), "move: %ld faults, huge pages again", faults);
	result(!cpu_differs(&buf.bo, DATA), "move: data is right");

	/* Used while it is in system memory, and then again in VRAM */
	result(squeeze_vram() && gpu_place(&env.gpu, buf.fd).system == SZ_8M,
	       "move: evicted once more");
	result(!cpu_differs(&buf.bo, DATA), "move: data is right in system memory");
	table = look(buf.bo.vaddr, SZ_8M);
	result_table(table.small == SZ_8M, "move: by small pages");
	cpu_fill(&buf.bo, AFTER);
	result(!gpu_view_differs(&env.view, buf.va, SZ_8M, AFTER) &&
	       gpu_in_vram(&env.gpu, buf.fd, SZ_8M),
	       "move: the GPU sees what was written there");
	gpu_view_fill(&env.view, buf.va, SZ_8M, LATE);
	result(!cpu_differs(&buf.bo, LATE), "move: and the CPU what the GPU writes in VRAM");
	munmap(buf.bo.vaddr, SZ_8M);
	buf.bo.vaddr = gpu_bo_map_again(&buf.bo, NULL);
	result(about(touch(buf.bo.vaddr, SZ_8M, true), SZ_8M / SZ_2M),
	       "move: a new mapping is huge");
	buffer_close(&env, &buf);
}

/* Writes rounds of marks, and looks for each that it wrote before. */
struct writer {
	void *vaddr;
	uint64_t size, round, wrong;
	atomic_ulong rounds;
	atomic_bool stop;
};

static void *write_rounds(void *arg)
{
	struct writer *w = arg;
	uint64_t page;

	for (w->round = 0; !w->stop; w->round++) {
		for (page = 0; page < w->size / SZ_4K; page++) {
			volatile uint64_t *word = w->vaddr + page * SZ_4K;

			w->wrong += *word != mark(page, w->round);
			*word = mark(page, w->round + 1);
		}
		w->rounds++;
	}
	return NULL;
}

#define NR_MOVES	6

/* Moves go on while a thread uses the mapping. */
static void test_race(void)
{
	struct writer w = { .size = SZ_8M };
	unsigned long before;
	pthread_t thread;
	struct buffer buf;
	bool ok = true;
	int i;

	buffer_open(&env, &buf, SZ_8M);
	w.vaddr = buf.bo.vaddr;
	write_marks(w.vaddr, w.size, 0);
	VFIO_ASSERT_EQ(pthread_create(&thread, NULL, write_rounds, &w), 0);
	for (i = 0; i < NR_MOVES; i++) {
		ok &= squeeze_vram();
		/* This brings it back. */
		gpu_view(&env.view, buf.va, SZ_4K);
		before = w.rounds;
		while (w.rounds == before)
			sched_yield();
	}
	w.stop = true;
	VFIO_ASSERT_EQ(pthread_join(thread, NULL), 0);
	result(ok, "race: %d times out of VRAM and back", i);
	result(!w.wrong, "race: %lu rounds, %lu words were stale", (unsigned long)w.rounds,
	       (unsigned long)w.wrong);
	result(!wrong_marks(gpu_view(&env.view, buf.va, SZ_8M), SZ_8M, w.round),
	       "race: the GPU sees the last round");
	buffer_close(&env, &buf);
}

/*
 * The device goes while VRAM is mapped. What was there is not to be reached any
 * more: instead there is a page of zeroes, or a signal.
 */
static void test_gone(void)
{
	uint64_t bar_size, where[SZ_4M / SZ_4K], page, hit = 0;
	struct gpu_bo bo;
	struct gpu gpu;
	long faults;
	void *bar;
	int sig;

	gpu_open(&gpu, gpu_bdf);
	gpu_bo_create_vram(&gpu, &bo, SZ_4M);
	bar_size = bar_map(gpu_bdf, gpu_vram_bar(&gpu), &bar);
	result(bar_find(&bo, bar, bar_size, where), "gone: the BAR shows what is written");
	VFIO_ASSERT_EQ(pci_driver(gpu_driver_name(&gpu), "unbind", gpu_bdf), 0);
	for (page = 0; page < SZ_4M / SZ_4K; page++)
		*(volatile uint64_t *)(bar + where[page]) = mark(page, CANARY);
	sig = access_signal(bo.vaddr, true);
	result(sig == SIGBUS || !sig, "gone: the access ends (signal %d)", sig);
	if (!sig)
		write_marks(bo.vaddr, SZ_4M, LATE);
	for (page = 0; page < SZ_4M / SZ_4K; page++)
		hit += *(volatile uint64_t *)(bar + where[page]) != mark(page, CANARY);
	result(!hit, "gone: no write arrives in VRAM (%lu)", (unsigned long)hit);
	munmap(bar, bar_size);
	munmap(bo.vaddr, SZ_4M);
	gpu_close(&gpu);

	VFIO_ASSERT_EQ(pci_driver(gpu_driver_name(&card), "bind", gpu_bdf), 0);
	gpu_open(&gpu, gpu_bdf);
	gpu_bo_create_vram(&gpu, &bo, SZ_4M);
	faults = touch(bo.vaddr, SZ_4M, true);
	result(about(faults, 2), "gone: when it is back there are huge pages, %ld faults", faults);
	gpu_bo_destroy(&bo);
	gpu_close(&gpu);
}

/* The GPU sees the marks of @round at the start, in the middle and at the end. */
static bool gpu_sees_marks(struct buffer *buf, uint64_t round)
{
	uint64_t at, page, wrong = 0;
	const uint64_t *word;

	for (at = 0; at <= SZ_1G - SZ_2M; at += (SZ_1G - SZ_2M) / 2) {
		word = gpu_view(&env.view, buf->va + at, SZ_2M);
		for (page = 0; page < SZ_2M / SZ_4K; page++)
			wrong += word[page * SZ_4K / sizeof(*word)] !=
				 mark(at / SZ_4K + page, round);
	}
	return !wrong;
}

/* A piece of 1 GiB of memory at an address that is a multiple of that */
static void test_gigantic(void)
{
	struct page_table table;
	struct buffer buf;
	void *beside;
	long faults;

	buffer_open(&env, &buf, SZ_1G);
	munmap(buf.bo.vaddr, SZ_1G);
	buf.bo.vaddr = gpu_bo_map_again(&buf.bo, address_space(SZ_1G, SZ_1G, 0));
	faults = touch(buf.bo.vaddr, SZ_1G, true);
	result(about(faults, 1), "gigantic: 1 GiB is touched with %ld faults", faults);
	table = look(buf.bo.vaddr, SZ_1G);
	result_table(table.gigantic == SZ_1G && table.write_combined == SZ_1G,
		     "gigantic: the page table has it as one page, write-combined");
	write_marks(buf.bo.vaddr, SZ_1G, DATA);
	result(gpu_sees_marks(&buf, DATA), "gigantic: the GPU sees what the CPU writes");

	VFIO_ASSERT_EQ(mprotect(buf.bo.vaddr + SZ_4M, SZ_4K, PROT_READ), 0);
	result(access_signal(buf.bo.vaddr + SZ_4M, true) == SIGSEGV &&
	       !access_signal(buf.bo.vaddr + SZ_4M, false) &&
	       !access_signal(buf.bo.vaddr + SZ_4M - SZ_4K, true),
	       "gigantic: mprotect of a page in it, no write there");
	result(!wrong_marks(buf.bo.vaddr, SZ_1G, DATA), "gigantic: split, the data is right");
	table = look(buf.bo.vaddr, SZ_1G);
	result_table(!table.gigantic && table.huge >= SZ_1G - SZ_4M &&
		     table.read_only == SZ_4K && table.write_combined == SZ_1G,
		     "gigantic: split into huge pages, write-combined still");
	munmap(buf.bo.vaddr, SZ_1G);

	buf.bo.vaddr = gpu_bo_map_again(&buf.bo, address_space(SZ_1G, SZ_1G, SZ_2M));
	faults = touch(buf.bo.vaddr, SZ_1G, false);
	result(about(faults, SZ_1G / SZ_2M), "gigantic: 2 MiB beside that %ld faults", faults);
	munmap(buf.bo.vaddr, SZ_1G);

	buf.bo.vaddr = gpu_bo_map_again(&buf.bo, address_space(SZ_1G, SZ_1G, 0));
	touch(buf.bo.vaddr, SZ_4K, false);
	beside = address_space(SZ_1G, SZ_1G, SZ_2M);
	VFIO_ASSERT_EQ(mremap(buf.bo.vaddr, SZ_1G, SZ_1G, MREMAP_MAYMOVE | MREMAP_FIXED,
			      beside), beside);
	result(!wrong_marks(beside, SZ_1G, DATA), "gigantic: moved by 2 MiB, the data is right");
	munmap(beside, SZ_1G);

	buf.bo.vaddr = gpu_bo_map_again(&buf.bo, address_space(SZ_1G, SZ_1G, 0));
	touch(buf.bo.vaddr, SZ_4K, false);
	beside = address_space(SZ_1G, SZ_1G, 0);
	VFIO_ASSERT_EQ(mremap(buf.bo.vaddr, SZ_1G, SZ_1G, MREMAP_MAYMOVE | MREMAP_FIXED,
			      beside), beside);
	result(touch(beside, SZ_1G, false) <= SLACK && !wrong_marks(beside, SZ_1G, DATA),
	       "gigantic: moved by 1 GiB it stays one page");
	munmap(beside, SZ_1G);

	buf.bo.vaddr = gpu_bo_map_again(&buf.bo, address_space(SZ_1G, SZ_1G, 0));
	touch(buf.bo.vaddr, SZ_4K, false);
	result(squeeze_vram() && gpu_place(&env.gpu, buf.fd).system == SZ_1G,
	       "gigantic: evicted");
	table = look(buf.bo.vaddr, SZ_1G);
	result_table(!table.gigantic && !table.huge && !table.small,
		     "gigantic: nothing of it is mapped then");
	result(gpu_sees_marks(&buf, DATA) && gpu_in_vram(&env.gpu, buf.fd, SZ_1G),
	       "gigantic: the GPU has it in VRAM again");
	result(!wrong_marks(buf.bo.vaddr, SZ_1G, DATA), "gigantic: the CPU finds the same");
	buffer_close(&env, &buf);
}

static const struct part {
	const char *name;
	void (*test)(void);
	/* Opens the device on its own */
	bool alone;
	int rows;
	/* Only by name: needs more VRAM than most have to give */
	bool large;
} parts[] = {
	{ "sizes", test_sizes, false, 9 },
	{ "ranges", test_ranges, false, 9 },
	{ "system", test_system, false, 3 },
	{ "mprotect", test_mprotect, false, 9 },
	{ "munmap", test_munmap, false, 5 },
	{ "fork", test_fork, false, 3 },
	{ "soft_dirty", test_soft_dirty, false, 2 },
	{ "move", test_move, false, 12 },
	{ "race", test_race, false, 3 },
	{ "gone", test_gone, true, 4 },
	{ "gigantic", test_gigantic, false, 13, true },
};

static void run(const struct part *part)
{
	int first = row, status;
	pid_t pid = fork();

	VFIO_ASSERT_GE(pid, 0);
	if (!pid) {
		failed = 0;
		if (!part->alone)
			gpu_side_open(&env);
		part->test();
		if (row != first + part->rows)
			_exit(2);
		_exit(!!failed);
	}
	VFIO_ASSERT_EQ(waitpid(pid, &status, 0), pid);
	/* Rows that are missing fail by the plan; their numbers are the next part's. */
	row = first + part->rows;
	failed += !WIFEXITED(status) || WEXITSTATUS(status);
}

static bool wanted(const struct part *part, char **names)
{
	bool any = !*names && !part->large;

	for (; *names; names++)
		any |= !strcmp(*names, part->name);
	return any;
}

int main(int argc, char **argv)
{
	unsigned int i, rows = 0;

	for (i = 0; i < ARRAY_SIZE(parts) && argc > 1; i++)
		rows += wanted(&parts[i], argv + 2) ? parts[i].rows : 0;
	if (!rows) {
		fprintf(stderr, "usage: vram_huge_test GPU_BDF [PART...]\n");
		return 2;
	}
	gpu_bdf = argv[1];
	if (__gpu_open(&card, gpu_bdf)) {
		fprintf(stderr, "vram_huge_test: %s has no render node of a driver that is known here\n",
			gpu_bdf);
		return 2;
	}
	gpu_close(&card);
	printf("1..%u\n", rows);
	fflush(stdout);
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (wanted(&parts[i], argv + 2))
			run(&parts[i]);
	return !!failed;
}
