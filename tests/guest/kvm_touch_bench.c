// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_touch_bench GPU_BDF IVSHMEM_BDF
 *
 * What it costs a guest to reach device memory: it writes a word to each page of
 * 1 GiB of VRAM, in a memslot that is an mmap() of the buffer object or its dma-buf,
 * and what it costs to take 1 GiB that is mapped for a guest away again, by turning
 * memory decoding of the ivshmem device off.
 *
 * The VM has to run with QEMU's -icount shift=0, and is itself the host of a guest
 * of a few instructions: in 32-bit protected mode, without paging, so that every
 * page table involved is KVM's. Its instructions are counted, too: 4 for a page.
 *
 * A measurement is a line "@guest {json}", and scripts/bench makes figures and
 * judgments of them. TAP on stdout: a row fails if its measurement could not be made.
 * That a kernel refuses a dma-buf for a memslot is a measurement.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/sizes.h>

#include <libvfio.h>
#include <libvfio/dma_buf.h>

#include "gpu.h"
#include "guest_vm.h"
#include "tap.h"

#define BAR		2
#define MEM_SIZE	((uint64_t)SZ_1G)
#define PAGES		(MEM_SIZE / SZ_4K)

/* Aligned for pages of 1 GiB, and for those of 2 MiB alone */
#define GPA_1G		GUEST_DEVICE
#define GPA_2M		(GUEST_DEVICE + SZ_2M)

#define SLOT		1
#define WORD		0x5a5a5a5a

struct touch {
	uint64_t instructions;
	uint64_t kvm_faults;
	uint64_t host_faults;
};

static uint64_t instructions(void)
{
	return __builtin_ia32_rdtsc();
}

static uint64_t host_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

static void touch_pages(struct guest_vm *vm, uint64_t gpa, uint64_t pages)
{
	VFIO_ASSERT_EQ(guest_cpu_touch(&vm->cpus[0], gpa, pages, WORD), 0);
}

static struct touch touch(struct guest_vm *vm, uint64_t gpa)
{
	struct touch result = {
		.kvm_faults = guest_vm_faults(),
		.host_faults = host_faults(),
	};
	uint64_t start = instructions();

	touch_pages(vm, gpa, PAGES);
	result.instructions = instructions() - start;
	result.host_faults = host_faults() - result.host_faults;
	result.kvm_faults = guest_vm_faults() - result.kvm_faults;
	return result;
}

static void say_touch(const char *backing, const char *error, struct touch first,
		      struct touch second)
{
	printf("@guest {\"what\": \"touch\", \"backing\": \"%s\", \"error\": \"%s\", "
	       "\"bytes\": %" PRIu64 ", \"instructions\": %" PRIu64 ", "
	       "\"faults\": %" PRIu64 ", \"host_faults\": %" PRIu64 ", "
	       "\"again\": %" PRIu64 "}\n", backing, error, MEM_SIZE,
	       first.instructions, first.kvm_faults, first.host_faults,
	       second.instructions);
}

/* The words that the guest wrote are in the BO, on a few pages of it */
static bool arrived(struct gpu_bo *bo)
{
	uint64_t at;

	for (at = 0; at < MEM_SIZE; at += MEM_SIZE / 64)
		if (*(volatile uint32_t *)(bo->vaddr + at) != WORD)
			return false;
	return true;
}

static void bench_touch(struct gpu *gpu, bool by_fd)
{
	const char *backing = by_fd ? "fd" : "mmap";
	struct touch first = {}, second = {};
	struct gpu_bo bo;
	struct guest_vm vm;
	int fd, ret;

	gpu_bo_create_vram(gpu, &bo, MEM_SIZE);
	fd = gpu_bo_export(&bo);
	guest_vm_open(&vm, 1);
	/* So that only the memory itself is new to the guest */
	touch_pages(&vm, GUEST_DATA, 1);
	ret = by_fd ? __guest_vm_map_fd(&vm, SLOT, GPA_1G, MEM_SIZE, fd, 0, 0) :
		      __guest_vm_map(&vm, SLOT, GPA_1G, MEM_SIZE, bo.vaddr);
	if (!ret) {
		first = touch(&vm, GPA_1G);
		second = touch(&vm, GPA_1G);
		say_touch(backing, "", first, second);
		result(arrived(&bo), "touch 1 GiB of VRAM, %s", backing);
	} else {
		say_touch(backing, ret == -EINVAL ? "EINVAL" : strerror(-ret), first,
			  second);
		result(ret == -EINVAL, "touch 1 GiB of VRAM, %s: refused", backing);
	}
	guest_vm_close(&vm);
	close(fd);
	gpu_bo_destroy(&bo);
}

static void set_memory_decoding(struct vfio_pci_device *device, bool on)
{
	if (on)
		vfio_pci_cmd_set(device, PCI_COMMAND_MEMORY);
	else
		vfio_pci_cmd_clear(device, PCI_COMMAND_MEMORY);
}

/* Instructions of turning memory decoding off, with nothing or 1 GiB mapped */
static void bench_invalidate(struct vfio_pci_device *ivshmem, const char *pages,
			     uint64_t gpa)
{
	const struct vfio_region_dma_range range = { .length = MEM_SIZE };
	uint64_t idle, start, busy = 0;
	struct guest_vm vm;
	int fd, ret;

	fd = __vfio_pci_dma_buf_export(ivshmem, BAR, O_RDWR | O_CLOEXEC, 1, &range);
	VFIO_ASSERT_GE(fd, 0);
	set_memory_decoding(ivshmem, false);
	set_memory_decoding(ivshmem, true);
	start = instructions();
	set_memory_decoding(ivshmem, false);
	idle = instructions() - start;
	set_memory_decoding(ivshmem, true);

	guest_vm_open(&vm, 1);
	ret = __guest_vm_map_fd(&vm, SLOT, gpa, MEM_SIZE, fd, 0, 0);
	if (!ret) {
		touch_pages(&vm, gpa, PAGES);
		start = instructions();
		set_memory_decoding(ivshmem, false);
		busy = instructions() - start;
		set_memory_decoding(ivshmem, true);
	}
	printf("@guest {\"what\": \"invalidate\", \"backing\": \"%s\", \"error\": \"%s\", "
	       "\"bytes\": %" PRIu64 ", \"instructions\": %" PRIu64 ", "
	       "\"nothing_mapped\": %" PRIu64 "}\n", pages,
	       ret == -EINVAL ? "EINVAL" : ret ? strerror(-ret) : "", MEM_SIZE,
	       busy, idle);
	result(!ret || ret == -EINVAL, "take 1 GiB in pages of %s away%s", pages,
	   ret ? ": refused" : "");
	guest_vm_close(&vm);
	close(fd);
}

int main(int argc, char **argv)
{
	struct vfio_pci_device *ivshmem;
	struct iommu *iommu;
	struct gpu gpu;

	if (argc != 3) {
		fprintf(stderr, "usage: kvm_touch_bench GPU_BDF IVSHMEM_BDF\n");
		return 2;
	}
	printf("1..4\n");
	gpu_open(&gpu, argv[1]);
	bench_touch(&gpu, false);
	bench_touch(&gpu, true);
	gpu_close(&gpu);

	iommu = iommu_init("iommufd");
	ivshmem = vfio_pci_device_init(argv[2], iommu);
	bench_invalidate(ivshmem, "2M", GPA_2M);
	bench_invalidate(ivshmem, "1G", GPA_1G);
	vfio_pci_device_cleanup(ivshmem);
	iommu_cleanup(iommu);
	return failed ? 1 : 0;
}
