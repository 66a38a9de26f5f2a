// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the client maps for DMA, and the accesses to what came without a file
 * descriptor. For those the server asks and waits; the client may be a processor
 * in the middle of a register access, which holds up whoever would answer. So
 * requests are served while waiting, and a reply may be for an access further
 * out.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "vfio-user/internal.h"

int vfu_dma_map(struct vfu *vfu, struct vfu_message *msg,
		struct vfu_answer *answer)
{
	const struct vfu_dma_map *map = msg->data;
	unsigned int prot = 0;

	(void)answer;
	if (map->argsz < sizeof(*map) ||
	    map->flags & ~(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE) ||
	    map->address % HW_PAGE_SIZE || map->size % HW_PAGE_SIZE)
		return -EINVAL;
	if (mem_count(vfu->mem) >= VFU_DEFAULT_DMA_MAPS)
		return -ENOSPC;
	if (map->flags & VFIO_DMA_MAP_FLAG_READ)
		prot |= MEM_READ;
	if (map->flags & VFIO_DMA_MAP_FLAG_WRITE)
		prot |= MEM_WRITE;
	return mem_map(vfu->mem, map->address, map->size, prot,
		       msg->nr_fds ? msg->fd[0] : -1, map->offset);
}

/*
 * An IOMMU's invalidation may cover far more than was ever mapped, and may find
 * nothing: as with VFIO that is no error.
 */
int vfu_dma_unmap(struct vfu *vfu, struct vfu_message *msg,
		  struct vfu_answer *answer)
{
	const struct vfu_dma_unmap *unmap = msg->data;
	struct vfu_dma_unmap *reply;
	int err;

	if (unmap->argsz < sizeof(*unmap) ||
	    unmap->flags & ~VFIO_DMA_UNMAP_FLAG_ALL)
		return -EINVAL;
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		if (unmap->address || unmap->size)
			return -EINVAL;
		mem_unmap_all(vfu->mem);
	} else {
		if (unmap->address % HW_PAGE_SIZE || unmap->size % HW_PAGE_SIZE)
			return -EINVAL;
		err = mem_unmap(vfu->mem, unmap->address, unmap->size);
		if (err && err != -ENOENT)
			return err;
	}
	reply = vfu_answer_alloc(answer, sizeof(*reply));
	if (!reply)
		return -ENOMEM;
	*reply = *unmap;
	return 0;
}

/* Takes what @msg says if it is what @wait asked for. */
static int reply_result(const struct vfu_wait *wait,
			const struct vfu_message *msg)
{
	const struct vfu_dma_access *reply = msg->data;

	if (msg->hdr.flags & VFU_ERROR || msg->hdr.command != wait->command)
		return -EIO;
	if (wait->command == VFU_DMA_WRITE)
		return 0;
	if (msg->len != sizeof(*reply) + wait->count ||
	    reply->address != wait->address || reply->count != wait->count)
		return -EIO;
	memcpy(wait->buf, reply->data, wait->count);
	return 0;
}

/* Replies that nobody waits for any more are dropped. */
void vfu_dma_reply(struct vfu *vfu, struct vfu_message *msg)
{
	struct vfu_wait *wait;

	for (wait = vfu->waiting; wait; wait = wait->outer) {
		if (wait->id == msg->hdr.id && !wait->done) {
			wait->result = reply_result(wait, msg);
			wait->done = true;
			return;
		}
	}
}

static int await(struct vfu *vfu, struct vfu_wait *wait)
{
	uint64_t end = hw_now() + (uint64_t)vfu->patience * 1000000;
	struct pollfd readable = { .fd = vfu->fd, .events = POLLIN };
	uint64_t now;

	while (!wait->done && !vfu->gone) {
		now = hw_now();
		if (now >= end)
			return -EIO;
		if (poll(&readable, 1, (int)((end - now) / 1000000) + 1) > 0)
			vfu_serve(vfu);
	}
	return wait->done ? wait->result : -EIO;
}

static int transfer(struct vfu *vfu, uint16_t command, uint64_t address,
		    void *in, const void *out, uint64_t count)
{
	struct vfu_wait wait = {
		.outer = vfu->waiting,
		.id = ++vfu->dma_id,
		.command = command,
		.address = address,
		.buf = in,
		.count = count,
	};
	struct vfu_dma_access access = { .address = address, .count = count };
	struct vfu_header hdr = {
		.id = wait.id,
		.command = command,
		.size = (uint32_t)(sizeof(hdr) + sizeof(access) +
				   (out ? count : 0)),
		.flags = VFU_REQUEST,
	};
	struct iovec iov[] = {
		{ &hdr, sizeof(hdr) },
		{ &access, sizeof(access) },
		{ (void *)out, count },
	};
	int err;

	if (vfu->gone || vfu->dma_depth == VFU_DMA_DEPTH)
		return -EIO;
	if (vfu_send(vfu, iov, out ? 3 : 2, -1))
		return -EIO;
	vfu->waiting = &wait;
	vfu->dma_depth++;
	err = await(vfu, &wait);
	vfu->dma_depth--;
	vfu->waiting = wait.outer;
	return err;
}

static int remote_read(void *priv, uint64_t addr, void *buf, size_t len)
{
	struct vfu *vfu = priv;
	int err = 0;

	while (len && !err) {
		size_t n = hw_min(len, (size_t)vfu->dma_chunk);

		err = transfer(vfu, VFU_DMA_READ, addr, buf, NULL, n);
		addr += n;
		buf = (uint8_t *)buf + n;
		len -= n;
	}
	return err;
}

static int remote_write(void *priv, uint64_t addr, const void *buf, size_t len)
{
	struct vfu *vfu = priv;
	int err = 0;

	while (len && !err) {
		size_t n = hw_min(len, (size_t)vfu->dma_chunk);

		err = transfer(vfu, VFU_DMA_WRITE, addr, NULL, buf, n);
		addr += n;
		buf = (const uint8_t *)buf + n;
		len -= n;
	}
	return err;
}

const struct mem_remote vfu_remote = {
	.read = remote_read,
	.write = remote_write,
};
