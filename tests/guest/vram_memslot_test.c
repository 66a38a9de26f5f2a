// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_memslot_test [options] NVME_BDF GPU_BDF
 *
 * VRAM is memory of a guest, as a memslot that is backed by its dma-buf. The guest
 * sees what the CPU, the GPU and an NVMe controller write, and they see what it
 * writes; it goes on while the buffer moves, and gets an exit when it is gone.
 */
#include <linux/kernel.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "guest_vm.h"
#include "vram_test.h"
#include "kselftest_harness.h"

#define SLOT		1
#define SIZE		((u64)SZ_4M + SZ_4K)
#define PAGES		(SIZE / SZ_4K)
#define COUNT_PAGES	64

/* The guest copies the pattern to the buffer, or what is there to its memory. */
static int guest_fill(struct guest_vm *vm, u64 size, u64 seed)
{
	outside_pattern(guest_data(vm), 0, size, seed);
	return guest_cpu_copy(&vm->cpus[0], GUEST_DEVICE, GUEST_DATA, size);
}

/* Words that the guest finds to differ, or -1 if it could not look at them */
static s64 guest_differs(struct guest_vm *vm, u64 size, u64 seed)
{
	memset(guest_data(vm), 0, size);
	if (guest_cpu_copy(&vm->cpus[0], GUEST_DATA, GUEST_DEVICE, size))
		return -1;
	return outside_differs(guest_data(vm), 0, size, seed);
}

static int map_whole(struct guest_vm *vm, struct buffer *buf)
{
	return __guest_vm_map_fd(vm, SLOT, GUEST_DEVICE, buf->bo.size, buf->fd, 0, 0);
}

/* More than there is, once: what can move is somewhere else afterwards */
static void squeeze_once(struct gpu *gpu)
{
	u64 total = gpu_vram(gpu).total;
	struct pressure pressure;

	pressure_make(gpu, &pressure, total + PRESSURE_SIZE);
	pressure_end(&pressure);
}

FIXTURE(vram_memslot) {
	struct env env;
	struct buffer buf;
	struct guest_vm vm;
};

FIXTURE_SETUP(vram_memslot)
{
	env_open(&self->env);
	buffer_open(&self->env, &self->buf, SIZE);
	guest_vm_open(&self->vm, GUEST_MAX_CPUS);
}

FIXTURE_TEARDOWN(vram_memslot)
{
	guest_vm_close(&self->vm);
	buffer_close(&self->env, &self->buf);
	env_close(&self->env);
}

/* All who reach the memory see the same */
static void expect_shared(struct __test_metadata *_metadata, struct env *env,
			  struct buffer *buf, struct guest_vm *vm)
{
	u64 size = buf->bo.size;
	struct dma_region map;

	ASSERT_EQ(0, guest_fill(vm, size, DATA));
	EXPECT_EQ(0, cpu_differs(&buf->bo, DATA));
	EXPECT_EQ(0, gpu_view_differs(&env->view, buf->va, size, DATA));
	cpu_fill(&buf->bo, AFTER);
	EXPECT_EQ(0, guest_differs(vm, size, AFTER));
	gpu_view_fill(&env->view, buf->va, size, LATE);
	EXPECT_EQ(0, guest_differs(vm, size, LATE));

	dma_map(&env->dma, &map, buf->fd, size);
	dma_fill(&env->dma, map.iova, 0, size, BEFORE);
	EXPECT_EQ(0, guest_differs(vm, size, BEFORE));
	ASSERT_EQ(0, guest_fill(vm, size, DATA));
	EXPECT_EQ(0, dma_differs(&env->dma, map.iova, 0, size, DATA));
	dma_unmap(&env->dma, &map);
}

TEST_F_TIMEOUT(vram_memslot, by_dma_buf, 120)
{
	struct bufinfo info;

	ASSERT_EQ(0, map_whole(&self->vm, &self->buf));
	info = bufinfo(self->buf.fd);
	EXPECT_EQ(1, info.pal_attachments);
	EXPECT_EQ(0, info.bytes);
	expect_shared(_metadata, &self->env, &self->buf, &self->vm);
	EXPECT_EQ(SIZE, bufinfo(self->buf.fd).bytes);
	guest_vm_unmap(&self->vm, SLOT);
	EXPECT_EQ(0, bufinfo(self->buf.fd).pal_attachments);
	EXPECT_EQ(1, guest_fill(&self->vm, SZ_4K, LATE));
}

