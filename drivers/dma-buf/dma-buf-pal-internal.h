/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMA_BUF_PAL_INTERNAL_H
#define _DMA_BUF_PAL_INTERNAL_H

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/kconfig.h>
#include <linux/lockdep.h>

/*
 * The one place that says which modules may reach physical addresses, or have
 * the core work on them.
 */
#if IS_ENABLED(CONFIG_DMABUF_PAL_ALLOW_RAM)
#define PAL_IMPORTERS "iommufd,kvm,dma-buf-pal-test,dmabuf_kunit,xe"
#else
#define PAL_IMPORTERS "iommufd,kvm"
#endif

/*
 * A list that the core keeps stays as it is while the importer's lock is held,
 * because the importer's invalidate_mappings takes that lock. The dma_resv lock
 * does as well, since lists come and go only under it.
 */
static inline void dma_buf_pal_assert_held(struct dma_buf_attachment *attach)
{
#ifdef CONFIG_LOCKDEP
	if (attach->pal.lock_dep_map && debug_locks)
		WARN_ON(!lock_is_held(attach->pal.lock_dep_map) &&
			!lockdep_is_held(&attach->dmabuf->resv->lock.base));
	else
		dma_resv_assert_held(attach->dmabuf->resv);
#endif
}

#endif
