// SPDX-License-Identifier: GPL-2.0-only
/*
 * xe_fault_test [options] NVME_BDF XE_BDF
 *
 * The GPU hangs, faults and is reset while VRAM is mapped: the driver recovers as
 * it does without that, and since VRAM keeps what is in it the mapping stays.
 *
 * xe_injected is for a model that was started with --inject: its tests want
 * exactly those faults that the profile asks for.
 */
#include <linux/kernel.h>
#include <time.h>

#include "xe_test.h"
#include "kselftest_harness.h"

#define BUFFER_SIZE	(SZ_1M + SZ_4K)
/* Long for a job of ours, even on a busy machine */
#define JOB_TIMEOUT	"3000"

static void set_job_timeout(const char *bdf)
{
	char path[128];

	snprintf(path, sizeof(path),
		 "/sys/bus/pci/devices/%s/tile0/gt0/engines/bcs/job_timeout_ms", bdf);
	VFIO_ASSERT_EQ(write_file(path, JOB_TIMEOUT), 0);
}

FIXTURE(xe_fault) {
	struct env env;
	struct buffer buf;
	struct dma_region map;
};

FIXTURE_SETUP(xe_fault)
{
	struct env *env = &self->env;

	set_job_timeout(xe_bdf);
	env_open(env);
	buffer_open(env, &self->buf, BUFFER_SIZE);
	dma_map(&env->dma, &self->map, self->buf.fd, BUFFER_SIZE);
	dma_fill(&env->dma, self->map.iova, 0, BUFFER_SIZE, CANARY);
}

FIXTURE_TEARDOWN(xe_fault)
{
	struct env *env = &self->env;

	/* What was mapped before is so after, with its data, for everybody. */
	EXPECT_EQ(BUFFER_SIZE, bufinfo(self->buf.fd).bytes);
	EXPECT_EQ(0, xe_view_differs(&env->view, self->buf.va, BUFFER_SIZE, CANARY));
	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, BUFFER_SIZE, CANARY));
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &self->buf.bo));
	dma_unmap(&env->dma, &self->map);
	buffer_close(env, &self->buf);
	env_close(env);
}

TEST_F_TIMEOUT(xe_fault, endless_batch, 120)
{
	struct xe_gpu *gpu = &self->env.gpu;
	int ret;

	ret = __xe_gpu_hang(gpu);
	TH_LOG("the wait for an endless batch: %s", strerror(-ret));

	/* Its queue is banned, and no other one. */
	EXPECT_EQ(-ECANCELED, __xe_gpu_copy(gpu, self->env.view.copy_va, self->buf.va, SZ_4K));
	xe_gpu_new_queue(gpu);
}

TEST_F_TIMEOUT(xe_fault, nothing_at_address, 120)
{
	struct xe_gpu strict;
	uint64_t va;

	xe_gpu_open_strict(&strict, &self->env.xe);
	va = xe_gpu_bind(&strict, self->buf.bo.handle, BUFFER_SIZE);
	__xe_gpu_copy(&strict, va, va + (1ull << 40), SZ_4K);
	EXPECT_EQ(-ECANCELED, __xe_gpu_copy(&strict, va, va + SZ_64K, SZ_4K));
	xe_gpu_new_queue(&strict);
	EXPECT_EQ(0, __xe_gpu_copy(&strict, va, va, SZ_4K));
	xe_gpu_close(&strict);
}

TEST_F_TIMEOUT(xe_fault, gt_reset, 120)
{
	char path[128];
	int i;

	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%s/gt0/force_reset_sync", xe_bdf);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, write_file(path, "1"));
		EXPECT_EQ(BUFFER_SIZE, bufinfo(self->buf.fd).bytes);
		EXPECT_EQ(0, xe_view_differs(&self->env.view, self->buf.va,
					     BUFFER_SIZE, CANARY));
	}
}

FIXTURE(xe_injected) {
	struct env env;
	struct buffer buf;
};

FIXTURE_SETUP(xe_injected)
{
	set_job_timeout(xe_bdf);
	env_open(&self->env);
	buffer_open(&self->env, &self->buf, BUFFER_SIZE);
}

FIXTURE_TEARDOWN(xe_injected)
{
	buffer_close(&self->env, &self->buf);
	env_close(&self->env);
}

#define NR_JOBS		100

/* NR_JOBS copies, each checked. Returns how many were lost and so repeated. */
static int run_jobs(struct env *env, struct buffer *buf, int *late)
{
	struct timespec before, after;
	int i, ret, lost = 0;

	for (i = 0; i < NR_JOBS; i++) {
		outside_pattern(buf->bo.vaddr, 0, SZ_64K, i + 1);
		memset(env->view.copy.vaddr, 0x5a, SZ_64K);
		clock_gettime(CLOCK_MONOTONIC, &before);
		ret = __xe_gpu_copy(&env->gpu, env->view.copy_va, buf->va, SZ_64K);
		clock_gettime(CLOCK_MONOTONIC, &after);
		/* The fence of a lost job gets signaled as well. */
		if (ret || outside_differs(env->view.copy.vaddr, 0, SZ_64K, i + 1)) {
			lost++;
			xe_gpu_new_queue(&env->gpu);
			if (lost == NR_JOBS)
				break;
			i--;
			continue;
		}
		*late += after.tv_sec - before.tv_sec >= 2;
	}
	return lost;
}

/* --inject engine-hang=15@20 --inject cat-error=15@40 --inject irq-drop=15@60 */
TEST_F_TIMEOUT(xe_injected, jobs, 240)
{
	int late = 0, lost;

	lost = run_jobs(&self->env, &self->buf, &late);
	TH_LOG("%d of %d jobs lost, %d late", lost, NR_JOBS, late);
	EXPECT_EQ(2, lost);
	EXPECT_EQ(1, late);
	late = 0;
	EXPECT_EQ(0, run_jobs(&self->env, &self->buf, &late));
	EXPECT_EQ(0, late);
}

int main(int argc, char *argv[])
{
	xe_test_devices(&argc, argv, 2);
	return test_harness_run(argc, argv);
}
