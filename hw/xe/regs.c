// SPDX-License-Identifier: MIT
/*
 * Registers. Of a virtual function only few are real: what the driver marks with
 * XE_REG_OPTION_VF. Others it asks the physical function for, once (see
 * guc_relay.c), and their writes it drops.
 */
#include "xe/driver.h"
#include "xe/xe.h"

/* 38.4 MHz crystal: what timestamps count */
#define RPM_CONFIG_38_4_MHZ	0x14

static uint32_t read_vf_cap(void *priv, unsigned int index)
{
	(void)priv;
	(void)index;
	return VF_CAP;
}

static uint32_t read_sw_flag(void *priv, unsigned int index)
{
	struct xe_vf *vf = priv;

	return vf->guc.sw_flag[index];
}

static void write_sw_flag(void *priv, unsigned int index, uint32_t value)
{
	struct xe_vf *vf = priv;

	vf->guc.sw_flag[index] = value;
}

static uint32_t read_med_sw_flag(void *priv, unsigned int index)
{
	struct xe_vf *vf = priv;

	return vf->media.sw_flag[index];
}

static void write_med_sw_flag(void *priv, unsigned int index, uint32_t value)
{
	struct xe_vf *vf = priv;

	vf->media.sw_flag[index] = value;
}

static void ring_guc(void *priv, unsigned int index, uint32_t value)
{
	struct xe_vf *vf = priv;

	(void)index;
	(void)value;
	xe_guc_doorbell(&vf->guc);
}

static void ring_media(void *priv, unsigned int index, uint32_t value)
{
	struct xe_vf *vf = priv;

	(void)index;
	(void)value;
	xe_guc_doorbell(&vf->media);
}

struct mmio *xe_regs_new(struct xe_vf *vf)
{
	/* Not static: the driver's macros are no constants to the linker. */
	const struct mmio_reg table[] = {
		{ VF_CAP_REG.addr, 1, "VF_CAP_REG", read_vf_cap, NULL },
		{ GUC_HOST_INTERRUPT.addr, 1, "GUC_HOST_INTERRUPT", NULL,
		  ring_guc },
		{ VF_SW_FLAG(0).addr, VF_SW_FLAG_COUNT, "VF_SW_FLAG",
		  read_sw_flag, write_sw_flag },
		{ MED_GUC_HOST_INTERRUPT.addr, 1, "MED_GUC_HOST_INTERRUPT",
		  NULL, ring_media },
		{ MED_VF_SW_FLAG(0).addr, MED_VF_SW_FLAG_COUNT,
		  "MED_VF_SW_FLAG", read_med_sw_flag, write_med_sw_flag },
	};
	static struct mmio_reg kept[ARRAY_SIZE(table)];
	struct mmio *mmio;
	size_t i;

	mmio = mmio_new(XE_REGS_SIZE, vf, xe_register_names,
			xe_nr_register_names);
	if (!mmio)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(table); i++)
		kept[i] = table[i];
	mmio_add(mmio, kept, ARRAY_SIZE(kept));
	return mmio;
}

/*
 * Registers that the physical function gives out: those of ver_2000_runtime_regs
 * in the driver's xe_gt_sriov_pf_service.c, in that order.
 */
#define RUNTIME_REGISTERS	13

unsigned int xe_runtime_registers(void)
{
	return RUNTIME_REGISTERS;
}

uint32_t xe_runtime_register(struct xe_vf *vf, unsigned int index,
			     uint32_t *offset)
{
	const struct {
		uint32_t offset;
		uint32_t value;
	} table[RUNTIME_REGISTERS] = {
		{ RPM_CONFIG0.addr, RPM_CONFIG_38_4_MHZ },
		{ XEHP_FUSE4.addr,
		  FIELD_PREP(CCS_EN_MASK, (1u << vf->config.ccs) - 1) },
		{ MIRROR_FUSE3.addr, 0 },
		{ MIRROR_FUSE1.addr, 0 },
		{ XELP_EU_ENABLE.addr, 0xff },
		{ XELP_GT_GEOMETRY_DSS_ENABLE.addr, 0xfffff },
		{ GT_VEBOX_VDBOX_DISABLE.addr, 0 },
		{ XEHP_GT_COMPUTE_DSS_ENABLE.addr, 0xfffff },
		{ XEHPC_GT_COMPUTE_DSS_ENABLE_EXT.addr, 0 },
		{ XE2_GT_COMPUTE_DSS_2.addr, 0 },
		{ XE2_GT_GEOMETRY_DSS_1.addr, 0 },
		{ XE2_GT_GEOMETRY_DSS_2.addr, 0 },
		{ HUC_KERNEL_LOAD_INFO.addr, 0 },
	};

	*offset = table[index].offset;
	return table[index].value;
}
