/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the files of the dma-buf core call their tracepoints
 */
#ifndef _DMA_BUF_TRACE_H
#define _DMA_BUF_TRACE_H

#include <linux/cleanup.h>
#include <linux/spinlock.h>

/*
 * dmabuf->name must be accessed with holding dmabuf->name_lock.
 * we need to take the lock around the tracepoint call itself where
 * it is called in the code.
 *
 * Note: FUNC##_enabled() is a static branch that will only
 *       be set when the trace event is enabled.
 */
#define DMA_BUF_TRACE(FUNC, ...)					\
	do {								\
		/* Always expose lock if lockdep is enabled */		\
		if (IS_ENABLED(CONFIG_LOCKDEP) || FUNC##_enabled()) {	\
			guard(spinlock)(&dmabuf->name_lock);		\
			FUNC(__VA_ARGS__);				\
		}							\
	} while (0)

#endif
