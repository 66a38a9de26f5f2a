// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests for physical address lists: what the core refuses, what it joins,
 * and that it gives back what it got
 */
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "st-dma-buf-pal.h"

MODULE_IMPORT_NS("DMA_BUF");

#define P PAGE_SIZE
#define BUF_SIZE (16 * P)
#define MAX_VECS 8

static struct dma_buf_phys_list *exp_map_phys(struct dma_buf_attachment *attach)
{
	struct pal_test *pal = attach->dmabuf->priv;
	struct dma_buf_phys_list *phys;

	dma_resv_assert_held(attach->dmabuf->resv);
	complete(&pal->in_map);
	if (pal->map_err)
		return ERR_PTR(pal->map_err);

	phys = kzalloc_flex(*phys, phys, pal->nr_vecs);
	if (!phys)
		return ERR_PTR(-ENOMEM);
	phys->length = pal->nr_vecs;
	if (pal->nr_vecs)
		memcpy(phys->phys, pal->vecs,
		       array_size(pal->nr_vecs, sizeof(*pal->vecs)));
	pal->maps++;
	return phys;
}

static void exp_unmap_phys(struct dma_buf_attachment *attach,
			   struct dma_buf_phys_list *phys)
{
	struct pal_test *pal = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	pal->unmaps++;
	kfree(phys);
}

static const struct dma_buf_mapping_pal_exp_ops exp_pal_ops = {
	.map_phys = exp_map_phys,
	.unmap_phys = exp_unmap_phys,
};

static int exp_match_mapping(struct dma_buf_match_args *args)
{
	struct pal_test *pal = args->dmabuf->priv;

	return dma_buf_match_mapping(args, &pal->entry, 1);
}

static void exp_release(struct dma_buf *dmabuf)
{
	struct pal_test *pal = dmabuf->priv;

	complete(&pal->released);
}

static const struct dma_buf_ops exp_ops = {
	.match_mapping = exp_match_mapping,
	.release = exp_release,
};

static void imp_invalidate(struct dma_buf_attachment *attach)
{
	struct pal_test *pal = attach->importer_priv;

	pal->invalidated++;
	if (attach->pal.phys)
		dma_buf_pal_release(attach);
}

static void imp_available(struct dma_buf_attachment *attach)
{
	struct pal_test *pal = attach->importer_priv;

	pal->available++;
}

static const struct dma_buf_attach_ops imp_ops = {
	.invalidate_mappings = imp_invalidate,
	.mappings_available = imp_available,
};

static const struct dma_buf_attach_ops irrevocable_imp_ops;

/* Nothing is accessed, so it need not be within reach of the CPU either */
static phys_addr_t find_hole(void)
{
	int bit;

	for (bit = min(51, BITS_PER_TYPE(phys_addr_t));
	     --bit >= ilog2(PAL_TEST_WINDOW);) {
		phys_addr_t base = (phys_addr_t)1 << bit;

		if (region_intersects(base, PAL_TEST_WINDOW,
				      IORESOURCE_SYSTEM_RAM,
				      IORES_DESC_NONE) == REGION_DISJOINT)
			return base;
	}
	return 0;
}

int pal_test_init(struct kunit *test)
{
	struct pal_test *pal;

	pal = kunit_kzalloc(test, sizeof(*pal), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pal);
	test->priv = pal;
	init_completion(&pal->in_map);
	init_completion(&pal->released);

	pal->base = find_hole();
	KUNIT_ASSERT_NE(test, 0, pal->base);
	pal->entry = DMA_BUF_EMAPPING_PAL_WINDOW(&exp_pal_ops, pal->base,
						 PAL_TEST_WINDOW);
	return 0;
}

void pal_test_exit(struct kunit *test)
{
	struct pal_test *pal = test->priv;

	if (!pal || !pal->dmabuf)
		return;

	if (pal->attach) {
		dma_resv_lock(pal->dmabuf->resv, NULL);
		if (pal->attach->pal.phys)
			dma_buf_pal_release(pal->attach);
		dma_resv_unlock(pal->dmabuf->resv);
		KUNIT_EXPECT_EQ(test, 0, pal->attach->pal.nr_maps);
		dma_buf_detach(pal->dmabuf, pal->attach);
	}
	KUNIT_EXPECT_EQ(test, pal->maps, pal->unmaps);
	KUNIT_EXPECT_TRUE(test, list_empty(&pal->dmabuf->attachments));
	KUNIT_EXPECT_EQ(test, 1, (int)file_count(pal->dmabuf->file));

	dma_buf_put(pal->dmabuf);
	/* Kernel threads put files by way of a work item */
	KUNIT_EXPECT_NE(test, 0UL,
			wait_for_completion_timeout(&pal->released, 30 * HZ));
}

