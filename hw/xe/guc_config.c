// SPDX-License-Identifier: MIT
/* What the firmware knows about this function, and what it is told. */
#include <errno.h>
#include <string.h>

#include "xe/driver.h"
#include "xe/xe.h"

/* Graphics IP 20.01 revision 4: what a Battlemage G21 answers. */
#define GMD_ID_GRAPHICS	(FIELD_PREP(GMD_ID_ARCH_MASK, 20) | \
			 FIELD_PREP(GMD_ID_RELEASE_MASK, 1) | \
			 FIELD_PREP(GMD_ID_REVID, 4))

/* Below it the driver keeps the GuC's own addresses. */
#define GGTT_START	HW_MIB(256)
#define NUM_DOORBELLS	256

static const struct {
	uint32_t key;
	const char *name;
} klv_names[] = {
	{ GUC_KLV_VF_CFG_GGTT_START_KEY, "GGTT_START" },
	{ GUC_KLV_VF_CFG_GGTT_SIZE_KEY, "GGTT_SIZE" },
	{ GUC_KLV_VF_CFG_LMEM_SIZE_KEY, "LMEM_SIZE" },
	{ GUC_KLV_VF_CFG_NUM_CONTEXTS_KEY, "NUM_CONTEXTS" },
	{ GUC_KLV_VF_CFG_NUM_DOORBELLS_KEY, "NUM_DOORBELLS" },
	{ GUC_KLV_GLOBAL_CFG_GMD_ID_KEY, "GMD_ID" },
	{ GUC_KLV_SELF_CFG_MEMIRQ_STATUS_ADDR_KEY, "MEMIRQ_STATUS_ADDR" },
	{ GUC_KLV_SELF_CFG_MEMIRQ_SOURCE_ADDR_KEY, "MEMIRQ_SOURCE_ADDR" },
	{ GUC_KLV_SELF_CFG_H2G_CTB_ADDR_KEY, "H2G_CTB_ADDR" },
	{ GUC_KLV_SELF_CFG_H2G_CTB_DESCRIPTOR_ADDR_KEY, "H2G_CTB_DESC_ADDR" },
	{ GUC_KLV_SELF_CFG_H2G_CTB_SIZE_KEY, "H2G_CTB_SIZE" },
	{ GUC_KLV_SELF_CFG_G2H_CTB_ADDR_KEY, "G2H_CTB_ADDR" },
	{ GUC_KLV_SELF_CFG_G2H_CTB_DESCRIPTOR_ADDR_KEY, "G2H_CTB_DESC_ADDR" },
	{ GUC_KLV_SELF_CFG_G2H_CTB_SIZE_KEY, "G2H_CTB_SIZE" },
};

const char *xe_guc_klv_name(uint32_t key)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(klv_names); i++)
		if (klv_names[i].key == key)
			return klv_names[i].name;
	return "?";
}

int xe_guc_klv(struct xe_guc *guc, uint32_t key, uint32_t *value,
	       unsigned int *len)
{
	const struct xe_config *config = &guc->vf->config;
	uint64_t found;

	*len = 1;
	switch (key) {
	case GUC_KLV_GLOBAL_CFG_GMD_ID_KEY:
		/* A GT that reads 0 is fused off; the media GT is. */
		found = guc->media ? 0 : GMD_ID_GRAPHICS;
		break;
	case GUC_KLV_VF_CFG_NUM_CONTEXTS_KEY:
		found = config->contexts;
		break;
	case GUC_KLV_VF_CFG_NUM_DOORBELLS_KEY:
		found = NUM_DOORBELLS;
		break;
	case GUC_KLV_VF_CFG_GGTT_START_KEY:
		found = GGTT_START;
		*len = 2;
		break;
	case GUC_KLV_VF_CFG_GGTT_SIZE_KEY:
		found = config->ggtt;
		*len = 2;
		break;
	case GUC_KLV_VF_CFG_LMEM_SIZE_KEY:
		found = config->vram;
		*len = 2;
		break;
	default:
		return -ENOENT;
	}
	value[0] = found;
	value[1] = found >> 32;
	return 0;
}

int xe_guc_self_cfg(struct xe_guc *guc, uint32_t key, uint64_t value)
{
	uint32_t index = key - GUC_KLV_SELF_CFG_MEMIRQ_STATUS_ADDR_KEY;

	if (index >= XE_GUC_KLVS)
		return -ENOENT;
	guc->self_cfg[index] = value;
	return 0;
}

/*
 * The hardware configuration table: key, length, value. User space asks it for the
 * shape of the GPU. The keys are of the firmware's interface; the driver names
 * none of them and IGT and Mesa only want them to be there. The numbers are plausible
 * for four slices of eight cores and are not a real card's.
 */
#define HWCONFIG_KEYS	70
#define HWCONFIG_OTHER	8	/* for what nobody looked at yet */

static const struct {
	uint32_t key;
	uint32_t value;
} hwconfig_known[] = {
	{ 1, 8 },	/* max slices */
	{ 2, 32 },	/* max dual subslices */
	{ 3, 8 },	/* max EUs per dual subslice */
	{ 4, 32 },	/* pixel pipes */
	{ 15, 8 },	/* threads per EU */
	{ 16, 512 },	/* VS threads */
	{ 17, 512 },	/* GS threads */
	{ 18, 512 },	/* HS threads */
	{ 19, 512 },	/* DS threads */
	{ 21, 512 },	/* PS threads */
	{ 23, 1024 },	/* URB size in KiB */
	{ 70, 32 },	/* max subslices */
};

const uint32_t *xe_guc_hwconfig(size_t *bytes)
{
	static uint32_t table[3 * HWCONFIG_KEYS];
	size_t i;

	for (i = 0; i < HWCONFIG_KEYS; i++) {
		table[3 * i] = i + 1;
		table[3 * i + 1] = 1;
		table[3 * i + 2] = HWCONFIG_OTHER;
	}
	for (i = 0; i < ARRAY_SIZE(hwconfig_known); i++)
		table[3 * (hwconfig_known[i].key - 1) + 2] =
			hwconfig_known[i].value;
	*bytes = sizeof(table);
	return table;
}
