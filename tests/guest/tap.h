/* SPDX-License-Identifier: GPL-2.0-only */
/* TAP rows of a guest program, numbered from 1, on stdout. */
#ifndef PAL_GUEST_TAP_H
#define PAL_GUEST_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int row, failed;

__attribute__((format(printf, 2, 3)))
static void result(bool ok, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("%sok %d ", ok ? "" : "not ", ++row);
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
	failed += !ok;
}

#endif
