// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests for coherency and access brackets of the SGT mapping type
 *
 * Devices that are not coherent are made of the kunit devices' own fields: their
 * swiotlb pool, which is one of this file, or on architectures where that exists
 * the flag of the bus. Nothing is really bounced, the exporter says so by handing
 * out addresses of the pool, and that is all that the code under test looks at.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-buf-mapping.h>
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/iommu-dma.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

MODULE_IMPORT_NS("DMA_BUF");

#define BUF_SIZE (3 * PAGE_SIZE)

/* Where the exporter's memory is, and where a bounced page is instead */
static const dma_addr_t plain_addr = 0x10000000;
static const dma_addr_t bounce_addr = 0x20000000;

enum access_dev {
	DEV_COHERENT,
	DEV_FORCED,
	DEV_NOT_COHERENT,
	DEV_KINDS,
};

static const char * const dev_names[DEV_KINDS] = {
	[DEV_COHERENT] = "coherent",
	[DEV_FORCED] = "always-bounced",
	[DEV_NOT_COHERENT] = "not-coherent",
};

struct access_ctx {
	struct device *dev[DEV_KINDS];
#ifdef CONFIG_SWIOTLB
	struct io_tlb_mem tlb[DEV_KINDS];
	struct io_tlb_mem *old_tlb[DEV_KINDS];
#endif
	struct dma_buf_ops ops;
	struct dma_buf *dmabuf;
	struct completion released;

	/* What the exporter does */
	struct dma_buf_mapping_match exp;
	bool bounce;
	int err;

	/* What was seen of it */
	unsigned int maps;
	unsigned int unmaps;
	unsigned int begins;
	unsigned int ends;
	unsigned int sleepy;
	struct sg_table *mapped;
	struct sg_table *synced;
	enum dma_data_direction synced_dir;
};

static struct sg_table *ctx_map(struct dma_buf_attachment *attach,
				enum dma_data_direction dir)
{
	struct access_ctx *ctx = attach->dmabuf->priv;
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i;

	sgt = kzalloc_obj(*sgt);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, BUF_SIZE / PAGE_SIZE, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	for_each_sgtable_dma_sg(sgt, sg, i) {
		sg_dma_address(sg) = plain_addr + i * 2 * PAGE_SIZE;
		sg_dma_len(sg) = PAGE_SIZE;
	}
	if (ctx->bounce) {
		/* Just the last one: all of them have to be looked at */
		sg_dma_address(sg_last(sgt->sgl, sgt->nents)) = bounce_addr;
		dma_reset_need_sync(attach->dev);
	}
	ctx->maps++;
	ctx->mapped = sgt;
	return sgt;
}

static void ctx_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	struct access_ctx *ctx = attach->dmabuf->priv;

	ctx->unmaps++;
	sg_free_table(sgt);
	kfree(sgt);
}

static int ctx_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	struct access_ctx *ctx = attach->dmabuf->priv;

#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	if (!current->non_block_count)
		ctx->sleepy++;
#endif
	ctx->synced = sgt;
	ctx->synced_dir = dir;
	return ctx->err;
}

static int ctx_begin(struct dma_buf_attachment *attach, struct sg_table *sgt,
		     enum dma_data_direction dir)
{
	struct access_ctx *ctx = attach->dmabuf->priv;

	ctx->begins++;
	return ctx_access(attach, sgt, dir);
}

static int ctx_end(struct dma_buf_attachment *attach, struct sg_table *sgt,
		   enum dma_data_direction dir)
{
	struct access_ctx *ctx = attach->dmabuf->priv;

	ctx->ends++;
	return ctx_access(attach, sgt, dir);
}

static const struct dma_buf_mapping_sgt_exp_ops bare_ops = {
	.map_dma_buf = ctx_map,
	.unmap_dma_buf = ctx_unmap,
};

static const struct dma_buf_mapping_sgt_exp_ops access_ops = {
	.map_dma_buf = ctx_map,
	.unmap_dma_buf = ctx_unmap,
	.begin_access = ctx_begin,
	.end_access = ctx_end,
};

static const struct dma_buf_mapping_sgt_exp_ops end_only_ops = {
	.map_dma_buf = ctx_map,
	.unmap_dma_buf = ctx_unmap,
	.end_access = ctx_end,
};

static const struct dma_buf_mapping_type deviceless_type = {
	.name = "test-deviceless",
};

