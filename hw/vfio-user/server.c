// SPDX-License-Identifier: GPL-2.0-only
/* The connection: who may come, what a message is, whose turn it is. */
#define _GNU_SOURCE

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vfio-user/internal.h"

/* Lengths are those of the payload. */
static const struct command {
	vfu_handler *handler;
	size_t min, max;
	unsigned int max_fds;
} commands[] = {
	[VFU_VERSION]	   = { vfu_version, sizeof(struct vfu_version), 4096, 0 },
	[VFU_DMA_MAP]	   = { vfu_dma_map, sizeof(struct vfu_dma_map),
			       sizeof(struct vfu_dma_map), 1 },
	[VFU_DMA_UNMAP]	   = { vfu_dma_unmap, sizeof(struct vfu_dma_unmap),
			       sizeof(struct vfu_dma_unmap), 0 },
	[VFU_GET_INFO]	   = { vfu_get_info, sizeof(struct vfu_device_info),
			       sizeof(struct vfu_device_info), 0 },
	[VFU_REGION_INFO]  = { vfu_region_info, sizeof(struct vfu_region_info),
			       sizeof(struct vfu_region_info), 0 },
	[VFU_IRQ_INFO]	   = { vfu_irq_info, sizeof(struct vfu_irq_info),
			       sizeof(struct vfu_irq_info), 0 },
	[VFU_SET_IRQS]	   = { vfu_set_irqs, sizeof(struct vfu_irq_set),
			       4096, VFU_MAX_FDS },
	[VFU_REGION_READ]  = { vfu_region_read,
			       sizeof(struct vfu_region_access),
			       sizeof(struct vfu_region_access), 0 },
	[VFU_REGION_WRITE] = { vfu_region_write,
			       sizeof(struct vfu_region_access),
			       VFU_MAX_MESSAGE, 0 },
	[VFU_RESET]	   = { vfu_reset, 0, 0, 0 },
	[VFU_WRITE_MULTI]  = { vfu_write_multi, sizeof(struct vfu_write_multi),
			       VFU_MAX_MESSAGE, 0 },
};

struct vfu *vfu_new(struct pci_dev *dev, struct mem *mem)
{
	struct vfu *vfu = calloc(1, sizeof(*vfu));

	if (!vfu)
		return NULL;
	vfu->dev = dev;
	vfu->mem = mem;
	vfu->listen_fd = -1;
	vfu->fd = -1;
	vfu->patience = VFU_PATIENCE;
	mem_set_remote(mem, &vfu_remote, vfu);
	/* For what the client gives as an eventfd and is none. */
	signal(SIGPIPE, SIG_IGN);
	return vfu;
}

/* What the client gave goes with it, the function's state stays. */
static void disconnect(struct vfu *vfu)
{
	if (vfu->fd >= 0)
		close(vfu->fd);
	vfu->fd = -1;
	vfu->negotiated = false;
	vfu->write_multi = false;
	mem_unmap_all(vfu->mem);
	vfu_irq_release(vfu);
}

void vfu_free(struct vfu *vfu)
{
	if (!vfu)
		return;
	disconnect(vfu);
	mem_set_remote(vfu->mem, NULL, NULL);
	if (vfu->listen_fd >= 0) {
		close(vfu->listen_fd);
		unlink(vfu->path);
	}
	free(vfu->path);
	free(vfu);
}

/*
 * Whether @name is a socket that was left behind by a server that ended. Asked
 * with a type that a server which is there refuses in another way: it must not
 * take the question for its client.
 */
