// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests for physical address lists: slices in an IOMMU domain, and which
 * IOVA is good for them
 *
 * The domain is a stand-in that remembers what it was asked to map, so that each
 * page's address, the page sizes and the protection can be looked at.
 */
#include <linux/dma-resv.h>
#include <linux/iommu.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "st-dma-buf-pal.h"

/* An entry of the stand-in's page table */
struct leaf {
	phys_addr_t paddr;
	size_t size;
	int prot;
};

struct fake_domain {
	struct iommu_domain domain;
	/* By IOVA in units of the smallest page */
	struct xarray leaves;
	unsigned int nr_leaves;
	unsigned int nr_syncs;
	/* Fail when there are so many leaves, or at the sync */
	unsigned int fail_at;
	int sync_err;
};

static struct fake_domain *to_fake(struct iommu_domain *domain)
{
	return container_of(domain, struct fake_domain, domain);
}

static unsigned long leaf_index(unsigned long iova)
{
	return iova / SZ_2K;
}

static int fake_map_pages(struct iommu_domain *domain, unsigned long iova,
			  phys_addr_t paddr, size_t pgsize, size_t pgcount,
			  int prot, gfp_t gfp, size_t *mapped)
{
	struct fake_domain *fake = to_fake(domain);
	struct leaf *leaf;
	int ret;

	for (; pgcount; pgcount--) {
		if (fake->fail_at && fake->nr_leaves == fake->fail_at)
			return -ENOMEM;
		leaf = kmalloc_obj(*leaf);
		if (!leaf)
			return -ENOMEM;
		*leaf = (struct leaf){ paddr, pgsize, prot };
		ret = xa_insert(&fake->leaves, leaf_index(iova), leaf,
				GFP_KERNEL);
		if (ret) {
			kfree(leaf);
			return ret;
		}
		fake->nr_leaves++;
		*mapped += pgsize;
		iova += pgsize;
		paddr += pgsize;
	}
	return 0;
}

static size_t fake_unmap_pages(struct iommu_domain *domain, unsigned long iova,
			       size_t pgsize, size_t pgcount,
			       struct iommu_iotlb_gather *gather)
{
	struct fake_domain *fake = to_fake(domain);
	unsigned long last = iova + pgsize * pgcount - 1;
	unsigned long index;
	struct leaf *leaf;
	size_t size = 0;

	xa_for_each_range(&fake->leaves, index, leaf, leaf_index(iova),
			  leaf_index(last)) {
		size += leaf->size;
		xa_erase(&fake->leaves, index);
		kfree(leaf);
		fake->nr_leaves--;
	}
	return size;
}

static int fake_sync_map(struct iommu_domain *domain, unsigned long iova,
			 size_t size)
{
	struct fake_domain *fake = to_fake(domain);

	fake->nr_syncs++;
	return fake->sync_err;
}

static const struct iommu_domain_ops fake_domain_ops = {
	.map_pages = fake_map_pages,
	.unmap_pages = fake_unmap_pages,
	.iotlb_sync_map = fake_sync_map,
};

static void fake_free(void *data)
{
	struct fake_domain *fake = data;
	unsigned long index;
	struct leaf *leaf;

	xa_for_each(&fake->leaves, index, leaf)
		kfree(leaf);
	xa_destroy(&fake->leaves);
}

static struct fake_domain *make_domain(struct kunit *test,
				       unsigned long pgsize_bitmap)
{
	struct fake_domain *fake;

	fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake->domain.type = IOMMU_DOMAIN_UNMANAGED;
	fake->domain.ops = &fake_domain_ops;
	fake->domain.pgsize_bitmap = pgsize_bitmap;
	xa_init(&fake->leaves);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, fake_free, fake));
	return fake;
}

/* Shuffled, of several sizes, two of them adjacent */
static const struct phys_vec ranges[] = {
	{ SZ_32M, SZ_256K },
	{ SZ_8M + SZ_64K, SZ_64K },
	{ SZ_4M, SZ_256K + SZ_8K },
	{ SZ_4M + SZ_256K + SZ_8K, SZ_8K },
	{ SZ_64M + SZ_4K, SZ_4K },
	{ 0, SZ_512K },
};

static size_t list_size(const struct phys_vec *vecs, size_t nr)
{
	size_t size = 0;
	size_t i;

	for (i = 0; i < nr; i++)
		size += vecs[i].len;
	return size;
}

