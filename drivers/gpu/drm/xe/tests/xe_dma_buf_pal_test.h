/* SPDX-License-Identifier: GPL-2.0 AND MIT */
/*
 * Live KUnit tests of VRAM exported by its physical addresses
 */

#ifndef _XE_DMA_BUF_PAL_TEST_H_
#define _XE_DMA_BUF_PAL_TEST_H_

struct kunit_suite;

extern struct kunit_suite xe_dma_buf_pal_test_suite;

#endif
