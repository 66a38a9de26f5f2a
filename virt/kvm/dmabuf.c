// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory that is the memory of a device, by way of a dma-buf
 */
#include <linux/bitops.h>
#include <linux/dma-buf-mapping.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/slab.h>

#include "dmabuf.h"
#include "kvm_mm.h"

/**
 * DOC: dma-buf memslots
 *
 * A KVM_MEM_DMABUF memslot is backed by a range of a dma-buf, of which KVM is an
 * importer of the physical address list (PAL) mapping type. There is no mapping
 * in the VMM's address space, no struct page and no hva: what KVM does by hva
 * fails for such a slot, or goes to user space as KVM_EXIT_MMIO where that is
 * possible.
 *
 * The buffer is not pinned. KVM learns of its place at the first fault, under the
 * dma_resv lock, and maps with the largest page size that place, slot and guest
 * physical address allow. When the exporter moves or revokes the buffer it calls
 * kvm_dmabuf_invalidate(), which has removed every SPTE and flushed every TLB
 * when it returns. The next fault asks for the new place.
 *
 * The lock order is::
 *
 *	kvm->slots_lock -> dma_resv lock -> kvm->mmu_lock
 *	                   dma_resv lock -> kvm_dmabuf::lock
 *
 * A fault resolves a page under kvm_dmabuf::lock and installs it under mmu_lock.
 * That nothing happened in between is what mmu_invalidate_seq is for, as it is
 * for the MMU notifier.
 */

/**
 * struct kvm_dmabuf - what a dma-buf memslot is backed by
 * @kvm: the VM
 * @slot: the memslot, which is immutable
 * @dmabuf: the buffer, on which this has a reference
 * @attach: attachment of the PAL type
 * @offset: where the slot begins in the buffer, in bytes
 * @lock: held for writing to change @index; readers may resolve pages
 * @index: not NULL while the core keeps a list; changed with the dma_resv lock
 *	held as well
 */
struct kvm_dmabuf {
	struct kvm *kvm;
	struct kvm_memory_slot *slot;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	size_t offset;
	rwlock_t lock;
	struct dma_buf_pal_index *index;
};

/* Page tables have no larger entries */
#define KVM_DMABUF_MAX_ORDER (PUD_SHIFT - PAGE_SHIFT)

/* Nobody resolves pages any more when this returns; SPTEs may be left */
static struct dma_buf_pal_index *kvm_dmabuf_close(struct kvm_dmabuf *kdb)
{
	struct dma_buf_pal_index *index = kdb->index;

	dma_resv_assert_held(kdb->dmabuf->resv);
	write_lock(&kdb->lock);
	kdb->index = NULL;
	write_unlock(&kdb->lock);
	return index;
}

static void kvm_dmabuf_zap(struct kvm_dmabuf *kdb)
{
	struct kvm_memory_slot *slot = kdb->slot;
	struct kvm *kvm = kdb->kvm;
	struct kvm_gfn_range range = {
		.slot = slot,
		.start = slot->base_gfn,
		.end = slot->base_gfn + slot->npages,
		.may_block = true,
		.attr_filter = KVM_FILTER_SHARED,
	};

	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_start(kvm);
	if (kvm_mmu_unmap_gfn_range(kvm, &range))
		kvm_flush_remote_tlbs(kvm);
	kvm_mmu_invalidate_end(kvm);
	KVM_MMU_UNLOCK(kvm);
}

static void kvm_dmabuf_invalidate(struct dma_buf_attachment *attach)
{
	struct kvm_dmabuf *kdb = attach->importer_priv;
	struct dma_buf_pal_index *index;

	index = kvm_dmabuf_close(kdb);
	if (!index)
		return;

	/*
	 * A fault that has resolved a page already finds out under mmu_lock: the
	 * sequence is bumped in the critical section that zaps.
	 */
	kvm_dmabuf_zap(kdb);
	dma_buf_pal_release(attach);
	dma_buf_pal_index_free(index);
}

static const struct dma_buf_attach_ops kvm_dmabuf_attach_ops = {
	.invalidate_mappings = kvm_dmabuf_invalidate,
};

/* Has the core get the list, so that pages can be resolved */
static int kvm_dmabuf_open(struct kvm_dmabuf *kdb)
{
	struct dma_buf_pal_index *index;
	int r;

	r = dma_resv_lock_interruptible(kdb->dmabuf->resv, NULL);
	if (r)
		return r;

	/* Another vCPU may have been faster */
	if (kdb->index)
		goto out_unlock;

	r = dma_buf_pal_acquire(kdb->attach);
	if (r)
		goto out_unlock;

	index = dma_buf_pal_index_alloc(kdb->attach);
	if (!index) {
		dma_buf_pal_release(kdb->attach);
		r = -ENOMEM;
		goto out_unlock;
	}

	write_lock(&kdb->lock);
	kdb->index = index;
	write_unlock(&kdb->lock);
out_unlock:
	dma_resv_unlock(kdb->dmabuf->resv);
	return r;
}

static int kvm_dmabuf_resolve(struct kvm_dmabuf *kdb, gfn_t gfn,
			      kvm_pfn_t *pfn, int *max_order)
{
	size_t offset = kdb->offset + gfn_to_gpa(gfn - kdb->slot->base_gfn);
	unsigned long resolved;
	unsigned int order;
	int r = -EAGAIN;

	read_lock(&kdb->lock);
	if (kdb->index)
		r = dma_buf_pal_resolve(kdb->attach, kdb->index, offset,
					KVM_DMABUF_MAX_ORDER, &resolved,
					&order);
	read_unlock(&kdb->lock);
	if (r)
		return r;

	/* A block maps as one only if it is aligned in the guest, too */
	if (gfn != resolved)
		order = min_t(unsigned int, order, __ffs64(gfn ^ resolved));
	*pfn = resolved;
	*max_order = order;
	return 0;
}

