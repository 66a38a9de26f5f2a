// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots backed by a dma-buf, KVM_MEM_DMABUF
 *
 * The buffers come from /dev/dma_buf_pal_test, which can move and revoke them,
 * make mapping fail, and look at the memory itself. The slot has no hva, so that
 * device is the other side of everything that a guest reads and writes.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <linux/sizes.h>

#include "kselftest_harness.h"
#include "kvm_util.h"
#include "processor.h"
#include "test_util.h"
#include "ucall_common.h"

#include "../dmabuf-pal/dmabuf_pal.h"

#define SLOT		10
#define SLOT_GPA	SZ_4G
#define SLOT_GVA	SZ_4G
#define BUF_SIZE	SZ_8M
#define BUF_PAGES	(BUF_SIZE / PAGE_SIZE)
/* Nothing is there */
#define MMIO_GPA	(SZ_4G + SZ_1G)

#define MAX_VCPUS	2
#define MOVES		1000
#define MOVED_PAGES	64UL

/* Page tables and the like that a guest touches beside what it is asked to */
#define OTHER_PAGES	16

enum guest_op {
	/* Writes seed + n to the first word of page n */
	GUEST_FILL,
	/* Counts the pages that have something else there */
	GUEST_CHECK,
	/* Writes generations until it is stopped, each over the one before */
	GUEST_GENERATIONS,
	/* Moves a byte from where nothing is to the first page */
	GUEST_COPY_MMIO,
};

/* What a vCPU is to do next, and what came of it; in the guest's memory */
struct guest_job {
	u64 op;
	u64 gva;
	u64 pages;
	u64 step;
	u64 seed;
	u64 stop;
	u64 wrong;
	u64 generations;
};

static struct guest_job jobs[MAX_VCPUS];

static u64 *page_of(const struct guest_job *job, u64 n)
{
	return (u64 *)(job->gva + n * job->step * PAGE_SIZE);
}

static void guest_generations(struct guest_job *job)
{
	u64 generation;
	u64 n;

	for (generation = 1; !READ_ONCE(job->stop); generation++) {
		for (n = 0; n < job->pages; n++) {
			u64 *page = page_of(job, n);

			if (READ_ONCE(page[0]) != generation - 1 ||
			    READ_ONCE(page[PAGE_SIZE / 8 - 1]) !=
				    ~(generation - 1))
				job->wrong++;
			WRITE_ONCE(page[0], generation);
			WRITE_ONCE(page[PAGE_SIZE / 8 - 1], ~generation);
		}
		job->generations = generation;
	}
}

static void guest_copy_mmio(struct guest_job *job)
{
#ifdef __x86_64__
	void *from = (void *)(MMIO_GPA - SLOT_GPA + SLOT_GVA);
	void *to = (void *)job->gva;

	asm volatile("movsb" : "+S"(from), "+D"(to) : : "memory");
#endif
}

static void guest_code(u64 me)
{
	struct guest_job *job = &jobs[me];
	u64 n;

	for (;;) {
		job->wrong = 0;
		switch (job->op) {
		case GUEST_FILL:
			for (n = 0; n < job->pages; n++)
				WRITE_ONCE(*page_of(job, n), job->seed + n);
			break;
		case GUEST_CHECK:
			for (n = 0; n < job->pages; n++)
				job->wrong += READ_ONCE(*page_of(job, n)) !=
					      job->seed + n;
			break;
		case GUEST_GENERATIONS:
			guest_generations(job);
			break;
		case GUEST_COPY_MMIO:
			guest_copy_mmio(job);
			break;
		}
		GUEST_SYNC(0);
	}
}

struct test_vm {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[MAX_VCPUS];
};

static void vm_setup(struct test_vm *t, unsigned int nr_vcpus)
{
	unsigned int i;

	t->vm = __vm_create_with_vcpus(VM_SHAPE_DEFAULT, nr_vcpus, 512,
				       guest_code, t->vcpus);
	for (i = 0; i < nr_vcpus; i++)
		vcpu_args_set(t->vcpus[i], 1, (u64)i);
	virt_map(t->vm, SLOT_GVA, SLOT_GPA, BUF_PAGES);
	virt_map(t->vm, MMIO_GPA - SLOT_GPA + SLOT_GVA, MMIO_GPA, 1);
}

