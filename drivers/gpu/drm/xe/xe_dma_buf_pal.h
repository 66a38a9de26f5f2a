/* SPDX-License-Identifier: MIT */
/*
 * The exporter side of the PAL mapping type of dma-buf
 */

#ifndef _XE_DMA_BUF_PAL_H_
#define _XE_DMA_BUF_PAL_H_

#include <linux/dma-buf-mapping.h>

struct xe_bo;

/**
 * xe_dma_buf_is_pal() - Whether an importer asked for physical addresses
 * @attach: the attachment
 *
 * Return: true if it has the PAL mapping type.
 */
static inline bool xe_dma_buf_is_pal(const struct dma_buf_attachment *attach)
{
	return attach->map_type.type == &dma_buf_mapping_pal_type;
}

bool xe_dma_buf_pal_offered(struct xe_bo *bo);
struct dma_buf_mapping_match xe_dma_buf_pal_entry(struct xe_bo *bo);
int xe_dma_buf_pal_pin(struct xe_bo *bo);
void xe_dma_buf_pal_unpin(struct xe_bo *bo);

#endif
