/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small fuzzer for who has no clang: mutates inputs that reach code which was
 * not reached before, counted by gcc's trace-pc. A fuzz_NAME.c has the entry
 * points of libFuzzer and may as well be linked with that.
 */
#ifndef TESTS_HW_FUZZER_H
#define TESTS_HW_FUZZER_H

#include <stddef.h>
#include <stdint.h>

/* Runs one input. Aborts if something is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Optional: changes an input that has @max bytes of room; its new size. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed) __attribute__((weak));

/* Changes some bytes without knowing what they mean; for custom mutators. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/*
 * Optional, asked after the corpus was run: what its inputs never came to, NULL
 * if nothing is missing. So inputs that went stale are noticed.
 */
const char *fuzz_missing(void) __attribute__((weak));

#endif
