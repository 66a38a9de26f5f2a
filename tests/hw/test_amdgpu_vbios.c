// SPDX-License-Identifier: GPL-2.0-only
/* The VBIOS, read as the driver reads it: by the offsets that lead to each other. */
#include "amdgpu_rig.h"
#include "tap.h"

static struct arig rig;
static uint8_t rom[HW_KIB(64)];

static unsigned int word(unsigned int at)
{
	return rom[at] | rom[at + 1] << 8;
}

static void read_rom(void)
{
	arig_init(&rig, NULL, NULL);
	if (pci_bar_read(&rig.cik->pci, PCI_ROM, 0, rom, sizeof(rom)))
		hw_die(1, "no ROM");
}

static void image(void)
{
	unsigned int pcir, i;
	uint8_t sum = 0;

	read_rom();
	expect_eq(word(0), 0xaa55);
	expect(rom[2] > 0 && rom[2] * 512u <= sizeof(rom));
	for (i = 0; i < rom[2] * 512u; i++)
		sum += rom[i];
	expect_eq(sum, 0);
	/* The kernel maps as much as the images say. */
	pcir = word(0x18);
	expect(!memcmp(rom + pcir, "PCIR", 4));
	expect_eq(word(pcir + 4), 0x1002);
	expect_eq(word(pcir + 6), 0x6658);
	expect_eq(word(pcir + 16), rom[2]);
	expect(rom[pcir + 21] & 0x80);
	arig_free(&rig);
}

static void atom(void)
{
	unsigned int header, commands, data, init, info;

	read_rom();
	expect(!memcmp(rom + 0x30, " 761295520", 10));
	header = word(0x48);
	expect(!memcmp(rom + header + 4, "ATOM", 4));
	commands = word(header + 0x1e);
	data = word(header + 0x20);
	expect(commands && data);
	/* A part number that is empty would be a NULL pointer to the driver. */
	expect(rom[0x80]);
	expect(rom[word(header + 0xc)]);
	/* ASIC_Init is the first command: a header, then the end. */
	init = word(commands + 4);
	expect_eq(word(init), 7);
	expect_eq(rom[init + 6], 0x5b);
	/* FirmwareInfo is number 4 of the data: 2.1, with a reference clock. */
	info = word(data + 4 + 2 * 4);
	expect(info);
	expect_eq(rom[info + 2], 2);
	expect_eq(rom[info + 3], 1);
	expect_eq(word(info + 0x52), 2700);
	arig_free(&rig);
}

static void places(void)
{
	uint8_t byte = 0x12, at0 = 0x55;

	read_rom();
	/* At the start of VRAM as well. */
	expect(!memcmp(rig.cik->vram, rom, rom[2] * 512u));
	/* The one in the ROM stays, the other one is memory. */
	expect(!pci_bar_write(&rig.cik->pci, PCI_ROM, 0, &byte, 1));
	expect(!pci_bar_write(&rig.cik->pci, 0, 0, &byte, 1));
	expect(!pci_bar_read(&rig.cik->pci, PCI_ROM, 0, &byte, 1));
	expect_eq(byte, at0);
	expect_eq(rig.cik->vram[0], 0x12);
	arig_free(&rig);
}

static void other_device(void)
{
	struct cik_config config = arig_config;

	config.device_id = 0x665c;
	arig_init(&rig, &config, NULL);
	expect(!pci_bar_read(&rig.cik->pci, PCI_ROM, 0, rom, sizeof(rom)));
	expect_eq(word(word(0x18) + 6), 0x665c);
	expect_eq(rig.cik->pci.config[2] | rig.cik->pci.config[3] << 8, 0x665c);
	arig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "an image of an expansion ROM with a checksum", image },
	{ "the ATOM tables lead to each other", atom },
	{ "in the ROM and at the start of VRAM", places },
	{ "it has the device id that was asked for", other_device },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
