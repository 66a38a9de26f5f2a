// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM: memory slots, interrupt controllers and timer of KVM, and vCPUs, a thread
 * each. What the guest does to a port that nobody has here is ignored.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm.h"

#define RAM_SLOT	0
#define VRAM_SLOT	1

/* Pages that KVM uses on Intel's CPUs, in the hole below 4 GiB */
#define IDENTITY_MAP	0xfffbc000ull
#define TSS_ADDR	0xfffbd000ul

#define COM1		0x3f8
#define COM2		0x2f8
#define COM_PORTS	8
#define COM1_IRQ	4
#define COM2_IRQ	3
#define KEYBOARD	0x64
#define KEYBOARD_RESET	0xfe
#define CMOS_DATA	0x71

#define MAX_CPUID	256

static void vm_ioctl(struct vm *vm, unsigned long cmd, void *arg, const char *what)
{
	if (ioctl(vm->fd, cmd, arg))
		die(VMM_FAILED, "%s: %s", what, strerror(errno));
}

static void add_ram(struct vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.slot = RAM_SLOT, .memory_size = vm->ram_size,
		.userspace_addr = (uintptr_t)vm->ram,
	};

	vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region, "a memory slot for RAM");
}

/* The dma-buf itself: KVM asks its exporter where the memory is, at each fault. */
static void add_by_fd(struct vm *vm, struct vram *vram, unsigned int slot)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = slot,
		.flags = KVM_MEM_DMABUF | (vram->readonly ? KVM_MEM_READONLY : 0),
		.guest_phys_addr = vram->gpa,
		.memory_size = vram->size,
		.guest_memfd = vram->fd,
		.guest_memfd_offset = vram->offset,
	};

	if (ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_DMABUF_MEM) != 1)
		die(VMM_NOT_HERE, "mode=fd: this kernel has no KVM_CAP_DMABUF_MEM");
	vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region, "a memory slot for the dma-buf");
}

/* A mapping of ours, which KVM looks up and has the exporter fault in. */
static void add_by_mmap(struct vm *vm, struct vram *vram, unsigned int slot)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = vram->readonly ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = vram->gpa,
		.memory_size = vram->size,
		.userspace_addr = (uintptr_t)vram->vaddr,
	};

	vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region, "a memory slot for the mapping");
}

static void add_vram(struct vm *vm, struct vram *vram, unsigned int slot)
{
	if (vram->gpa < vm->ram_size ||
	    (vram->gpa + vram->size > VMM_MAX_RAM && vram->gpa < 1ull << 32))
		die(VMM_BAD_USE, "--vram: gpa=0x%llx is RAM or belongs to a controller",
		    (unsigned long long)vram->gpa);
	if (vram->mode == VRAM_FD)
		add_by_fd(vm, vram, slot);
	else
		add_by_mmap(vm, vram, slot);
}

static void make_ram(struct vm *vm, const struct options *opt)
{
	if (opt->ram_is_vram) {
		vm->ram = opt->ram.vaddr;
		vm->ram_size = opt->ram.size;
		return;
	}
	vm->ram_size = opt->ram_size;
	vm->ram = mmap(NULL, vm->ram_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (vm->ram == MAP_FAILED)
		die(VMM_FAILED, "RAM: %s", strerror(errno));
}

/* All that the host's CPU can, with the name that this vCPU has */
static void set_cpuid(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid;
	unsigned int i;

	cpuid = calloc(1, sizeof(*cpuid) + MAX_CPUID * sizeof(cpuid->entries[0]));
	if (!cpuid)
		die(VMM_FAILED, "out of memory");
	cpuid->nent = MAX_CPUID;
	if (ioctl(vcpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid))
		die(VMM_FAILED, "KVM_GET_SUPPORTED_CPUID: %s", strerror(errno));
	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == 1)
			entry->ebx = (entry->ebx & 0xffffff) | vcpu->id << 24;
		else if (entry->function == 0xb)
			entry->edx = vcpu->id;
	}
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid))
		die(VMM_FAILED, "KVM_SET_CPUID2: %s", strerror(errno));
	free(cpuid);
}

static void vcpu_create(struct vm *vm, unsigned int id)
{
	struct vcpu *vcpu = &vm->vcpus[id];
	int size;

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, id);
	if (vcpu->fd < 0)
		die(VMM_FAILED, "KVM_CREATE_VCPU: %s", strerror(errno));
	vcpu->stats = stats_open(vcpu->fd);
	size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (size < 0 || vcpu->run == MAP_FAILED)
		die(VMM_FAILED, "the vCPU's memory: %s", strerror(errno));
	set_cpuid(vcpu);
}

