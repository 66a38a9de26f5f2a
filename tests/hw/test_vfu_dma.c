// SPDX-License-Identifier: GPL-2.0-only
/* What the client maps for DMA, and DMA by messages. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dummy.h"
#include "session.h"
#include "tap.h"
#include "vfio-user/internal.h"

#define PAGE	HW_PAGE_SIZE
#define READ	VFIO_DMA_MAP_FLAG_READ
#define WRITE	VFIO_DMA_MAP_FLAG_WRITE

#define RAM_BASE 0x40000000ull
#define RAM_SIZE 0x200000ull

static struct dummy dummy;
static struct session session;
static struct client *client = &session.client;

/* RAM that the client has a descriptor for, and RAM without. */
static uint64_t *shared;
static int shared_fd;
static uint8_t *ram;

static bool begin_with(const char *json)
{
	void *host;

	if (dummy_init(&dummy) ||
	    session_start(&session, &dummy.pci, dummy.mem) ||
	    client_version(client, json))
		return false;
	shared_fd = hw_memfd("ram", RAM_SIZE, &host);
	if (shared_fd < 0)
		return false;
	shared = host;
	ram = malloc(RAM_SIZE);
	if (!ram)
		return false;
	for (uint64_t i = 0; i < RAM_SIZE / 8; i++)
		shared[i] = i * 8;
	for (uint64_t i = 0; i < RAM_SIZE; i++)
		ram[i] = (uint8_t)(i * 11 + (i >> 8));
	client->ram = ram;
	client->ram_base = RAM_BASE;
	client->ram_size = RAM_SIZE;
	return true;
}

static bool begin(void)
{
	return begin_with(session_json);
}

static void end(void)
{
	expect_eq(session_end(&session), 0);
	expect_eq(dummy.reentered, 0);
	expect_eq(mem_count(dummy.mem), 0);
	dummy_free(&dummy);
	munmap(shared, RAM_SIZE);
	close(shared_fd);
	free(ram);
}

static int start_dma(enum dummy_command command, uint64_t addr, uint32_t len)
{
	return client_write32(client, 0, DUMMY_ADDR_LO, (uint32_t)addr) ?:
	       client_write32(client, 0, DUMMY_ADDR_HI, addr >> 32) ?:
	       client_write32(client, 0, DUMMY_LEN, len) ?:
	       client_write32(client, 0, DUMMY_COMMAND, command);
}

/* Has the device transfer and waits for it; its errno, positive. */
static int dma(enum dummy_command command, uint64_t addr, uint32_t len)
{
	uint32_t before = dummy.done, done, status;
	int err = start_dma(command, addr, len);

	do {
		if (!err)
			err = client_read32(client, 0, DUMMY_DONE, &done);
		if (err)
			return err;
	} while (done == before);
	return client_read32(client, 0, DUMMY_STATUS, &status) ?: (int)status;
}

static void with_a_file(void)
{
	uint64_t *at;

	expect(begin());
	at = (uint64_t *)dummy.pci.bar[2].host;
	expect_eq(client_map(client, 0, RAM_SIZE, 0, shared_fd, 0), 0);
	close(shared_fd);	/* the client may */
	shared_fd = dup(STDOUT_FILENO);
	expect_eq(dma(DUMMY_DMA_READ, 0x3000, 0x2000), 0);
	expect_eq(at[0], 0x3000);
	expect_eq(at[0x1ff8 / 8], 0x4ff8);
	at[0] = 0x1111;
	expect_eq(dma(DUMMY_DMA_WRITE, 0x100000, 8), 0);
	expect_eq(shared[0x100000 / 8], 0x1111);
	expect_eq(dma(DUMMY_DMA_READ, RAM_SIZE - 8, 16), EFAULT);
	expect_eq(client_unmap(client, 0, RAM_SIZE), 0);
	expect_eq(dma(DUMMY_DMA_READ, 0x3000, 8), EFAULT);
	expect_eq(client->dma_reads, 0);
	end();
}