static int set_slot_at(struct kvm_vm *vm, u32 slot, u64 gpa, u64 size, int fd)
{
	return err(__vm_set_user_memory_region2(vm, slot, KVM_MEM_DMABUF, gpa,
						size, NULL, fd, 0));
}

static int set_slot(struct kvm_vm *vm, u32 flags, u64 size, int fd, u64 offset)
{
	return err(__vm_set_user_memory_region2(vm, SLOT, flags, SLOT_GPA, size,
						NULL, fd, offset));
}

static int add_slot(struct kvm_vm *vm, int fd)
{
	return set_slot(vm, KVM_MEM_DMABUF, BUF_SIZE, fd, 0);
}

static struct guest_job *job_of(struct kvm_vm *vm, unsigned int vcpu)
{
	return (struct guest_job *)addr_gva2hva(vm, (gva_t)jobs) + vcpu;
}

/* Neither an errno nor success */
#define MMIO_EXIT	-1

/* Enters the guest once; 0 when its job is done, an errno, or MMIO_EXIT */
static int enter(struct kvm_vcpu *vcpu)
{
	struct ucall uc;
	int ret = err(__vcpu_run(vcpu));

	if (ret)
		return ret;
	if (vcpu->run->exit_reason == KVM_EXIT_MMIO)
		return MMIO_EXIT;
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	return 0;
}

static int run_pages(struct kvm_vcpu *vcpu, enum guest_op op, u64 page,
		     u64 pages, u64 seed)
{
	struct guest_job *job = job_of(vcpu->vm, 0);

	*job = (struct guest_job){
		.op = op, .gva = SLOT_GVA + page * PAGE_SIZE, .pages = pages,
		.step = 1, .seed = seed,
	};
	return enter(vcpu);
}

static int fill(struct kvm_vcpu *vcpu, u64 seed)
{
	return run_pages(vcpu, GUEST_FILL, 0, BUF_PAGES, seed);
}

/* How many pages are not as fill() would leave them, or -errno */
static int check(struct kvm_vcpu *vcpu, u64 seed)
{
	int ret = run_pages(vcpu, GUEST_CHECK, 0, BUF_PAGES, seed);

	return ret ? -ret : (int)job_of(vcpu->vm, 0)->wrong;
}

static u64 peek(int dev, int fd, u64 offset)
{
	u64 word;

	TEST_ASSERT(!exporter_rw(dev, DMA_BUF_PAL_TEST_PEEK, fd, offset, &word,
				 sizeof(word)),
		    "reading at %#lx", (unsigned long)offset);
	return word;
}

static void poke(int dev, int fd, u64 offset, u64 word)
{
	TEST_ASSERT(!exporter_rw(dev, DMA_BUF_PAL_TEST_POKE, fd, offset, &word,
				 sizeof(word)),
		    "writing at %#lx", (unsigned long)offset);
}

/* Pages that the exporter does not find as fill() left them */
static int exporter_check(int dev, int fd, u64 seed)
{
	int wrong = 0;
	u64 n;

	for (n = 0; n < BUF_PAGES; n++)
		wrong += peek(dev, fd, n * PAGE_SIZE) != seed + n;
	return wrong;
}

