/* SPDX-License-Identifier: MIT */
/* What the driver's headers use of the kernel's <asm/page.h>. */
#ifndef HW_XE_SHIM_PAGE_H
#define HW_XE_SHIM_PAGE_H

#ifndef PAGE_SIZE
#define PAGE_SIZE 4096
#endif

#endif
