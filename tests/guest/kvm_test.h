/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of VRAM in guests of the VM have in common: the ways in which KVM takes
 * the memory, and a guest of the VMM of samples that has a slice of a dma-buf.
 */
#ifndef PAL_GUEST_KVM_TEST_H
#define PAL_GUEST_KVM_TEST_H

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <linux/kvm.h>

#include "inner.h"
#include "tap.h"
#include "vram_test.h"

/* Above RAM and the hole of the controllers */
#define GUEST_GPA	(4ull << 30)

static const char *mode = "mmap", *mode_name;
static unsigned int guest_cpus = 1, test_moves = 10;

/* Whether this kernel takes a dma-buf as a memory slot */
static inline bool kvm_has_dmabuf(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, ret;

	VFIO_ASSERT_GE(kvm, 0, "no /dev/kvm\n");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	VFIO_ASSERT_GE(vm, 0);
	ret = ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_DMABUF_MEM);
	close(vm);
	close(kvm);
	return ret == 1;
}

/*
 * Takes -m, -r, -c and -n from the command line. On a kernel without KVM_CAP_DMABUF_MEM all
 * @rows are skipped, or a failure if it is required, and the program ends.
 */
static inline void kvm_test_options(int *argc, char ***argv, int rows)
{
	bool required = false;
	int opt, i;

	while ((opt = getopt(*argc, *argv, "+m:rc:n:")) != -1) {
		if (opt == 'm') {
			mode = optarg;
		} else if (opt == 'c') {
			guest_cpus = atoi(optarg);
		} else if (opt == 'n') {
			test_moves = atoi(optarg);
		} else if (opt == 'r') {
			required = true;
		} else {
			exit(2);
		}
	}
	if (strcmp(mode, "fd") && strcmp(mode, "mmap")) {
		fprintf(stderr, "%s: unknown mode '%s' (known: mmap, fd)\n", (*argv)[0], mode);
		exit(2);
	}
	(*argv)[optind - 1] = (*argv)[0];
	*argv += optind - 1;
	*argc -= optind - 1;
	optind = 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	mode_name = !strcmp(mode, "fd") ? "KVM_MEM_DMABUF" : "a memory slot over its mmap";
	if (strcmp(mode, "fd") || kvm_has_dmabuf())
		return;
	for (i = 1; i <= rows; i++)
		printf("%s %d KVM_CAP_DMABUF_MEM%s\n", required ? "not ok" : "ok", i,
		       required ? "" : " # SKIP this kernel does not have it");
	printf("1..%d\n", rows);
	exit(required ? 1 : 0);
}

/* A guest with [@offset, @offset + @size) of the dma-buf as its area 0; 0 or -errno */
static inline int guest_start(struct inner *guest, const char *name, int dma_buf,
			      uint64_t offset, uint64_t size, const char *more)
{
	/* Without FD_CLOEXEC, which the exporter sets */
	int fd = dup(dma_buf), ret;

	VFIO_ASSERT_GE(fd, 0);
	inner_vmm(guest, name);
	inner_arg(guest, "--cpus");
	inner_arg(guest, "%u", guest_cpus);
	inner_arg(guest, "--vram");
	inner_arg(guest, "fd=%d,gpa=0x%llx,offset=0x%" PRIx64 ",size=0x%" PRIx64 ",mode=%s%s",
		  fd, GUEST_GPA, offset, size, mode, more);
	ret = inner_start(guest);
	close(fd);
	if (ret)
		printf("# %s: no sign of the guest's program: %s\n", name, strerror(-ret));
	return ret ?: inner_ask(guest, "open 0 vram 0");
}

/* The pattern of [0, @size) to the start of its area; 0 or -errno */
static inline int guest_fill(struct inner *guest, uint64_t size, uint64_t seed)
{
	return inner_ask(guest, "fill 0 0 0x%" PRIx64 " %" PRIu64, size, seed);
}

/* What the tests begin with: options, devices, and a BO of @size */
static inline void kvm_test_open(int *argc, char ***argv, int rows, struct env *env,
				 struct buffer *buf, uint64_t size)
{
	kvm_test_options(argc, argv, rows);
	vram_test_devices(argc, *argv, 2);
	env_open(env);
	buffer_open(env, buf, size);
}

/* As guest_start(), and a row of it; without the guest there is nothing to test. */
static inline void guest_must_start(struct inner *guest, const char *name, int dma_buf,
				    uint64_t offset, uint64_t size, const char *with)
{
	int ret = guest_start(guest, name, dma_buf, offset, size, "");

	result(!ret, "Linux boots with %s, %s", with, mode_name);
	if (!ret)
		return;
	inner_complain(guest);
	inner_kill(guest);
	exit(1);
}

static inline int kvm_test_close(struct env *env, struct buffer *buf)
{
	buffer_close(env, buf);
	env_close(env);
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}

static inline void guest_report(struct inner *guest)
{
	printf("# KVM: %" PRIu64 " exits, %" PRIu64 " page faults, %" PRIu64
	       " pages of 4K, %" PRIu64 " of 2M, %" PRIu64 " of 1G\n",
	       inner_stat(guest, "exits"), inner_stat(guest, "pf_taken"),
	       inner_stat(guest, "pages_4k"), inner_stat(guest, "pages_2m"),
	       inner_stat(guest, "pages_1g"));
}

#endif
