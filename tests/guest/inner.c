// SPDX-License-Identifier: GPL-2.0-only
/* See inner.h */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/kernel.h>

#include <libvfio/assert.h>

#include "inner.h"

#define CONSOLE_TAIL	1500

void inner_init(struct inner *inner, const char *name)
{
	*inner = (struct inner){ .pid = -1, .in = -1, .out = -1, .stats = -1 };
	snprintf(inner->console, sizeof(inner->console), "/tmp/%s.console", name);
	/* A guest that has gone must not end us. */
	signal(SIGPIPE, SIG_IGN);
}

void inner_arg(struct inner *inner, const char *fmt, ...)
{
	va_list args;
	char *text;

	VFIO_ASSERT_LT(inner->nr_args, INNER_MAX_ARGS - 1);
	va_start(args, fmt);
	VFIO_ASSERT_GE(vasprintf(&text, fmt, args), 0);
	va_end(args);
	inner->argv[inner->nr_args++] = text;
}

static void free_args(struct inner *inner)
{
	while (inner->nr_args)
		free((char *)inner->argv[--inner->nr_args]);
	memset(inner->argv, 0, sizeof(inner->argv));
}

/* Our end has FD_CLOEXEC, the other one goes to the VMM. */
static void make_pipe(int *ours, int *theirs, bool we_read)
{
	int ends[2];

	VFIO_ASSERT_EQ(pipe(ends), 0);
	*ours = ends[we_read ? 0 : 1];
	*theirs = ends[we_read ? 1 : 0];
	VFIO_ASSERT_EQ(fcntl(*ours, F_SETFD, FD_CLOEXEC), 0);
}

int inner_spawn(struct inner *inner)
{
	int console;

	fflush(stdout);
	inner->pid = fork();
	if (inner->pid < 0)
		return -errno;
	if (inner->pid) {
		free_args(inner);
		return 0;
	}
	console = open(inner->console, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(console, STDOUT_FILENO);
	dup2(console, STDERR_FILENO);
	execv(inner->argv[0], (char **)inner->argv);
	fprintf(stderr, "%s: %s\n", inner->argv[0], strerror(errno));
	_exit(127);
}

void inner_vmm(struct inner *inner, const char *name)
{
	inner_init(inner, name);
	inner_arg(inner, INNER_VMM);
	inner_arg(inner, "--kernel");
	inner_arg(inner, INNER_KERNEL);
	inner_arg(inner, "--initrd");
	inner_arg(inner, INNER_INITRD);
	inner_arg(inner, "--cmdline");
	inner_arg(inner, INNER_CMDLINE " reboot=k");
}

int inner_start(struct inner *inner)
{
	int in, out, stats, ret;

	make_pipe(&inner->in, &in, false);
	make_pipe(&inner->out, &out, true);
	make_pipe(&inner->stats, &stats, true);
	inner_arg(inner, "--control");
	inner_arg(inner, "%d,%d", in, out);
	inner_arg(inner, "--stats");
	inner_arg(inner, "%d", stats);
	ret = inner_spawn(inner);
	close(in);
	close(out);
	close(stats);
	return ret ?: inner_ready(inner);
}

/* One line, without its end */
static int read_line(int fd, char *line, size_t size)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct timespec now;
	size_t len = 0;
	time_t end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + INNER_SECONDS;
	while (len < size - 1) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= end || !poll(&pfd, 1, (end - now.tv_sec) * 1000))
			return -ETIMEDOUT;
		if (read(fd, line + len, 1) != 1)
			return -EPIPE;
		if (line[len] == '\n')
			break;
		len++;
	}
	line[len] = 0;
	return 0;
}

int inner_ready(struct inner *inner)
{
	int ret = read_line(inner->out, inner->answer, sizeof(inner->answer));

	return ret ?: strcmp(inner->answer, "ready") ? -EPROTO : 0;
}

int inner_ask(struct inner *inner, const char *fmt, ...)
{
	char line[256];
	va_list args;
	int len, ret;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	VFIO_ASSERT_LT((size_t)len, sizeof(line) - 1);
	line[len++] = '\n';
	inner->value[0] = inner->value[1] = ~0ull;
	if (write(inner->in, line, len) != len)
		return -EPIPE;
	ret = read_line(inner->out, inner->answer, sizeof(inner->answer));
	if (ret) {
		printf("# guest: no answer to %.*s: %s\n", len - 1, line, strerror(-ret));
		inner_complain(inner);
		return ret;
	}
	if (strncmp(inner->answer, "ok", 2)) {
		printf("# guest: %.*s: %s\n", len - 1, line, inner->answer);
		return -EIO;
	}
	sscanf(inner->answer, "ok %" SCNu64 " %" SCNu64, &inner->value[0], &inner->value[1]);
	return 0;
}

uint64_t inner_differs(struct inner *inner, unsigned int area, uint64_t offset,
		       uint64_t size, uint64_t seed)
{
	if (inner_ask(inner, "check %u 0x%" PRIx64 " 0x%" PRIx64 " %" PRIu64, area, offset,
		      size, seed))
		return ~0ull;
	return inner->value[0];
}

uint64_t inner_stat(struct inner *inner, const char *name)
{
	char line[512], want[64], *at;

	kill(inner->pid, SIGUSR1);
	if (read_line(inner->stats, line, sizeof(line)))
		return ~0ull;
	snprintf(want, sizeof(want), " %s=", name);
	at = strstr(line, want);
	return at ? strtoull(at + strlen(want), NULL, 10) : ~0ull;
}

static int reap(struct inner *inner)
{
	int status, fd;

	if (inner->pid < 0)
		return -1;
	if (waitpid(inner->pid, &status, 0) != inner->pid)
		status = -1;
	inner->pid = -1;
	for (fd = 0; fd < 3; fd++) {
		int *end = fd == 0 ? &inner->in : fd == 1 ? &inner->out : &inner->stats;

		if (*end >= 0)
			close(*end);
		*end = -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int inner_off(struct inner *inner)
{
	int ret;

	/* Its end is the end of the pipe; one that stays is killed. */
	ret = write(inner->in, "off\n", 4) == 4 ?
	      read_line(inner->out, inner->answer, sizeof(inner->answer)) : -EPIPE;
	if (ret != -EPIPE) {
		printf("# %s: still there: %s\n", inner->console, strerror(-ret));
		kill(inner->pid, SIGKILL);
	}
	ret = reap(inner);
	if (ret)
		inner_complain(inner);
	return ret;
}

void inner_kill(struct inner *inner)
{
	if (inner->pid >= 0)
		kill(inner->pid, SIGKILL);
	reap(inner);
}

static char *read_console(struct inner *inner)
{
	static char text[1 << 18];
	int fd = open(inner->console, O_RDONLY | O_CLOEXEC);
	ssize_t len = 0;

	if (fd >= 0) {
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[len > 0 ? len : 0] = 0;
	return text;
}

bool inner_said(struct inner *inner, const char *text)
{
	return strstr(read_console(inner), text);
}

void inner_complain(struct inner *inner)
{
	char *text = read_console(inner), *line, *rest;
	size_t len = strlen(text);

	if (inner->complained)
		return;
	inner->complained = true;
	if (len > CONSOLE_TAIL)
		text += len - CONSOLE_TAIL;
	for (line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest))
		printf("# %s: %s\n", inner->console, line);
}
