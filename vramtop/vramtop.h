/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vramtop: main.c has the options, collect.c finds the files, parse.c reads them, show.c
 * writes what was found.
 *
 * Names of buffers and of processes are anybody's to choose and have any byte but
 * 0 in them. They are kept as they are, and made harmless where they are shown.
 */
#ifndef VRAMTOP_H
#define VRAMTOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define TEXT	64

/* Exit status */
enum { FAILED = 1, BAD_USE = 2, NOT_HERE = 77 };

struct attachment {
	/* "" if the importer has none, as iommufd and KVM */
	char device[TEXT];
	/* "PAL", "SGT", or "" where the kernel does not tell */
	char mapping[16];
	/* Of PAL: in how many ranges it is mapped at the moment, and bytes */
	bool mapped;
	uint64_t ranges;
	uint64_t bytes;
};

/* A process that has the buffer open, or mapped */
struct holder {
	pid_t pid;
	char command[TEXT];
	unsigned int files;
	unsigned int maps;
};

enum memory { MEMORY_UNKNOWN, MEMORY_VRAM, MEMORY_SYSTEM };

struct buffer {
	uint64_t inode;
	uint64_t size;
	uint64_t references;
	char exporter[TEXT];
	char name[TEXT];
	/* PCI address of the GPU that exports it; "" if that is not known */
	char gpu[TEXT];
	enum memory memory;
	/* What bufinfo tells of its attachments makes no sense. */
	bool unsure;
	struct attachment *attachments;
	size_t nr_attachments;
	struct holder *holders;
	size_t nr_holders;
};

/* What TTM tells of the VRAM of a GPU, or of one of its tiles */
struct manager {
	char gpu[TEXT];
	char name[TEXT];
	uint64_t size;
	uint64_t used;
	/* false: a kernel without the accounting */
	bool has_pal;
	uint64_t pal_pinned;
	uint64_t pal_limit;
};

/* An open file of a GPU, by its fdinfo; amounts are of VRAM. */
struct client {
	pid_t pid;
	char command[TEXT];
	char driver[TEXT];
	char gpu[TEXT];
	uint64_t id;
	uint64_t total;
	uint64_t shared;
	uint64_t resident;
};

struct snapshot {
	struct buffer *buffers;
	size_t nr_buffers;
	struct manager *managers;
	size_t nr_managers;
	struct client *clients;
	size_t nr_clients;
	/* bufinfo's own sum is not that of its lines. */
	bool inconsistent;
};

/* One line on stderr and the exit status */
__attribute__((noreturn, format(printf, 2, 3)))
void die(int status, const char *fmt, ...);

/* One more element, zeroed, at the end of an array of *@nr; ends the program if
 * there is no memory.
 */
void *array_add(void *array, size_t *nr, size_t size);

void snapshot_free(struct snapshot *snap);
struct buffer *snapshot_buffer(struct snapshot *snap, uint64_t inode);

/* Readers of one file each. What does not fit the format is no part of the result. */
void parse_bufinfo(FILE *file, struct snapshot *snap);
bool parse_manager(FILE *file, struct manager *manager);
void parse_gem_info(FILE *file, const char *gpu, struct snapshot *snap);
bool parse_client(FILE *file, struct client *client);
/* One line of /proc/PID/maps: the inode of a dma-buf, or false */
bool parse_map(const char *line, uint64_t *inode);

/* Where procfs and debugfs are */
struct places {
	const char *proc;
	const char *debugfs;
};

/* Ends the program with one line if the files are not there or not readable. */
void collect(const struct places *places, struct snapshot *snap);

void show_json(FILE *out, const struct snapshot *snap);
/* As many lines and columns as there are; 0: no limit */
void show_text(FILE *out, const struct snapshot *snap, unsigned int lines,
	       unsigned int columns);

#endif
