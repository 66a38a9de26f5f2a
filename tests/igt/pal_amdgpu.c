// SPDX-License-Identifier: MIT
/*
 * Copyright © 2026 dmabuf-pal developers
 *
 * GPUs that amdgpu drives: see pal.h. By ioctls and not by libdrm_amdgpu, without which
 * tests of no particular driver are built as well.
 */
#include <amdgpu_drm.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "igt.h"
#include "pal.h"

#define BATCH_SIZE		PAL_PAGE
#define BATCH_VA		(1ull << 32)
#define BO_VA			(1ull << 33)

/* Packets of the SDMA engines, the same from CIK on */
#define SDMA_NOP		0
#define SDMA_FENCE		5
#define SDMA_POLL_EQUAL		(8u | 3u << 28 | 1u << 31)
#define SDMA_POLL_FOREVER	(0xfffu << 16 | 4)
#define SDMA_IB_ALIGN		8

/* Longer than the driver waits for a job */
#define HANG_SECONDS		60

static void amdgpu_vram(int fd, struct pal_vram *vram)
{
	struct drm_amdgpu_memory_info memory = {};
	struct drm_amdgpu_info info = {
		.return_pointer = (uintptr_t)&memory,
		.return_size = sizeof(memory),
		.query = AMDGPU_INFO_MEMORY,
	};

	do_ioctl(fd, DRM_IOCTL_AMDGPU_INFO, &info);
	vram->total = memory.vram.total_heap_size;
	vram->used = memory.vram.heap_usage;
	vram->visible = memory.cpu_accessible_vram.total_heap_size;
	vram->visible_used = memory.cpu_accessible_vram.heap_usage;
}

static int amdgpu_create(int fd, uint64_t size, unsigned int where, uint32_t *handle)
{
	struct drm_amdgpu_gem_create_in made = {};
	union drm_amdgpu_gem_create create = {
		.in = { .bo_size = size, .alignment = PAL_PAGE },
	};
	struct drm_amdgpu_gem_op op = {
		.op = AMDGPU_GEM_OP_GET_GEM_CREATE_INFO,
		.value = (uintptr_t)&made,
	};
	uint64_t domains = 0;

	if (where & PAL_VRAM)
		domains |= AMDGPU_GEM_DOMAIN_VRAM;
	if (where & PAL_SYSTEM)
		domains |= AMDGPU_GEM_DOMAIN_GTT;
	create.in.domains = domains;
	if (where & PAL_VISIBLE)
		create.in.domain_flags = AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED;
	if (igt_ioctl(fd, DRM_IOCTL_AMDGPU_GEM_CREATE, &create))
		return -errno;
	*handle = create.out.handle;
	op.handle = *handle;
	do_ioctl(fd, DRM_IOCTL_AMDGPU_GEM_OP, &op);
	if (made.domains == domains)
		return 0;
	/* There was no room, and the driver has allowed system memory as well. */
	gem_close(fd, *handle);
	return -ENOMEM;
}

static int amdgpu_mmap_offset(int fd, uint32_t handle, uint64_t *offset)
{
	union drm_amdgpu_gem_mmap arg = { .in.handle = handle };

	if (igt_ioctl(fd, DRM_IOCTL_AMDGPU_GEM_MMAP, &arg))
		return -errno;
	*offset = arg.out.addr_ptr;
	return 0;
}

static void gpu_map(int fd, uint32_t operation, uint32_t handle, uint64_t va, uint64_t size)
{
	struct drm_amdgpu_gem_va arg = {
		.handle = handle,
		.operation = operation,
		.flags = AMDGPU_VM_PAGE_READABLE | AMDGPU_VM_PAGE_WRITEABLE |
			 AMDGPU_VM_PAGE_EXECUTABLE,
		.va_address = va,
		.map_size = size,
	};

	do_ioctl(fd, DRM_IOCTL_AMDGPU_GEM_VA, &arg);
}

/* A context, and a batch that the address space of @fd has */
struct amdgpu_job {
	int fd;
	uint32_t context, handle, other;
	uint32_t *batch, *cs;
};

