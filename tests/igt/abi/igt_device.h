/* SPDX-License-Identifier: MIT */
/*
 * Copyright © 2026 dmabuf-pal developers
 *
 * As abi/igt.h: the part of libigt for devices that our tests use.
 */
#ifndef PAL_ABI_IGT_DEVICE_H
#define PAL_ABI_IGT_DEVICE_H

/* To @name, which has NAME_MAX bytes */
void igt_device_get_pci_slot_name(int fd, char *name);

#endif
