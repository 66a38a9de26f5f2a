// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scatterlist mapping type of dma-buf: DMA addresses for one device
 */
#include <linux/dma-buf-mapping.h>
#include <linux/pci-p2pdma.h>
#include <linux/seq_file.h>

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

static int dma_buf_sgt_match(struct dma_buf *dmabuf,
			     const struct dma_buf_mapping_match *exp,
			     const struct dma_buf_mapping_match *imp)
{
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
	seq_printf(s, " peer2peer=%d", attach->peer2peer);
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
