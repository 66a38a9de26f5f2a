/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a model did, in words: one line an event, by category, so that a failing
 * driver can be compared with a working one.
 */
#ifndef HW_CORE_TRACE_H
#define HW_CORE_TRACE_H

#include "core/util.h"

enum trace_category {
	TRACE_FAULT,	/* bad addresses, broken commands; always shown */
	TRACE_NOTE,	/* state changes: reset, options, injected faults */
	TRACE_MMIO,	/* register accesses */
	TRACE_MSG,	/* messages between driver and firmware, decoded */
	TRACE_CTX,	/* contexts and what the scheduler does with them */
	TRACE_CMD,	/* commands that engines execute */
	TRACE_IRQ,	/* interrupts */
	TRACE_DMA,	/* what the client maps and unmaps */
	TRACE_MEM,	/* the memory that copies and fills touch, by piece */
	TRACE_CATEGORIES
};

extern unsigned int trace_mask;

/**
 * trace_setup - choose what is shown
 * @filter: names of categories separated by commas, "all" for all; after a
 *	colon a text that lines must contain ("cmd,mem:MEM_COPY"); NULL for
 *	faults and notes
 * @path: file to write to, NULL for stderr
 *
 * Return: 0, -EINVAL for a category that does not exist, or what open() says.
 */
int trace_setup(const char *filter, const char *path);

void trace_line(enum trace_category category, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define trace_on(category) (trace_mask & 1u << (category))

/* The arguments are not evaluated when nobody looks. */
#define trace(category, ...)                               \
	do {                                               \
		if (trace_on(category))                    \
			trace_line(category, __VA_ARGS__); \
	} while (0)

#endif