void vm_create(struct vm *vm, const struct options *opt)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	uint64_t identity = IDENTITY_MAP;
	unsigned int i;

	vm->opt = opt;
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		die(VMM_NOT_HERE, "/dev/kvm: %s", strerror(errno));
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		die(VMM_FAILED, "KVM_CREATE_VM: %s", strerror(errno));
	vm->stats = stats_open(vm->fd);
	pthread_mutex_init(&vm->lock, NULL);
	vm->ended = eventfd(0, EFD_CLOEXEC);
	vm_ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity, "KVM_SET_IDENTITY_MAP_ADDR");
	vm_ioctl(vm, KVM_SET_TSS_ADDR, (void *)TSS_ADDR, "KVM_SET_TSS_ADDR");
	vm_ioctl(vm, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");
	vm_ioctl(vm, KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2");

	make_ram(vm, opt);
	add_ram(vm);
	memcpy(vm->vram, opt->vram, sizeof(vm->vram));
	vm->nr_vram = opt->nr_vram;
	for (i = 0; i < vm->nr_vram; i++)
		add_vram(vm, &vm->vram[i], VRAM_SLOT + i);
	uart_init(&vm->uarts[0], vm, COM1_IRQ, -1, STDOUT_FILENO);
	uart_init(&vm->uarts[1], vm, COM2_IRQ, opt->control_in, opt->control_out);
	vm->nr_cpus = opt->nr_cpus;
	for (i = 0; i < vm->nr_cpus; i++)
		vcpu_create(vm, i);
}

void vm_irq(struct vm *vm, unsigned int irq, bool level)
{
	struct kvm_irq_level arg = { .irq = irq, .level = level };

	vm_ioctl(vm, KVM_IRQ_LINE, &arg, "KVM_IRQ_LINE");
}

void vm_end(struct vm *vm, int status)
{
	uint64_t one = 1;

	vm->status = status;
	if (write(vm->ended, &one, sizeof(one)) != sizeof(one))
		_exit(VMM_FAILED);
}

static void port_write(struct vm *vm, unsigned int port, uint8_t value)
{
	if (port - COM1 < COM_PORTS)
		uart_write(&vm->uarts[0], port - COM1, value);
	else if (port - COM2 < COM_PORTS)
		uart_write(&vm->uarts[1], port - COM2, value);
	else if (port == KEYBOARD && value == KEYBOARD_RESET)
		vm_end(vm, VMM_GUEST_RESET);
}

static uint8_t port_read(struct vm *vm, unsigned int port)
{
	if (port - COM1 < COM_PORTS)
		return uart_read(&vm->uarts[0], port - COM1);
	if (port - COM2 < COM_PORTS)
		return uart_read(&vm->uarts[1], port - COM2);
	/* No clock that is being updated, and no full buffer, to wait for */
	if (port == CMOS_DATA || port == KEYBOARD)
		return 0;
	return 0xff;
}

static void port_access(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t i, byte;

	for (i = 0; i < run->io.count; i++)
		for (byte = 0; byte < run->io.size; byte++, data++)
			if (run->io.direction == KVM_EXIT_IO_OUT)
				port_write(vcpu->vm, run->io.port + byte, *data);
			else
				*data = port_read(vcpu->vm, run->io.port + byte);
}

/*
 * The memory behind a slot is not there any more: the GPU was unbound, reset, or
 * lost it. Without the slot the guest finds what it would on a bus without the device,
 * ones, and runs on.
 */
static void memory_lost(struct vcpu *vcpu, uint64_t gpa, int error)
{
	struct kvm_userspace_memory_region region = {};
	struct vm *vm = vcpu->vm;
	unsigned int i;

	pthread_mutex_lock(&vm->lock);
	for (i = 0; i < vm->nr_vram; i++)
		if (gpa - vm->vram[i].gpa < vm->vram[i].size)
			break;
	if (i == vm->nr_vram)
		die(VMM_FAILED, "KVM cannot reach RAM at 0x%llx: %s",
		    (unsigned long long)gpa, strerror(error));
	vcpu->lost++;
	if (!vm->gone[i]) {
		fprintf(stderr, "kvm-dmabuf-vmm: the memory at 0x%llx is gone (%s)\n",
			(unsigned long long)gpa, strerror(error));
		region.slot = VRAM_SLOT + i;
		vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region, "removal of a memory slot");
		vm->gone[i] = true;
	}
	pthread_mutex_unlock(&vm->lock);
}

static void run_error(struct vcpu *vcpu, int error)
{
	if (error == EINTR || error == EAGAIN)
		return;
	if (vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT)
		memory_lost(vcpu, vcpu->run->memory_fault.gpa, error);
	else
		die(VMM_FAILED, "KVM_RUN: %s", strerror(error));
}

static bool handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		vcpu->io++;
		port_access(vcpu);
		return true;
	case KVM_EXIT_MMIO:
		vcpu->mmio++;
		if (!run->mmio.is_write)
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		return true;
	case KVM_EXIT_SHUTDOWN:
		/* One of the ways to reset a PC, and how a kernel dies without a word */
		fprintf(stderr, "kvm-dmabuf-vmm: vCPU %u: triple fault\n", vcpu->id);
		vm_end(vcpu->vm, VMM_GUEST_RESET);
		return false;
	default:
		die(VMM_FAILED, "vCPU %u: exit reason %u (%u)", vcpu->id, run->exit_reason,
		    run->exit_reason == KVM_EXIT_INTERNAL_ERROR ? run->internal.suberror : 0);
	}
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	bool more = true;

	boot_vcpu(vcpu);
	while (more) {
		vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
		if (ioctl(vcpu->fd, KVM_RUN, NULL)) {
			run_error(vcpu, errno);
		} else {
			vcpu->exits++;
			more = handle_exit(vcpu);
		}
	}
	return NULL;
}

void vm_run(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_cpus; i++)
		if (pthread_create(&vm->vcpus[i].thread, NULL, vcpu_thread, &vm->vcpus[i]))
			die(VMM_FAILED, "no thread for a vCPU");
}
