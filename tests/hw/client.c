// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

#define MAX_FDS		32
#define MAX_PAYLOAD	(VFU_DEFAULT_XFER_SIZE + 64)

#define MAP_RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

struct client_reply {
	struct client_reply *next;
	struct vfu_header hdr;
	uint8_t data[];
};

void client_init(struct client *client, int fd)
{
	memset(client, 0, sizeof(*client));
	client->fd = fd;
	client->reply_fd = -1;
}

static void drop_reply_fd(struct client *client)
{
	if (client->reply_fd >= 0)
		close(client->reply_fd);
	client->reply_fd = -1;
}

void client_close(struct client *client)
{
	while (client->early) {
		struct client_reply *reply = client->early;

		client->early = reply->next;
		free(reply);
	}
	drop_reply_fd(client);
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

int client_connect(struct client *client, const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	strncpy(name.sun_path, path, sizeof(name.sun_path) - 1);
	if (connect(fd, (void *)&name, sizeof(name))) {
		int err = -errno;

		close(fd);
		return err;
	}
	client_init(client, fd);
	return 0;
}

static int send_all(int fd, struct iovec *iov, size_t pieces, const int *fds,
		    unsigned int nr_fds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control = {};
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = pieces };
	struct cmsghdr *cmsg = &control.align;
	size_t left = 0;

	if (nr_fds > MAX_FDS)
		return -EINVAL;
	for (size_t i = 0; i < pieces; i++)
		left += iov[i].iov_len;
	if (nr_fds) {
		mh.msg_control = control.buf;
		mh.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, nr_fds * sizeof(int));
	}
	/* A blocking stream socket takes all of it. */
	if (sendmsg(fd, &mh, MSG_NOSIGNAL) != (ssize_t)left)
		return errno == EPIPE ? -ECONNRESET : -errno;
	return 0;
}

int client_send_raw(struct client *client, const void *data, size_t len,
		    const int *fds, unsigned int nr_fds)
{
	struct iovec iov = { (void *)data, len };

	return send_all(client->fd, &iov, 1, fds, nr_fds);
}

int client_send(struct client *client, uint16_t command, uint32_t flags,
		const void *data, size_t len, const int *fds,
		unsigned int nr_fds)
{
	struct vfu_header hdr = {
		.id = ++client->id,
		.command = command,
		.size = (uint32_t)(sizeof(hdr) + len),
		.flags = flags,
	};
	struct iovec iov[] = {
		{ &hdr, sizeof(hdr) },
		{ (void *)data, len },
	};

	return send_all(client->fd, iov, len ? 2 : 1, fds, nr_fds);
}

static int read_all(struct client *client, void *buf, size_t len)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct pollfd readable = { .fd = client->fd, .events = POLLIN };

	while (len) {
		struct iovec iov = { buf, len };
		struct msghdr mh = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control.buf,
			.msg_controllen = sizeof(control.buf),
		};
		struct cmsghdr *cmsg;
		ssize_t n;

		if (!poll(&readable, 1, CLIENT_PATIENCE))
			return -ETIMEDOUT;
		n = recvmsg(client->fd, &mh, MSG_CMSG_CLOEXEC);
		if (n < 0)
			return -errno;
		if (!n)
			return -ECONNRESET;
		cmsg = CMSG_FIRSTHDR(&mh);
		if (cmsg && cmsg->cmsg_type == SCM_RIGHTS) {
			drop_reply_fd(client);
			memcpy(&client->reply_fd, CMSG_DATA(cmsg), sizeof(int));
		}
		buf = (char *)buf + n;
		len -= (size_t)n;
	}
	return 0;
}

int client_receive(struct client *client, struct vfu_header *hdr, void *data,
		   size_t room)
{
	int err = read_all(client, hdr, sizeof(*hdr));

	if (err)
		return err;
	if (hdr->size < sizeof(*hdr) || hdr->size - sizeof(*hdr) > room)
		return -EMSGSIZE;
	return read_all(client, data, hdr->size - sizeof(*hdr));
}

