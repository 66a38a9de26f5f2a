// SPDX-License-Identifier: GPL-2.0-only
/*
 * nvme_dmabuf_demo read|write NVME_BDF FD DISK_OFFSET
 *
 * All of the inherited file FD, a dma-buf or a memfd, is mapped by IOMMU_IOAS_MAP_FILE
 * for an NVMe controller, which reads it from byte DISK_OFFSET of its disk, or writes
 * it there. That nothing is wrong is no proof that data has moved: look for it.
 *
 * Exit status: that of samples/mesa/handover.h, 2 for bad use.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../samples/mesa/handover.h"
#include "../../samples/number.h"
#include "dma.h"

static int transfer(struct dma *dma, iova_t iova, uint64_t size, bool read, uint64_t at)
{
	const struct nvme_namespace *disk = nvme_namespace(dma->nvme);
	uint64_t lba = at / disk->block_size;

	if (at % disk->block_size || size % disk->block_size ||
	    size > disk->nr_blocks * disk->block_size ||
	    lba > disk->nr_blocks - size / disk->block_size) {
		fprintf(stderr, "nvme_dmabuf_demo: %llu bytes at %llu: the disk has %llu blocks of %u\n",
			(unsigned long long)size, (unsigned long long)at,
			(unsigned long long)disk->nr_blocks, disk->block_size);
		return BAD_USE;
	}
	return (read ? nvme_read : nvme_write)(dma->nvme, lba, iova, size) ? PEER_FAILED :
	       PEER_DONE;
}

int main(int argc, char **argv)
{
	struct dma_region map;
	struct dma dma;
	uint64_t fd, at;
	off_t size;
	bool read;
	int ret;

	if (argc != 5 || (strcmp(argv[1], "read") && strcmp(argv[1], "write"))) {
		fprintf(stderr, "usage: nvme_dmabuf_demo read|write NVME_BDF FD DISK_OFFSET\n");
		return BAD_USE;
	}
	read = !strcmp(argv[1], "read");
	if (read_number(argv[3], &fd) || read_number(argv[4], &at)) {
		fprintf(stderr, "nvme_dmabuf_demo: '%s' or '%s' is no number\n", argv[3], argv[4]);
		return BAD_USE;
	}
	size = lseek(fd, 0, SEEK_END);
	if (size <= 0) {
		fprintf(stderr, "nvme_dmabuf_demo: file %s has no size\n", argv[3]);
		return BAD_USE;
	}
	/* What the library tells is no row of our caller. */
	dup2(STDERR_FILENO, STDOUT_FILENO);

	dma_open(&dma, argv[2]);
	ret = __dma_map(&dma, &map, fd, 0, size, IOMMU_FILE_RW);
	if (ret) {
		fprintf(stderr, "# IOMMU_IOAS_MAP_FILE: %s\n", strerror(-ret));
		ret = ret == -EOPNOTSUPP ? PEER_REFUSED : PEER_FAILED;
	} else {
		ret = transfer(&dma, map.iova, size, read, at);
		dma_unmap(&dma, &map);
	}
	dma_close(&dma);
	return ret;
}
