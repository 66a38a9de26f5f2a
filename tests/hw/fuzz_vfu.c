// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes as a client of the vfio-user server. An input is a byte of options and
 * then records: a byte that says which descriptors go with it, two that say how
 * long it is, and what is sent. All of it is in the socket before the server
 * runs, so there is one thread and what happens depends on the input only.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "dummy.h"
#include "fuzzer.h"
#include "tap.h"
#include "vfio-user/internal.h"

#define NO_VERSION	0x01	/* option: without a first message that is good */

#define FDS		0x0f	/* of a record: how many */
#define FD_KIND		0x30
#define FD_KIND_SHIFT	4
#define FIX		0x40	/* the header's length is put right */

#define RECORD		3	/* bytes before what is sent */

static struct dummy dummy;
static struct vfu *vfu;
static int kinds[4];
static int open_fds;

/* What inputs came to, for fuzz_missing(). */
static bool succeeded[VFU_MIG_DATA_WRITE + 1];	/* by command */
static bool failed, dma_done, dma_failed, interrupted;

static void setup(void)
{
	int pipe_fds[2];
	char path[32];
	void *host;

	kinds[0] = hw_memfd("ram", HW_MIB(1), &host);
	kinds[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", kinds[0]);
	kinds[2] = open(path, O_RDONLY | O_CLOEXEC);
	if (pipe2(pipe_fds, O_CLOEXEC) || dummy_init(&dummy))
		abort();
	kinds[3] = pipe_fds[1];
	vfu = vfu_new(&dummy.pci, dummy.mem);
	if (!vfu)
		abort();
	vfu->patience = 20;
	open_fds = tap_open_fds();
}

/* Sends the record at @data; its length, or 0 if there is no more. */
static size_t send_record(struct client *client, const uint8_t *data,
			  size_t size)
{
	uint8_t bytes[4096];
	int fds[FDS];
	size_t len;

	if (size < RECORD)
		return 0;
	len = hw_min((size_t)(data[1] | data[2] << 8), size - RECORD);
	len = hw_min(len, sizeof(bytes));
	if (!len)
		return RECORD;
	memcpy(bytes, data + RECORD, len);
	if (data[0] & FIX && len >= sizeof(struct vfu_header)) {
		uint32_t fixed = (uint32_t)len;

		memcpy(bytes + offsetof(struct vfu_header, size), &fixed, 4);
	}
	for (unsigned int i = 0; i < (data[0] & FDS); i++)
		fds[i] = kinds[(data[0] & FD_KIND) >> FD_KIND_SHIFT];
	if (client_send_raw(client, bytes, len, fds, data[0] & FDS))
		return 0;
	return RECORD + len;
}

/* Reads what the server sent. */
static void read_replies(struct client *client)
{
	static uint8_t data[VFU_MAX_MESSAGE];
	struct vfu_header hdr;

	while (!client_receive(client, &hdr, data, sizeof(data))) {
		if (hdr.flags & VFU_ERROR)
			failed = true;
		else if (hdr.command < ARRAY_SIZE(succeeded))
			succeeded[hdr.command] = true;
	}
}

static void check(void)
{
	dma_done |= dummy.done && !dummy.status;
	dma_failed |= dummy.done && dummy.status;
	interrupted |= dummy.pci.msi_count != 0;
	if (dummy.reentered || dummy.odd || mem_count(dummy.mem) ||
	    dummy.pci.msi_fd >= 0 || tap_open_fds() != open_fds) {
		fprintf(stderr, "reentered %u, odd %u, ranges %zu, fds %d\n",
			dummy.reentered, dummy.odd, mem_count(dummy.mem),
			tap_open_fds() - open_fds);
		abort();
	}
}

static void send_version(struct client *client)
{
	static const char json[] =
		"{\"capabilities\":{\"write_multiple\":true}}";
	struct {
		struct vfu_header hdr;
		struct vfu_version version;
		char json[sizeof(json)];
	} msg = {
		.hdr = { 1, VFU_VERSION, sizeof(msg.hdr) + 4 + sizeof(json), 0, 0 },
	};

	memcpy(msg.json, json, sizeof(json));
	client_send_raw(client, &msg, msg.hdr.size, NULL, 0);
}

static void restart(void)
{
	dummy.done = dummy.status = dummy.len = 0;
	dummy.addr[0] = dummy.addr[1] = 0;
	dummy.pci.msi_count = 0;
	vfu->dma_id = 0;
	pci_reset(&dummy.pci);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client client;
	size_t at = 1, n;
	int pair[2];

	if (!vfu)
		setup();
	if (!size)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	client_init(&client, pair[0]);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	if (!(data[0] & NO_VERSION))
		send_version(&client);
	do {
		n = send_record(&client, data + at, size - at);
		at += n;
	} while (n);
	shutdown(pair[0], SHUT_WR);

	restart();
	vfu_attach(vfu, pair[1]);
	vfu_run(vfu);
	read_replies(&client);
	client_close(&client);
	check();
	return 0;
}

const char *fuzz_missing(void)
{
	static const char *const names[] = {
		[VFU_VERSION] = "a version",
		[VFU_DMA_MAP] = "a map",
		[VFU_DMA_UNMAP] = "an unmap",
		[VFU_GET_INFO] = "device information",
		[VFU_REGION_INFO] = "region information",
		[VFU_IRQ_INFO] = "interrupt information",
		[VFU_SET_IRQS] = "an eventfd",
		[VFU_REGION_READ] = "a read",
		[VFU_REGION_WRITE] = "a write",
		[VFU_DMA_READ] = "a DMA read by message",
		[VFU_DMA_WRITE] = "a DMA write by message",
		[VFU_RESET] = "a reset",
		[VFU_WRITE_MULTI] = "many writes in a message",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i] && !succeeded[i])
			return names[i];
	return !failed ? "an error" : !dma_done ? "DMA that succeeds" :
	       !dma_failed ? "DMA that fails" :
	       !interrupted ? "an interrupt" : NULL;
}

