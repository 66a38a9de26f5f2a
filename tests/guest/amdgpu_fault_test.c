// SPDX-License-Identifier: GPL-2.0-only
/*
 * amdgpu_fault_test [options] NVME_BDF GPU_BDF
 *
 * What becomes of jobs, contexts and memory when the engines of a model that was
 * started with --inject fail as profile amdgpu-inject wants it. What the driver intends:
 *
 * - A job without an end is lost with -ETIME, and its context guilty: it keeps that error
 *   for this engine and gets no more jobs there (amdgpu_ctx_get_entity()).
 * - Graphics is reset alone (amdgpu_device_ip_soft_reset()): VRAM is not lost, and nobody
 *   else notices.
 * - For SDMA all of the GPU is reset and VRAM taken for lost. No context from before may
 *   submit anything to any engine: -ECANCELED (amdgpu_cs_pass1()).
 * - A job that is done and whose fence never came is such a job. One whose interrupt never
 *   came is found by a timer after half a second, and is complete.
 */
#include <sched.h>
#include <string.h>
#include <time.h>

#include <drm/amdgpu_drm.h>

#include "vram_test.h"
#include "gpu_driver.h"
#include "kselftest_harness.h"

#define BUFFER_SIZE	SZ_64K
#define PM4_NOP		0xffff1000u	/* one dword of it */
#define NOPS		16

/* More than it takes until the last fault */
#define GFX_JOBS	60
#define SDMA_JOBS	1000
#define SDMA_LOST	2
#define QUIET_JOBS	50		/* in a row behind that one */
#define LATE_MS		450		/* the driver's timer: 500, by jiffies */

#define GUILTY		AMDGPU_CTX_QUERY2_FLAGS_GUILTY
#define VRAM_LOST	AMDGPU_CTX_QUERY2_FLAGS_VRAMLOST
#define RESET		AMDGPU_CTX_QUERY2_FLAGS_RESET

FIXTURE(amdgpu_injected) {
	struct env env;
	struct buffer buf;
	struct gpu_ctx other;
};

FIXTURE_SETUP(amdgpu_injected)
{
	gpu_side_open(&self->env);
	buffer_open(&self->env, &self->buf, BUFFER_SIZE);
	cpu_fill(&self->buf.bo, CANARY);
	gpu_ctx_open(&self->other, &self->env.gpu);
}

FIXTURE_TEARDOWN(amdgpu_injected)
{
	struct env *env = &self->env;

	/* Everybody has a working GPU afterwards. */
	EXPECT_EQ(0, gpu_view_differs(&env->view, self->buf.va, BUFFER_SIZE, CANARY));
	gpu_ctx_close(&self->other);
	buffer_close(env, &self->buf);
	gpu_side_close(env);
}

/* Who is told of a lost job may ask before its reset is over, and counted. */
static uint32_t state_after_reset(struct gpu_ctx *ctx)
{
	const uint32_t busy = AMDGPU_CTX_QUERY2_FLAGS_RESET_IN_PROGRESS;
	time_t end = time(NULL) + GPU_WAIT_SECONDS;
	uint32_t state;

	do {
		sched_yield();
		state = gpu_amdgpu_state(ctx);
	} while ((state & (RESET | busy)) != RESET && time(NULL) < end);
	return state & (GUILTY | VRAM_LOST | RESET);
}

static int run_nops(struct gpu_ctx *ctx)
{
	uint32_t *cs = ctx->batch.vaddr;
	int i;

	for (i = 0; i < NOPS; i++)
		cs[i] = PM4_NOP;
	return gpu_amdgpu_run(ctx, AMDGPU_HW_IP_GFX, NOPS);
}

