// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_suspend_test [options] NVME_BDF GPU_BDF
 *
 * The system is suspended and resumed while VRAM is mapped for DMA. A driver may
 * keep what is in VRAM and where it is, as xe does: then the mapping has to be there
 * all the time. Or it may not, as amdgpu does for what is pinned: then the mapping
 * has to be revoked and to come back. There is nothing in between.
 *
 * /sys/power/pm_test ends it after the devices were suspended, in two depths, so
 * that nobody has to wake the system.
 */
#include <string.h>

#include "mapping.h"
#include "vram_test.h"
#include "kselftest_harness.h"

#define BUFFER_SIZE	(SZ_4M + SZ_4K)
#define NR_SUSPENDS	3
#define TRACING		"/sys/kernel/tracing/"

static bool driver_keeps_vram(void)
{
	return !strcmp(gpu_driver_name(&card), "xe");
}

/*
 * Whether the GPU was suspended since the trace was emptied, as the PM core tells it:
 * what keeps its VRAM looks like what nobody has suspended.
 */
static bool gpu_was_suspended(void)
{
	FILE *file = fopen(TRACING "trace", "r");
	bool found = false;
	char line[512];

	VFIO_ASSERT_NOT_NULL(file);
	while (fgets(line, sizeof(line), file))
		found |= strstr(line, gpu_bdf) && strstr(line, "[suspend]");
	fclose(file);
	return found;
}

FIXTURE(vram_suspend) {
	struct env env;
	struct buffer buf;
	struct dma_region map;
	int event;
};

FIXTURE_VARIANT(vram_suspend) {
	const char *depth;
};

/* Drivers' callbacks; and those without interrupts, where PCI changes power states */
FIXTURE_VARIANT_ADD(vram_suspend, devices) { .depth = "devices", };
FIXTURE_VARIANT_ADD(vram_suspend, platform) { .depth = "platform", };

FIXTURE_SETUP(vram_suspend)
{
	struct env *env = &self->env;
	struct iommu *iommu;

	ASSERT_EQ(0, write_file("/sys/module/suspend/parameters/pm_test_delay", "0"));
	ASSERT_EQ(0, write_file("/sys/power/mem_sleep", "s2idle"));
	ASSERT_EQ(0, write_file("/sys/power/pm_test", variant->depth));
	ASSERT_EQ(0, write_file(TRACING "events/power/device_pm_callback_start/enable", "1"));
	env_open(env);
	buffer_open(env, &self->buf, BUFFER_SIZE);
	dma_map(&env->dma, &self->map, self->buf.fd, BUFFER_SIZE);
	iommu = env->dma.iommu;
	self->event = mapping_watch(iommu->iommufd, iommu->ioas_id);
	ASSERT_LE(0, self->event);
	ASSERT_TRUE(dma_works(&env->dma, self->map.iova, &self->buf.bo));
}

FIXTURE_TEARDOWN(vram_suspend)
{
	struct env *env = &self->env;

	EXPECT_EQ(0, write_file("/sys/power/pm_test", "none"));
	EXPECT_EQ(0, write_file(TRACING "events/power/device_pm_callback_start/enable", "0"));
	dma_unmap(&env->dma, &self->map);
	EXPECT_EQ(0, close(self->event));
	buffer_close(env, &self->buf);
	env_close(env);
}

TEST_F_TIMEOUT(vram_suspend, while_mapped, 120)
{
	struct env *env = &self->env;
	struct iommu *iommu = env->dma.iommu;
	struct gpu_bo *bo = &self->buf.bo;
	bool keeps = driver_keeps_vram();
	unsigned int i;

	for (i = 1; i <= NR_SUSPENDS; i++) {
		cpu_fill(bo, CANARY + i);
		/* Which empties it */
		ASSERT_EQ(0, close(open(TRACING "trace", O_WRONLY | O_TRUNC)));
		ASSERT_FALSE(gpu_was_suspended());
		ASSERT_EQ(0, write_file("/sys/power/state", "mem"));
		ASSERT_TRUE(gpu_was_suspended());

		EXPECT_TRUE(mapping_comes_back(iommu->iommufd, iommu->ioas_id, self->event,
					       self->map.iova, keeps ? 0 : i));
		EXPECT_EQ(BUFFER_SIZE, bufinfo(self->buf.fd).bytes);
		if (keeps) {
			EXPECT_EQ(0, cpu_differs(bo, CANARY + i));
			EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, BUFFER_SIZE,
						 CANARY + i));
		}
		EXPECT_TRUE(dma_works(&env->dma, self->map.iova, bo));
		EXPECT_EQ(0, gpu_view_differs(&env->view, self->buf.va, BUFFER_SIZE, AFTER));
	}
}

int main(int argc, char *argv[])
{
	vram_test_devices(&argc, argv, 2);
	return test_harness_run(argc, argv);
}
