// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's half of the view from outside: one line a request and one line an
 * answer over the third serial port. scripts/vm/bed/outside.py is the other half
 * and describes the lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include "outside.h"

#define OUTSIDE_PORT "/dev/ttyS2"
#define OUTSIDE_LINE 256

static int outside_fd = -1;
static struct outside_wrong wrong;

int outside_open(void)
{
	struct termios tio;
	int fd, ret;

	if (outside_fd >= 0)
		return 0;
	fd = open(OUTSIDE_PORT, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* With echo on, the answers would go back out as requests. */
	if (tcgetattr(fd, &tio))
		goto err_close;
	cfmakeraw(&tio);
	tio.c_cflag |= CLOCAL | CREAD;
	if (tcsetattr(fd, TCSANOW, &tio))
		goto err_close;
	outside_fd = fd;
	return 0;

err_close:
	ret = -errno;
	close(fd);
	return ret;
}

static int write_all(const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(outside_fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		buf += n;
		len -= n;
	}
	return 0;
}

static int read_line(char *reply, size_t size)
{
	size_t used = 0;

	for (;;) {
		char c;
		ssize_t n = read(outside_fd, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		if (c == '\n')
			break;
		if (used + 1 >= size)
			return -EMSGSIZE;
		reply[used++] = c;
	}
	reply[used] = 0;
	return 0;
}

int outside_ask(const char *request, char *reply, size_t size)
{
	static unsigned int count;
	char line[OUTSIDE_LINE], tag[32];
	int len, tag_len, ret;

	ret = outside_open();
	if (ret)
		return ret;
	/*
	 * A process that was killed in here leaves half a request or an answer
	 * that nobody read: the first newline ends the one, the tag tells the
	 * other from ours.
	 */
	tag_len = snprintf(tag, sizeof(tag), "%d.%u ", getpid(), count++);
	len = snprintf(line, sizeof(line), "\n%s%s\n", tag, request);
	if (len < 0 || (size_t)len >= sizeof(line))
		return -EMSGSIZE;
	/* One conversation at a time between processes that each opened it. */
	if (flock(outside_fd, LOCK_EX) && errno != ENOSYS)
		return -errno;
	ret = write_all(line, len);
	do {
		if (!ret)
			ret = read_line(line, sizeof(line));
	} while (!ret && strncmp(line, tag, tag_len));
	flock(outside_fd, LOCK_UN);
	if (!ret && (size_t)snprintf(reply, size, "%s", line + tag_len) >= size)
		ret = -EMSGSIZE;
	return ret;
}

static int outside_do(const char *verb, const char *kind, uint64_t off,
		      uint64_t len, uint64_t seed)
{
	char request[OUTSIDE_LINE], reply[OUTSIDE_LINE];
	int ret;

	snprintf(request, sizeof(request),
		 "%s %s 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64, verb, kind,
		 off, len, seed);
	ret = outside_ask(request, reply, sizeof(reply));
	if (ret)
		return ret;
	if (!strcmp(reply, "ok"))
		return 0;
	if (sscanf(reply, "bad %" SCNx64 " %" SCNx64 " %" SCNx64, &wrong.at,
		   &wrong.want, &wrong.found) == 3)
		return -EIO;
	fprintf(stderr, "# outside: %s: %s\n", request, reply);
	return -EINVAL;
}

int outside_fill(const char *kind, uint64_t off, uint64_t len, uint64_t seed)
{
	return outside_do("FILL", kind, off, len, seed);
}

int outside_check(const char *kind, uint64_t off, uint64_t len, uint64_t seed)
{
	return outside_do("CHECK", kind, off, len, seed);
}

int outside_picture(const char *kind, uint64_t off, uint64_t width, uint64_t height)
{
	return outside_do("PICTURE", kind, off, width, height);
}

const struct outside_wrong *outside_wrong(void)
{
	return &wrong;
}

int64_t outside_size(const char *kind)
{
	char request[OUTSIDE_LINE], reply[OUTSIDE_LINE];
	int ret;

	snprintf(request, sizeof(request), "SIZE %s", kind);
	ret = outside_ask(request, reply, sizeof(reply));
	if (ret)
		return ret;
	if (strncmp(reply, "ok ", 3))
		return -ENODEV;
	return strtoll(reply + 3, NULL, 0);
}

void outside_pattern(volatile void *buf, uint64_t off, uint64_t len,
		     uint64_t seed)
{
	volatile uint64_t *word = buf;
	uint64_t i;

	for (i = 0; i < len / 8; i++)
		word[i] = outside_word(seed, off + i * 8);
}

uint64_t outside_differs(const volatile void *buf, uint64_t off, uint64_t len,
			 uint64_t seed)
{
	const volatile uint64_t *word = buf;
	uint64_t i, differs = 0;

	for (i = 0; i < len / 8; i++)
		differs += word[i] != outside_word(seed, off + i * 8);
	return differs;
}
