/* SPDX-License-Identifier: MIT */
/* What the driver's headers use of the kernel's <linux/log2.h>. */
#ifndef HW_XE_SHIM_LOG2_H
#define HW_XE_SHIM_LOG2_H

#define const_ilog2(n) (63 - __builtin_clzll(n))
#define ilog2(n) const_ilog2(n)

#endif
