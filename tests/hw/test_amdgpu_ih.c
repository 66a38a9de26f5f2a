// SPDX-License-Identifier: GPL-2.0-only
/* The ring of interrupt vectors. */
#include <sys/eventfd.h>
#include <unistd.h>

#include "amdgpu_rig.h"
#include "tap.h"

#define VECTORS	(HW_PAGE_SIZE / 16)

static struct arig rig;

static void setup(void)
{
	arig_init(&rig, NULL, NULL);
	arig_setup(&rig);
	rig.cik->pci.msi_fd = eventfd(0, 0);
}

static void teardown(void)
{
	close(rig.cik->pci.msi_fd);
	arig_free(&rig);
}

static void vector(void)
{
	struct arig_iv iv;

	setup();
	cik_interrupt(rig.cik, 224, 0x1234567, 0x21, ARIG_VMID);
	expect_eq(arig_dw(&rig.ih_wptr, 0), 16);
	expect_eq(arig_read(&rig, mmIH_RB_WPTR), 16);
	expect_eq(rig.cik->pci.msi_count, 1);
	expect(arig_iv(&rig, &iv));
	expect_eq(iv.source, 224);
	expect_eq(iv.data, 0x1234567);
	expect_eq(iv.ring_id, 0x21);
	expect_eq(iv.vmid, ARIG_VMID);
	expect_eq(iv.pasid, ARIG_PASID);
	expect(!arig_iv(&rig, &iv));
	expect_eq(arig_dw(&rig.ih, 3), 0);
	teardown();
}

/* Around the end, one after the other. */
static void wraps(void)
{
	struct arig_iv iv;

	setup();
	for (unsigned int i = 0; i < 3 * VECTORS; i++) {
		cik_interrupt(rig.cik, 181, i, 0, 0);
		expect(arig_iv(&rig, &iv));
		expect_eq(iv.data, i);
	}
	expect_eq(rig.cik->stats.irqs, 3 * VECTORS);
	expect_eq(rig.cik->pci.msi_count, 3 * VECTORS);
	teardown();
}

/* The pointer says that vectors were lost, until the driver clears that. */
static void overflow(void)
{
	uint32_t cntl;

	setup();
	for (unsigned int i = 0; i < VECTORS - 1; i++)
		cik_interrupt(rig.cik, 181, i, 0, 0);
	expect_eq(arig_dw(&rig.ih_wptr, 0), HW_PAGE_SIZE - 16);
	cik_interrupt(rig.cik, 181, 0xff, 0, 0);
	expect_eq(arig_dw(&rig.ih_wptr, 0), IH_RB_WPTR__RB_OVERFLOW_MASK);
	cik_interrupt(rig.cik, 181, 0x100, 0, 0);
	expect_eq(arig_dw(&rig.ih_wptr, 0), 16 | IH_RB_WPTR__RB_OVERFLOW_MASK);
	expect_eq(arig_dw(&rig.ih, 1), 0x100);
	arig_write(&rig, mmIH_RB_RPTR, 16);
	cntl = arig_read(&rig, mmIH_RB_CNTL);
	arig_write(&rig, mmIH_RB_CNTL, cntl |
		   IH_RB_CNTL__WPTR_OVERFLOW_CLEAR_MASK);
	arig_write(&rig, mmIH_RB_CNTL, cntl);
	cik_interrupt(rig.cik, 181, 0x101, 0, 0);
	expect_eq(arig_dw(&rig.ih_wptr, 0), 32);
	teardown();
}

static void off(void)
{
	struct arig_iv iv;

	setup();
	arig_write(&rig, mmIH_RB_CNTL, arig_read(&rig, mmIH_RB_CNTL) &
		   ~IH_RB_CNTL__RB_ENABLE_MASK);
	cik_interrupt(rig.cik, 181, 0, 0, 0);
	expect(!arig_iv(&rig, &iv));
	expect_eq(rig.cik->stats.irqs_lost, 1);
	arig_start(&rig);
	/* Vectors without an MSI, then without the write back. */
	arig_write(&rig, mmIH_CNTL, 0);
	cik_interrupt(rig.cik, 181, 0, 0, 0);
	expect(arig_iv(&rig, &iv));
	expect_eq(rig.cik->pci.msi_count, 0);
	arig_write(&rig, mmIH_CNTL, IH_CNTL__ENABLE_INTR_MASK);
	arig_write(&rig, mmIH_RB_CNTL, arig_read(&rig, mmIH_RB_CNTL) &
		   ~IH_RB_CNTL__WPTR_WRITEBACK_ENABLE_MASK);
	cik_interrupt(rig.cik, 181, 0, 0, 0);
	expect_eq(arig_dw(&rig.ih_wptr, 0), 16);
	expect_eq(arig_read(&rig, mmIH_RB_WPTR), 32);
	expect_eq(rig.cik->pci.msi_count, 1);
	teardown();
}

/* A ring that is nowhere: nothing is written, and nothing breaks. */
static void nowhere(void)
{
	setup();
	arig_write(&rig, mmIH_RB_BASE, 0x10);
	arig_write(&rig, mmIH_RB_WPTR_ADDR_LO, 0x10);
	arig_write(&rig, mmIH_RB_WPTR_ADDR_HI, 0);
	cik_interrupt(rig.cik, 181, 0, 0, 0);
	expect_eq(arig_dw(&rig.ih_wptr, 0), 0);
	expect_eq(arig_read(&rig, mmIH_RB_WPTR), 16);
	expect(rig.cik->stats.faults > 0);
	teardown();
}

static const struct tap_test tests[] = {
	{ "a vector, the pointer, the MSI", vector },
	{ "around the end of the ring", wraps },
	{ "an overflow", overflow },
	{ "the ring, MSIs and the write back can be off", off },
	{ "a ring that is nowhere", nowhere },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