FIXTURE(dmabuf)
{
	int dev;
	int fd;
	struct test_vm t;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(dmabuf)
{
	self->dev = open(DEVICE, O_RDWR);
	if (self->dev < 0)
		SKIP(return, "no " DEVICE " (CONFIG_DMABUF_PAL_TEST)");
	if (!kvm_has_cap(KVM_CAP_DMABUF_MEM))
		SKIP(return, "no KVM_CAP_DMABUF_MEM");

	self->fd = create(self->dev, BUF_SIZE, 4, O_RDWR);
	ASSERT_LE(0, self->fd);
	vm_setup(&self->t, 1);
	self->vcpu = self->t.vcpus[0];
	ASSERT_EQ(1, vm_check_cap(self->t.vm, KVM_CAP_DMABUF_MEM));
}

FIXTURE_TEARDOWN(dmabuf)
{
	if (self->t.vm)
		kvm_vm_free(self->t.vm);
	/* Nobody holds what the VM had */
	EXPECT_EQ(0, query(self->dev, self->fd).live_maps);
	EXPECT_EQ(0, query(self->dev, self->fd).pins);
	close(self->fd);
	close(self->dev);
}

TEST_F(dmabuf, flags)
{
	struct kvm_vm *vm = self->t.vm;
	void *mem = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ret;

	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_EQ(EINVAL, set_slot(vm, KVM_MEM_DMABUF | KVM_MEM_LOG_DIRTY_PAGES,
				   BUF_SIZE, self->fd, 0));
	EXPECT_EQ(EINVAL, set_slot(vm, KVM_MEM_DMABUF | KVM_MEM_GUEST_MEMFD,
				   BUF_SIZE, self->fd, 0));
	EXPECT_EQ(EINVAL, set_slot(vm, KVM_MEM_DMABUF << 1, BUF_SIZE, self->fd,
				   0));
	/* There is one backing, and the older ioctl cannot name this one */
	ret = __vm_set_user_memory_region2(vm, SLOT, KVM_MEM_DMABUF, SLOT_GPA,
					   BUF_SIZE, mem, self->fd, 0);
	EXPECT_EQ(EINVAL, err(ret));
	ret = __vm_set_user_memory_region(vm, SLOT, KVM_MEM_DMABUF, SLOT_GPA,
					  BUF_SIZE, NULL);
	EXPECT_EQ(EINVAL, err(ret));
	EXPECT_EQ(0, add_slot(vm, self->fd));
	munmap(mem, BUF_SIZE);
}

TEST_F(dmabuf, bad_fd)
{
	struct kvm_vm *vm = self->t.vm;
	int memfd = memfd_create("no dma-buf", 0);

	ASSERT_LE(0, memfd);
	ASSERT_EQ(0, ftruncate(memfd, BUF_SIZE));
	EXPECT_EQ(EBADF, add_slot(vm, -1));
	EXPECT_EQ(EINVAL, add_slot(vm, memfd));
	EXPECT_EQ(EINVAL, add_slot(vm, vm->fd));
	EXPECT_EQ(0, add_slot(vm, self->fd));
	close(memfd);
}

TEST_F(dmabuf, range)
{
	const u32 flags = KVM_MEM_DMABUF;
	struct kvm_vm *vm = self->t.vm;
	int fd = self->fd;

	EXPECT_EQ(EINVAL, set_slot(vm, flags, BUF_SIZE, fd, PAGE_SIZE));
	EXPECT_EQ(EINVAL, set_slot(vm, flags, BUF_SIZE + PAGE_SIZE, fd, 0));
	EXPECT_EQ(EINVAL, set_slot(vm, flags, PAGE_SIZE, fd, BUF_SIZE));
	EXPECT_EQ(EINVAL, set_slot(vm, flags, PAGE_SIZE, fd, -PAGE_SIZE));
	EXPECT_EQ(EINVAL, set_slot(vm, flags, SZ_2M, fd, -SZ_1M));
	EXPECT_EQ(EINVAL, set_slot(vm, flags, SZ_2M, fd, PAGE_SIZE / 2));
	EXPECT_EQ(EINVAL, set_slot(vm, flags, PAGE_SIZE / 2, fd, 0));
	EXPECT_EQ(0, set_slot(vm, flags, PAGE_SIZE, fd, BUF_SIZE - PAGE_SIZE));
}

TEST_F(dmabuf, read_only_fd)
{
	struct kvm_vm *vm = self->t.vm;
	int fd = create(self->dev, BUF_SIZE, 4, O_RDONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(EACCES, add_slot(vm, fd));
	EXPECT_EQ(0, set_slot(vm, KVM_MEM_DMABUF | KVM_MEM_READONLY, BUF_SIZE,
			      fd, 0));
	poke(self->dev, fd, PAGE_SIZE, 1);
	EXPECT_EQ(0, run_pages(self->vcpu, GUEST_CHECK, 0, 2, 0));
	EXPECT_EQ(0, job_of(vm, 0)->wrong);
	close(fd);
}

TEST_F(dmabuf, unmappable_exporter)
{
	struct kvm_vm *vm = self->t.vm;

	/* A list that the core refuses, at the first fault and only then */
	ASSERT_EQ(0, add_slot(vm, self->fd));
	ASSERT_EQ(0, fail(self->dev, self->fd, DMA_BUF_PAL_TEST_FAIL_SHORT, 0,
			  1));
	EXPECT_EQ(EINVAL, fill(self->vcpu, 1));
	TEST_ASSERT_KVM_EXIT_REASON(self->vcpu, KVM_EXIT_MEMORY_FAULT);
	EXPECT_EQ(0, enter(self->vcpu));
	EXPECT_EQ(0, exporter_check(self->dev, self->fd, 1));
}

TEST_F(dmabuf, immutable)
{
	struct kvm_vm *vm = self->t.vm;
	int other = create(self->dev, BUF_SIZE, 4, O_RDWR);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, add_slot(vm, self->fd));
	EXPECT_EQ(EINVAL, add_slot(vm, self->fd));
	EXPECT_EQ(EINVAL, add_slot(vm, other));
	EXPECT_EQ(EINVAL, set_slot(vm, KVM_MEM_DMABUF | KVM_MEM_READONLY,
				   BUF_SIZE, self->fd, 0));
	EXPECT_EQ(EINVAL, set_slot(vm, 0, BUF_SIZE, 0, 0));
	EXPECT_EQ(EINVAL,
		  set_slot_at(vm, SLOT, SLOT_GPA + SZ_1G, BUF_SIZE, self->fd));

	/* Another one in its place is another slot */
	ASSERT_EQ(0, fill(self->vcpu, 1));
	EXPECT_EQ(0, set_slot(vm, 0, 0, 0, 0));
	EXPECT_EQ(0, query(self->dev, self->fd).live_maps);
	EXPECT_EQ(0, add_slot(vm, other));
	EXPECT_EQ(0, fill(self->vcpu, 1000));
	EXPECT_EQ(0, exporter_check(self->dev, self->fd, 1));
	EXPECT_EQ(0, exporter_check(self->dev, other, 1000));
	EXPECT_EQ(0, set_slot(vm, 0, 0, 0, 0));
	close(other);
}

TEST_F(dmabuf, contents)
{
	u64 n;

	ASSERT_EQ(0, add_slot(self->t.vm, self->fd));
	EXPECT_EQ(0, query(self->dev, self->fd).maps);
	ASSERT_EQ(0, fill(self->vcpu, 5));
	EXPECT_EQ(1, query(self->dev, self->fd).maps);
	EXPECT_EQ(0, query(self->dev, self->fd).pins);
	EXPECT_EQ(0, exporter_check(self->dev, self->fd, 5));

	for (n = 0; n < BUF_PAGES; n++)
		poke(self->dev, self->fd, n * PAGE_SIZE, 77 + n);
	EXPECT_EQ(0, check(self->vcpu, 77));
	poke(self->dev, self->fd, 0, 0);
	EXPECT_EQ(1, check(self->vcpu, 77));
}

TEST_F(dmabuf, offset)
{
	const u64 offset = 3 * SZ_1M;

	ASSERT_EQ(0, set_slot(self->t.vm, KVM_MEM_DMABUF, SZ_1M, self->fd,
			      offset));
	ASSERT_EQ(0, run_pages(self->vcpu, GUEST_FILL, 0, SZ_1M / PAGE_SIZE,
			       9));
	EXPECT_EQ(0, peek(self->dev, self->fd, offset - PAGE_SIZE));
	EXPECT_EQ(9, peek(self->dev, self->fd, offset));
	EXPECT_EQ(9 + SZ_1M / PAGE_SIZE - 1,
		  peek(self->dev, self->fd, offset + SZ_1M - PAGE_SIZE));
	EXPECT_EQ(0, peek(self->dev, self->fd, offset + SZ_1M));

	/* Behind the slot there is nothing */
	EXPECT_EQ(MMIO_EXIT,
		  run_pages(self->vcpu, GUEST_CHECK, SZ_1M / PAGE_SIZE, 1, 0));
	EXPECT_EQ(SLOT_GPA + SZ_1M, self->vcpu->run->mmio.phys_addr);
}

/* Entries of 2 MiB and of 4 KiB after the guest has touched all pages */
static void touch_levels(struct __test_metadata *_metadata, struct test_vm *t,
			 int dev, unsigned int nr_ranges, u64 gpa_offset,
			 u64 *large, u64 *small)
{
	int fd = create(dev, BUF_SIZE, nr_ranges, O_RDWR);
	struct kvm_vcpu *vcpu = t->vcpus[0];
	u64 large_before, small_before;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set_slot_at(t->vm, SLOT, SLOT_GPA + gpa_offset,
				 BUF_SIZE - SZ_2M, fd));
	/* All else that the guest touches is mapped now */
	ASSERT_EQ(0, run_pages(vcpu, GUEST_FILL, 0, 0, 0));
	large_before = vm_get_stat(t->vm, pages_2m);
	small_before = vm_get_stat(t->vm, pages_4k);
	ASSERT_EQ(0, run_pages(vcpu, GUEST_FILL, gpa_offset / PAGE_SIZE,
			       (BUF_SIZE - SZ_2M) / PAGE_SIZE, 3));
	*large = vm_get_stat(t->vm, pages_2m) - large_before;
	*small = vm_get_stat(t->vm, pages_4k) - small_before;
	EXPECT_EQ(3, peek(dev, fd, 0));
	ASSERT_EQ(0, set_slot(t->vm, 0, 0, 0, 0));
	close(fd);
}