/**
 * kvm_dmabuf_get_pfn - where a page of a dma-buf memslot is
 * @slot: memslot for which kvm_slot_has_dmabuf()
 * @gfn: guest frame number inside of @slot
 * @pfn: set to the host's page frame number
 * @max_order: set to the largest order of a naturally aligned block around @gfn
 *	that is as large and as aligned in the host; it may reach over the ends of
 *	@slot
 *
 * The caller must have taken a snapshot of mmu_invalidate_seq before, and must
 * not use the result if mmu_invalidate_retry_gfn() under mmu_lock says that it
 * is stale.
 *
 * Context: Process context, with kvm->srcu held for reading. Takes the dma_resv
 * lock and waits for fences, interruptibly.
 *
 * Return: 0; -EAGAIN if the buffer was moved at the same time; -EINTR if there is
 * a signal; -ENODEV if the memory is gone; -ENOMEM, -ENOSPC if there is none at
 * the moment, neither of the host nor of the device; other errors of the
 * exporter.
 */
int kvm_dmabuf_get_pfn(struct kvm_memory_slot *slot, gfn_t gfn, kvm_pfn_t *pfn,
		       int *max_order)
{
	struct kvm_dmabuf *kdb = slot->dmabuf;
	int r;

	r = kvm_dmabuf_resolve(kdb, gfn, pfn, max_order);
	if (r != -EAGAIN)
		return r;

	r = kvm_dmabuf_open(kdb);
	if (r == -ERESTARTSYS)
		return -EINTR;
	if (r)
		return r;
	return kvm_dmabuf_resolve(kdb, gfn, pfn, max_order);
}

/**
 * kvm_dmabuf_bind - back a new memslot by a dma-buf
 * @kvm: the VM
 * @slot: memslot that is not active yet; its geometry and flags are set
 * @fd: file descriptor of the dma-buf
 * @offset: where the slot begins in the buffer, in bytes, page aligned
 *
 * Context: Process context, with kvm->slots_lock held.
 *
 * Return: 0; -EBADF or -EINVAL if @fd is no dma-buf; -EINVAL if the buffer ends
 * before the slot does; -EACCES if @fd is read-only and the slot is not;
 * -EOPNOTSUPP if the exporter or this buffer cannot be mapped by physical
 * address; other errors of attaching.
 */
int kvm_dmabuf_bind(struct kvm *kvm, struct kvm_memory_slot *slot, int fd,
		    u64 offset)
{
	const struct dma_buf_mapping_match match = DMA_BUF_IMAPPING_PAL();
	u64 size = (u64)slot->npages << PAGE_SHIFT;
	struct kvm_dmabuf *kdb;
	int r;

	lockdep_assert_held(&kvm->slots_lock);

	kdb = kzalloc_obj(*kdb, GFP_KERNEL_ACCOUNT);
	if (!kdb)
		return -ENOMEM;
	kdb->kvm = kvm;
	kdb->slot = slot;
	kdb->offset = offset;
	rwlock_init(&kdb->lock);

	kdb->dmabuf = dma_buf_get(fd);
	if (IS_ERR(kdb->dmabuf)) {
		r = PTR_ERR(kdb->dmabuf);
		goto err_free;
	}

	r = -EINVAL;
	if (offset > kdb->dmabuf->size || size > kdb->dmabuf->size - offset)
		goto err_put;

	r = -EACCES;
	if (!(slot->flags & KVM_MEM_READONLY) &&
	    !(kdb->dmabuf->file->f_mode & FMODE_WRITE))
		goto err_put;

	kdb->attach = dma_buf_mapping_attach(kdb->dmabuf, &match, 1,
					     &kvm_dmabuf_attach_ops, kdb);
	if (IS_ERR(kdb->attach)) {
		r = PTR_ERR(kdb->attach);
		goto err_put;
	}
	dma_buf_pal_set_lock(kdb->attach, &kdb->lock);
	slot->dmabuf = kdb;
	return 0;

err_put:
	dma_buf_put(kdb->dmabuf);
err_free:
	kfree(kdb);
	return r;
}

/**
 * kvm_dmabuf_unbind - let go of the dma-buf of a memslot
 * @slot: memslot that vCPUs do not see any more
 *
 * Whatever was mapped of @slot must have been zapped and flushed. Does nothing if
 * there is nothing to let go.
 *
 * Context: Process context. Takes the dma_resv lock.
 */
void kvm_dmabuf_unbind(struct kvm_memory_slot *slot)
{
	struct kvm_dmabuf *kdb = slot->dmabuf;
	struct dma_buf_pal_index *index;

	if (!kdb)
		return;
	slot->dmabuf = NULL;

	dma_resv_lock(kdb->dmabuf->resv, NULL);
	index = kvm_dmabuf_close(kdb);
	if (index)
		dma_buf_pal_release(kdb->attach);
	dma_resv_unlock(kdb->dmabuf->resv);
	dma_buf_pal_index_free(index);

	/* From here on the exporter cannot call any more */
	dma_buf_detach(kdb->dmabuf, kdb->attach);
	dma_buf_put(kdb->dmabuf);
	kfree(kdb);
}

MODULE_IMPORT_NS("DMA_BUF");
