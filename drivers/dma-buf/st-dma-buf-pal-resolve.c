// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests for physical address lists: single pages and how much around them
 * can be mapped at once
 */
#include <linux/dma-resv.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/rwlock.h>
#include <linux/sizes.h>

#include "st-dma-buf-pal.h"

#define ORDER_2M get_order(SZ_2M)

/* Not in the order of their addresses, two of them joined by the core */
static const struct phys_vec ranges[] = {
	{ SZ_32M, SZ_4M },			/* 0: two blocks of 2 MiB */
	{ SZ_4M + SZ_64K, SZ_2M },		/* 4M: no block of 2 MiB */
	{ SZ_64M + SZ_4K, SZ_4K },		/* 6M: a page */
	{ SZ_8M - SZ_4K, SZ_4K },		/* 6M + 4K: joined ... */
	{ SZ_8M, SZ_2M },			/* ... with 2 MiB behind it */
	{ 0, SZ_4K },
};

static size_t list_size(void)
{
	size_t size = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		size += ranges[i].len;
	return size;
}

static int acquire(struct pal_test *pal, struct dma_buf_pal_index **index)
{
	int ret;

	dma_resv_lock(pal->dmabuf->resv, NULL);
	ret = dma_buf_pal_acquire(pal->attach);
	*index = dma_buf_pal_index_alloc(pal->attach);
	dma_resv_unlock(pal->dmabuf->resv);
	return ret;
}

static void free_index(void *data)
{
	dma_buf_pal_index_free(data);
}

static struct dma_buf_pal_index *setup_index(struct kunit *test)
{
	struct dma_buf_pal_index *index;
	struct pal_test *pal = test->priv;

	pal_test_export(test, list_size());
	pal_test_attach(test);
	pal_test_set_list(test, ranges, ARRAY_SIZE(ranges));
	KUNIT_ASSERT_EQ(test, 0, acquire(pal, &index));
	KUNIT_ASSERT_NOT_NULL(test, index);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_index, index));
	return index;
}

static int resolve(struct pal_test *pal, const struct dma_buf_pal_index *index,
		   size_t offset, unsigned int max_order, unsigned long *pfn,
		   unsigned int *order)
{
	int ret;

	dma_resv_lock(pal->dmabuf->resv, NULL);
	ret = dma_buf_pal_resolve(pal->attach, index, offset, max_order, pfn,
				  order);
	dma_resv_unlock(pal->dmabuf->resv);
	return ret;
}

/* Every page, against a walk over the exporter's list */
static void test_every_page(struct kunit *test)
{
	struct dma_buf_pal_index *index = setup_index(test);
	struct pal_test *pal = test->priv;
	unsigned int order;
	unsigned long pfn;
	size_t offset = 0;
	size_t i, done;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		for (done = 0; done < ranges[i].len; done += PAGE_SIZE) {
			KUNIT_ASSERT_EQ(test, 0,
					resolve(pal, index, offset + done, 0,
						&pfn, &order));
			KUNIT_ASSERT_EQ(test,
					PHYS_PFN(pal->base + ranges[i].paddr +
						 done),
					pfn);
			KUNIT_ASSERT_EQ(test, 0, order);
		}
		offset += done;
	}
	/* A byte inside of a page is as good as its first */
	KUNIT_EXPECT_EQ(test, 0,
			resolve(pal, index, offset - 1, 0, &pfn, &order));
	KUNIT_EXPECT_EQ(test, PHYS_PFN(pal->base), pfn);
}

struct order_case {
	const char *desc;
	size_t offset;
	unsigned int max_order;
	unsigned int order;
};

static const struct order_case order_cases[] = {
	{ "block at the start", 0, 9, 9 },
	{ "inside of a block", SZ_1M + SZ_4K, 9, 9 },
	{ "last page of two blocks", SZ_4M - SZ_4K, 9, 9 },
	{ "larger than asked for", SZ_1M, 4, 4 },
	{ "two blocks are one of 4 MiB", SZ_1M, 18, 10 },
	{ "start of an odd range", SZ_4M, 9, 4 },
	{ "middle of an odd range", SZ_4M + SZ_1M, 9, 8 },
	{ "end of an odd range", SZ_4M + SZ_2M - SZ_4K, 9, 4 },
	{ "range of one page", SZ_2M + SZ_4M, 9, 0 },
	{ "joined, before the block", SZ_2M + SZ_4M + SZ_4K, 9, 0 },
	{ "joined, in the block", SZ_2M + SZ_4M + SZ_8K, 9, 9 },
	{ "joined, end of the block", SZ_8M + SZ_4K, 9, 9 },
	{ "last page", SZ_8M + SZ_8K, 9, 0 },
};

KUNIT_ARRAY_PARAM_DESC(order, order_cases, desc);

static void test_order(struct kunit *test)
{
	const struct order_case *param = test->param_value;
	struct dma_buf_pal_index *index = setup_index(test);
	struct pal_test *pal = test->priv;
	unsigned int order;
	unsigned long pfn;

	KUNIT_ASSERT_EQ(test, 0,
			resolve(pal, index, param->offset, param->max_order,
				&pfn, &order));
	KUNIT_EXPECT_EQ(test, param->order, order);
}

static void test_refused(struct kunit *test)
{
	struct dma_buf_pal_index *index = setup_index(test);
	struct pal_test *pal = test->priv;
	unsigned int order;
	unsigned long pfn;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			resolve(pal, index, list_size(), 9, &pfn, &order));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			resolve(pal, index, SIZE_MAX, 9, &pfn, &order));
	KUNIT_EXPECT_EQ(test, 0,
			resolve(pal, index, list_size() - 1, 9, &pfn, &order));

	/* After a revoke there is nothing, and no index can be made */
	dma_resv_lock(pal->dmabuf->resv, NULL);
	dma_buf_invalidate_mappings(pal->dmabuf);
	KUNIT_EXPECT_NULL(test, dma_buf_pal_index_alloc(pal->attach));
	dma_resv_unlock(pal->dmabuf->resv);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			resolve(pal, index, 0, 9, &pfn, &order));
}

static DEFINE_RWLOCK(importer_lock);

/* The importer's own lock is enough, held by a reader */
static void test_importer_lock(struct kunit *test)
{
	struct pal_test *pal = test->priv;
	struct dma_buf_pal_index *index;
	unsigned int order;
	unsigned long pfn;
	int ret;

	index = setup_index(test);
	dma_buf_pal_set_lock(pal->attach, &importer_lock);
	read_lock(&importer_lock);
	ret = dma_buf_pal_resolve(pal->attach, index, 0, ORDER_2M, &pfn,
				  &order);
	read_unlock(&importer_lock);
	KUNIT_EXPECT_EQ(test, 0, ret);
	KUNIT_EXPECT_EQ(test, PHYS_PFN(pal->base + ranges[0].paddr), pfn);
}

static struct kunit_case pal_resolve_cases[] = {
	KUNIT_CASE(test_every_page),
	KUNIT_CASE_PARAM(test_order, order_gen_params),
	KUNIT_CASE(test_refused),
	KUNIT_CASE(test_importer_lock),
	{}
};

static int pal_resolve_init(struct kunit *test)
{
	if (PAGE_SIZE != SZ_4K)
		kunit_skip(test, "the orders here are for pages of 4 KiB");
	return pal_test_init(test);
}

static struct kunit_suite dma_buf_pal_resolve_suite = {
	.name = "dma-buf-pal-resolve",
	.init = pal_resolve_init,
	.exit = pal_test_exit,
	.test_cases = pal_resolve_cases,
};

kunit_test_suite(dma_buf_pal_resolve_suite);
