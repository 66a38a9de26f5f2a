// SPDX-License-Identifier: MIT
/*
 * Registers that mean something here. All others keep what is written, see
 * state.c. What a register has after a reset is in the table as well; what is left
 * out of its meaning, each entry says.
 */
#include <string.h>

#include "amdgpu/amdgpu.h"
#include "amdgpu/driver.h"

#define CLOCK_HZ	27000000ull
#define VRAM_WINDOW	0x80000000u	/* MM_INDEX: into VRAM, else registers */
#define GDDR5		0x50000000	/* MC_SEQ_MISC0: kind of memory */
#define ASIC_INIT_DONE	0x200		/* BIOS_SCRATCH_7 */

uint64_t cik_clock(void)
{
	uint64_t ns = hw_now();

	return ns / 1000000000 * CLOCK_HZ +
	       ns % 1000000000 * CLOCK_HZ / 1000000000;
}

uint32_t cik_reg_read(struct cik *cik, uint32_t reg)
{
	return mmio_read(cik->mmio, (reg & (CIK_REGISTERS - 1)) * 4, 4);
}

void cik_reg_write(struct cik *cik, uint32_t reg, uint32_t value)
{
	mmio_write(cik->mmio, (reg & (CIK_REGISTERS - 1)) * 4, value, 4);
}

static uint32_t indexed_read(const struct cik_indexed *space, uint32_t index)
{
	unsigned int i;

	for (i = 0; i < space->nr; i++)
		if (space->reg[i].index == index)
			return space->reg[i].value;
	return 0;
}

static void indexed_write(struct cik_indexed *space, uint32_t index,
			  uint32_t value)
{
	unsigned int i;

	for (i = 0; i < space->nr; i++)
		if (space->reg[i].index == index)
			break;
	if (i == CIK_INDEXED) {
		trace(TRACE_NOTE, "too many indexed registers: %#x", index);
		return;
	}
	space->reg[i].index = index;
	space->reg[i].value = value;
	if (i == space->nr)
		space->nr++;
}

static void write_nothing(void *priv, unsigned int index, uint32_t value)
{
	(void)priv;
	(void)index;
	(void)value;
}

static uint32_t read_zero(void *priv, unsigned int index)
{
	(void)priv;
	(void)index;
	return 0;
}

static uint32_t read_ones(void *priv, unsigned int index)
{
	(void)priv;
	(void)index;
	return ~0u;
}

/* The dword of VRAM that MM_INDEX and MM_INDEX_HI name, or NULL. */
static uint32_t *vram_window(struct cik *cik)
{
	uint64_t at = (cik->reg[mmMM_INDEX] & ~VRAM_WINDOW & ~3u) |
		      (uint64_t)cik->reg[mmMM_INDEX_HI] << 31;

	if (at > cik->config.vram - 4)
		return NULL;
	return (uint32_t *)(cik->vram + at);
}

static uint32_t window_register(struct cik *cik)
{
	return cik->reg[mmMM_INDEX] / 4 & (CIK_REGISTERS - 1);
}

static uint32_t read_mm_data(void *priv, unsigned int index)
{
	struct cik *cik = priv;
	uint32_t *at;

	(void)index;
	if (cik->reg[mmMM_INDEX] & VRAM_WINDOW) {
		at = vram_window(cik);
		return at ? __atomic_load_n(at, __ATOMIC_ACQUIRE) : 0;
	}
	/* Not through itself. */
	if (window_register(cik) == mmMM_DATA)
		return 0;
	return cik_reg_read(cik, window_register(cik));
}

static void write_mm_data(void *priv, unsigned int index, uint32_t value)
{
	struct cik *cik = priv;
	uint32_t *at;

	(void)index;
	if (cik->reg[mmMM_INDEX] & VRAM_WINDOW) {
		at = vram_window(cik);
		if (at)
			__atomic_store_n(at, value, __ATOMIC_RELEASE);
		return;
	}
	if (window_register(cik) != mmMM_DATA)
		cik_reg_write(cik, window_register(cik), value);
}

static uint32_t read_pcie_data(void *priv, unsigned int index)
{
	struct cik *cik = priv;

	(void)index;
	return indexed_read(&cik->pcie, cik->reg[mmPCIE_INDEX]);
}

static void write_pcie_data(void *priv, unsigned int index, uint32_t value)
{
	struct cik *cik = priv;

	(void)index;
	indexed_write(&cik->pcie, cik->reg[mmPCIE_INDEX], value);
}

