/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of the dma-buf core that work on scatterlists
 */
#ifndef _DMA_BUF_SGT_INTERNAL_H
#define _DMA_BUF_SGT_INTERNAL_H

#include <linux/container_of.h>
#include <linux/kconfig.h>
#include <linux/scatterlist.h>

struct dma_buf_attachment;

/*
 * With CONFIG_DMABUF_DEBUG importers get a copy of the exporter's sg_table that
 * has no pages.
 */
struct dma_buf_sg_table_wrapper {
	struct sg_table *original;
	struct sg_table wrapper;
};

/* The table that the exporter made, of the one that the importer has */
static inline struct sg_table *dma_buf_original_sg_table(struct sg_table *sgt)
{
	if (!IS_ENABLED(CONFIG_DMABUF_DEBUG))
		return sgt;
	return container_of(sgt, struct dma_buf_sg_table_wrapper,
			    wrapper)->original;
}

int dma_buf_sgt_check_mapping(struct dma_buf_attachment *attach,
			      struct sg_table *sgt);

#endif
