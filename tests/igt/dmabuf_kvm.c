// SPDX-License-Identifier: MIT
/*
 * Copyright © 2026 dmabuf-pal developers
 */

/**
 * TEST: VRAM as memory of a guest of KVM
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: Memory management tests
 * Functionality: dma-buf PAL mapping
 * Description: A vCPU reads and writes VRAM by a memory slot of its dma-buf
 *
 * SUBTEST: basic-memslot
 * Description: The guest has the same memory as the CPU and the GPU
 *
 * SUBTEST: offset
 * Description: A slot is a part of the dma-buf, and the guest reaches no other
 *
 * SUBTEST: multi-range
 * Description: VRAM in many physical ranges is one slot
 *
 * SUBTEST: readonly-fd
 * Description: A dma-buf that was exported for reading is a slot that cannot be written
 *
 * SUBTEST: sysmem-rejected
 * Description: A buffer object in system memory is refused
 *
 * SUBTEST: fd-closed-first
 * Description: The slot keeps the memory when file and handle are closed
 *
 * SUBTEST: move-under-guest
 * Description: VRAM moves away, and is back with its data when the guest wants it
 *
 * SUBTEST: move-race
 * Description: VRAM moves while a vCPU writes and verifies it without a pause
 *
 * SUBTEST: pinned-beside-guest
 * Description: What iommufd has mapped stays, and the guest has the same memory
 *
 * SUBTEST: two-guests
 * Description: Two guests have the same memory
 *
 * SUBTEST: revoke-on-unbind
 * Description: When the driver leaves the device the guest is told, and lives on
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "igt.h"
#include "pal.h"

IGT_TEST_DESCRIPTION("A vCPU reads and writes VRAM by a memory slot of its dma-buf");

#define SIZE		(2 * PAL_MIB + PAL_PAGE)
#define GPU_WORD	0x600dda7a

enum { FIRST = 0x11, SECOND, THIRD };

static void open_with_slot(struct pal *pal, struct pal_vm *vm, struct pal_bo *bo)
{
	pal_vm_open(vm);
	pal_bo_vram(pal, bo, SIZE);
	igt_assert_eq(pal_vm_map(vm, bo->fd, 0, SIZE, 0), 0);
	igt_assert_eq(pal_bufinfo(bo->fd).pal, 1);
}

static void close_with_slot(struct pal_vm *vm, struct pal_bo *bo)
{
	pal_vm_close(vm);
	igt_assert_eq(pal_bufinfo(bo->fd).attachments, 0);
	pal_bo_destroy(bo);
}

/* What one writes the other one reads, both ways */
static void assert_shared(struct pal_vm *vm, struct pal_bo *bo)
{
	igt_assert_eq(pal_vm_fill(vm, bo->size, FIRST), 0);
	igt_assert_eq_u64(pal_differs(bo->vaddr, 0, bo->size, FIRST), bo->size);
	pal_fill(bo->vaddr, 0, bo->size, SECOND);
	igt_assert_eq(pal_vm_verify(vm, bo->size, SECOND), 0);
}

static void test_basic(struct pal *pal)
{
	struct pal_vm vm;
	struct pal_bo bo;

	open_with_slot(pal, &vm, &bo);
	/* Nobody has asked for it yet. */
	igt_assert_eq_u64(pal_bufinfo(bo.fd).bytes, 0);
	assert_shared(&vm, &bo);
	igt_assert_eq_u64(pal_bufinfo(bo.fd).bytes, SIZE);
	igt_assert(pal_in_vram(pal, &bo));

	pal->driver->store(pal->fd, bo.handle, SIZE, 0, GPU_WORD);
	igt_assert_eq(pal_vm_copy(&vm, PAL_VM_DATA, PAL_VM_DEVICE, PAL_PAGE), 0);
	igt_assert_eq_u32(*(uint32_t *)(vm.ram + PAL_VM_DATA), GPU_WORD);

	igt_assert_eq(pal_vm_map(&vm, -1, 0, 0, 0), 0);
	igt_assert_eq(pal_bufinfo(bo.fd).attachments, 0);
	/* Without the slot this is an access to a device that is not there. */
	igt_assert_eq(pal_vm_fill(&vm, PAL_PAGE, THIRD), 1);
	igt_assert_eq(vm.run->exit_reason, KVM_EXIT_MMIO);
	close_with_slot(&vm, &bo);
}

