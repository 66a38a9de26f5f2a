// SPDX-License-Identifier: MIT
/*
 * Memory based interrupts. A virtual function has no interrupt registers: whoever
 * interrupts sets a byte in a status vector, then one in a page of sources, then
 * sends the MSI. The order is what the driver relies on.
 */
#include <errno.h>

#include "xe/driver.h"
#include "xe/xe.h"

#define RAISED	0xff

/*
 * The GuC's status vector has a byte for each reason; this one is "G2H message".
 * Byte 0 would tell the driver that the function was migrated.
 */
#define GUC_STATUS_G2H	15

void xe_memirq_guc(struct xe_guc *guc)
{
	struct xe_as ggtt = { .vf = guc->vf, .ggtt = true };
	uint64_t status = guc->self_cfg[0];
	uint64_t source = guc->self_cfg[1];

	if (!status || !source)
		return;
	if (xe_as_write8(&ggtt, status + GUC_STATUS_G2H, RAISED) ||
	    xe_as_write8(&ggtt, source, RAISED)) {
		trace(TRACE_FAULT, "GuC interrupt: %#llx: %s",
		      (unsigned long long)guc->vf->fault.va,
		      guc->vf->fault.what);
		return;
	}
	trace(TRACE_IRQ, "GuC");
	pci_msi(&guc->vf->pci);
}

int xe_memirq_engine(struct xe_vf *vf, uint64_t status, uint64_t source,
		     unsigned int vector)
{
	struct xe_as ggtt = { .vf = vf, .ggtt = true };

	/* 16 status bytes for each source; a user interrupt is the first. */
	if (xe_as_write8(&ggtt, status + vector * 16, RAISED) ||
	    xe_as_write8(&ggtt, source + vector, RAISED))
		return -EFAULT;
	trace(TRACE_IRQ, "engine, vector %u", vector);
	pci_msi(&vf->pci);
	return 0;
}