/* What can be had without the dma-buf, to compare with */
TEST_F_TIMEOUT(vram_memslot, by_mmap, 120)
{
	ASSERT_EQ(0, __guest_vm_map(&self->vm, SLOT, GUEST_DEVICE, SIZE,
				    self->buf.bo.vaddr));
	expect_shared(_metadata, &self->env, &self->buf, &self->vm);
}

TEST_F_TIMEOUT(vram_memslot, fragmented, 120)
{
	struct env *env = &self->env;
	struct buffer buf;

	gpu_bo_create_fragmented(&env->gpu, &buf.bo, SZ_4M + SZ_64K, SZ_64K);
	buffer_export(env, &buf);
	ASSERT_EQ(0, map_whole(&self->vm, &buf));
	expect_shared(_metadata, env, &buf, &self->vm);
	EXPECT_LE(48, bufinfo(buf.fd).ranges);
	guest_vm_unmap(&self->vm, SLOT);
	buffer_close(env, &buf);
}

/* Away under pressure, back when the guest looks, and right in both places */
TEST_F_TIMEOUT(vram_memslot, moves, 120)
{
	struct env *env = &self->env;
	struct dma_region map;

	ASSERT_EQ(0, map_whole(&self->vm, &self->buf));
	ASSERT_EQ(0, guest_fill(&self->vm, SIZE, DATA));
	squeeze_once(&env->gpu);
	EXPECT_EQ(SIZE, gpu_place(&env->gpu, self->buf.fd).system);
	EXPECT_EQ(0, bufinfo(self->buf.fd).bytes);
	EXPECT_EQ(0, cpu_differs(&self->buf.bo, DATA));

	EXPECT_EQ(0, guest_differs(&self->vm, SIZE, DATA));
	EXPECT_TRUE(gpu_in_vram(&env->gpu, self->buf.fd, SIZE));
	ASSERT_EQ(0, guest_fill(&self->vm, SIZE, AFTER));
	EXPECT_EQ(0, gpu_view_differs(&env->view, self->buf.va, SIZE, AFTER));

	/* Not while an importer has it that cannot fault */
	dma_map(&env->dma, &map, self->buf.fd, SIZE);
	squeeze_once(&env->gpu);
	EXPECT_TRUE(gpu_in_vram(&env->gpu, self->buf.fd, SIZE));
	EXPECT_EQ(0, guest_differs(&self->vm, SIZE, AFTER));
	dma_unmap(&env->dma, &map);
}

struct counter {
	struct guest_cpu *cpu;
	u64 gpa;
	struct guest_count count;
	int ret;
};

static void *count_thread(void *arg)
{
	struct counter *c = arg;

	c->ret = guest_cpu_count(c->cpu, c->gpa, COUNT_PAGES / GUEST_MAX_CPUS,
				 GUEST_MAX_CPUS * SZ_4K, &c->count);
	return NULL;
}

static u32 word(struct gpu_bo *bo, u64 offset)
{
	return *(volatile u32 *)(bo->vaddr + offset);
}

#define NR_MOVES	10

/* Two vCPUs write all the time; not a word is lost, and none comes back. */
TEST_F_TIMEOUT(vram_memslot, moves_race_with_guest, 300)
{
	struct counter counters[GUEST_MAX_CPUS];
	pthread_t threads[GUEST_MAX_CPUS];
	struct env *env = &self->env;
	unsigned int i, page;
	u64 faults;

	memset(self->buf.bo.vaddr, 0, SIZE);
	ASSERT_EQ(0, map_whole(&self->vm, &self->buf));
	for (i = 0; i < GUEST_MAX_CPUS; i++) {
		counters[i] = (struct counter){
			.cpu = &self->vm.cpus[i], .gpa = GUEST_DEVICE + i * SZ_4K,
		};
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, count_thread,
					    &counters[i]));
	}
	while (!word(&self->buf.bo, 0))
		sched_yield();
	faults = guest_vm_faults();
	for (i = 0; i < NR_MOVES; i++) {
		u32 before = word(&self->buf.bo, 0);

		squeeze_once(&env->gpu);
		/* Somebody writes again, so it is back */
		while (word(&self->buf.bo, 0) == before)
			sched_yield();
	}
	faults = guest_vm_faults() - faults;
	guest_vm_stop(&self->vm);
	/* Each move took the mapping away, or there would be no faults */
	EXPECT_LE(NR_MOVES, faults);
	for (i = 0; i < GUEST_MAX_CPUS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_EQ(0, counters[i].ret);
		EXPECT_EQ(0, counters[i].count.wrong);
		for (page = i; page < COUNT_PAGES; page += GUEST_MAX_CPUS) {
			EXPECT_EQ(counters[i].count.rounds,
				  word(&self->buf.bo, page * SZ_4K));
			EXPECT_EQ(counters[i].count.rounds,
				  word(&self->buf.bo, page * SZ_4K + 0xffc));
		}
	}
	TH_LOG("%d moves, %llu faults, %u and %u rounds", NR_MOVES,
	       (unsigned long long)faults, counters[0].count.rounds,
	       counters[1].count.rounds);
}

