// SPDX-License-Identifier: MIT
/*
 * Copyright © 2026 dmabuf-pal developers
 *
 * A guest of a few instructions: see pal.h. It runs in flat 32-bit mode without paging,
 * so that KVM's page tables are the only ones between it and the memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "pal.h"

#define CODE			0x1000
#define STOP			0x2000
#define PORT_DONE		0x80
#define PORT_WRONG		0x81
#define RAM_SLOT		0

#define TEXT(x)			#x
#define STRING(x)		TEXT(x)

/*
 * copy: ecx dwords from esi to edi.
 * count: eax is what ecx words, a page apart from edi on, should have; each gets one more.
 */
asm("	.pushsection .rodata\n"
    "	.code32\n"
    "pal_code_start:\n"
    "pal_code_copy:\n"
    "	rep movsl\n"
    "	out %al, $" STRING(PORT_DONE) "\n"
    "pal_code_count:\n"
    "	cmpl $0, " STRING(STOP) "\n"
    "	jne 3f\n"
    "	mov %edi, %esi\n"
    "	mov %ecx, %edx\n"
    "1:	cmp %eax, (%esi)\n"
    "	jne 2f\n"
    "	incl (%esi)\n"
    "	add $4096, %esi\n"
    "	dec %edx\n"
    "	jnz 1b\n"
    "	inc %eax\n"
    "	jmp pal_code_count\n"
    "2:	out %al, $" STRING(PORT_WRONG) "\n"
    "3:	out %al, $" STRING(PORT_DONE) "\n"
    "pal_code_end:\n"
    "	.code64\n"
    "	.popsection\n");

extern const char pal_code_start[], pal_code_copy[], pal_code_count[], pal_code_end[];

static int set_ram(struct pal_vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.slot = RAM_SLOT,
		.memory_size = PAL_VM_RAM,
		.userspace_addr = (uintptr_t)vm->ram,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

static void flat(struct kvm_segment *segment, uint16_t selector, uint8_t type)
{
	memset(segment, 0, sizeof(*segment));
	segment->selector = selector;
	segment->type = type;
	segment->limit = ~0u;
	segment->present = segment->s = segment->db = segment->g = 1;
}

static void cpu_open(struct pal_vm *vm)
{
	struct kvm_sregs sregs;
	void *run;

	vm->cpu = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
	igt_assert_lte(0, vm->cpu);
	vm->run_size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->cpu, 0);
	igt_assert(run != MAP_FAILED);
	vm->run = run;

	igt_assert_eq(ioctl(vm->cpu, KVM_GET_SREGS, &sregs), 0);
	/* Code that may be read, data that may be written; accessed, both */
	flat(&sregs.cs, 0x08, 0xb);
	flat(&sregs.ds, 0x10, 0x3);
	flat(&sregs.es, 0x10, 0x3);
	flat(&sregs.ss, 0x10, 0x3);
	sregs.cr0 |= 1;
	igt_assert_eq(ioctl(vm->cpu, KVM_SET_SREGS, &sregs), 0);
}

void pal_vm_open(struct pal_vm *vm)
{
	void *ram;

	*vm = (struct pal_vm){ .kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC) };
	igt_require_f(vm->kvm >= 0, "no /dev/kvm: %s\n", strerror(errno));
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	igt_assert_lte(0, vm->fd);
	igt_require_f(ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_DMABUF_MEM) > 0,
		      "KVM takes no dma-buf as a memory slot\n");
	ram = mmap(NULL, PAL_VM_RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	igt_assert(ram != MAP_FAILED);
	vm->ram = ram;
	memcpy(vm->ram + CODE, pal_code_start, pal_code_end - pal_code_start);
	igt_assert_eq(set_ram(vm), 0);
	cpu_open(vm);
}

void pal_vm_close(struct pal_vm *vm)
{
	munmap(vm->run, vm->run_size);
	close(vm->cpu);
	close(vm->fd);
	close(vm->kvm);
	munmap(vm->ram, PAL_VM_RAM);
}

int pal_vm_map(struct pal_vm *vm, int dma_buf, uint64_t start, uint64_t size, uint32_t flags)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = PAL_VM_SLOT,
		.flags = size ? KVM_MEM_DMABUF | flags : 0,
		.guest_phys_addr = PAL_VM_DEVICE,
		.memory_size = size,
		.guest_memfd = size ? dma_buf : 0,
		.guest_memfd_offset = start,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, &region) ? -errno : 0;
}

/* An access that KVM could not do is repeated by it before registers can be set. */
static int run(struct pal_vm *vm, const char *code, struct kvm_regs *regs)
{
	if (vm->run->exit_reason == KVM_EXIT_MMIO) {
		vm->run->immediate_exit = 1;
		ioctl(vm->cpu, KVM_RUN, 0);
		vm->run->immediate_exit = 0;
	}
	regs->rip = CODE + (code - pal_code_start);
	regs->rflags = 2;
	if (ioctl(vm->cpu, KVM_SET_REGS, regs) || ioctl(vm->cpu, KVM_RUN, 0) ||
	    ioctl(vm->cpu, KVM_GET_REGS, regs))
		return -errno;
	return vm->run->exit_reason != KVM_EXIT_IO || vm->run->io.port != PORT_DONE;
}

int pal_vm_copy(struct pal_vm *vm, uint64_t to, uint64_t from, uint64_t size)
{
	struct kvm_regs regs = { .rdi = to, .rsi = from, .rcx = size / 4 };

	return run(vm, pal_code_copy, &regs);
}

int pal_vm_fill(struct pal_vm *vm, uint64_t size, uint32_t seed)
{
	pal_fill(vm->ram + PAL_VM_DATA, 0, size, seed);
	return pal_vm_copy(vm, PAL_VM_DEVICE, PAL_VM_DATA, size);
}

int pal_vm_verify(struct pal_vm *vm, uint64_t size, uint32_t seed)
{
	int ret;

	memset(vm->ram + PAL_VM_DATA, 0, size);
	ret = pal_vm_copy(vm, PAL_VM_DATA, PAL_VM_DEVICE, size);
	if (ret)
		return ret;
	return pal_differs(vm->ram + PAL_VM_DATA, 0, size, seed) == size ? 0 : -EILSEQ;
}

int pal_vm_count(struct pal_vm *vm, uint32_t pages, uint32_t *rounds)
{
	struct kvm_regs regs = { .rdi = PAL_VM_DEVICE, .rcx = pages };
	int ret;

	*(volatile uint32_t *)(vm->ram + STOP) = 0;
	ret = run(vm, pal_code_count, &regs);
	*rounds = regs.rax;
	if (ret == 1 && vm->run->exit_reason == KVM_EXIT_IO &&
	    vm->run->io.port == PORT_WRONG)
		return -EILSEQ;
	return ret;
}

void pal_vm_stop(struct pal_vm *vm)
{
	*(volatile uint32_t *)(vm->ram + STOP) = 1;
}
