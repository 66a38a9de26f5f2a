// SPDX-License-Identifier: MIT
/*
 * Copyright © 2026 dmabuf-pal developers
 *
 * GPUs that xe drives: see pal.h
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "igt.h"
#include "pal.h"
#include "xe/xe_ioctl.h"
#include "xe/xe_query.h"
#include "xe_drm.h"

#define BATCH_SIZE		PAL_PAGE
#define BATCH_VA		(1ull << 32)
#define BO_VA			(1ull << 33)

/* Of all generations that xe drives */
#define BATCH_END		(0xau << 23)
/* In the PPGTT; one dword to a 64-bit address */
#define BATCH_START		(0x31u << 23 | 1u << 8 | 1)
#define STORE_DWORD		(0x20u << 23 | 2)

#define HANG_SECONDS		60

static struct drm_xe_query_mem_regions *mem_regions(int fd)
{
	struct drm_xe_device_query query = { .query = DRM_XE_DEVICE_QUERY_MEM_REGIONS };
	struct drm_xe_query_mem_regions *regions;

	do_ioctl(fd, DRM_IOCTL_XE_DEVICE_QUERY, &query);
	regions = calloc(1, query.size);
	igt_assert(regions);
	query.data = (uintptr_t)regions;
	do_ioctl(fd, DRM_IOCTL_XE_DEVICE_QUERY, &query);
	return regions;
}

/* The library has read it when the device was opened: this is how it is now. */
static void xe_vram(int fd, struct pal_vram *vram)
{
	struct drm_xe_query_mem_regions *regions = mem_regions(fd);
	unsigned int i;

	for (i = 0; i < regions->num_mem_regions; i++) {
		const struct drm_xe_mem_region *r = &regions->mem_regions[i];

		if (r->mem_class != DRM_XE_MEM_REGION_CLASS_VRAM || vram->total)
			continue;
		vram->total = r->total_size;
		vram->used = r->used;
		vram->visible = r->cpu_visible_size;
		vram->visible_used = r->cpu_visible_used;
	}
	free(regions);
}

static int xe_create(int fd, uint64_t size, unsigned int where, uint32_t *handle)
{
	uint16_t caching = where & PAL_VRAM ? DRM_XE_GEM_CPU_CACHING_WC :
					      DRM_XE_GEM_CPU_CACHING_WB;
	uint32_t placement = 0, flags = 0;

	if (where & PAL_VRAM)
		placement |= vram_memory(fd, 0);
	if (where & PAL_SYSTEM)
		placement |= system_memory(fd);
	if (where & PAL_VISIBLE)
		flags = DRM_XE_GEM_CREATE_FLAG_NEEDS_VISIBLE_VRAM;
	return __xe_bo_create_caching(fd, 0, size, placement, flags, caching, handle);
}

static int xe_mmap_offset(int fd, uint32_t handle, uint64_t *offset)
{
	struct drm_xe_gem_mmap_offset arg = { .handle = handle };

	if (igt_ioctl(fd, DRM_IOCTL_XE_GEM_MMAP_OFFSET, &arg))
		return -errno;
	*offset = arg.offset;
	return 0;
}

/* A VM with a batch of ours in it, and a queue of the copy engine */
struct xe_job {
	int fd;
	uint32_t vm, queue, handle, syncobj;
	uint32_t *batch;
};

static void job_open(struct xe_job *job, int fd)
{
	struct drm_syncobj_create syncobj = {};
	uint64_t offset = 0;

	*job = (struct xe_job){ .fd = fd };
	job->vm = xe_vm_create(fd, 0, 0);
	job->queue = xe_exec_queue_create_class(fd, job->vm, DRM_XE_ENGINE_CLASS_COPY);
	igt_assert_eq(xe_create(fd, BATCH_SIZE, PAL_SYSTEM, &job->handle), 0);
	igt_assert_eq(xe_mmap_offset(fd, job->handle, &offset), 0);
	job->batch = mmap(NULL, BATCH_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	igt_assert(job->batch != MAP_FAILED);
	xe_vm_bind_sync(fd, job->vm, job->handle, 0, BATCH_VA, BATCH_SIZE);
	do_ioctl(fd, DRM_IOCTL_SYNCOBJ_CREATE, &syncobj);
	job->syncobj = syncobj.handle;
}

static void job_close(struct xe_job *job)
{
	struct drm_syncobj_destroy syncobj = { .handle = job->syncobj };

	do_ioctl(job->fd, DRM_IOCTL_SYNCOBJ_DESTROY, &syncobj);
	munmap(job->batch, BATCH_SIZE);
	xe_exec_queue_destroy(job->fd, job->queue);
	xe_vm_destroy(job->fd, job->vm);
	gem_close(job->fd, job->handle);
}

/* Waits for its end, which is one of a job that the driver gave up as well. */
static int job_run(struct xe_job *job)
{
	struct drm_xe_sync sync = {
		.type = DRM_XE_SYNC_TYPE_SYNCOBJ,
		.flags = DRM_XE_SYNC_FLAG_SIGNAL,
		.handle = job->syncobj,
	};
	struct drm_xe_exec exec = {
		.exec_queue_id = job->queue,
		.num_syncs = 1,
		.syncs = (uintptr_t)&sync,
		.address = BATCH_VA,
		.num_batch_buffer = 1,
	};
	struct drm_syncobj_wait wait = {
		.handles = (uintptr_t)&job->syncobj,
		.count_handles = 1,
	};
	struct timespec now;

	if (igt_ioctl(job->fd, DRM_IOCTL_XE_EXEC, &exec))
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &now);
	wait.timeout_nsec = (now.tv_sec + HANG_SECONDS) * 1000000000ll;
	return igt_ioctl(job->fd, DRM_IOCTL_SYNCOBJ_WAIT, &wait) ? -errno : 0;
}

static void xe_store(int fd, uint32_t handle, uint64_t size, uint64_t offset, uint32_t value)
{
	struct xe_job job;
	uint32_t *cs;

	job_open(&job, fd);
	xe_vm_bind_sync(fd, job.vm, handle, 0, BO_VA, size);
	cs = job.batch;
	*cs++ = STORE_DWORD;
	*cs++ = BO_VA + offset;
	*cs++ = (BO_VA + offset) >> 32;
	*cs++ = value;
	*cs++ = BATCH_END;
	igt_assert_eq(job_run(&job), 0);
	xe_vm_unbind_sync(fd, job.vm, 0, BO_VA, size);
	job_close(&job);
}

static void xe_hang(int fd)
{
	struct xe_job job;
	int ret;

	job_open(&job, fd);
	job.batch[0] = BATCH_START;
	job.batch[1] = (uint32_t)BATCH_VA;
	job.batch[2] = BATCH_VA >> 32;
	ret = job_run(&job);
	igt_assert_f(ret != -ETIME, "the driver does not give up on a batch without an end\n");
	/* What comes after it is refused: it was given up, and did not end. */
	job.batch[0] = BATCH_END;
	igt_assert_eq(job_run(&job), -ECANCELED);
	job_close(&job);
}

const struct pal_driver pal_xe = {
	.name = "xe",
	.chipset = DRIVER_XE,
	.fdinfo_vram = "vram0",
	.vram_mm = "tile0/vram_mm",
	.reserve = PAL_MIB / 2,
	.vram = xe_vram,
	.create = xe_create,
	.mmap_offset = xe_mmap_offset,
	.store = xe_store,
	.hang = xe_hang,
};