int client_answer_dma(struct client *client, const struct vfu_header *hdr,
		      const struct vfu_dma_access *access)
{
	uint64_t offset = access->address - client->ram_base;
	struct vfu_dma_access answer = *access;
	bool inside = access->count <= client->ram_size &&
		      offset <= client->ram_size - access->count;
	bool read = hdr->command == VFU_DMA_READ;
	size_t n = read && inside ? access->count : 0;
	struct vfu_header reply = {
		.id = hdr->id,
		.command = hdr->command,
		.size = (uint32_t)(sizeof(reply) + sizeof(answer) + n),
		.flags = VFU_REPLY,
	};
	struct iovec iov[] = {
		{ &reply, sizeof(reply) },
		{ &answer, sizeof(answer) },
		{ client->ram + (inside ? offset : 0), n },
	};

	if (!inside) {
		reply.size = sizeof(reply);
		reply.flags |= VFU_ERROR;
		reply.error = EFAULT;
		return send_all(client->fd, iov, 1, NULL, 0);
	}
	if (read) {
		client->dma_reads++;
	} else {
		memcpy(client->ram + offset, access->data, access->count);
		client->dma_writes++;
	}
	return send_all(client->fd, iov, n ? 3 : 2, NULL, 0);
}

static int keep(struct client *client, const struct vfu_header *hdr,
		const void *data)
{
	size_t len = hdr->size - sizeof(*hdr);
	struct client_reply *reply = malloc(sizeof(*reply) + len);

	if (!reply)
		return -ENOMEM;
	reply->hdr = *hdr;
	memcpy(reply->data, data, len);
	reply->next = client->early;
	client->early = reply;
	return 0;
}

/* The reply to @id if it is there already. */
static bool take(struct client *client, uint16_t id, struct vfu_header *hdr,
		 void *data)
{
	struct client_reply **link, *reply;

	for (link = &client->early; *link; link = &(*link)->next) {
		reply = *link;
		if (reply->hdr.id != id)
			continue;
		*hdr = reply->hdr;
		memcpy(data, reply->data, hdr->size - sizeof(*hdr));
		*link = reply->next;
		free(reply);
		return true;
	}
	return false;
}

static union {
	struct vfu_dma_access access;
	uint8_t bytes[MAX_PAYLOAD];
} incoming;

/* Receives until there is the reply to @id, in @incoming. */
static int await(struct client *client, uint16_t id, struct vfu_header *hdr)
{
	int err = 0;

	while (!err && !take(client, id, hdr, &incoming)) {
		err = client_receive(client, hdr, &incoming, sizeof(incoming));
		if (err)
			break;
		if ((hdr->flags & VFU_TYPE) == VFU_REPLY) {
			if (hdr->id == id)
				break;
			err = keep(client, hdr, &incoming);
		} else if (!client->on_dma ||
			   !client->on_dma(client, hdr, &incoming.access)) {
			err = client_answer_dma(client, hdr, &incoming.access);
		}
	}
	return err;
}

int client_await(struct client *client, uint16_t id, void *reply, size_t room,
		 size_t *len)
{
	struct vfu_header hdr;
	size_t got;
	int err = await(client, id, &hdr);

	if (err)
		return err;
	got = hdr.size - sizeof(hdr);
	if (hdr.flags & VFU_ERROR)
		return got ? -EPROTO : -(int)hdr.error ?: -EPROTO;
	if (got > room || (!len && got != room))
		return -EMSGSIZE;
	if (got)
		memcpy(reply, &incoming, got);
	if (len)
		*len = got;
	return 0;
}

int client_call(struct client *client, uint16_t command, const void *data,
		size_t size, const int *fds, unsigned int nr_fds, void *reply,
		size_t room, size_t *len)
{
	int err;

	drop_reply_fd(client);
	err = client_send(client, command, 0, data, size, fds, nr_fds);
	if (err)
		return err;
	return client_await(client, client->id, reply, room, len);
}