static void permissions(void)
{
	expect(begin());
	expect_eq(client_map(client, 0, PAGE, READ, shared_fd, 0), 0);
	expect_eq(client_map(client, PAGE, PAGE, WRITE, shared_fd, PAGE), 0);
	expect_eq(dma(DUMMY_DMA_READ, 0, 8), 0);
	expect_eq(dma(DUMMY_DMA_WRITE, 0, 8), EACCES);
	expect_eq(dma(DUMMY_DMA_WRITE, PAGE, 8), 0);
	expect_eq(dma(DUMMY_DMA_READ, PAGE, 8), EACCES);
	expect_eq(client_map(client, RAM_BASE, PAGE, READ, -1, 0), 0);
	expect_eq(dma(DUMMY_DMA_READ, RAM_BASE, 8), 0);
	expect_eq(dma(DUMMY_DMA_WRITE, RAM_BASE, 8), EACCES);
	expect_eq(client->dma_reads, 1);
	expect_eq(client->dma_writes, 0);
	end();
}

/* What firmware does to the low megabyte, from a log of QEMU. */
static void firmware(void)
{
	uint64_t *at;

	expect(begin());
	at = (uint64_t *)dummy.pci.bar[2].host;
	expect_eq(client_map(client, 0, RAM_SIZE, 0, shared_fd, 0), 0);
	expect_eq(client_unmap(client, 0, RAM_SIZE), 0);
	expect_eq(client_map(client, 0, 0xc0000, 0, shared_fd, 0), 0);
	expect_eq(client_map(client, 0xc0000, 0x20000, READ, -1, 0), 0);
	expect_eq(client_map(client, 0xe0000, 0x20000, READ, -1, 0), 0);
	expect_eq(client_map(client, 0x100000, 0x100000, 0, shared_fd, 0x100000),
		  0);
	expect_eq(client_unmap(client, 0xc0000, 0x20000), 0);
	expect_eq(client_map(client, 0xc0000, 0x15000, READ, shared_fd, 0xc0000),
		  0);
	expect_eq(client_map(client, 0xd5000, 0xb000, 0, shared_fd, 0xd5000), 0);
	expect_eq(dma(DUMMY_DMA_READ, 0xbf000, 0x3000), 0);
	expect_eq(at[0x1000 / 8], 0xc0000);
	expect_eq(at[0x2ff8 / 8], 0xc1ff8);
	expect_eq(dma(DUMMY_DMA_WRITE, 0xd4ff8, 8), EACCES);
	expect_eq(dma(DUMMY_DMA_WRITE, 0xd5000, 8), 0);

	/* The middle of a range, a part of two, and what was never there. */
	expect_eq(client_unmap(client, 0x10000, 0x4000), 0);
	expect_eq(dma(DUMMY_DMA_READ, 0xf000, PAGE), 0);
	expect_eq(dma(DUMMY_DMA_READ, 0x10000, PAGE), EFAULT);
	expect_eq(dma(DUMMY_DMA_READ, 0x13000, PAGE), EFAULT);
	expect_eq(dma(DUMMY_DMA_READ, 0x14000, PAGE), 0);
	expect_eq(at[0], 0x14000);
	expect_eq(client_unmap(client, 0xd0000, 0x8000), 0);
	expect_eq(dma(DUMMY_DMA_READ, 0xcf000, PAGE), 0);
	expect_eq(dma(DUMMY_DMA_READ, 0xd4000, PAGE), EFAULT);
	expect_eq(dma(DUMMY_DMA_READ, 0xd8000, PAGE), 0);
	expect_eq(client_unmap(client, 0x7000000000, 0x1000), 0);
	expect_eq(client_unmap(client, 1ull << 63, 1ull << 63), 0);
	expect_eq(client_unmap(client, 0, 1ull << 63), 0);
	expect_eq(mem_count(dummy.mem), 0);
	end();
}

