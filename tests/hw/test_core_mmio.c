// SPDX-License-Identifier: GPL-2.0-only
/* Register tables: what is called, what is tolerated, what is reported. */
#include "core/mmio.h"
#include "core/trace.h"
#include "log.h"
#include "tap.h"

#define SIZE 0x1000

static uint32_t value[4];
static unsigned int reads, writes;

static uint32_t read_value(void *priv, unsigned int index)
{
	reads++;
	return priv == value ? value[index] : 0;
}

static void write_value(void *priv, unsigned int index, uint32_t v)
{
	writes++;
	if (priv == value)
		value[index] = v;
}

static const struct mmio_reg table[] = {
	{ 0x100, 4, "VALUE", read_value, write_value },
	{ 0x200, 1, "READ_ONLY", read_value, NULL },
	{ 0x204, 1, "WRITE_ONLY", NULL, write_value },
};

static const struct mmio_tolerated tolerated[] = {
	{ 0x300, 2, "TOLERATED", 0x11223344, "the driver only logs it" },
	{ 0x100, 1, "ALSO_MODELLED", 7, "never asked" },
};

static const struct mmio_name names[] = {
	{ 0x10, "TEN" }, { 0x400, "FOUR_HUNDRED" }, { 0x404, "NEXT" },
};

static struct mmio *setup(void)
{
	struct mmio *mmio = mmio_new(SIZE, value, names, ARRAY_SIZE(names));

	mmio_add(mmio, table, ARRAY_SIZE(table));
	mmio_tolerate(mmio, tolerated, ARRAY_SIZE(tolerated));
	memset(value, 0, sizeof(value));
	reads = writes = 0;
	return mmio;
}

static void modelled(void)
{
	struct mmio *mmio = setup();

	log_start("");
	mmio_write(mmio, 0x10c, 0xcafe, 4);
	expect_eq(writes, 1);
	expect_eq(value[3], 0xcafe);
	expect_eq(mmio_read(mmio, 0x10c, 4), 0xcafe);
	expect_eq(mmio_read(mmio, 0x100, 4), 0);
	expect_eq(reads, 2);
	value[0] = 5;
	expect_eq(mmio_read(mmio, 0x200, 4), 5);
	mmio_write(mmio, 0x200, 1, 4);
	expect_eq(mmio_read(mmio, 0x204, 4), 0);
	expect_eq(writes, 1);
	/* What is modelled is nothing to report, tolerated or not. */
	expect_eq(mmio_report(mmio), 0);
	expect_eq(log_count("not modelled"), 0);
	mmio_free(mmio);
}

static void narrow(void)
{
	struct mmio *mmio = setup();

	log_start("");
	value[0] = 0x44332211;
	expect_eq(mmio_read(mmio, 0x100, 1) & 0xff, 0x11);
	expect_eq(mmio_read(mmio, 0x101, 1) & 0xff, 0x22);
	expect_eq(mmio_read(mmio, 0x102, 2) & 0xffff, 0x4433);
	/* A narrow write would have to merge with what is there. */
	mmio_write(mmio, 0x100, 0xff, 1);
	mmio_write(mmio, 0x102, 0xffff, 2);
	expect_eq(writes, 0);
	expect_eq(value[0], 0x44332211);
	expect_eq(log_count("write of 1 bytes to VALUE (0x100) is dropped"), 1);
	expect_eq(log_count("write of 2 bytes to VALUE (0x102) is dropped"), 1);
	mmio_write(mmio, 0x100, 1, 4);
	expect_eq(writes, 1);
	mmio_free(mmio);
}

static void report(void)
{
	struct mmio *mmio = setup();

	log_start("");
	expect_eq(mmio_report(mmio), 0);
	expect_eq(mmio_read(mmio, 0x304, 4), 0x11223344);
	mmio_write(mmio, 0x304, 1, 4);
	expect_eq(mmio_read(mmio, 0x304, 4), 0x11223344);
	expect_eq(mmio_report(mmio), 0);
	expect_eq(log_count("TOLERATED"), 1);
	expect_eq(log_count("2 reads, 1 writes: the driver only logs it"), 1);
	expect_eq(log_count("000300"), 0);

	/* Unknown ones read 0; strict mode fails for the number of them. */
	expect_eq(mmio_read(mmio, 0x400, 4), 0);
	mmio_write(mmio, 0x404, 1, 4);
	expect_eq(mmio_read(mmio, 0xffc, 4), 0);
	log_rewind();
	expect_eq(mmio_report(mmio), 3);
	expect_eq(log_count("FOUR_HUNDRED"), 1);
	expect_eq(log_count("1 reads, 0 writes: nobody knows why"), 2);
	expect_eq(log_count("NEXT"), 1);
	expect_eq(log_count("0 reads, 1 writes: nobody knows why"), 1);
	expect_eq(log_count("000ffc ?"), 1);
	mmio_free(mmio);
}

