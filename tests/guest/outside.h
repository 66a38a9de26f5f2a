/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The view from outside the VM onto the memory behind its devices: the test
 * runner on the host fills it with a pattern and compares it with one, without
 * any part of the guest being involved in where the bytes are.
 *
 * "bar" is the memory behind the ivshmem device's BAR 2 and "disk" that behind
 * the NVMe device's namespace. The 64-bit little endian word at byte offset o is
 * outside_word(seed, o). Offsets and lengths are multiples of 8.
 */
#ifndef TESTS_GUEST_OUTSIDE_H
#define TESTS_GUEST_OUTSIDE_H

#include <stddef.h>
#include <stdint.h>

/* Opens the channel; 0 or -errno. The calls below do that on their own. */
int outside_open(void);

/* Fills [off, off + len) from outside; 0 or -errno. */
int outside_fill(const char *kind, uint64_t off, uint64_t len, uint64_t seed);

/* 0 if the pattern is there, -EIO if other data is, or another -errno. */
int outside_check(const char *kind, uint64_t off, uint64_t len, uint64_t seed);

/* Draws a picture there, of four bytes a pixel (red, green, blue, alpha); 0 or -errno. */
int outside_picture(const char *kind, uint64_t off, uint64_t width, uint64_t height);

/* Where the first wrong word of the last outside_check() was. */
struct outside_wrong {
	uint64_t at;
	uint64_t want;
	uint64_t found;
};

const struct outside_wrong *outside_wrong(void);

/* Bytes that are there, or -errno. */
int64_t outside_size(const char *kind);

/* One line to the runner, its answer into @reply; 0 or -errno. */
int outside_ask(const char *request, char *reply, size_t size);

/* The same pattern for the guest's own buffers. */
static inline uint64_t outside_word(uint64_t seed, uint64_t off)
{
	uint64_t z = seed + off / 8 + 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Writes the pattern of [off, off + len) to @buf, which may be device memory. */
void outside_pattern(volatile void *buf, uint64_t off, uint64_t len,
		     uint64_t seed);

/* The number of words of @buf that differ from the pattern of [off, off + len). */
uint64_t outside_differs(const volatile void *buf, uint64_t off, uint64_t len,
			 uint64_t seed);

#endif /* TESTS_GUEST_OUTSIDE_H */