static void test_offset(struct pal *pal)
{
	uint64_t start = 3 * PAL_PAGE, size = 65 * PAL_PAGE;
	struct pal_vm vm;
	struct pal_bo bo;

	pal_vm_open(&vm);
	pal_bo_vram(pal, &bo, SIZE);
	pal_fill(bo.vaddr, 0, SIZE, FIRST);
	igt_assert_eq(pal_vm_map(&vm, bo.fd, 0, SIZE + PAL_PAGE, 0), -EINVAL);
	igt_assert_eq(pal_vm_map(&vm, bo.fd, SIZE, PAL_PAGE, 0), -EINVAL);
	igt_assert_eq(pal_bufinfo(bo.fd).attachments, 0);

	igt_assert_eq(pal_vm_map(&vm, bo.fd, start, size, 0), 0);
	igt_assert_eq(pal_vm_fill(&vm, size, SECOND), 0);
	/* The pattern is that of the place in the slot. */
	igt_assert_eq_u64(pal_differs((char *)bo.vaddr + start, 0, size, SECOND), size);
	igt_assert_eq_u64(pal_differs(bo.vaddr, 0, start, FIRST), start);
	igt_assert_eq_u64(pal_differs(bo.vaddr, start + size, SIZE - start - size, FIRST),
			  SIZE - start - size);
	/* Behind its end there is nothing. */
	igt_assert_eq(pal_vm_copy(&vm, PAL_VM_DATA, PAL_VM_DEVICE + size, PAL_PAGE), 1);
	close_with_slot(&vm, &bo);
}

static void test_multi_range(struct pal *pal)
{
	struct pal_vm vm;
	struct pal_bo bo;

	pal_vm_open(&vm);
	pal_bo_fragmented(pal, &bo, 33 * 16 * PAL_PAGE, 16 * PAL_PAGE);
	igt_assert_eq(pal_vm_map(&vm, bo.fd, 0, bo.size, 0), 0);
	assert_shared(&vm, &bo);
	igt_require_f(pal_bufinfo(bo.fd).ranges > 1, "VRAM did not become fragmented\n");
	close_with_slot(&vm, &bo);
}

static void test_readonly_fd(struct pal *pal)
{
	struct pal_vm vm;
	struct pal_bo bo;

	pal_vm_open(&vm);
	igt_assert_eq(pal_bo_create(pal, &bo, SIZE, PAL_VRAM | PAL_VISIBLE), 0);
	bo.fd = pal_export(pal, bo.handle, DRM_CLOEXEC);
	igt_assert_lte(0, bo.fd);
	pal_bo_mmap(&bo);
	pal_fill(bo.vaddr, 0, SIZE, FIRST);
	igt_assert_eq(pal_vm_map(&vm, bo.fd, 0, SIZE, 0), -EACCES);
	igt_assert_eq(pal_vm_map(&vm, bo.fd, 0, SIZE, KVM_MEM_READONLY), 0);
	igt_assert_eq(pal_vm_verify(&vm, SIZE, FIRST), 0);
	igt_assert_eq(pal_vm_fill(&vm, PAL_PAGE, SECOND), 1);
	igt_assert_eq(vm.run->exit_reason, KVM_EXIT_MMIO);
	igt_assert_eq_u64(pal_differs(bo.vaddr, 0, SIZE, FIRST), SIZE);
	close_with_slot(&vm, &bo);

	open_with_slot(pal, &vm, &bo);
	assert_shared(&vm, &bo);
	close_with_slot(&vm, &bo);
}

static void test_sysmem_rejected(struct pal *pal)
{
	struct pal_vm vm;
	struct pal_bo bo;

	pal_vm_open(&vm);
	igt_assert_eq(pal_bo_create(pal, &bo, SIZE, PAL_SYSTEM), 0);
	bo.fd = pal_export(pal, bo.handle, DRM_CLOEXEC | DRM_RDWR);
	igt_assert_lte(0, bo.fd);
	igt_assert_eq(pal_vm_map(&vm, bo.fd, 0, SIZE, 0), -EOPNOTSUPP);
	close_with_slot(&vm, &bo);

	open_with_slot(pal, &vm, &bo);
	assert_shared(&vm, &bo);
	close_with_slot(&vm, &bo);
}

