// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server's side of QEMU's ivshmem client-server protocol, version 0
 * (docs/specs/ivshmem-spec.rst of QEMU): messages are 8 bytes, little endian, some with
 * a file. A client is told the version, its ID, and -1 with the memory; then for each
 * client that is there, itself last, the ID with an eventfd for each vector, by which it
 * is interrupted. An ID without a file says that this client has gone. Clients send
 * nothing.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server.h"

#define PROTOCOL_VERSION	0
#define MEMORY			-1

struct peer {
	/* -1: there is none of this ID */
	int socket;
	int vectors[MAX_VECTORS];
};

static struct peer peers[MAX_PEERS];

/* A client that does not read loses its connection, not ours to others. */
static bool send_message(int socket, int64_t value, int fd)
{
	int64_t data = htole64(value);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(fd))];
	} control = {};
	struct iovec iov = { .iov_base = &data, .iov_len = sizeof(data) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(data);
}

/* How client @id is interrupted, told to the one at @socket */
static bool send_vectors(int socket, int64_t id, unsigned int nr_vectors)
{
	unsigned int i;

	for (i = 0; i < nr_vectors; i++)
		if (!send_message(socket, id, peers[id].vectors[i]))
			return false;
	return true;
}

static bool introduce(int64_t id, int memory, unsigned int nr_vectors)
{
	int socket = peers[id].socket, other;

	if (!send_message(socket, PROTOCOL_VERSION, -1) || !send_message(socket, id, -1) ||
	    !send_message(socket, MEMORY, memory))
		return false;
	for (other = 0; other < MAX_PEERS; other++) {
		if (other == id || peers[other].socket < 0)
			continue;
		if (!send_vectors(socket, other, nr_vectors))
			return false;
		/* One that does not listen is found out by its own poll. */
		send_vectors(peers[other].socket, id, nr_vectors);
	}
	return send_vectors(socket, id, nr_vectors);
}

static void forget(int64_t id, unsigned int nr_vectors)
{
	unsigned int i;
	int other;

	close(peers[id].socket);
	peers[id].socket = -1;
	for (i = 0; i < nr_vectors; i++)
		close(peers[id].vectors[i]);
	for (other = 0; other < MAX_PEERS; other++)
		if (peers[other].socket >= 0)
			send_message(peers[other].socket, id, -1);
}

static void welcome(int listener, int memory, unsigned int nr_vectors)
{
	int socket = accept(listener, NULL, NULL);
	unsigned int i;
	int64_t id;

	if (socket < 0)
		return;
	for (id = 0; id < MAX_PEERS && peers[id].socket >= 0;)
		id++;
	if (id == MAX_PEERS) {
		fprintf(stderr, "vram-ivshmem-server: more than %d clients\n", MAX_PEERS);
		close(socket);
		return;
	}
	peers[id].socket = socket;
	for (i = 0; i < nr_vectors; i++) {
		peers[id].vectors[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (peers[id].vectors[i] < 0)
			die(FAILED, "eventfd: %s", strerror(errno));
	}
	if (!introduce(id, memory, nr_vectors))
		forget(id, nr_vectors);
}

static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		die(BAD_USE, "--socket: longer than %zu bytes", sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT)
		die(NOT_HERE, "this kernel has no UNIX sockets (CONFIG_UNIX)");
	if (fd < 0)
		die(FAILED, "socket: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, MAX_PEERS))
		die(FAILED, "%s: %s", path, strerror(errno));
	return fd;
}

static int catch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		die(FAILED, "signalfd: %s", strerror(errno));
	return fd;
}

void serve(const char *path, int memory, unsigned int nr_vectors)
{
	enum { SIGNALS, LISTENER, CLIENTS };
	struct pollfd files[CLIENTS + MAX_PEERS];
	int i;

	for (i = 0; i < MAX_PEERS; i++)
		peers[i].socket = -1;
	files[SIGNALS] = (struct pollfd){ .fd = catch_signals(), .events = POLLIN };
	files[LISTENER] = (struct pollfd){ .fd = listen_at(path), .events = POLLIN };
	printf("ready\n");
	fflush(stdout);
	while (!files[SIGNALS].revents) {
		for (i = 0; i < MAX_PEERS; i++)
			files[CLIENTS + i] = (struct pollfd){
				.fd = peers[i].socket, .events = POLLIN,
			};
		if (poll(files, CLIENTS + MAX_PEERS, -1) < 0 && errno != EINTR)
			die(FAILED, "poll: %s", strerror(errno));
		/* They have nothing to say but that they are gone. */
		for (i = 0; i < MAX_PEERS; i++)
			if (peers[i].socket >= 0 && files[CLIENTS + i].revents)
				forget(i, nr_vectors);
		if (files[LISTENER].revents)
			welcome(files[LISTENER].fd, memory, nr_vectors);
	}
	unlink(path);
}