static void unmap_all(void)
{
	struct vfu_dma_unmap reply, msg = {
		.argsz = sizeof(msg), .flags = VFIO_DMA_UNMAP_FLAG_ALL,
	};

	expect(begin());
	expect_eq(client_map(client, 0, PAGE, 0, shared_fd, 0), 0);
	expect_eq(client_map(client, -(uint64_t)PAGE, PAGE, 0, -1, 0), 0);
	msg.size = PAGE;
	expect_eq(client_call(client, VFU_DMA_UNMAP, &msg, sizeof(msg), NULL, 0,
			      &reply, sizeof(reply), NULL), -EINVAL);
	expect_eq(mem_count(dummy.mem), 2);
	msg.size = 0;
	expect_eq(client_call(client, VFU_DMA_UNMAP, &msg, sizeof(msg), NULL, 0,
			      &reply, sizeof(reply), NULL), 0);
	expect(!memcmp(&msg, &reply, sizeof(msg)));
	expect_eq(mem_count(dummy.mem), 0);
	end();
}

static void bad_maps(void)
{
	int pipe_fds[2], readonly, two[2], open_fds;
	char path[32];

	expect(begin());
	expect(!pipe2(pipe_fds, O_CLOEXEC));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", shared_fd);
	readonly = open(path, O_RDONLY | O_CLOEXEC);
	two[0] = two[1] = shared_fd;
	open_fds = tap_open_fds();

	struct vfu_dma_map two_fds = {
		.argsz = sizeof(two_fds), .flags = READ, .size = PAGE,
	};

	expect_eq(client_call(client, VFU_DMA_MAP, &two_fds, sizeof(two_fds), two,
			      2, NULL, 0, NULL), -EINVAL);
	two_fds.argsz--;
	expect_eq(client_call(client, VFU_DMA_MAP, &two_fds, sizeof(two_fds), two,
			      1, NULL, 0, NULL), -EINVAL);
	two_fds.argsz++;
	two_fds.flags = 0;
	expect_eq(client_call(client, VFU_DMA_MAP, &two_fds, sizeof(two_fds), two,
			      1, NULL, 0, NULL), -EINVAL);
	expect_eq(client_map(client, 0, PAGE, READ | 4, shared_fd, 0), -EINVAL);
	expect_eq(client_map(client, 1, PAGE, 0, shared_fd, 0), -EINVAL);
	expect_eq(client_map(client, 0, PAGE - 1, 0, shared_fd, 0), -EINVAL);
	expect_eq(client_map(client, 0, 0, 0, shared_fd, 0), -EINVAL);
	expect_eq(client_map(client, PAGE, -(uint64_t)PAGE, 0, shared_fd, 0),
		  -EINVAL);
	expect_eq(client_map(client, 2 * PAGE, -(uint64_t)PAGE, 0, -1, 0),
		  -EINVAL);
	expect_eq(client_map(client, 0, PAGE, 0, shared_fd, RAM_SIZE), -EINVAL);
	expect_eq(client_map(client, 0, PAGE, 0, shared_fd, -(uint64_t)PAGE),
		  -EINVAL);
	expect_eq(client_map(client, 0, RAM_SIZE + PAGE, 0, shared_fd, 0),
		  -EINVAL);
	expect_eq(client_map(client, 0, PAGE, 0, pipe_fds[0], 0), -EINVAL);
	expect_eq(client_map(client, 0, PAGE, 0, readonly, 0), -EACCES);
	expect_eq(client_unmap(client, 1, PAGE), -EINVAL);
	expect_eq(client_unmap(client, 0, 0), -EINVAL);
	expect_eq(client_unmap(client, 2 * PAGE, -(uint64_t)PAGE), -EINVAL);
	expect_eq(mem_count(dummy.mem), 0);

	expect_eq(client_map(client, 0, 4 * PAGE, 0, shared_fd, 0), 0);
	expect_eq(client_map(client, 0, 4 * PAGE, 0, shared_fd, 0), -EEXIST);
	expect_eq(client_map(client, 3 * PAGE, 2 * PAGE, 0, -1, 0), -EEXIST);
	expect_eq(mem_count(dummy.mem), 1);
	expect_eq(tap_open_fds(), open_fds);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(readonly);
	end();
}

