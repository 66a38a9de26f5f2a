// SPDX-License-Identifier: GPL-2.0-only
/* Identity, registers that mean something, those that only keep, the account. */
#include "amdgpu_rig.h"
#include "log.h"
#include "tap.h"

static struct arig rig;

static uint32_t config(unsigned int offset, unsigned int len)
{
	uint32_t value = 0;

	pci_config_read(&rig.cik->pci, offset, &value, len);
	return value;
}

static void identity(void)
{
	arig_init(&rig, NULL, NULL);
	expect_eq(config(0, 4), 0x66581002);
	expect_eq(config(0xa, 2), 0x0380);
	/* MSI, then PCI Express version 2, and an extended capability. */
	expect_eq(config(0x34, 1), 0x50);
	expect_eq(config(0x50, 1), 0x05);
	expect_eq(config(config(0x51, 1), 1), 0x10);
	expect_eq(config(0x100, 2), 0x000b);
	arig_free(&rig);
}

static uint32_t bar_mask(unsigned int bar)
{
	const uint32_t ones = ~0u;

	pci_config_write(&rig.cik->pci, 0x10 + 4 * bar, &ones, 4);
	return config(0x10 + 4 * bar, 4) & ~0xfu;
}

static void sizes(void)
{
	struct cik_config small = arig_config;

	arig_init(&rig, NULL, NULL);
	expect_eq(-bar_mask(0), ARIG_VRAM_SIZE);
	expect_eq(-bar_mask(2), HW_MIB(8));
	expect_eq(-bar_mask(5), HW_KIB(256));
	expect_eq(arig_read(&rig, mmCONFIG_MEMSIZE), ARIG_VRAM_SIZE >> 20);
	arig_free(&rig);

	small.visible = HW_MIB(4);
	small.vram = HW_MIB(24);
	arig_init(&rig, &small, NULL);
	expect_eq(-bar_mask(0), HW_MIB(4));
	expect_eq(arig_read(&rig, mmCONFIG_MEMSIZE), 24);
	/* The end of VRAM rounds down to the units of this register. */
	expect_eq(arig_read(&rig, mmMC_VM_FB_LOCATION), 0xf401f400);
	arig_free(&rig);
}

static void storage(void)
{
	arig_init(&rig, NULL, NULL);
	arig_write(&rig, mmGB_ADDR_CONFIG, 0x12011003);
	expect_eq(arig_read(&rig, mmGB_ADDR_CONFIG), 0x12011003);
	/* These cannot be changed. */
	arig_write(&rig, mmCONFIG_MEMSIZE, 1);
	expect_eq(arig_read(&rig, mmCONFIG_MEMSIZE), ARIG_VRAM_SIZE >> 20);
	arig_write(&rig, mmGRBM_STATUS, ~0u);
	expect_eq(arig_read(&rig, mmGRBM_STATUS), 0);
	arig_write(&rig, mmRLC_GPM_STAT, 0);
	expect_eq(arig_read(&rig, mmRLC_GPM_STAT) & 6, 6);
	/* Requests that are done at once. */
	arig_write(&rig, mmRLC_GPR_REG2, 0x3);
	expect_eq(arig_read(&rig, mmRLC_GPR_REG2), 0x2);
	arig_write(&rig, mmVM_INVALIDATE_REQUEST, 1 << 3);
	expect_eq(arig_read(&rig, mmVM_INVALIDATE_REQUEST), 0);
	expect_eq(arig_read(&rig, mmGPU_HDP_FLUSH_DONE), ~0u);
	arig_free(&rig);
}

static void indexed(void)
{
	unsigned int i;

	arig_init(&rig, NULL, NULL);
	for (i = 0; i < 2; i++) {
		uint32_t index = i ? mmSMC_IND_INDEX_0 : mmPCIE_INDEX;
		uint32_t data = i ? mmSMC_IND_DATA_0 : mmPCIE_DATA;

		arig_write(&rig, index, 0xc0500000 + i);
		expect_eq(arig_read(&rig, data), 0);
		arig_write(&rig, data, 0x1234 + i);
		arig_write(&rig, index, 0xc0500010);
		expect_eq(arig_read(&rig, data), 0);
		arig_write(&rig, index, 0xc0500000 + i);
		expect_eq(arig_read(&rig, data), 0x1234 + i);
	}
	/* There is an end to it. */
	for (i = 0; i < 2 * CIK_INDEXED; i++) {
		arig_write(&rig, mmPCIE_INDEX, i);
		arig_write(&rig, mmPCIE_DATA, i + 1);
	}
	arig_write(&rig, mmPCIE_INDEX, 100);
	expect_eq(arig_read(&rig, mmPCIE_DATA), 101);
	arig_write(&rig, mmPCIE_INDEX, 2 * CIK_INDEXED - 1);
	expect_eq(arig_read(&rig, mmPCIE_DATA), 0);
	arig_free(&rig);
}