static uint32_t read_smc_data(void *priv, unsigned int index)
{
	struct cik *cik = priv;

	(void)index;
	return indexed_read(&cik->smc, cik->reg[mmSMC_IND_INDEX_0]);
}

static void write_smc_data(void *priv, unsigned int index, uint32_t value)
{
	struct cik *cik = priv;

	(void)index;
	indexed_write(&cik->smc, cik->reg[mmSMC_IND_INDEX_0], value);
}

static uint32_t read_clock(void *priv, unsigned int index)
{
	(void)priv;
	return cik_clock() >> 32 * index;
}

static void write_fault_control(void *priv, unsigned int index, uint32_t value)
{
	(void)index;
	cik_fault_control(priv, value);
}

static void write_ih_control(void *priv, unsigned int index, uint32_t value)
{
	(void)index;
	cik_ih_control(priv, value);
}

/* The microcontroller answers by clearing the request. */
static void write_rlc_request(void *priv, unsigned int index, uint32_t value)
{
	struct cik *cik = priv;

	(void)index;
	cik->reg[mmRLC_GPR_REG2] = value & ~1u;
}

/* Engines whose bits are set forget what they were doing. */
static void write_grbm_reset(void *priv, unsigned int index, uint32_t value)
{
	struct cik *cik = priv;
	const uint32_t gfx = GRBM_SOFT_RESET__SOFT_RESET_GFX_MASK |
			     GRBM_SOFT_RESET__SOFT_RESET_CP_MASK;
	unsigned int key;

	(void)index;
	cik->reg[mmGRBM_SOFT_RESET] = value;
	if (!(value & gfx))
		return;
	trace(TRACE_NOTE, "soft reset of graphics and compute");
	cik_ring_drop(&cik->ring[CIK_KEY_GFX]);
	for (key = CIK_KEY_COMPUTE; key < CIK_RINGS; key++)
		cik_ring_drop(&cik->ring[key]);
}

static void write_srbm_reset(void *priv, unsigned int index, uint32_t value)
{
	struct cik *cik = priv;

	(void)index;
	cik->reg[mmSRBM_SOFT_RESET] = value;
	if (value & SRBM_SOFT_RESET__SOFT_RESET_SDMA_MASK)
		cik_ring_drop(&cik->ring[CIK_KEY_SDMA]);
	if (value & SRBM_SOFT_RESET__SOFT_RESET_SDMA1_MASK)
		cik_ring_drop(&cik->ring[CIK_KEY_SDMA + 1]);
}

#define AT(name)	mm##name * 4, 1, #name
#define ROW(name, n)	mm##name * 4, n, #name