/* As QEMU does within a transaction: nobody waits for each of many. */
static int map_later(uint64_t address, int fd, uint64_t offset)
{
	struct vfu_dma_map msg = {
		.argsz = sizeof(msg), .flags = READ | WRITE,
		.offset = offset, .address = address, .size = PAGE,
	};

	return client_send(client, VFU_DMA_MAP, VFU_NO_REPLY, &msg, sizeof(msg),
			   &fd, fd >= 0);
}

static int unmap_later(uint64_t address)
{
	struct vfu_dma_unmap msg = {
		.argsz = sizeof(msg), .address = address, .size = PAGE,
	};

	return client_send(client, VFU_DMA_UNMAP, VFU_NO_REPLY, &msg,
			   sizeof(msg), NULL, 0);
}

/* What is before it in the stream is done when this returns. */
static int barrier(void)
{
	uint32_t value;

	return client_read32(client, 0, DUMMY_ID, &value);
}

/* A driver behind an IOMMU: pages one by one, from the top down. */
static void ten_thousand(void)
{
	const uint64_t top = 0xfffff000;
	uint64_t start;
	int open_fds;

	expect(begin());
	open_fds = tap_open_fds();
	start = hw_now();
	for (uint64_t i = 0; i < 10000; i++)
		expect_eq(map_later(top - i * PAGE, shared_fd,
				    i * 7 % 512 * PAGE), 0);
	expect_eq(barrier(), 0);
	printf("# %llu ns a map\n",
	       (unsigned long long)(hw_now() - start) / 10000);
	expect_eq(mem_count(dummy.mem), 10000);
	expect_eq(tap_open_fds(), open_fds);
	expect_eq(dma(DUMMY_DMA_READ, top - 9999 * PAGE, 0x1000000), 0);
	expect_eq(*(uint64_t *)dummy.pci.bar[2].host, 9999 * 7 % 512 * PAGE);
	for (uint64_t i = 0; i < 10000; i += 3)
		expect_eq(unmap_later(top - i * PAGE), 0);
	expect_eq(barrier(), 0);
	expect_eq(mem_count(dummy.mem), 6666);
	expect_eq(dma(DUMMY_DMA_READ, top, 8), EFAULT);
	expect_eq(dma(DUMMY_DMA_READ, top - PAGE, 8), 0);
	expect_eq(client_unmap(client, 0, 1ull << 32), 0);
	expect_eq(mem_count(dummy.mem), 0);
	end();
}

static void too_many(void)
{
	expect(begin());
	for (uint64_t i = 0; i < VFU_DEFAULT_DMA_MAPS; i++)
		expect_eq(map_later(i * PAGE, -1, 0), 0);
	expect_eq(client_map(client, 1ull << 40, PAGE, 0, -1, 0), -ENOSPC);
	expect_eq(mem_count(dummy.mem), VFU_DEFAULT_DMA_MAPS);
	expect_eq(client_unmap(client, 0, PAGE), 0);
	expect_eq(client_map(client, 1ull << 40, PAGE, 0, -1, 0), 0);
	end();
}

static void by_messages(void)
{
	uint8_t *at;

	expect(begin());
	at = dummy.pci.bar[2].host;
	expect_eq(client_map(client, RAM_BASE, RAM_SIZE, 0, -1, 0), 0);
	expect_eq(dma(DUMMY_DMA_READ, RAM_BASE + 5, 0x100001), 0);
	expect(!memcmp(at, ram + 5, 0x100001));
	expect_eq(client->dma_reads, 9);	/* 128 KiB each */
	memset(at, 0x3c, 0x30000);
	expect_eq(dma(DUMMY_DMA_WRITE, RAM_BASE + 0x1000, 0x30000), 0);
	expect(!memcmp(at, ram + 0x1000, 0x30000));
	expect_eq(client->dma_writes, 2);
	end();

	/* A client that takes less gets less. */
	expect(begin_with("{\"capabilities\":{\"max_data_xfer_size\":4096}}"));
	expect_eq(client_map(client, RAM_BASE, RAM_SIZE, 0, -1, 0), 0);
	expect_eq(dma(DUMMY_DMA_READ, RAM_BASE, 0x10000), 0);
	expect_eq(client->dma_reads, 16);
	expect(!memcmp(dummy.pci.bar[2].host, ram, 0x10000));
	end();
}

