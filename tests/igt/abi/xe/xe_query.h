/* SPDX-License-Identifier: MIT */
/*
 * Copyright © 2026 dmabuf-pal developers
 *
 * As abi/igt.h: the part of libigt for xe's queries that our tests use.
 */
#ifndef PAL_ABI_XE_QUERY_H
#define PAL_ABI_XE_QUERY_H

#include <stdint.h>

uint64_t system_memory(int fd);
uint64_t vram_memory(int fd, int gt);

#endif
