// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access to scatterlist mappings that importers keep: coherency and brackets
 */
#include <linux/dma-buf-mapping.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/kernel.h>
#include <trace/events/dma_buf.h>

#include "dma-buf-sgt-internal.h"

/**
 * DOC: coherency and access brackets
 *
 * A device that is not DMA coherent, and any device whose DMA goes through
 * swiotlb, does not see what the CPU writes, nor the CPU what it writes, until
 * somebody calls the DMA API. Exporters do that when they map and unmap. An
 * importer that maps once and transfers often gets nothing of it, and cannot do
 * it by itself, since the pages behind the scatterlist are the exporter's.
 *
 * Importer and exporter therefore agree on coherency when the attachment is
 * made. The importer says in its match entry what it needs, see
 * DMA_BUF_IMAPPING_SGT_COHERENCY(), and the exporter what it promises, see
 * DMA_BUF_EMAPPING_SGT_COHERENCY():
 *
 * ======================= ======= ================ ==============
 * promise of the exporter ANY     REQUIRE_COHERENT CACHES_MAPPING
 * ======================= ======= ================ ==============
 * NONE                    matches -EOPNOTSUPP      -EOPNOTSUPP
 * COHERENT_IF_DEV         matches if coherent      if coherent
 * HAS_ACCESS_OPS          matches -EOPNOTSUPP      matches
 * the last two            matches if coherent      matches
 * ======================= ======= ================ ==============
 *
 * -EOPNOTSUPP goes on to the importer's next entry, so one that worked before
 * puts an entry that needs nothing behind, and keeps working with all exporters.
 * "If coherent" is about the device, see dma_buf_sgt_dev_coherent(). Whether some
 * of the memory is bounced nevertheless shows when it is mapped: then mapping
 * fails with -EOPNOTSUPP where the importer would have no way to deal with it.
 * The KUnit suite dma-buf-access tests each field of the table, and
 * dmabuf_access_test of the selftests in drivers/dma-buf has a device with and
 * without swiotlb.
 *
 * An importer that has agreed on %DMA_SGT_CACHES_MAPPING brackets each transfer::
 *
 *	sgt = dma_buf_map_attachment(attach, dir);
 *	...
 *	dma_buf_begin_access(attach, sgt, dir);
 *	(the device reads and writes)
 *	dma_buf_end_access(attach, sgt, dir);
 *	(the transfer's fence is signalled)
 *
 * The contract is:
 *
 * 1. A new mapping is outside of a bracket. Between begin and end the memory
 *    belongs to the device of the attachment. Between end and the next begin it
 *    may be used by the CPU, by way of dma_buf_begin_cpu_access() as ever, or by
 *    another device in a bracket of its own. Unmapping is outside of a bracket,
 *    and neither mapping nor unmapping synchronises anything: there may be newer
 *    data in the memory than what the device knows.
 * 2. Brackets that are all %DMA_TO_DEVICE may overlap, others may not, of one
 *    attachment or of several: begin could replace what a device has just
 *    written. The fences of the transfers see to that by themselves.
 * 3. The direction is that of the mapping, or if that is %DMA_BIDIRECTIONAL any.
 *    What a bracket with %DMA_FROM_DEVICE covers counts as written by the device
 *    from the first to the last byte. A transfer that may be shorter has to map
 *    and bracket with %DMA_BIDIRECTIONAL, or old data may come back.
 * 4. Begin comes after the fences that the transfer waits for, and end before
 *    its own fence is signalled. Who waits for that fence finds the data.
 * 5. Both may be called in any context, hard interrupts included, and inside of
 *    a fence signalling critical section. Exporters' callbacks therefore never
 *    sleep, allocate or take the dma_resv lock, which they must not rely on
 *    being held either.
 *
 * Where the attachment has agreed on something else, or the mapping needs no
 * synchronisation, both calls do nothing, so that the importer need not know.
 * An exporter that leaves the callbacks out has its importers follow the rules
 * that they followed without brackets.
 *
 * That begin and end move the data is shown under swiotlb, where
 * dmabuf_access_test also leaves the bracket out and looks for the loss. Emulators
 * have no caches: that stale cache lines are dealt with rests on
 * dma_sync_sgtable_for_device() and dma_sync_sgtable_for_cpu() being called, which
 * the tracepoints dma_buf_begin_access and dma_buf_end_access show.
 */

static bool dma_buf_sgt_needs_sync(struct device *dev, struct sg_table *sgt)
{
	struct scatterlist *sg;
	int i;

	if (!dma_dev_need_sync(dev))
		return false;
	for_each_sgtable_dma_sg(sgt, sg, i)
		if (dma_need_sync(dev, sg_dma_address(sg)))
			return true;
	return false;
}

/* NULL for an exporter that cannot, or promises what it does not have */
static const struct dma_buf_mapping_sgt_exp_ops *
dma_buf_sgt_access_ops(struct dma_buf_attachment *attach)
{
	const struct dma_buf_mapping_sgt_exp_ops *ops;

	if (!(attach->map_type.sgt_data.exporter_coherency &
	      DMA_SGT_HAS_ACCESS_OPS))
		return NULL;
	ops = dma_buf_get_sgt_ops(attach);
	return ops->begin_access || ops->end_access ? ops : NULL;
}

/* Called with the dma_resv lock held for what the exporter has just mapped */
int dma_buf_sgt_check_mapping(struct dma_buf_attachment *attach,
			      struct sg_table *sgt)
{
	struct device *dev = dma_buf_sgt_dma_device(attach);

	dma_resv_assert_held(attach->dmabuf->resv);