static void on_alarm(int signal)
{
}

/* No room in VRAM: the guest waits for it, and a signal ends the wait */
TEST_F_TIMEOUT(vram_memslot, waits_for_room, 120)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval timer = {
		.it_interval = { .tv_usec = 200 * 1000 },
		.it_value = { .tv_usec = 200 * 1000 },
	};
	struct env *env = &self->env;
	u64 total = gpu_vram(&env->gpu).total / SZ_2M * SZ_2M;
	struct buffer large, pinned;
	struct dma_region map;

	buffer_open(env, &large, total / 8 * 5 / SZ_2M * SZ_2M);
	ASSERT_EQ(0, map_whole(&self->vm, &large));
	outside_pattern(large.bo.vaddr, 0, SIZE, DATA);
	EXPECT_EQ(0, guest_differs(&self->vm, SIZE, DATA));
	squeeze_once(&env->gpu);
	EXPECT_EQ(large.bo.size, gpu_place(&env->gpu, large.fd).system);

	buffer_open(env, &pinned, total / 16 * 7 / SZ_2M * SZ_2M);
	dma_map(&env->dma, &map, pinned.fd, pinned.bo.size);
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
	EXPECT_EQ(-EINTR, guest_cpu_copy(&self->vm.cpus[0], GUEST_DATA, GUEST_DEVICE,
					 SIZE));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &(struct itimerval){}, NULL));
	EXPECT_EQ(large.bo.size, gpu_place(&env->gpu, large.fd).system);

	dma_unmap(&env->dma, &map);
	buffer_close(env, &pinned);
	EXPECT_EQ(0, guest_cpu_resume(&self->vm.cpus[0]));
	EXPECT_EQ(0, outside_differs(guest_data(&self->vm), 0, SIZE, DATA));
	guest_vm_unmap(&self->vm, SLOT);
	buffer_close(env, &large);
}

TEST_F_TIMEOUT(vram_memslot, two_guests, 120)
{
	struct guest_vm other;

	guest_vm_open(&other, 1);
	/* Disjoint slices of one BO */
	ASSERT_EQ(0, __guest_vm_map_fd(&self->vm, SLOT, GUEST_DEVICE, SZ_1M,
				       self->buf.fd, 0, 0));
	ASSERT_EQ(0, __guest_vm_map_fd(&other, SLOT, GUEST_DEVICE, SZ_1M, self->buf.fd,
				       SZ_1M, 0));
	ASSERT_EQ(0, guest_fill(&self->vm, SZ_1M, DATA));
	ASSERT_EQ(0, guest_fill(&other, SZ_1M, AFTER));
	EXPECT_EQ(0, guest_differs(&self->vm, SZ_1M, DATA));
	EXPECT_EQ(0, outside_differs(self->buf.bo.vaddr, 0, SZ_1M, DATA));
	EXPECT_EQ(0, outside_differs(self->buf.bo.vaddr + SZ_1M, 0, SZ_1M, AFTER));
	/* Nothing is behind a slice's end */
	EXPECT_EQ(1, guest_cpu_copy(&self->vm.cpus[0], GUEST_DATA,
				    GUEST_DEVICE + SZ_1M, SZ_4K));

	/* And the same one */
	guest_vm_unmap(&other, SLOT);
	ASSERT_EQ(0, __guest_vm_map_fd(&other, SLOT, GUEST_DEVICE, SZ_1M, self->buf.fd,
				       0, 0));
	EXPECT_EQ(0, guest_differs(&other, SZ_1M, DATA));
	squeeze_once(&self->env.gpu);
	ASSERT_EQ(0, guest_fill(&other, SZ_1M, LATE));
	guest_vm_close(&other);
	EXPECT_EQ(0, outside_differs(self->buf.bo.vaddr, 0, SZ_1M, LATE));
}