static void job_open(struct amdgpu_job *job, int fd)
{
	union drm_amdgpu_ctx arg = { .in.op = AMDGPU_CTX_OP_ALLOC_CTX };
	uint64_t offset = 0;

	*job = (struct amdgpu_job){ .fd = fd };
	do_ioctl(fd, DRM_IOCTL_AMDGPU_CTX, &arg);
	job->context = arg.out.alloc.ctx_id;
	igt_assert_eq(amdgpu_create(fd, BATCH_SIZE, PAL_SYSTEM, &job->handle), 0);
	igt_assert_eq(amdgpu_mmap_offset(fd, job->handle, &offset), 0);
	job->batch = mmap(NULL, BATCH_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	igt_assert(job->batch != MAP_FAILED);
	job->cs = job->batch;
	gpu_map(fd, AMDGPU_VA_OP_MAP, job->handle, BATCH_VA, BATCH_SIZE);
}

static void job_close(struct amdgpu_job *job)
{
	union drm_amdgpu_ctx arg = {
		.in = { .op = AMDGPU_CTX_OP_FREE_CTX, .ctx_id = job->context },
	};

	gpu_map(job->fd, AMDGPU_VA_OP_UNMAP, job->handle, BATCH_VA, BATCH_SIZE);
	munmap(job->batch, BATCH_SIZE);
	gem_close(job->fd, job->handle);
	do_ioctl(job->fd, DRM_IOCTL_AMDGPU_CTX, &arg);
}

/* Runs it and waits; -EBUSY if it is still at work at the end of that. */
static int job_run(struct amdgpu_job *job)
{
	struct drm_amdgpu_bo_list_entry entries[] = {
		{ .bo_handle = job->handle }, { .bo_handle = job->other },
	};
	struct drm_amdgpu_bo_list_in bos = {
		.operation = ~0u,
		.list_handle = ~0u,
		.bo_number = job->other ? 2 : 1,
		.bo_info_size = sizeof(entries[0]),
		.bo_info_ptr = (uintptr_t)entries,
	};
	struct drm_amdgpu_cs_chunk_ib ib = {
		.va_start = BATCH_VA,
		.ip_type = AMDGPU_HW_IP_DMA,
	};
	struct drm_amdgpu_cs_chunk chunks[] = {
		{ AMDGPU_CHUNK_ID_BO_HANDLES, sizeof(bos) / 4, (uintptr_t)&bos },
		{ AMDGPU_CHUNK_ID_IB, sizeof(ib) / 4, (uintptr_t)&ib },
	};
	uint64_t list[] = { (uintptr_t)&chunks[0], (uintptr_t)&chunks[1] };
	union drm_amdgpu_cs cs = {
		.in = {
			.ctx_id = job->context,
			.num_chunks = ARRAY_SIZE(chunks),
			.chunks = (uintptr_t)list,
		},
	};
	union drm_amdgpu_wait_cs wait = {
		.in = { .ip_type = AMDGPU_HW_IP_DMA, .ctx_id = job->context },
	};
	struct timespec now;

	while ((job->cs - job->batch) % SDMA_IB_ALIGN)
		*job->cs++ = SDMA_NOP;
	ib.ib_bytes = (job->cs - job->batch) * 4;
	job->cs = job->batch;
	if (igt_ioctl(job->fd, DRM_IOCTL_AMDGPU_CS, &cs))
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &now);
	wait.in.handle = cs.out.handle;
	wait.in.timeout = (now.tv_sec + HANG_SECONDS) * 1000000000ull;
	if (igt_ioctl(job->fd, DRM_IOCTL_AMDGPU_WAIT_CS, &wait))
		return -errno;
	return wait.out.status ? -EBUSY : 0;
}

/* A lost job is told before the reset is over that it needs. */
static void wait_for_reset(struct amdgpu_job *job)
{
	union drm_amdgpu_ctx arg;
	time_t end = time(NULL) + HANG_SECONDS;

	do {
		arg = (union drm_amdgpu_ctx){
			.in = { .op = AMDGPU_CTX_OP_QUERY_STATE2, .ctx_id = job->context },
		};
		do_ioctl(job->fd, DRM_IOCTL_AMDGPU_CTX, &arg);
		igt_assert_f(time(NULL) < end, "a reset without an end\n");
		sched_yield();
	} while (arg.out.state.flags & AMDGPU_CTX_QUERY2_FLAGS_RESET_IN_PROGRESS);
}

static void amdgpu_store(int fd, uint32_t handle, uint64_t size, uint64_t offset,
			 uint32_t value)
{
	struct amdgpu_job job;

	job_open(&job, fd);
	job.other = handle;
	gpu_map(fd, AMDGPU_VA_OP_MAP, handle, BO_VA, size);
	*job.cs++ = SDMA_FENCE;
	*job.cs++ = BO_VA + offset;
	*job.cs++ = (BO_VA + offset) >> 32;
	*job.cs++ = value;
	igt_assert_eq(job_run(&job), 0);
	gpu_map(fd, AMDGPU_VA_OP_UNMAP, handle, BO_VA, size);
	job_close(&job);
}

/* Waits for a value that nobody writes to the end of the batch. */
static void amdgpu_hang(int fd)
{
	uint64_t va = BATCH_VA + BATCH_SIZE - 8;
	struct amdgpu_job job;
	int ret;

	/* What the driver says of a job that it gives up */
	igt_emit_ignore_dmesg_regex("amdgpu .*(ring .* timeout|Process .* pid )");
	job_open(&job, fd);
	*job.cs++ = SDMA_POLL_EQUAL;
	*job.cs++ = va;
	*job.cs++ = va >> 32;
	*job.cs++ = 0x77777777;
	*job.cs++ = ~0u;
	*job.cs++ = SDMA_POLL_FOREVER;
	ret = job_run(&job);
	igt_assert_f(ret && ret != -EBUSY, "a job without an end: %s\n",
		     ret ? "the driver does not give up on it" : "it ended");
	wait_for_reset(&job);
	job_close(&job);
}

const struct pal_driver pal_amdgpu = {
	.name = "amdgpu",
	.chipset = DRIVER_AMDGPU,
	.fdinfo_vram = "vram",
	.vram_mm = "amdgpu_vram_mm",
	/* What it keeps free for page tables, and what is in use now and then */
	.reserve = 8 * PAL_MIB + PAL_MIB / 2,
	.vram = amdgpu_vram,
	.create = amdgpu_create,
	.mmap_offset = amdgpu_mmap_offset,
	.store = amdgpu_store,
	.hang = amdgpu_hang,
};
