/* SPDX-License-Identifier: MIT */
/* A hardware queue descriptor: the registers of one compute queue. */
#ifndef HW_AMDGPU_HQD_H
#define HW_AMDGPU_HQD_H

#include "amdgpu/amdgpu.h"
#include "amdgpu/driver.h"

/* A register of queue @n by the name that it has for the selected one. */
#define CIK_HQD(cik, n, name) \
	((cik)->hqd[n][mmCP_##name - mmCP_MQD_BASE_ADDR])

_Static_assert(mmCP_MQD_CONTROL - mmCP_MQD_BASE_ADDR + 1 == CIK_HQD_REGS,
	       "registers of a queue");

#endif
