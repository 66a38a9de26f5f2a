// SPDX-License-Identifier: MIT
/* The PCI function: identity, BARs, and whose turn it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "amdgpu/amdgpu.h"

#define VENDOR_ATI	0x1002
#define SUBDEVICE	0x0b04
/* Display controller, other: so that no VGA arbiter wants it. */
#define CLASS_DISPLAY_OTHER 0x038000

#define MSI_OFFSET	0x50
#define EXPRESS_OFFSET	0x80
/* An extended capability, without which the driver's search complains. */
#define VENDOR_OFFSET	0x100
#define VENDOR_HEADER	0x0001000bu
#define VENDOR_LENGTH	0x01010001u

/* What the driver writes to CIK_CONFIG_RESET, amdgpu.h: AMDGPU_ASIC_RESET_DATA. */
#define RESET_DATA	0x39d5e86bu

/* Four characters as the driver prints them. */
#define CLIENT(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

const char *const cik_inject_points[] = {
	"fence-drop",	/* key: ring; a job's last write is lost */
	"fence-delay",	/* key: ring, ms: it comes late */
	"irq-drop",	/* key: ring; an interrupt gets lost */
	"engine-hang",	/* key: ring; a job never ends */
	"ring-stall",	/* key: ring; it does not begin with what has come */
	"vm-fault",	/* key: ring; a job meets a page that is not there */
	NULL
};

static struct cik *to_cik(struct pci_dev *dev)
{
	return container_of(dev, struct cik, pci);
}

static bool trapped(struct pci_dev *dev, unsigned int bar, uint64_t offset)
{
	(void)dev;
	(void)offset;
	return bar != CIK_BAR_VRAM;
}

static uint64_t bar_read(struct pci_dev *dev, unsigned int bar, uint64_t offset,
			 unsigned int len)
{
	struct cik *cik = to_cik(dev);
	uint64_t value;

	/* Nobody reads a doorbell for what it was rung with. */
	if (bar != CIK_BAR_MMIO)
		return 0;
	value = mmio_read(cik->mmio, offset, hw_min(len, 4u));
	if (len == 8)
		value |= (uint64_t)mmio_read(cik->mmio, offset + 4, 4) << 32;
	return value;
}

static void bar_write(struct pci_dev *dev, unsigned int bar, uint64_t offset,
		      uint64_t value, unsigned int len)
{
	struct cik *cik = to_cik(dev);

	if (bar == CIK_BAR_DOORBELL) {
		if (len >= 4)
			cik_doorbell(cik, offset / 4, value);
		return;
	}
	mmio_write(cik->mmio, offset, value, hw_min(len, 4u));
	if (len == 8)
		mmio_write(cik->mmio, offset + 4, value >> 32, 4);
}

static void reset(struct pci_dev *dev)
{
	struct cik *cik = to_cik(dev);
	unsigned int i;

	trace(TRACE_NOTE, "reset");
	cik->epoch++;
	for (i = 0; i < CIK_RINGS; i++)
		cik_ring_drop(&cik->ring[i]);
	cik_regs_power_on(cik);
}

/* The chip is reset by a dword in configuration space, which itself stays. */
static void config_written(struct pci_dev *dev, unsigned int offset,
			   unsigned int len)
{
	uint32_t value;

	if (offset > CIK_CONFIG_RESET || offset + len < CIK_CONFIG_RESET + 4)
		return;
	memcpy(&value, &dev->config[CIK_CONFIG_RESET], sizeof(value));
	memset(&dev->config[CIK_CONFIG_RESET], 0, sizeof(value));
	if (value == RESET_DATA)
		reset(dev);
}

static int work(struct pci_dev *dev)
{
	return cik_rings_work(to_cik(dev));
}

static const struct pci_ops ops = {
	.read = bar_read,
	.write = bar_write,
	.trapped = trapped,
	.reset = reset,
	.config_written = config_written,
	.work = work,
};

