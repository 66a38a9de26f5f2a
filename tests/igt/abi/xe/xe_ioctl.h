/* SPDX-License-Identifier: MIT */
/*
 * Copyright © 2026 dmabuf-pal developers
 *
 * As abi/igt.h: the part of libigt for xe's ioctls that our tests use.
 */
#ifndef PAL_ABI_XE_IOCTL_H
#define PAL_ABI_XE_IOCTL_H

#include <stdint.h>

uint32_t xe_vm_create(int fd, uint32_t flags, uint64_t ext);
void xe_vm_destroy(int fd, uint32_t vm);
void xe_vm_bind_sync(int fd, uint32_t vm, uint32_t bo, uint64_t offset, uint64_t addr,
		     uint64_t size);
void xe_vm_unbind_sync(int fd, uint32_t vm, uint64_t offset, uint64_t addr,
		       uint64_t size);
uint32_t __xe_bo_create_caching(int fd, uint32_t vm, uint64_t size, uint32_t placement,
				uint32_t flags, uint16_t cpu_caching, uint32_t *handle);
uint32_t xe_exec_queue_create_class(int fd, uint32_t vm, uint16_t engine_class);
void xe_exec_queue_destroy(int fd, uint32_t exec_queue);

#endif