TEST_F_TIMEOUT(vram_memslot, refused, 120)
{
	struct env *env = &self->env;
	struct gpu_bo bo;
	int fd;

	gpu_bo_create_system(&env->gpu, &bo, SZ_1M);
	fd = gpu_bo_export(&bo);
	EXPECT_EQ(-EOPNOTSUPP, __guest_vm_map_fd(&self->vm, SLOT, GUEST_DEVICE, SZ_1M,
						 fd, 0, 0));
	close(fd);
	gpu_bo_destroy(&bo);

	EXPECT_EQ(-EINVAL, __guest_vm_map_fd(&self->vm, SLOT, GUEST_DEVICE,
					     SIZE + SZ_4K, self->buf.fd, 0, 0));
	EXPECT_EQ(0, map_whole(&self->vm, &self->buf));
	EXPECT_EQ(0, guest_fill(&self->vm, SIZE, DATA));
	EXPECT_EQ(0, cpu_differs(&self->buf.bo, DATA));
}

/* A dma-buf of its own for a program that may only read */
TEST_F_TIMEOUT(vram_memslot, read_only, 120)
{
	struct env *env = &self->env;
	struct gpu_bo bo;
	int fd;

	gpu_bo_create_vram(&env->gpu, &bo, SZ_1M);
	outside_pattern(bo.vaddr, 0, SZ_1M, DATA);
	fd = __gpu_export(&env->gpu, bo.handle, DRM_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EACCES, __guest_vm_map_fd(&self->vm, SLOT, GUEST_DEVICE, SZ_1M, fd,
					     0, 0));
	ASSERT_EQ(0, __guest_vm_map_fd(&self->vm, SLOT, GUEST_DEVICE, SZ_1M, fd, 0,
				       KVM_MEM_READONLY));
	EXPECT_EQ(0, guest_differs(&self->vm, SZ_1M, DATA));
	EXPECT_EQ(1, guest_fill(&self->vm, SZ_4K, AFTER));
	EXPECT_EQ(KVM_EXIT_MMIO, self->vm.cpus[0].run->exit_reason);
	EXPECT_EQ(0, outside_differs(bo.vaddr, 0, SZ_1M, DATA));
	guest_vm_unmap(&self->vm, SLOT);
	close(fd);
	gpu_bo_destroy(&bo);
}

/* The guest keeps the memory; who made the buffer may be gone */
TEST_F_TIMEOUT(vram_memslot, exporter_closed_first, 120)
{
	struct buffer buf;
	struct env env;

	gpu_side_open(&env);
	buffer_open(&env, &buf, SZ_1M);
	ASSERT_EQ(0, map_whole(&self->vm, &buf));
	ASSERT_EQ(0, guest_fill(&self->vm, SZ_1M, DATA));
	buffer_close(&env, &buf);
	gpu_side_close(&env);

	squeeze_once(&self->env.gpu);
	EXPECT_EQ(0, guest_differs(&self->vm, SZ_1M, DATA));
	ASSERT_EQ(0, guest_fill(&self->vm, SZ_1M, AFTER));
	EXPECT_EQ(0, guest_differs(&self->vm, SZ_1M, AFTER));
}

/* Makes a guest that never ends, and says when it runs */
static void run_forever(int ready)
{
	struct guest_count count;
	struct guest_vm vm;
	struct gpu_bo bo;
	struct gpu gpu;
	int fd;

	gpu_open(&gpu, gpu_bdf);
	gpu_bo_create_vram(&gpu, &bo, SZ_8M);
	fd = gpu_bo_export(&bo);
	guest_vm_open(&vm, 1);
	VFIO_ASSERT_EQ(__guest_vm_map_fd(&vm, SLOT, GUEST_DEVICE, SZ_8M, fd, 0, 0), 0);
	VFIO_ASSERT_EQ(guest_cpu_touch(&vm.cpus[0], GUEST_DEVICE, SZ_8M / SZ_4K, 0), 0);
	VFIO_ASSERT_EQ(write(ready, "r", 1), 1);
	guest_cpu_count(&vm.cpus[0], GUEST_DEVICE, COUNT_PAGES, SZ_4K, &count);
	exit(1);
}