/* No callbacks: the model looks at what is written. */
static const struct mmio_reg registers[] = {
	/* indirect accesses */
	{ AT(MM_INDEX), NULL, NULL },
	{ AT(MM_INDEX_HI), NULL, NULL },
	{ AT(MM_DATA), read_mm_data, write_mm_data },
	/* behind these two, only storage: no link, no power management */
	{ AT(PCIE_INDEX), NULL, NULL },
	{ AT(PCIE_DATA), read_pcie_data, write_pcie_data },
	{ AT(SMC_IND_INDEX_0), NULL, NULL },
	{ AT(SMC_IND_DATA_0), read_smc_data, write_smc_data },

	/* what the card is; straps and fuses are all 0: nothing is harvested */
	{ AT(CONFIG_MEMSIZE), NULL, write_nothing },
	{ AT(MC_VM_FB_LOCATION), NULL, write_nothing },
	{ AT(MC_SEQ_MISC0), NULL, write_nothing },
	{ ROW(BIOS_SCRATCH_0, 16), NULL, NULL },

	/* status: never busy, so nobody ever sees a block at work */
	{ AT(SRBM_STATUS), read_zero, write_nothing },
	{ AT(SRBM_STATUS2), read_zero, write_nothing },
	{ AT(GRBM_STATUS), read_zero, write_nothing },
	{ AT(GRBM_STATUS2), read_zero, write_nothing },
	{ AT(CP_STAT), read_zero, write_nothing },
	/* memory is trained before the driver comes; no firmware is run */
	{ AT(MC_SEQ_SUP_CNTL), NULL, write_nothing },
	/* no microcontroller: it is idle, powered, and done at once */
	{ AT(RLC_GPM_STAT), NULL, write_nothing },
	{ AT(RLC_GPR_REG2), NULL, write_rlc_request },
	{ AT(RLC_SERDES_CU_MASTER_BUSY), read_zero, write_nothing },
	{ AT(RLC_SERDES_NONCU_MASTER_BUSY), read_zero, write_nothing },
	/* the clock is not captured: it is read as it is */
	{ AT(RLC_CAPTURE_GPU_CLOCK_COUNT), NULL, NULL },
	{ ROW(RLC_GPU_CLOCK_COUNT_LSB, 2), read_clock, write_nothing },
	/* the host's path to memory has no cache: flushed as soon as asked */
	{ AT(GPU_HDP_FLUSH_REQ), NULL, NULL },
	{ AT(GPU_HDP_FLUSH_DONE), read_ones, write_nothing },

	/* address translation; there are no TLBs to invalidate */
	{ AT(MC_VM_SYSTEM_APERTURE_LOW_ADDR), NULL, NULL },
	{ AT(MC_VM_SYSTEM_APERTURE_HIGH_ADDR), NULL, NULL },
	{ AT(VM_CONTEXT0_CNTL), NULL, NULL },
	{ AT(VM_CONTEXT1_CNTL), NULL, NULL },
	{ AT(VM_CONTEXT0_PAGE_TABLE_START_ADDR), NULL, NULL },
	{ AT(VM_CONTEXT1_PAGE_TABLE_START_ADDR), NULL, NULL },
	{ AT(VM_CONTEXT0_PAGE_TABLE_END_ADDR), NULL, NULL },
	{ AT(VM_CONTEXT1_PAGE_TABLE_END_ADDR), NULL, NULL },
	{ ROW(VM_CONTEXT0_PAGE_TABLE_BASE_ADDR, 8), NULL, NULL },
	{ ROW(VM_CONTEXT8_PAGE_TABLE_BASE_ADDR, 8), NULL, NULL },
	{ AT(VM_INVALIDATE_REQUEST), read_zero, NULL },
	{ AT(VM_INVALIDATE_RESPONSE), read_ones, write_nothing },
	{ AT(VM_CONTEXT1_CNTL2), NULL, write_fault_control },
	{ ROW(VM_CONTEXT0_PROTECTION_FAULT_STATUS, 2), NULL, write_nothing },
	{ ROW(VM_CONTEXT0_PROTECTION_FAULT_MCCLIENT, 2), NULL, write_nothing },
	{ ROW(VM_CONTEXT0_PROTECTION_FAULT_ADDR, 2), NULL, write_nothing },

	/* interrupts; no other source than those of rings and faults */
	{ AT(IH_RB_CNTL), NULL, write_ih_control },
	{ AT(IH_RB_BASE), NULL, NULL },
	{ AT(IH_RB_RPTR), NULL, NULL },
	{ AT(IH_RB_WPTR), NULL, NULL },
	{ AT(IH_RB_WPTR_ADDR_HI), NULL, NULL },
	{ AT(IH_RB_WPTR_ADDR_LO), NULL, NULL },
	{ AT(IH_CNTL), NULL, NULL },
	{ ROW(IH_VMID_0_LUT, 16), NULL, NULL },

	/* the ring of graphics */
	{ AT(CP_ME_CNTL), NULL, NULL },
	{ AT(CP_RB0_BASE), NULL, NULL },
	{ AT(CP_RB0_BASE_HI), NULL, NULL },
	{ AT(CP_RB0_CNTL), NULL, NULL },
	{ AT(CP_RB0_RPTR), NULL, NULL },
	{ AT(CP_RB0_RPTR_ADDR), NULL, NULL },
	{ AT(CP_RB0_RPTR_ADDR_HI), NULL, NULL },
	{ AT(CP_RB0_WPTR), NULL, NULL },
	{ AT(CP_INT_CNTL_RING0), NULL, NULL },
	{ AT(SCRATCH_REG0), NULL, NULL },
	{ AT(GRBM_SOFT_RESET), NULL, write_grbm_reset },
	{ AT(SRBM_SOFT_RESET), NULL, write_srbm_reset },

	/* compute queues: no EOP queue, no wptr polling, no priorities */
	{ AT(SRBM_GFX_CNTL), NULL, NULL },
	{ AT(CP_MEC_CNTL), NULL, NULL },
	{ ROW(CP_ME1_PIPE0_INT_CNTL, CIK_PIPES), NULL, NULL },
	{ ROW(CP_MQD_BASE_ADDR, CIK_HQD_REGS), cik_hqd_read, cik_hqd_write },
};

