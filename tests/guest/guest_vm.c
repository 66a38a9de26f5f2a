// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/sizes.h>

#include <libvfio.h>

#include "guest_vm.h"

#define CODE_GPA	0x1000
#define STOP_GPA	0x800
#define DONE_PORT	0x10

#define STR(x)		#x
#define XSTR(x)		STR(x)

/* All in registers: there is no stack, and esp is one more of them. */
asm(".pushsection .rodata\n"
    ".code32\n"
    "guest_code:\n"
    "guest_copy:\n"
    "	rep movsl\n"
    "	jmp guest_done\n"
    "guest_touch:\n"
    "1:	mov %eax, (%edi)\n"
    "	add %edx, %edi\n"
    "	dec %ecx\n"
    "	jnz 1b\n"
    "guest_done:\n"
    "	out %al, $" XSTR(DONE_PORT) "\n"
    "	hlt\n"
    "guest_count:\n"
    "	xor %eax, %eax\n"
    "	xor %ebx, %ebx\n"
    "1:	cmpl $0, " XSTR(STOP_GPA) "\n"
    "	jne guest_done\n"
    "	mov %edi, %esi\n"
    "	mov %ecx, %ebp\n"
    "	lea 1(%eax), %esp\n"
    "2:	cmp %eax, (%esi)\n"
    "	jne 4f\n"
    "	cmp %eax, 0xffc(%esi)\n"
    "	jne 4f\n"
    "3:	mov %esp, (%esi)\n"
    "	mov %esp, 0xffc(%esi)\n"
    "	add %edx, %esi\n"
    "	dec %ebp\n"
    "	jnz 2b\n"
    "	mov %esp, %eax\n"
    "	jmp 1b\n"
    "4:	inc %ebx\n"
    "	jmp 3b\n"
    "guest_code_end:\n"
    ".code64\n"
    ".popsection\n");

extern const char guest_code[], guest_copy[], guest_touch[], guest_count[],
	guest_code_end[];

static void segment(struct kvm_segment *seg, uint16_t selector, uint8_t type)
{
	*seg = (struct kvm_segment){
		.selector = selector, .limit = 0xffffffff, .type = type,
		.present = 1, .s = 1, .db = 1, .g = 1,
	};
}

static void cpu_open(struct guest_vm *vm, unsigned int nr)
{
	struct guest_cpu *cpu = &vm->cpus[nr];
	struct kvm_sregs sregs;
	int size;

	cpu->vm = vm;
	cpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, nr);
	VFIO_ASSERT_GE(cpu->fd, 0);
	size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	VFIO_ASSERT_GT(size, 0);
	cpu->run_size = size;
	cpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	VFIO_ASSERT_NE((void *)cpu->run, MAP_FAILED);

	VFIO_ASSERT_EQ(ioctl(cpu->fd, KVM_GET_SREGS, &sregs), 0);
	segment(&sregs.cs, 8, 0xb);
	segment(&sregs.ds, 16, 0x3);
	sregs.es = sregs.ds;
	sregs.ss = sregs.ds;
	sregs.cr0 |= 1;
	VFIO_ASSERT_EQ(ioctl(cpu->fd, KVM_SET_SREGS, &sregs), 0);
}

void guest_vm_open(struct guest_vm *vm, unsigned int nr_cpus)
{
	unsigned int i;

	*vm = (struct guest_vm){ .nr_cpus = nr_cpus };
	VFIO_ASSERT_LE(nr_cpus, (unsigned int)GUEST_MAX_CPUS);
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	VFIO_ASSERT_GE(vm->kvm, 0, "/dev/kvm: %d\n", errno);
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	VFIO_ASSERT_GE(vm->fd, 0);
	vm->ram = mmap(NULL, GUEST_RAM_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	VFIO_ASSERT_NE(vm->ram, MAP_FAILED);
	memcpy(vm->ram + CODE_GPA, guest_code, guest_code_end - guest_code);
	VFIO_ASSERT_EQ(__guest_vm_map(vm, 0, 0, GUEST_RAM_SIZE, vm->ram), 0);
	for (i = 0; i < nr_cpus; i++)
		cpu_open(vm, i);
}

void guest_vm_close(struct guest_vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_cpus; i++) {
		munmap(vm->cpus[i].run, vm->cpus[i].run_size);
		close(vm->cpus[i].fd);
	}
	close(vm->fd);
	close(vm->kvm);
	munmap(vm->ram, GUEST_RAM_SIZE);
}