static const struct dma_buf_mapping_match deviceless_entry = {
	.type = &deviceless_type,
};

static int ctx_match_mapping(struct dma_buf_match_args *args)
{
	struct access_ctx *ctx = args->dmabuf->priv;
	const struct dma_buf_mapping_match exp[] = { ctx->exp,
						     deviceless_entry };

	return dma_buf_match_mapping(args, exp, ARRAY_SIZE(exp));
}

static void ctx_release(struct dma_buf *dmabuf)
{
	struct access_ctx *ctx = dmabuf->priv;

	complete(&ctx->released);
}

static void promise(struct access_ctx *ctx,
		    const struct dma_buf_mapping_sgt_exp_ops *ops,
		    unsigned int coherency)
{
	ctx->exp = DMA_BUF_EMAPPING_SGT_COHERENCY(ops, coherency);
}

/* A pool of swiotlb that has the one page which the exporter calls bounced */
static void make_tlb(struct access_ctx *ctx, enum access_dev kind)
{
#ifdef CONFIG_SWIOTLB
	struct device *dev = ctx->dev[kind];
	struct io_tlb_mem *mem = &ctx->tlb[kind];

	mem->force_bounce = kind == DEV_FORCED;
	mem->defpool.start = dma_to_phys(dev, bounce_addr);
	mem->defpool.end = mem->defpool.start + PAGE_SIZE;
#ifdef CONFIG_SWIOTLB_DYNAMIC
	INIT_LIST_HEAD(&mem->pools);
	list_add(&mem->defpool.node, &mem->pools);
	dev->dma_uses_io_tlb = true;
#endif
	ctx->old_tlb[kind] = dev->dma_io_tlb_mem;
	dev->dma_io_tlb_mem = mem;
#endif
}

/* Returns NULL for a kind of device that this kernel cannot have */
static struct device *dev_of(struct access_ctx *ctx, enum access_dev kind)
{
	if (kind == DEV_FORCED && !IS_ENABLED(CONFIG_SWIOTLB))
		return NULL;
	if (kind == DEV_NOT_COHERENT && dev_is_dma_coherent(ctx->dev[kind]))
		return NULL;
	return ctx->dev[kind];
}

static int access_init(struct kunit *test)
{
	DEFINE_DMA_BUF_EXPORT_INFO(exp_info);
	struct access_ctx *ctx;
	int i;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	test->priv = ctx;
	init_completion(&ctx->released);

	for (i = 0; i < DEV_KINDS; i++) {
		struct device *dev = kunit_device_register(test, dev_names[i]);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
		if (use_dma_iommu(dev) || get_dma_ops(dev))
			kunit_skip(test, "needs devices with direct DMA");
		dev_assign_dma_coherent(dev, i != DEV_NOT_COHERENT);
		KUNIT_ASSERT_EQ(test, 0,
				dma_set_mask_and_coherent(dev,
							  DMA_BIT_MASK(64)));
		ctx->dev[i] = dev;
		make_tlb(ctx, i);
	}

	ctx->ops = (struct dma_buf_ops){
		.match_mapping = ctx_match_mapping,
		.release = ctx_release,
	};
	promise(ctx, &access_ops,
		DMA_SGT_COHERENT_IF_DEV | DMA_SGT_HAS_ACCESS_OPS);
	exp_info.ops = &ctx->ops;
	exp_info.size = BUF_SIZE;
	exp_info.flags = O_RDWR;
	exp_info.priv = ctx;
	ctx->dmabuf = dma_buf_export(&exp_info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->dmabuf);
	return 0;
}

static void access_exit(struct kunit *test)
{
	struct access_ctx *ctx = test->priv;
	int i;

	if (!ctx)
		return;
	if (!IS_ERR_OR_NULL(ctx->dmabuf)) {
		KUNIT_EXPECT_EQ(test, ctx->maps, ctx->unmaps);
		KUNIT_EXPECT_EQ(test, 0, ctx->sleepy);
		KUNIT_EXPECT_TRUE(test, list_empty(&ctx->dmabuf->attachments));
		dma_buf_put(ctx->dmabuf);
		KUNIT_EXPECT_NE(test, 0UL,
				wait_for_completion_timeout(&ctx->released,
							    30 * HZ));
	}
	for (i = 0; i < DEV_KINDS && ctx->dev[i]; i++) {
#ifdef CONFIG_SWIOTLB
		ctx->dev[i]->dma_io_tlb_mem = ctx->old_tlb[i];
#endif
	}
}

