// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests for the negotiation of dma-buf mapping types
 *
 * One exporter is modelled, whose callbacks do what a test tells them and count
 * how often they run. What it maps are made-up DMA addresses that tell which of
 * its callbacks was used. After each test the counts have to balance and the
 * buffer has to go away.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-buf-mapping.h>
#include <linux/dma-buf.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/pci.h>
#include <linux/pci-p2pdma.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

MODULE_IMPORT_NS("DMA_BUF");

#define BUF_SIZE (2 * PAGE_SIZE)

/* First DMA address of a mapping, by the exporter's callbacks that made it */
static const dma_addr_t legacy_via = 0x10000000;
static const dma_addr_t shortcut_via = 0x20000000;
static const dma_addr_t entry_via = 0x30000000;

struct mapping_ctx {
	struct device *dev;
	struct device *other_dev;
	struct dma_buf_ops ops;
	struct dma_buf *dmabuf;
	struct completion released;

	/* What the exporter's callbacks do */
	const struct dma_buf_mapping_match *exp;
	size_t nr_exp;
	int match_err;
	int attach_err;
	int type_err;

	/* What was seen of them */
	unsigned int match_calls;
	unsigned int type_match_calls;
	unsigned int attach_calls;
	unsigned int attached;
	unsigned int detached;
	unsigned int maps;
	unsigned int unmaps;
	dma_addr_t unmapped_via;
	const struct dma_buf_mapping_match *finished;
	struct device *attach_dev;
	bool attach_p2p;
};

static struct sg_table *ctx_map(struct dma_buf_attachment *attach,
				dma_addr_t via)
{
	struct mapping_ctx *ctx = attach->dmabuf->priv;
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
		/* Apart from each other, and not in the order of the buffer */
		sg_dma_address(sg) = via + (8 - i) * 2 * PAGE_SIZE;
		sg_dma_len(sg) = PAGE_SIZE;
	}
	ctx->maps++;
	return sgt;
}

static void ctx_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      dma_addr_t via)
{
	struct mapping_ctx *ctx = attach->dmabuf->priv;

	ctx->unmapped_via = via;
	ctx->unmaps++;
	sg_free_table(sgt);
	kfree(sgt);
}

#define DEFINE_SGT_CALLBACKS(_name)					\
static struct sg_table *_name##_map(struct dma_buf_attachment *attach,	\
				    enum dma_data_direction dir)	\
{									\
	return ctx_map(attach, _name##_via);				\
}									\
									\
static void _name##_unmap(struct dma_buf_attachment *attach,		\
			  struct sg_table *sgt,				\
			  enum dma_data_direction dir)			\
{									\
	ctx_unmap(attach, sgt, _name##_via);				\
}

DEFINE_SGT_CALLBACKS(legacy)
DEFINE_SGT_CALLBACKS(shortcut)
DEFINE_SGT_CALLBACKS(entry)

static const struct dma_buf_mapping_sgt_exp_ops shortcut_ops = {
	.map_dma_buf = shortcut_map,
	.unmap_dma_buf = shortcut_unmap,
};

static const struct dma_buf_mapping_sgt_exp_ops entry_ops = {
	.map_dma_buf = entry_map,
	.unmap_dma_buf = entry_unmap,
};

static int ctx_match_mapping(struct dma_buf_match_args *args)
{
	struct mapping_ctx *ctx = args->dmabuf->priv;

	ctx->match_calls++;
	if (ctx->match_err)
		return ctx->match_err;
	return dma_buf_match_mapping(args, ctx->exp, ctx->nr_exp);
}

static int ctx_match_none(struct dma_buf_match_args *args)
{
	return 0;
}

static int ctx_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct mapping_ctx *ctx = dmabuf->priv;

	ctx->attach_calls++;
	ctx->attach_dev = attach->dev;
	ctx->attach_p2p = attach->peer2peer;
	if (ctx->attach_err)
		return ctx->attach_err;
	ctx->attached++;
	return 0;
}

