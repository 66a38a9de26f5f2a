// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "amdgpu_rig.h"
#include "tap.h"

#define FB		0xf400000000ull
#define IH_BYTES	HW_PAGE_SIZE
#define BLOCK_SIZE	1		/* 10 bits of address a page table */
#define LEAF_PAGES	(512u << BLOCK_SIZE)
#define MAX_PFN		(HW_GIB(64) / HW_PAGE_SIZE)
#define PATIENCE	200000		/* turns */

const struct cik_config arig_config = {
	.vram = ARIG_VRAM_SIZE, .device_id = 0x6658,
};

static int remote_read(void *priv, uint64_t addr, void *buf, size_t len)
{
	struct arig *rig = priv;

	rig->remote_accesses++;
	if (rig->on_remote)
		rig->on_remote(rig, addr, false);
	memcpy(buf, rig->remote + (addr - ARIG_REMOTE_ADDR), len);
	return 0;
}

static int remote_write(void *priv, uint64_t addr, const void *buf, size_t len)
{
	struct arig *rig = priv;

	rig->remote_accesses++;
	if (rig->on_remote)
		rig->on_remote(rig, addr, true);
	memcpy(rig->remote + (addr - ARIG_REMOTE_ADDR), buf, len);
	return 0;
}

static const struct mem_remote remote_ops = { remote_read, remote_write };

void arig_init(struct arig *rig, const struct cik_config *config,
	       const struct inject *inject)
{
	static const struct inject none;
	void *host;

	/* Half of the tests provoke faults, which would be told on stderr. */
	trace_mask = 0;
	memset(rig, 0, sizeof(*rig));
	rig->cik = cik_new(config ? config : &arig_config,
			   inject ? inject : &none);
	rig->ram_fd = hw_memfd("ram", ARIG_RAM_SIZE, &host);
	rig->ram = host;
	rig->remote = calloc(1, ARIG_RAM_SIZE);
	mem_set_remote(rig->cik->mem, &remote_ops, rig);
	if (rig->ram_fd < 0 || !rig->remote ||
	    mem_map(rig->cik->mem, ARIG_RAM_ADDR, ARIG_RAM_SIZE,
		    MEM_READ | MEM_WRITE, rig->ram_fd, 0) ||
	    mem_map(rig->cik->mem, ARIG_REMOTE_ADDR, ARIG_RAM_SIZE,
		    MEM_READ | MEM_WRITE, -1, 0))
		hw_die(1, "no memory for the rig");
	/* The VBIOS is in front. */
	rig->used[ARIG_VRAM] = HW_KIB(64);
}

void arig_free(struct arig *rig)
{
	cik_free(rig->cik);
	munmap(rig->ram, ARIG_RAM_SIZE);
	close(rig->ram_fd);
	free(rig->remote);
}

uint32_t arig_read(struct arig *rig, uint32_t reg)
{
	uint32_t value;

	if (pci_bar_read(&rig->cik->pci, 5, reg * 4, &value, sizeof(value)))
		hw_die(1, "no register %#x", reg);
	return value;
}

void arig_write(struct arig *rig, uint32_t reg, uint32_t value)
{
	if (pci_bar_write(&rig->cik->pci, 5, reg * 4, &value, sizeof(value)))
		hw_die(1, "no register %#x", reg);
}

void arig_doorbell(struct arig *rig, uint32_t index, uint32_t value)
{
	if (pci_bar_write(&rig->cik->pci, 2, index * 4, &value, sizeof(value)))
		hw_die(1, "no doorbell %#x", index);
}

void arig_set_gart(struct arig *rig, uint64_t mc, uint64_t pte)
{
	uint64_t *table = (uint64_t *)(rig->cik->vram + rig->gart_table);

	table[(mc - ARIG_GART) / HW_PAGE_SIZE] = pte;
}

struct arig_buf arig_buf(struct arig *rig, enum arig_where where, uint64_t size)
{
	struct arig_buf buf = { .where = where };
	uint64_t at = rig->used[where], i;

