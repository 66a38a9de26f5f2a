// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device memory: a dma-buf that was inherited as an open file, or a buffer object in
 * VRAM that is allocated and exported here by libdmabuf-pal.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dmabuf_pal.h>

#include "../number.h"
#include "vmm.h"

/* Page tables have leaves of these sizes. */
static const uint64_t huge[] = { 1ull << 30, 2ull << 20 };

uint64_t parse_number(const char *what, const char *text)
{
	uint64_t value;

	if (read_number(text, &value))
		die(VMM_BAD_USE, "%s: '%s' is no number or size", what, text);
	return value;
}

static void parse_pair(const char *what, char *key, struct vram *vram)
{
	char *value = strchr(key, '=');

	if (!strcmp(key, "ro")) {
		vram->readonly = true;
		return;
	}
	if (!value)
		die(VMM_BAD_USE, "%s: '%s' has no value", what, key);
	*value++ = 0;
	if (!strcmp(key, "fd"))
		vram->fd = parse_number(what, value);
	else if (!strcmp(key, "gpu"))
		vram->bdf = value;
	else if (!strcmp(key, "gpa"))
		vram->gpa = parse_number(what, value);
	else if (!strcmp(key, "size"))
		vram->size = parse_number(what, value);
	else if (!strcmp(key, "offset"))
		vram->offset = parse_number(what, value);
	else if (!strcmp(key, "mode") && !strcmp(value, "fd"))
		vram->mode = VRAM_FD;
	else if (!strcmp(key, "mode") && !strcmp(value, "mmap"))
		vram->mode = VRAM_MMAP;
	else
		die(VMM_BAD_USE, "%s: unknown '%s=%s'", what, key, value);
}

void parse_vram(const char *what, const char *text, struct vram *vram)
{
	/* What is parsed points into it. */
	char *copy = strdup(text), *key;

	*vram = (struct vram){ .fd = -1 };
	for (key = strtok(copy, ","); key; key = strtok(NULL, ","))
		parse_pair(what, key, vram);
	if ((vram->fd < 0) == !vram->bdf)
		die(VMM_BAD_USE, "%s: wants one of fd=N and gpu=ADDRESS", what);
	if ((vram->gpa | vram->size | vram->offset) % VMM_PAGE_SIZE)
		die(VMM_BAD_USE, "%s: not a multiple of %llu", what, VMM_PAGE_SIZE);
	if (vram->bdf && !vram->size)
		die(VMM_BAD_USE, "%s: how much VRAM? (size=)", what);
}

/* The client of the GPU lives as long as we do. */
static void allocate(struct vram *vram)
{
	struct dmabuf_pal_error error;
	struct dmabuf_pal_buf buf;
	uint32_t handle;
	int drm_fd;

	if (dmabuf_pal_open(vram->bdf, &drm_fd, &error))
		die(error.reason == DMABUF_PAL_BAD_ARGUMENT ? VMM_BAD_USE : VMM_NOT_HERE,
		    "%s: %s", vram->bdf, error.text);
	if (dmabuf_pal_bo_alloc(drm_fd, vram->offset + vram->size, &handle, &error) ||
	    dmabuf_pal_export(drm_fd, handle,
			      vram->readonly ? DMABUF_PAL_FLAG_READ_ONLY : 0, &buf, &error))
		die(error.reason == DMABUF_PAL_UNKNOWN_DRIVER ? VMM_NOT_HERE : VMM_FAILED,
		    "%s: %s", vram->bdf, error.text);
	vram->fd = buf.fd;
}

/*
 * Maps the slot's part at an address that is congruent with the offset in the
 * dma-buf, without which nobody can use large pages.
 */
static void map(struct vram *vram)
{
	uint64_t align = VMM_PAGE_SIZE, addr;
	int prot = PROT_READ | (vram->readonly ? 0 : PROT_WRITE);
	void *area;
	size_t i;

	for (i = 0; i < sizeof(huge) / sizeof(huge[0]) && align == VMM_PAGE_SIZE; i++)
		if (vram->size >= huge[i])
			align = huge[i];
	area = mmap(NULL, vram->size + align, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		die(VMM_FAILED, "mmap: %s", strerror(errno));
	addr = (uintptr_t)area + ((vram->offset - (uintptr_t)area) & (align - 1));
	vram->vaddr = mmap((void *)addr, vram->size, prot, MAP_SHARED | MAP_FIXED,
			   vram->fd, vram->offset);
	if (vram->vaddr == MAP_FAILED)
		die(VMM_FAILED, "mmap of the dma-buf: %s", strerror(errno));
}

void vram_open(struct vram *vram, bool want_map)
{
	off_t size;

	if (vram->bdf)
		allocate(vram);
	size = lseek(vram->fd, 0, SEEK_END);
	if (size <= 0)
		die(VMM_BAD_USE, "file %d is no dma-buf", vram->fd);
	if (!vram->size && vram->offset < (uint64_t)size)
		vram->size = size - vram->offset;
	if (!vram->size || vram->offset + vram->size > (uint64_t)size)
		die(VMM_BAD_USE, "the dma-buf ends at %llu KiB",
		    (unsigned long long)size >> 10);
	if (want_map || vram->mode == VRAM_MMAP)
		map(vram);
}