/* A buffer with the given ranges, whose list the core keeps */
static void setup_list(struct kunit *test, const struct phys_vec *vecs,
		       size_t nr)
{
	struct pal_test *pal = test->priv;
	int ret;

	pal_test_export(test, list_size(vecs, nr));
	pal_test_attach(test);
	pal_test_set_list(test, vecs, nr);
	dma_resv_lock(pal->dmabuf->resv, NULL);
	ret = dma_buf_pal_acquire(pal->attach);
	dma_resv_unlock(pal->dmabuf->resv);
	KUNIT_ASSERT_EQ(test, 0, ret);
}

static int map_slice(struct pal_test *pal, struct fake_domain *fake,
		     unsigned long iova, size_t offset, size_t length,
		     unsigned int flags)
{
	int ret;

	dma_resv_lock(pal->dmabuf->resv, NULL);
	ret = dma_buf_pal_iommu_map(pal->attach, &fake->domain, iova, offset,
				    length, IOMMU_READ | IOMMU_CACHE, flags);
	dma_resv_unlock(pal->dmabuf->resv);
	return ret;
}

/* Where the byte at @offset is by the exporter's list */
static phys_addr_t expected_phys(struct pal_test *pal, size_t offset)
{
	const struct phys_vec *vec = pal->vecs;

	for (; offset >= vec->len; vec++)
		offset -= vec->len;
	return vec->paddr + offset;
}

/* Leaves must be consecutive in IOVA, and nothing else may be mapped */
static void expect_slice(struct kunit *test, struct fake_domain *fake,
			 unsigned long iova, size_t offset, size_t length)
{
	struct pal_test *pal = test->priv;
	unsigned int nr_leaves = 0;
	size_t done = 0;

	while (done < length) {
		struct leaf *leaf = xa_load(&fake->leaves,
					    leaf_index(iova + done));

		KUNIT_ASSERT_NOT_NULL(test, leaf);
		KUNIT_ASSERT_EQ(test, expected_phys(pal, offset + done),
				leaf->paddr);
		/* The last byte, too: a page does not reach over ranges' ends */
		KUNIT_ASSERT_EQ(test,
				expected_phys(pal,
					      offset + done + leaf->size - 1),
				leaf->paddr + leaf->size - 1);
		KUNIT_ASSERT_EQ(test, IOMMU_READ | IOMMU_MMIO, leaf->prot);
		done += leaf->size;
		nr_leaves++;
	}
	KUNIT_EXPECT_EQ(test, length, done);
	KUNIT_EXPECT_EQ(test, nr_leaves, fake->nr_leaves);
}

static void unmap_slice(struct kunit *test, struct fake_domain *fake,
			unsigned long iova, size_t length)
{
	KUNIT_EXPECT_EQ(test, length, iommu_unmap(&fake->domain, iova, length));
	KUNIT_EXPECT_EQ(test, 0, fake->nr_leaves);
	KUNIT_EXPECT_TRUE(test, xa_empty(&fake->leaves));
}

struct slice_case {
	const char *desc;
	size_t offset;
	/* 0 for all that follows */
	size_t length;
};

static const struct slice_case slice_cases[] = {
	{ "whole buffer", 0, 0 },
	{ "first page", 0, SZ_4K },
	{ "one range", SZ_256K, SZ_64K },
	{ "inside of a range", SZ_128K, SZ_8K },
	{ "over a boundary", SZ_256K - SZ_4K, SZ_8K },
	{ "over three ranges", SZ_128K, SZ_256K },
	{ "over joined ranges", SZ_512K, SZ_128K },
	{ "to the end", SZ_512K, 0 },
	{ "last page", SZ_1M + SZ_64K + SZ_16K, 0 },
	{ "half pages", SZ_256K - SZ_2K, SZ_4K },
};

KUNIT_ARRAY_PARAM_DESC(slice, slice_cases, desc);

