// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_fault_test [options] NVME_BDF GPU_BDF
 *
 * The GPU hangs, faults and is reset while VRAM is mapped: the driver recovers as
 * it does without that, and since VRAM keeps what is in it the mapping stays.
 *
 * vram_injected is for a model that was started with --inject: its tests want
 * exactly those faults that the profile asks for.
 */
#include <linux/kernel.h>
#include <time.h>

#include "vram_test.h"
#include "kselftest_harness.h"

#define BUFFER_SIZE	(SZ_1M + SZ_4K)
/* Long for a job of ours, even on a busy machine */
#define JOB_TIMEOUT	3000

FIXTURE(vram_fault) {
	struct env env;
	struct buffer buf;
	struct dma_region map;
};

FIXTURE_SETUP(vram_fault)
{
	struct env *env = &self->env;

	env_open(env);
	gpu_set_job_timeout(&env->gpu, JOB_TIMEOUT);
	buffer_open(env, &self->buf, BUFFER_SIZE);
	dma_map(&env->dma, &self->map, self->buf.fd, BUFFER_SIZE);
	dma_fill(&env->dma, self->map.iova, 0, BUFFER_SIZE, CANARY);
}

FIXTURE_TEARDOWN(vram_fault)
{
	struct env *env = &self->env;

	/* What was mapped before is so after, with its data, for everybody. */
	EXPECT_EQ(BUFFER_SIZE, bufinfo(self->buf.fd).bytes);
	EXPECT_EQ(0, gpu_view_differs(&env->view, self->buf.va, BUFFER_SIZE, CANARY));
	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, BUFFER_SIZE, CANARY));
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &self->buf.bo));
	dma_unmap(&env->dma, &self->map);
	buffer_close(env, &self->buf);
	env_close(env);
}

TEST_F_TIMEOUT(vram_fault, endless_batch, 120)
{
	struct gpu_ctx *ctx = &self->env.ctx;
	int ret;

	ret = __gpu_hang(ctx);
	TH_LOG("the wait for an endless batch: %s", strerror(-ret));

	/* Its queue is banned, and no other one. */
	EXPECT_EQ(-ECANCELED, __gpu_copy(ctx, self->env.view.copy_va, self->buf.va, SZ_4K));
	gpu_new_queue(ctx);
}

TEST_F_TIMEOUT(vram_fault, nothing_at_address, 120)
{
	struct gpu_ctx strict;
	uint64_t va;

	gpu_ctx_open_strict(&strict, &self->env.gpu);
	va = gpu_bind(&strict, self->buf.bo.handle, BUFFER_SIZE);
	__gpu_copy(&strict, va, va + (1ull << 40), SZ_4K);
	EXPECT_EQ(-ECANCELED, __gpu_copy(&strict, va, va + SZ_64K, SZ_4K));
	gpu_new_queue(&strict);
	EXPECT_EQ(0, __gpu_copy(&strict, va, va, SZ_4K));
	gpu_ctx_close(&strict);
}

TEST_F_TIMEOUT(vram_fault, reset, 120)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, gpu_reset(&self->env.gpu));
		EXPECT_EQ(BUFFER_SIZE, bufinfo(self->buf.fd).bytes);
		EXPECT_EQ(0, gpu_view_differs(&self->env.view, self->buf.va,
					     BUFFER_SIZE, CANARY));
	}
}

FIXTURE(vram_injected) {
	struct env env;
	struct buffer buf;
};

FIXTURE_SETUP(vram_injected)
{
	env_open(&self->env);
	gpu_set_job_timeout(&self->env.gpu, JOB_TIMEOUT);
	buffer_open(&self->env, &self->buf, BUFFER_SIZE);
}

FIXTURE_TEARDOWN(vram_injected)
{
	buffer_close(&self->env, &self->buf);
	env_close(&self->env);
}

#define NR_JOBS		100

static int64_t ms(const struct timespec *time)
{
	return time->tv_sec * 1000ll + time->tv_nsec / 1000000;
}

/* NR_JOBS copies, each checked. Returns how many were lost and so repeated. */
static int run_jobs(struct env *env, struct buffer *buf, int *late)
{
	struct timespec before, after;
	int i, ret, lost = 0;

	for (i = 0; i < NR_JOBS; i++) {
		outside_pattern(buf->bo.vaddr, 0, SZ_64K, i + 1);
		memset(env->view.copy.vaddr, 0x5a, SZ_64K);
		clock_gettime(CLOCK_MONOTONIC, &before);
		ret = __gpu_copy(&env->ctx, env->view.copy_va, buf->va, SZ_64K);
		clock_gettime(CLOCK_MONOTONIC, &after);
		/* The fence of a lost job gets signaled as well. */
		if (ret || outside_differs(env->view.copy.vaddr, 0, SZ_64K, i + 1)) {
			lost++;
			gpu_new_queue(&env->ctx);
			if (lost == NR_JOBS)
				break;
			i--;
			continue;
		}
		/* Nobody but the watchdog of jobs finds out without the interrupt. */
		*late += ms(&after) - ms(&before) >= JOB_TIMEOUT / 2;
	}
	return lost;
}

/* The faults of profile xe-inject: an interrupt, a job without end, a bad address */
TEST_F_TIMEOUT(vram_injected, jobs, 240)
{
	int late = 0, lost;

	lost = run_jobs(&self->env, &self->buf, &late);
	TH_LOG("%d of %d jobs lost, %d late", lost, NR_JOBS, late);
	/* After the lost interrupt the job is complete, but the queue is banned. */
	EXPECT_EQ(3, lost);
	EXPECT_EQ(1, late);
	late = 0;
	EXPECT_EQ(0, run_jobs(&self->env, &self->buf, &late));
	EXPECT_EQ(0, late);
}

int main(int argc, char *argv[])
{
	vram_test_devices(&argc, argv, 2);
	return test_harness_run(argc, argv);
}
