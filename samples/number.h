/* SPDX-License-Identifier: GPL-2.0-only */
/* What the samples' command lines have in common. */
#ifndef SAMPLES_NUMBER_H
#define SAMPLES_NUMBER_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A number, or a size with K, M or G behind it; 0 or -EINVAL */
static inline int read_number(const char *text, uint64_t *value)
{
	unsigned int shift = 0;
	uint64_t number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (*end && strchr("KMG", *end))
		shift = *end++ == 'K' ? 10 : end[-1] == 'M' ? 20 : 30;
	if (errno || end == text || *end || *text == '-' || number << shift >> shift != number)
		return -EINVAL;
	*value = number << shift;
	return 0;
}

#endif