void pal_test_export(struct kunit *test, size_t size)
{
	DEFINE_DMA_BUF_EXPORT_INFO(exp_info);
	struct pal_test *pal = test->priv;
	struct dma_buf *dmabuf;

	exp_info.ops = &exp_ops;
	exp_info.size = size;
	exp_info.flags = O_RDWR;
	exp_info.priv = pal;
	dmabuf = dma_buf_export(&exp_info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	pal->dmabuf = dmabuf;
}

struct dma_buf_attachment *pal_test_try_attach(struct pal_test *pal)
{
	const struct dma_buf_mapping_match match = DMA_BUF_IMAPPING_PAL();

	return dma_buf_mapping_attach(pal->dmabuf, &match, 1, &imp_ops, pal);
}

void pal_test_attach(struct kunit *test)
{
	struct pal_test *pal = test->priv;
	struct dma_buf_attachment *attach = pal_test_try_attach(pal);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_PTR_EQ(test, &dma_buf_mapping_pal_type,
			    attach->map_type.type);
	KUNIT_EXPECT_NULL(test, attach->dev);
	pal->attach = attach;
}

/* Takes addresses that count from the window's start */
void pal_test_set_list(struct kunit *test, const struct phys_vec *vecs,
		       size_t nr_vecs)
{
	struct pal_test *pal = test->priv;
	struct phys_vec *copy;
	size_t i;

	copy = kunit_kcalloc(test, nr_vecs + 1, sizeof(*copy), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	for (i = 0; i < nr_vecs; i++) {
		copy[i].paddr = pal->base + vecs[i].paddr;
		copy[i].len = vecs[i].len;
	}
	pal->vecs = copy;
	pal->nr_vecs = nr_vecs;
}

static int try_acquire(struct pal_test *pal)
{
	int ret;

	dma_resv_lock(pal->dmabuf->resv, NULL);
	ret = dma_buf_pal_acquire(pal->attach);
	dma_resv_unlock(pal->dmabuf->resv);
	return ret;
}

static void release(struct pal_test *pal)
{
	dma_resv_lock(pal->dmabuf->resv, NULL);
	dma_buf_pal_release(pal->attach);
	dma_resv_unlock(pal->dmabuf->resv);
}

static const struct phys_vec good_list[] = {
	{ 8 * P, 4 * P }, { 0, 4 * P }, { 32 * P, 8 * P },
};

/* Acquiring has to fail, give the list back once, and be possible afterwards */
static void expect_refused(struct kunit *test, int err)
{
	struct pal_test *pal = test->priv;
	unsigned int unmaps = pal->unmaps;

	KUNIT_EXPECT_EQ(test, err, try_acquire(pal));
	KUNIT_EXPECT_EQ(test, unmaps + 1, pal->unmaps);
	KUNIT_EXPECT_EQ(test, pal->maps, pal->unmaps);
	KUNIT_EXPECT_NULL(test, pal->attach->pal.phys);
	KUNIT_EXPECT_EQ(test, 0, pal->attach->pal.nr_maps);

	pal_test_set_list(test, good_list, ARRAY_SIZE(good_list));
	KUNIT_ASSERT_EQ(test, 0, try_acquire(pal));
	KUNIT_EXPECT_EQ(test, pal->unmaps + 1, pal->maps);
	release(pal);
}

struct list_case {
	const char *desc;
	int err;
	/* Addresses are not relative to the window */
	bool absolute;
	/* No window and no check for RAM */
	bool allow_ram;
	size_t nr_vecs;
	struct phys_vec vecs[MAX_VECS];
};

#define LAST_PAGE ((phys_addr_t)-1 - (PAGE_SIZE - 1))
#define HALF_SIZE (SIZE_MAX / 2 + 1)

static const struct list_case list_cases[] = {
	{ "no ranges", -EINVAL, .nr_vecs = 0 },
	{ "only an empty range", -EINVAL, .nr_vecs = 1,
	  .vecs = { { 0, 0 } } },
	{ "an empty range", -EINVAL, .nr_vecs = 2,
	  .vecs = { { 0, BUF_SIZE }, { 32 * P, 0 } } },
	{ "address not page aligned", -EINVAL, .nr_vecs = 1,
	  .vecs = { { P / 2, BUF_SIZE } } },
	{ "length not page aligned", -EINVAL, .nr_vecs = 2,
	  .vecs = { { 0, P / 2 }, { 4 * P, BUF_SIZE - P / 2 } } },
	{ "second address not page aligned", -EINVAL, .nr_vecs = 2,
	  .vecs = { { 0, 8 * P }, { 32 * P + 1, 8 * P } } },
	{ "a page too little", -EINVAL, .nr_vecs = 1,
	  .vecs = { { 0, BUF_SIZE - P } } },
	{ "a page too much", -EINVAL, .nr_vecs = 2,
	  .vecs = { { 0, BUF_SIZE }, { 32 * P, P } } },
	{ "before the window", -ERANGE, .nr_vecs = 1,
	  .vecs = { { -BUF_SIZE, BUF_SIZE } } },
	{ "first page before the window", -ERANGE, .nr_vecs = 1,
	  .vecs = { { -P, BUF_SIZE } } },
	{ "after the window", -ERANGE, .nr_vecs = 1,
	  .vecs = { { PAL_TEST_WINDOW, BUF_SIZE } } },
	{ "last page after the window", -ERANGE, .nr_vecs = 1,
	  .vecs = { { PAL_TEST_WINDOW - BUF_SIZE + P, BUF_SIZE } } },
	{ "one of several after the window", -ERANGE, .nr_vecs = 3,
	  .vecs = { { 0, 4 * P }, { PAL_TEST_WINDOW, 4 * P },
		    { 8 * P, 8 * P } } },
	{ "at the end of all addresses", -ERANGE, .nr_vecs = 1, .absolute = true,
	  .vecs = { { LAST_PAGE - BUF_SIZE + P, BUF_SIZE } } },
	{ "address wraps", -EOVERFLOW, .nr_vecs = 1, .absolute = true,
	  .vecs = { { LAST_PAGE, BUF_SIZE } } },
#ifdef CONFIG_64BIT
	{ "sum wraps", -EOVERFLOW, .nr_vecs = 3, .absolute = true,
	  .allow_ram = true,
	  .vecs = { { 0, HALF_SIZE }, { 0, HALF_SIZE }, { 0, BUF_SIZE } } },
#endif
};

KUNIT_ARRAY_PARAM_DESC(list, list_cases, desc);

static void test_list_refused(struct kunit *test)
{
	const struct list_case *param = test->param_value;
	struct pal_test *pal = test->priv;

	if (param->allow_ram) {
		pal->entry = DMA_BUF_EMAPPING_PAL(&exp_pal_ops);
		pal->entry.pal_data.allow_ram = true;
	}
	pal_test_export(test, BUF_SIZE);
	pal_test_attach(test);
	pal_test_set_list(test, param->vecs, param->nr_vecs);
	if (param->absolute)
		pal->vecs = param->vecs;
	expect_refused(test, param->err);
}

/* Here the sum would be right */
static void test_no_ranges_of_nothing(struct kunit *test)
{
	struct pal_test *pal = test->priv;

	pal_test_export(test, 0);
	pal_test_attach(test);
	pal_test_set_list(test, NULL, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, try_acquire(pal));
	KUNIT_EXPECT_EQ(test, 1, pal->unmaps);
	KUNIT_EXPECT_NULL(test, pal->attach->pal.phys);
}

/* The window's first and last page are inside */
static void test_window_edges(struct kunit *test)
{
	const struct phys_vec first[] = { { 0, BUF_SIZE } };
	const struct phys_vec last[] = { { PAL_TEST_WINDOW - BUF_SIZE,
					   BUF_SIZE } };
	struct pal_test *pal = test->priv;

	pal_test_export(test, BUF_SIZE);
	pal_test_attach(test);
	pal_test_set_list(test, first, 1);
	KUNIT_ASSERT_EQ(test, 0, try_acquire(pal));
	release(pal);
	pal_test_set_list(test, last, 1);
	KUNIT_ASSERT_EQ(test, 0, try_acquire(pal));
	release(pal);

	/* No window: every range is looked at, and these are no RAM */
	dma_buf_detach(pal->dmabuf, pal->attach);
	pal->attach = NULL;
	pal->entry = DMA_BUF_EMAPPING_PAL(&exp_pal_ops);
	pal_test_attach(test);
	KUNIT_ASSERT_EQ(test, 0, try_acquire(pal));
}

/* A page of RAM; skips where the kernel does not list its RAM */
static phys_addr_t ram_page(struct kunit *test)
{
	void *page = kunit_kmalloc(test, 2 * PAGE_SIZE, GFP_KERNEL);
	phys_addr_t paddr;

	KUNIT_ASSERT_NOT_NULL(test, page);
	paddr = virt_to_phys(PTR_ALIGN(page, PAGE_SIZE));
	if (region_intersects(paddr, PAGE_SIZE, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) == REGION_DISJOINT)
		kunit_skip(test, "RAM is not among the resources");
	return paddr;
}

static void test_window_refused(struct kunit *test)
{
	struct pal_test *pal = test->priv;
	phys_addr_t ram = ram_page(test);

	pal_test_export(test, BUF_SIZE);

	/* All of it is RAM, or a bit of it */
	pal->entry = DMA_BUF_EMAPPING_PAL_WINDOW(&exp_pal_ops, ram, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, -EPERM,
			PTR_ERR_OR_ZERO(pal_test_try_attach(pal)));
	pal->entry = DMA_BUF_EMAPPING_PAL_WINDOW(&exp_pal_ops, 0,
						 pal->base + PAL_TEST_WINDOW);
	KUNIT_EXPECT_EQ(test, -EPERM,
			PTR_ERR_OR_ZERO(pal_test_try_attach(pal)));

	pal->entry = DMA_BUF_EMAPPING_PAL_WINDOW(&exp_pal_ops, LAST_PAGE,
						 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, -EOVERFLOW,
			PTR_ERR_OR_ZERO(pal_test_try_attach(pal)));
	KUNIT_EXPECT_TRUE(test, list_empty(&pal->dmabuf->attachments));

	pal->entry = DMA_BUF_EMAPPING_PAL_WINDOW(&exp_pal_ops, pal->base,
						 PAL_TEST_WINDOW);
	pal_test_attach(test);
}

static void test_ram(struct kunit *test)
{
	struct pal_test *pal = test->priv;
	struct phys_vec vecs[] = {
		{ pal->base, BUF_SIZE - P },
		{ ram_page(test), P },
	};

	pal_test_export(test, BUF_SIZE);
	pal->entry = DMA_BUF_EMAPPING_PAL(&exp_pal_ops);
	pal_test_attach(test);
	pal->vecs = vecs;
	pal->nr_vecs = ARRAY_SIZE(vecs);
	expect_refused(test, -EPERM);
	dma_buf_detach(pal->dmabuf, pal->attach);
	pal->attach = NULL;

	/* Only an exporter that is for tests gets away with it */
	pal->entry.pal_data.allow_ram = true;
	pal_test_attach(test);
	pal->vecs = vecs;
	pal->nr_vecs = ARRAY_SIZE(vecs);
	KUNIT_ASSERT_EQ(test, 0, try_acquire(pal));
	release(pal);
}

static void test_needs_revoke(struct kunit *test)
{
	const struct dma_buf_mapping_match match = DMA_BUF_IMAPPING_PAL();
	struct pal_test *pal = test->priv;
	struct dma_buf_attachment *attach;

	pal_test_export(test, BUF_SIZE);
	attach = dma_buf_mapping_attach(pal->dmabuf, &match, 1, NULL, pal);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, PTR_ERR_OR_ZERO(attach));
	attach = dma_buf_mapping_attach(pal->dmabuf, &match, 1,
					&irrevocable_imp_ops, pal);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, PTR_ERR_OR_ZERO(attach));
	pal_test_attach(test);
}