	buf.size = (size + HW_PAGE_SIZE - 1) & ~(HW_PAGE_SIZE - 1);
	if (buf.size > (where == ARIG_VRAM ? rig->cik->config.vram :
					     ARIG_RAM_SIZE) - at)
		hw_die(1, "the rig's memory is full");
	rig->used[where] += buf.size;
	buf.addr = at + (where == ARIG_RAM    ? ARIG_RAM_ADDR :
			 where == ARIG_REMOTE ? ARIG_REMOTE_ADDR :
						0);
	buf.host = at + (where == ARIG_RAM    ? rig->ram :
			 where == ARIG_REMOTE ? rig->remote :
						rig->cik->vram);
	memset(buf.host, 0, buf.size);
	if (where == ARIG_VRAM) {
		buf.mc = FB + at;
		return buf;
	}
	buf.mc = ARIG_GART + rig->gart * HW_PAGE_SIZE;
	for (i = 0; i < buf.size; i += HW_PAGE_SIZE)
		arig_set_gart(rig, buf.mc + i, (buf.addr + i) | ARIG_RW |
			      CIK_PTE_SYSTEM);
	/* A hole after each one. */
	rig->gart += buf.size / HW_PAGE_SIZE + 1;
	if (rig->gart > ARIG_GART_PAGES)
		hw_die(1, "the rig's GART is full");
	return buf;
}

uint32_t arig_dw(const struct arig_buf *buf, unsigned int dw)
{
	uint32_t value;

	memcpy(&value, buf->host + 4 * dw, sizeof(value));
	return value;
}

uint64_t arig_qw(const struct arig_buf *buf, unsigned int qw)
{
	return lo_hi(arig_dw(buf, 2 * qw), arig_dw(buf, 2 * qw + 1));
}

void arig_set_dw(const struct arig_buf *buf, unsigned int dw, uint32_t value)
{
	memcpy(buf->host + 4 * dw, &value, sizeof(value));
}

uint64_t *arig_pde(struct arig *rig, uint64_t va)
{
	return (uint64_t *)(rig->cik->vram + rig->root) +
	       va / HW_PAGE_SIZE / LEAF_PAGES;
}

void arig_map_entry(struct arig *rig, uint64_t va, uint64_t pte)
{
	uint64_t *pde = arig_pde(rig, va);
	uint64_t table;

	if (!(*pde & CIK_PTE_VALID))
		*pde = arig_buf(rig, ARIG_VRAM, 8 * LEAF_PAGES).mc |
		       CIK_PTE_VALID;
	table = (*pde & CIK_PTE_ADDRESS) - FB;
	((uint64_t *)(rig->cik->vram + table))[va / HW_PAGE_SIZE % LEAF_PAGES] =
		pte;
}

void arig_map(struct arig *rig, uint64_t va, const struct arig_buf *buf,
	      uint64_t flags)
{
	uint64_t i;

	if (buf->where != ARIG_VRAM)
		flags |= CIK_PTE_SYSTEM;
	for (i = 0; i < buf->size; i += HW_PAGE_SIZE)
		arig_map_entry(rig, va + i, (buf->addr + i) | flags);
}

static void start_gmc(struct arig *rig)
{
	uint64_t top = FB + rig->cik->config.vram - 1;
	uint64_t table = FB + rig->gart_table;
	const uint32_t faults =
		VM_CONTEXT1_CNTL__VALID_PROTECTION_FAULT_ENABLE_INTERRUPT_MASK |
		VM_CONTEXT1_CNTL__VALID_PROTECTION_FAULT_ENABLE_DEFAULT_MASK;

	arig_write(rig, mmMC_VM_SYSTEM_APERTURE_LOW_ADDR, FB >> 12);
	arig_write(rig, mmMC_VM_SYSTEM_APERTURE_HIGH_ADDR, top >> 12);
	arig_write(rig, mmVM_CONTEXT0_PAGE_TABLE_START_ADDR, ARIG_GART >> 12);
	arig_write(rig, mmVM_CONTEXT0_PAGE_TABLE_END_ADDR,
		   (ARIG_GART >> 12) + ARIG_GART_PAGES - 1);
	arig_write(rig, mmVM_CONTEXT0_PAGE_TABLE_BASE_ADDR, table >> 12);
	arig_write(rig, mmVM_CONTEXT0_CNTL, 1);
	arig_write(rig, mmVM_CONTEXT1_PAGE_TABLE_START_ADDR, 0);
	arig_write(rig, mmVM_CONTEXT1_PAGE_TABLE_END_ADDR, MAX_PFN - 1);
	arig_write(rig, mmVM_CONTEXT0_PAGE_TABLE_BASE_ADDR + ARIG_VMID,
		   (FB + rig->root) >> 12);
	arig_write(rig, mmVM_CONTEXT1_CNTL, 1 | faults |
		   FIELD_IN(1, VM_CONTEXT1_CNTL, PAGE_TABLE_DEPTH) |
		   FIELD_IN(BLOCK_SIZE, VM_CONTEXT1_CNTL,
			    PAGE_TABLE_BLOCK_SIZE));
	arig_write(rig, mmIH_VMID_0_LUT + ARIG_VMID, ARIG_PASID);
}

