// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE

#include <fcntl.h>
#include <linux/pci_regs.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dummy.h"
#include "tap.h"

static struct dummy dummy;

static uint32_t get(unsigned int offset, unsigned int len)
{
	uint32_t value = 0;

	pci_config_read(&dummy.pci, offset, &value, len);
	return value;
}

static void set(unsigned int offset, uint32_t value, unsigned int len)
{
	pci_config_write(&dummy.pci, offset, &value, len);
}

static void identity(void)
{
	expect_eq(dummy_init(&dummy), 0);
	expect_eq(get(PCI_VENDOR_ID, 4), 0x56781234);
	expect_eq(get(PCI_CLASS_REVISION, 4), 0xff000003);
	expect_eq(get(PCI_SUBSYSTEM_VENDOR_ID, 4), 0xdef09abc);
	expect_eq(get(PCI_HEADER_TYPE, 1), 0);
	expect_eq(get(PCI_INTERRUPT_PIN, 1), 0);
	for (unsigned int i = 0; i < PCI_CONFIG_SIZE; i += 4)
		if (i < PCI_COMMAND || i >= PCI_BASE_ADDRESS_0)
			set(i, 0xffffffff, 4);
	expect_eq(get(PCI_VENDOR_ID, 4), 0x56781234);
	expect_eq(get(PCI_CLASS_REVISION, 4), 0xff000003);
	expect_eq(get(PCI_SUBSYSTEM_VENDOR_ID, 4), 0xdef09abc);
	expect_eq(get(PCI_INTERRUPT_LINE, 1), 0xff);
	for (unsigned int i = PCI_CFG_SPACE_SIZE; i < PCI_CONFIG_SIZE; i += 4)
		expect_eq(get(i, 4), 0);
	dummy_free(&dummy);
}

