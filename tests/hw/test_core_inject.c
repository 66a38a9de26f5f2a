// SPDX-License-Identifier: GPL-2.0-only
/* Faults on demand: the language and the counting. */
#include "core/inject.h"
#include "core/trace.h"
#include "tap.h"

static const char *const points[] = { "drop", "drop-all", "delay", NULL };

static void language(void)
{
	static const struct {
		const char *spec, *point;
		bool has_key;
		uint64_t key;
		unsigned int nth, ms;
	} good[] = {
		{ "drop", "drop", false, 0, 1, 100 },
		{ "drop-all", "drop-all", false, 0, 1, 100 },
		{ "drop=0", "drop", true, 0, 1, 100 },
		{ "drop=0x1002@3", "drop", true, 0x1002, 3, 100 },
		{ "drop@0", "drop", false, 0, 0, 100 },
		{ "delay,ms=0", "delay", false, 0, 1, 0 },
		{ "delay=7@2,ms=600000", "delay", true, 7, 2, 600000 },
		{ "drop=0xffffffffffffffff", "drop", true, UINT64_MAX, 1, 100 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct inject inject = { .nr = 0 };

		expect_eq(inject_add(&inject, good[i].spec, points), 0);
		expect_eq(inject.nr, 1);
		expect(!strcmp(inject.rule[0].point, good[i].point));
		expect_eq(inject.rule[0].has_key, good[i].has_key);
		expect_eq(inject.rule[0].key, good[i].key);
		expect_eq(inject.rule[0].nth, good[i].nth);
		expect_eq(inject.rule[0].ms, good[i].ms);
		expect_eq(inject.rule[0].seen, 0);
	}
}

static void no_language(void)
{
	static const char *const bad[] = {
		"drop=", "drop@", "drop=x", "drop=1x", "drop@1=2", "drop,ms=",
		"drop,ms=600001", "drop@1073741825", "drop@-1", "drop,",
		"drop,ms=1,ms=2", "drop=0x10000000000000000", "drop,MS=1",
	};
	static const char *const missing[] = { "", "dro", "dropp", "=1", "@1" };
	struct inject inject = { .nr = 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		expect_eq(inject_add(&inject, bad[i], points), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(missing); i++)
		expect_eq(inject_add(&inject, missing[i], points), -ENOENT);
	expect_eq(inject.nr, 0);
}

/* strtoull() takes them, a person did not mean them. */
static void no_numbers(void)
{
	static const char *const bad[] = { "drop=-1", "drop=+1", "drop= 1",
					   "drop@ 1", "drop,ms= 1" };
	struct inject inject = { .nr = 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_eq(inject_add(&inject, bad[i], points), -EINVAL);
}

static void too_many(void)
{
	struct inject inject = { .nr = 0 };

	for (int i = 0; i < INJECT_RULES; i++)
		expect_eq(inject_add(&inject, "drop", points), 0);
	expect_eq(inject_add(&inject, "drop", points), -ENOSPC);
	expect_eq(inject.nr, INJECT_RULES);
}

static void counting(void)
{
	struct inject inject = { .nr = 0 };

	expect_eq(inject_add(&inject, "drop=5@3", points), 0);
	expect(!inject_hit(&inject, "drop", 5));
	expect(!inject_hit(&inject, "drop", 6));
	expect(!inject_hit(&inject, "drop-all", 5));
	expect(!inject_hit(&inject, "drop", 5));
	expect(inject_hit(&inject, "drop", 5) == &inject.rule[0]);
	expect(!inject_hit(&inject, "drop", 5));
	expect_eq(inject.rule[0].seen, 4);
}

static void each_time(void)
{
	struct inject inject = { .nr = 0 };

	expect_eq(inject_add(&inject, "delay@0,ms=7", points), 0);
	for (int i = 0; i < 5; i++) {
		const struct inject_rule *rule = inject_hit(&inject, "delay", i);

		expect(rule);
		expect_eq(rule->ms, 7);
	}
}

/* Each counts for itself, whatever the others do. */
static void two_rules(void)
{
	struct inject inject = { .nr = 0 };

	expect_eq(inject_add(&inject, "drop@1", points), 0);
	expect_eq(inject_add(&inject, "drop@2", points), 0);
	expect_eq(inject_add(&inject, "drop=9@1", points), 0);
	expect(inject_hit(&inject, "drop", 1));
	expect(inject_hit(&inject, "drop", 1));
	expect(!inject_hit(&inject, "drop", 1));
	expect(inject_hit(&inject, "drop", 9) == &inject.rule[2]);
	/* Of two that hit at once the first one counts. */
	inject.nr = 0;
	expect_eq(inject_add(&inject, "delay@1,ms=1", points), 0);
	expect_eq(inject_add(&inject, "delay@0,ms=2", points), 0);
	expect(inject_hit(&inject, "delay", 0) == &inject.rule[0]);
	expect(inject_hit(&inject, "delay", 0) == &inject.rule[1]);
}

static const struct tap_test tests[] = {
	{ "what a specification says", language },
	{ "what is no specification", no_language },
	{ "numbers with signs or blanks are none", no_numbers },
	{ "there is room for so many", too_many },
	{ "occurrences are counted by key", counting },
	{ "0 is each time", each_time },
	{ "rules count apart from each other", two_rules },
};

int main(int argc, char **argv)
{
	trace_mask = 0;
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
