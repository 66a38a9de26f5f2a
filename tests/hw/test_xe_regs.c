// SPDX-License-Identifier: GPL-2.0-only
/* What the driver sees of the function: configuration space, BARs, registers. */
#include <linux/pci_regs.h>

#include "log.h"
#include "tap.h"
#include "xe/driver.h"
#include "xe_rig.h"

static uint32_t config(struct rig *rig, unsigned int offset, unsigned int len)
{
	uint32_t value = 0;

	pci_config_read(&rig->vf->pci, offset, &value, len);
	return value;
}

static void identity(void)
{
	struct xe_config other = rig_config;
	unsigned int at, ids = 0;
	struct rig rig;

	rig_init(&rig, NULL, NULL);
	expect_eq(config(&rig, PCI_VENDOR_ID, 4), 0xe20b8086);
	expect_eq(config(&rig, PCI_CLASS_REVISION, 4) >> 8, 0x038000);
	/* MSI and PCI Express, nothing else: no MSI-X, no power management. */
	at = config(&rig, PCI_CAPABILITY_LIST, 1);
	for (; at; at = config(&rig, at + PCI_CAP_LIST_NEXT, 1))
		ids |= 1u << config(&rig, at, 1);
	expect_eq(ids, 1u << PCI_CAP_ID_MSI | 1u << PCI_CAP_ID_EXP);
	/* The driver expects no function level reset. */
	at = config(&rig, PCI_CAPABILITY_LIST, 1);
	while (config(&rig, at, 1) != PCI_CAP_ID_EXP)
		at = config(&rig, at + PCI_CAP_LIST_NEXT, 1);
	expect_eq(config(&rig, at + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR, 0);
	rig_free(&rig);

	other.device_id = 0xe211;
	rig_init(&rig, &other, NULL);
	expect_eq(config(&rig, PCI_VENDOR_ID, 4), 0xe2118086);
	rig_free(&rig);
}

static void bars(void)
{
	struct xe_config small = rig_config;
	struct rig rig;

	rig_init(&rig, NULL, NULL);
	expect_eq(config(&rig, PCI_BASE_ADDRESS_0, 4),
		  PCI_BASE_ADDRESS_MEM_TYPE_64);
	expect_eq(config(&rig, PCI_BASE_ADDRESS_2, 4),
		  PCI_BASE_ADDRESS_MEM_TYPE_64 |
		  PCI_BASE_ADDRESS_MEM_PREFETCH);
	expect_eq(rig.vf->pci.bar[0].size, HW_MIB(16));
	expect_eq(rig.vf->pci.bar[2].size, RIG_VRAM_SIZE);
	rig_free(&rig);

	small.visible = HW_MIB(4);
	rig_init(&rig, &small, NULL);
	expect_eq(rig.vf->pci.bar[2].size, HW_MIB(4));
	/* What the BAR does not show is there all the same. */
	memset(rig.vf->vram + RIG_VRAM_SIZE - 16, 1, 16);
	rig_free(&rig);
}

static void capability(void)
{
	struct rig rig;

	rig_init(&rig, NULL, NULL);
	expect_eq(rig_read(&rig, VF_CAP_REG.addr) & VF_CAP, VF_CAP);
	/* The driver writes 0 there to flush what was posted. */
	rig_write(&rig, VF_CAP_REG.addr, 0);
	expect_eq(rig_read(&rig, VF_CAP_REG.addr) & VF_CAP, VF_CAP);
	rig_free(&rig);
}

static void mailboxes(void)
{
	struct rig rig;

	rig_init(&rig, NULL, NULL);
	for (int i = 0; i < 4; i++) {
		rig_write(&rig, VF_SW_FLAG(i).addr, 0x100 + i);
		rig_write(&rig, MED_VF_SW_FLAG(i).addr, 0x200 + i);
	}
	for (int i = 0; i < 4; i++) {
		expect_eq(rig_read(&rig, VF_SW_FLAG(i).addr), 0x100 + i);
		expect_eq(rig_read(&rig, MED_VF_SW_FLAG(i).addr), 0x200 + i);
	}
	expect_eq(rig_read(&rig, GUC_HOST_INTERRUPT.addr), 0);
	expect_eq(mmio_report(rig.vf->mmio), 0);
	rig_free(&rig);
}

/* A register that a VF does not have is noticed, by its name in the driver. */
static void unknown(void)
{
	struct rig rig;

	rig_init(&rig, NULL, NULL);
	log_start("");
	expect_eq(rig_read(&rig, GMD_ID.addr), 0);
	rig_write(&rig, 0x3ffffc, 1);
	expect_eq(mmio_report(rig.vf->mmio), 2);
	expect_eq(log_count("GMD_ID"), 1);
	expect_eq(log_count("not modelled: 3ffffc"), 1);
	trace_mask = 0;
	rig_free(&rig);
}

static void wide(void)
{
	uint64_t value = 0x1111111122222222;
	struct rig rig;
	uint8_t byte;

	rig_init(&rig, NULL, NULL);
	expect_eq(pci_bar_write(&rig.vf->pci, 0, VF_SW_FLAG(0).addr, &value, 8),
		  0);
	expect_eq(rig_read(&rig, VF_SW_FLAG(0).addr), 0x22222222);
	expect_eq(rig_read(&rig, VF_SW_FLAG(1).addr), 0x11111111);
	value = 0;
	expect_eq(pci_bar_read(&rig.vf->pci, 0, VF_SW_FLAG(0).addr, &value, 8),
		  0);
	expect_eq(value, 0x1111111122222222);
	/* A byte of a register: read, but not written. */
	expect_eq(pci_bar_read(&rig.vf->pci, 0, VF_SW_FLAG(1).addr + 3, &byte,
			       1), 0);
	expect_eq(byte, 0x11);
	byte = 0xff;
	expect_eq(pci_bar_write(&rig.vf->pci, 0, VF_SW_FLAG(1).addr, &byte, 1),
		  0);
	expect_eq(rig_read(&rig, VF_SW_FLAG(1).addr), 0x11111111);
	rig_free(&rig);
}

/* What user space maps to order its writes: no memory. */
static void barrier_page(void)
{
	const uint32_t page = 0x7ff000;
	struct rig rig;

	rig_init(&rig, NULL, NULL);
	expect_eq(rig_read(&rig, page), 0xdeadbeef);
	rig_write(&rig, page, 0);
	rig_write(&rig, page + 0xffc, 0);
	expect_eq(rig_read(&rig, page), 0xdeadbeef);
	expect_eq(rig_read(&rig, page + 0xffc), 0xdeadbeef);
	/* Its neighbours are memory. */
	for (int i = 0; i < 2; i++) {
		uint32_t at = i ? page - 4 : page + 0x1000;

		rig_write(&rig, at, 0x1234 + i);
		expect_eq(rig_read(&rig, at), 0x1234 + i);
	}
	/* And the first after the registers. */
	rig_write(&rig, HW_MIB(4), 0x77);
	expect_eq(rig_read(&rig, HW_MIB(4)), 0x77);
	rig_free(&rig);
}

/* In the order and with the offsets that the driver asks its PF for. */
static void runtime(void)
{
	static const uint32_t offsets[] = {
		0x0d00, 0x9114, 0x9118, 0x911c, 0x9134, 0x913c, 0x9140, 0x9144,
		0x9148, 0x914c, 0x9150, 0x9154, 0xc1dc,
	};
	struct xe_config config = rig_config;
	struct rig rig;
	uint32_t offset, value;

	for (config.ccs = 0; config.ccs <= 4; config.ccs++) {
		rig_init(&rig, &config, NULL);
		expect_eq(xe_runtime_registers(), ARRAY_SIZE(offsets));
		for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
			value = xe_runtime_register(rig.vf, i, &offset);
			expect_eq(offset, offsets[i]);
			if (offset == 0x9114)
				expect_eq(value, ((1u << config.ccs) - 1) << 16);
			/* Another crystal would divide by zero. */
			if (offset == 0x0d00)
				expect_eq(value, 0x14);
		}
		rig_free(&rig);
	}
}

static void names(void)
{
	expect(xe_nr_register_names > 100);
	for (size_t i = 1; i < xe_nr_register_names; i++)
		expect(xe_register_names[i - 1].offset <
		       xe_register_names[i].offset);
}

static const struct tap_test tests[] = {
	{ "identity and capabilities", identity },
	{ "BARs, and one smaller than VRAM", bars },
	{ "VF_CAP_REG says that it is a VF", capability },
	{ "two mailboxes", mailboxes },
	{ "unknown registers are reported by name", unknown },
	{ "64 bit and byte accesses", wide },
	{ "the barrier page is no memory", barrier_page },
	{ "runtime registers, and the fuse of the compute engines", runtime },
	{ "the driver's names are sorted", names },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
