// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scatterlist mapping type of dma-buf: DMA addresses for one device
 */
#include <linux/dma-buf-mapping.h>
#include <linux/dma-map-ops.h>
#include <linux/iommu-dma.h>
#include <linux/pci-p2pdma.h>
#include <linux/seq_file.h>
#include <linux/swiotlb.h>

static struct sg_table *compat_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	return attach->dmabuf->ops->map_dma_buf(attach, dir);
}

static void compat_unmap(struct dma_buf_attachment *attach,
			 struct sg_table *sgt, enum dma_data_direction dir)
{
	attach->dmabuf->ops->unmap_dma_buf(attach, sgt, dir);
}

static const struct dma_buf_mapping_sgt_exp_ops dma_buf_sgt_compat_ops = {
	.map_dma_buf = compat_map,
	.unmap_dma_buf = compat_unmap,
};

/*
 * What an exporter offers that has nothing but map_dma_buf and unmap_dma_buf.
 * Such an exporter looks at peer2peer in its attach callback by itself.
 */
const struct dma_buf_mapping_match dma_buf_sgt_exp_compat_match = {
	.type = &dma_buf_mapping_sgt_type,
	.exp_ops = &dma_buf_sgt_compat_ops.ops,
};

/**
 * dma_buf_sgt_dev_coherent - does a device see cacheable memory coherently
 * @dev: device that does DMA, may be NULL
 *
 * The DMA API answers this for a mapping, dma_need_sync(), and only from the
 * first mapping on for a device: DMA that is bounced through swiotlb is not
 * coherent, whatever the bus does, and that shows when it happens. A device
 * whose DMA is always bounced is known before, and so is found here. One that
 * only bounces what it cannot address is not; the mapping has to be looked at.
 *
 * Context: Any context.
 *
 * Return: true if writes of the device and of the CPU to cacheable system memory
 * reach each other with no call of dma_sync_*(), unless the device cannot
 * address the memory.
 */
bool dma_buf_sgt_dev_coherent(struct device *dev)
{
	if (!dev || !dev_is_dma_coherent(dev))
		return false;
	/* Whole pages are not bounced there */
	if (use_dma_iommu(dev))
		return true;
	/* Ops with which syncing does nothing have this set */
	if (get_dma_ops(dev))
		return !IS_ENABLED(CONFIG_DMA_NEED_SYNC) ||
		       dev_dma_skip_sync(dev);
	return !is_swiotlb_force_bounce(dev);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_sgt_dev_coherent, "DMA_BUF");

static int dma_buf_sgt_match_coherency(const struct dma_buf_mapping_match *exp,
				       const struct dma_buf_mapping_match *imp)
{
	unsigned int promise = exp->sgt_data.exporter_coherency;

	switch (imp->sgt_data.importer_coherency) {
	case DMA_SGT_COHERENCY_ANY:
		return 0;
	case DMA_SGT_CACHES_MAPPING:
		if (promise & DMA_SGT_HAS_ACCESS_OPS)
			return 0;
		break;
	case DMA_SGT_REQUIRE_COHERENT:
		break;
	default:
		return -EINVAL;
	}

	if ((promise & DMA_SGT_COHERENT_IF_DEV) &&
	    dma_buf_sgt_dev_coherent(imp->sgt_data.importing_dma_device))
		return 0;
	return -EOPNOTSUPP;
}

static int dma_buf_sgt_match(struct dma_buf *dmabuf,
			     const struct dma_buf_mapping_match *exp,
			     const struct dma_buf_mapping_match *imp)
{
	int ret;

	ret = dma_buf_sgt_match_coherency(exp, imp);
	if (ret)
		return ret;

	if (exp->sgt_data.exporter_requires_p2p !=
	    DMA_SGT_EXPORTER_REQUIRES_P2P_DISTANCE)
		return 0;

	if (imp->sgt_data.importer_accepts_p2p != DMA_SGT_IMPORTER_ACCEPTS_P2P)
		return -EOPNOTSUPP;

	if (!exp->sgt_data.exporting_p2p_device ||
	    pci_p2pdma_distance(exp->sgt_data.exporting_p2p_device,
				imp->sgt_data.importing_dma_device, false) < 0)
		return -EOPNOTSUPP;
	return 0;
}

static void dma_buf_sgt_finish_match(struct dma_buf_match_args *args,
				     const struct dma_buf_mapping_match *exp,
				     const struct dma_buf_mapping_match *imp)
{
	struct dma_buf_attachment *attach = args->attach;
	struct dma_buf_mapping_match *res = &attach->map_type;

	res->sgt_data.importing_dma_device = imp->sgt_data.importing_dma_device;
	res->sgt_data.importer_accepts_p2p = imp->sgt_data.importer_accepts_p2p;
	res->sgt_data.importer_coherency = imp->sgt_data.importer_coherency;

	/* What exporters have been looking at since before mapping types */
	attach->dev = imp->sgt_data.importing_dma_device;
	attach->peer2peer = imp->sgt_data.importer_accepts_p2p ==
			    DMA_SGT_IMPORTER_ACCEPTS_P2P;
}

static void dma_buf_sgt_debugfs_dump(struct seq_file *s,
				     struct dma_buf_attachment *attach)
{
	static const char * const coherency[] = {
		[DMA_SGT_COHERENCY_ANY] = "any",
		[DMA_SGT_REQUIRE_COHERENT] = "required",
		[DMA_SGT_CACHES_MAPPING] = "brackets",
	};

	/* No other value matches */
	seq_printf(s, " peer2peer=%d coherency=%s", attach->peer2peer,
		   coherency[attach->map_type.sgt_data.importer_coherency]);
}

/*
 * The exporter maps the memory with the DMA API for
 * &dma_buf_attachment.dev. Importers use dma_buf_map_attachment() and
 * dma_buf_unmap_attachment().
 */
const struct dma_buf_mapping_type dma_buf_mapping_sgt_type = {
	.name = "SGT",
	.match = dma_buf_sgt_match,
	.finish_match = dma_buf_sgt_finish_match,
	.debugfs_dump = dma_buf_sgt_debugfs_dump,
};
EXPORT_SYMBOL_NS_GPL(dma_buf_mapping_sgt_type, "DMA_BUF");