TEST_F_TIMEOUT(vram_memslot, killed, 120)
{
	u64 used = gpu_vram(&self->env.gpu).used, with;
	time_t end = time(NULL) + 30;
	int ready[2], status;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		run_forever(ready[1]);
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	with = gpu_vram(&self->env.gpu).used;
	EXPECT_LE(used + SZ_8M, with);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	/* Drivers free memory when the last job on it is known to be done */
	while (gpu_vram(&self->env.gpu).used > with - SZ_8M && time(NULL) < end)
		sched_yield();
	EXPECT_GE(with - SZ_8M, gpu_vram(&self->env.gpu).used);
	close(ready[0]);
}

FIXTURE(vram_memslot_gone) {
	struct gpu gpu;
	struct gpu_bo bo;
	struct guest_vm vm;
	int fd;
};

FIXTURE_SETUP(vram_memslot_gone)
{
	gpu_open(&self->gpu, gpu_bdf);
	gpu_bo_create_vram(&self->gpu, &self->bo, SIZE);
	self->fd = gpu_bo_export(&self->bo);
	guest_vm_open(&self->vm, 1);
}

FIXTURE_TEARDOWN(vram_memslot_gone)
{
	guest_vm_close(&self->vm);
}

TEST_F_TIMEOUT(vram_memslot_gone, unbind, 120)
{
	struct guest_cpu *cpu = &self->vm.cpus[0];
	const char *driver = gpu_driver_name(&card);
	struct kvm_run *run = cpu->run;
	struct guest_vm other;
	struct gpu_bo bo;
	int fd;

	ASSERT_EQ(0, __guest_vm_map_fd(&self->vm, SLOT, GUEST_DEVICE, SIZE, self->fd,
				       0, 0));
	ASSERT_EQ(0, guest_fill(&self->vm, SIZE, DATA));
	EXPECT_EQ(0, guest_differs(&self->vm, SIZE, DATA));

	ASSERT_EQ(0, pci_driver(driver, "unbind", gpu_bdf));
	EXPECT_EQ(-ENODEV, guest_cpu_copy(cpu, GUEST_DATA, GUEST_DEVICE, SIZE));
	EXPECT_EQ(KVM_EXIT_MEMORY_FAULT, run->exit_reason);
	EXPECT_EQ(GUEST_DEVICE, run->memory_fault.gpa);
	EXPECT_EQ(-ENODEV, guest_cpu_resume(cpu));
	/* The rest of the guest's memory is as it was */
	EXPECT_EQ(0, guest_cpu_copy(cpu, GUEST_DATA, GUEST_DATA + SZ_8M, SZ_1M));

	/* What comes after is other memory, which the old slot does not show */
	gpu_close(&self->gpu);
	ASSERT_EQ(0, pci_driver(driver, "bind", gpu_bdf));
	gpu_open(&self->gpu, gpu_bdf);
	gpu_bo_create_vram(&self->gpu, &bo, SIZE);
	fd = gpu_bo_export(&bo);
	guest_vm_open(&other, 1);
	ASSERT_EQ(0, __guest_vm_map_fd(&other, SLOT, GUEST_DEVICE, SIZE, fd, 0, 0));
	ASSERT_EQ(0, guest_fill(&other, SIZE, AFTER));
	EXPECT_EQ(0, cpu_differs(&bo, AFTER));
	EXPECT_EQ(-ENODEV, guest_cpu_copy(cpu, GUEST_DATA, GUEST_DEVICE, SIZE));
	close(self->fd);
	guest_vm_unmap(&self->vm, SLOT);
	guest_vm_close(&other);
	close(fd);
	gpu_bo_destroy(&bo);
	gpu_close(&self->gpu);
}

int main(int argc, char *argv[])
{
	vram_test_devices(&argc, argv, 2);
	return test_harness_run(argc, argv);
}
