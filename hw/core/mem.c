// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges are kept in an array sorted by address that has no overlaps. What most
 * accesses need is then one comparison (the range of last time) or a binary
 * search; what maps need is a memmove(), which for the tens of thousands of
 * ranges that an IOMMU makes costs less than the message that asks for it.
 * An IOMMU maps page by page what lies together, so neighbours become one range.
 *
 * The end of a range is kept as the last address inside of it: the address
 * after it may be 2^64.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "core/mem.h"

/* A file that ranges lead to, mapped as a whole. */
struct mem_file {
	struct mem_file *next;
	dev_t dev;
	ino_t ino;
	uint64_t size;
	int prot;
	uint8_t *host;
	size_t ranges;		/* that refer to it */
};

struct mem_range {
	uint64_t first, last;
	unsigned int prot;
	struct mem_file *file;	/* NULL: remote */
	uint64_t offset;	/* of @first in @file */
};

struct mem {
	struct mem_range *range;
	size_t count, room;
	size_t hit;		/* range that the last lookup found */
	struct mem_file *files;
	const struct mem_remote *remote;
	void *remote_priv;
};

struct mem *mem_new(void)
{
	return calloc(1, sizeof(struct mem));
}

void mem_free(struct mem *mem)
{
	if (!mem)
		return;
	mem_unmap_all(mem);
	free(mem->range);
	free(mem);
}

void mem_set_remote(struct mem *mem, const struct mem_remote *ops, void *priv)
{
	mem->remote = ops;
	mem->remote_priv = priv;
}

size_t mem_count(const struct mem *mem)
{
	return mem->count;
}

/* The mapping of @fd's file, new or shared; the caller counts its range. */
static int file_get(struct mem *mem, int fd, struct mem_file **out)
{
	struct mem_file *file;
	struct stat st;
	void *host;
	int mode, prot;

	mode = fcntl(fd, F_GETFL);
	if (mode < 0 || fstat(fd, &st))
		return -errno;
	/* Not all of the file's users can write, and it may have grown. */
	prot = (mode & O_ACCMODE) == O_RDWR ? PROT_READ | PROT_WRITE : PROT_READ;
	for (file = mem->files; file; file = file->next) {
		if (file->dev == st.st_dev && file->ino == st.st_ino &&
		    file->size == (uint64_t)st.st_size && file->prot == prot) {
			*out = file;
			return 0;
		}
	}

	if (st.st_size <= 0)
		return -EINVAL;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	host = mmap(NULL, (size_t)st.st_size, prot, MAP_SHARED | MAP_NORESERVE,
		    fd, 0);
	if (host == MAP_FAILED) {
		free(file);
		return -errno;
	}
	*file = (struct mem_file){
		.next = mem->files,
		.dev = st.st_dev,
		.ino = st.st_ino,
		.size = (uint64_t)st.st_size,
		.prot = prot,
		.host = host,
	};
	mem->files = file;
	*out = file;
	return 0;
}

/* Takes away a file that no range refers to. */
static void file_put(struct mem *mem, struct mem_file *file)
{
	struct mem_file **link = &mem->files;

	if (!file || file->ranges)
		return;
	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	munmap(file->host, file->size);
	free(file);
}

/* Index of the first range that ends at or after @addr, or the count. */
static size_t lower(const struct mem *mem, uint64_t addr)
{
	size_t low = 0, high = mem->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mem->range[middle].last < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct mem_range *lookup(struct mem *mem, uint64_t addr)
{
	struct mem_range *range;
	size_t i;

	if (mem->hit < mem->count) {
		range = &mem->range[mem->hit];
		if (range->first <= addr && addr <= range->last)
			return range;
	}
	i = lower(mem, addr);
	if (i == mem->count || mem->range[i].first > addr)
		return NULL;
	mem->hit = i;
	return &mem->range[i];
}

static int make_room(struct mem *mem)
{
	size_t room = mem->room ? mem->room * 2 : 64;
	struct mem_range *range;

	if (mem->count < mem->room)
		return 0;
	range = reallocarray(mem->range, room, sizeof(*range));
	if (!range)
		return -ENOMEM;
	mem->range = range;
	mem->room = room;
	return 0;
}

/* After make_room(). */
static void insert(struct mem *mem, size_t at, const struct mem_range *new)
{
	memmove(&mem->range[at + 1], &mem->range[at],
		(mem->count - at) * sizeof(*new));
	mem->range[at] = *new;
	mem->count++;
	if (new->file)
		new->file->ranges++;
}

/* Ranges @from to before @to. */
static void remove_ranges(struct mem *mem, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		struct mem_file *file = mem->range[i].file;

		if (file) {
			file->ranges--;
			file_put(mem, file);
		}
	}
	if (to < mem->count)
		memmove(&mem->range[from], &mem->range[to],
			(mem->count - to) * sizeof(*mem->range));
	mem->count -= to - from;
}

