/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest of a few instructions, on bare KVM: 32-bit protected mode without paging,
 * so that the only page tables between it and its memory are KVM's. It copies,
 * touches pages, or counts up in them, and says so by an I/O port.
 *
 * Calls that have to succeed exit if they do not; those that start with two
 * underscores return 0 or -errno.
 */
#ifndef PAL_GUEST_VM_H
#define PAL_GUEST_VM_H

#include <stdint.h>

#include <linux/kvm.h>

#define GUEST_MAX_CPUS	2

/* Memory at guest physical address 0; GUEST_DATA and what follows is free to use. */
#define GUEST_RAM_SIZE	((uint64_t)16 << 20)
#define GUEST_DATA	((uint64_t)1 << 20)
/* Where memory of a device goes, aligned for the largest pages */
#define GUEST_DEVICE	((uint64_t)1 << 30)

struct guest_vm;

struct guest_cpu {
	struct guest_vm *vm;
	int fd;
	struct kvm_run *run;
	uint64_t run_size;
};

struct guest_vm {
	int kvm;
	int fd;
	void *ram;
	unsigned int nr_cpus;
	struct guest_cpu cpus[GUEST_MAX_CPUS];
};

void guest_vm_open(struct guest_vm *vm, unsigned int nr_cpus);
void guest_vm_close(struct guest_vm *vm);

static inline void *guest_data(struct guest_vm *vm)
{
	return (char *)vm->ram + GUEST_DATA;
}

/* Memslots, of which 0 is taken: an mmap(), a dma-buf, and nothing any more */
int __guest_vm_map(struct guest_vm *vm, unsigned int slot, uint64_t gpa,
		   uint64_t size, void *vaddr);
int __guest_vm_map_fd(struct guest_vm *vm, unsigned int slot, uint64_t gpa,
		      uint64_t size, int dma_buf, uint64_t offset,
		      uint32_t flags);
void guest_vm_unmap(struct guest_vm *vm, unsigned int slot);

/*
 * What a vCPU does. 0 when it is done. -errno if KVM_RUN fails, and 1 if it ends for
 * another reason than the guest's word: @cpu->run tells, and guest_cpu_resume() goes
 * on at the same instruction.
 */
int guest_cpu_copy(struct guest_cpu *cpu, uint64_t dst, uint64_t src, uint64_t size);
int guest_cpu_touch(struct guest_cpu *cpu, uint64_t gpa, uint64_t pages, uint32_t value);
int guest_cpu_resume(struct guest_cpu *cpu);

/*
 * Counts up in the first and the last word of every page, @pages of them at @gpa and
 * @step bytes apart, each time over the number before, and counts where it was not
 * there; until guest_vm_stop(). The words have to be 0 at first.
 */
struct guest_count {
	uint32_t rounds;
	uint32_t wrong;
};

int guest_cpu_count(struct guest_cpu *cpu, uint64_t gpa, uint32_t pages, uint32_t step,
		    struct guest_count *count);
void guest_vm_stop(struct guest_vm *vm);

/* Faults for which KVM has made an entry so far, of all VMs, by its debugfs */
uint64_t guest_vm_faults(void);

#endif
