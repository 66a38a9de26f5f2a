/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the server share. */
#ifndef HW_VFIO_USER_INTERNAL_H
#define HW_VFIO_USER_INTERNAL_H

#include "vfio-user/server.h"
#include "vfio-user/transport.h"

/* How long the client may stop in the middle of something, milliseconds. */
#define VFU_PATIENCE	30000

/* QEMU 11.1 never answers an access of 256 KiB. */
#define VFU_DMA_CHUNK	131072u

/*
 * How many DMA accesses may wait inside of each other. A register access that
 * itself needs one, served while another waits, makes the second; more would
 * only be a client that tries how deep the stack is.
 */
#define VFU_DMA_DEPTH	4

/* A DMA access that waits for its reply. They end in the reverse order. */
struct vfu_wait {
	struct vfu_wait *outer;
	uint16_t id;
	uint16_t command;
	uint64_t address;
	void *buf;		/* for what is read */
	uint64_t count;
	bool done;
	int result;
};

/**
 * struct vfu - the server
 * @negotiated: the client's version was accepted
 * @write_multi: VFU_WRITE_MULTI was agreed on
 * @gone: the connection is over, @end says how; nothing is sent or awaited
 * @served: messages so far
 * @dma_chunk: the most bytes of a DMA access that the client takes
 * @patience: VFU_PATIENCE; tests have less
 */
struct vfu {
	struct pci_dev *dev;
	struct mem *mem;
	char *path;
	int listen_fd;
	int fd;
	bool negotiated;
	bool write_multi;
	bool gone;
	int end;
	uint64_t served;
	struct vfu_wait *waiting;
	unsigned int dma_depth;
	uint32_t dma_chunk;
	uint16_t dma_id;
	int patience;
};

/**
 * struct vfu_answer - what a command is answered with
 * @data: the payload, from vfu_answer_alloc(); NULL if there is none
 * @len: bytes of it
 * @fd: a descriptor to go with it, or -1
 */
struct vfu_answer {
	void *data;
	size_t len;
	int fd;
	uint64_t small[16];
};

/* Zeroed. NULL without memory. */
void *vfu_answer_alloc(struct vfu_answer *answer, size_t len);

/*
 * Commands. The payload has a length that vfu_dispatch() allows; there are no
 * more descriptors than it allows. They return 0 or a negative errno.
 */
typedef int vfu_handler(struct vfu *vfu, struct vfu_message *msg,
			struct vfu_answer *answer);

vfu_handler vfu_version;
vfu_handler vfu_dma_map;
vfu_handler vfu_dma_unmap;
vfu_handler vfu_get_info;
vfu_handler vfu_region_info;
vfu_handler vfu_irq_info;
vfu_handler vfu_set_irqs;
vfu_handler vfu_region_read;
vfu_handler vfu_region_write;
vfu_handler vfu_write_multi;
vfu_handler vfu_reset;

/* Bytes of a region of the function, 0 if there is no such region. */
uint64_t vfu_region_size(const struct vfu *vfu, uint32_t index);

/* Forgets the client's eventfd. */
void vfu_irq_release(struct vfu *vfu);

/* DMA that goes to the client, for mem_set_remote(). */
extern const struct mem_remote vfu_remote;

/* A reply of the client came. */
void vfu_dma_reply(struct vfu *vfu, struct vfu_message *msg);

/* Reads one message and answers it, or notes that there will be no more. */
void vfu_serve(struct vfu *vfu);

/* Sends a message; a failure ends the connection. 0 or a negative errno. */
int vfu_send(struct vfu *vfu, struct iovec *iov, size_t pieces, int fd);

#endif
