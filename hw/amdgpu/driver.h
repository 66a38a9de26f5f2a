/* SPDX-License-Identifier: MIT */
/*
 * Names from the driver itself. Registers, packets and firmware headers are taken
 * from the headers of the composed kernel tree, so that the model cannot disagree
 * with the driver about a number. Registers (mm*) count in dwords.
 */
#ifndef HW_AMDGPU_DRIVER_H
#define HW_AMDGPU_DRIVER_H

#include <linux/types.h>
#include <linux/bits.h>

#include "bif/bif_4_1_d.h"
#include "bif/bif_4_1_sh_mask.h"
#include "dce/dce_8_0_d.h"
#include "gca/gfx_7_2_d.h"
#include "gca/gfx_7_2_enum.h"
#include "gca/gfx_7_2_sh_mask.h"
#include "gmc/gmc_7_1_d.h"
#include "gmc/gmc_7_1_sh_mask.h"
#include "oss/oss_2_0_d.h"
#include "oss/oss_2_0_sh_mask.h"
#include "smu/smu_7_0_1_d.h"
#include "cikd.h"
#include "ivsrcid/ivsrcid_vislands30.h"

/* Of the packets that the driver never emits only a later chip's header tells. */
#include "iceland_sdma_pkt_open.h"

/* Whose top bit the driver shifts out of an int. */
#undef PACKET_TYPE3
#define PACKET_TYPE3 3u

/* A field of a register, by the names that the headers have for it. */
#define FIELD_OF(value, reg, field) \
	(((value) & reg##__##field##_MASK) >> reg##__##field##__SHIFT)
#define FIELD_IN(value, reg, field) \
	((uint32_t)(value) << reg##__##field##__SHIFT & reg##__##field##_MASK)

#endif
