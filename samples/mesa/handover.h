/* SPDX-License-Identifier: MIT */
/*
 * What these samples have in common: a dma-buf that a library of Mesa exported is looked
 * at by mmap, and handed to another process, nvme_dmabuf_demo, which has iommufd map it
 * for an NVMe controller.
 *
 * Nothing here may be called by two threads at a time. What cannot go on ends the
 * program: with "Bail out!" on stdout and status 1, or with a line on stderr and one
 * of these.
 */
#ifndef SAMPLES_MESA_HANDOVER_H
#define SAMPLES_MESA_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { BAD_USE = 2, NOT_HERE = 77 };

__attribute__((noreturn, format(printf, 2, 3)))
void die(int status, const char *fmt, ...);

/* A row of TAP */
__attribute__((format(printf, 2, 3)))
void check(bool ok, const char *fmt, ...);

__attribute__((noreturn))
void bail_out(const char *what, long status);

/* Begins the output; and ends it with the plan. The program's exit status. */
void begin(void);
int finish(void);

/* Seeds of patterns; each step uses another one than the data that it replaces. */
enum { SEED_BEFORE = 21, SEED_OURS, SEED_NVME, SEED_LATE };

struct dma_buf {
	int fd;
	uint64_t size;		/* bytes */
	void *vaddr;
};

enum dma_buf_view {
	DMA_BUF_MAPPED,
	/*
	 * The driver does not let the CPU map it, or not use the mapping: what follows is
	 * dma_buf_peer_blind() or dma_buf_refused().
	 */
	DMA_BUF_BLIND,
};

/*
 * Takes @fd over, of which nothing is known but what @what says. Rows: it is a dma-buf
 * that has @size bytes at least, and it can be mapped and written, or cannot.
 */
void dma_buf_open(struct dma_buf *buf, int fd, uint64_t size, const char *what,
		  enum dma_buf_view view);
void dma_buf_close(struct dma_buf *buf);

/* By the CPU, between the two calls of DMA_BUF_IOCTL_SYNC */
void dma_buf_fill(struct dma_buf *buf, uint64_t seed);
uint64_t dma_buf_differs(struct dma_buf *buf, uint64_t seed);
void dma_buf_sync(struct dma_buf *buf, uint64_t flags);

/* Exit status of nvme_dmabuf_demo */
enum {
	PEER_DONE = 0,
	/* The kernel says that it does not support this dma-buf. */
	PEER_REFUSED = 4,
	/* Any other error of the mapping */
	PEER_FAILED = 5,
};

enum peer_way { PEER_DISK_TO_MEMORY, PEER_MEMORY_TO_DISK };

/* All of the file by DMA, from or to byte @at of the disk; the status, or -1. */
int peer_dma(const char *nvme_bdf, int fd, enum peer_way way, uint64_t at);

/*
 * Rows: what is in the dma-buf goes to the disk, and comes back from there after something
 * else was written over it.
 */
void dma_buf_peer(struct dma_buf *buf, const char *nvme_bdf);

/* The same by DMA alone, with a memfd in place of the CPU's mapping */
void dma_buf_peer_blind(struct dma_buf *buf, const char *nvme_bdf);

/*
 * Rows: iommufd refuses it, and it stays as it is, if that can be seen; a memfd goes the
 * same way and is not refused.
 */
void dma_buf_refused(struct dma_buf *buf, const char *nvme_bdf);

/* The render node of the PCI device; a driver of its own has to have made one. */
int open_render_node(const char *bdf);

#endif