static void start_ih(struct arig *rig)
{
	arig_write(rig, mmIH_RB_BASE, rig->ih.mc >> 8);
	arig_write(rig, mmIH_RB_WPTR_ADDR_LO, LO(rig->ih_wptr.mc));
	arig_write(rig, mmIH_RB_WPTR_ADDR_HI, HI(rig->ih_wptr.mc));
	arig_write(rig, mmIH_RB_RPTR, 0);
	arig_write(rig, mmIH_RB_WPTR, 0);
	arig_write(rig, mmIH_CNTL, IH_CNTL__ENABLE_INTR_MASK);
	arig_write(rig, mmIH_RB_CNTL, IH_RB_CNTL__RB_ENABLE_MASK |
		   IH_RB_CNTL__WPTR_OVERFLOW_ENABLE_MASK |
		   IH_RB_CNTL__WPTR_WRITEBACK_ENABLE_MASK |
		   FIELD_IN(10, IH_RB_CNTL, RB_SIZE));
	rig->ih_rptr = 0;
	memset(rig->ih_wptr.host, 0, 8);
}

static void start_sdma(struct arig *rig, enum arig_engine engine)
{
	const struct arig_ring *ring = &rig->ring[engine];
	uint32_t at = engine == ARIG_SDMA1 ? SDMA1_REGISTER_OFFSET : 0;

	arig_write(rig, mmSDMA0_GFX_RB_RPTR + at, 0);
	arig_write(rig, mmSDMA0_GFX_RB_WPTR + at, 0);
	arig_write(rig, mmSDMA0_GFX_RB_RPTR_ADDR_HI + at, HI(ring->rptr.mc));
	arig_write(rig, mmSDMA0_GFX_RB_RPTR_ADDR_LO + at, LO(ring->rptr.mc));
	arig_write(rig, mmSDMA0_GFX_RB_BASE + at, LO(ring->buf.mc >> 8));
	arig_write(rig, mmSDMA0_GFX_RB_BASE_HI + at, LO(ring->buf.mc >> 40));
	arig_write(rig, mmSDMA0_GFX_RB_CNTL + at,
		   SDMA0_GFX_RB_CNTL__RB_ENABLE_MASK |
		   SDMA0_GFX_RB_CNTL__RPTR_WRITEBACK_ENABLE_MASK |
		   FIELD_IN(10, SDMA0_GFX_RB_CNTL, RB_SIZE));
	arig_write(rig, mmSDMA0_CNTL + at, SDMA0_CNTL__TRAP_ENABLE_MASK);
	arig_write(rig, mmSDMA0_F32_CNTL + at, 0);
}

