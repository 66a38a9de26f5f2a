/* SPDX-License-Identifier: GPL-2.0-only */
/* vram-ivshmem-server: main.c makes the memory and tries it, peers.c hands it out. */
#ifndef VRAM_IVSHMEM_SERVER_H
#define VRAM_IVSHMEM_SERVER_H

#include <stdint.h>

#define MAX_PEERS	16
#define MAX_VECTORS	8

/* Exit status */
enum { FAILED = 1, BAD_USE = 2, NOT_HERE = 77 };

/* One line on stderr and the exit status */
__attribute__((noreturn, format(printf, 2, 3)))
void die(int status, const char *fmt, ...);

/* Serves QEMUs at the socket @path until a signal ends it. */
void serve(const char *path, int memory, unsigned int nr_vectors);

#endif
