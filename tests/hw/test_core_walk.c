// SPDX-License-Identifier: GPL-2.0-only
/* The walk alone, with a format of three small levels. */
#include "core/walk.h"
#include "tap.h"

#define VALID	1
#define LEAF	2
#define HALVES	4	/* the table has two entries of 32 bytes */
#define ADDRESS	(~0xfull)

static uint64_t memory[256];
static unsigned int reads;

static struct walk_entry decode(uint64_t entry, unsigned int level)
{
	struct walk_entry decoded = {
		.kind = WALK_TABLE, .attrs = entry & 0xf,
		.address = entry & ADDRESS,
	};

	(void)level;
	if (!(entry & VALID))
		decoded.kind = WALK_INVALID;
	else if (entry & LEAF)
		decoded.kind = WALK_LEAF;
	if (decoded.kind == WALK_TABLE && entry & HALVES) {
		decoded.shift = 5;
		decoded.bits = 1;
	}
	return decoded;
}

/* 16 byte pages, tables of 4, 2 and 8 entries from the leaves up. */
static const struct walk_format format = {
	.levels = 3,
	.shift = { 4, 6, 7 },
	.bits = { 2, 1, 3 },
	.decode = decode,
};

static int read_entry(void *priv, uint64_t address, uint64_t *entry)
{
	reads++;
	*(uint64_t *)priv = address;
	if (address >= sizeof(memory))
		return -ENXIO;
	*entry = memory[address / 8];
	return 0;
}

static uint64_t last;

static int go(uint64_t va, struct walk_result *result)
{
	memset(result, 0xee, sizeof(*result));
	reads = 0;
	return walk(&format, 0x100, va, read_entry, &last, result);
}

static void setup(void)
{
	memset(memory, 0, sizeof(memory));
	memory[0x100 / 8 + 5] = 0x200 | VALID;	/* top: va 0x280 */
	memory[0x200 / 8 + 1] = 0x300 | VALID;	/* middle: va 0x2c0 */
	memory[0x300 / 8 + 3] = 0x7f0 | VALID | LEAF | 8;	/* va 0x2f0 */
	memory[0x200 / 8] = 0xa000 | VALID | LEAF | 4;	/* va 0x280, 0x40 bytes */
	memory[0x100 / 8 + 6] = 0xb000 | VALID | LEAF;	/* va 0x300, 0x80 bytes */
}

static void leaves(void)
{
	struct walk_result r;

	setup();
	expect_eq(go(0x2f3, &r), 0);
	expect_eq(r.address, 0x7f3);
	expect_eq(r.len, 13);
	expect_eq(r.level, 0);
	expect_eq(r.attrs, VALID | LEAF | 8);
	expect_eq(r.entry, 0x7f0 | VALID | LEAF | 8);
	expect_eq(r.table, 0x300);
	expect_eq(reads, 3);
	expect_eq(last, 0x318);

	expect_eq(go(0x2bf, &r), 0);
	expect_eq(r.address, 0xa03f);
	expect_eq(r.len, 1);
	expect_eq(r.level, 1);
	expect_eq(reads, 2);

	expect_eq(go(0x300, &r), 0);
	expect_eq(r.address, 0xb000);
	expect_eq(r.len, 0x80);
	expect_eq(r.level, 2);
	expect_eq(r.attrs, VALID | LEAF);
	expect_eq(reads, 1);
}

static void high_bits(void)
{
	struct walk_result r;

	setup();
	expect_eq(go(0xffffffffffff0000ull | 0x2f3, &r), 0);
	expect_eq(r.address, 0x7f3);
}

static void nothing_there(void)
{
	static const uint64_t va[] = { 0x2e0, 0x2c0, 0, 0x380 };
	static const unsigned int level[] = { 0, 0, 2, 2 };
	struct walk_result r;

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(va); i++) {
		expect_eq(go(va[i], &r), -EFAULT);
		expect_eq(r.level, level[i]);
		expect_eq(r.entry, 0);
	}
	memory[0x200 / 8 + 1] = 0x300;	/* all but the valid bit */
	expect_eq(go(0x2f3, &r), -EFAULT);
	expect_eq(r.level, 1);
	expect_eq(r.entry, 0x300);
	expect_eq(r.table, 0x200);
}

static void unreadable(void)
{
	struct walk_result r;

	setup();
	memory[0x200 / 8 + 1] = 0x10000 | VALID;
	expect_eq(go(0x2f3, &r), -ENXIO);
	expect_eq(r.level, 0);
	expect_eq(r.table, 0x10000);
	expect_eq(reads, 3);
}

static void no_end(void)
{
	struct walk_result r;

	setup();
	memory[0x300 / 8 + 3] = 0x100 | VALID;	/* a table below the last */
	expect_eq(go(0x2f3, &r), -EFAULT);
	expect_eq(r.level, 0);
	expect_eq(reads, 3);
}

/* A table that is indexed otherwise than its level, and only that one. */
static void other_index(void)
{
	struct walk_result r;

	setup();
	memory[0x200 / 8 + 1] = 0x300 | VALID | HALVES;
	memory[0x300 / 8 + 1] = 0x7e0 | VALID | LEAF;
	expect_eq(go(0x2f3, &r), 0);
	expect_eq(last, 0x308);
	expect_eq(r.address, 0x7f3);
	expect_eq(r.len, 13);
	expect_eq(go(0x2e0, &r), 0);
	expect_eq(r.address, 0x7e0);
	expect_eq(r.len, 0x20);
	/* The next walk is as the format says. */
	expect_eq(go(0x2bf, &r), 0);
	expect_eq(r.address, 0xa03f);
}

static const struct tap_test tests[] = {
	{ "a leaf at each level", leaves },
	{ "bits above the format are ignored", high_bits },
	{ "no entry at each level", nothing_there },
	{ "a table that cannot be read", unreadable },
	{ "a table with an index of its own", other_index },
	{ "a last level that leads on is a fault", no_end },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
