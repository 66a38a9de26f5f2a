/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small VMM that has VRAM in a guest's address space: see main.c.
 *
 * vm.c	the VM, its memory slots and vCPUs	boot.c	what Linux wants to find
 * vram.c	where device memory comes from	uart.c	16550A serial ports
 * stats.c	what KVM counts
 */
#ifndef VMM_H
#define VMM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>

#define VMM_MAX_CPUS	8
#define VMM_MAX_VRAM	4
#define VMM_PAGE_SIZE	4096ull

/* Below the hole in which the interrupt controllers are */
#define VMM_MAX_RAM	(3ull << 30)

/* Exit status */
enum { VMM_GUEST_RESET = 0, VMM_FAILED = 1, VMM_BAD_USE = 2, VMM_NOT_HERE = 77 };

enum vram_mode { VRAM_MMAP, VRAM_FD };

/* Device memory that the guest sees at @gpa */
struct vram {
	/* Where it comes from: an open dma-buf, or a BO on the GPU @bdf */
	int fd;
	const char *bdf;
	uint64_t gpa;
	uint64_t size;
	/* In the dma-buf, at which the slot starts */
	uint64_t offset;
	enum vram_mode mode;
	bool readonly;
	/* Of mode=mmap: the mapping of the slot's part */
	void *vaddr;
};

struct uart {
	pthread_mutex_t lock;
	struct vm *vm;
	unsigned int irq;
	int in;
	int out;
	uint8_t regs[8];
	uint8_t divisor[2];
	bool thr_empty;
	bool irq_level;
	/* Received and not read yet */
	uint8_t fifo[1024];
	unsigned int head;
	unsigned int count;
};

struct vcpu {
	struct vm *vm;
	unsigned int id;
	int fd;
	int stats;
	pthread_t thread;
	struct kvm_run *run;
	uint64_t exits, io, mmio, lost;
};

struct options {
	const char *kernel;
	const char *initrd;
	const char *cmdline;
	uint64_t ram_size;
	unsigned int nr_cpus;
	struct vram vram[VMM_MAX_VRAM];
	unsigned int nr_vram;
	/* If it has a source: the guest's RAM is this device memory. */
	struct vram ram;
	bool ram_is_vram;
	int control_in, control_out;
	int stats;
};

struct vm {
	int kvm;
	int fd;
	int stats;
	const struct options *opt;
	void *ram;
	uint64_t ram_size;
	struct vcpu vcpus[VMM_MAX_CPUS];
	unsigned int nr_cpus;
	struct vram vram[VMM_MAX_VRAM];
	unsigned int nr_vram;
	/* Of the memory slots, which the vCPUs take away when memory is lost */
	pthread_mutex_t lock;
	bool gone[VMM_MAX_VRAM];
	struct uart uarts[2];
	/* An eventfd: the guest has ended, with this status. */
	int ended;
	int status;
};

/* One line on stderr and the exit status */
__attribute__((noreturn, format(printf, 2, 3)))
void die(int status, const char *fmt, ...);

/* Parts of an option's text; they exit if it makes no sense. */
uint64_t parse_number(const char *what, const char *text);
void parse_vram(const char *what, const char *text, struct vram *vram);

/* Opens the source, and maps it if the mode or @map asks for it. */
void vram_open(struct vram *vram, bool map);

void vm_create(struct vm *vm, const struct options *opt);
void vm_run(struct vm *vm);
void vm_end(struct vm *vm, int status);
void vm_irq(struct vm *vm, unsigned int irq, bool level);

/* Kernel, initrd and tables into RAM; and a vCPU to where the kernel starts. */
void boot_load(struct vm *vm, const struct options *opt);
void boot_vcpu(struct vcpu *vcpu);

void uart_init(struct uart *uart, struct vm *vm, unsigned int irq, int in, int out);
uint8_t uart_read(struct uart *uart, unsigned int reg);
void uart_write(struct uart *uart, unsigned int reg, uint8_t value);
/* From @in; false at its end */
bool uart_receive(struct uart *uart);

/* The file of a VM's or a vCPU's counters, or -1; and a line "stats NAME=VALUE ..." */
int stats_open(int of);
void stats_write(struct vm *vm, int fd);

#endif
