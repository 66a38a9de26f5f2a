/* SPDX-License-Identifier: MIT */
/*
 * The exporter side of the PAL mapping type of dma-buf
 */

#ifndef __AMDGPU_DMA_BUF_PAL_H__
#define __AMDGPU_DMA_BUF_PAL_H__

#include <linux/dma-buf-mapping.h>

struct amdgpu_bo;

/**
 * amdgpu_dma_buf_is_pal - whether an importer asked for physical addresses
 * @attach: the attachment
 *
 * Return: true if it has the PAL mapping type.
 */
static inline bool
amdgpu_dma_buf_is_pal(const struct dma_buf_attachment *attach)
{
	return attach->map_type.type == &dma_buf_mapping_pal_type;
}

bool amdgpu_dma_buf_pal_offered(struct amdgpu_bo *bo);
struct dma_buf_mapping_match amdgpu_dma_buf_pal_entry(struct amdgpu_bo *bo);
int amdgpu_dma_buf_pal_pin(struct amdgpu_bo *bo);
void amdgpu_dma_buf_pal_unpin(struct amdgpu_bo *bo);

#endif
