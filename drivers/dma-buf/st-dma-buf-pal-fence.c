// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests for physical address lists: no address leaves the core before the
 * memory is the buffer's own, that is before its KERNEL fences have signaled
 */
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "st-dma-buf-pal.h"

static DEFINE_SPINLOCK(pal_fence_lock);

static const char *fence_name(struct dma_fence *f)
{
	return "pal-test";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

static void put_fence(void *f)
{
	/* Nobody may wait for it for ever, least of all after a failure */
	dma_fence_check_and_signal(f);
	dma_fence_put(f);
}

/* An importer in a thread of its own, since it may have to wait */
struct mapper {
	struct pal_test *pal;
	struct dma_fence *fence;
	struct task_struct *task;
	struct completion done;
	int ret;
	/* When acquiring was over */
	bool signaled;
};

static int mapper_fn(void *data)
{
	struct mapper *mapper = data;
	struct pal_test *pal = mapper->pal;

	allow_signal(SIGINT);
	dma_resv_lock(pal->dmabuf->resv, NULL);
	mapper->ret = dma_buf_pal_acquire(pal->attach);
	mapper->signaled = dma_fence_is_signaled(mapper->fence);
	dma_resv_unlock(pal->dmabuf->resv);
	complete_all(&mapper->done);
	return 0;
}

/* One range in a buffer that has a fence of the given usage */
static struct dma_fence *setup_fence(struct kunit *test,
				     enum dma_resv_usage usage)
{
	const struct phys_vec vec = { 0, 4 * PAGE_SIZE };
	struct pal_test *pal = test->priv;
	struct dma_fence *f;
	int ret;

	pal_test_export(test, vec.len);
	pal_test_attach(test);
	pal_test_set_list(test, &vec, 1);

	f = kmalloc_obj(*f);
	KUNIT_ASSERT_NOT_NULL(test, f);
	dma_fence_init(f, &fence_ops, &pal_fence_lock,
		       dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, put_fence, f));

	dma_resv_lock(pal->dmabuf->resv, NULL);
	ret = dma_resv_reserve_fences(pal->dmabuf->resv, 1);
	if (!ret)
		dma_resv_add_fence(pal->dmabuf->resv, f, usage);
	dma_resv_unlock(pal->dmabuf->resv);
	KUNIT_ASSERT_EQ(test, 0, ret);
	return f;
}

/* Returns when the exporter has made the list, and the waiting begins */
static void start_mapper(struct kunit *test, struct mapper *mapper,
			 struct dma_fence *f)
{
	mapper->pal = test->priv;
	mapper->fence = f;
	init_completion(&mapper->done);

	mapper->task = kthread_create(mapper_fn, mapper, "pal-mapper");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapper->task);
	get_task_struct(mapper->task);
	wake_up_process(mapper->task);
	wait_for_completion(&mapper->pal->in_map);
}

static void join_mapper(struct mapper *mapper)
{
	wait_for_completion(&mapper->done);
	kthread_stop_put(mapper->task);
}

static int try_acquire(struct pal_test *pal)
{
	int ret;

	dma_resv_lock(pal->dmabuf->resv, NULL);
	ret = dma_buf_pal_acquire(pal->attach);
	dma_resv_unlock(pal->dmabuf->resv);
	return ret;
}

static void test_fence_delays(struct kunit *test)
{
	struct pal_test *pal = test->priv;
	struct mapper mapper = {};
	struct dma_fence *f;

	f = setup_fence(test, DMA_RESV_USAGE_KERNEL);
	start_mapper(test, &mapper, f);

	/* It would be over at once if it did not wait */
	KUNIT_EXPECT_EQ(test, 0UL,
			wait_for_completion_timeout(&mapper.done, HZ / 10));
	dma_fence_signal(f);
	join_mapper(&mapper);
	KUNIT_EXPECT_EQ(test, 0, mapper.ret);
	KUNIT_EXPECT_TRUE(test, mapper.signaled);
	KUNIT_EXPECT_EQ(test, 1, pal->attach->pal.nr_maps);
	KUNIT_EXPECT_EQ(test, 0, pal->unmaps);
}

static void test_fence_wait_interrupted(struct kunit *test)
{
	struct pal_test *pal = test->priv;
	struct mapper mapper = {};
	struct dma_fence *f;

	f = setup_fence(test, DMA_RESV_USAGE_KERNEL);
	start_mapper(test, &mapper, f);
	send_sig(SIGINT, mapper.task, 1);
	join_mapper(&mapper);
	KUNIT_EXPECT_EQ(test, -ERESTARTSYS, mapper.ret);
	KUNIT_EXPECT_FALSE(test, mapper.signaled);
	KUNIT_EXPECT_EQ(test, 1, pal->unmaps);
	KUNIT_EXPECT_EQ(test, 0, pal->attach->pal.nr_maps);
	KUNIT_EXPECT_NULL(test, pal->attach->pal.phys);

	/* The system call can be restarted */
	dma_fence_signal(f);
	KUNIT_EXPECT_EQ(test, 0, try_acquire(pal));
}

static void test_fence_signaled(struct kunit *test)
{
	struct pal_test *pal = test->priv;
	struct dma_fence *f;

	f = setup_fence(test, DMA_RESV_USAGE_KERNEL);
	dma_fence_signal(f);
	KUNIT_EXPECT_EQ(test, 0, try_acquire(pal));
}

/* What users of the buffer do with it is no reason to wait */
static void test_fence_of_users(struct kunit *test)
{
	struct pal_test *pal = test->priv;
	struct mapper mapper = {};
	struct dma_fence *f;

	f = setup_fence(test, DMA_RESV_USAGE_WRITE);
	start_mapper(test, &mapper, f);
	KUNIT_EXPECT_NE(test, 0UL,
			wait_for_completion_timeout(&mapper.done, 30 * HZ));
	dma_fence_check_and_signal(f);
	kthread_stop_put(mapper.task);
	KUNIT_EXPECT_EQ(test, 0, mapper.ret);
	KUNIT_EXPECT_FALSE(test, mapper.signaled);
	KUNIT_EXPECT_EQ(test, 1, pal->attach->pal.nr_maps);
}

static struct kunit_case pal_fence_cases[] = {
	KUNIT_CASE(test_fence_delays),
	KUNIT_CASE(test_fence_wait_interrupted),
	KUNIT_CASE(test_fence_signaled),
	KUNIT_CASE(test_fence_of_users),
	{}
};

static struct kunit_suite dma_buf_pal_fence_suite = {
	.name = "dma-buf-pal-fence",
	.init = pal_test_init,
	.exit = pal_test_exit,
	.test_cases = pal_fence_cases,
};

kunit_test_suite(dma_buf_pal_fence_suite);
