/* SPDX-License-Identifier: GPL-2.0-only */
/* Small things that every part of the device models uses. */
#ifndef HW_CORE_UTIL_H
#define HW_CORE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#ifndef container_of
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#endif

#define HW_PAGE_SIZE 4096ul

#define HW_KIB(n) ((uint64_t)(n) << 10)
#define HW_MIB(n) ((uint64_t)(n) << 20)
#define HW_GIB(n) ((uint64_t)(n) << 30)

#define hw_min(a, b)                            \
	({                                      \
		__typeof__(a) a_ = (a);         \
		__typeof__(b) b_ = (b);         \
		a_ < b_ ? a_ : b_;              \
	})

static inline uint64_t lo_hi(uint32_t lo, uint32_t hi)
{
	return (uint64_t)hi << 32 | lo;
}

/**
 * hw_now - a monotonic clock
 *
 * Return: nanoseconds.
 */
uint64_t hw_now(void);

/**
 * hw_parse_size - a size as a person writes it
 * @text: digits and one of K, M, G or nothing after them
 * @size: receives bytes
 *
 * Return: 0, or -EINVAL if @text is nothing of the kind or does not fit.
 */
int hw_parse_size(const char *text, uint64_t *size);

/**
 * hw_memfd - anonymous memory that can be handed to another process
 * @name: shown in /proc
 * @size: bytes
 * @host: receives where it is mapped, readable and writable
 *
 * Return: the file descriptor or a negative errno.
 */
int hw_memfd(const char *name, uint64_t size, void **host);

/**
 * hw_die - one line on stderr, then the end
 * @status: exit status: 1 something failed, 2 bad use
 * @fmt: the line without a newline
 */
void hw_die(int status, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/*
 * The value of an option of the command line: bytes that are not 0, and a number of at
 * most @max. Bad ones end the process with status 2 and a line that names them.
 */
uint64_t hw_size_option(const char *option, const char *text);
unsigned long hw_number_option(const char *option, const char *text,
			       unsigned long max);

#endif
