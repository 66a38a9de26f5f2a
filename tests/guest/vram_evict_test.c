// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_evict_test [options] NVME_BDF GPU_BDF
 *
 * More is wanted of VRAM than there is. What an IOMMU maps stays where it is; what
 * an importer has that can map again at any time moves away and back, and is right
 * in both places.
 */
#include <linux/kernel.h>
#include <pthread.h>
#include <stdatomic.h>

#include <sys/eventfd.h>

#include "mapping.h"
#include "vram_test.h"
#include "kselftest_harness.h"

/* The selftest's device, whose page table can fault, which QEMU's IOMMUs cannot */
#include "../../../drivers/iommu/iommufd/iommufd_test.h"

FIXTURE(vram_evict) {
	struct env env;
	struct buffer buf;
	struct dma_region map;
	u64 total;
	void *data;
};

FIXTURE_SETUP(vram_evict)
{
	env_open(&self->env);
	self->total = gpu_vram(&self->env.gpu).total;
	buffer_open(&self->env, &self->buf, SZ_4M + SZ_4K);
	self->data = malloc_assert(self->buf.bo.size);
}

FIXTURE_TEARDOWN(vram_evict)
{
	free(self->data);
	buffer_close(&self->env, &self->buf);
	env_close(&self->env);
}

/* One round of BOs that need more than all of VRAM; true if all could be made. */
static bool pressure(struct gpu *gpu, u64 total)
{
	struct pressure pressure;
	unsigned int nr;

	nr = pressure_make(gpu, &pressure, total + PRESSURE_SIZE);
	pressure_end(&pressure);
	return nr * (u64)PRESSURE_SIZE >= total + PRESSURE_SIZE;
}

/* The other side of the test: what is not mapped does move. */
TEST_F_TIMEOUT(vram_evict, unmapped_moves, 120)
{
	struct env *env = &self->env;

	cpu_fill(&self->buf.bo, DATA);
	ASSERT_TRUE(gpu_in_vram(&env->gpu, self->buf.fd, self->buf.bo.size));
	EXPECT_TRUE(pressure(&env->gpu, self->total));
	EXPECT_EQ(self->buf.bo.size, gpu_place(&env->gpu, self->buf.fd).system);
	EXPECT_EQ(0, cpu_differs(&self->buf.bo, DATA));
	EXPECT_EQ(0, gpu_view_differs(&env->view, self->buf.va, self->buf.bo.size, DATA));

	/* From there it comes back when it is mapped. */
	dma_map(&env->dma, &self->map, self->buf.fd, self->buf.bo.size);
	EXPECT_TRUE(gpu_in_vram(&env->gpu, self->buf.fd, self->buf.bo.size));
	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, self->buf.bo.size, DATA));
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &self->buf.bo));
	dma_unmap(&env->dma, &self->map);
}

TEST_F_TIMEOUT(vram_evict, mapped_stays, 120)
{
	struct env *env = &self->env;

	dma_map(&env->dma, &self->map, self->buf.fd, self->buf.bo.size);
	dma_fill(&env->dma, self->map.iova, 0, self->buf.bo.size, DATA);
	EXPECT_TRUE(pressure(&env->gpu, self->total));
	EXPECT_TRUE(gpu_in_vram(&env->gpu, self->buf.fd, self->buf.bo.size));
	EXPECT_EQ(0, cpu_differs(&self->buf.bo, DATA));
	EXPECT_EQ(0, gpu_view_differs(&env->view, self->buf.va, self->buf.bo.size, DATA));
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &self->buf.bo));
	dma_unmap(&env->dma, &self->map);
}