static void test_map_phys_fails(struct kunit *test)
{
	static const int errs[] = { -ENODEV, -ENOMEM, -EBUSY, -EINTR };
	struct pal_test *pal = test->priv;
	size_t i;

	pal_test_export(test, BUF_SIZE);
	pal_test_attach(test);
	pal_test_set_list(test, good_list, ARRAY_SIZE(good_list));
	for (i = 0; i < ARRAY_SIZE(errs); i++) {
		pal->map_err = errs[i];
		KUNIT_EXPECT_EQ(test, errs[i], try_acquire(pal));
		KUNIT_EXPECT_NULL(test, pal->attach->pal.phys);
		KUNIT_EXPECT_EQ(test, 0, pal->attach->pal.nr_maps);
	}
	KUNIT_EXPECT_EQ(test, 0, pal->unmaps);

	pal->map_err = 0;
	KUNIT_EXPECT_EQ(test, 0, try_acquire(pal));
}

static void test_acquire(struct kunit *test)
{
	struct dma_buf_phys_list *phys;
	struct pal_test *pal = test->priv;

	pal_test_export(test, BUF_SIZE);
	pal_test_attach(test);
	pal_test_set_list(test, good_list, ARRAY_SIZE(good_list));

	KUNIT_ASSERT_EQ(test, 0, try_acquire(pal));
	KUNIT_EXPECT_EQ(test, -EBUSY, try_acquire(pal));
	KUNIT_EXPECT_EQ(test, 1, pal->maps);
	KUNIT_EXPECT_EQ(test, 1, pal->attach->pal.nr_maps);

	/* The primitive is independent of the list that the core keeps */
	dma_resv_lock(pal->dmabuf->resv, NULL);
	phys = dma_buf_pal_map_phys(pal->attach);
	if (IS_ERR(phys)) {
		KUNIT_FAIL(test, "mapping failed: %pe", phys);
	} else {
		KUNIT_EXPECT_EQ(test, 2, pal->attach->pal.nr_maps);
		KUNIT_EXPECT_MEMEQ(test, pal->vecs, phys->phys,
				   sizeof(good_list));
		dma_buf_pal_unmap_phys(pal->attach, phys);
	}
	dma_resv_unlock(pal->dmabuf->resv);
	KUNIT_EXPECT_EQ(test, 1, pal->unmaps);

	release(pal);
	KUNIT_EXPECT_EQ(test, 2, pal->unmaps);
	KUNIT_EXPECT_EQ(test, 0, try_acquire(pal));
	KUNIT_EXPECT_EQ(test, 3, pal->maps);
}