static void start_gfx(struct arig *rig)
{
	const struct arig_ring *ring = &rig->ring[ARIG_GFX];

	arig_write(rig, mmCP_RB0_CNTL, FIELD_IN(9, CP_RB0_CNTL, RB_BUFSZ));
	arig_write(rig, mmCP_RB0_RPTR, 0);
	arig_write(rig, mmCP_RB0_WPTR, 0);
	arig_write(rig, mmCP_RB0_RPTR_ADDR, LO(ring->rptr.mc));
	arig_write(rig, mmCP_RB0_RPTR_ADDR_HI, HI(ring->rptr.mc));
	arig_write(rig, mmCP_RB0_BASE, LO(ring->buf.mc >> 8));
	arig_write(rig, mmCP_RB0_BASE_HI, LO(ring->buf.mc >> 40));
	arig_write(rig, mmCP_INT_CNTL_RING0,
		   CP_INT_CNTL_RING0__TIME_STAMP_INT_ENABLE_MASK |
		   CP_INT_CNTL_RING0__PRIV_REG_INT_ENABLE_MASK |
		   CP_INT_CNTL_RING0__PRIV_INSTR_INT_ENABLE_MASK);
	arig_write(rig, mmCP_ME_CNTL, 0);
}

/* Pipe 1, queue 2. */
static void start_compute(struct arig *rig)
{
	const struct arig_ring *ring = &rig->ring[ARIG_COMPUTE];

	arig_write(rig, mmSRBM_GFX_CNTL, FIELD_IN(1, SRBM_GFX_CNTL, MEID) |
		   FIELD_IN(1, SRBM_GFX_CNTL, PIPEID) |
		   FIELD_IN(2, SRBM_GFX_CNTL, QUEUEID));
	arig_write(rig, mmCP_HQD_PQ_CONTROL,
		   FIELD_IN(9, CP_HQD_PQ_CONTROL, QUEUE_SIZE));
	arig_write(rig, mmCP_HQD_PQ_BASE, LO(ring->buf.mc >> 8));
	arig_write(rig, mmCP_HQD_PQ_BASE_HI, LO(ring->buf.mc >> 40));
	arig_write(rig, mmCP_HQD_PQ_RPTR_REPORT_ADDR, LO(ring->rptr.mc));
	arig_write(rig, mmCP_HQD_PQ_RPTR_REPORT_ADDR_HI, HI(ring->rptr.mc));
	arig_write(rig, mmCP_HQD_PQ_RPTR, 0);
	arig_write(rig, mmCP_HQD_PQ_WPTR, 0);
	arig_write(rig, mmCP_HQD_PQ_DOORBELL_CONTROL,
		   CP_HQD_PQ_DOORBELL_CONTROL__DOORBELL_EN_MASK |
		   FIELD_IN(ARIG_DOORBELL, CP_HQD_PQ_DOORBELL_CONTROL,
			    DOORBELL_OFFSET));
	arig_write(rig, mmCP_HQD_ACTIVE, 1);
	arig_write(rig, mmSRBM_GFX_CNTL, 0);
	arig_write(rig, mmCP_ME1_PIPE1_INT_CNTL,
		   CP_INT_CNTL_RING0__TIME_STAMP_INT_ENABLE_MASK);
	arig_write(rig, mmCP_MEC_CNTL, 0);
}

void arig_start(struct arig *rig)
{
	int i;

	start_gmc(rig);
	start_ih(rig);
	for (i = 0; i < 4; i++) {
		rig->ring[i].wptr = 0;
		memset(rig->ring[i].rptr.host, 0, 8);
	}
	start_sdma(rig, ARIG_SDMA0);
	start_sdma(rig, ARIG_SDMA1);
	start_gfx(rig);
	start_compute(rig);
}

void arig_setup(struct arig *rig)
{
	int i;

	rig->gart_table = arig_buf(rig, ARIG_VRAM, 8 * ARIG_GART_PAGES).addr;
	rig->root = arig_buf(rig, ARIG_VRAM, 8 * MAX_PFN / LEAF_PAGES).addr;
	rig->ih = arig_buf(rig, ARIG_RAM, IH_BYTES);
	rig->ih_wptr = arig_buf(rig, ARIG_RAM, 8);
	for (i = 0; i < 4; i++) {
		rig->ring[i].engine = i;
		rig->ring[i].buf = arig_buf(rig, ARIG_RAM,
					    4 * ARIG_RING_DWORDS);
		rig->ring[i].rptr = arig_buf(rig, ARIG_RAM, 8);
	}
	arig_start(rig);
}