static void test_fd_closed_first(struct pal *pal)
{
	struct pal_vm vm;
	struct pal_bo bo;

	open_with_slot(pal, &vm, &bo);
	igt_assert_eq(pal_vm_fill(&vm, SIZE, FIRST), 0);
	pal_bo_destroy(&bo);
	/* What comes next gets other memory, and the guest keeps its own. */
	pal_bo_vram(pal, &bo, 8 * PAL_MIB);
	pal_fill(bo.vaddr, 0, bo.size, SECOND);
	igt_assert_eq(pal_vm_verify(&vm, SIZE, FIRST), 0);
	igt_assert_eq(pal_vm_fill(&vm, SIZE, THIRD), 0);
	igt_assert_eq(pal_vm_verify(&vm, SIZE, THIRD), 0);
	igt_assert_eq_u64(pal_differs(bo.vaddr, 0, bo.size, SECOND), bo.size);
	close_with_slot(&vm, &bo);
}

static void test_move(struct pal *pal)
{
	struct pal_vm vm;
	struct pal_bo bo;
	int i;

	open_with_slot(pal, &vm, &bo);
	for (i = 0; i < 3; i++) {
		igt_assert_eq(pal_vm_fill(&vm, SIZE, FIRST + i), 0);
		igt_assert(pal_in_vram(pal, &bo));
		igt_assert_f(pal_pressure(pal), "VRAM could not be filled\n");
		igt_assert_f(pal_place(pal, bo.fd).system, "it did not move\n");
		/* The slot was empty before it moved. */
		igt_assert_eq_u64(pal_bufinfo(bo.fd).bytes, 0);
		igt_assert_eq_u64(pal_differs(bo.vaddr, 0, SIZE, FIRST + i), SIZE);
		igt_assert_eq(pal_vm_verify(&vm, SIZE, FIRST + i), 0);
		igt_assert(pal_in_vram(pal, &bo));
		igt_assert_eq_u64(pal_bufinfo(bo.fd).bytes, SIZE);
	}
	close_with_slot(&vm, &bo);
}

#define RACE_PAGES	64
#define RACE_MOVES	5
#define RACE_SECONDS	60

struct counter {
	struct pal_vm *vm;
	uint32_t rounds;
	int ret;
};

static void *count(void *arg)
{
	struct counter *counter = arg;

	counter->ret = pal_vm_count(counter->vm, RACE_PAGES, &counter->rounds);
	return NULL;
}

/* The guest has written once more; false if it does not do so any more. */
static bool goes_on(volatile uint32_t *word)
{
	time_t end = time(NULL) + RACE_SECONDS;
	uint32_t before = *word;

	while (*word == before) {
		if (time(NULL) > end)
			return false;
		sched_yield();
	}
	return true;
}

static void test_move_race(struct pal *pal)
{
	struct counter counter = {};
	bool alive, full = true;
	pthread_t thread;
	struct pal_vm vm;
	struct pal_bo bo;
	uint32_t last;
	int i;

	open_with_slot(pal, &vm, &bo);
	memset(bo.vaddr, 0, SIZE);
	counter.vm = &vm;
	igt_assert_eq(pthread_create(&thread, NULL, count, &counter), 0);
	alive = goes_on(bo.vaddr);
	for (i = 0; alive && i < RACE_MOVES; i++) {
		full &= pal_pressure(pal);
		alive = goes_on(bo.vaddr);
	}
	pal_vm_stop(&vm);
	pthread_join(thread, NULL);
	igt_assert_f(alive && full, "after %d moves: %s\n", i,
		     alive ? "VRAM could not be filled" : "the guest stands still");
	igt_assert_eq(counter.ret, 0);
	igt_info("%d moves, %u rounds of the guest\n", i, counter.rounds);
	for (i = 0; i < RACE_PAGES; i++) {
		last = *(volatile uint32_t *)((char *)bo.vaddr + i * PAL_PAGE);
		igt_assert_eq_u32(last, counter.rounds);
	}
	close_with_slot(&vm, &bo);
}

static void test_pinned_beside_guest(struct pal *pal)
{
	struct pal_dma dma;
	struct pal_vm vm;
	struct pal_bo bo;
	uint64_t iova;

	open_with_slot(pal, &vm, &bo);
	pal_dma_open(&dma);
	igt_assert_eq(pal_vm_fill(&vm, SIZE, FIRST), 0);
	igt_assert_eq(pal_map(&dma.ioas, bo.fd, 0, SIZE, PAL_MAP_RW, &iova), 0);
	igt_assert_f(pal_pressure(pal), "VRAM could not be filled\n");
	igt_assert(pal_in_vram(pal, &bo));
	igt_assert_eq(pal_vm_verify(&vm, SIZE, FIRST), 0);
	pal_dma_works(&dma, &bo, iova, 0, SIZE);
	igt_assert_eq(pal_unmap(&dma.ioas, iova, SIZE), 0);
	pal_dma_blocked(&dma, &bo, iova);
	pal_dma_close(&dma);
	assert_shared(&vm, &bo);
	close_with_slot(&vm, &bo);
}

