/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One TAP row for each test function. A failed expect() is told with its place
 * and ends the function that it is in, but not the program.
 */
#ifndef TESTS_HW_TAP_H
#define TESTS_HW_TAP_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tap_test {
	const char *name;
	void (*run)(void);
};

extern bool tap_failed;

/* For functions without a value. */
#define expect(condition)						\
	do {								\
		if (!(condition)) {					\
			tap_complain(__FILE__, __LINE__, #condition);	\
			return;						\
		}							\
	} while (0)

#define expect_eq(a, b)							\
	do {								\
		unsigned long long a_ = (unsigned long long)(a);	\
		unsigned long long b_ = (unsigned long long)(b);	\
									\
		if (a_ != b_) {						\
			tap_complain(__FILE__, __LINE__, #a " == " #b);	\
			printf("#   %#llx, not %#llx\n", a_, b_);	\
			return;						\
		}							\
	} while (0)

void tap_complain(const char *file, int line, const char *what);

/* Runs the tests, or those whose names are arguments. The exit status. */
int tap_run(const struct tap_test *tests, size_t n, int argc, char **argv);

/* How many file descriptors this process has open. */
int tap_open_fds(void);

#endif