TEST_F(dmabuf, page_sizes)
{
	u64 large, small;

	/* Four ranges of 2 MiB, aligned to that, of which three are used */
	touch_levels(_metadata, &self->t, self->dev, 4, 0, &large, &small);
	EXPECT_EQ(3, large);
	EXPECT_GT(OTHER_PAGES, small);

	/* Not congruent with the guest's addresses */
	touch_levels(_metadata, &self->t, self->dev, 4, PAGE_SIZE, &large,
		     &small);
	EXPECT_EQ(0, large);
	EXPECT_LE(3 * SZ_2M / PAGE_SIZE, small);
	EXPECT_GT(3 * SZ_2M / PAGE_SIZE + OTHER_PAGES, small);

	/* No range is as large */
	touch_levels(_metadata, &self->t, self->dev, 16, 0, &large, &small);
	EXPECT_EQ(0, large);
	EXPECT_LE(3 * SZ_2M / PAGE_SIZE, small);
	EXPECT_GT(3 * SZ_2M / PAGE_SIZE + OTHER_PAGES, small);
}

TEST_F(dmabuf, move)
{
	struct dma_buf_pal_test_query before, after;
	unsigned int i;

	ASSERT_EQ(0, add_slot(self->t.vm, self->fd));
	ASSERT_EQ(0, fill(self->vcpu, 11));
	before = query(self->dev, self->fd);
	EXPECT_EQ(1, before.live_maps);

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_MOVE,
				     self->fd));
		/* Gone at once, and back at the next fault */
		EXPECT_EQ(0, query(self->dev, self->fd).live_maps);
		EXPECT_EQ(0, check(self->vcpu, 11 + i));
		EXPECT_EQ(1, query(self->dev, self->fd).live_maps);
		ASSERT_EQ(0, fill(self->vcpu, 12 + i));
		EXPECT_EQ(0, exporter_check(self->dev, self->fd, 12 + i));
	}
	after = query(self->dev, self->fd);
	EXPECT_EQ(before.generation + 10, after.generation);
	EXPECT_EQ(before.maps + 10, after.maps);
}

