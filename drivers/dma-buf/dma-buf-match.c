// SPDX-License-Identifier: GPL-2.0-only
/*
 * Negotiation of the mapping type of a dma-buf attachment
 */
#include <linux/dma-buf-mapping.h>

/**
 * DOC: mapping types
 *
 * A scatterlist of DMA addresses is not the only thing that an importer may
 * want of a buffer. An importer that owns page tables, like iommufd or KVM, has
 * no single &struct device for which an address could be mapped and has to know
 * where the memory is; two devices of one vendor may share a link that has
 * addresses of its own. A &struct dma_buf_mapping_type stands for each such way
 * of mapping.
 *
 * Both sides list the types that they can work with. An importer gives its list
 * to dma_buf_mapping_attach(); an exporter gives its own to
 * dma_buf_match_mapping() from its &dma_buf_ops.match_mapping callback. The core
 * selects one, once, while the attachment is made::
 *
 *	struct dma_buf_mapping_match imp[] = {
 *		DMA_BUF_IMAPPING_SGT(dev, DMA_SGT_IMPORTER_ACCEPTS_P2P),
 *	};
 *
 *	attach = dma_buf_mapping_attach(dmabuf, imp, ARRAY_SIZE(imp),
 *					&importer_ops, priv);
 *
 * The order of the exporter's list decides: the exporter knows which way of
 * reaching its memory costs least, or is the only one that does not make it
 * move. The order of the importer's list decides only between several of its
 * entries of the same type. If no pair goes together attaching fails with
 * -EOPNOTSUPP and the buffer is left as it was.
 *
 * Drivers that never heard of mapping types keep working on both sides. An
 * importer that calls dma_buf_attach() or dma_buf_dynamic_attach() offers one
 * entry of the scatterlist type, and an exporter with no match_mapping callback
 * answers with one entry that leads to its map_dma_buf and unmap_dma_buf.
 */

static int dma_buf_match_pair(struct dma_buf_match_args *args,
			      const struct dma_buf_mapping_match *exp,
			      const struct dma_buf_mapping_match *imp)
{
	const struct dma_buf_mapping_type *type = exp->type;
	int ret;

	if (imp->type != type)
		return -EOPNOTSUPP;

	if (type->requires_revoke && !dma_buf_attach_revocable(args->attach))
		return -EOPNOTSUPP;

	if (type->match) {
		ret = type->match(args->dmabuf, exp, imp);
		if (ret)
			return ret;
	}

	args->attach->map_type = *exp;
	if (type->finish_match)
		type->finish_match(args, exp, imp);
	return 0;
}

/**
 * dma_buf_match_mapping - select the mapping type of an attachment
 * @args: what the exporter's match_mapping callback was called with
 * @exp_matches: entries of the exporter, its preferred one first
 * @exp_len: number of entries in @exp_matches
 *
 * Looks for the first of @exp_matches that goes together with any entry of the
 * importer and records it in the attachment. @exp_matches is copied from and
 * may live on the stack; the operations that it points to must stay valid while
 * the buffer exists.
 *
 * Context: Any context that the types' match callbacks allow; called without
 * the dma_resv lock.
 *
 * Return: 0 on success, -EOPNOTSUPP if no pair goes together, or the error of a
 * match callback that ended the search.
 */
int dma_buf_match_mapping(struct dma_buf_match_args *args,
			  const struct dma_buf_mapping_match *exp_matches,
			  size_t exp_len)
{
	size_t e, i;
	int ret;

	for (e = 0; e < exp_len; e++) {
		for (i = 0; i < args->imp_len; i++) {
			ret = dma_buf_match_pair(args, &exp_matches[e],
						 &args->imp_matches[i]);
			if (ret != -EOPNOTSUPP)
				return ret;
		}
	}
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_match_mapping, "DMA_BUF");
