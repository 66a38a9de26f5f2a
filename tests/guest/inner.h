/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests of the test VM, each of them a process of a VMM: kvm-dmabuf-vmm of samples,
 * or QEMU. A guest runs one program, inner_tool.c, which does what it is asked for over
 * its second serial port.
 */
#ifndef PAL_GUEST_INNER_H
#define PAL_GUEST_INNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define INNER_KERNEL	"/guest/inner/kernel"
#define INNER_INITRD	"/guest/inner/initrd"
#define INNER_VMM	"/guest/kvm-dmabuf-vmm"

/* Each character that the kernel says is two exits: errors are enough. */
#define INNER_CMDLINE	"console=ttyS0,115200 loglevel=4 panic=-1 tsc=reliable no_timer_check"

#define INNER_MAX_ARGS	64

/* What an answer may take, in a VM in a VM on a busy machine */
#define INNER_SECONDS	120

struct inner {
	pid_t pid;
	/* Its second serial port, and where the VMM writes its statistics */
	int in, out, stats;
	char console[64];
	const char *argv[INNER_MAX_ARGS];
	unsigned int nr_args;
	bool complained;
	/* The answer to the last question */
	char answer[256];
	uint64_t value[2];
};

/*
 * A guest of our VMM: inner_vmm() prepares it, inner_arg() adds options, and
 * inner_start() starts it and waits until its program is there; 0 or -errno.
 */
void inner_vmm(struct inner *inner, const char *name);
__attribute__((format(printf, 2, 3)))
void inner_arg(struct inner *inner, const char *fmt, ...);
int inner_start(struct inner *inner);

/* The same for any program; its files are @in and @out of the port. */
void inner_init(struct inner *inner, const char *name);
int inner_spawn(struct inner *inner);
int inner_ready(struct inner *inner);

/* 0 for "ok", with its numbers in value[]; -EIO for "err", -EPIPE, -ETIMEDOUT */
__attribute__((format(printf, 2, 3)))
int inner_ask(struct inner *inner, const char *fmt, ...);

/* The number of words of the guest's area that differ from a pattern, or ~0 */
uint64_t inner_differs(struct inner *inner, unsigned int area, uint64_t offset,
		       uint64_t size, uint64_t seed);

/* What the VMM tells of KVM, by the name in its line; ~0 if it does not */
uint64_t inner_stat(struct inner *inner, const char *name);

/* The exit status of the VMM when the guest has reset itself, or -1 */
int inner_off(struct inner *inner);
/* By SIGKILL, and waits for its end */
void inner_kill(struct inner *inner);

/* The end of the console as comments of TAP, the first time; and whether @text was on it */
void inner_complain(struct inner *inner);
bool inner_said(struct inner *inner, const char *text);

#endif
