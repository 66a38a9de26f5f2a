/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit tests of physical address lists share: an exporter that hands
 * out the list that a test gave it, and an importer that can be revoked.
 */
#ifndef _ST_DMA_BUF_PAL_H
#define _ST_DMA_BUF_PAL_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-buf-mapping.h>
#include <linux/dma-buf.h>
#include <linux/types.h>

#define PAL_TEST_WINDOW (256UL << 20)

/**
 * struct pal_test - both sides of one test
 * @base: start of PAL_TEST_WINDOW bytes of address space without RAM, aligned
 *	to their number; nothing is ever read or written there
 * @entry: what the exporter offers, by default the window at @base
 * @dmabuf: made by pal_test_export(), put after the test
 * @attach: made by pal_test_attach(), detached after the test
 * @vecs: list that the exporter returns, absolute addresses
 * @nr_vecs: number of entries in @vecs
 * @map_err: returned by map_phys in place of a list
 * @in_map: completed by each map_phys
 * @released: completed when the dma-buf is gone
 * @maps: lists handed out
 * @unmaps: lists taken back
 * @invalidated: calls of the importer's invalidate_mappings
 * @available: calls of the importer's mappings_available
 */
struct pal_test {
	phys_addr_t base;
	struct dma_buf_mapping_match entry;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	const struct phys_vec *vecs;
	size_t nr_vecs;
	int map_err;
	struct completion in_map;
	struct completion released;
	unsigned int maps;
	unsigned int unmaps;
	unsigned int invalidated;
	unsigned int available;
};

int pal_test_init(struct kunit *test);
void pal_test_exit(struct kunit *test);
void pal_test_export(struct kunit *test, size_t size);
struct dma_buf_attachment *pal_test_try_attach(struct pal_test *pal);
void pal_test_attach(struct kunit *test);
void pal_test_set_list(struct kunit *test, const struct phys_vec *vecs,
		       size_t nr_vecs);

#endif