struct runner {
	struct kvm_vcpu *vcpu;
	int ret;
};

static void *run_thread(void *data)
{
	struct runner *runner = data;

	runner->ret = enter(runner->vcpu);
	return NULL;
}

/* Both vCPUs fault all the time, and neither may lose or see an old word */
TEST_F_TIMEOUT(dmabuf, moves_race_with_faults, 300)
{
	struct runner runners[MAX_VCPUS];
	pthread_t threads[MAX_VCPUS];
	struct guest_job *job;
	struct test_vm t;
	unsigned int i;
	int fd;
	u64 n;

	fd = create(self->dev, MOVED_PAGES * PAGE_SIZE, 8, O_RDWR);
	ASSERT_LE(0, fd);
	vm_setup(&t, MAX_VCPUS);
	ASSERT_EQ(0, set_slot(t.vm, KVM_MEM_DMABUF, MOVED_PAGES * PAGE_SIZE, fd,
			      0));
	for (n = 0; n < MOVED_PAGES; n++)
		poke(self->dev, fd, n * PAGE_SIZE + PAGE_SIZE - 8, -1ULL);

	for (i = 0; i < MAX_VCPUS; i++) {
		*job_of(t.vm, i) = (struct guest_job){
			.op = GUEST_GENERATIONS,
			.pages = MOVED_PAGES / MAX_VCPUS,
			.gva = SLOT_GVA + i * PAGE_SIZE, .step = MAX_VCPUS,
		};
		runners[i] = (struct runner){ .vcpu = t.vcpus[i], .ret = -1 };
		pthread_create(&threads[i], NULL, run_thread, &runners[i]);
	}

	for (i = 0; i < MOVES; i++)
		ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_MOVE, fd));

	for (i = 0; i < MAX_VCPUS; i++)
		WRITE_ONCE(job_of(t.vm, i)->stop, 1);
	for (i = 0; i < MAX_VCPUS; i++) {
		pthread_join(threads[i], NULL);
		ASSERT_EQ(0, runners[i].ret);
		job = job_of(t.vm, i);
		EXPECT_EQ(0, job->wrong);
		for (n = 0; n < job->pages; n++)
			EXPECT_EQ(job->generations,
				  peek(self->dev, fd,
				       (n * MAX_VCPUS + i) * PAGE_SIZE));
		TH_LOG("vCPU %u: %lu generations", i,
		       (unsigned long)job->generations);
	}
	/* They did work while the buffer moved */
	TH_LOG("%lu maps", (unsigned long)query(self->dev, fd).maps);
	EXPECT_LT(MOVES / 10, query(self->dev, fd).maps);
	kvm_vm_free(t.vm);
	close(fd);
}