static void test_invalidate(struct kunit *test)
{
	struct pal_test *pal = test->priv;

	pal_test_export(test, BUF_SIZE);
	pal_test_attach(test);
	pal_test_set_list(test, good_list, ARRAY_SIZE(good_list));
	KUNIT_ASSERT_EQ(test, 0, try_acquire(pal));

	dma_resv_lock(pal->dmabuf->resv, NULL);
	dma_buf_invalidate_mappings(pal->dmabuf);
	dma_resv_unlock(pal->dmabuf->resv);
	KUNIT_EXPECT_EQ(test, 1, pal->invalidated);
	KUNIT_EXPECT_EQ(test, 1, pal->unmaps);
	KUNIT_EXPECT_NULL(test, pal->attach->pal.phys);
	KUNIT_EXPECT_EQ(test, 0, pal->available);

	dma_resv_lock(pal->dmabuf->resv, NULL);
	dma_buf_mappings_available(pal->dmabuf);
	dma_resv_unlock(pal->dmabuf->resv);
	KUNIT_EXPECT_EQ(test, 1, pal->available);
	KUNIT_EXPECT_EQ(test, 1, pal->invalidated);
	KUNIT_EXPECT_EQ(test, 0, try_acquire(pal));
}

struct join_case {
	const char *desc;
	size_t nr_in;
	size_t nr_out;
	struct phys_vec in[MAX_VECS];
	struct phys_vec out[MAX_VECS];
};