/* A message that the server may like, or nearly. */
static size_t make_message(uint8_t *to, unsigned int seed)
{
	static const struct {
		uint16_t command;
		size_t len;
	} kinds_of[] = {
		{ VFU_DMA_MAP, 32 }, { VFU_DMA_UNMAP, 24 }, { VFU_GET_INFO, 16 },
		{ VFU_REGION_INFO, 32 }, { VFU_IRQ_INFO, 16 },
		{ VFU_SET_IRQS, 20 }, { VFU_REGION_READ, 16 },
		{ VFU_REGION_WRITE, 20 }, { VFU_RESET, 0 },
		{ VFU_WRITE_MULTI, 32 }, { VFU_DMA_READ, 24 },
		{ VFU_DMA_WRITE, 16 },
	};
	uint32_t words[8] = {};
	size_t i = seed % ARRAY_SIZE(kinds_of);
	size_t len = kinds_of[i].len;
	struct vfu_header hdr = {
		.id = (uint16_t)(1 + (seed >> 8) % 3),
		.command = kinds_of[i].command,
		.size = (uint32_t)(sizeof(hdr) + len),
	};
	unsigned int a = seed >> 12 & 15, b = seed >> 16 & 15;

	switch (hdr.command) {
	case VFU_DMA_MAP:
		words[0] = 32;
		words[1] = a & 3;
		words[2] = b << 12;
		words[4] = (seed >> 20) << 12;
		words[6] = (1 + a) << 12;
		break;
	case VFU_DMA_UNMAP:
		words[0] = 24;
		words[2] = (seed >> 20) << 12;
		words[4] = (1 + a) << 12;
		break;
	case VFU_SET_IRQS:
		words[0] = 20;
		words[1] = 0x20 | 1 << a % 3;
		words[2] = b % 2;
		words[4] = 1;
		break;
	case VFU_REGION_READ:
	case VFU_REGION_WRITE:
		words[0] = (seed >> 20) % 0x40 * 4;
		words[2] = a % 8;
		words[3] = 4;
		words[4] = b;
		break;
	case VFU_WRITE_MULTI:
		words[0] = 1;
		words[2] = (seed >> 20) % 16 * 4;
		words[4] = a % 8;
		words[5] = 1 + b % 8;
		break;
	case VFU_DMA_READ:	/* replies, these */
	case VFU_DMA_WRITE:
		hdr.flags = VFU_REPLY;
		words[0] = b << 12;
		words[2] = 8;
		break;
	default:
		words[0] = 32 + b * 8;
		words[2] = a;
	}
	to[0] = FIX | (hdr.command == VFU_DMA_MAP && b & 1) |
		(hdr.command == VFU_SET_IRQS ? 1 | 1 << FD_KIND_SHIFT : 0);
	to[1] = (uint8_t)hdr.size;
	to[2] = (uint8_t)(hdr.size >> 8);
	memcpy(to + RECORD, &hdr, sizeof(hdr));
	memcpy(to + RECORD + sizeof(hdr), words, len);
	return RECORD + hdr.size;
}

/* Where a record of the input begins, by chance; @size if there is none. */
static size_t some_record(const uint8_t *data, size_t size, unsigned int seed)
{
	size_t at = 1;

	for (unsigned int n = seed % 16; n && at + RECORD <= size; n--)
		at += RECORD + (data[at + 1] | data[at + 2] << 8);
	return hw_min(at, size);
}

/* Half of the time records as such, else any bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed)
{
	uint8_t record[128];
	size_t at, len;

	if (!size) {
		data[0] = 0;
		size = 1;
	}
	if (seed & 1)
		return LLVMFuzzerMutate(data, size, max);
	seed >>= 1;
	at = some_record(data, size, seed >> 4);
	if (seed % 4 || at + RECORD > size) {
		len = make_message(record, seed * 2654435761u);
		if (size + len > max)
			return size;
		memmove(data + at + len, data + at, size - at);
		memcpy(data + at, record, len);
		return size + len;
	}
	len = hw_min((size_t)(RECORD + (data[at + 1] | data[at + 2] << 8)),
		     size - at);
	memmove(data + at, data + at + len, size - at - len);
	return size - len;
}