/* What does not fit beside it fails, and only that. */
TEST_F_TIMEOUT(vram_evict, no_room_beside_mapped, 120)
{
	struct env *env = &self->env;
	u64 third = self->total / 3 / SZ_2M * SZ_2M;
	struct dma_region map;
	struct buffer big;
	struct gpu_bo bo;
	int ret;

	buffer_open(env, &big, third);
	dma_map(&env->dma, &map, big.fd, third);
	ret = __gpu_bo_create(&env->gpu, &bo, 2 * third + SZ_2M, GPU_VRAM, NULL);
	EXPECT_TRUE(ret == -ENOMEM || ret == -ENOSPC);
	TH_LOG("two thirds beside one third: %s", strerror(-ret));

	ASSERT_EQ(0, __gpu_bo_create(&env->gpu, &bo, third, GPU_VRAM, NULL));
	gpu_bo_destroy(&bo);
	EXPECT_TRUE(gpu_in_vram(&env->gpu, big.fd, third));
	dma_fill(&env->dma, map.iova, third - SZ_4M, SZ_4M, DATA);
	EXPECT_EQ(0, outside_differs(big.bo.vaddr + third - SZ_4M, third - SZ_4M, SZ_4M, DATA));

	dma_unmap(&env->dma, &map);
	ASSERT_EQ(0, __gpu_bo_create(&env->gpu, &bo, 2 * third + SZ_2M, GPU_VRAM, NULL));
	gpu_bo_destroy(&bo);
	buffer_close(env, &big);
}

TEST_F_TIMEOUT(vram_evict, movable_importer, 120)
{
	struct dma_buf_pal_test_imp_query query;
	struct env *env = &self->env;
	u64 size = self->buf.bo.size;
	int imp;

	imp = pal_import(self->buf.fd);
	ASSERT_LE(0, imp);
	cpu_fill(&self->buf.bo, DATA);
	ASSERT_EQ(size, pread(imp, self->data, size, 0));
	EXPECT_EQ(0, outside_differs(self->data, 0, size, DATA));
	query = pal_query(imp);
	EXPECT_EQ(1, query.mapped);
	EXPECT_EQ(1, query.maps);
	EXPECT_EQ(0, query.invalidations);

	EXPECT_TRUE(pressure(&env->gpu, self->total));
	query = pal_query(imp);
	EXPECT_EQ(0, query.mapped);
	EXPECT_LE(1, query.invalidations);
	EXPECT_EQ(size, gpu_place(&env->gpu, self->buf.fd).system);

	/* Its next access brings it back, and never sees system memory. */
	ASSERT_EQ(size, pread(imp, self->data, size, 0));
	EXPECT_EQ(0, outside_differs(self->data, 0, size, DATA));
	EXPECT_TRUE(gpu_in_vram(&env->gpu, self->buf.fd, size));
	EXPECT_EQ(2, pal_query(imp).maps);

	outside_pattern(self->data, 0, size, AFTER);
	ASSERT_EQ(size, pwrite(imp, self->data, size, 0));
	EXPECT_EQ(0, cpu_differs(&self->buf.bo, AFTER));
	EXPECT_EQ(0, gpu_view_differs(&env->view, self->buf.va, size, AFTER));
	close(imp);
}

/* Who can move has to wait for who cannot. */
TEST_F_TIMEOUT(vram_evict, movable_beside_mapped, 120)
{
	struct env *env = &self->env;
	u64 size = self->buf.bo.size;
	int imp;

	imp = pal_import(self->buf.fd);
	ASSERT_LE(0, imp);
	ASSERT_EQ(size, pread(imp, self->data, size, 0));
	dma_map(&env->dma, &self->map, self->buf.fd, size);
	EXPECT_TRUE(pressure(&env->gpu, self->total));
	EXPECT_EQ(0, pal_query(imp).invalidations);
	EXPECT_EQ(1, pal_query(imp).mapped);

	dma_fill(&env->dma, self->map.iova, 0, size, DATA);
	ASSERT_EQ(size, pread(imp, self->data, size, 0));
	EXPECT_EQ(0, outside_differs(self->data, 0, size, DATA));

	dma_unmap(&env->dma, &self->map);
	EXPECT_TRUE(pressure(&env->gpu, self->total));
	EXPECT_LE(1, pal_query(imp).invalidations);
	ASSERT_EQ(size, pread(imp, self->data, size, 0));
	EXPECT_EQ(0, outside_differs(self->data, 0, size, DATA));
	close(imp);
}

