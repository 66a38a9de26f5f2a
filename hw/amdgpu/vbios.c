// SPDX-License-Identifier: MIT
/*
 * The VBIOS: what the driver looks for and no more. It is of a card that has been
 * initialised, so of the command tables there is only ASIC_Init, which a GPU reset
 * runs, and which does nothing.
 */
#include <string.h>

#include "amdgpu/amdgpu.h"

#define __counted_by(member)
#include "atom-types.h"
#include "atombios.h"

#define SIZE		1024
#define VENDOR_ATI	0x1002

/* Where things are; the tables' own places are up to us, the others are fixed. */
#define AT_SIZE		0x02	/* in 512 bytes */
#define AT_PCIR		0x18	/* points to AT_PCI */
#define AT_SIGNATURE	0x30
#define AT_HEADER	0x48	/* points to AT_ROM_HEADER */
#define AT_DATE		0x50
#define AT_PART		0x80
#define AT_CONFIG	0xa0
#define AT_ROM_HEADER	0x100
#define AT_PCI		0x1c0
#define AT_COMMANDS	0x200
#define AT_DATA		0x2c0
#define AT_FIRMWARE	0x340
#define AT_ASIC_INIT	0x3c0

#define CLOCK_27_MHZ	2700	/* in 10 kHz */

/* A command table: size, two revisions, work space, parameters, end of table. */
static const uint8_t asic_init[] = { 7, 0, 1, 1, 0, 0, 0x5b };

/* The PCI data structure of expansion ROMs, of PCI 3.0. */
struct pci_data {
	char signature[4];
	uint16_t vendor, device, reserved, length;
	uint8_t revision, class[3];
	uint16_t image_length, code_revision;
	uint8_t code_type, last_image;
	uint16_t reserved2;
};

static void put16(uint8_t *rom, unsigned int at, uint16_t value)
{
	memcpy(rom + at, &value, sizeof(value));
}

static ATOM_COMMON_TABLE_HEADER header(size_t size, unsigned int format,
				       unsigned int content)
{
	return (ATOM_COMMON_TABLE_HEADER){
		.usStructureSize = size,
		.ucTableFormatRevision = format,
		.ucTableContentRevision = content,
	};
}

static void put_tables(uint8_t *rom)
{
	ATOM_ROM_HEADER rom_header = {
		.sHeader = header(sizeof(rom_header), 1, 1),
		.uaFirmWareSignature = "ATOM",
		.usConfigFilenameOffset = AT_CONFIG,
		.usMasterCommandTableOffset = AT_COMMANDS,
		.usMasterDataTableOffset = AT_DATA,
	};
	ATOM_MASTER_COMMAND_TABLE commands = {
		.sHeader = header(sizeof(commands), 1, 1),
		.ListOfCommandTables.ASIC_Init = AT_ASIC_INIT,
	};
	ATOM_MASTER_DATA_TABLE data = {
		.sHeader = header(sizeof(data), 1, 1),
		.ListOfDataTables.FirmwareInfo = AT_FIRMWARE,
	};
	ATOM_FIRMWARE_INFO_V2_1 firmware = {
		.sHeader = header(sizeof(firmware), 2, 1),
		.ulFirmwareRevision = 0x01000000,
		.ulDefaultEngineClock = 100000,
		.ulDefaultMemoryClock = 150000,
		.usCoreReferenceClock = CLOCK_27_MHZ,
		.usMemoryReferenceClock = CLOCK_27_MHZ,
	};

	_Static_assert(AT_ROM_HEADER + sizeof(rom_header) <= AT_PCI &&
		       AT_COMMANDS + sizeof(commands) <= AT_DATA &&
		       AT_DATA + sizeof(data) <= AT_FIRMWARE &&
		       AT_FIRMWARE + sizeof(firmware) <= AT_ASIC_INIT,
		       "the tables do not overlap");
	memcpy(rom + AT_ROM_HEADER, &rom_header, sizeof(rom_header));
	memcpy(rom + AT_COMMANDS, &commands, sizeof(commands));
	memcpy(rom + AT_DATA, &data, sizeof(data));
	memcpy(rom + AT_FIRMWARE, &firmware, sizeof(firmware));
	memcpy(rom + AT_ASIC_INIT, asic_init, sizeof(asic_init));
}

size_t cik_vbios(uint8_t *rom, uint16_t device_id)
{
	static const char signature[] = " 761295520";
	static const char config[] = "cfg\0chg\0build";
	const struct pci_data pci = {
		.signature = "PCIR", .vendor = VENDOR_ATI, .device = device_id,
		.length = sizeof(pci), .class = { 0, 0x80, 3 },
		.image_length = SIZE / 512, .last_image = 0x80,
	};
	uint8_t sum = 0;
	size_t i;

	memset(rom, 0xff, CIK_ROM_SIZE);
	memset(rom, 0, SIZE);
	put16(rom, 0, 0xaa55);
	rom[AT_SIZE] = SIZE / 512;
	rom[3] = 0xcb;		/* an entry point that returns at once */
	put16(rom, AT_PCIR, AT_PCI);
	put16(rom, AT_HEADER, AT_ROM_HEADER);
	memcpy(rom + AT_SIGNATURE, signature, sizeof(signature) - 1);
	strcpy((char *)rom + AT_DATE, "01/01/26 00:00");
	/* The driver needs one that is not empty. */
	strcpy((char *)rom + AT_PART, "SOFTBONAIRE");
	memcpy(rom + AT_CONFIG, config, sizeof(config));
	memcpy(rom + AT_PCI, &pci, sizeof(pci));
	put_tables(rom);
	for (i = 0; i < SIZE - 1; i++)
		sum += rom[i];
	rom[SIZE - 1] = -sum;
	return SIZE;
}