static uint32_t busy_seen, scratch_seen;
static unsigned int work_seen;

/* A processor that has to finish its access before memory can be read. */
static bool access_first(struct client *c, const struct vfu_header *hdr,
			 const struct vfu_dma_access *access)
{
	struct vfu_header answered = *hdr;
	struct vfu_dma_access copy = *access;

	c->on_dma = NULL;
	work_seen = dummy.work_calls;
	if (client_read32(c, 0, DUMMY_BUSY, &busy_seen) ||
	    client_write32(c, 0, DUMMY_SCRATCH, 0xabcd) ||
	    client_read32(c, 0, DUMMY_SCRATCH, &scratch_seen))
		tap_complain(__FILE__, __LINE__, "nested accesses");
	work_seen = dummy.work_calls - work_seen;
	return !client_answer_dma(c, &answered, &copy);
}

static void nested_access(void)
{
	expect(begin());
	expect_eq(client_map(client, RAM_BASE, RAM_SIZE, 0, -1, 0), 0);
	client->on_dma = access_first;
	expect_eq(dma(DUMMY_DMA_READ, RAM_BASE, 64), 0);
	expect(!client->on_dma);
	expect(!memcmp(dummy.pci.bar[2].host, ram, 64));
	expect_eq(busy_seen, 1);
	expect_eq(scratch_seen, 0xabcd);
	expect_eq(work_seen, 0);

	/* The same with DMA that a register write waits for. */
	client->on_dma = access_first;
	busy_seen = 0;
	expect_eq(dma(DUMMY_DMA_READ_NOW, RAM_BASE + 64, 64), 0);
	expect_eq(busy_seen, 1);
	expect(!memcmp(dummy.pci.bar[2].host, ram + 64, 64));
	end();
}

/* A doorbell that rings while work waits. */
static bool ring_first(struct client *c, const struct vfu_header *hdr,
		       const struct vfu_dma_access *access)
{
	struct vfu_header answered = *hdr;
	struct vfu_dma_access copy = *access;

	c->on_dma = NULL;
	return !client_write32(c, 0, DUMMY_COMMAND, DUMMY_DMA_READ) &&
	       !client_answer_dma(c, &answered, &copy);
}

/* Work is asked again at once, though no message follows. */
static void doorbell_meanwhile(void)
{
	struct {
		struct vfu_region_access access;
		uint32_t value;
	} msg = { { .offset = DUMMY_COMMAND, .count = 4 }, DUMMY_DMA_READ };
	struct vfu_dma_access access;
	struct vfu_header hdr;

	expect(begin());
	expect_eq(client_map(client, RAM_BASE, RAM_SIZE, 0, -1, 0), 0);
	expect_eq(start_dma(0, RAM_BASE, 64), 0);
	expect_eq(client_send(client, VFU_REGION_WRITE, VFU_NO_REPLY, &msg, 20,
			      NULL, 0), 0);
	expect_eq(client_receive(client, &hdr, &access, sizeof(access)), 0);
	expect(ring_first(client, &hdr, &access));
	expect_eq(client_receive(client, &hdr, &access, sizeof(access)), 0);
	expect_eq(hdr.command, VFU_DMA_READ);
	expect_eq(dummy.done, 1);
	expect_eq(client_answer_dma(client, &hdr, &access), 0);
	expect_eq(barrier(), 0);
	expect_eq(dummy.done, 2);
	end();
}