/* @next goes on where @range ends, in the address space and in the file. */
static bool continues(const struct mem_range *range, const struct mem_range *next)
{
	uint64_t size = next->first - range->first;

	return range->file && range->file == next->file && range->prot == next->prot &&
	       range->last + 1 == next->first && range->offset + size == next->offset;
}

/* After make_room(): @new, for which there is room before index @at. */
static void add(struct mem *mem, size_t at, const struct mem_range *new)
{
	bool before = at && continues(&mem->range[at - 1], new);
	bool after = at < mem->count && continues(new, &mem->range[at]);

	if (before) {
		mem->range[at - 1].last = new->last;
		if (after) {
			mem->range[at - 1].last = mem->range[at].last;
			remove_ranges(mem, at, at + 1);
		}
	} else if (after) {
		mem->range[at].first = new->first;
		mem->range[at].offset = new->offset;
	} else {
		insert(mem, at, new);
	}
}

int mem_map(struct mem *mem, uint64_t addr, uint64_t size, unsigned int prot,
	    int fd, uint64_t offset)
{
	struct mem_range new = {
		.first = addr,
		.last = addr + (size - 1),
		.prot = prot,
		.offset = offset,
	};
	size_t at;
	int err;

	if (!size || new.last < addr || !prot || prot & ~(MEM_READ | MEM_WRITE))
		return -EINVAL;
	at = lower(mem, addr);
	if (at < mem->count && mem->range[at].first <= new.last)
		return -EEXIST;
	err = make_room(mem);
	if (err)
		return err;

	if (fd >= 0) {
		err = file_get(mem, fd, &new.file);
		if (err)
			return err;
		if (size > new.file->size || offset > new.file->size - size)
			err = -EINVAL;
		else if (prot & MEM_WRITE && !(new.file->prot & PROT_WRITE))
			err = -EACCES;
		if (err) {
			file_put(mem, new.file);
			return err;
		}
	}
	add(mem, at, &new);
	return 0;
}

int mem_unmap(struct mem *mem, uint64_t addr, uint64_t size)
{
	uint64_t last = addr + (size - 1);
	struct mem_range *range, rest;
	size_t from, to;
	int err;

	if (!size || last < addr)
		return -EINVAL;
	from = lower(mem, addr);
	if (from == mem->count || mem->range[from].first > last)
		return -ENOENT;

	range = &mem->range[from];
	if (range->first < addr && range->last > last) {
		err = make_room(mem);
		if (err)
			return err;
		range = &mem->range[from];
		rest = *range;
		rest.first = last + 1;
		rest.offset += rest.first - range->first;
		range->last = addr - 1;
		insert(mem, from + 1, &rest);
		return 0;
	}

	if (range->first < addr) {
		range->last = addr - 1;
		from++;
	}
	to = from;
	while (to < mem->count && mem->range[to].last <= last)
		to++;
	if (to < mem->count && mem->range[to].first <= last) {
		range = &mem->range[to];
		range->offset += last + 1 - range->first;
		range->first = last + 1;
	}
	remove_ranges(mem, from, to);
	return 0;
}

void mem_unmap_all(struct mem *mem)
{
	remove_ranges(mem, 0, mem->count);
}

int mem_span(struct mem *mem, uint64_t addr, unsigned int prot,
	     struct mem_span *span)
{
	struct mem_range *range = lookup(mem, addr);

	if (!range)
		return -EFAULT;
	if ((range->prot & prot) != prot)
		return -EACCES;
	span->len = range->last - addr + 1;
	span->host = NULL;
	if (range->file)
		span->host = range->file->host + range->offset +
			     (addr - range->first);
	return 0;
}

/* Each piece is looked up again: remote memory serves messages meanwhile. */
int mem_read(struct mem *mem, uint64_t addr, void *buf, size_t len)
{
	struct mem_span span;
	int err;

	while (len) {
		err = mem_span(mem, addr, MEM_READ, &span);
		if (err)
			return err;
		span.len = hw_min(span.len, (uint64_t)len);
		if (span.host)
			memcpy(buf, span.host, span.len);
		else if (!mem->remote)
			return -EFAULT;
		else
			err = mem->remote->read(mem->remote_priv, addr, buf,
						span.len);
		if (err)
			return err;
		addr += span.len;
		buf = (uint8_t *)buf + span.len;
		len -= span.len;
		if (!addr && len)
			return -EFAULT;
	}
	return 0;
}

int mem_write(struct mem *mem, uint64_t addr, const void *buf, size_t len)
{
	struct mem_span span;
	int err;

	while (len) {
		err = mem_span(mem, addr, MEM_WRITE, &span);
		if (err)
			return err;
		span.len = hw_min(span.len, (uint64_t)len);
		if (span.host)
			memcpy(span.host, buf, span.len);
		else if (!mem->remote)
			return -EFAULT;
		else
			err = mem->remote->write(mem->remote_priv, addr, buf,
						 span.len);
		if (err)
			return err;
		addr += span.len;
		buf = (const uint8_t *)buf + span.len;
		len -= span.len;
		if (!addr && len)
			return -EFAULT;
	}
	return 0;
}