TEST_F(dmabuf, revoke)
{
	struct kvm_run *run = self->vcpu->run;

	ASSERT_EQ(0, add_slot(self->t.vm, self->fd));
	ASSERT_EQ(0, fill(self->vcpu, 1));
	ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_REVOKE, self->fd));
	EXPECT_EQ(0, query(self->dev, self->fd).live_maps);

	EXPECT_EQ(ENODEV, run_pages(self->vcpu, GUEST_FILL, 5, 2, 100));
	EXPECT_EQ(KVM_EXIT_MEMORY_FAULT, run->exit_reason);
	EXPECT_EQ(SLOT_GPA + 5 * PAGE_SIZE, run->memory_fault.gpa);
	EXPECT_EQ(PAGE_SIZE, run->memory_fault.size);
	EXPECT_EQ(0, run->memory_fault.flags);
	/* It stays so, and nothing is written meanwhile */
	EXPECT_EQ(ENODEV, enter(self->vcpu));
	EXPECT_EQ(0, exporter_check(self->dev, self->fd, 1));

	/* The same instruction goes on when the memory is back */
	ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_RESTORE, self->fd));
	EXPECT_EQ(0, enter(self->vcpu));
	EXPECT_EQ(100, peek(self->dev, self->fd, 5 * PAGE_SIZE));
	EXPECT_EQ(101, peek(self->dev, self->fd, 6 * PAGE_SIZE));
	EXPECT_EQ(8, peek(self->dev, self->fd, 7 * PAGE_SIZE));
}

TEST_F(dmabuf, other_memory_after_revoke)
{
	struct kvm_vm *vm = self->t.vm;

	ASSERT_EQ(0, add_slot(vm, self->fd));
	ASSERT_EQ(0, fill(self->vcpu, 1));
	ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_REVOKE, self->fd));
	EXPECT_EQ(ENODEV, fill(self->vcpu, 2));
	/* The VMM takes the slot away, the guest goes on with what is left */
	ASSERT_EQ(0, set_slot(vm, 0, 0, 0, 0));
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, SLOT_GPA, SLOT, BUF_PAGES, 0, -1,
		   0);
	EXPECT_EQ(0, enter(self->vcpu));
	EXPECT_EQ(0, check(self->vcpu, 2));
	EXPECT_EQ(0, exporter_check(self->dev, self->fd, 1));
}

TEST_F(dmabuf, transient_errors)
{
	static const unsigned int errors[] = { ENOMEM, ENOSPC };
	unsigned int i;

	ASSERT_EQ(0, add_slot(self->t.vm, self->fd));
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		ASSERT_EQ(0, fail(self->dev, self->fd,
				  DMA_BUF_PAL_TEST_FAIL_ERRNO, errors[i], 5));
		EXPECT_EQ(0, fill(self->vcpu, i));
		EXPECT_EQ(0, query(self->dev, self->fd).fail_count);
		EXPECT_EQ(0, exporter_check(self->dev, self->fd, i));
		ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_MOVE,
				     self->fd));
	}
}

TEST_F(dmabuf, permanent_error)
{
	ASSERT_EQ(0, add_slot(self->t.vm, self->fd));
	ASSERT_EQ(0, fail(self->dev, self->fd, DMA_BUF_PAL_TEST_FAIL_ERRNO, EIO,
			  1));
	EXPECT_EQ(EIO, fill(self->vcpu, 1));
	EXPECT_EQ(KVM_EXIT_MEMORY_FAULT, self->vcpu->run->exit_reason);
	EXPECT_EQ(0, enter(self->vcpu));
	EXPECT_EQ(0, exporter_check(self->dev, self->fd, 1));
}