static void ctx_detach(struct dma_buf *dmabuf,
		       struct dma_buf_attachment *attach)
{
	struct mapping_ctx *ctx = dmabuf->priv;

	ctx->detached++;
}

static void ctx_release(struct dma_buf *dmabuf)
{
	struct mapping_ctx *ctx = dmabuf->priv;

	complete(&ctx->released);
}

/* A mapping type that only this file knows: a link with addresses of its own */
struct link_exp_ops {
	struct dma_buf_mapping_exp_ops ops;
	u64 (*link_address)(struct dma_buf_attachment *attach);
};

static u64 ctx_link_address(struct dma_buf_attachment *attach)
{
	struct mapping_ctx *ctx = attach->dmabuf->priv;

	return (u64)(uintptr_t)ctx->dev;
}

static const struct link_exp_ops link_ops = {
	.link_address = ctx_link_address,
};

static int type_match(struct dma_buf *dmabuf,
		      const struct dma_buf_mapping_match *exp,
		      const struct dma_buf_mapping_match *imp)
{
	struct mapping_ctx *ctx = dmabuf->priv;

	ctx->type_match_calls++;
	return ctx->type_err;
}

static void type_finish_match(struct dma_buf_match_args *args,
			      const struct dma_buf_mapping_match *exp,
			      const struct dma_buf_mapping_match *imp)
{
	struct mapping_ctx *ctx = args->dmabuf->priv;

	ctx->finished = imp;
}

static const struct dma_buf_mapping_type link_type = {
	.name = "test-link",
	.match = type_match,
	.finish_match = type_finish_match,
};

static const struct dma_buf_mapping_type revocable_type = {
	.name = "test-revocable",
	.requires_revoke = true,
};

/* Both callbacks are optional */
static const struct dma_buf_mapping_type bare_type = {
	.name = "test-bare",
};

static const struct dma_buf_mapping_match link_entry = {
	.type = &link_type,
	.exp_ops = &link_ops.ops,
};

static const struct dma_buf_mapping_match bare_entry = {
	.type = &bare_type,
};

static const struct dma_buf_mapping_match revocable_entry = {
	.type = &revocable_type,
};

static void imp_invalidate(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops plain_importer;

static const struct dma_buf_attach_ops p2p_importer = {
	.allow_peer2peer = true,
};

static const struct dma_buf_attach_ops revocable_importer = {
	.invalidate_mappings = imp_invalidate,
};

static int mapping_init(struct kunit *test)
{
	DEFINE_DMA_BUF_EXPORT_INFO(exp_info);
	struct mapping_ctx *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	test->priv = ctx;
	init_completion(&ctx->released);

	ctx->dev = kunit_device_register(test, "mapping-importer");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->dev);
	ctx->other_dev = kunit_device_register(test, "mapping-other");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->other_dev);

	ctx->ops = (struct dma_buf_ops){
		.match_mapping = ctx_match_mapping,
		.attach = ctx_attach,
		.detach = ctx_detach,
		.release = ctx_release,
	};
	exp_info.ops = &ctx->ops;
	exp_info.size = BUF_SIZE;
	exp_info.flags = O_RDWR;
	exp_info.priv = ctx;
	ctx->dmabuf = dma_buf_export(&exp_info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->dmabuf);
	return 0;
}

static void mapping_exit(struct kunit *test)
{
	struct mapping_ctx *ctx = test->priv;

	if (!ctx || IS_ERR_OR_NULL(ctx->dmabuf))
		return;

	KUNIT_EXPECT_EQ(test, ctx->attached, ctx->detached);
	KUNIT_EXPECT_EQ(test, ctx->maps, ctx->unmaps);
	KUNIT_EXPECT_TRUE(test, list_empty(&ctx->dmabuf->attachments));
	KUNIT_EXPECT_EQ(test, 1, (int)file_count(ctx->dmabuf->file));

	dma_buf_put(ctx->dmabuf);
	/* Kernel threads put files by way of a work item */
	KUNIT_EXPECT_NE(test, 0UL,
			wait_for_completion_timeout(&ctx->released, 30 * HZ));
}