static void vram_window(void)
{
	uint64_t at = HW_MIB(9) + 0x40;

	arig_init(&rig, NULL, NULL);
	arig_write(&rig, mmMM_INDEX, (uint32_t)at | 0x80000000);
	arig_write(&rig, mmMM_INDEX_HI, at >> 31);
	arig_write(&rig, mmMM_DATA, 0xabcd0123);
	expect(!memcmp(rig.cik->vram + at, "\x23\x01\xcd\xab", 4));
	expect_eq(arig_read(&rig, mmMM_DATA), 0xabcd0123);
	/* Beyond the end there is nothing. */
	arig_write(&rig, mmMM_INDEX, (uint32_t)ARIG_VRAM_SIZE | 0x80000000);
	arig_write(&rig, mmMM_DATA, 1);
	expect_eq(arig_read(&rig, mmMM_DATA), 0);
	arig_write(&rig, mmMM_INDEX, (ARIG_VRAM_SIZE - 4) | 0x80000000);
	arig_write(&rig, mmMM_DATA, 2);
	expect_eq(arig_read(&rig, mmMM_DATA), 2);
	/* Without the top bit registers, but not itself. */
	arig_write(&rig, mmMM_INDEX, mmSCRATCH_REG0 * 4);
	arig_write(&rig, mmMM_DATA, 0x5555);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 0x5555);
	arig_write(&rig, mmMM_INDEX, mmMM_DATA * 4);
	expect_eq(arig_read(&rig, mmMM_DATA), 0);
	arig_free(&rig);
}

static void clocks(void)
{
	uint64_t before, after, start = hw_now();

	arig_init(&rig, NULL, NULL);
	before = arig_read(&rig, mmRLC_GPU_CLOCK_COUNT_LSB);
	before |= (uint64_t)arig_read(&rig, mmRLC_GPU_CLOCK_COUNT_MSB) << 32;
	while (hw_now() - start < 2000000)
		;
	after = arig_read(&rig, mmRLC_GPU_CLOCK_COUNT_LSB);
	after |= (uint64_t)arig_read(&rig, mmRLC_GPU_CLOCK_COUNT_MSB) << 32;
	/* At least 2 ms of 27 MHz, but for the time to make a device. */
	expect(after > before);
	expect(after - before < 27000000);
	arig_free(&rig);
}

static void bad_accesses(void)
{
	uint32_t value = 0x11223344;

	arig_init(&rig, NULL, NULL);
	arig_write(&rig, mmSCRATCH_REG0, 0xaabbccdd);
	expect(!pci_bar_read(&rig.cik->pci, 5, mmSCRATCH_REG0 * 4 + 2, &value,
			     2));
	expect_eq(value & 0xffff, 0xaabb);
	/* Writes of less than a register are none. */
	expect(!pci_bar_write(&rig.cik->pci, 5, mmSCRATCH_REG0 * 4, &value, 1));
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 0xaabbccdd);
	expect(pci_bar_read(&rig.cik->pci, 5, HW_KIB(256), &value, 4));
	arig_free(&rig);
}

/* Strict mode counts what is in no table: a register between blocks is. */
static void account(void)
{
	arig_init(&rig, NULL, NULL);
	arig_read(&rig, mmGRBM_STATUS);
	arig_write(&rig, mmGB_ADDR_CONFIG, 1);
	expect_eq(cik_report(rig.cik), 0);
	arig_write(&rig, 0x4000, 1);
	arig_read(&rig, 0x4001);
	expect_eq(arig_read(&rig, 0x4000), 1);
	expect_eq(cik_report(rig.cik), 2);
	log_start("note");
	cik_report(rig.cik);
	expect_eq(log_count("nobody knows why"), 2);
	expect_eq(log_count("1 registers, 0 reads, 1 writes: graphics"), 1);
	trace_mask = 0;
	arig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "identity and capabilities", identity },
	{ "sizes of BARs and of VRAM", sizes },
	{ "registers keep what is written, or do not", storage },
	{ "registers behind an index", indexed },
	{ "the window into VRAM", vram_window },
	{ "the clock counts", clocks },
	{ "accesses that are no whole register", bad_accesses },
	{ "the account for strict mode", account },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