static void test_map_slice(struct kunit *test)
{
	const struct slice_case *param = test->param_value;
	struct pal_test *pal = test->priv;
	struct fake_domain *fake;
	unsigned long iova = SZ_16M;
	size_t length;

	setup_list(test, ranges, ARRAY_SIZE(ranges));
	length = param->length ?: pal->dmabuf->size - param->offset;
	fake = make_domain(test, SZ_2K | SZ_4K | SZ_64K | SZ_256K);

	KUNIT_ASSERT_EQ(test, 0,
			map_slice(pal, fake, iova, param->offset, length, 0));
	expect_slice(test, fake, iova, param->offset, length);
	KUNIT_EXPECT_EQ(test, 1, fake->nr_syncs);
	unmap_slice(test, fake, iova, length);

	/* Not congruent: small pages have to do */
	iova += SZ_2K;
	KUNIT_ASSERT_EQ(test, 0,
			map_slice(pal, fake, iova, param->offset, length, 0));
	expect_slice(test, fake, iova, param->offset, length);
	unmap_slice(test, fake, iova, length);
	KUNIT_EXPECT_EQ(test, 1, pal->maps);
}

static void test_page_sizes(struct kunit *test)
{
	const struct phys_vec vecs[] = {
		{ SZ_32M, SZ_4M }, { SZ_8M, SZ_2M }, { SZ_64M, SZ_2M },
	};
	struct pal_test *pal = test->priv;
	struct fake_domain *fake;

	setup_list(test, vecs, ARRAY_SIZE(vecs));
	fake = make_domain(test, SZ_4K | SZ_2M);

	KUNIT_ASSERT_EQ(test, 0, map_slice(pal, fake, SZ_2M, 0, SZ_8M, 0));
	KUNIT_EXPECT_EQ(test, SZ_8M / SZ_2M, fake->nr_leaves);
	expect_slice(test, fake, SZ_2M, 0, SZ_8M);
	unmap_slice(test, fake, SZ_2M, SZ_8M);

	KUNIT_ASSERT_EQ(test, 0, map_slice(pal, fake, SZ_2M, 0, SZ_8M,
					   DMA_BUF_PAL_IOMMU_SMALL));
	KUNIT_EXPECT_EQ(test, SZ_8M / SZ_4K, fake->nr_leaves);
	expect_slice(test, fake, SZ_2M, 0, SZ_8M);
	/* What the flag is for */
	KUNIT_EXPECT_EQ(test, SZ_4K,
			iommu_unmap(&fake->domain, SZ_4M, SZ_4K));
	KUNIT_EXPECT_EQ(test, SZ_8M / SZ_4K - 1, fake->nr_leaves);
}

