// SPDX-License-Identifier: MIT
/* The PCI function: identity, BARs, and whose turn it is. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xe/ctx.h"
#include "xe/xe.h"

#define VENDOR_INTEL	0x8086
#define SUBDEVICE	0x1100
/* Display controller, other: so that no VGA arbiter wants it. */
#define CLASS_DISPLAY_OTHER 0x038000

#define MSI_OFFSET	0x40
#define EXPRESS_OFFSET	0x70

/*
 * User space maps this page read-only through the driver to order its writes. It
 * is no memory: reads give a pattern, writes are dropped.
 */
#define BARRIER_PAGE	(HW_MIB(8) - HW_PAGE_SIZE)
#define BARRIER_VALUE	0xdeadbeefdeadbeefull

const char *const xe_inject_points[] = {
	"g2h-drop",	/* key: action; a message to the driver gets lost */
	"g2h-delay",	/* key: action, ms: it and all after it come late */
	"fence-drop",	/* key: engine's vector; a job's last write is lost */
	"fence-delay",	/* key: engine's vector, ms: it comes late */
	"irq-drop",	/* key: engine's vector; an interrupt gets lost */
	"engine-hang",	/* key: engine's vector; a job never ends */
	"cat-error",	/* key: engine's vector; a job meets bad memory */
	NULL
};

/* What of BAR 0 may be mapped: all but the registers and the barrier page. */
static const struct pci_area bar0_areas[] = {
	{ XE_REGS_SIZE, BARRIER_PAGE - XE_REGS_SIZE },
	{ XE_GGTT_OFFSET, XE_GGTT_BYTES },
};

static struct xe_vf *to_vf(struct pci_dev *dev)
{
	return container_of(dev, struct xe_vf, pci);
}

static bool trapped(struct pci_dev *dev, unsigned int bar, uint64_t offset)
{
	(void)dev;
	if (bar != XE_BAR_GTTMMADR)
		return false;
	return offset < XE_REGS_SIZE ||
	       (offset >= BARRIER_PAGE && offset < XE_GGTT_OFFSET);
}

static uint64_t bar_read(struct pci_dev *dev, unsigned int bar, uint64_t offset,
			 unsigned int len)
{
	struct xe_vf *vf = to_vf(dev);
	uint64_t value;

	(void)bar;
	if (offset >= XE_REGS_SIZE)
		return BARRIER_VALUE >> (offset & 3) * 8;
	value = mmio_read(vf->mmio, offset, hw_min(len, 4u));
	if (len == 8)
		value |= (uint64_t)mmio_read(vf->mmio, offset + 4, 4) << 32;
	return value;
}

static void bar_write(struct pci_dev *dev, unsigned int bar, uint64_t offset,
		      uint64_t value, unsigned int len)
{
	struct xe_vf *vf = to_vf(dev);

	(void)bar;
	if (offset >= XE_REGS_SIZE)
		return;
	mmio_write(vf->mmio, offset, value, hw_min(len, 4u));
	if (len == 8)
		mmio_write(vf->mmio, offset + 4, value >> 32, 4);
}

static void reset(struct pci_dev *dev)
{
	struct xe_vf *vf = to_vf(dev);

	trace(TRACE_NOTE, "function reset");
	xe_guc_reset(&vf->guc);
	xe_guc_reset(&vf->media);
	memset(vf->guc.sw_flag, 0, sizeof(vf->guc.sw_flag));
	memset(vf->media.sw_flag, 0, sizeof(vf->media.sw_flag));
}

static int sooner(int a, int b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return hw_min(a, b);
}

static int work(struct pci_dev *dev)
{
	struct xe_vf *vf = to_vf(dev);
	int wait;

	/* Messages first: they may start contexts, or stop them. */
	wait = xe_guc_ct_work(&vf->guc);
	return sooner(wait, xe_sched_work(vf));
}

static const struct pci_ops ops = {
	.read = bar_read,
	.write = bar_write,
	.trapped = trapped,
	.reset = reset,
	.work = work,
};

static void make_bars(struct xe_vf *vf)
{
	struct xe_config *config = &vf->config;
	void *host;
	int fd;

	fd = hw_memfd("xe-bar0", XE_BAR0_SIZE, &host);
	if (fd < 0)
		hw_die(1, "no memory for BAR 0");
	vf->bar0 = host;
	vf->pci.bar[XE_BAR_GTTMMADR] = (struct pci_bar){
		.size = XE_BAR0_SIZE, .flags = PCI_BAR_64, .fd = fd,
		.host = host, .area = bar0_areas,
		.nr_areas = ARRAY_SIZE(bar0_areas),
	};
	vf->vram = pci_memory_bar(&vf->pci, XE_BAR_LMEM, "xe-vram", config->vram,
				  config->visible, &vf->vram_bytes);
	pci_setup_bars(&vf->pci);
}

struct xe_vf *xe_vf_new(const struct xe_config *config,
			const struct inject *inject)
{
	struct xe_vf *vf = calloc(1, sizeof(*vf));
	struct pci_id id = {
		.vendor = VENDOR_INTEL, .device = config->device_id,
		.subvendor = VENDOR_INTEL, .subdevice = SUBDEVICE,
		.class = CLASS_DISPLAY_OTHER,
	};

	if (!vf)
		hw_die(1, "no memory for the device");
	vf->config = *config;
	vf->inject = *inject;
	vf->runq_tail = &vf->runq;
	vf->mem = mem_new();
	vf->mmio = xe_regs_new(vf);
	if (!vf->mem || !vf->mmio)
		hw_die(1, "no memory for the device");
	xe_guc_init(&vf->guc, vf, false);
	xe_guc_init(&vf->media, vf, true);
	pci_init(&vf->pci, &ops, &id);
	/* No MSI-X, and no function level reset: the driver takes part in none. */
	pci_add_msi(&vf->pci, MSI_OFFSET);
	pci_add_express(&vf->pci, EXPRESS_OFFSET);
	make_bars(vf);
	return vf;
}

size_t xe_vf_report(struct xe_vf *vf)
{
	size_t unknown = mmio_report(vf->mmio);
	unsigned int i;

	for (i = 0; i < XE_UNKNOWN && vf->unknown[i].count; i++)
		trace(TRACE_NOTE, "not modelled: command %#010x, %llu times",
		      vf->unknown[i].opcode,
		      (unsigned long long)vf->unknown[i].count);
	return unknown + i;
}

void xe_vf_free(struct xe_vf *vf)
{
	xe_ctx_destroy_all(vf);
	munmap(vf->bar0, XE_BAR0_SIZE);
	close(vf->pci.bar[XE_BAR_GTTMMADR].fd);
	munmap(vf->vram, vf->vram_bytes);
	close(vf->pci.bar[XE_BAR_LMEM].fd);
	mmio_free(vf->mmio);
	mem_free(vf->mem);
	free(vf);
}