static struct dma_buf_attachment *
attach_to(struct access_ctx *ctx, struct device *dev,
	  enum dma_sgt_importer_coherency need)
{
	const struct dma_buf_mapping_match imp =
		DMA_BUF_IMAPPING_SGT_COHERENCY(dev, DMA_SGT_NO_P2P, need);

	return dma_buf_mapping_attach(ctx->dmabuf, &imp, 1, NULL, NULL);
}

/* Attaches with what must be possible, and maps */
static struct dma_buf_attachment *
attach_and_map(struct kunit *test, enum access_dev kind,
	       enum dma_sgt_importer_coherency need, struct sg_table **sgt)
{
	struct access_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;

	attach = attach_to(ctx, ctx->dev[kind], need);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	*sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(*sgt)) {
		dma_buf_detach(ctx->dmabuf, attach);
		KUNIT_FAIL_AND_ABORT(test, "mapping failed: %pe", *sgt);
	}
	return attach;
}

static void unmap_and_detach(struct access_ctx *ctx,
			     struct dma_buf_attachment *attach,
			     struct sg_table *sgt)
{
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(ctx->dmabuf, attach);
}

#define NO (-EOPNOTSUPP)

/* By the exporter's promise, and the need: ANY, REQUIRE_COHERENT, CACHES_MAPPING */
static const int with_coherent[4][3] = {
	[DMA_SGT_COHERENCY_NONE] = { 0, NO, NO },
	[DMA_SGT_COHERENT_IF_DEV] = { 0, 0, 0 },
	[DMA_SGT_HAS_ACCESS_OPS] = { 0, NO, 0 },
	[DMA_SGT_COHERENT_IF_DEV | DMA_SGT_HAS_ACCESS_OPS] = { 0, 0, 0 },
};

static const int without_coherent[4][3] = {
	[DMA_SGT_COHERENCY_NONE] = { 0, NO, NO },
	[DMA_SGT_COHERENT_IF_DEV] = { 0, NO, NO },
	[DMA_SGT_HAS_ACCESS_OPS] = { 0, NO, 0 },
	[DMA_SGT_COHERENT_IF_DEV | DMA_SGT_HAS_ACCESS_OPS] = { 0, NO, 0 },
};

static void test_match_table(struct kunit *test)
{
	struct access_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;
	int kind, prom, need, expect;
	struct device *dev;

	for (kind = 0; kind < DEV_KINDS; kind++) {
		dev = dev_of(ctx, kind);
		if (!dev) {
			kunit_info(test, "no %s device here", dev_names[kind]);
			continue;
		}
		KUNIT_EXPECT_EQ_MSG(test, kind == DEV_COHERENT,
				    dma_buf_sgt_dev_coherent(dev), "%s",
				    dev_names[kind]);
		for (prom = 0; prom < 4; prom++) {
			promise(ctx, &access_ops, prom);
			for (need = 0; need < 3; need++) {
				expect = kind == DEV_COHERENT ?
					 with_coherent[prom][need] :
					 without_coherent[prom][need];
				attach = attach_to(ctx, dev, need);
				KUNIT_EXPECT_EQ_MSG(test, expect,
						    PTR_ERR_OR_ZERO(attach),
						    "%s device, promise %d, need %d",
						    dev_names[kind], prom, need);
				if (IS_ERR(attach))
					continue;
				KUNIT_EXPECT_EQ(test,
						need == DMA_SGT_CACHES_MAPPING,
						dma_buf_sgt_caches_mapping(attach));
				dma_buf_detach(ctx->dmabuf, attach);
			}
		}
	}
}

/* This is no refusal, the search must not go on to some other entry */
static void test_unknown_need(struct kunit *test)
{
	struct access_ctx *ctx = test->priv;
	const struct dma_buf_mapping_match imp[] = {
		DMA_BUF_IMAPPING_SGT_COHERENCY(ctx->dev[DEV_COHERENT],
					       DMA_SGT_NO_P2P,
					       DMA_SGT_CACHES_MAPPING + 1),
		DMA_BUF_IMAPPING_SGT(ctx->dev[DEV_COHERENT], DMA_SGT_NO_P2P),
	};
	struct dma_buf_attachment *attach;

	attach = dma_buf_mapping_attach(ctx->dmabuf, imp, 2, NULL, NULL);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(attach));

	attach = dma_buf_mapping_attach(ctx->dmabuf, &imp[1], 1, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	dma_buf_detach(ctx->dmabuf, attach);
}

