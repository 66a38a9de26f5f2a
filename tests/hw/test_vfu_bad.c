// SPDX-License-Identifier: GPL-2.0-only
/* Clients that break the protocol, or just go. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dummy.h"
#include "session.h"
#include "tap.h"
#include "vfio-user/internal.h"

static struct dummy dummy;
static struct session session;
static struct client *client = &session.client;

static bool begin(void)
{
	return !dummy_init(&dummy) &&
	       !session_open(&session, &dummy.pci, dummy.mem);
}

static void end_as(int status)
{
	expect_eq(session_end(&session), status);
	expect_eq(dummy.reentered, 0);
	expect_eq(mem_count(dummy.mem), 0);
	dummy_free(&dummy);
}

/* Whether the connection still works. */
static int alive(void)
{
	uint32_t value;

	return client_read32(client, 0, DUMMY_ID, &value);
}

/* Payloads one byte too short and one too long. */
static void lengths(void)
{
	static const struct {
		uint16_t command;
		unsigned int good;
	} commands[] = {
		{ VFU_DMA_MAP, 32 }, { VFU_DMA_UNMAP, 24 }, { VFU_GET_INFO, 16 },
		{ VFU_REGION_INFO, 32 }, { VFU_IRQ_INFO, 16 },
		{ VFU_SET_IRQS, 20 }, { VFU_REGION_READ, 16 },
		{ VFU_REGION_WRITE, 16 }, { VFU_RESET, 0 },
		{ VFU_WRITE_MULTI, 8 },
	};
	uint8_t data[64] = {}, reply[64];
	size_t len;

	expect(begin());
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		for (int n = -1; n <= 1; n += 2) {
			size_t size = commands[i].good + n;

			if (size > sizeof(data))
				continue;
			expect_eq(client_call(client, commands[i].command, data,
					      size, NULL, 0, reply,
					      sizeof(reply), &len), -EINVAL);
		}
		expect_eq(client_call(client, commands[i].command, NULL, 0, NULL,
				      0, reply, sizeof(reply), &len),
			  commands[i].good ? -EINVAL : 0);
	}
	expect_eq(dummy.resets, 1);
	expect_eq(alive(), 0);
	end_as(0);
}

static void commands(void)
{
	static const uint16_t unknown[] = {
		0, VFU_REGION_IO_FDS, VFU_DMA_READ, VFU_DMA_WRITE, 14,
		VFU_FEATURE, VFU_MIG_DATA_READ, VFU_MIG_DATA_WRITE, 19, 255,
		0x8000, 0xffff,
	};
	uint8_t data[32] = {};

	expect(begin());
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		expect_eq(client_call(client, unknown[i], data, sizeof(data),
				      NULL, 0, NULL, 0, NULL), -EOPNOTSUPP);
	expect_eq(alive(), 0);
	end_as(0);
}

/* The write's count and what comes do not agree. */
static void counts(void)
{
	struct {
		struct vfu_region_access access;
		uint8_t data[8];
	} msg = { .access = { .offset = DUMMY_SCRATCH } };
	static const uint32_t wrong[] = { 0, 4, 7, 9, 16, UINT32_MAX };

	expect(begin());
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		msg.access.count = wrong[i];
		expect_eq(client_call(client, VFU_REGION_WRITE, &msg, 24, NULL,
				      0, &msg, sizeof(msg.access), NULL),
			  -EINVAL);
	}
	msg.access.count = UINT32_MAX;
	expect_eq(client_call(client, VFU_REGION_READ, &msg, 16, NULL, 0, NULL,
			      0, NULL), -EINVAL);
	msg.access = (struct vfu_region_access){
		.region = 2, .count = VFU_DEFAULT_XFER_SIZE + 1,
	};
	expect_eq(client_call(client, VFU_REGION_READ, &msg, 16, NULL, 0, NULL,
			      0, NULL), -EINVAL);
	expect_eq(alive(), 0);
	end_as(0);
}

