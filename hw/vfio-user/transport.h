/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole messages over a stream socket, with file descriptors. Knows headers, not
 * commands.
 */
#ifndef HW_VFIO_USER_TRANSPORT_H
#define HW_VFIO_USER_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "vfio-user/protocol.h"

#define VFU_MAX_FDS	8

/* The largest message: an access of VFU_DEFAULT_XFER_SIZE bytes. */
#define VFU_MAX_MESSAGE							\
	(sizeof(struct vfu_header) + sizeof(struct vfu_region_access) +	\
	 VFU_DEFAULT_XFER_SIZE)

/**
 * struct vfu_message - a message that came
 * @hdr: its header
 * @data: what follows
 * @len: bytes of it
 * @fd: descriptors that came with it; one that is kept is replaced by -1
 * @nr_fds: how many
 * @excess_fds: there were more than VFU_MAX_FDS, or than this process may open
 * @small: place for @data if it is short
 */
struct vfu_message {
	struct vfu_header hdr;
	void *data;
	size_t len;
	int fd[VFU_MAX_FDS];
	unsigned int nr_fds;
	bool excess_fds;
	uint64_t small[16];
};

/**
 * vfu_receive - wait for a message and read all of it
 * @fd: the socket
 * @msg: receives it; vfu_message_done() in all cases
 * @patience: milliseconds that the peer may stop in its middle
 *
 * Return: 1, 0 if the peer is gone, -EMSGSIZE if it is too long (the header is
 * there, what follows was not read), -EPROTO if its header makes no sense,
 * -ETIMEDOUT, or another negative errno.
 */
int vfu_receive(int fd, struct vfu_message *msg, int patience);

/* Closes descriptors that nobody took, frees the data. */
void vfu_message_done(struct vfu_message *msg);

/**
 * vfu_transmit - write all of a message
 * @fd: the socket
 * @iov: its pieces; changed
 * @pieces: how many
 * @passed: a descriptor to go with it, or -1
 * @patience: milliseconds that the peer may not read
 *
 * Return: 0 or a negative errno; -EPIPE if the peer is gone.
 */
int vfu_transmit(int fd, struct iovec *iov, size_t pieces, int passed,
		 int patience);

#endif