static void command(void)
{
	expect_eq(dummy_init(&dummy), 0);
	set(PCI_COMMAND, 0xffff, 2);
	expect_eq(get(PCI_COMMAND, 2),
		  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
		  PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	set(PCI_STATUS, 0xffff, 2);
	expect_eq(get(PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
	/* A byte of a register does not touch the other. */
	set(PCI_COMMAND + 1, 0, 1);
	expect_eq(get(PCI_COMMAND, 2), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		  PCI_COMMAND_PARITY);
	expect_eq(dummy.config_writes, 3);
	dummy_free(&dummy);
}

/* What software does to learn the size of a BAR. */
static void sizing(void)
{
	static const struct {
		unsigned int reg;
		uint32_t sized;
	} regs[] = {
		{ PCI_BASE_ADDRESS_0, ~(DUMMY_BAR0_SIZE - 1) | 0x4 },
		{ PCI_BASE_ADDRESS_1, 0xffffffff },
		{ PCI_BASE_ADDRESS_2, ~(DUMMY_BAR2_SIZE - 1) | 0xc },
		{ PCI_BASE_ADDRESS_3, 0xffffffff },
		{ PCI_BASE_ADDRESS_4, ~(DUMMY_BAR4_SIZE - 1) },
		{ PCI_BASE_ADDRESS_5, 0 },
		{ PCI_ROM_ADDRESS, ~(DUMMY_ROM_SIZE - 1) },
	};

	expect_eq(dummy_init(&dummy), 0);
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		uint32_t before = get(regs[i].reg, 4);

		set(regs[i].reg, regs[i].reg == PCI_ROM_ADDRESS ?
		    PCI_ROM_ADDRESS_MASK : 0xffffffff, 4);
		expect_eq(get(regs[i].reg, 4), regs[i].sized);
		set(regs[i].reg, before, 4);
		expect_eq(get(regs[i].reg, 4), before);
	}
	dummy_free(&dummy);
}

/* More than the low register can say. */
static void big_bars(void)
{
	static const struct pci_id id = { .vendor = 1 };
	static const struct pci_ops none = {};
	struct pci_dev pci;
	uint64_t ones = UINT64_MAX, sized;

	pci_init(&pci, &none, &id);
	pci.bar[2].size = HW_GIB(8);
	pci.bar[2].flags = PCI_BAR_64 | PCI_BAR_PREFETCH;
	pci.bar[4].size = 16;
	pci_setup_bars(&pci);
	pci_config_write(&pci, PCI_BASE_ADDRESS_2, &ones, 8);
	pci_config_read(&pci, PCI_BASE_ADDRESS_2, &sized, 8);
	expect_eq(sized, ~(HW_GIB(8) - 1) | 0xc);
	pci_config_write(&pci, PCI_BASE_ADDRESS_4, &ones, 8);
	pci_config_read(&pci, PCI_BASE_ADDRESS_4, &sized, 8);
	expect_eq(sized, 0xfffffff0);
	pci_reset(&pci);
	pci_config_read(&pci, PCI_BASE_ADDRESS_2, &sized, 8);
	expect_eq(sized, 0xc);
}

static void addresses(void)
{
	expect_eq(dummy_init(&dummy), 0);
	set(PCI_BASE_ADDRESS_2, 0xfe000000, 4);
	set(PCI_BASE_ADDRESS_3, 0x12, 4);
	set(PCI_BASE_ADDRESS_4, 0xfd123456, 4);
	set(PCI_ROM_ADDRESS, 0xfc000000, 4);
	expect_eq(pci_bar_address(&dummy.pci, 2), 0);
	set(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	expect_eq(pci_bar_address(&dummy.pci, 2), 0x12fe000000);
	expect_eq(pci_bar_address(&dummy.pci, 3), 0);
	expect_eq(pci_bar_address(&dummy.pci, 4), 0xfd123000);
	expect_eq(pci_bar_address(&dummy.pci, PCI_ROM), 0);
	set(PCI_ROM_ADDRESS, 0xfc000001, 4);
	expect_eq(pci_bar_address(&dummy.pci, PCI_ROM), 0xfc000000);
	expect_eq(pci_bar_address(&dummy.pci, 7), 0);
	dummy_free(&dummy);
}

static void capabilities(void)
{
	expect_eq(dummy_init(&dummy), 0);
	expect_eq(get(PCI_CAPABILITY_LIST, 1), 0x40);
	expect_eq(get(0x40, 2), PCI_CAP_ID_MSI | 0x70 << 8);
	expect_eq(get(0x70, 2), PCI_CAP_ID_EXP);

	expect_eq(get(0x42, 2), PCI_MSI_FLAGS_64BIT);
	set(0x42, 0xffff, 2);
	expect_eq(get(0x42, 2), PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_ENABLE |
		  PCI_MSI_FLAGS_QSIZE);
	set(0x44, 0xfee00fff, 4);
	expect_eq(get(0x44, 4), 0xfee00ffc);
	set(0x48, 0x12345678, 4);
	expect_eq(get(0x48, 4), 0x12345678);
	set(0x4c, 0xffffffff, 4);
	expect_eq(get(0x4c, 4), 0xffff);

	expect_eq(get(0x70 + PCI_EXP_FLAGS, 2), 2);
	expect(!(get(0x70 + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR));
	set(0x70 + PCI_EXP_DEVCTL, 0xffff, 2);
	expect(!(get(0x70 + PCI_EXP_DEVCTL, 2) & PCI_EXP_DEVCTL_BCR_FLR));
	expect_eq(dummy.resets, 0);
	dummy_free(&dummy);
}

static void reset(void)
{
	uint8_t before[PCI_CONFIG_SIZE];
	uint64_t value = 7;

	expect_eq(dummy_init(&dummy), 0);
	pci_config_read(&dummy.pci, 0, before, sizeof(before));
	for (unsigned int i = 0; i < PCI_CONFIG_SIZE; i += 4)
		set(i, 0xa5a5a5a5, 4);
	expect(memcmp(before, dummy.pci.config, sizeof(before)));
	expect_eq(pci_bar_write(&dummy.pci, 0, DUMMY_SCRATCH, &value, 4), 0);
	expect_eq(pci_bar_write(&dummy.pci, 2, 64, &value, 8), 0);
	pci_reset(&dummy.pci);
	expect(!memcmp(before, dummy.pci.config, sizeof(before)));
	expect_eq(dummy.resets, 1);
	expect_eq(dummy.scratch, 0);
	expect_eq(dummy.pci.bar[2].host[64], 7);
	dummy_free(&dummy);
}

static void registers(void)
{
	uint64_t value;

	expect_eq(dummy_init(&dummy), 0);
	expect_eq(pci_bar_read(&dummy.pci, 0, DUMMY_ID, &value, 4), 0);
	expect_eq((uint32_t)value, DUMMY_ID_VALUE);
	value = 0x12345678;
	expect_eq(pci_bar_write(&dummy.pci, 0, DUMMY_SCRATCH, &value, 4), 0);
	expect_eq(dummy.scratch, 0x12345678);
	expect_eq(pci_bar_read(&dummy.pci, 4, 0, &value, 8), 0);
	expect_eq(value, UINT64_MAX);
	/* Lengths and places that no bus has are split. */
	expect_eq(pci_bar_read(&dummy.pci, 0, 3, &value, 7), 0);
	expect_eq(pci_bar_write(&dummy.pci, 0, 1, &value, 7), 0);
	expect_eq(dummy.odd, 0);
	dummy_free(&dummy);
}

static void memory(void)
{
	const uint64_t pattern = 0x1122334455667788;
	uint8_t buf[DUMMY_BAR0_SIZE];
	uint32_t hole;
	uint64_t value;

	expect_eq(dummy_init(&dummy), 0);
	expect_eq(pci_bar_write(&dummy.pci, 0, DUMMY_AREA1 + 3, &pattern, 8), 0);
	expect(!memcmp(dummy.pci.bar[0].host + DUMMY_AREA1 + 3, &pattern, 8));
	expect_eq(pci_bar_read(&dummy.pci, 0, DUMMY_AREA1 + 3, &value, 8), 0);
	expect_eq(value, pattern);
	/* Across an edge: memory up to it, then registers. */
	expect_eq(pci_bar_write(&dummy.pci, 0, DUMMY_HOLE - 4, &pattern, 8), 0);
	expect(!memcmp(dummy.pci.bar[0].host + DUMMY_HOLE - 4, &pattern, 4));
	expect_eq(dummy.pci.bar[0].host[DUMMY_HOLE], 0);
	expect_eq(pci_bar_read(&dummy.pci, 0, 0, buf, sizeof(buf)), 0);
	memcpy(&hole, buf + DUMMY_HOLE, 4);
	expect_eq(hole, DUMMY_HOLE_VALUE);
	expect(!memcmp(buf + DUMMY_AREA1 + 3, &pattern, 8));
	expect_eq(pci_bar_read(&dummy.pci, PCI_ROM, 0x10, buf, 4), 0);
	expect(!memcmp(buf, "\x10\x11\x12\x13", 4));
	expect_eq(pci_bar_write(&dummy.pci, PCI_ROM, 0x10, &pattern, 8), 0);
	expect_eq(dummy.rom[0x10], 0x10);
	expect_eq(dummy.odd, 0);
	dummy_free(&dummy);
}

static void outside(void)
{
	uint64_t value = 0;

	expect_eq(dummy_init(&dummy), 0);
	expect_eq(pci_bar_read(&dummy.pci, 0, DUMMY_BAR0_SIZE, &value, 1),
		  -EINVAL);
	expect_eq(pci_bar_read(&dummy.pci, 0, DUMMY_BAR0_SIZE - 4, &value, 8),
		  -EINVAL);
	expect_eq(pci_bar_write(&dummy.pci, 0, UINT64_MAX, &value, 8), -EINVAL);
	expect_eq(pci_bar_write(&dummy.pci, 1, 0, &value, 4), -EINVAL);
	expect_eq(pci_bar_read(&dummy.pci, 7, 0, &value, 4), -EINVAL);
	expect_eq(pci_bar_read(&dummy.pci, 0, DUMMY_BAR0_SIZE - 8, &value, 8), 0);
	dummy_free(&dummy);
}

static void interrupts(void)
{
	uint64_t value = UINT64_MAX - 1;
	int pipe_fds[2], fd = eventfd(0, EFD_CLOEXEC);

	expect_eq(dummy_init(&dummy), 0);
	pci_msi(&dummy.pci);
	expect_eq(dummy.pci.msi_lost, 1);
	dummy.pci.msi_fd = fd;
	pci_msi(&dummy.pci);
	pci_msi(&dummy.pci);
	expect_eq(dummy.pci.msi_count, 2);
	expect_eq(dummy.pci.msi_lost, 1);
	expect_eq(read(fd, &value, 8), 8);
	expect_eq(value, 2);

	/* A full one, which blocks whoever writes, holds nobody up. */
	value = UINT64_MAX - 1;
	expect_eq(write(fd, &value, 8), 8);
	pci_msi(&dummy.pci);
	expect_eq(dummy.pci.msi_lost, 2);

	/* Nor does a pipe that nobody reads. */
	expect(!pipe2(pipe_fds, O_CLOEXEC));
	dummy.pci.msi_fd = pipe_fds[1];
	for (int i = 0; i < 10000; i++)
		pci_msi(&dummy.pci);
	expect(dummy.pci.msi_lost > 2);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(fd);
	dummy_free(&dummy);
}

/* How many pages of @len bytes there are in memory; none if that cannot be told. */
static size_t present(uint8_t *at, size_t len)
{
	static uint8_t page[DUMMY_BAR2_SIZE / HW_PAGE_SIZE];
	size_t count = 0;

	if (mincore(at, len, page))
		return 0;
	for (size_t i = 0; i < len / HW_PAGE_SIZE; i++)
		count += page[i] & 1;
	return count;
}

static void fresh_memory(void)
{
	const size_t pages = DUMMY_BAR2_SIZE / HW_PAGE_SIZE;
	unsigned int pieces = 0;
	uint8_t *host;

	expect_eq(dummy_init(&dummy), 0);
	host = dummy.pci.bar[2].host;
	host[5000] = 0x5a;
	expect(present(host, DUMMY_BAR2_SIZE) < pages / 4);
	dummy.pci.fresh = host;
	dummy.pci.fresh_len = DUMMY_BAR2_SIZE;
	while (dummy.pci.fresh_len && pieces++ < pages) {
		pci_touch(&dummy.pci);
		/* In pieces: somebody may have begun to wait. */
		if (pieces == 1)
			expect(present(host, DUMMY_BAR2_SIZE) < pages / 4);
	}
	expect_eq(present(host, DUMMY_BAR2_SIZE), pages);
	expect_eq(host[5000], 0x5a);
	expect_eq(host[4999] | host[5001] | host[DUMMY_BAR2_SIZE - 1], 0);
	dummy_free(&dummy);
}

static const struct tap_test tests[] = {
	{ "what identifies a function", identity },
	{ "command and status", command },
	{ "sizing of BARs", sizing },
	{ "a BAR of 8 GiB", big_bars },
	{ "addresses of BARs", addresses },
	{ "capabilities", capabilities },
	{ "reset", reset },
	{ "registers", registers },
	{ "memory of BARs", memory },
	{ "accesses outside of BARs", outside },
	{ "interrupts", interrupts },
	{ "memory is made present, piece by piece", fresh_memory },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