/* The same for each SDMA engine; no context switches, no RLC queues. */
static const struct {
	uint32_t reg;
	const char *name;
} sdma_registers[] = {
	{ mmSDMA0_CNTL, "SDMA_CNTL" },
	{ mmSDMA0_F32_CNTL, "SDMA_F32_CNTL" },
	{ mmSDMA0_GFX_RB_CNTL, "SDMA_GFX_RB_CNTL" },
	{ mmSDMA0_GFX_RB_BASE, "SDMA_GFX_RB_BASE" },
	{ mmSDMA0_GFX_RB_BASE_HI, "SDMA_GFX_RB_BASE_HI" },
	{ mmSDMA0_GFX_RB_RPTR, "SDMA_GFX_RB_RPTR" },
	{ mmSDMA0_GFX_RB_WPTR, "SDMA_GFX_RB_WPTR" },
	{ mmSDMA0_GFX_RB_RPTR_ADDR_HI, "SDMA_GFX_RB_RPTR_ADDR_HI" },
	{ mmSDMA0_GFX_RB_RPTR_ADDR_LO, "SDMA_GFX_RB_RPTR_ADDR_LO" },
};

static void add_sdma(struct mmio *mmio)
{
	static struct mmio_reg kept[2][ARRAY_SIZE(sdma_registers)];
	unsigned int unit;
	size_t i;

	for (unit = 0; unit < 2; unit++) {
		for (i = 0; i < ARRAY_SIZE(sdma_registers); i++)
			kept[unit][i] = (struct mmio_reg){
				.offset = (sdma_registers[i].reg +
					   unit * SDMA1_REGISTER_OFFSET) * 4,
				.count = 1,
				.name = sdma_registers[i].name,
			};
		mmio_add(mmio, kept[unit], ARRAY_SIZE(kept[unit]));
	}
}

struct mmio *cik_regs_new(struct cik *cik)
{
	struct mmio *mmio = mmio_new(CIK_MMIO_SIZE, cik, cik_register_names,
				     cik_nr_register_names);

	if (!mmio)
		return NULL;
	mmio_back(mmio, cik->reg);
	mmio_add(mmio, registers, ARRAY_SIZE(registers));
	add_sdma(mmio);
	cik_state_tolerate(mmio);
	return mmio;
}

/* Engines are halted, memory works, and the card says that it was initialised. */
void cik_regs_power_on(struct cik *cik)
{
	uint64_t top = CIK_FB_BASE + cik->config.vram - 1;
	unsigned int unit;

	memset(cik->reg, 0, sizeof(cik->reg));
	memset(&cik->pcie, 0, sizeof(cik->pcie));
	memset(&cik->smc, 0, sizeof(cik->smc));
	memset(cik->hqd, 0, sizeof(cik->hqd));
	memset(cik->hqd_other, 0, sizeof(cik->hqd_other));
	cik->reg[mmCONFIG_MEMSIZE] = cik->config.vram / HW_MIB(1);
	cik->reg[mmMC_VM_FB_LOCATION] = top >> 24 << 16 | CIK_FB_BASE >> 24;
	cik->reg[mmMC_SEQ_MISC0] = GDDR5;
	cik->reg[mmMC_SEQ_SUP_CNTL] = MC_SEQ_SUP_CNTL__RUN_MASK;
	cik->reg[mmBIOS_SCRATCH_7] = ASIC_INIT_DONE;
	cik->reg[mmRLC_GPM_STAT] = RLC_GPM_STAT__GFX_POWER_STATUS_MASK |
				   RLC_GPM_STAT__GFX_CLOCK_STATUS_MASK;
	cik->reg[mmCP_ME_CNTL] = CP_ME_CNTL__ME_HALT_MASK |
				 CP_ME_CNTL__PFP_HALT_MASK |
				 CP_ME_CNTL__CE_HALT_MASK;
	cik->reg[mmCP_MEC_CNTL] = CP_MEC_CNTL__MEC_ME1_HALT_MASK |
				  CP_MEC_CNTL__MEC_ME2_HALT_MASK;
	for (unit = 0; unit < 2; unit++)
		cik->reg[mmSDMA0_F32_CNTL + unit * SDMA1_REGISTER_OFFSET] =
			SDMA0_F32_CNTL__HALT_MASK;
}