static void set_exp(struct mapping_ctx *ctx,
		    const struct dma_buf_mapping_match *exp, size_t nr_exp)
{
	ctx->exp = exp;
	ctx->nr_exp = nr_exp;
}

static void make_legacy(struct mapping_ctx *ctx)
{
	ctx->ops.match_mapping = NULL;
	ctx->ops.map_dma_buf = legacy_map;
	ctx->ops.unmap_dma_buf = legacy_unmap;
}

/*
 * Attaching has to fail with @err, leave nothing behind, and not get as far as
 * the exporter's attach callback unless that is what fails.
 */
static void expect_error(struct kunit *test,
			 const struct dma_buf_mapping_match *imp, size_t nr_imp,
			 const struct dma_buf_attach_ops *imp_ops, int err)
{
	struct mapping_ctx *ctx = test->priv;
	unsigned int attach_calls = ctx->attach_calls + !!ctx->attach_err;
	struct dma_buf_attachment *attach;

	attach = dma_buf_mapping_attach(ctx->dmabuf, imp, nr_imp, imp_ops, ctx);
	KUNIT_EXPECT_EQ(test, err, PTR_ERR_OR_ZERO(attach));
	KUNIT_EXPECT_EQ(test, attach_calls, ctx->attach_calls);
	KUNIT_EXPECT_TRUE(test, list_empty(&ctx->dmabuf->attachments));
	if (!IS_ERR(attach))
		dma_buf_detach(ctx->dmabuf, attach);
}

/* Attaching has to select @type, NULL if nothing may match */
static void expect_type(struct kunit *test,
			const struct dma_buf_mapping_match *imp, size_t nr_imp,
			const struct dma_buf_attach_ops *imp_ops,
			const struct dma_buf_mapping_type *type)
{
	struct mapping_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;

	if (!type) {
		expect_error(test, imp, nr_imp, imp_ops, -EOPNOTSUPP);
		return;
	}

	attach = dma_buf_mapping_attach(ctx->dmabuf, imp, nr_imp, imp_ops, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_PTR_EQ(test, type, attach->map_type.type);
	KUNIT_EXPECT_PTR_EQ(test, (void *)ctx, attach->importer_priv);
	dma_buf_detach(ctx->dmabuf, attach);
}

/* Maps, has a look at the addresses, unmaps, and detaches */
static void expect_map_via(struct kunit *test,
			   struct dma_buf_attachment *attach, dma_addr_t via)
{
	struct mapping_ctx *ctx = test->priv;
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_PTR_EQ(test, &dma_buf_mapping_sgt_type,
			    attach->map_type.type);
	KUNIT_EXPECT_NOT_NULL(test, dma_buf_get_sgt_ops(attach));

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt)) {
		KUNIT_FAIL(test, "mapping failed: %pe", sgt);
		goto out_detach;
	}

	/* The table may be a copy that hides pages, the addresses are true */
	KUNIT_EXPECT_EQ(test, BUF_SIZE / PAGE_SIZE, sgt->nents);
	for_each_sgtable_dma_sg(sgt, sg, i) {
		KUNIT_EXPECT_EQ(test, via + (8 - i) * 2 * PAGE_SIZE,
				sg_dma_address(sg));
		KUNIT_EXPECT_EQ(test, PAGE_SIZE, sg_dma_len(sg));
	}
	KUNIT_EXPECT_EQ(test, ctx->unmaps + 1, ctx->maps);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, ctx->maps, ctx->unmaps);
	KUNIT_EXPECT_EQ(test, via, ctx->unmapped_via);
out_detach:
	dma_buf_detach(ctx->dmabuf, attach);
}