static void test_two_guests(struct pal *pal)
{
	struct pal_vm vm, other;
	struct pal_bo bo;

	open_with_slot(pal, &vm, &bo);
	pal_vm_open(&other);
	igt_assert_eq(pal_vm_map(&other, bo.fd, 0, SIZE, 0), 0);
	igt_assert_eq(pal_vm_fill(&vm, SIZE, FIRST), 0);
	igt_assert_eq(pal_vm_verify(&other, SIZE, FIRST), 0);
	igt_assert_f(pal_pressure(pal), "VRAM could not be filled\n");
	igt_assert_eq(pal_vm_verify(&other, SIZE, FIRST), 0);
	igt_assert_eq(pal_vm_fill(&other, SIZE, SECOND), 0);
	pal_vm_close(&other);
	igt_assert_eq(pal_bufinfo(bo.fd).pal, 1);
	igt_assert_eq(pal_vm_verify(&vm, SIZE, SECOND), 0);
	close_with_slot(&vm, &bo);
}

static void test_revoke(struct pal *pal)
{
	struct pal_bo bo, next;
	struct pal_vm vm;

	open_with_slot(pal, &vm, &bo);
	igt_assert_eq(pal_vm_fill(&vm, SIZE, FIRST), 0);
	munmap(bo.vaddr, SIZE);
	pal_unbind(pal);
	igt_assert_eq_u64(pal_bufinfo(bo.fd).bytes, 0);
	igt_assert_eq(pal_vm_verify(&vm, SIZE, FIRST), -ENODEV);
	igt_assert_eq(vm.run->exit_reason, KVM_EXIT_MEMORY_FAULT);
	/* The rest of its memory is as it was. */
	igt_assert_eq(pal_vm_copy(&vm, PAL_VM_DATA, PAL_VM_DATA + 4 * PAL_MIB, PAL_MIB), 0);

	pal_bind(pal);
	pal_bo_vram(pal, &next, SIZE);
	igt_assert_eq(pal_vm_fill(&vm, SIZE, SECOND), -ENODEV);
	igt_assert_eq(pal_vm_map(&vm, -1, 0, 0, 0), 0);
	igt_assert_eq(pal_vm_map(&vm, next.fd, 0, SIZE, 0), 0);
	assert_shared(&vm, &next);
	close(bo.fd);
	close_with_slot(&vm, &next);
}

int igt_main()
{
	static struct pal pal;

	igt_fixture()
		pal_open(&pal, DRIVER_XE | DRIVER_AMDGPU);

	igt_describe("The guest has the same memory as the CPU and the GPU");
	igt_subtest("basic-memslot")
		test_basic(&pal);

	igt_describe("A slot is a part of the dma-buf, and the guest reaches no other");
	igt_subtest("offset")
		test_offset(&pal);

	igt_describe("VRAM in many physical ranges is one slot");
	igt_subtest("multi-range")
		test_multi_range(&pal);

	igt_describe("A dma-buf that was exported for reading is a slot that cannot be written");
	igt_subtest("readonly-fd")
		test_readonly_fd(&pal);

	igt_describe("A buffer object in system memory is refused");
	igt_subtest("sysmem-rejected")
		test_sysmem_rejected(&pal);

	igt_describe("The slot keeps the memory when file and handle are closed");
	igt_subtest("fd-closed-first")
		test_fd_closed_first(&pal);

	igt_describe("VRAM moves away, and is back with its data when the guest wants it");
	igt_subtest("move-under-guest")
		test_move(&pal);

	igt_describe("VRAM moves while a vCPU writes and verifies it without a pause");
	igt_subtest("move-race")
		test_move_race(&pal);

	igt_describe("What iommufd has mapped stays, and the guest has the same memory");
	igt_subtest("pinned-beside-guest")
		test_pinned_beside_guest(&pal);

	igt_describe("Two guests have the same memory");
	igt_subtest("two-guests")
		test_two_guests(&pal);

	igt_describe("When the driver leaves the device the guest is told, and lives on");
	igt_subtest("revoke-on-unbind")
		test_revoke(&pal);

	igt_fixture()
		pal_close(&pal);
}