static void test_map_refused(struct kunit *test)
{
	struct pal_test *pal = test->priv;
	struct fake_domain *fake;
	size_t size;

	setup_list(test, ranges, ARRAY_SIZE(ranges));
	size = pal->dmabuf->size;
	fake = make_domain(test, SZ_2K | SZ_4K);

	KUNIT_EXPECT_EQ(test, -EINVAL, map_slice(pal, fake, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			map_slice(pal, fake, 0, 0, size + SZ_4K, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, map_slice(pal, fake, 0, size, SZ_4K, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			map_slice(pal, fake, 0, size - SZ_4K, SZ_8K, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			map_slice(pal, fake, 0, -SZ_4K, SZ_8K, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			map_slice(pal, fake, 0, SZ_4K, SIZE_MAX, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			map_slice(pal, fake, SZ_2K, 0, PAGE_SIZE,
				  DMA_BUF_PAL_IOMMU_SMALL));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			map_slice(pal, fake, 0, SZ_2K, PAGE_SIZE,
				  DMA_BUF_PAL_IOMMU_SMALL));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			map_slice(pal, fake, 0, 0, SZ_2K,
				  DMA_BUF_PAL_IOMMU_SMALL));
	KUNIT_EXPECT_EQ(test, 0, fake->nr_leaves);

	KUNIT_EXPECT_EQ(test, 0,
			map_slice(pal, fake, 0, size - SZ_4K, SZ_4K, 0));
	unmap_slice(test, fake, 0, SZ_4K);

	/* After a revoke there is nothing to map */
	dma_resv_lock(pal->dmabuf->resv, NULL);
	dma_buf_invalidate_mappings(pal->dmabuf);
	dma_resv_unlock(pal->dmabuf->resv);
	KUNIT_EXPECT_EQ(test, -ENODEV, map_slice(pal, fake, 0, 0, SZ_4K, 0));
	KUNIT_EXPECT_EQ(test, 0, fake->nr_leaves);
}

/* Wherever it fails, nothing stays in the domain */
static void test_map_unwinds(struct kunit *test)
{
	struct pal_test *pal = test->priv;
	struct fake_domain *fake;
	unsigned int nr_leaves;
	size_t size;

	setup_list(test, ranges, ARRAY_SIZE(ranges));
	size = pal->dmabuf->size;
	fake = make_domain(test, SZ_4K | SZ_64K | SZ_256K);
	KUNIT_ASSERT_EQ(test, 0, map_slice(pal, fake, 0, 0, size, 0));
	nr_leaves = fake->nr_leaves;
	unmap_slice(test, fake, 0, size);

	for (fake->fail_at = 1; fake->fail_at < nr_leaves; fake->fail_at++) {
		KUNIT_ASSERT_EQ(test, -ENOMEM,
				map_slice(pal, fake, 0, 0, size, 0));
		KUNIT_ASSERT_EQ(test, 0, fake->nr_leaves);
	}
	KUNIT_EXPECT_EQ(test, 0, map_slice(pal, fake, 0, 0, size, 0));
	unmap_slice(test, fake, 0, size);

	fake->fail_at = SZ_256K / SZ_4K + 3;
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			map_slice(pal, fake, 0, 0, size,
				  DMA_BUF_PAL_IOMMU_SMALL));
	KUNIT_EXPECT_EQ(test, 0, fake->nr_leaves);

	fake->fail_at = 0;
	fake->sync_err = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, map_slice(pal, fake, 0, 0, size, 0));
	KUNIT_EXPECT_EQ(test, 0, fake->nr_leaves);
}

static DEFINE_MUTEX(importer_lock);

/* The importer's own lock is enough */
static void test_importer_lock(struct kunit *test)
{
	struct pal_test *pal = test->priv;
	unsigned long remainder;
	struct fake_domain *fake;

	fake = make_domain(test, SZ_4K | SZ_64K);
	setup_list(test, ranges, ARRAY_SIZE(ranges));
	dma_buf_pal_set_lock(pal->attach, &importer_lock);
	scoped_guard(mutex, &importer_lock) {
		KUNIT_EXPECT_EQ(test, 0,
				dma_buf_pal_iommu_map(pal->attach,
						      &fake->domain, 0, 0,
						      SZ_512K, IOMMU_READ, 0));
		KUNIT_EXPECT_EQ(test, SZ_256K,
				dma_buf_pal_iova_hint(pal->attach, 0, SZ_512K,
						      SZ_1G, &remainder));
	}
	unmap_slice(test, fake, 0, SZ_512K);
}

struct hint_case {
	const char *desc;
	size_t offset;
	size_t length;
	unsigned long max_align;
	unsigned long align;
	unsigned long remainder;
	size_t nr_vecs;
	struct phys_vec vecs[4];
};

static const struct hint_case hint_cases[] = {
	{ "aligned range", 0, SZ_4M, SZ_1G, SZ_4M, 0,
	  1, { { SZ_8M, SZ_4M } } },
	{ "capped", 0, SZ_4M, SZ_2M, SZ_2M, 0,
	  1, { { SZ_8M, SZ_4M } } },
	{ "capped at a page", 0, SZ_4M, PAGE_SIZE, PAGE_SIZE, 0,
	  1, { { SZ_8M + SZ_64K, SZ_4M } } },
	{ "range off alignment", 0, SZ_4M, SZ_2M, SZ_2M, SZ_64K,
	  1, { { SZ_8M + SZ_64K, SZ_4M } } },
	{ "size rounded down", 0, SZ_1M + SZ_64K, SZ_2M, SZ_1M, SZ_512K,
	  1, { { SZ_8M + SZ_512K, SZ_1M + SZ_64K } } },
	{ "longest is second", 0, SZ_2M + SZ_64K, SZ_2M, SZ_2M,
	  SZ_1M - SZ_64K,
	  2, { { 0, SZ_64K }, { SZ_32M + SZ_1M, SZ_2M } } },
	{ "before the longest wraps", 0, SZ_2M + SZ_64K, SZ_2M, SZ_2M,
	  SZ_2M - SZ_64K,
	  2, { { SZ_16M, SZ_64K }, { 0, SZ_2M } } },
	{ "the first of equals", 0, SZ_2M, SZ_2M, SZ_1M, SZ_64K,
	  2, { { SZ_8M + SZ_64K, SZ_1M }, { SZ_32M, SZ_1M } } },
	{ "longest by joining", 0, SZ_4M, SZ_4M, SZ_2M, SZ_1M,
	  4, { { SZ_8M, SZ_1M }, { SZ_32M, SZ_1M }, { SZ_32M + SZ_1M, SZ_1M },
	       { SZ_16M, SZ_1M } } },
	{ "slice without the longest", 0, SZ_64K, SZ_2M, SZ_64K, SZ_32K,
	  2, { { SZ_32K, SZ_64K }, { SZ_32M, SZ_2M } } },
	{ "slice in a range", SZ_1M + PAGE_SIZE, 2 * PAGE_SIZE, SZ_2M,
	  2 * PAGE_SIZE, PAGE_SIZE,
	  1, { { SZ_8M, SZ_4M } } },
	{ "slice that cuts the longest", SZ_2M - SZ_64K, SZ_128K + SZ_64K,
	  SZ_2M, SZ_128K, SZ_64K,
	  2, { { 0, SZ_2M }, { SZ_8M, SZ_1M } } },
	{ "inside of a page", SZ_1M + PAGE_SIZE / 2, PAGE_SIZE / 4, SZ_2M,
	  PAGE_SIZE, PAGE_SIZE / 2,
	  1, { { SZ_8M, SZ_4M } } },
	{ "begins inside of a page", PAGE_SIZE / 2, SZ_1M, SZ_2M, SZ_1M,
	  SZ_64K + PAGE_SIZE / 2,
	  1, { { SZ_8M + SZ_64K, SZ_4M } } },
	{ "outside", SZ_4M, PAGE_SIZE, SZ_2M, 0, 0, 1, { { 0, SZ_4M } } },
	{ "not all inside", SZ_2M, SZ_4M, SZ_2M, 0, 0, 1, { { 0, SZ_4M } } },
	{ "a byte too long", 0, SZ_4M + 1, SZ_2M, 0, 0, 1, { { 0, SZ_4M } } },
	{ "offset wraps", -SZ_4K, SZ_8K, SZ_2M, 0, 0, 1, { { 0, SZ_4M } } },
	{ "length wraps", SZ_4K, SIZE_MAX, SZ_2M, 0, 0, 1, { { 0, SZ_4M } } },
	{ "empty", 0, 0, SZ_2M, 0, 0, 1, { { 0, SZ_4M } } },
};

KUNIT_ARRAY_PARAM_DESC(hint, hint_cases, desc);

static void test_iova_hint(struct kunit *test)
{
	const struct hint_case *param = test->param_value;
	unsigned long remainder = 0;
	struct pal_test *pal = test->priv;
	unsigned long align;

	setup_list(test, param->vecs, param->nr_vecs);

	dma_resv_lock(pal->dmabuf->resv, NULL);
	align = dma_buf_pal_iova_hint(pal->attach, param->offset,
				      param->length, param->max_align,
				      &remainder);
	KUNIT_EXPECT_EQ(test, param->align, align);
	KUNIT_EXPECT_EQ(test, param->remainder, remainder);

	/* No list, no hint */
	dma_buf_pal_release(pal->attach);
	KUNIT_EXPECT_EQ(test, 0,
			dma_buf_pal_iova_hint(pal->attach, param->offset,
					      param->length, param->max_align,
					      &remainder));
	dma_resv_unlock(pal->dmabuf->resv);
}

static struct kunit_case pal_iommu_cases[] = {
	KUNIT_CASE_PARAM(test_map_slice, slice_gen_params),
	KUNIT_CASE(test_page_sizes),
	KUNIT_CASE(test_map_refused),
	KUNIT_CASE(test_map_unwinds),
	KUNIT_CASE(test_importer_lock),
	KUNIT_CASE_PARAM(test_iova_hint, hint_gen_params),
	{}
};

static int pal_iommu_init(struct kunit *test)
{
	if (PAGE_SIZE != SZ_4K)
		kunit_skip(test, "the lists here are made of pages of 4 KiB");
	return pal_test_init(test);
}

static struct kunit_suite dma_buf_pal_iommu_suite = {
	.name = "dma-buf-pal-iommu",
	.init = pal_iommu_init,
	.exit = pal_test_exit,
	.test_cases = pal_iommu_cases,
};

kunit_test_suite(dma_buf_pal_iommu_suite);
