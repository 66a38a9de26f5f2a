/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vfio-user server for one PCI function and one client, QEMU. The protocol is
 * described in docs/interop/vfio-user.rst of QEMU's source.
 */
#ifndef HW_VFIO_USER_SERVER_H
#define HW_VFIO_USER_SERVER_H

#include "core/mem.h"
#include "core/pci.h"

struct vfu;

/**
 * vfu_new - a server for a function
 * @dev: the function
 * @mem: receives what the client maps for DMA; gets the server as its remote
 *
 * From here on the process ignores SIGPIPE.
 *
 * Return: the server, or NULL without memory.
 */
struct vfu *vfu_new(struct pci_dev *dev, struct mem *mem);
void vfu_free(struct vfu *vfu);

/**
 * vfu_listen - make the socket
 * @vfu: the server
 * @path: where; a socket that nobody listens on any more is replaced
 *
 * Return: 0 or a negative errno.
 */
int vfu_listen(struct vfu *vfu, const char *path);

/**
 * vfu_run - serve one client until it goes away
 * @vfu: the server, after vfu_listen() or vfu_attach()
 *
 * One thread does everything, in this order: a message is answered, then
 * &pci_ops.work gets its turn. So a register write never waits for work, and
 * work never for more than one message. While a device waits for memory that
 * only messages reach, they are answered too, but there is no work within work.
 *
 * What the client gave goes with it, the function's state stays. After
 * vfu_listen() this can be called again, for the next client.
 *
 * Return: 0 if the client closed the connection, -EPROTO if it broke the
 * protocol in a way that leaves no common ground, or another negative errno.
 */
int vfu_run(struct vfu *vfu);

/* Serve a connection that exists already: tests and fuzzing. Owns @fd. */
void vfu_attach(struct vfu *vfu, int fd);

#endif
