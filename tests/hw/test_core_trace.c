// SPDX-License-Identifier: GPL-2.0-only
/* The trace: which lines are shown. */
#include "core/trace.h"
#include "log.h"
#include "tap.h"

static unsigned int evaluated;

static unsigned int count(void)
{
	return ++evaluated;
}

static void each(void)
{
	trace(TRACE_FAULT, "a fault %u", count());
	trace(TRACE_NOTE, "a note %u", count());
	trace(TRACE_MSG, "a message %u", count());
	trace(TRACE_CMD, "a command %u", count());
	trace(TRACE_MEM, "a piece %u", count());
}

static void categories(void)
{
	log_start(NULL);
	evaluated = 0;
	each();
	expect_eq(log_count("a fault"), 1);
	expect_eq(log_count("a note"), 1);
	expect_eq(log_count("a "), 2);
	expect_eq(evaluated, 2);

	log_start("msg,mem");
	each();
	expect_eq(log_count(" msg   a message"), 1);
	expect_eq(log_count(" mem   a piece"), 1);
	expect_eq(log_count("a "), 4);
	log_start("all");
	each();
	expect_eq(log_count("a "), 5);
	log_start("");
	each();
	expect_eq(log_count("a "), 2);
}

static void no_categories(void)
{
	static const char *const bad[] = { "ms", "msgs", "MSG", "msg,,cmd",
					   "msg;cmd", "al", "msg, cmd" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_eq(trace_setup(bad[i], NULL), -EINVAL);
	expect_eq(trace_setup("msg", "/nonexistent/file"), -ENOENT);
	expect_eq(trace_setup("msg,cmd", NULL), 0);
}

/* What goes wrong is shown in any case. */
static void text(void)
{
	log_start("all:command");
	each();
	expect_eq(log_count("a command"), 1);
	expect_eq(log_count("a fault"), 1);
	expect_eq(log_count("a note"), 1);
	expect_eq(log_count("a "), 3);
	/* A filter without a text has none. */
	log_start("all");
	each();
	expect_eq(log_count("a "), 5);
}

static void long_line(void)
{
	char line[4096];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	log_start("");
	trace(TRACE_NOTE, "%s", line);
	trace(TRACE_NOTE, "after");
	expect_eq(log_count("xxx"), 1);
	expect_eq(log_count("note  after"), 1);
}

static const struct tap_test tests[] = {
	{ "categories, and arguments of the others not evaluated", categories },
	{ "categories that do not exist", no_categories },
	{ "a text that lines must contain", text },
	{ "a line too long is cut", long_line },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