/* Headers after which nobody knows where the next one is. */
static void headers(void)
{
	static const struct {
		struct vfu_header hdr;
		bool reply;
	} bad[] = {
		{ { 1, VFU_RESET, 0, 0, 0 }, false },
		{ { 1, VFU_RESET, 15, 0, 0 }, false },
		{ { 1, VFU_RESET, 16, 2, 0 }, false },
		{ { 1, VFU_RESET, 16, 15, 0 }, false },
		{ { 1, VFU_REGION_WRITE, VFU_MAX_MESSAGE + 1, 0, 0 }, true },
		{ { 1, VFU_REGION_WRITE, UINT32_MAX, 0, 0 }, true },
		{ { 1, VFU_DMA_READ, UINT32_MAX, VFU_REPLY, 0 }, true },
	};
	struct vfu_header hdr;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		expect(begin());
		expect_eq(client_send_raw(client, &bad[i].hdr, sizeof(hdr), NULL,
					  0), 0);
		if (bad[i].reply) {
			expect_eq(client_receive(client, &hdr, NULL, 0), 0);
			expect_eq(hdr.flags, VFU_REPLY | VFU_ERROR);
			expect_eq(hdr.error, EMSGSIZE);
		}
		expect_eq(client_receive(client, &hdr, NULL, 0), -ECONNRESET);
		expect_eq(dummy.resets, 0);
		end_as(-EPROTO);
	}
}

static void descriptors(void)
{
	struct vfu_header hdr = { 1, VFU_RESET, 16, 0, 0 };
	struct vfu_dma_map map = {
		.argsz = sizeof(map), .flags = 3, .size = HW_PAGE_SIZE,
	};
	int fds[20], open_fds, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 20; i++)
		fds[i] = null;
	expect(begin());
	open_fds = tap_open_fds();
	for (unsigned int n = 1; n <= 20; n++) {
		struct vfu_header reply;

		expect_eq(client_send_raw(client, &hdr, sizeof(hdr), fds, n), 0);
		expect_eq(client_receive(client, &reply, NULL, 0), 0);
		expect_eq(reply.error, EINVAL);
		expect_eq(client_call(client, VFU_DMA_MAP, &map, sizeof(map), fds,
				      n, NULL, 0, NULL), -EINVAL);
	}
	expect_eq(tap_open_fds(), open_fds);

	/* With a reply to nothing, and in the middle of a message. */
	hdr.flags = VFU_REPLY;
	expect_eq(client_send_raw(client, &hdr, sizeof(hdr), fds, 3), 0);
	hdr.flags = 0;
	expect_eq(client_send_raw(client, &hdr, 7, fds, 8), 0);
	expect_eq(client_send_raw(client, (char *)&hdr + 7, 9, fds, 8), 0);
	struct vfu_header reply;

	expect_eq(client_receive(client, &reply, NULL, 0), 0);
	expect_eq(reply.error, EINVAL);
	expect_eq(dummy.resets, 0);
	expect_eq(client_reset(client), 0);
	expect_eq(tap_open_fds(), open_fds);
	end_as(0);
	close(null);
}

/* A message byte by byte is a message. */
static void pieces(void)
{
	struct {
		struct vfu_header hdr;
		struct vfu_dma_map map;
	} msg = {
		{ 77, VFU_DMA_MAP, sizeof(msg), 0, 0 },
		{ .argsz = 32, .flags = 3, .size = HW_PAGE_SIZE },
	};
	struct vfu_header reply;
	void *host;
	int fd = hw_memfd("test", HW_PAGE_SIZE, &host);

	expect(begin());
	for (size_t i = 0; i < sizeof(msg); i++)
		expect_eq(client_send_raw(client, (char *)&msg + i, 1, &fd,
					  i == 20), 0);
	expect_eq(client_receive(client, &reply, NULL, 0), 0);
	expect_eq(reply.id, 77);
	expect_eq(reply.flags, VFU_REPLY);
	expect_eq(mem_count(dummy.mem), 1);
	end_as(0);
	munmap(host, HW_PAGE_SIZE);
	close(fd);
}

