/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other end of a vfio-user server, for tests: what QEMU does and, with the
 * lower half, what it never would. It shares no code with the server but the
 * wire format. For one thread. Calls return 0 or a negative errno: that of an error reply,
 * -ECONNRESET if the server closed the connection, -ETIMEDOUT if it did nothing
 * for CLIENT_PATIENCE.
 */
#ifndef TESTS_HW_CLIENT_H
#define TESTS_HW_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "vfio-user/protocol.h"

#define CLIENT_PATIENCE 10000	/* milliseconds */

/**
 * struct client - a connection
 * @fd: its socket
 * @id: of the last request
 * @reply_fd: what came with the last reply, or -1; whoever takes it puts -1
 * @ram: memory that the client maps without a descriptor, for DMA requests
 * @ram_base: its address
 * @ram_size: bytes
 * @dma_reads: DMA requests that were answered
 * @dma_writes: the same
 * @on_dma: called before a DMA request is answered: true if that is not to be
 *	done, because it was, or never will be
 * @early: replies that came while another one was awaited, as it happens within
 *	@on_dma
 */
struct client {
	int fd;
	uint16_t id;
	int reply_fd;
	uint8_t *ram;
	uint64_t ram_base, ram_size;
	unsigned int dma_reads, dma_writes;
	bool (*on_dma)(struct client *client, const struct vfu_header *hdr,
		       const struct vfu_dma_access *access);
	struct client_reply *early;
};

void client_init(struct client *client, int fd);
void client_close(struct client *client);
int client_connect(struct client *client, const char *path);

/* Bytes as they are, with descriptors. */
int client_send_raw(struct client *client, const void *data, size_t len,
		    const int *fds, unsigned int nr_fds);

/* A message with the next id. */
int client_send(struct client *client, uint16_t command, uint32_t flags,
		const void *data, size_t len, const int *fds,
		unsigned int nr_fds);

/**
 * client_receive - the next message, whatever it is
 * @client: the connection
 * @hdr: receives its header
 * @data: receives what follows
 * @room: bytes at @data; more than fits is -EMSGSIZE
 */
int client_receive(struct client *client, struct vfu_header *hdr, void *data,
		   size_t room);

/* Answers a DMA request from client.ram. */
int client_answer_dma(struct client *client, const struct vfu_header *hdr,
		      const struct vfu_dma_access *access);

/* The reply to the request with @id; answers DMA requests meanwhile. */
int client_await(struct client *client, uint16_t id, void *reply, size_t room,
		 size_t *len);

/* Both. @len may be NULL if the reply must have exactly @room bytes. */
int client_call(struct client *client, uint16_t command, const void *data,
		size_t size, const int *fds, unsigned int nr_fds, void *reply,
		size_t room, size_t *len);

/* What QEMU does. */
int client_version(struct client *client, const char *json);
int client_region_info(struct client *client, uint32_t index, void *info,
		       size_t room);
int client_read(struct client *client, uint32_t region, uint64_t offset,
		void *buf, uint32_t count);
int client_write(struct client *client, uint32_t region, uint64_t offset,
		 const void *buf, uint32_t count);
int client_read32(struct client *client, uint32_t region, uint64_t offset,
		  uint32_t *value);
int client_write32(struct client *client, uint32_t region, uint64_t offset,
		   uint32_t value);
int client_map(struct client *client, uint64_t address, uint64_t size,
	       uint32_t flags, int fd, uint64_t offset);
int client_unmap(struct client *client, uint64_t address, uint64_t size);
int client_set_irq(struct client *client, uint32_t index, int fd);
int client_reset(struct client *client);

#endif