int __guest_vm_map(struct guest_vm *vm, unsigned int slot, uint64_t gpa,
		   uint64_t size, void *vaddr)
{
	struct kvm_userspace_memory_region mem = {
		.slot = slot, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)vaddr,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &mem) ? -errno : 0;
}

int __guest_vm_map_fd(struct guest_vm *vm, unsigned int slot, uint64_t gpa,
		      uint64_t size, int dma_buf, uint64_t offset, uint32_t flags)
{
	struct kvm_userspace_memory_region2 mem = {
		.slot = slot, .flags = KVM_MEM_DMABUF | flags,
		.guest_phys_addr = gpa, .memory_size = size,
		.guest_memfd = dma_buf, .guest_memfd_offset = offset,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, &mem) ? -errno : 0;
}

void guest_vm_unmap(struct guest_vm *vm, unsigned int slot)
{
	VFIO_ASSERT_EQ(__guest_vm_map(vm, slot, 0, 0, NULL), 0);
}

int guest_cpu_resume(struct guest_cpu *cpu)
{
	if (ioctl(cpu->fd, KVM_RUN, 0))
		return -errno;
	return cpu->run->exit_reason != KVM_EXIT_IO ||
	       cpu->run->io.port != DONE_PORT;
}

/* KVM ends the access that it asked for before registers mean anything again. */
static void finish_mmio(struct guest_cpu *cpu)
{
	if (cpu->run->exit_reason != KVM_EXIT_MMIO)
		return;
	cpu->run->immediate_exit = 1;
	VFIO_ASSERT_EQ(ioctl(cpu->fd, KVM_RUN, 0), -1);
	VFIO_ASSERT_EQ(errno, EINTR);
	cpu->run->immediate_exit = 0;
}

static int cpu_start(struct guest_cpu *cpu, const char *entry, struct kvm_regs *regs)
{
	finish_mmio(cpu);
	regs->rip = CODE_GPA + (entry - guest_code);
	regs->rflags = 2;
	VFIO_ASSERT_EQ(ioctl(cpu->fd, KVM_SET_REGS, regs), 0);
	return guest_cpu_resume(cpu);
}

int guest_cpu_copy(struct guest_cpu *cpu, uint64_t dst, uint64_t src, uint64_t size)
{
	struct kvm_regs regs = { .rdi = dst, .rsi = src, .rcx = size / 4 };

	return cpu_start(cpu, guest_copy, &regs);
}

int guest_cpu_touch(struct guest_cpu *cpu, uint64_t gpa, uint64_t pages, uint32_t value)
{
	struct kvm_regs regs = {
		.rdi = gpa, .rcx = pages, .rdx = SZ_4K, .rax = value,
	};

	return cpu_start(cpu, guest_touch, &regs);
}

int guest_cpu_count(struct guest_cpu *cpu, uint64_t gpa, uint32_t pages, uint32_t step,
		    struct guest_count *count)
{
	struct kvm_regs regs = { .rdi = gpa, .rcx = pages, .rdx = step };
	int ret = cpu_start(cpu, guest_count, &regs);

	VFIO_ASSERT_EQ(ioctl(cpu->fd, KVM_GET_REGS, &regs), 0);
	*count = (struct guest_count){ .rounds = regs.rax, .wrong = regs.rbx };
	return ret;
}

void guest_vm_stop(struct guest_vm *vm)
{
	*(volatile uint32_t *)(vm->ram + STOP_GPA) = 1;
}

uint64_t guest_vm_faults(void)
{
	const char *path = "/sys/kernel/debug/kvm/pf_fixed";
	uint64_t value = 0;
	FILE *file;

	file = fopen(path, "r");
	VFIO_ASSERT_NOT_NULL(file, "%s\n", path);
	if (fscanf(file, "%" SCNu64, &value) != 1)
		VFIO_FAIL("%s\n", path);
	fclose(file);
	return value;
}