static void expect_need(struct kunit *test,
			const struct dma_buf_mapping_match *imp, size_t nr_imp,
			enum dma_sgt_importer_coherency need)
{
	struct access_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;

	attach = dma_buf_mapping_attach(ctx->dmabuf, imp, nr_imp, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, need,
			attach->map_type.sgt_data.importer_coherency);
	dma_buf_detach(ctx->dmabuf, attach);
}

/* An importer that worked before works with everybody */
static void test_legacy_entry(struct kunit *test)
{
	struct access_ctx *ctx = test->priv;
	const struct dma_buf_mapping_match imp[] = {
		DMA_BUF_IMAPPING_SGT_COHERENCY(ctx->dev[DEV_COHERENT],
					       DMA_SGT_NO_P2P,
					       DMA_SGT_REQUIRE_COHERENT),
		DMA_BUF_IMAPPING_SGT_COHERENCY(ctx->dev[DEV_COHERENT],
					       DMA_SGT_NO_P2P,
					       DMA_SGT_CACHES_MAPPING),
		DMA_BUF_IMAPPING_SGT(ctx->dev[DEV_COHERENT], DMA_SGT_NO_P2P),
	};

	expect_need(test, imp, 3, DMA_SGT_REQUIRE_COHERENT);
	expect_need(test, &imp[1], 2, DMA_SGT_CACHES_MAPPING);
	promise(ctx, &access_ops, DMA_SGT_HAS_ACCESS_OPS);
	expect_need(test, imp, 3, DMA_SGT_CACHES_MAPPING);
	promise(ctx, &bare_ops, DMA_SGT_COHERENCY_NONE);
	expect_need(test, imp, 3, DMA_SGT_COHERENCY_ANY);
	expect_need(test, &imp[1], 2, DMA_SGT_COHERENCY_ANY);

	/* One that has never heard of all this */
	ctx->ops.match_mapping = NULL;
	ctx->ops.map_dma_buf = ctx_map;
	ctx->ops.unmap_dma_buf = ctx_unmap;
	expect_need(test, imp, 3, DMA_SGT_COHERENCY_ANY);
}

/* A device that is coherent, but for what it cannot address */
static void test_check_at_map(struct kunit *test)
{
	static const struct {
		const struct dma_buf_mapping_sgt_exp_ops *ops;
		unsigned int promise;
		enum dma_sgt_importer_coherency need;
		int err;
	} rows[] = {
		{ &bare_ops, 0, DMA_SGT_COHERENCY_ANY, 0 },
		{ &bare_ops, DMA_SGT_COHERENT_IF_DEV,
		  DMA_SGT_REQUIRE_COHERENT, NO },
		{ &bare_ops, DMA_SGT_COHERENT_IF_DEV,
		  DMA_SGT_CACHES_MAPPING, NO },
		{ &access_ops, DMA_SGT_COHERENT_IF_DEV | DMA_SGT_HAS_ACCESS_OPS,
		  DMA_SGT_REQUIRE_COHERENT, NO },
		{ &access_ops, DMA_SGT_COHERENT_IF_DEV | DMA_SGT_HAS_ACCESS_OPS,
		  DMA_SGT_CACHES_MAPPING, 0 },
		{ &end_only_ops, DMA_SGT_HAS_ACCESS_OPS,
		  DMA_SGT_CACHES_MAPPING, 0 },
		/* It promised what it does not have */
		{ &bare_ops, DMA_SGT_HAS_ACCESS_OPS,
		  DMA_SGT_CACHES_MAPPING, NO },
	};
	struct access_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	int i, bounce;

	if (!IS_ENABLED(CONFIG_SWIOTLB))
		kunit_skip(test, "needs CONFIG_SWIOTLB");

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		promise(ctx, rows[i].ops, rows[i].promise);
		attach = attach_to(ctx, ctx->dev[DEV_COHERENT], rows[i].need);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
		for (bounce = 0; bounce < 2; bounce++) {
			ctx->bounce = bounce;
			sgt = dma_buf_map_attachment_unlocked(attach,
							      DMA_BIDIRECTIONAL);
			KUNIT_EXPECT_EQ_MSG(test, bounce ? rows[i].err : 0,
					    PTR_ERR_OR_ZERO(sgt),
					    "row %d, bounce %d", i, bounce);
			if (!IS_ERR(sgt))
				dma_buf_unmap_attachment_unlocked(attach, sgt,
								  DMA_BIDIRECTIONAL);
			KUNIT_EXPECT_EQ(test, 2 * i + bounce + 1, ctx->maps);
			KUNIT_EXPECT_EQ(test, ctx->maps, ctx->unmaps);
		}
		dma_buf_detach(ctx->dmabuf, attach);
	}
}