/* A session that touches everything, as bytes. */
static size_t recording(uint8_t *buf, int *fd_at)
{
	struct {
		struct vfu_header hdr;
		struct vfu_version version;
	} version = { { 1, VFU_VERSION, 20, 0, 0 }, { 0, 0 } };
	struct {
		struct vfu_header hdr;
		struct vfu_dma_map map;
	} map = {
		{ 2, VFU_DMA_MAP, 48, 0, 0 },
		{ .argsz = 32, .flags = 3, .size = HW_PAGE_SIZE },
	};
	struct {
		struct vfu_header hdr;
		struct vfu_irq_set set;
	} irq = {
		{ 3, VFU_SET_IRQS, 36, 0, 0 },
		{ 20, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		  VFIO_PCI_MSI_IRQ_INDEX, 0, 1 },
	};
	struct {
		struct vfu_header hdr;
		struct vfu_region_access access;
		uint32_t value;
	} write = {
		{ 4, VFU_REGION_WRITE, 36, 0, 0 }, { DUMMY_SCRATCH, 0, 4 }, 7,
	};
	size_t n = 0;

	memcpy(buf + n, &version, 20);
	n += 20;
	fd_at[0] = (int)n;
	memcpy(buf + n, &map, 48);
	n += 48;
	fd_at[1] = (int)n;
	memcpy(buf + n, &irq, 36);
	n += 36;
	memcpy(buf + n, &write, 36);
	return n + 36;
}

/* The client goes after each byte of it, reading the replies or not. */
static void death_anywhere(void)
{
	uint8_t bytes[256], reply[512];
	int fd_at[2], fds[2], open_fds;
	size_t len = recording(bytes, fd_at);
	void *host;

	fds[0] = fds[1] = hw_memfd("test", HW_PAGE_SIZE, &host);
	expect_eq(dummy_init(&dummy), 0);
	open_fds = tap_open_fds();
	for (size_t n = 0; n <= len; n++) {
		expect_eq(session_start(&session, &dummy.pci, dummy.mem), 0);
		for (size_t i = 0; i < n; i++) {
			bool fd = i == (size_t)fd_at[0] || i == (size_t)fd_at[1];

			expect_eq(client_send_raw(client, bytes + i, 1, fds, fd),
				  0);
		}
		/* The last time all of it is answered. */
		for (int i = n == len ? 4 : n % 2 && n > 20; i; i--) {
			struct vfu_header hdr;

			expect_eq(client_receive(client, &hdr, reply,
						 sizeof(reply)), 0);
			expect_eq(hdr.flags, VFU_REPLY);
		}
		expect_eq(session_end(&session), 0);
		expect_eq(mem_count(dummy.mem), 0);
		expect_eq(dummy.pci.msi_fd, -1);
		expect_eq(tap_open_fds(), open_fds);
	}
	expect_eq(dummy.scratch, 7);
	dummy_free(&dummy);
	munmap(host, HW_PAGE_SIZE);
	close(fds[0]);
}

/* A client that stops in the middle is not waited for without end. */
static void stalls(void)
{
	struct vfu_header hdr = { 1, VFU_REGION_WRITE, 64, 0, 0 };
	struct vfu_header reply;

	expect(begin());
	session.vfu->patience = 50;
	expect_eq(client_send_raw(client, &hdr, sizeof(hdr), NULL, 0), 0);
	expect_eq(client_receive(client, &reply, NULL, 0), -ECONNRESET);
	end_as(-ETIMEDOUT);

	/* So is one that does not read. */
	expect(begin());
	session.vfu->patience = 50;
	struct vfu_region_access read = { .region = 2, .count = 1 << 20 };

	for (int i = 0; i < 4; i++)
		client_send(client, VFU_REGION_READ, 0, &read, sizeof(read), NULL,
			    0);
	pthread_join(session.thread, NULL);
	expect_eq(session.end, -ETIMEDOUT);
	client_close(client);
	vfu_free(session.vfu);
	dummy_free(&dummy);
}

