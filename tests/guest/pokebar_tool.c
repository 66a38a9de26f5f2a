// SPDX-License-Identifier: GPL-2.0-only
/*
 * pokebar RESOURCE OFFSET LENGTH SEED: maps a PCI resource, and writes the
 * outside pattern of SEED there. What is there before must be the outside
 * pattern of seed 5, so that reading is proved as well.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "outside.h"

int main(int argc, char **argv)
{
	uint64_t off, len, seed;
	char *mem;
	int fd;

	if (argc != 5) {
		fprintf(stderr, "usage: pokebar RESOURCE OFFSET LENGTH SEED\n");
		return 2;
	}
	off = strtoull(argv[2], NULL, 0);
	len = strtoull(argv[3], NULL, 0);
	seed = strtoull(argv[4], NULL, 0);
	fd = open(argv[1], O_RDWR);
	if (fd < 0) {
		perror(argv[1]);
		return 2;
	}
	mem = mmap(NULL, off + len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	if (outside_differs(mem + off, off, len, 5)) {
		puts("# the guest does not see what was filled from outside");
		return 1;
	}
	outside_pattern(mem + off, off, len, seed);
	return 0;
}
