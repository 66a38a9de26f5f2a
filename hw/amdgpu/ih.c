// SPDX-License-Identifier: MIT
/*
 * The interrupt handler: a ring of vectors of 16 bytes in the kernel's address
 * space, written before the MSI is sent. Pointers count in bytes.
 */
#include "amdgpu/amdgpu.h"
#include "amdgpu/driver.h"

#define VECTOR		16
#define CLIENT_IH	0x49480000	/* "IH" */

static uint32_t ring_size(struct cik *cik)
{
	unsigned int dwords = FIELD_OF(cik->reg[mmIH_RB_CNTL], IH_RB_CNTL,
				       RB_SIZE);

	return 4u << hw_min(dwords, 28u);
}

/* Old vectors are overwritten, and the pointer says so until that is cleared. */
static bool overflows(struct cik *cik, uint32_t wptr)
{
	if (!FIELD_OF(cik->reg[mmIH_RB_CNTL], IH_RB_CNTL, WPTR_OVERFLOW_ENABLE))
		return false;
	return wptr == (cik->reg[mmIH_RB_RPTR] & (ring_size(cik) - 1));
}

void cik_interrupt(struct cik *cik, unsigned int source, uint32_t data,
		   unsigned int ring_id, unsigned int vmid)
{
	struct cik_as as = { .cik = cik, .client = CLIENT_IH };
	uint32_t cntl = cik->reg[mmIH_RB_CNTL];
	uint32_t wptr = cik->reg[mmIH_RB_WPTR] & ~IH_RB_WPTR__RB_OVERFLOW_MASK;
	uint32_t pasid = cik->reg[mmIH_VMID_0_LUT + vmid] & 0xffff;
	uint32_t vector[4] = { source, data,
			       ring_id | vmid << 8 | pasid << 16 };
	uint64_t base = (uint64_t)cik->reg[mmIH_RB_BASE] << 8;

	if (!FIELD_OF(cntl, IH_RB_CNTL, RB_ENABLE)) {
		cik->stats.irqs_lost++;
		return;
	}
	trace(TRACE_IRQ, "source %u, ring %#x, vmid %u, data %#x", source,
	      ring_id, vmid, data);
	wptr &= ring_size(cik) - 1;
	cik_write(&as, base + wptr, vector, sizeof(vector));
	wptr = (wptr + VECTOR) & (ring_size(cik) - 1);
	if (overflows(cik, wptr)) {
		trace(TRACE_NOTE, "the IH ring overflows");
		cik->reg[mmIH_RB_WPTR] |= IH_RB_WPTR__RB_OVERFLOW_MASK;
	}
	cik->reg[mmIH_RB_WPTR] &= IH_RB_WPTR__RB_OVERFLOW_MASK;
	cik->reg[mmIH_RB_WPTR] |= wptr;
	if (FIELD_OF(cntl, IH_RB_CNTL, WPTR_WRITEBACK_ENABLE))
		cik_write32(&as, lo_hi(cik->reg[mmIH_RB_WPTR_ADDR_LO],
				       cik->reg[mmIH_RB_WPTR_ADDR_HI]),
			    cik->reg[mmIH_RB_WPTR]);
	cik->stats.irqs++;
	if (FIELD_OF(cik->reg[mmIH_CNTL], IH_CNTL, ENABLE_INTR))
		pci_msi(&cik->pci);
}

void cik_ih_control(struct cik *cik, uint32_t value)
{
	cik->reg[mmIH_RB_CNTL] = value;
	if (FIELD_OF(value, IH_RB_CNTL, WPTR_OVERFLOW_CLEAR))
		cik->reg[mmIH_RB_WPTR] &= ~IH_RB_WPTR__RB_OVERFLOW_MASK;
}