	switch (attach->map_type.sgt_data.importer_coherency) {
	case DMA_SGT_COHERENCY_ANY:
		return 0;
	case DMA_SGT_CACHES_MAPPING:
		if (dma_buf_sgt_access_ops(attach))
			return 0;
		break;
	case DMA_SGT_REQUIRE_COHERENT:
		break;
	}

	/*
	 * The flag of the device goes first: it is set until something of the
	 * device is bounced, while CONFIG_DMA_API_DEBUG has the calls below ask
	 * for all syncs that could matter on any machine.
	 */
	if (IS_ENABLED(CONFIG_DMA_NEED_SYNC) && !dev_dma_skip_sync(dev) &&
	    dma_buf_sgt_needs_sync(dev, sgt))
		return -EOPNOTSUPP;
	return 0;
}

static int dma_buf_access(struct dma_buf_attachment *attach,
			  struct sg_table *sgt, enum dma_data_direction dir,
			  int (*access)(struct dma_buf_attachment *attach,
					struct sg_table *sgt,
					enum dma_data_direction dir))
{
	bool cookie;
	int ret;

	/* What holds here holds on all machines: see that no exporter breaks it */
	cookie = dma_fence_begin_signalling();
	non_block_start();
	ret = access(attach, dma_buf_original_sg_table(sgt), dir);
	non_block_end();
	dma_fence_end_signalling(cookie);
	return ret;
}

/* Returns what the exporter has to do, NULL if there is nothing to do */
static const struct dma_buf_mapping_sgt_exp_ops *
dma_buf_access_ops(struct dma_buf_attachment *attach, struct sg_table *sgt)
{
	if (!dma_buf_sgt_caches_mapping(attach) ||
	    !dma_buf_sgt_needs_sync(dma_buf_sgt_dma_device(attach), sgt))
		return NULL;
	return dma_buf_sgt_access_ops(attach);
}

/**
 * dma_buf_begin_access - let the device have what is in the memory
 * @attach: attachment of the SGT type
 * @sgt: what dma_buf_map_attachment() returned for it
 * @dir: what the device will do, see the contract above
 *
 * To be called before the device is told to access the memory of a mapping that
 * the importer keeps. Calls
 * &dma_buf_mapping_sgt_exp_ops.begin_access if the two sides agreed on
 * %DMA_SGT_CACHES_MAPPING and the mapping needs it, and does nothing otherwise.
 *
 * Context: Any context. The caller sees to it that @sgt stays mapped; the
 * dma_resv lock may be held and need not be.
 *
 * Return: 0 if the device may begin, -EINVAL for an attachment of another type
 * or a direction that is none, or the error of the exporter. After an error
 * there is no bracket and the device must not access the memory.
 */
int dma_buf_begin_access(struct dma_buf_attachment *attach,
			 struct sg_table *sgt, enum dma_data_direction dir)
{
	const struct dma_buf_mapping_sgt_exp_ops *ops;
	int ret = 0;

	if (!dma_buf_get_sgt_ops(attach) || !valid_dma_direction(dir))
		return -EINVAL;

	ops = dma_buf_access_ops(attach, sgt);
	if (ops && ops->begin_access)
		ret = dma_buf_access(attach, sgt, dir, ops->begin_access);
	trace_dma_buf_begin_access(attach->dmabuf, attach, dir,
				   ops && ops->begin_access, ret);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_begin_access, "DMA_BUF");

/**
 * dma_buf_end_access - let everybody have what the device has written
 * @attach: attachment of the SGT type
 * @sgt: what dma_buf_map_attachment() returned for it
 * @dir: as it was for dma_buf_begin_access()
 *
 * To be called when the device has ended the accesses for which there was a
 * dma_buf_begin_access(), before the fence of the transfer is signalled. Calls
 * &dma_buf_mapping_sgt_exp_ops.end_access under the same conditions.
 *
 * Context: Any context. The caller sees to it that @sgt stays mapped; the
 * dma_resv lock may be held and need not be.
 *
 * Return: 0, -EINVAL for an attachment of another type or a direction that is
 * none, or the error of the exporter. The bracket has ended in any case; after
 * an error the contents of what the device wrote are undefined.
 */
int dma_buf_end_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	const struct dma_buf_mapping_sgt_exp_ops *ops;
	int ret = 0;

	if (!dma_buf_get_sgt_ops(attach) || !valid_dma_direction(dir))
		return -EINVAL;

	ops = dma_buf_access_ops(attach, sgt);
	if (ops && ops->end_access)
		ret = dma_buf_access(attach, sgt, dir, ops->end_access);
	trace_dma_buf_end_access(attach->dmabuf, attach, dir,
				 ops && ops->end_access, ret);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_end_access, "DMA_BUF");

/**
 * dma_buf_all_coherent - do all devices see the memory coherently
 * @dmabuf: the buffer
 *
 * For an importer that has to know whether data can be shared with all the
 * others with no synchronisation, now. It says nothing of who attaches later,
 * nor of the memory, which is why the importer itself attaches with
 * %DMA_SGT_REQUIRE_COHERENT.
 *
 * Context: Called with the dma_resv lock of @dmabuf held.
 *
 * Return: true if dma_buf_sgt_dev_coherent() is true for the device of each
 * attachment, so also if there is no attachment. Importers that have no device,
 * like those of the PAL type, make it false.
 */
bool dma_buf_all_coherent(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	dma_resv_assert_held(dmabuf->resv);

	list_for_each_entry(attach, &dmabuf->attachments, node)
		if (!dma_buf_sgt_dev_coherent(dma_buf_sgt_dma_device(attach)))
			return false;
	return true;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_all_coherent, "DMA_BUF");
