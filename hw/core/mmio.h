/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Register tables: which registers a block has, what is tolerated although
 * nobody models it, and an account of everything that was touched.
 */
#ifndef HW_CORE_MMIO_H
#define HW_CORE_MMIO_H

#include "core/util.h"

struct mmio;

/**
 * struct mmio_reg - registers that are modelled
 * @offset: byte offset of the first
 * @count: how many 32-bit registers follow each other
 * @name: the driver's name for it
 * @read: value of the register with the given @index, NULL if it reads 0
 * @write: NULL if writes have no effect
 */
struct mmio_reg {
	uint32_t offset;
	uint32_t count;
	const char *name;
	uint32_t (*read)(void *priv, unsigned int index);
	void (*write)(void *priv, unsigned int index, uint32_t value);
};

/**
 * struct mmio_tolerated - registers that nobody models
 * @offset: byte offset of the first
 * @count: how many
 * @name: the driver's name for it; NULL: a range, which has names in mmio_new()'s
 *	list and one line in the report
 * @value: what they read as, without mmio_back()
 * @reason: why that does not matter, with the driver's place that copes with it
 */
struct mmio_tolerated {
	uint32_t offset;
	uint32_t count;
	const char *name;
	uint32_t value;
	const char *reason;
};

/**
 * struct mmio_name - a register's name, for reports only
 */
struct mmio_name {
	uint32_t offset;
	const char *name;
};

/**
 * mmio_new - a space of registers
 * @size: bytes
 * @priv: for the callbacks
 * @names: sorted by offset, made from the driver's headers; may be NULL
 * @nr_names: entries in @names
 */
struct mmio *mmio_new(uint32_t size, void *priv, const struct mmio_name *names,
		      size_t nr_names);
void mmio_free(struct mmio *mmio);

/**
 * mmio_back - registers that keep what is written
 * @mmio: the space
 * @values: one for each register; the caller's, who may change them
 *
 * Where a table has no callback for an access, and where there is no table, the
 * values are read and written. They are as 32-bit registers are: by index.
 */
void mmio_back(struct mmio *mmio, uint32_t *values);

/* The tables stay the caller's. A register may be claimed once. */
void mmio_add(struct mmio *mmio, const struct mmio_reg *reg, size_t n);
void mmio_tolerate(struct mmio *mmio, const struct mmio_tolerated *reg,
		   size_t n);

uint32_t mmio_read(struct mmio *mmio, uint32_t offset, unsigned int len);
void mmio_write(struct mmio *mmio, uint32_t offset, uint32_t value,
		unsigned int len);

/**
 * mmio_report - what was touched and is not modelled
 * @mmio: the space
 *
 * Writes it to the trace as a table, by register name or range.
 *
 * Return: number of registers that are neither modelled nor tolerated, which is
 * what strict mode asks for.
 */
size_t mmio_report(struct mmio *mmio);

#endif