static void test_exporter_order(struct kunit *test)
{
	const struct dma_buf_mapping_match link_first[] = { link_entry,
							    bare_entry };
	const struct dma_buf_mapping_match bare_first[] = { bare_entry,
							    link_entry };
	struct mapping_ctx *ctx = test->priv;

	set_exp(ctx, link_first, ARRAY_SIZE(link_first));
	expect_type(test, link_first, 2, NULL, &link_type);
	expect_type(test, bare_first, 2, NULL, &link_type);

	set_exp(ctx, bare_first, ARRAY_SIZE(bare_first));
	expect_type(test, link_first, 2, NULL, &bare_type);
	expect_type(test, bare_first, 2, NULL, &bare_type);

	/* What the importer lacks is passed over */
	expect_type(test, &link_entry, 1, NULL, &link_type);
	KUNIT_EXPECT_EQ(test, 5, ctx->match_calls);
}

static void test_importer_order(struct kunit *test)
{
	struct mapping_ctx *ctx = test->priv;
	const struct dma_buf_mapping_match exp =
		DMA_BUF_EMAPPING_SGT(&entry_ops);
	const struct dma_buf_mapping_match links[] = { bare_entry, link_entry,
						       link_entry };
	const struct dma_buf_mapping_match sgts[] = {
		link_entry,
		DMA_BUF_IMAPPING_SGT(ctx->other_dev, DMA_SGT_NO_P2P),
		DMA_BUF_IMAPPING_SGT(ctx->dev, DMA_SGT_IMPORTER_ACCEPTS_P2P),
	};

	set_exp(ctx, &link_entry, 1);
	expect_type(test, links, ARRAY_SIZE(links), NULL, &link_type);
	KUNIT_EXPECT_PTR_EQ(test, &links[1], ctx->finished);

	set_exp(ctx, &exp, 1);
	expect_type(test, sgts, ARRAY_SIZE(sgts), NULL,
		    &dma_buf_mapping_sgt_type);
	KUNIT_EXPECT_PTR_EQ(test, ctx->other_dev, ctx->attach_dev);
	KUNIT_EXPECT_FALSE(test, ctx->attach_p2p);
}

static void test_no_match(struct kunit *test)
{
	struct mapping_ctx *ctx = test->priv;
	const struct dma_buf_mapping_match sgt =
		DMA_BUF_IMAPPING_SGT(ctx->dev, DMA_SGT_IMPORTER_ACCEPTS_P2P);

	set_exp(ctx, &link_entry, 1);
	expect_type(test, &bare_entry, 1, NULL, NULL);
	expect_type(test, &sgt, 1, &p2p_importer, NULL);
	expect_type(test, NULL, 0, NULL, NULL);

	set_exp(ctx, NULL, 0);
	expect_type(test, &link_entry, 1, NULL, NULL);

	/* The type itself may refuse a pair */
	set_exp(ctx, &link_entry, 1);
	ctx->type_err = -EOPNOTSUPP;
	expect_type(test, &link_entry, 1, NULL, NULL);
	KUNIT_EXPECT_EQ(test, 1, ctx->type_match_calls);

	/* Same pair, so it was not for something else */
	ctx->type_err = 0;
	expect_type(test, &link_entry, 1, NULL, &link_type);

	/* An exporter that claims success without having selected anything */
	ctx->ops.match_mapping = ctx_match_none;
	expect_type(test, &link_entry, 1, NULL, NULL);
}

static void test_private_type(struct kunit *test)
{
	struct mapping_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;
	const struct link_exp_ops *ops;

	set_exp(ctx, &link_entry, 1);
	attach = dma_buf_mapping_attach(ctx->dmabuf, &link_entry, 1, NULL, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);

	/* It has no device, and the core's own types keep their hands off */
	KUNIT_EXPECT_NULL(test, attach->dev);
	KUNIT_EXPECT_FALSE(test, attach->peer2peer);
	KUNIT_EXPECT_NULL(test, dma_buf_get_sgt_ops(attach));
	KUNIT_EXPECT_NULL(test, dma_buf_sgt_dma_device(attach));
	KUNIT_EXPECT_FALSE(test, dma_buf_sgt_p2p_allowed(attach));

	ops = container_of(attach->map_type.exp_ops, struct link_exp_ops, ops);
	KUNIT_EXPECT_EQ(test, (u64)(uintptr_t)ctx->dev,
			ops->link_address(attach));
	dma_buf_detach(ctx->dmabuf, attach);
}