static const struct join_case join_cases[] = {
	{ "one range", 1, 1, { { 0, 16 * P } }, { { 0, 16 * P } } },
	{ "two adjacent", 2, 1, { { 8 * P, 4 * P }, { 12 * P, 12 * P } },
	  { { 8 * P, 16 * P } } },
	{ "all adjacent", 4, 1,
	  { { 0, 4 * P }, { 4 * P, P }, { 5 * P, P }, { 6 * P, 10 * P } },
	  { { 0, 16 * P } } },
	{ "none adjacent", 3, 3,
	  { { 0, 4 * P }, { 5 * P, 4 * P }, { 32 * P, 8 * P } },
	  { { 0, 4 * P }, { 5 * P, 4 * P }, { 32 * P, 8 * P } } },
	{ "adjacent the wrong way round", 2, 2,
	  { { 8 * P, 8 * P }, { 0, 8 * P } },
	  { { 8 * P, 8 * P }, { 0, 8 * P } } },
	{ "first two", 3, 2,
	  { { 0, 4 * P }, { 4 * P, 4 * P }, { 32 * P, 8 * P } },
	  { { 0, 8 * P }, { 32 * P, 8 * P } } },
	{ "last two", 3, 2,
	  { { 32 * P, 4 * P }, { 0, 4 * P }, { 4 * P, 8 * P } },
	  { { 32 * P, 4 * P }, { 0, 12 * P } } },
	{ "two groups", 6, 3,
	  { { 32 * P, 2 * P }, { 34 * P, 2 * P }, { 0, 4 * P },
	    { 8 * P, 2 * P }, { 10 * P, 2 * P }, { 12 * P, 4 * P } },
	  { { 32 * P, 4 * P }, { 0, 4 * P }, { 8 * P, 8 * P } } },
	{ "the same range twice", 2, 2,
	  { { 0, 8 * P }, { 0, 8 * P } }, { { 0, 8 * P }, { 0, 8 * P } } },
};

