// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dummy.h"

static struct dummy *to_dummy(struct pci_dev *pci)
{
	return container_of(pci, struct dummy, pci);
}

static void check_access(struct dummy *dummy, unsigned int bar,
			 uint64_t offset, unsigned int len)
{
	uint64_t size = bar <= PCI_ROM ? dummy->pci.bar[bar].size : 0;

	if ((len != 1 && len != 2 && len != 4 && len != 8) || offset % len ||
	    offset >= size || len > size - offset)
		dummy->odd++;
}

static void transfer(struct dummy *dummy, uint32_t command)
{
	uint8_t *at = dummy->pci.bar[2].host;
	uint64_t addr = lo_hi(dummy->addr[0], dummy->addr[1]);
	size_t len = hw_min(dummy->len, (uint32_t)DUMMY_BAR2_SIZE);
	int err;

	dummy->busy++;
	if (command == DUMMY_DMA_WRITE)
		err = mem_write(dummy->mem, addr, at, len);
	else
		err = mem_read(dummy->mem, addr, at, len);
	dummy->busy--;
	dummy->status = (uint32_t)-err;
	dummy->done++;
}

static void start(struct dummy *dummy, uint32_t command)
{
	switch (command) {
	case DUMMY_DMA_READ:
	case DUMMY_DMA_WRITE:
		dummy->command = command;
		break;
	case DUMMY_DMA_READ_NOW:
		transfer(dummy, command);
		break;
	case DUMMY_MSI:
		pci_msi(&dummy->pci);
		break;
	case DUMMY_POLL:
		dummy->polls = 20;
		break;
	}
}

static uint64_t dummy_read(struct pci_dev *pci, unsigned int bar,
			   uint64_t offset, unsigned int len)
{
	struct dummy *dummy = to_dummy(pci);

	check_access(dummy, bar, offset, len);
	if (bar)
		return UINT64_MAX;
	switch (offset) {
	case DUMMY_ID:
		return DUMMY_ID_VALUE;
	case DUMMY_SCRATCH:
		return dummy->scratch;
	case DUMMY_ADDR_LO:
	case DUMMY_ADDR_HI:
		return dummy->addr[offset == DUMMY_ADDR_HI];
	case DUMMY_LEN:
		return dummy->len;
	case DUMMY_STATUS:
		return dummy->status;
	case DUMMY_DONE:
		return dummy->done;
	case DUMMY_BUSY:
		return dummy->busy;
	}
	return offset >= DUMMY_HOLE ? DUMMY_HOLE_VALUE : 0;
}

static void dummy_write(struct pci_dev *pci, unsigned int bar, uint64_t offset,
			uint64_t value, unsigned int len)
{
	struct dummy *dummy = to_dummy(pci);

	check_access(dummy, bar, offset, len);
	if (bar)
		return;
	switch (offset) {
	case DUMMY_SCRATCH:
		dummy->scratch = (uint32_t)value;
		break;
	case DUMMY_ADDR_LO:
	case DUMMY_ADDR_HI:
		dummy->addr[offset == DUMMY_ADDR_HI] = (uint32_t)value;
		break;
	case DUMMY_LEN:
		dummy->len = (uint32_t)value;
		break;
	case DUMMY_COMMAND:
		start(dummy, (uint32_t)value);
		break;
	}
}

static bool dummy_trapped(struct pci_dev *pci, unsigned int bar,
			  uint64_t offset)
{
	(void)pci;
	return bar == 0 && (offset < DUMMY_AREA0 ||
			    (offset >= DUMMY_HOLE && offset < DUMMY_AREA1));
}

static void dummy_reset(struct pci_dev *pci)
{
	struct dummy *dummy = to_dummy(pci);

	dummy->scratch = 0;
	dummy->command = 0;
	dummy->polls = 0;
	dummy->resets++;
}

static void dummy_config_written(struct pci_dev *pci, unsigned int offset,
				 unsigned int len)
{
	(void)offset;
	(void)len;
	to_dummy(pci)->config_writes++;
}

static int dummy_work(struct pci_dev *pci)
{
	struct dummy *dummy = to_dummy(pci);
	uint32_t command = dummy->command;

	dummy->work_calls++;
	if (dummy->working)
		dummy->reentered++;
	dummy->working = true;
	dummy->command = 0;
	if (command)
		transfer(dummy, command);
	dummy->working = false;
	if (dummy->polls && !--dummy->polls)
		dummy->done++;
	return dummy->polls ? 1 : -1;
}

static const struct pci_ops dummy_ops = {
	.read = dummy_read,
	.write = dummy_write,
	.trapped = dummy_trapped,
	.reset = dummy_reset,
	.config_written = dummy_config_written,
	.work = dummy_work,
};

static const struct pci_area dummy_areas[] = {
	{ DUMMY_AREA0, DUMMY_HOLE - DUMMY_AREA0 },
	{ DUMMY_AREA1, DUMMY_BAR0_SIZE - DUMMY_AREA1 },
};

int dummy_init(struct dummy *dummy)
{
	static const struct pci_id id = {
		.vendor = 0x1234, .device = 0x5678,
		.subvendor = 0x9abc, .subdevice = 0xdef0,
		.class = 0xff0000, .revision = 3,
	};
	struct pci_bar *bar = dummy->pci.bar;
	void *host;

	memset(dummy, 0, sizeof(*dummy));
	pci_init(&dummy->pci, &dummy_ops, &id);
	bar[0].size = DUMMY_BAR0_SIZE;
	bar[0].flags = PCI_BAR_64;
	bar[0].area = dummy_areas;
	bar[0].nr_areas = ARRAY_SIZE(dummy_areas);
	bar[2].size = DUMMY_BAR2_SIZE;
	bar[2].flags = PCI_BAR_64 | PCI_BAR_PREFETCH;
	for (unsigned int i = 0; i <= 2; i += 2) {
		bar[i].fd = hw_memfd("bar", bar[i].size, &host);
		if (bar[i].fd < 0)
			return bar[i].fd;
		bar[i].host = host;
	}
	bar[4].size = DUMMY_BAR4_SIZE;
	for (unsigned int i = 0; i < DUMMY_ROM_SIZE; i++)
		dummy->rom[i] = (uint8_t)i;
	bar[PCI_ROM].size = DUMMY_ROM_SIZE;
	bar[PCI_ROM].host = dummy->rom;
	pci_add_msi(&dummy->pci, 0x40);
	pci_add_express(&dummy->pci, 0x70);
	pci_setup_bars(&dummy->pci);
	dummy->mem = mem_new();
	return dummy->mem ? 0 : -ENOMEM;
}

void dummy_free(struct dummy *dummy)
{
	for (unsigned int i = 0; i <= 2; i += 2) {
		munmap(dummy->pci.bar[i].host, dummy->pci.bar[i].size);
		close(dummy->pci.bar[i].fd);
	}
	mem_free(dummy->mem);
}