int client_version(struct client *client, const char *json)
{
	struct {
		struct vfu_version version;
		char json[1024];
	} msg = { .version = { .major = VFU_MAJOR, .minor = 1 } }, reply;
	size_t size = sizeof(msg.version), len;
	int err;

	if (json) {
		size += strlen(json) + 1;
		memcpy(msg.json, json, strlen(json) + 1);
	}
	err = client_call(client, VFU_VERSION, &msg, size, NULL, 0, &reply,
			  sizeof(reply), &len);
	if (err)
		return err;
	return len > sizeof(reply.version) && !((char *)&reply)[len - 1] &&
	       reply.version.major == VFU_MAJOR ? 0 : -EPROTO;
}

int client_region_info(struct client *client, uint32_t index, void *info,
		       size_t room)
{
	struct vfu_region_info msg = { .argsz = (uint32_t)room, .index = index };
	size_t len;

	return client_call(client, VFU_REGION_INFO, &msg, sizeof(msg), NULL, 0,
			   info, room, &len);
}

int client_read(struct client *client, uint32_t region, uint64_t offset,
		void *buf, uint32_t count)
{
	struct vfu_region_access msg = {
		.offset = offset, .region = region, .count = count,
	};
	static uint8_t reply[MAX_PAYLOAD];
	int err;

	if (count > VFU_DEFAULT_XFER_SIZE)
		return -EINVAL;
	err = client_call(client, VFU_REGION_READ, &msg, sizeof(msg), NULL, 0,
			  reply, sizeof(msg) + count, NULL);
	if (err)
		return err;
	if (memcmp(reply, &msg, sizeof(msg)))
		return -EPROTO;
	memcpy(buf, reply + sizeof(msg), count);
	return 0;
}

int client_write(struct client *client, uint32_t region, uint64_t offset,
		 const void *buf, uint32_t count)
{
	static union {
		struct vfu_region_access access;
		uint8_t bytes[MAX_PAYLOAD];
	} msg;
	struct vfu_region_access reply, wanted = {
		.offset = offset, .region = region, .count = count,
	};
	int err;

	if (count > VFU_DEFAULT_XFER_SIZE)
		return -EINVAL;
	msg.access = wanted;
	memcpy(msg.access.data, buf, count);
	err = client_call(client, VFU_REGION_WRITE, &msg, sizeof(reply) + count,
			  NULL, 0, &reply, sizeof(reply), NULL);
	if (err)
		return err;
	return memcmp(&reply, &wanted, sizeof(reply)) ? -EPROTO : 0;
}

int client_read32(struct client *client, uint32_t region, uint64_t offset,
		  uint32_t *value)
{
	return client_read(client, region, offset, value, sizeof(*value));
}

int client_write32(struct client *client, uint32_t region, uint64_t offset,
		   uint32_t value)
{
	return client_write(client, region, offset, &value, sizeof(value));
}

int client_map(struct client *client, uint64_t address, uint64_t size,
	       uint32_t flags, int fd, uint64_t offset)
{
	struct vfu_dma_map msg = {
		.argsz = sizeof(msg),
		.flags = flags ?: MAP_RW,
		.offset = offset,
		.address = address,
		.size = size,
	};

	return client_call(client, VFU_DMA_MAP, &msg, sizeof(msg), &fd, fd >= 0,
			   NULL, 0, NULL);
}

int client_unmap(struct client *client, uint64_t address, uint64_t size)
{
	struct vfu_dma_unmap reply, msg = {
		.argsz = sizeof(msg), .address = address, .size = size,
	};
	int err;

	err = client_call(client, VFU_DMA_UNMAP, &msg, sizeof(msg), NULL, 0,
			  &reply, sizeof(reply), NULL);
	if (err)
		return err;
	return memcmp(&reply, &msg, sizeof(msg)) ? -EPROTO : 0;
}

int client_set_irq(struct client *client, uint32_t index, int fd)
{
	struct vfu_irq_set msg = {
		.argsz = sizeof(msg),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = index,
		.count = 1,
	};

	return client_call(client, VFU_SET_IRQS, &msg, sizeof(msg), &fd, fd >= 0,
			   NULL, 0, NULL);
}

int client_reset(struct client *client)
{
	return client_call(client, VFU_RESET, NULL, 0, NULL, 0, NULL, 0, NULL);
}