static void on_alarm(int signal)
{
}

/* A guest that waits for memory can be stopped, and does not spin */
TEST_F(dmabuf, signal_while_waiting)
{
	const unsigned int many = 1000 * 1000;
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval timer = {
		.it_interval = { .tv_usec = 100 * 1000 },
		.it_value = { .tv_usec = 100 * 1000 },
	};
	unsigned int left;

	ASSERT_EQ(0, add_slot(self->t.vm, self->fd));
	ASSERT_EQ(0, fail(self->dev, self->fd, DMA_BUF_PAL_TEST_FAIL_ERRNO,
			  ENOSPC, many));
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
	EXPECT_EQ(EINTR, fill(self->vcpu, 1));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &(struct itimerval){}, NULL));
	left = query(self->dev, self->fd).fail_count;
	EXPECT_GT(many, left);
	EXPECT_LT(many - 10000, left);

	ASSERT_EQ(0, fail(self->dev, self->fd, DMA_BUF_PAL_TEST_FAIL_NOT, 0,
			  0));
	EXPECT_EQ(0, enter(self->vcpu));
	EXPECT_EQ(0, exporter_check(self->dev, self->fd, 1));
}

/* As for any read-only slot: KVM_EXIT_MMIO, and the memory stays as it is */
TEST_F(dmabuf, write_to_read_only_slot)
{
	struct kvm_run *run = self->vcpu->run;

	ASSERT_EQ(0, set_slot(self->t.vm, KVM_MEM_DMABUF | KVM_MEM_READONLY,
			      BUF_SIZE, self->fd, 0));
	poke(self->dev, self->fd, PAGE_SIZE, 1);
	EXPECT_EQ(0, run_pages(self->vcpu, GUEST_CHECK, 0, 2, 0));
	EXPECT_EQ(0, job_of(self->t.vm, 0)->wrong);

	EXPECT_EQ(MMIO_EXIT, run_pages(self->vcpu, GUEST_FILL, 1, 1, 0x55));
	EXPECT_EQ(SLOT_GPA + PAGE_SIZE, run->mmio.phys_addr);
	EXPECT_EQ(1, run->mmio.is_write);
	EXPECT_EQ(8, run->mmio.len);
	EXPECT_EQ(0x55, run->mmio.data[0]);
	EXPECT_EQ(0, enter(self->vcpu));
	EXPECT_EQ(1, peek(self->dev, self->fd, PAGE_SIZE));
}

#ifdef __x86_64__
/* KVM cannot reach the memory itself: user space does it for KVM's emulator */
TEST_F(dmabuf, emulated_access)
{
	struct kvm_run *run = self->vcpu->run;

	ASSERT_EQ(0, add_slot(self->t.vm, self->fd));
	ASSERT_EQ(0, fill(self->vcpu, 0x1000));
	EXPECT_EQ(MMIO_EXIT, run_pages(self->vcpu, GUEST_COPY_MMIO, 2, 1, 0));
	EXPECT_EQ(MMIO_GPA, run->mmio.phys_addr);
	EXPECT_EQ(0, run->mmio.is_write);
	run->mmio.data[0] = 0xab;

	EXPECT_EQ(MMIO_EXIT, enter(self->vcpu));
	EXPECT_EQ(SLOT_GPA + 2 * PAGE_SIZE, run->mmio.phys_addr);
	EXPECT_EQ(1, run->mmio.is_write);
	EXPECT_EQ(1, run->mmio.len);
	EXPECT_EQ(0xab, run->mmio.data[0]);
	EXPECT_EQ(0, enter(self->vcpu));
	EXPECT_EQ(0, exporter_check(self->dev, self->fd, 0x1000));
}
#endif

static int prefault(struct kvm_vcpu *vcpu, u64 size)
{
	struct kvm_pre_fault_memory range = { .gpa = SLOT_GPA, .size = size };
	int ret;

	do {
		ret = err(__vcpu_ioctl(vcpu, KVM_PRE_FAULT_MEMORY, &range));
	} while (ret == EINTR || (!ret && range.size));
	return ret;
}

