// SPDX-License-Identifier: GPL-2.0-only
/*
 * outside fill|check bar|disk OFFSET LENGTH SEED, and outside picture bar|disk OFFSET
 * WIDTH HEIGHT, for scripts in the VM.
 * Exit status: 0 done or equal, 1 other data is there, 2 anything else.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outside.h"

int main(int argc, char **argv)
{
	uint64_t off, len, seed;
	int ret;

	if (argc != 6 || (strcmp(argv[1], "fill") && strcmp(argv[1], "check") &&
			  strcmp(argv[1], "picture"))) {
		fprintf(stderr,
			"usage: outside fill|check bar|disk OFFSET LENGTH SEED\n"
			"       outside picture bar|disk OFFSET WIDTH HEIGHT\n");
		return 2;
	}
	off = strtoull(argv[3], NULL, 0);
	len = strtoull(argv[4], NULL, 0);
	seed = strtoull(argv[5], NULL, 0);
	if (!strcmp(argv[1], "fill"))
		ret = outside_fill(argv[2], off, len, seed);
	else if (!strcmp(argv[1], "picture"))
		ret = outside_picture(argv[2], off, len, seed);
	else
		ret = outside_check(argv[2], off, len, seed);
	if (ret == -EIO)
		printf("# %s at 0x%" PRIx64 ": wanted 0x%" PRIx64
		       ", found 0x%" PRIx64 "\n", argv[2], outside_wrong()->at,
		       outside_wrong()->want, outside_wrong()->found);
	else if (ret)
		fprintf(stderr, "outside: %s\n", strerror(-ret));
	return ret == -EIO ? 1 : ret ? 2 : 0;
}
