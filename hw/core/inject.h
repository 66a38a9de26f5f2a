/* SPDX-License-Identifier: GPL-2.0-only */
/* Faults on demand: what a command line asks to go wrong. */
#ifndef HW_CORE_INJECT_H
#define HW_CORE_INJECT_H

#include "core/util.h"

#define INJECT_RULES 16

/**
 * struct inject_rule - one fault
 * @point: name of the place, e.g. "g2h-drop"
 * @has_key: only occurrences with the given @key count
 * @key: e.g. the number of a message
 * @nth: at which occurrence it happens, 0 for each
 * @ms: for delays
 * @seen: occurrences so far
 */
struct inject_rule {
	char point[24];
	bool has_key;
	uint64_t key;
	unsigned int nth;
	unsigned int ms;
	unsigned int seen;
};

struct inject {
	struct inject_rule rule[INJECT_RULES];
	unsigned int nr;
};

/**
 * inject_add - take a fault from the command line
 * @inject: the list
 * @spec: POINT[=KEY][@NTH][,ms=MS], where NTH counts from 1, is 1 by default
 *	and 0 for every time
 * @points: names of the places that the model has, ended by NULL
 *
 * Return: 0, -EINVAL for a @spec that is not understood, -ENOENT for a place
 * that is not there, -ENOSPC.
 */
int inject_add(struct inject *inject, const char *spec,
	       const char *const *points);

/**
 * inject_hit - whether something is to go wrong here and now
 * @inject: the list
 * @point: name of the place
 * @key: what it is about
 *
 * Return: the rule or NULL.
 */
const struct inject_rule *inject_hit(struct inject *inject, const char *point,
				     uint64_t key);

#endif
