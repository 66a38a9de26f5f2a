/* SPDX-License-Identifier: GPL-2.0-only */
/* What a model traces, for tests that look at it. */
#ifndef TESTS_HW_LOG_H
#define TESTS_HW_LOG_H

#include <stdbool.h>

/* From now on the trace goes to memory, filtered as trace_setup() says. */
void log_start(const char *filter);

/* What was traced since log_start() or log_rewind(). */
const char *log_text(void);
void log_rewind(void);

/* Lines of it that contain @text. */
unsigned int log_count(const char *text);

#endif