/* An IOAS of its own whose only page table reports faults; false if there is no mock. */
static bool faulting_ioas(int iommufd, u32 *ioas_id)
{
	struct iommu_ioas_alloc plain = { .size = sizeof(plain) }, ioas = plain;
	struct iommu_fault_alloc fault = { .size = sizeof(fault) };
	struct iommu_hwpt_alloc hwpt = { .size = sizeof(hwpt) };
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_MOCK_DOMAIN,
	};
	u32 device;

	ioctl_assert(iommufd, IOMMU_IOAS_ALLOC, &plain);
	ioctl_assert(iommufd, IOMMU_IOAS_ALLOC, &ioas);
	cmd.id = plain.out_ioas_id;
	if (ioctl(iommufd, IOMMU_TEST_CMD, &cmd))
		return false;

	device = cmd.mock_domain.out_stdev_id;
	ioctl_assert(iommufd, IOMMU_FAULT_QUEUE_ALLOC, &fault);
	hwpt.flags = IOMMU_HWPT_FAULT_ID_VALID;
	hwpt.dev_id = cmd.mock_domain.out_idev_id;
	hwpt.pt_id = ioas.out_ioas_id;
	hwpt.fault_id = fault.out_fault_id;
	ioctl_assert(iommufd, IOMMU_HWPT_ALLOC, &hwpt);
	cmd = (struct iommu_test_cmd){
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE,
		.id = device,
		.mock_domain_replace.pt_id = hwpt.out_hwpt_id,
	};
	ioctl_assert(iommufd, IOMMU_TEST_CMD, &cmd);
	*ioas_id = ioas.out_ioas_id;
	return true;
}

/* Of iommufd, too: evicted while it is mapped, it comes back to VRAM by itself. */
TEST_F_TIMEOUT(vram_evict, movable_in_iommufd, 120)
{
	struct iommu_ioas_mapping_state state = { .size = sizeof(state) };
	struct env *env = &self->env;
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE |
			 IOMMU_IOAS_MAP_MOVABLE,
		.fd = self->buf.fd,
		.length = self->buf.bo.size,
	};
	int iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC), event;

	ASSERT_LE(0, iommufd);
	if (!faulting_ioas(iommufd, &map.ioas_id))
		SKIP(return, "the kernel has no CONFIG_IOMMUFD_TEST");
	event = mapping_watch(iommufd, map.ioas_id);
	ASSERT_LE(0, event);
	ASSERT_EQ(0, ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map));
	EXPECT_TRUE(mapping_is_back(iommufd, map.ioas_id, map.iova, 0));
	cpu_fill(&self->buf.bo, DATA);

	EXPECT_TRUE(pressure(&env->gpu, self->total));
	state.ioas_id = map.ioas_id;
	ASSERT_EQ(0, ioctl(iommufd, IOMMU_IOAS_MAPPING_STATE, &state));
	EXPECT_LE(1, state.out_nr_revokes);
	EXPECT_TRUE(mapping_comes_back(iommufd, map.ioas_id, event, map.iova,
				       state.out_nr_revokes));
	EXPECT_TRUE(gpu_in_vram(&env->gpu, self->buf.fd, self->buf.bo.size));
	EXPECT_EQ(0, cpu_differs(&self->buf.bo, DATA));
	TH_LOG("lost and back %llu times", state.out_nr_revokes);
	close(event);
	close(iommufd);
}

struct squeeze {
	struct gpu *gpu;
	u64 total;
	atomic_int rounds;
	atomic_bool stop;
	bool ok;
};

static void *squeeze(void *arg)
{
	struct squeeze *s = arg;

	s->ok = true;
	while (!s->stop) {
		s->ok &= pressure(s->gpu, s->total);
		s->rounds++;
	}
	return NULL;
}

#define NR_ROUNDS	3
#define NR_MAPS		4

/* Maps, transfers and unmaps go on while VRAM is under pressure. */
TEST_F_TIMEOUT(vram_evict, map_races_pressure, 240)
{
	struct squeeze s = { .gpu = &self->env.gpu, .total = self->total };
	struct env *env = &self->env;
	pthread_t thread;
	int maps = 0;

	ASSERT_EQ(0, pthread_create(&thread, NULL, squeeze, &s));
	while (s.rounds < NR_ROUNDS || maps < NR_MAPS) {
		dma_map(&env->dma, &self->map, self->buf.fd, self->buf.bo.size);
		ASSERT_TRUE(dma_works(&env->dma, self->map.iova, &self->buf.bo));
		dma_unmap(&env->dma, &self->map);
		maps++;
	}
	s.stop = true;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(s.ok);
	TH_LOG("%d maps, %d rounds", maps, s.rounds);
}

int main(int argc, char *argv[])
{
	vram_test_devices(&argc, argv, 2);
	return test_harness_run(argc, argv);
}
