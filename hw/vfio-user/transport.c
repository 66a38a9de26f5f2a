// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/util.h"
#include "vfio-user/transport.h"

/* 0, -ETIMEDOUT or another negative errno. */
static int wait_for(int fd, short events, int patience)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	int n = poll(&poll_fd, 1, patience);

	if (n < 0 && errno != EINTR)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

static void take_fds(struct vfu_message *msg, struct msghdr *mh)
{
	struct cmsghdr *cmsg;

	if (mh->msg_flags & MSG_CTRUNC)
		msg->excess_fds = true;
	for (cmsg = CMSG_FIRSTHDR(mh); cmsg; cmsg = CMSG_NXTHDR(mh, cmsg)) {
		size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int),
			       sizeof(fd));
			if (msg->nr_fds < VFU_MAX_FDS) {
				msg->fd[msg->nr_fds++] = fd;
			} else {
				msg->excess_fds = true;
				close(fd);
			}
		}
	}
}

/* Reads @len bytes and collects descriptors. 1, 0 at the end, or an error. */
static int receive_piece(int fd, struct vfu_message *msg, void *buf, size_t len,
			 int patience)
{
	union {
		struct cmsghdr align;
		uint8_t buf[CMSG_SPACE(VFU_MAX_FDS * sizeof(int))];
	} control;
	ssize_t n;
	int err;

	while (len) {
		struct iovec iov = { .iov_base = buf, .iov_len = len };
		struct msghdr mh = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control.buf,
			.msg_controllen = sizeof(control.buf),
		};

		n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EAGAIN) {
			err = wait_for(fd, POLLIN, patience);
			if (err)
				return err;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != ECONNRESET)
			return -errno;
		if (n <= 0)
			return 0;
		take_fds(msg, &mh);
		buf = (uint8_t *)buf + n;
		len -= (size_t)n;
	}
	return 1;
}

int vfu_receive(int fd, struct vfu_message *msg, int patience)
{
	uint32_t type;
	int ret;

	msg->data = msg->small;
	msg->len = 0;
	msg->nr_fds = 0;
	msg->excess_fds = false;
	ret = receive_piece(fd, msg, &msg->hdr, sizeof(msg->hdr), patience);
	if (ret <= 0)
		return ret;

	type = msg->hdr.flags & VFU_TYPE;
	if (msg->hdr.size < sizeof(msg->hdr) ||
	    (type != VFU_REQUEST && type != VFU_REPLY))
		return -EPROTO;
	if (msg->hdr.size > VFU_MAX_MESSAGE)
		return -EMSGSIZE;

	msg->len = msg->hdr.size - sizeof(msg->hdr);
	if (msg->len > sizeof(msg->small)) {
		msg->data = malloc(msg->len);
		if (!msg->data)
			return -ENOMEM;
	}
	return receive_piece(fd, msg, msg->data, msg->len, patience);
}

void vfu_message_done(struct vfu_message *msg)
{
	for (unsigned int i = 0; i < msg->nr_fds; i++)
		if (msg->fd[i] >= 0)
			close(msg->fd[i]);
	msg->nr_fds = 0;
	if (msg->data != msg->small)
		free(msg->data);
	msg->data = msg->small;
}

static void attach_fd(struct msghdr *mh, void *control, size_t size, int fd)
{
	struct cmsghdr *cmsg;

	memset(control, 0, size);
	mh->msg_control = control;
	mh->msg_controllen = size;
	cmsg = CMSG_FIRSTHDR(mh);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
}

int vfu_transmit(int fd, struct iovec *iov, size_t pieces, int passed,
		 int patience)
{
	union {
		struct cmsghdr align;
		uint8_t buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = pieces };
	ssize_t n;
	int err;

	if (passed >= 0)
		attach_fd(&mh, control.buf, sizeof(control.buf), passed);
	while (mh.msg_iovlen) {
		n = sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			err = wait_for(fd, POLLOUT, patience);
			if (err)
				return err;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* The descriptor went with the first byte. */
		mh.msg_control = NULL;
		mh.msg_controllen = 0;
		while (mh.msg_iovlen && (size_t)n >= mh.msg_iov->iov_len) {
			n -= (ssize_t)mh.msg_iov->iov_len;
			mh.msg_iov++;
			mh.msg_iovlen--;
		}
		if (mh.msg_iovlen) {
			mh.msg_iov->iov_base =
				(uint8_t *)mh.msg_iov->iov_base + n;
			mh.msg_iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}