void arig_emit(struct arig *rig, enum arig_engine engine, const uint32_t *dw,
	       unsigned int n)
{
	struct arig_ring *ring = &rig->ring[engine];
	unsigned int i;

	for (i = 0; i < n; i++) {
		arig_set_dw(&ring->buf, ring->wptr, dw[i]);
		ring->wptr = (ring->wptr + 1) % ARIG_RING_DWORDS;
	}
}

void arig_kick(struct arig *rig, enum arig_engine engine)
{
	uint32_t wptr = rig->ring[engine].wptr;

	switch (engine) {
	case ARIG_SDMA0:
		arig_write(rig, mmSDMA0_GFX_RB_WPTR, wptr * 4);
		break;
	case ARIG_SDMA1:
		arig_write(rig, mmSDMA1_GFX_RB_WPTR, wptr * 4);
		break;
	case ARIG_GFX:
		arig_write(rig, mmCP_RB0_WPTR, wptr);
		break;
	case ARIG_COMPUTE:
		arig_doorbell(rig, ARIG_DOORBELL, wptr);
		break;
	}
}

int arig_submit(struct arig *rig, enum arig_engine engine)
{
	arig_kick(rig, engine);
	return arig_work(rig);
}

static uint32_t rptr_register(struct arig *rig, enum arig_engine engine)
{
	uint32_t value;

	switch (engine) {
	case ARIG_SDMA0:
		return arig_read(rig, mmSDMA0_GFX_RB_RPTR);
	case ARIG_SDMA1:
		return arig_read(rig, mmSDMA1_GFX_RB_RPTR);
	case ARIG_GFX:
		return arig_read(rig, mmCP_RB0_RPTR);
	case ARIG_COMPUTE:
		arig_write(rig, mmSRBM_GFX_CNTL, 1 << 2 | 1 | 2 << 8);
		value = arig_read(rig, mmCP_HQD_PQ_RPTR);
		arig_write(rig, mmSRBM_GFX_CNTL, 0);
		return value;
	}
	return ~0u;
}

bool arig_idle(struct arig *rig, enum arig_engine engine)
{
	const struct arig_ring *ring = &rig->ring[engine];
	uint32_t wptr = ring->wptr * (engine <= ARIG_SDMA1 ? 4 : 1);

	return rptr_register(rig, engine) == wptr &&
	       arig_dw(&ring->rptr, 0) == wptr;
}

unsigned int arig_ib(const struct arig_buf *buf, unsigned int at,
		     const uint32_t *dw, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		arig_set_dw(buf, at + i, dw[i]);
	return at + n;
}

bool arig_iv(struct arig *rig, struct arig_iv *iv)
{
	uint32_t wptr = arig_dw(&rig->ih_wptr, 0) & (IH_BYTES - 1);
	unsigned int at = rig->ih_rptr / 4;

	if (rig->ih_rptr == wptr)
		return false;
	iv->source = arig_dw(&rig->ih, at) & 0xff;
	iv->data = arig_dw(&rig->ih, at + 1);
	iv->ring_id = arig_dw(&rig->ih, at + 2) & 0xff;
	iv->vmid = arig_dw(&rig->ih, at + 2) >> 8 & 0xff;
	iv->pasid = arig_dw(&rig->ih, at + 2) >> 16;
	rig->ih_rptr = (rig->ih_rptr + 16) % IH_BYTES;
	arig_write(rig, mmIH_RB_RPTR, rig->ih_rptr);
	return true;
}

bool arig_expect_iv(struct arig *rig, unsigned int source,
		    unsigned int ring_id)
{
	struct arig_iv iv = { 0 };

	if (arig_iv(rig, &iv) && iv.source == source && iv.ring_id == ring_id)
		return true;
	printf("#   vector of source %u, ring %#x, not %u, %#x\n", iv.source,
	       iv.ring_id, source, ring_id);
	return false;
}

int arig_turn(struct arig *rig)
{
	return rig->cik->pci.ops->work(&rig->cik->pci);
}

int arig_work(struct arig *rig)
{
	int wait = 0, n = PATIENCE;

	while (!wait && n--)
		wait = arig_turn(rig);
	return wait;
}
