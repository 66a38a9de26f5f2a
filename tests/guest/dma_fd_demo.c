// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma_fd_demo NVME_BDF FD SEED_THERE SEED_PUT
 *
 * The other process of a program that shares its GPU's memory: it is given a dma-buf
 * as an open file, maps all of it into the IOAS of an NVMe controller, looks whether
 * the controller finds the pattern SEED_THERE of outside.h in it, and has the
 * controller put SEED_PUT there. What happened is the exit status, see peer_dma.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dma.h"
#include "peer_dma.h"

int main(int argc, char **argv)
{
	struct dma_region map;
	uint64_t there, put;
	struct dma dma;
	bool found;
	off_t size;
	int fd, ret;

	if (argc != 5) {
		fprintf(stderr, "usage: dma_fd_demo NVME_BDF FD SEED_THERE SEED_PUT\n");
		return 2;
	}
	fd = atoi(argv[2]);
	there = strtoull(argv[3], NULL, 0);
	put = strtoull(argv[4], NULL, 0);
	size = lseek(fd, 0, SEEK_END);
	if (size <= 0) {
		fprintf(stderr, "dma_fd_demo: file %d is no dma-buf\n", fd);
		return 2;
	}
	/* What the library tells is no row of our caller. */
	dup2(STDERR_FILENO, STDOUT_FILENO);

	dma_open(&dma, argv[1]);
	ret = __dma_map(&dma, &map, fd, 0, size, IOMMU_FILE_RW);
	if (ret) {
		fprintf(stderr, "# IOMMU_IOAS_MAP_FILE: %s\n", strerror(-ret));
		ret = ret == -EOPNOTSUPP ? PEER_REFUSED : PEER_FAILED;
	} else {
		found = !dma_differs(&dma, map.iova, 0, size, there);
		dma_fill(&dma, map.iova, 0, size, put);
		dma_unmap(&dma, &map);
		ret = found ? PEER_DONE : PEER_OTHER_DATA;
	}
	dma_close(&dma);
	return ret;
}