static void spin(void)
{
	struct mmio *mmio = setup();
	unsigned int i;

	log_start("");
	for (i = 0; i < 2000; i++)
		mmio_read(mmio, 0x10, 4);
	expect_eq(log_count("spins"), 0);
	for (i = 0; i < 5000; i++)
		mmio_read(mmio, 0x10, 4);
	/* Once, not for each read from then on. */
	expect_eq(log_count("the guest spins on TEN (0x10), which reads 0"), 1);

	/* A value that changes, another register, or a write: no spinning. */
	log_rewind();
	for (i = 0; i < 10000; i++) {
		value[0] = i / 1000;
		mmio_read(mmio, 0x100, 4);
	}
	for (i = 0; i < 10000; i++)
		mmio_read(mmio, i & 4 ? 0x108 : 0x104, 4);
	for (i = 0; i < 10000; i++) {
		mmio_read(mmio, 0x104, 4);
		if (i % 1000 == 0)
			mmio_write(mmio, 0x104, 0, 4);
	}
	expect_eq(log_count("spins"), 0);
	mmio_free(mmio);
}

static void traced(void)
{
	struct mmio *mmio = setup();

	log_start("mmio");
	mmio_write(mmio, 0x104, 0xabcd, 4);
	mmio_read(mmio, 0x104, 4);
	mmio_read(mmio, 0x300, 4);
	mmio_read(mmio, 0x400, 2);
	expect_eq(log_count("W32 000104 VALUE"), 1);
	expect_eq(log_count("R32 000104 VALUE"), 1);
	expect_eq(log_count("= 0000abcd"), 2);
	expect_eq(log_count("= 11223344 (tolerated)"), 1);
	expect_eq(log_count("R16 000400 FOUR_HUNDRED"), 1);
	expect_eq(log_count("(NOT MODELLED)"), 1);
	mmio_free(mmio);
}

/* Where no table says otherwise, a space with memory keeps what is written. */
static void backed(void)
{
	static uint32_t memory[SIZE / 4];
	static const struct mmio_tolerated area[] = {
		{ 0x400, 4, NULL, 5, "only kept" },
	};
	struct mmio *mmio = setup();

	mmio_tolerate(mmio, area, 1);
	mmio_write(mmio, 0x404, 1, 4);
	expect_eq(mmio_read(mmio, 0x404, 4), 5);
	mmio_back(mmio, memory);
	memory[0x400 / 4] = 0x12345678;
	expect_eq(mmio_read(mmio, 0x400, 4), 0x12345678);
	expect_eq(mmio_read(mmio, 0x402, 2) & 0xffff, 0x1234);
	mmio_write(mmio, 0x404, 77, 4);
	expect_eq(memory[0x404 / 4], 77);
	mmio_write(mmio, 0x404, 1, 2);
	expect_eq(memory[0x404 / 4], 77);
	/* One half of these two is a function, the other memory. */
	mmio_write(mmio, 0x200, 9, 4);
	expect_eq(memory[0x200 / 4], 9);
	expect_eq(mmio_read(mmio, 0x200, 4), 0);
	mmio_write(mmio, 0x204, 8, 4);
	expect_eq(value[0], 8);
	expect_eq(mmio_read(mmio, 0x204, 4), 0);
	/* Functions on both sides leave it alone. */
	mmio_write(mmio, 0x108, 4, 4);
	expect_eq(memory[0x108 / 4], 0);
	/* Those in no table keep too, and count; names are those of the list. */
	mmio_write(mmio, 0x500, 3, 4);
	expect_eq(mmio_read(mmio, 0x500, 4), 3);
	log_start("");
	expect_eq(mmio_report(mmio), 1);
	expect_eq(log_count("000400-00040f, 2 registers, 3 reads, 3 writes"), 1);
	expect_eq(log_count("FOUR_HUNDRED"), 0);
	log_start("mmio");
	mmio_read(mmio, 0x400, 4);
	expect_eq(log_count("FOUR_HUNDRED"), 1);
	mmio_free(mmio);
}

static const struct tap_test tests[] = {
	{ "modelled registers reach their functions", modelled },
	{ "narrow reads work, narrow writes are dropped", narrow },
	{ "report and strict count, by name and reason", report },
	{ "the register that a guest spins on is named once", spin },
	{ "each access is traced", traced },
	{ "a space that keeps what is written", backed },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
