/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How this process has memory mapped: by page faults that it took, and by what its
 * page table holds, if the kernel shows that (CONFIG_PTDUMP_DEBUGFS).
 */
#ifndef PAL_GUEST_HUGE_MAP_H
#define PAL_GUEST_HUGE_MAP_H

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <linux/sizes.h>

#include <libvfio/assert.h>

#define PAGEMAP_SOFT_DIRTY	(1ull << 55)
#define PAGE_TABLES	"/sys/kernel/debug/page_tables/current_kernel"

/*
 * Those that had to wait, for a BO that is being cleared, are counted as major ones
 * though there is no I/O.
 */
static inline long faults_taken(void)
{
	struct rusage usage;

	VFIO_ASSERT_EQ(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_minflt + usage.ru_majflt;
}

/* Reads or writes a word in every 4K page, and returns how many faults that took. */
static inline long touch(void *vaddr, uint64_t size, bool write)
{
	volatile uint64_t *word = vaddr;
	long before = faults_taken();
	uint64_t i, sum = 0;

	for (i = 0; i < size / sizeof(*word); i += SZ_4K / sizeof(*word)) {
		if (write)
			word[i] = i;
		else
			sum += word[i];
	}
	return faults_taken() - before;
}

/* Bytes of a range, by the size of the entry that maps them and by their caching */
struct page_table {
	uint64_t small;
	uint64_t huge;
	uint64_t gigantic;
	uint64_t write_combined;
	uint64_t write_back;
	uint64_t read_only;
};

static inline bool page_table_shown(void)
{
	return !access(PAGE_TABLES, R_OK);
}

static inline void page_table_add(struct page_table *table, const char *line, uint64_t len)
{
	const char *flags = strstr(line, " USR ");

	if (!flags)
		return;
	if (strstr(flags, " pud"))
		table->gigantic += len;
	else if (strstr(flags, " pmd"))
		table->huge += len;
	else if (strstr(flags, " pte"))
		table->small += len;
	else
		return;
	if (strstr(flags, " ro "))
		table->read_only += len;
	/* The caching modes as Linux sets up the PAT: PWT alone is write combining. */
	if (strstr(flags, " PCD ") || strstr(flags, " PAT "))
		return;
	if (strstr(flags, " PWT "))
		table->write_combined += len;
	else
		table->write_back += len;
}

/* "0xSTART-0xEND SIZE FLAGS LEVEL"; what a level has that is no entry has no flags. */
static inline struct page_table page_table(const void *vaddr, uint64_t size)
{
	uint64_t at = (uintptr_t)vaddr, start, end;
	struct page_table table = {};
	char line[256];
	FILE *file;

	file = fopen(PAGE_TABLES, "r");
	VFIO_ASSERT_NOT_NULL(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "0x%" SCNx64 "-0x%" SCNx64, &start, &end) != 2)
			continue;
		if (start < at)
			start = at;
		if (end > at + size)
			end = at + size;
		if (start < end)
			page_table_add(&table, line, end - start);
	}
	fclose(file);
	return table;
}

/* Whether the kernel tracks what a process writes to (CONFIG_MEM_SOFT_DIRTY) */
static inline bool soft_dirty_tracked(void)
{
	uint64_t entry = 0;
	uintptr_t at;
	void *vaddr;
	FILE *file;

	vaddr = mmap(NULL, SZ_4K, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	VFIO_ASSERT_NE(vaddr, MAP_FAILED);
	*(volatile uint64_t *)vaddr = 1;
	at = (uintptr_t)vaddr / SZ_4K * sizeof(entry);
	file = fopen("/proc/self/pagemap", "r");
	if (file && !fseeko(file, at, SEEK_SET) && fread(&entry, sizeof(entry), 1, file) != 1)
		entry = 0;
	if (file)
		fclose(file);
	munmap(vaddr, SZ_4K);
	return entry & PAGEMAP_SOFT_DIRTY;
}

/* Which signal an access gets, 0 if it gets none */
static sigjmp_buf access_return;

static inline void access_handler(int sig)
{
	siglongjmp(access_return, sig);
}

static inline int access_signal(void *vaddr, bool write)
{
	struct sigaction action = { .sa_handler = access_handler }, bus, segv;
	volatile uint64_t *word = vaddr;
	uint64_t old;
	int sig;

	VFIO_ASSERT_EQ(sigaction(SIGBUS, &action, &bus), 0);
	VFIO_ASSERT_EQ(sigaction(SIGSEGV, &action, &segv), 0);
	sig = sigsetjmp(access_return, 1);
	if (!sig) {
		old = *word;
		if (write)
			*word = old;
	}
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return sig;
}

/* Address space that nothing uses, @offset behind a multiple of @align */
static inline void *address_space(uint64_t size, uint64_t align, uint64_t offset)
{
	uintptr_t start;
	void *vaddr;

	vaddr = mmap(NULL, size + 2 * align, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	VFIO_ASSERT_NE(vaddr, MAP_FAILED);
	start = ((uintptr_t)vaddr + align - 1) / align * align + offset;
	VFIO_ASSERT_EQ(munmap(vaddr, size + 2 * align), 0);
	return (void *)start;
}

#endif
