// SPDX-License-Identifier: GPL-2.0-only
/*
 * amdgpu_debug_test [options] NVME_BDF GPU_BDF
 *
 * What amdgpu's debugfs can do to a buffer object: evict all of VRAM, reset the GPU,
 * test its rings and time its copies. What an IOMMU maps stays, but for a reset.
 */
#include <signal.h>
#include <sys/wait.h>

#include "mapping.h"
#include "vram_test.h"
#include "kselftest_harness.h"

#define BUFFER_SIZE	(SZ_4M + SZ_4K)
#define NR_RESETS	3
#define NR_LOADS	2
#define NR_IB_TESTS	20

static void debugfs_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, "/sys/kernel/debug/dri/%s/%s", gpu_bdf, name);
}

/* Whether the file has this line; reading it is what does something. */
static bool debugfs_says(const char *name, const char *want)
{
	char path[128], line[256];
	bool found = false;
	FILE *file;

	debugfs_path(path, sizeof(path), name);
	file = fopen(path, "r");
	VFIO_ASSERT_NOT_NULL(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		found |= !strcmp(line, want);
	}
	fclose(file);
	return found;
}

FIXTURE(amdgpu_debug) {
	struct env env;
	struct buffer buf;
	struct dma_region map;
};

FIXTURE_SETUP(amdgpu_debug)
{
	env_open(&self->env);
	buffer_open(&self->env, &self->buf, BUFFER_SIZE);
	cpu_fill(&self->buf.bo, CANARY);
}

FIXTURE_TEARDOWN(amdgpu_debug)
{
	struct env *env = &self->env;

	EXPECT_EQ(0, cpu_differs(&self->buf.bo, CANARY));
	EXPECT_EQ(0, gpu_view_differs(&env->view, self->buf.va, BUFFER_SIZE, CANARY));
	buffer_close(env, &self->buf);
	env_close(env);
}

TEST_F_TIMEOUT(amdgpu_debug, evict_unmapped, 120)
{
	struct env *env = &self->env;

	ASSERT_TRUE(gpu_in_vram(&env->gpu, self->buf.fd, BUFFER_SIZE));
	EXPECT_TRUE(debugfs_says("amdgpu_evict_vram", "0"));
	EXPECT_EQ(BUFFER_SIZE, gpu_place(&env->gpu, self->buf.fd).system);

	/* Mapped, it comes back. */
	dma_map(&env->dma, &self->map, self->buf.fd, BUFFER_SIZE);
	EXPECT_TRUE(gpu_in_vram(&env->gpu, self->buf.fd, BUFFER_SIZE));
	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, BUFFER_SIZE, CANARY));
	dma_unmap(&env->dma, &self->map);
}

TEST_F_TIMEOUT(amdgpu_debug, evict_mapped, 120)
{
	struct env *env = &self->env;

	dma_map(&env->dma, &self->map, self->buf.fd, BUFFER_SIZE);
	debugfs_says("amdgpu_evict_vram", "0");
	EXPECT_TRUE(gpu_in_vram(&env->gpu, self->buf.fd, BUFFER_SIZE));
	EXPECT_EQ(BUFFER_SIZE, bufinfo(self->buf.fd).bytes);
	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, BUFFER_SIZE, CANARY));
	dma_fill(&env->dma, self->map.iova, 0, BUFFER_SIZE, DATA);
	EXPECT_EQ(0, cpu_differs(&self->buf.bo, DATA));
	dma_fill(&env->dma, self->map.iova, 0, BUFFER_SIZE, CANARY);
	dma_unmap(&env->dma, &self->map);
}

/*
 * The driver takes VRAM for lost after a reset of a GPU as old as a Bonaire, whatever
 * became of it. The mapping is revoked, which user space can see, and then comes
 * back by itself.
 */
TEST_F_TIMEOUT(amdgpu_debug, reset_mapped, 120)
{
	struct env *env = &self->env;
	struct iommu *iommu = env->dma.iommu;
	unsigned int i;
	int event;

	dma_map(&env->dma, &self->map, self->buf.fd, BUFFER_SIZE);
	ASSERT_TRUE(dma_works(&env->dma, self->map.iova, &self->buf.bo));
	EXPECT_TRUE(mapping_is_back(iommu->iommufd, iommu->ioas_id, self->map.iova, 0));
	event = mapping_watch(iommu->iommufd, iommu->ioas_id);
	ASSERT_LE(0, event);
	for (i = 1; i <= NR_RESETS; i++) {
		ASSERT_EQ(0, gpu_reset(&env->gpu));
		/* By workers, as fences wait for the reset */
		EXPECT_TRUE(mapping_comes_back(iommu->iommufd, iommu->ioas_id, event,
					       self->map.iova, i));
		EXPECT_EQ(BUFFER_SIZE, bufinfo(self->buf.fd).bytes);
		EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &self->buf.bo));
	}
	dma_unmap(&env->dma, &self->map);
	close(event);
	gpu_new_queue(&env->ctx);
	cpu_fill(&self->buf.bo, CANARY);
}

TEST_F_TIMEOUT(amdgpu_debug, rings_while_mapped, 120)
{
	struct env *env = &self->env;
	char path[128];

	dma_map(&env->dma, &self->map, self->buf.fd, BUFFER_SIZE);
	EXPECT_TRUE(debugfs_says("amdgpu_test_ib", "ib ring tests passed."));
	/* VRAM to GTT and back, VRAM to VRAM */
	debugfs_path(path, sizeof(path), "amdgpu_benchmark");
	EXPECT_EQ(0, write_file(path, "1"));
	EXPECT_EQ(0, write_file(path, "2"));
	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, BUFFER_SIZE, CANARY));
	dma_unmap(&env->dma, &self->map);
}

/* Copies without an end, of another process */
static pid_t start_load(void)
{
	struct env env;
	struct buffer buf;
	pid_t pid = fork();

	VFIO_ASSERT_GE(pid, 0);
	if (pid)
		return pid;
	gpu_side_open(&env);
	buffer_open(&env, &buf, SZ_64K);
	while (true)
		gpu_view_differs(&env.view, buf.va, SZ_64K, CANARY);
}

/*
 * What holds the schedulers for a while must let their workers at the hardware when
 * it starts them. Lockdep is the judge.
 */
TEST_F_TIMEOUT(amdgpu_debug, rings_under_load, 120)
{
	pid_t load[NR_LOADS];
	unsigned int i;

	for (i = 0; i < NR_LOADS; i++)
		load[i] = start_load();
	for (i = 0; i < NR_IB_TESTS; i++)
		EXPECT_TRUE(debugfs_says("amdgpu_test_ib", "ib ring tests passed."));
	for (i = 0; i < NR_LOADS; i++) {
		EXPECT_EQ(0, waitpid(load[i], NULL, WNOHANG));
		kill(load[i], SIGKILL);
		EXPECT_EQ(load[i], waitpid(load[i], NULL, 0));
	}
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