/* The client takes a range away that is being read. */
static bool unmap_first(struct client *c, const struct vfu_header *hdr,
			const struct vfu_dma_access *access)
{
	struct vfu_header answered = *hdr;
	struct vfu_dma_access copy = *access;

	c->on_dma = NULL;
	return !client_unmap(c, RAM_BASE, RAM_SIZE) &&
	       !client_answer_dma(c, &answered, &copy);
}

static void unmapped_meanwhile(void)
{
	expect(begin());
	expect_eq(client_map(client, RAM_BASE, RAM_SIZE, 0, -1, 0), 0);
	client->on_dma = unmap_first;
	expect_eq(dma(DUMMY_DMA_READ, RAM_BASE, 64), 0);
	expect_eq(mem_count(dummy.mem), 0);
	expect_eq(dma(DUMMY_DMA_READ, RAM_BASE, 64), EFAULT);
	end();
}

static unsigned int depth, deepest;

/* Answers each DMA request with a register write that needs one more. */
static bool go_deeper(struct client *c, const struct vfu_header *hdr,
		      const struct vfu_dma_access *access)
{
	struct vfu_header answered = *hdr;
	struct vfu_dma_access copy = *access;

	if (++depth > deepest)
		deepest = depth;
	if (client_write32(c, 0, DUMMY_COMMAND, DUMMY_DMA_READ_NOW))
		tap_complain(__FILE__, __LINE__, "deeper");
	depth--;
	return !client_answer_dma(c, &answered, &copy);
}

static void depth_is_bounded(void)
{
	expect(begin());
	expect_eq(client_map(client, RAM_BASE, RAM_SIZE, 0, -1, 0), 0);
	deepest = 0;
	client->on_dma = go_deeper;
	expect_eq(start_dma(DUMMY_DMA_READ_NOW, RAM_BASE, 8), 0);
	expect_eq(deepest, VFU_DMA_DEPTH);
	expect_eq(dummy.done, VFU_DMA_DEPTH + 1);
	expect_eq(dummy.status, 0);	/* the outermost ends last */
	client->on_dma = NULL;
	expect_eq(dma(DUMMY_DMA_READ, RAM_BASE, 8), 0);
	end();
}

static enum {
	ERROR_REPLY, SHORT_REPLY, LONG_REPLY, OTHER_COMMAND, OTHER_ADDRESS,
	OTHER_ID_FIRST, BARE_REPLY, NO_ANSWER, GOOD_REPLY,
} answer;

static bool answer_badly(struct client *c, const struct vfu_header *hdr,
			 const struct vfu_dma_access *access)
{
	struct {
		struct vfu_header hdr;
		struct vfu_dma_access access;
		uint8_t data[72];
	} reply = {
		.hdr = *hdr, .access = *access,
	};
	size_t len = sizeof(struct vfu_header) + sizeof(*access) + 64;

	if (answer == NO_ANSWER)
		return true;
	reply.hdr.flags = VFU_REPLY;
	if (answer == ERROR_REPLY) {
		reply.hdr.flags |= VFU_ERROR;
		len = sizeof(struct vfu_header);
	}
	if (answer == BARE_REPLY)
		len = sizeof(struct vfu_header);
	if (answer == SHORT_REPLY)
		len--;
	if (answer == LONG_REPLY)
		len += 8;
	if (answer == OTHER_COMMAND)
		reply.hdr.command = VFU_DMA_WRITE;
	if (answer == OTHER_ADDRESS)
		reply.access.address++;
	reply.hdr.size = (uint32_t)len;
	memset(reply.data, 0x99, sizeof(reply.data));
	if (answer == OTHER_ID_FIRST) {
		reply.hdr.id++;
		client_send_raw(c, &reply, len, NULL, 0);
		reply.hdr.id--;
		memset(reply.data, 0x66, sizeof(reply.data));
	}
	return !client_send_raw(c, &reply, len, NULL, 0);
}

