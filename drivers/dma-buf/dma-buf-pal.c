// SPDX-License-Identifier: GPL-2.0-only
/*
 * The physical address list (PAL) mapping type of dma-buf
 */
#include <linux/dma-buf-mapping.h>
#include <linux/dma-resv.h>
#include <linux/ioport.h>
#include <linux/overflow.h>
#include <linux/panic.h>
#include <linux/seq_file.h>
#include <trace/events/dma_buf.h>

#include "dma-buf-pal-internal.h"
#include "dma-buf-trace.h"

/**
 * DOC: physical address lists
 *
 * The PAL type is for importers that own page tables and are no DMA device:
 * iommufd fills IOMMU domains, KVM stage-2 tables. They have no struct device
 * for which a DMA address could be made, more page tables may come later, and
 * what goes into them is a physical address by definition.
 *
 * A physical address is authority over memory with nothing in between, so the
 * type is hedged about on all sides, and by this file and not by the goodwill of
 * drivers:
 *
 * - The exporter's callbacks run under the dma_resv lock of the buffer.
 * - Only importers that can be revoked match. After
 *   dma_buf_invalidate_mappings() there are no list, no page table entry and no
 *   cached translation left; that is checked each time.
 * - No address becomes visible before the %DMA_RESV_USAGE_KERNEL fences have
 *   signaled: memory that is still being cleared or moved holds someone else's
 *   data.
 * - Every range is inside the window of the exporter's device and outside of
 *   system RAM, is page aligned, and all of them add up to the buffer.
 * - Importers are limited by name, through the list of modules to which
 *   dma_buf_pal_map_phys() is exported. Any exporter may offer the type.
 *
 * Importers need not see the addresses at all. dma_buf_pal_acquire() has the
 * core keep the list, and dma_buf_pal_iommu_map() for example puts a slice of the
 * buffer into an iommu_domain.
 */