/* What callers and exporters that know nothing of mapping types get */
static void test_legacy_exporter(struct kunit *test)
{
	struct mapping_ctx *ctx = test->priv;
	const struct dma_buf_mapping_match imp[] = {
		link_entry,
		DMA_BUF_IMAPPING_SGT(ctx->dev, DMA_SGT_NO_P2P),
	};

	make_legacy(ctx);
	expect_map_via(test, dma_buf_attach(ctx->dmabuf, ctx->dev), legacy_via);
	KUNIT_EXPECT_PTR_EQ(test, ctx->dev, ctx->attach_dev);

	expect_map_via(test,
		       dma_buf_dynamic_attach(ctx->dmabuf, ctx->other_dev,
					      &revocable_importer, ctx),
		       legacy_via);
	KUNIT_EXPECT_PTR_EQ(test, ctx->other_dev, ctx->attach_dev);

	expect_map_via(test,
		       dma_buf_mapping_attach(ctx->dmabuf, imp, ARRAY_SIZE(imp),
					      NULL, NULL),
		       legacy_via);
	KUNIT_EXPECT_PTR_EQ(test, ctx->dev, ctx->attach_dev);
	KUNIT_EXPECT_EQ(test, 3, ctx->maps);

	/* It has nothing else to offer */
	expect_type(test, &link_entry, 1, NULL, NULL);
}

/* match_mapping goes before sgt_ops, and that before map_dma_buf */
static void test_priority(struct kunit *test)
{
	const struct dma_buf_mapping_match exp =
		DMA_BUF_EMAPPING_SGT(&entry_ops);
	struct mapping_ctx *ctx = test->priv;

	ctx->ops.match_mapping = NULL;
	ctx->ops.sgt_ops = &shortcut_ops;
	expect_map_via(test, dma_buf_attach(ctx->dmabuf, ctx->dev),
		       shortcut_via);
	expect_type(test, &link_entry, 1, NULL, NULL);

	make_legacy(ctx);
	expect_map_via(test, dma_buf_attach(ctx->dmabuf, ctx->dev),
		       shortcut_via);

	ctx->ops.match_mapping = ctx_match_mapping;
	set_exp(ctx, &exp, 1);
	expect_map_via(test, dma_buf_attach(ctx->dmabuf, ctx->dev), entry_via);

	/* What it does not offer is not made up for by the others */
	set_exp(ctx, &link_entry, 1);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			PTR_ERR_OR_ZERO(dma_buf_attach(ctx->dmabuf, ctx->dev)));
}

static void test_match_callback_aborts(struct kunit *test)
{
	const struct dma_buf_mapping_match both[] = { link_entry, bare_entry };
	struct mapping_ctx *ctx = test->priv;

	set_exp(ctx, both, ARRAY_SIZE(both));
	ctx->type_err = -EIO;
	expect_error(test, both, ARRAY_SIZE(both), NULL, -EIO);
	KUNIT_EXPECT_EQ(test, 1, ctx->type_match_calls);
	KUNIT_EXPECT_NULL(test, ctx->finished);

	/* A mere refusal of the first entry goes on to the second */
	ctx->type_err = -EOPNOTSUPP;
	expect_type(test, both, ARRAY_SIZE(both), NULL, &bare_type);
}

static void test_exporter_fails(struct kunit *test)
{
	struct mapping_ctx *ctx = test->priv;

	set_exp(ctx, &link_entry, 1);
	ctx->match_err = -ENODEV;
	expect_error(test, &link_entry, 1, NULL, -ENODEV);

	ctx->match_err = 0;
	ctx->attach_err = -EBUSY;
	expect_error(test, &link_entry, 1, NULL, -EBUSY);

	ctx->attach_err = 0;
	expect_type(test, &link_entry, 1, NULL, &link_type);
}