static bool abandoned(const struct sockaddr_un *name)
{
	struct stat st;
	bool refused;
	int fd;

	if (lstat(name->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	refused = connect(fd, (const void *)name, sizeof(*name)) &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

int vfu_listen(struct vfu *vfu, const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(name.sun_path))
		return -ENAMETOOLONG;
	strcpy(name.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = bind(fd, (void *)&name, sizeof(name)) ? -errno : 0;
	if (err == -EADDRINUSE && abandoned(&name) && !unlink(path))
		err = bind(fd, (void *)&name, sizeof(name)) ? -errno : 0;
	if (err)
		goto err_close;

	vfu->path = strdup(path);
	if (!vfu->path || listen(fd, 1)) {
		err = vfu->path ? -errno : -ENOMEM;
		goto err_unlink;
	}
	vfu->listen_fd = fd;
	return 0;

err_unlink:
	free(vfu->path);
	vfu->path = NULL;
	unlink(path);
err_close:
	close(fd);
	return err;
}

void vfu_attach(struct vfu *vfu, int fd)
{
	vfu->fd = fd;
}

void *vfu_answer_alloc(struct vfu_answer *answer, size_t len)
{
	answer->len = len;
	if (len <= sizeof(answer->small))
		answer->data = memset(answer->small, 0, len);
	else
		answer->data = calloc(1, len);
	return answer->data;
}

/* The first cause of an end is the one that is told. */
static void set_gone(struct vfu *vfu, int end)
{
	if (!vfu->gone)
		vfu->end = end;
	vfu->gone = true;
}

int vfu_send(struct vfu *vfu, struct iovec *iov, size_t pieces, int fd)
{
	int err;

	if (vfu->gone)
		return -EPIPE;
	err = vfu_transmit(vfu->fd, iov, pieces, fd, vfu->patience);
	if (err)
		set_gone(vfu, err == -EPIPE || err == -ECONNRESET ? 0 : err);
	return err;
}

static void reply(struct vfu *vfu, const struct vfu_header *request, int err,
		  const struct vfu_answer *answer)
{
	size_t len = answer && !err ? answer->len : 0;
	struct vfu_header hdr = {
		.id = request->id,
		.command = request->command,
		.size = (uint32_t)(sizeof(hdr) + len),
		.flags = VFU_REPLY | (err ? VFU_ERROR : 0),
		.error = (uint32_t)-err,
	};
	struct iovec iov[] = {
		{ &hdr, sizeof(hdr) },
		{ len ? answer->data : NULL, len },
	};

	if (!(request->flags & VFU_NO_REPLY))
		vfu_send(vfu, iov, len ? 2 : 1, len ? answer->fd : -1);
}

static int dispatch(struct vfu *vfu, struct vfu_message *msg,
		    struct vfu_answer *answer)
{
	const struct command *command;

	if (msg->hdr.command >= ARRAY_SIZE(commands) ||
	    !commands[msg->hdr.command].handler)
		return -EOPNOTSUPP;
	command = &commands[msg->hdr.command];
	if (msg->len < command->min || msg->len > command->max ||
	    msg->nr_fds > command->max_fds || msg->excess_fds)
		return -EINVAL;
	if (!vfu->negotiated && msg->hdr.command != VFU_VERSION)
		return -EINVAL;
	return command->handler(vfu, msg, answer);
}

static void answer_request(struct vfu *vfu, struct vfu_message *msg)
{
	struct vfu_answer answer = { .fd = -1 };
	int err = dispatch(vfu, msg, &answer);

	/* Who has the reply can rely on descriptors being closed. */
	vfu_message_done(msg);
	reply(vfu, &msg->hdr, err, &answer);
	if (answer.data != answer.small)
		free(answer.data);
}

void vfu_serve(struct vfu *vfu)
{
	struct vfu_message msg;
	int ret;

	if (vfu->gone)
		return;
	ret = vfu_receive(vfu->fd, &msg, vfu->patience);
	if (ret == -EMSGSIZE) {
		reply(vfu, &msg.hdr, ret, NULL);
		ret = -EPROTO;
	}
	if (ret <= 0)
		set_gone(vfu, ret);
	else if ((msg.hdr.flags & VFU_TYPE) == VFU_REPLY)
		vfu_dma_reply(vfu, &msg);
	else
		answer_request(vfu, &msg);
	vfu->served++;
	vfu_message_done(&msg);
}

/*
 * Messages that were served while the device waited for DMA may have given it
 * something to do that it had looked for before.
 */
static int work(struct vfu *vfu)
{
	uint64_t served = vfu->served;
	int timeout;

	if (!vfu->dev->ops->work)
		return -1;
	timeout = vfu->dev->ops->work(vfu->dev);
	return vfu->served == served ? timeout : 0;
}

static int accept_client(struct vfu *vfu)
{
	do {
		vfu->fd = accept4(vfu->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	} while (vfu->fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	return vfu->fd < 0 ? -errno : 0;
}

/* Whether there is a message. Where nobody waits, memory can be made present. */
static bool await_message(const struct vfu *vfu, int timeout)
{
	struct pollfd readable = { .fd = vfu->fd, .events = POLLIN };

	if (timeout && vfu->dev->fresh_len) {
		if (poll(&readable, 1, 0) > 0)
			return true;
		pci_touch(vfu->dev);
		timeout = 0;
	}
	return poll(&readable, 1, timeout) > 0;
}

int vfu_run(struct vfu *vfu)
{
	int timeout, err;

	if (vfu->fd < 0) {
		err = vfu->listen_fd < 0 ? -ENOTCONN : accept_client(vfu);
		if (err)
			return err;
	}
	vfu->gone = false;
	vfu->end = 0;
	vfu->dma_chunk = VFU_DMA_CHUNK;
	timeout = work(vfu);
	while (!vfu->gone) {
		if (await_message(vfu, timeout))
			vfu_serve(vfu);
		if (!vfu->gone)
			timeout = work(vfu);
	}
	disconnect(vfu);
	return vfu->end;
}
