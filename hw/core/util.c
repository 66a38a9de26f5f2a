// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/util.h"

uint64_t hw_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int hw_parse_size(const char *text, uint64_t *size)
{
	unsigned int shift = 0;
	uint64_t n = 0;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *text - '0', &n))
			return -EINVAL;

	switch (*text) {
	case 'G':
		shift += 10;
		/* fallthrough */
	case 'M':
		shift += 10;
		/* fallthrough */
	case 'K':
		shift += 10;
		text++;
	}
	if (*text || n > UINT64_MAX >> shift)
		return -EINVAL;
	*size = n << shift;
	return 0;
}

int hw_memfd(const char *name, uint64_t size, void **host)
{
	void *map;
	int fd, err;

	if (!size || size > INT64_MAX)
		return -EINVAL;
	fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size))
		goto err_close;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		goto err_close;
	*host = map;
	return fd;

err_close:
	err = -errno;
	close(fd);
	return err;
}

void hw_die(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

uint64_t hw_size_option(const char *option, const char *text)
{
	uint64_t size;

	if (hw_parse_size(text, &size) || !size)
		hw_die(2, "%s %s: not a size", option, text);
	return size;
}

unsigned long hw_number_option(const char *option, const char *text,
			       unsigned long max)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 0);
	if (!isdigit((unsigned char)*text) || *end || value > max)
		hw_die(2, "%s %s: not a number up to %lu", option, text, max);
	return value;
}