static void test_requires_revoke(struct kunit *test)
{
	const struct dma_buf_mapping_match both[] = { revocable_entry,
						      bare_entry };
	struct mapping_ctx *ctx = test->priv;

	set_exp(ctx, &revocable_entry, 1);
	expect_type(test, &revocable_entry, 1, NULL, NULL);
	expect_type(test, &revocable_entry, 1, &plain_importer, NULL);
	expect_type(test, &revocable_entry, 1, &revocable_importer,
		    &revocable_type);

	/* Passed over, and not the end */
	set_exp(ctx, both, ARRAY_SIZE(both));
	expect_type(test, both, 2, &plain_importer, &bare_type);
	expect_type(test, both, 2, &revocable_importer, &revocable_type);
}

static void test_p2p_refused(struct kunit *test)
{
	struct mapping_ctx *ctx = test->priv;
	struct dma_buf_mapping_match exp[2];
	struct dma_buf_mapping_match imp;
	struct pci_dev *nobody;

	/* The search for a path ends before it looks at the exporter's device */
	nobody = kunit_kzalloc(test, sizeof(*nobody), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, nobody);
	exp[0] = DMA_BUF_EMAPPING_SGT_P2P(&entry_ops, nobody);
	set_exp(ctx, exp, 1);

	/* The importer wants pages */
	imp = DMA_BUF_IMAPPING_SGT(ctx->dev, DMA_SGT_NO_P2P);
	expect_type(test, &imp, 1, &p2p_importer, NULL);

	/* It does not, but is no PCI device */
	imp = DMA_BUF_IMAPPING_SGT(ctx->dev, DMA_SGT_IMPORTER_ACCEPTS_P2P);
	expect_type(test, &imp, 1, &p2p_importer, NULL);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			PTR_ERR_OR_ZERO(dma_buf_dynamic_attach(ctx->dmabuf,
							       ctx->dev,
							       &p2p_importer,
							       NULL)));

	/* An exporter that cannot move its memory may not know the device */
	exp[0] = DMA_BUF_EMAPPING_SGT_P2P(&entry_ops, NULL);
	expect_type(test, &imp, 1, &p2p_importer, NULL);

	/* One that can move it offers that in second place */
	exp[1] = DMA_BUF_EMAPPING_SGT(&entry_ops);
	set_exp(ctx, exp, 2);
	expect_type(test, &imp, 1, &p2p_importer, &dma_buf_mapping_sgt_type);
	KUNIT_EXPECT_TRUE(test, ctx->attach_p2p);
}

static void test_p2p_match(struct kunit *test)
{
	struct mapping_ctx *ctx = test->priv;
	struct dma_buf_mapping_match exp, imp;
	struct dma_buf_attachment *attach;
	struct pci_dev *pdev;

	if (!IS_ENABLED(CONFIG_PCI_P2PDMA))
		kunit_skip(test, "needs CONFIG_PCI_P2PDMA");
	pdev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, NULL);
	if (!pdev)
		kunit_skip(test, "needs a PCI device");

	/* No switch and no host bridge is in the way to oneself */
	exp = DMA_BUF_EMAPPING_SGT_P2P(&entry_ops, pdev);
	imp = DMA_BUF_IMAPPING_SGT(&pdev->dev, DMA_SGT_IMPORTER_ACCEPTS_P2P);
	set_exp(ctx, &exp, 1);
	attach = dma_buf_mapping_attach(ctx->dmabuf, &imp, 1, NULL, NULL);
	if (IS_ERR(attach)) {
		KUNIT_FAIL(test, "attaching failed: %pe", attach);
		goto out_put;
	}
	KUNIT_EXPECT_TRUE(test, dma_buf_sgt_p2p_allowed(attach));
	KUNIT_EXPECT_PTR_EQ(test, &pdev->dev, dma_buf_sgt_dma_device(attach));
	KUNIT_EXPECT_PTR_EQ(test, &pdev->dev, attach->dev);
	KUNIT_EXPECT_TRUE(test, ctx->attach_p2p);
	dma_buf_detach(ctx->dmabuf, attach);

	imp.sgt_data.importer_accepts_p2p = DMA_SGT_NO_P2P;
	expect_type(test, &imp, 1, NULL, NULL);