static void make_bars(struct cik *cik)
{
	struct cik_config *config = &cik->config;

	cik->vram = pci_memory_bar(&cik->pci, CIK_BAR_VRAM, "amdgpu-vram",
				   config->vram, config->visible,
				   &cik->vram_bytes);
	cik->rom = malloc(CIK_ROM_SIZE);
	if (!cik->rom)
		hw_die(1, "no memory for the ROM");
	/* The driver looks for it in both places. */
	memcpy(cik->vram, cik->rom, cik_vbios(cik->rom, config->device_id));
	cik->pci.bar[CIK_BAR_DOORBELL] = (struct pci_bar){
		.size = CIK_DOORBELL_SIZE,
		.flags = PCI_BAR_64 | PCI_BAR_PREFETCH, .fd = -1,
	};
	cik->pci.bar[CIK_BAR_MMIO] = (struct pci_bar){
		.size = CIK_MMIO_SIZE, .fd = -1,
	};
	cik->pci.bar[PCI_ROM] = (struct pci_bar){
		.size = CIK_ROM_SIZE, .flags = PCI_BAR_READONLY, .fd = -1,
		.host = cik->rom,
	};
	pci_setup_bars(&cik->pci);
}

static void make_config(struct cik *cik)
{
	struct pci_dev *pci = &cik->pci;
	const uint32_t vendor[2] = { VENDOR_HEADER, VENDOR_LENGTH };

	pci_add_msi(pci, MSI_OFFSET);
	pci_add_express(pci, EXPRESS_OFFSET);
	memcpy(&pci->config[VENDOR_OFFSET], vendor, sizeof(vendor));
	memcpy(&pci->power_on[VENDOR_OFFSET], vendor, sizeof(vendor));
	memset(&pci->writable[CIK_CONFIG_RESET], 0xff, 4);
}

static void make_rings(struct cik *cik)
{
	unsigned int i;
	char name[16];

	cik_ring_init(cik, CIK_KEY_GFX, &cik_gfx_engine, 0, "gfx",
		      CLIENT('C', 'P', 'G', ' '));
	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "sdma%u", i);
		cik_ring_init(cik, CIK_KEY_SDMA + i, &cik_sdma_engine, i, name,
			      CLIENT('S', 'D', 'M', '0' + i));
	}
	for (i = 0; i < CIK_HQDS; i++) {
		snprintf(name, sizeof(name), "comp_1.%u.%u", i / CIK_QUEUES,
			 i % CIK_QUEUES);
		cik_ring_init(cik, CIK_KEY_COMPUTE + i, &cik_compute_engine, i,
			      name, CLIENT('C', 'P', 'C', ' '));
	}
}

struct cik *cik_new(const struct cik_config *config,
		    const struct inject *inject)
{
	struct cik *cik = calloc(1, sizeof(*cik));
	struct pci_id id = {
		.vendor = VENDOR_ATI, .device = config->device_id,
		.subvendor = VENDOR_ATI, .subdevice = SUBDEVICE,
		.class = CLASS_DISPLAY_OTHER,
	};

	if (!cik)
		hw_die(1, "no memory for the device");
	cik->config = *config;
	cik->inject = *inject;
	cik->mem = mem_new();
	cik->mmio = cik_regs_new(cik);
	if (!cik->mem || !cik->mmio)
		hw_die(1, "no memory for the device");
	pci_init(&cik->pci, &ops, &id);
	make_config(cik);
	make_rings(cik);
	make_bars(cik);
	cik_regs_power_on(cik);
	return cik;
}

void cik_count_unknown(struct cik *cik, bool sdma, uint32_t opcode)
{
	struct cik_unknown *unknown = cik->unknown;
	unsigned int i;

	for (i = 0; i < CIK_UNKNOWN - 1 && unknown[i].count; i++)
		if (unknown[i].sdma == sdma && unknown[i].opcode == opcode)
			break;
	unknown[i].sdma = sdma;
	unknown[i].opcode = opcode;
	if (!unknown[i].count++)
		trace(TRACE_NOTE, "unknown %s packet %#x",
		      sdma ? "SDMA" : "PM4", opcode);
}

size_t cik_report(struct cik *cik)
{
	size_t unknown = mmio_report(cik->mmio);
	unsigned int i;

	for (i = 0; i < CIK_UNKNOWN && cik->unknown[i].count; i++)
		trace(TRACE_NOTE, "not modelled: %s packet %#x, %llu times",
		      cik->unknown[i].sdma ? "SDMA" : "PM4",
		      cik->unknown[i].opcode,
		      (unsigned long long)cik->unknown[i].count);
	return unknown + i;
}

void cik_free(struct cik *cik)
{
	munmap(cik->vram, cik->vram_bytes);
	close(cik->pci.bar[CIK_BAR_VRAM].fd);
	free(cik->rom);
	mmio_free(cik->mmio);
	mem_free(cik->mem);
	free(cik);
}
