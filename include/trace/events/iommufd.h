/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iommufd

#if !defined(_TRACE_IOMMUFD_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_IOMMUFD_H

#include <linux/dma-buf.h>
#include <linux/tracepoint.h>

struct iopt_pages;

/* A mapping has no name of its own: the buffer's, and the slice of it */
TRACE_EVENT(iommufd_dmabuf_revoke,
	TP_PROTO(const struct iopt_pages *pages),

	TP_ARGS(pages),

	TP_STRUCT__entry(
		__field(ino_t, ino)
		__field(unsigned long, start)
		__field(unsigned long, npages)
		__field(u64, nr_revokes)
	),

	TP_fast_assign(
		__entry->ino = file_inode(pages->dmabuf.attach->dmabuf->file)->i_ino;
		__entry->start = pages->dmabuf.start;
		__entry->npages = pages->npages;
		__entry->nr_revokes = pages->dmabuf.nr_revokes;
	),

	TP_printk("ino=%lu start=%#lx npages=%lu nr_revokes=%llu",
		  (unsigned long)__entry->ino, __entry->start, __entry->npages,
		  __entry->nr_revokes)
);

TRACE_EVENT(iommufd_dmabuf_restore,
	TP_PROTO(const struct iopt_pages *pages, int ret),

	TP_ARGS(pages, ret),

	TP_STRUCT__entry(
		__field(ino_t, ino)
		__field(unsigned long, start)
		__field(unsigned long, npages)
		__field(unsigned int, try)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->ino = file_inode(pages->dmabuf.attach->dmabuf->file)->i_ino;
		__entry->start = pages->dmabuf.start;
		__entry->npages = pages->npages;
		__entry->try = pages->dmabuf.restore_tries;
		__entry->ret = ret;
	),

	TP_printk("ino=%lu start=%#lx npages=%lu try=%u ret=%d",
		  (unsigned long)__entry->ino, __entry->start, __entry->npages,
		  __entry->try, __entry->ret)
);

#endif /* _TRACE_IOMMUFD_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