static int pal_check_ram(phys_addr_t start, resource_size_t size)
{
	if (region_intersects(start, size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return -EPERM;
	return 0;
}

static int dma_buf_pal_match(struct dma_buf *dmabuf,
			     const struct dma_buf_mapping_match *exp,
			     const struct dma_buf_mapping_match *imp)
{
	phys_addr_t last;

	if (exp->pal_data.allow_ram)
		return IS_ENABLED(CONFIG_DMABUF_PAL_ALLOW_RAM) ? 0 : -EPERM;

	if (!exp->pal_data.window_size)
		return 0;

	if (check_add_overflow(exp->pal_data.window_start,
			       exp->pal_data.window_size - 1, &last))
		return -EOVERFLOW;
	return pal_check_ram(exp->pal_data.window_start,
			     exp->pal_data.window_size);
}

static void dma_buf_pal_finish_match(struct dma_buf_match_args *args,
				     const struct dma_buf_mapping_match *exp,
				     const struct dma_buf_mapping_match *imp)
{
	/* Handing RAM to page tables that nobody audits is for tests only */
	if (exp->pal_data.allow_ram)
		add_taint(TAINT_TEST, LOCKDEP_STILL_OK);
}

static void dma_buf_pal_debugfs_dump(struct seq_file *s,
				     struct dma_buf_attachment *attach)
{
	if (!attach->pal.nr_maps) {
		seq_puts(s, " unmapped");
		return;
	}
	seq_printf(s, " ranges=%zu bytes=%zu", attach->pal.nr_ranges,
		   attach->dmabuf->size);
}

/*
 * No DMA API and no struct device: the importer gets at the memory's physical
 * addresses, or has the core put them into its page table.
 */
const struct dma_buf_mapping_type dma_buf_mapping_pal_type = {
	.name = "PAL",
	.requires_revoke = true,
	.match = dma_buf_pal_match,
	.finish_match = dma_buf_pal_finish_match,
	.debugfs_dump = dma_buf_pal_debugfs_dump,
};
EXPORT_SYMBOL_NS_GPL(dma_buf_mapping_pal_type, "DMA_BUF");

static const struct dma_buf_mapping_pal_exp_ops *
to_pal_ops(struct dma_buf_attachment *attach)
{
	return container_of(attach->map_type.exp_ops,
			    struct dma_buf_mapping_pal_exp_ops, ops);
}

static int pal_check_range(const struct dma_buf_mapping_match *exp,
			   const struct phys_vec *vec)
{
	phys_addr_t first = exp->pal_data.window_start;
	phys_addr_t last;

	if (!vec->len || !PAGE_ALIGNED(vec->paddr) || !PAGE_ALIGNED(vec->len))
		return -EINVAL;

	if (check_add_overflow(vec->paddr, vec->len - 1, &last))
		return -EOVERFLOW;

	if (exp->pal_data.window_size &&
	    (vec->paddr < first ||
	     last > first + (exp->pal_data.window_size - 1)))
		return -ERANGE;

	/* The window was checked as a whole when the attachment was made */
	if (exp->pal_data.window_size || exp->pal_data.allow_ram)
		return 0;
	return pal_check_ram(vec->paddr, vec->len);
}

static int pal_check_list(struct dma_buf_attachment *attach,
			  const struct dma_buf_phys_list *phys)
{
	size_t total = 0;
	size_t i;
	int ret;

	if (!phys->length)
		return -EINVAL;

	for (i = 0; i < phys->length; i++) {
		ret = pal_check_range(&attach->map_type, &phys->phys[i]);
		if (ret)
			return ret;
		if (check_add_overflow(total, phys->phys[i].len, &total))
			return -EOVERFLOW;
	}
	return total == attach->dmabuf->size ? 0 : -EINVAL;
}

/* Longer ranges allow larger page table entries */
static void pal_coalesce(struct dma_buf_phys_list *phys)
{
	size_t out = 0;
	size_t i;

	for (i = 1; i < phys->length; i++) {
		struct phys_vec *prev = &phys->phys[out];

		if (prev->paddr + prev->len == phys->phys[i].paddr)
			prev->len += phys->phys[i].len;
		else if (++out != i)
			phys->phys[out] = phys->phys[i];
	}
	phys->length = out + 1;
}

/**
 * dma_buf_pal_map_phys - learn where the memory of a buffer is
 * @attach: attachment of the PAL type
 *
 * The list is valid until dma_buf_pal_unmap_phys(), and the importer must call
 * that from its &dma_buf_attach_ops.invalidate_mappings at the latest. It is
 * for page tables that the importer owns; the memory must not be dereferenced,
 * has no struct pages, and must not be exported again.
 *
 * The symbol is available only to the importers that were agreed on. They
 * should prefer dma_buf_pal_acquire() and what works from it, which keep the list
 * inside the core.
 *
 * Context: Process context, with the dma_resv lock held. Waits for the
 * %DMA_RESV_USAGE_KERNEL fences of the buffer.
 *
 * Return: the list or an ERR_PTR. -EINVAL, -EOVERFLOW, -ERANGE (outside of the
 * declared window) and -EPERM (system RAM) mean that the exporter made a list
 * which is not acceptable, -ERESTARTSYS that a signal came while waiting, others
 * come from the exporter's map_phys callback.
 */
struct dma_buf_phys_list *
dma_buf_pal_map_phys(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	struct dma_buf_phys_list *phys;
	long ret;

	might_sleep();
	dma_resv_assert_held(dmabuf->resv);

	if (WARN_ON(attach->map_type.type != &dma_buf_mapping_pal_type))
		return ERR_PTR(-EINVAL);

	phys = to_pal_ops(attach)->map_phys(attach);
	if (IS_ERR(phys))
		return phys;

	ret = pal_check_list(attach, phys);
	if (ret) {
		pr_err_ratelimited("dma-buf: exporter %s made an address list that is refused: %pe\n",
				   dmabuf->exp_name, ERR_PTR(ret));
		goto err_unmap;
	}

	ret = dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_KERNEL, true,
				    MAX_SCHEDULE_TIMEOUT);
	if (ret < 0)
		goto err_unmap;

	pal_coalesce(phys);
	attach->pal.nr_maps++;
	attach->pal.nr_ranges = phys->length;
	DMA_BUF_TRACE(trace_dma_buf_map, dmabuf, attach,
		      attach->map_type.type->name, phys->length);
	return phys;

err_unmap:
	to_pal_ops(attach)->unmap_phys(attach, phys);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_FOR_MODULES(dma_buf_pal_map_phys, PAL_IMPORTERS);

/**
 * dma_buf_pal_unmap_phys - give an address list back
 * @attach: attachment of the PAL type
 * @phys: what dma_buf_pal_map_phys() returned
 *
 * No page table may contain an address of @phys any more, and no translation
 * may be cached.
 *
 * Context: Process context, with the dma_resv lock held.
 */
void dma_buf_pal_unmap_phys(struct dma_buf_attachment *attach,
			    struct dma_buf_phys_list *phys)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	dma_resv_assert_held(dmabuf->resv);

	if (WARN_ON(!attach->pal.nr_maps))
		return;

	DMA_BUF_TRACE(trace_dma_buf_unmap, dmabuf, attach,
		      attach->map_type.type->name, phys->length);
	attach->pal.nr_maps--;
	to_pal_ops(attach)->unmap_phys(attach, phys);
}
EXPORT_SYMBOL_FOR_MODULES(dma_buf_pal_unmap_phys, PAL_IMPORTERS);

/**
 * dma_buf_pal_acquire - have the core keep the address list of an attachment
 * @attach: attachment of the PAL type
 *
 * Afterwards the importer may have the core work on the list, under the lock that
 * it named with dma_buf_pal_set_lock(). The list must be released before the importer detaches
 * and, at the latest, in its &dma_buf_attach_ops.invalidate_mappings.
 *
 * Context: Process context, with the dma_resv lock held and, since exporters may
 * wait for anything that dma_resv allows, not the importer's lock.
 *
 * Return: 0, -EBUSY if the attachment has a list already, or the errors of
 * dma_buf_pal_map_phys().
 */
int dma_buf_pal_acquire(struct dma_buf_attachment *attach)
{
	struct dma_buf_phys_list *phys;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (attach->pal.phys)
		return -EBUSY;

	phys = dma_buf_pal_map_phys(attach);
	if (IS_ERR(phys))
		return PTR_ERR(phys);
	attach->pal.phys = phys;
	return 0;
}
EXPORT_SYMBOL_FOR_MODULES(dma_buf_pal_acquire, PAL_IMPORTERS);

/**
 * dma_buf_pal_release - drop the address list of an attachment
 * @attach: attachment of the PAL type for which dma_buf_pal_acquire() succeeded
 *
 * The importer must have taken the memory out of all of its page tables, and
 * must have seen to it that nobody begins to use the list, before it calls this.
 *
 * Context: Process context, with the dma_resv lock held.
 */
void dma_buf_pal_release(struct dma_buf_attachment *attach)
{
	struct dma_buf_phys_list *phys = attach->pal.phys;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (WARN_ON(!phys))
		return;
	attach->pal.phys = NULL;
	dma_buf_pal_unmap_phys(attach, phys);
}
EXPORT_SYMBOL_FOR_MODULES(dma_buf_pal_release, PAL_IMPORTERS);