/* Many messages that nobody waits for, then death: SIGPIPE would end us. */
static void flood(void)
{
	expect(begin());
	for (int i = 0; i < 200; i++)
		expect_eq(client_send(client, 99, i % 2 ? VFU_NO_REPLY : 0, NULL,
				      0, NULL, 0), 0);
	end_as(0);
}

static char path[64];

static void listening(void)
{
	struct client first;
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct vfu *vfu, *other;
	char too_long[200];
	struct stat st;
	int status, fd;
	pid_t child;

	expect_eq(dummy_init(&dummy), 0);
	vfu = vfu_new(&dummy.pci, dummy.mem);
	expect_eq(vfu_run(vfu), -ENOTCONN);
	memset(too_long, 'a', sizeof(too_long));
	too_long[sizeof(too_long) - 1] = '\0';
	expect_eq(vfu_listen(vfu, too_long), -ENAMETOOLONG);
	expect_eq(vfu_listen(vfu, "/nonexistent/socket"), -ENOENT);

	/* A socket that was left behind is replaced. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(name.sun_path, path);
	expect(!bind(fd, (void *)&name, sizeof(name)));
	close(fd);
	expect_eq(vfu_listen(vfu, path), 0);
	/* One that is in use is not, nor is what is no socket. */
	other = vfu_new(&dummy.pci, dummy.mem);
	expect_eq(vfu_listen(other, path), -EADDRINUSE);
	vfu_free(other);
	expect(!stat(path, &st));

	/* Two clients, one after the other. */
	for (int i = 0; i < 2; i++) {
		child = fork();
		if (!child) {
			uint32_t value = 0;

			_exit(client_connect(&first, path) ||
			      client_version(&first, session_json) ||
			      client_map(&first, 0, HW_PAGE_SIZE, 0, -1, 0) ||
			      client_read32(&first, 0, DUMMY_ID, &value) ||
			      value != DUMMY_ID_VALUE);
		}
		expect_eq(vfu_run(vfu), 0);
		waitpid(child, &status, 0);
		expect_eq(status, 0);
		expect_eq(mem_count(dummy.mem), 0);
	}
	vfu_free(vfu);
	expect(stat(path, &st) && errno == ENOENT);

	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	expect(fd >= 0);
	close(fd);
	vfu = vfu_new(&dummy.pci, dummy.mem);
	expect_eq(vfu_listen(vfu, path), -EADDRINUSE);
	vfu_free(vfu);
	expect(!stat(path, &st));
	unlink(path);
	dummy_free(&dummy);
}

/* The client is killed, not closed. */
static void killed_client(void)
{
	struct client first;
	struct vfu *vfu;
	pid_t child;

	expect_eq(dummy_init(&dummy), 0);
	vfu = vfu_new(&dummy.pci, dummy.mem);
	expect_eq(vfu_listen(vfu, path), 0);
	child = fork();
	if (!child) {
		struct vfu_region_access read = { .region = 2, .count = 1 << 20 };

		if (client_connect(&first, path) ||
		    client_version(&first, session_json))
			_exit(1);
		for (;;)
			client_send(&first, VFU_REGION_READ, 0, &read,
				    sizeof(read), NULL, 0) ?
				_exit(2) : (void)kill(getpid(), SIGKILL);
	}
	expect_eq(vfu_run(vfu), 0);
	waitpid(child, NULL, 0);
	vfu_free(vfu);
	dummy_free(&dummy);
}

static const struct tap_test tests[] = {
	{ "lengths that do not fit", lengths },
	{ "commands that there are not", commands },
	{ "counts that do not fit", counts },
	{ "headers that make no sense", headers },
	{ "descriptors that nobody asked for", descriptors },
	{ "a message in pieces", pieces },
	{ "a client that dies at any byte", death_anywhere },
	{ "a client that stops", stalls },
	{ "a client that does not listen", flood },
	{ "sockets", listening },
	{ "a client that is killed", killed_client },
};

int main(int argc, char **argv)
{
	snprintf(path, sizeof(path), "/tmp/test-vfu-%d", (int)getpid());
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
