/* SPDX-License-Identifier: MIT */
/* First dwords of answers, the same over mailbox, rings and relay. */
#ifndef HW_XE_HXG_H
#define HW_XE_HXG_H

#include "xe/driver.h"

/* @origin is GUC_HXG_ORIGIN_*: who answers. */
static inline uint32_t hxg_success(uint32_t origin, uint32_t data0)
{
	return FIELD_PREP(GUC_HXG_MSG_0_ORIGIN, origin) |
	       FIELD_PREP(GUC_HXG_MSG_0_TYPE, GUC_HXG_TYPE_RESPONSE_SUCCESS) |
	       FIELD_PREP(GUC_HXG_RESPONSE_MSG_0_DATA0, data0);
}

static inline uint32_t hxg_failure(uint32_t origin, uint32_t error)
{
	return FIELD_PREP(GUC_HXG_MSG_0_ORIGIN, origin) |
	       FIELD_PREP(GUC_HXG_MSG_0_TYPE, GUC_HXG_TYPE_RESPONSE_FAILURE) |
	       FIELD_PREP(GUC_HXG_FAILURE_MSG_0_ERROR, error);
}

#endif