TEST_F(dmabuf, prefault)
{
	struct kvm_vm *vm = self->t.vm;
	u64 before;

	ASSERT_EQ(0, add_slot(vm, self->fd));
	/* There is a root page table from the first run on */
	ASSERT_EQ(0, run_pages(self->vcpu, GUEST_FILL, 0, 0, 0));
	EXPECT_EQ(0, query(self->dev, self->fd).maps);
	before = vm_get_stat(vm, pages_2m);
	EXPECT_EQ(0, prefault(self->vcpu, BUF_SIZE));
	EXPECT_EQ(1, query(self->dev, self->fd).maps);
	EXPECT_EQ(4, vm_get_stat(vm, pages_2m) - before);
	EXPECT_EQ(0, fill(self->vcpu, 1));
	EXPECT_EQ(0, exporter_check(self->dev, self->fd, 1));

	ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_MOVE, self->fd));
	EXPECT_EQ(before, vm_get_stat(vm, pages_2m));
	ASSERT_EQ(0, fail(self->dev, self->fd, DMA_BUF_PAL_TEST_FAIL_ERRNO,
			  ENOMEM, 1));
	EXPECT_EQ(EAGAIN, prefault(self->vcpu, BUF_SIZE));
	EXPECT_EQ(0, prefault(self->vcpu, BUF_SIZE));

	ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_REVOKE, self->fd));
	EXPECT_EQ(ENODEV, prefault(self->vcpu, BUF_SIZE));
}

TEST_F(dmabuf, two_vms)
{
	struct test_vm other;

	vm_setup(&other, 1);
	ASSERT_EQ(0, add_slot(self->t.vm, self->fd));
	ASSERT_EQ(0, add_slot(other.vm, self->fd));
	ASSERT_EQ(0, fill(self->vcpu, 42));
	EXPECT_EQ(0, check(other.vcpus[0], 42));
	EXPECT_EQ(2, query(self->dev, self->fd).live_maps);
	ASSERT_EQ(0, buf_cmd(self->dev, DMA_BUF_PAL_TEST_MOVE, self->fd));
	EXPECT_EQ(0, query(self->dev, self->fd).live_maps);
	EXPECT_EQ(0, check(other.vcpus[0], 42));
	ASSERT_EQ(0, fill(other.vcpus[0], 43));
	EXPECT_EQ(0, check(self->vcpu, 43));
	kvm_vm_free(other.vm);
	EXPECT_EQ(1, query(self->dev, self->fd).live_maps);
	EXPECT_EQ(0, check(self->vcpu, 43));
}

/* Two slots of one VM that show the same memory */
TEST_F(dmabuf, two_slots)
{
	struct kvm_vm *vm = self->t.vm;

	ASSERT_EQ(0, set_slot(vm, KVM_MEM_DMABUF, SZ_4M, self->fd, 0));
	ASSERT_EQ(0, set_slot_at(vm, SLOT + 1, SLOT_GPA + SZ_4M, SZ_4M,
				 self->fd));
	ASSERT_EQ(0, run_pages(self->vcpu, GUEST_FILL, 0, SZ_4M / PAGE_SIZE,
			       6));
	ASSERT_EQ(0, run_pages(self->vcpu, GUEST_CHECK, SZ_4M / PAGE_SIZE,
			       SZ_4M / PAGE_SIZE, 6));
	EXPECT_EQ(0, job_of(vm, 0)->wrong);
	EXPECT_EQ(2, query(self->dev, self->fd).live_maps);
}

TEST_F(dmabuf, fd_closed_first)
{
	int fd = dup(self->fd);

	/* The slot keeps the buffer, as it would keep the file of a mapping */
	ASSERT_EQ(0, add_slot(self->t.vm, fd));
	close(fd);
	ASSERT_EQ(0, fill(self->vcpu, 1));
	EXPECT_EQ(0, exporter_check(self->dev, self->fd, 1));

	fd = create(self->dev, BUF_SIZE, 4, O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set_slot(self->t.vm, 0, 0, 0, 0));
	ASSERT_EQ(0, add_slot(self->t.vm, fd));
	close(fd);
	EXPECT_EQ(0, fill(self->vcpu, 2));
	EXPECT_EQ(0, check(self->vcpu, 2));
	EXPECT_EQ(0, exporter_check(self->dev, self->fd, 1));
}

TEST_F(dmabuf, no_dirty_log)
{
	unsigned long bitmap[BUF_PAGES / 64] = {};
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bitmap };

	ASSERT_EQ(0, add_slot(self->t.vm, self->fd));
	EXPECT_EQ(ENOENT, err(__vm_ioctl(self->t.vm, KVM_GET_DIRTY_LOG, &log)));
}

TEST_HARNESS_MAIN