static void bad_replies(void)
{
	static const struct {
		int answer, status;
	} cases[] = {
		{ ERROR_REPLY, EIO }, { SHORT_REPLY, EIO }, { LONG_REPLY, EIO },
		{ OTHER_COMMAND, EIO }, { OTHER_ADDRESS, EIO },
		{ OTHER_ID_FIRST, 0 }, { BARE_REPLY, EIO }, { GOOD_REPLY, 0 },
	};

	expect(begin());
	expect_eq(client_map(client, RAM_BASE, RAM_SIZE, 0, -1, 0), 0);
	client->on_dma = answer_badly;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		answer = cases[i].answer;
		expect_eq(dma(DUMMY_DMA_READ, RAM_BASE, 64), cases[i].status);
		if (answer == OTHER_ID_FIRST)
			expect_eq(dummy.pci.bar[2].host[0], 0x66);
	}
	/* A reply to nothing is no reason to end. */
	answer = GOOD_REPLY;
	expect(answer_badly(client, &(struct vfu_header){ .id = 4711 },
			    &(struct vfu_dma_access){}));
	expect_eq(dma(DUMMY_DMA_READ, RAM_BASE, 64), 0);
	end();
}

static void no_reply(void)
{
	expect(begin());
	session.vfu->patience = 50;
	expect_eq(client_map(client, RAM_BASE, RAM_SIZE, 0, -1, 0), 0);
	client->on_dma = answer_badly;
	answer = NO_ANSWER;
	/* It polls meanwhile: being served does not prolong the wait. */
	expect_eq(dma(DUMMY_DMA_READ, RAM_BASE, 64), EIO);
	answer = GOOD_REPLY;
	expect_eq(dma(DUMMY_DMA_READ, RAM_BASE, 64), 0);
	end();
}

/* The client goes away while the device waits for it. */
static void death_while_waiting(void)
{
	static const enum dummy_command commands[] = {
		DUMMY_DMA_READ, DUMMY_DMA_WRITE, DUMMY_DMA_READ_NOW,
	};
	struct vfu_header hdr;
	static uint8_t buf[0x40000];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct {
			struct vfu_region_access access;
			uint32_t value;
		} msg = { { .offset = DUMMY_COMMAND, .count = 4 }, commands[i] };

		expect(begin());
		expect_eq(client_map(client, RAM_BASE, RAM_SIZE, 0, -1, 0), 0);
		expect_eq(start_dma(0, RAM_BASE, 0x40000), 0);
		expect_eq(client_send(client, VFU_REGION_WRITE, VFU_NO_REPLY,
				      &msg, 20, NULL, 0), 0);
		/* Its request is here, so it waits now. */
		expect_eq(client_receive(client, &hdr, buf, sizeof(buf)), 0);
		expect_eq(hdr.flags, VFU_REQUEST);
		expect_eq(session_end(&session), 0);
		expect_eq(dummy.status, EIO);
		expect_eq(dummy.reentered, 0);
		dummy_free(&dummy);
		munmap(shared, RAM_SIZE);
		close(shared_fd);
		free(ram);
	}
}

static const struct tap_test tests[] = {
	{ "memory with a file", with_a_file },
	{ "permissions", permissions },
	{ "what firmware maps and unmaps", firmware },
	{ "unmap of everything", unmap_all },
	{ "what cannot be mapped", bad_maps },
	{ "10000 pages of one file", ten_thousand },
	{ "more ranges than agreed on", too_many },
	{ "memory by messages", by_messages },
	{ "a register access while DMA waits", nested_access },
	{ "a doorbell while DMA waits", doorbell_meanwhile },
	{ "an unmap while DMA waits", unmapped_meanwhile },
	{ "how deep DMA may wait in DMA", depth_is_bounded },
	{ "replies that do not fit", bad_replies },
	{ "no reply", no_reply },
	{ "a client that dies while DMA waits", death_while_waiting },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
