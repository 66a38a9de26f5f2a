/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page table walks as pure functions: a format says how entries look, the caller
 * how they are read, and nothing else has a say.
 */
#ifndef HW_CORE_WALK_H
#define HW_CORE_WALK_H

#include "core/util.h"

#define WALK_LEVELS 6

enum walk_kind {
	WALK_INVALID,	/* no translation: a fault */
	WALK_TABLE,	/* leads to a table */
	WALK_LEAF,	/* leads to memory */
};

/**
 * struct walk_entry - what an entry says
 * @kind: table, leaf or nothing
 * @address: of the table or of the memory
 * @attrs: bits of the format, e.g. whether the memory is the device's own
 * @shift: for a table that is indexed otherwise than its level: lowest bit of the
 *	address that indexes it; 0 as the format says
 * @bits: how many bits index it, if @shift is not 0
 */
struct walk_entry {
	enum walk_kind kind;
	uint64_t address;
	uint64_t attrs;
	unsigned int shift;
	unsigned int bits;
};

/**
 * struct walk_format - a page table format
 * @levels: number of levels
 * @shift: by level from the leaves up: lowest bit of the address that indexes it
 * @bits: by level: how many bits index it
 * @decode: what @entry means at @level
 */
struct walk_format {
	unsigned int levels;
	unsigned int shift[WALK_LEVELS];
	unsigned int bits[WALK_LEVELS];
	struct walk_entry (*decode)(uint64_t entry, unsigned int level);
};

/**
 * struct walk_result - where a walk ended
 * @address: memory at the virtual address, for a leaf
 * @len: bytes from there to the end of the page
 * @attrs: of the last entry
 * @level: of the last entry
 * @entry: the last entry as it was read
 * @table: address of the table that has it
 */
struct walk_result {
	uint64_t address;
	uint64_t len;
	uint64_t attrs;
	unsigned int level;
	uint64_t entry;
	uint64_t table;
};

/* Reads the 8 bytes at @address of a page table; 0 or a negative errno. */
typedef int (*walk_read_fn)(void *priv, uint64_t address, uint64_t *entry);

/**
 * walk - translate a virtual address
 * @format: the page table format
 * @root: address of the top table
 * @va: the virtual address; bits above the format are ignored
 * @read: how to read an entry
 * @priv: for @read
 * @result: filled in on success and for -EFAULT
 *
 * Return: 0, -EFAULT if there is no translation, or what @read returned.
 */
int walk(const struct walk_format *format, uint64_t root, uint64_t va,
	 walk_read_fn read, void *priv, struct walk_result *result);

#endif
