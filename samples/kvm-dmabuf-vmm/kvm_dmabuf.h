/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A memory slot that is backed by a dma-buf. What the kernel's own header has of it
 * wins; without it this says how to ask a kernel that may know it.
 */
#ifndef KVM_DMABUF_H
#define KVM_DMABUF_H

#include <linux/kvm.h>

/*
 * Flag of KVM_SET_USER_MEMORY_REGION2: guest_memfd is a dma-buf and
 * guest_memfd_offset a page aligned offset in it; userspace_addr is 0. Of the other
 * flags KVM_MEM_READONLY alone goes with it, and has to if the file is read-only.
 */
#ifndef KVM_MEM_DMABUF
#define KVM_MEM_DMABUF		(1UL << 3)
#endif

/* KVM_CHECK_EXTENSION on a VM returns 1 if it is there. */
#ifndef KVM_CAP_DMABUF_MEM
#define KVM_CAP_DMABUF_MEM	252
#endif

#endif