TEST_F_TIMEOUT(amdgpu_injected, graphics, 120)
{
	struct env *env = &self->env;
	int i, ret = 0;

	EXPECT_EQ(0, gpu_amdgpu_state(&env->ctx));
	for (i = 0; i < GFX_JOBS && !ret; i++)
		ret = run_nops(&env->ctx);
	TH_LOG("job %d: %s", i, strerror(-ret));
	ASSERT_EQ(-ETIME, ret);

	/* Its context keeps the blame and gets nothing more run there. */
	EXPECT_EQ(GUILTY | RESET, state_after_reset(&env->ctx));
	EXPECT_EQ(-ETIME, run_nops(&env->ctx));
	/* Its other engines do, and so do other contexts, and the GPU. */
	EXPECT_EQ(0, gpu_view_differs(&env->view, self->buf.va, BUFFER_SIZE, CANARY));
	EXPECT_EQ(0, run_nops(&self->other));
	EXPECT_EQ(0, gpu_amdgpu_state(&self->other) & (GUILTY | VRAM_LOST));
	gpu_new_queue(&env->ctx);
	EXPECT_EQ(0, run_nops(&env->ctx));
	EXPECT_EQ(0, cpu_differs(&self->buf.bo, CANARY));
}

static int64_t ms_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000ll +
	       (now.tv_nsec - start->tv_nsec) / 1000000;
}

/* A copy of other data each time; -EIO if it is not there afterwards. */
static int run_copy(struct env *env, struct buffer *buf, uint64_t seed)
{
	int ret;

	cpu_fill(&buf->bo, seed);
	memset(env->view.copy.vaddr, 0x5a, BUFFER_SIZE);
	ret = __gpu_copy(&env->ctx, env->view.copy_va, buf->va, BUFFER_SIZE);
	if (ret)
		return ret;
	return outside_differs(env->view.copy.vaddr, 0, BUFFER_SIZE, seed) ? -EIO : 0;
}

/* The faults: an engine that hangs, a fence that is lost, an interrupt that is lost */
TEST_F_TIMEOUT(amdgpu_injected, sdma, 240)
{
	struct env *env = &self->env;
	int i, ret, lost = 0, late = 0, quiet = 0;
	struct timespec start;
	int64_t ms;

	for (i = 0; i < SDMA_JOBS && quiet < QUIET_JOBS; i++) {
		clock_gettime(CLOCK_MONOTONIC, &start);
		ret = run_copy(env, &self->buf, i + 1);
		ms = ms_since(&start);
		if (!ret) {
			late += ms >= LATE_MS;
			quiet += lost == SDMA_LOST;
			continue;
		}
		TH_LOG("job %d: %s after %lld ms", i, strerror(-ret), (long long)ms);
		ASSERT_EQ(-ETIME, ret);
		lost++;
		EXPECT_EQ(GUILTY | VRAM_LOST | RESET, state_after_reset(&env->ctx));
		EXPECT_EQ(-ETIME, run_copy(env, &self->buf, i + 1));
		EXPECT_EQ(-ECANCELED, run_nops(&env->ctx));
		gpu_new_queue(&env->ctx);
		EXPECT_EQ(0, run_copy(env, &self->buf, i + 1));
	}
	TH_LOG("of %d jobs %d were lost, %d late", i, lost, late);
	EXPECT_EQ(SDMA_LOST, lost);
	EXPECT_EQ(QUIET_JOBS, quiet);
	EXPECT_LE(1, late);

	/* The bystander is not guilty, but from before as well. */
	EXPECT_EQ(VRAM_LOST, gpu_amdgpu_state(&self->other) & (GUILTY | VRAM_LOST));
	EXPECT_EQ(-ECANCELED, run_nops(&self->other));
	gpu_new_queue(&self->other);
	EXPECT_EQ(0, run_nops(&self->other));
	cpu_fill(&self->buf.bo, CANARY);
}

int main(int argc, char *argv[])
{
	vram_test_devices(&argc, argv, 2);
	if (strcmp(gpu_driver_name(&card), "amdgpu")) {
		fprintf(stderr, "%s: %s is not a GPU of amdgpu\n", argv[0], gpu_bdf);
		return 2;
	}
	return test_harness_run(argc, argv);
}