KUNIT_ARRAY_PARAM_DESC(join, join_cases, desc);

static void test_join(struct kunit *test)
{
	const struct join_case *param = test->param_value;
	struct pal_test *pal = test->priv;
	struct dma_buf_phys_list *phys;
	size_t i;

	pal_test_export(test, BUF_SIZE);
	pal_test_attach(test);
	pal_test_set_list(test, param->in, param->nr_in);
	KUNIT_ASSERT_EQ(test, 0, try_acquire(pal));

	phys = pal->attach->pal.phys;
	KUNIT_EXPECT_EQ(test, param->nr_out, pal->attach->pal.nr_ranges);
	KUNIT_ASSERT_EQ(test, param->nr_out, phys->length);
	for (i = 0; i < phys->length; i++) {
		KUNIT_EXPECT_EQ(test, pal->base + param->out[i].paddr,
				phys->phys[i].paddr);
		KUNIT_EXPECT_EQ(test, param->out[i].len, phys->phys[i].len);
	}
}

static void test_join_many(struct kunit *test)
{
	struct pal_test *pal = test->priv;
	struct dma_buf_phys_list *phys;
	const size_t nr = 4096;
	struct phys_vec *vecs;
	size_t i;

	vecs = kunit_kcalloc(test, nr, sizeof(*vecs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vecs);
	for (i = 0; i < nr; i++)
		vecs[i] = (struct phys_vec){ i * P, P };

	pal_test_export(test, nr * P);
	pal_test_attach(test);
	pal_test_set_list(test, vecs, nr);
	KUNIT_ASSERT_EQ(test, 0, try_acquire(pal));
	phys = pal->attach->pal.phys;
	KUNIT_EXPECT_EQ(test, 1, phys->length);
	KUNIT_EXPECT_EQ(test, nr * P, phys->phys[0].len);
	KUNIT_EXPECT_EQ(test, pal->base, phys->phys[0].paddr);
}

static struct kunit_case pal_cases[] = {
	KUNIT_CASE_PARAM(test_list_refused, list_gen_params),
	KUNIT_CASE(test_no_ranges_of_nothing),
	KUNIT_CASE(test_window_edges),
	KUNIT_CASE(test_window_refused),
	KUNIT_CASE(test_ram),
	KUNIT_CASE(test_needs_revoke),
	KUNIT_CASE(test_map_phys_fails),
	KUNIT_CASE(test_acquire),
	KUNIT_CASE(test_invalidate),
	KUNIT_CASE_PARAM(test_join, join_gen_params),
	KUNIT_CASE(test_join_many),
	{}
};

static struct kunit_suite dma_buf_pal_suite = {
	.name = "dma-buf-pal",
	.init = pal_test_init,
	.exit = pal_test_exit,
	.test_cases = pal_cases,
};

kunit_test_suite(dma_buf_pal_suite);