static void expect_calls(struct kunit *test, struct dma_buf_attachment *attach,
			 struct sg_table *sgt, unsigned int begins,
			 unsigned int ends)
{
	struct access_ctx *ctx = test->priv;

	ctx->begins = 0;
	ctx->ends = 0;
	KUNIT_EXPECT_EQ(test, 0,
			dma_buf_begin_access(attach, sgt, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, begins, ctx->begins);
	KUNIT_EXPECT_EQ(test, 0, ctx->ends);
	KUNIT_EXPECT_EQ(test, 0,
			dma_buf_end_access(attach, sgt, DMA_FROM_DEVICE));
	KUNIT_EXPECT_EQ(test, begins, ctx->begins);
	KUNIT_EXPECT_EQ(test, ends, ctx->ends);
}

static void test_brackets(struct kunit *test)
{
	struct access_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	/* By the address: the device is coherent */
	if (!IS_ENABLED(CONFIG_SWIOTLB))
		kunit_skip(test, "needs CONFIG_SWIOTLB");
	ctx->bounce = true;
	attach = attach_and_map(test, DEV_COHERENT, DMA_SGT_CACHES_MAPPING,
				&sgt);
	expect_calls(test, attach, sgt, 1, 1);

	/* The exporter gets what it made, with its direction */
	KUNIT_EXPECT_EQ(test, DMA_FROM_DEVICE, ctx->synced_dir);
	KUNIT_EXPECT_PTR_EQ(test, ctx->mapped, ctx->synced);
	if (IS_ENABLED(CONFIG_DMABUF_DEBUG))
		KUNIT_EXPECT_PTR_NE(test, ctx->mapped, sgt);

	/* In an interrupt handler, or with the lock: it makes no difference */
	local_irq_disable();
	dma_buf_begin_access(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_end_access(attach, sgt, DMA_BIDIRECTIONAL);
	local_irq_enable();
	dma_resv_lock(ctx->dmabuf->resv, NULL);
	dma_buf_begin_access(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_end_access(attach, sgt, DMA_BIDIRECTIONAL);
	dma_resv_unlock(ctx->dmabuf->resv);
	KUNIT_EXPECT_EQ(test, 3, ctx->begins);
	KUNIT_EXPECT_EQ(test, 3, ctx->ends);
	unmap_and_detach(ctx, attach, sgt);

	/* Either callback is optional */
	promise(ctx, &end_only_ops, DMA_SGT_HAS_ACCESS_OPS);
	attach = attach_and_map(test, DEV_COHERENT, DMA_SGT_CACHES_MAPPING,
				&sgt);
	expect_calls(test, attach, sgt, 0, 1);
	unmap_and_detach(ctx, attach, sgt);
}

static void test_brackets_not_coherent(struct kunit *test)
{
	struct access_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	if (!dev_of(ctx, DEV_NOT_COHERENT))
		kunit_skip(test, "all devices are coherent on this architecture");

	attach = attach_and_map(test, DEV_NOT_COHERENT, DMA_SGT_CACHES_MAPPING,
				&sgt);
	expect_calls(test, attach, sgt, 1, 1);
	unmap_and_detach(ctx, attach, sgt);
}

static void test_no_op(struct kunit *test)
{
	struct access_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	/* Nothing of it is bounced */
	attach = attach_and_map(test, DEV_COHERENT, DMA_SGT_CACHES_MAPPING,
				&sgt);
	expect_calls(test, attach, sgt, 0, 0);
	unmap_and_detach(ctx, attach, sgt);

	/* The same after something else of the device was */
	dma_reset_need_sync(ctx->dev[DEV_COHERENT]);
	attach = attach_and_map(test, DEV_COHERENT, DMA_SGT_CACHES_MAPPING,
				&sgt);
	expect_calls(test, attach, sgt, 0, 0);
	unmap_and_detach(ctx, attach, sgt);

	/* It is bounced, and the importer follows other rules */
	ctx->bounce = true;
	attach = attach_and_map(test, DEV_COHERENT, DMA_SGT_COHERENCY_ANY,
				&sgt);
	expect_calls(test, attach, sgt, 0, 0);
	unmap_and_detach(ctx, attach, sgt);

	/* The control, of which the above differ in one thing each */
	if (!IS_ENABLED(CONFIG_SWIOTLB))
		return;
	attach = attach_and_map(test, DEV_COHERENT, DMA_SGT_CACHES_MAPPING,
				&sgt);
	expect_calls(test, attach, sgt, 1, 1);
	unmap_and_detach(ctx, attach, sgt);
}

static void test_errors(struct kunit *test)
{
	struct access_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = dma_buf_mapping_attach(ctx->dmabuf, &deviceless_entry, 1, NULL,
					NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_FALSE(test, dma_buf_sgt_caches_mapping(attach));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			dma_buf_begin_access(attach, NULL, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			dma_buf_end_access(attach, NULL, DMA_TO_DEVICE));
	dma_buf_detach(ctx->dmabuf, attach);

	ctx->bounce = true;
	attach = attach_and_map(test, DEV_COHERENT, DMA_SGT_CACHES_MAPPING,
				&sgt);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			dma_buf_begin_access(attach, sgt, DMA_NONE));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			dma_buf_end_access(attach, sgt, DMA_NONE));
	KUNIT_EXPECT_EQ(test, 0, ctx->begins + ctx->ends);
	if (IS_ENABLED(CONFIG_SWIOTLB)) {
		ctx->err = -EIO;
		KUNIT_EXPECT_EQ(test, -EIO,
				dma_buf_begin_access(attach, sgt,
						     DMA_TO_DEVICE));
		KUNIT_EXPECT_EQ(test, -EIO,
				dma_buf_end_access(attach, sgt,
						   DMA_TO_DEVICE));
		ctx->err = 0;
		expect_calls(test, attach, sgt, 1, 1);
	}
	unmap_and_detach(ctx, attach, sgt);
}

static bool all_coherent(struct access_ctx *ctx)
{
	bool ret;

	dma_resv_lock(ctx->dmabuf->resv, NULL);
	ret = dma_buf_all_coherent(ctx->dmabuf);
	dma_resv_unlock(ctx->dmabuf->resv);
	return ret;
}

static void test_all_coherent(struct kunit *test)
{
	struct access_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach, *other;
	struct device *dev;
	int kind;

	KUNIT_EXPECT_TRUE(test, all_coherent(ctx));
	attach = attach_to(ctx, ctx->dev[DEV_COHERENT], DMA_SGT_COHERENCY_ANY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_TRUE(test, all_coherent(ctx));

	for (kind = DEV_COHERENT + 1; kind < DEV_KINDS; kind++) {
		dev = dev_of(ctx, kind);
		if (!dev)
			continue;
		other = attach_to(ctx, dev, DMA_SGT_COHERENCY_ANY);
		KUNIT_EXPECT_FALSE(test, IS_ERR(other));
		KUNIT_EXPECT_FALSE(test, all_coherent(ctx));
		if (!IS_ERR(other))
			dma_buf_detach(ctx->dmabuf, other);
		KUNIT_EXPECT_TRUE(test, all_coherent(ctx));
	}

	/* Who knows where that leads to */
	other = dma_buf_mapping_attach(ctx->dmabuf, &deviceless_entry, 1, NULL,
				       NULL);
	KUNIT_EXPECT_FALSE(test, IS_ERR(other));
	KUNIT_EXPECT_FALSE(test, all_coherent(ctx));
	if (!IS_ERR(other))
		dma_buf_detach(ctx->dmabuf, other);
	dma_buf_detach(ctx->dmabuf, attach);
}

static struct kunit_case access_cases[] = {
	KUNIT_CASE(test_match_table),
	KUNIT_CASE(test_unknown_need),
	KUNIT_CASE(test_legacy_entry),
	KUNIT_CASE(test_check_at_map),
	KUNIT_CASE(test_brackets),
	KUNIT_CASE(test_brackets_not_coherent),
	KUNIT_CASE(test_no_op),
	KUNIT_CASE(test_errors),
	KUNIT_CASE(test_all_coherent),
	{}
};

static struct kunit_suite dma_buf_access_suite = {
	.name = "dma-buf-access",
	.init = access_init,
	.exit = access_exit,
	.test_cases = access_cases,
};

kunit_test_suite(dma_buf_access_suite);