out_put:
	pci_dev_put(pdev);
}

/* Exporters of old look at the flag in their attach callback and decide there */
static void test_peer2peer_flag(struct kunit *test)
{
	struct mapping_ctx *ctx = test->priv;
	struct dma_buf_mapping_match imp;
	struct dma_buf_attachment *attach;

	make_legacy(ctx);
	attach = dma_buf_attach(ctx->dmabuf, ctx->dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_FALSE(test, ctx->attach_p2p);
	dma_buf_detach(ctx->dmabuf, attach);

	attach = dma_buf_dynamic_attach(ctx->dmabuf, ctx->dev, &p2p_importer,
					NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_TRUE(test, ctx->attach_p2p);
	/* Whatever they say to it, that is not a P2P entry of the exporter */
	KUNIT_EXPECT_FALSE(test, dma_buf_sgt_p2p_allowed(attach));
	dma_buf_detach(ctx->dmabuf, attach);

	attach = dma_buf_dynamic_attach(ctx->dmabuf, ctx->dev,
					&plain_importer, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_FALSE(test, ctx->attach_p2p);
	dma_buf_detach(ctx->dmabuf, attach);

	/* The entry says it here, and not the importer's ops */
	imp = DMA_BUF_IMAPPING_SGT(ctx->dev, DMA_SGT_IMPORTER_ACCEPTS_P2P);
	expect_type(test, &imp, 1, &plain_importer, &dma_buf_mapping_sgt_type);
	KUNIT_EXPECT_TRUE(test, ctx->attach_p2p);
	imp = DMA_BUF_IMAPPING_SGT(ctx->dev, DMA_SGT_NO_P2P);
	expect_type(test, &imp, 1, &p2p_importer, &dma_buf_mapping_sgt_type);
	KUNIT_EXPECT_FALSE(test, ctx->attach_p2p);
}

/* Types of several attachments of one buffer do not mix */
static void test_several_attachments(struct kunit *test)
{
	struct mapping_ctx *ctx = test->priv;
	const struct dma_buf_mapping_match exp[] = {
		link_entry,
		DMA_BUF_EMAPPING_SGT(&entry_ops),
	};
	struct dma_buf_attachment *link;

	set_exp(ctx, exp, ARRAY_SIZE(exp));
	link = dma_buf_mapping_attach(ctx->dmabuf, &link_entry, 1, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, link);
	expect_map_via(test, dma_buf_attach(ctx->dmabuf, ctx->dev),
		       entry_via);
	KUNIT_EXPECT_PTR_EQ(test, &link_type, link->map_type.type);
	KUNIT_EXPECT_FALSE(test, list_empty(&ctx->dmabuf->attachments));
	dma_buf_detach(ctx->dmabuf, link);
}

static struct kunit_case mapping_cases[] = {
	KUNIT_CASE(test_exporter_order),
	KUNIT_CASE(test_importer_order),
	KUNIT_CASE(test_no_match),
	KUNIT_CASE(test_private_type),
	KUNIT_CASE(test_legacy_exporter),
	KUNIT_CASE(test_priority),
	KUNIT_CASE(test_match_callback_aborts),
	KUNIT_CASE(test_exporter_fails),
	KUNIT_CASE(test_requires_revoke),
	KUNIT_CASE(test_p2p_refused),
	KUNIT_CASE(test_p2p_match),
	KUNIT_CASE(test_peer2peer_flag),
	KUNIT_CASE(test_several_attachments),
	{}
};

static struct kunit_suite dma_buf_mapping_suite = {
	.name = "dma-buf-mapping",
	.init = mapping_init,
	.exit = mapping_exit,
	.test_cases = mapping_cases,
};

kunit_test_suite(dma_buf_mapping_suite);
