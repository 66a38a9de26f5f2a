// SPDX-License-Identifier: GPL-2.0-only
/*
 * For igt_runner on a kernel without sockets. It makes a pair of them for every
 * test, for messages that IGT_RUNNER_DISABLE_SOCKET_COMMUNICATION then turns off,
 * and runs nothing if that fails. It gets a pipe, on which nothing is ever sent.
 */
#include <sys/syscall.h>

int socketpair(int domain, int type, int protocol, int fds[2]);

int socketpair(int domain, int type, int protocol, int fds[2])
{
	long ret;

	/* Without a C library: this runs beside the image's, not the host's. */
	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(SYS_pipe2), "D"(fds), "S"(0L)
			 : "rcx", "r11", "memory");
	return ret ? -1 : 0;
}
