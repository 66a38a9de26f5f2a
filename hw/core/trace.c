// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/trace.h"

static const char *const names[TRACE_CATEGORIES] = {
	[TRACE_FAULT] = "fault", [TRACE_NOTE] = "note", [TRACE_MMIO] = "mmio",
	[TRACE_MSG] = "msg",	 [TRACE_CTX] = "ctx",	[TRACE_CMD] = "cmd",
	[TRACE_IRQ] = "irq",	 [TRACE_DMA] = "dma",
	[TRACE_MEM] = "mem",
};

#define TRACE_ALWAYS (1u << TRACE_FAULT | 1u << TRACE_NOTE)

unsigned int trace_mask = TRACE_ALWAYS;
static FILE *trace_file;
static char trace_text[64];
static uint64_t trace_start;

static int add_category(const char *name, size_t len)
{
	unsigned int i;

	if (len == 3 && !strncmp(name, "all", len)) {
		trace_mask = (1u << TRACE_CATEGORIES) - 1;
		return 0;
	}
	for (i = 0; i < TRACE_CATEGORIES; i++) {
		if (strlen(names[i]) == len && !strncmp(name, names[i], len)) {
			trace_mask |= 1u << i;
			return 0;
		}
	}
	return -EINVAL;
}

int trace_setup(const char *filter, const char *path)
{
	size_t len;

	trace_start = hw_now();
	trace_mask = TRACE_ALWAYS;
	trace_text[0] = '\0';
	while (filter && *filter && *filter != ':') {
		len = strcspn(filter, ",:");
		if (add_category(filter, len))
			return -EINVAL;
		filter += len;
		filter += *filter == ',';
	}
	if (filter && *filter == ':')
		snprintf(trace_text, sizeof(trace_text), "%s", filter + 1);
	if (trace_file)
		fclose(trace_file);
	trace_file = NULL;
	if (!path)
		return 0;

	trace_file = fopen(path, "we");
	if (!trace_file)
		return -errno;
	/* A line must be there even if the process is killed after it. */
	setvbuf(trace_file, NULL, _IOLBF, 1 << 16);
	return 0;
}

void trace_line(enum trace_category category, const char *fmt, ...)
{
	uint64_t now = hw_now() - trace_start;
	char line[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	/* What is always shown is not subject to the filter. */
	if (trace_text[0] && !(TRACE_ALWAYS & 1u << category) &&
	    !strstr(line, trace_text))
		return;
	fprintf(trace_file ? trace_file : stderr, "%4llu.%06llu %-5s %s\n",
		(unsigned long long)(now / 1000000000),
		(unsigned long long)(now / 1000 % 1000000), names[category],
		line);
}
