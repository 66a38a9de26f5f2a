/* SPDX-License-Identifier: MIT */
/*
 * Names from the driver itself. Registers, commands and messages are taken from the
 * headers of the composed kernel tree, so that the model cannot disagree with the
 * driver about a number.
 */
#ifndef HW_XE_DRIVER_H
#define HW_XE_DRIVER_H

#include <linux/types.h>
#include <linux/bits.h>
#include <linux/bitfield.h>
#include <linux/build_bug.h>
#include <linux/sizes.h>

/* The driver has them from <linux/limits.h>, which programs know otherwise. */
#ifndef U32_MAX
#define U8_MAX		((u8)~0U)
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define U64_MAX		((u64)~0ULL)
#endif

#include "regs/xe_regs.h"
#include "regs/xe_guc_regs.h"
#include "regs/xe_engine_regs.h"
#include "regs/xe_gt_regs.h"
#include "regs/xe_gtt_defs.h"
#include "regs/xe_irq_regs.h"
#include "regs/xe_lrc_layout.h"
#include "instructions/xe_alu_commands.h"
#include "instructions/xe_gpu_commands.h"
#include "instructions/xe_mi_commands.h"
#include "abi/guc_actions_abi.h"
#include "abi/guc_actions_sriov_abi.h"
#include "abi/guc_communication_ctb_abi.h"
#include "abi/guc_communication_mmio_abi.h"
#include "abi/guc_errors_abi.h"
#include "abi/guc_klvs_abi.h"
#include "abi/guc_messages_abi.h"
#include "abi/guc_relay_actions_abi.h"
#include "abi/guc_relay_communication_abi.h"
#include "abi/guc_scheduler_abi.h"

#endif
