// SPDX-License-Identifier: GPL-2.0-only
/*
 * vram_map_test [options] NVME_BDF GPU_BDF
 *
 * VRAM of different sizes and in different pieces, mapped into the IOAS of an
 * NVMe controller: does DMA reach exactly the memory of the buffer object, as its
 * CPU mapping, the GPU and the BAR show it, and only while it is mapped?
 */
#include <linux/kernel.h>
#include <sys/mman.h>

#include "vram_test.h"
#include "kselftest_harness.h"

#define MIN_RANGES	64

FIXTURE(vram_map) {
	struct env env;
	struct buffer buf;
	struct dma_region map;
};

FIXTURE_VARIANT(vram_map) {
	u64 size;
	/* Largest piece, if VRAM is to be fragmented */
	u64 piece;
};

FIXTURE_VARIANT_ADD(vram_map, 4K) { .size = SZ_4K, };
FIXTURE_VARIANT_ADD(vram_map, 68K) { .size = SZ_64K + SZ_4K, };
FIXTURE_VARIANT_ADD(vram_map, 6M_fragmented) {
	.size = 97 * SZ_64K,
	.piece = SZ_64K,
};
FIXTURE_VARIANT_ADD(vram_map, 66M) { .size = SZ_64M + SZ_2M, };
FIXTURE_VARIANT_ADD(vram_map, 512M) { .size = SZ_512M, };

FIXTURE_SETUP(vram_map)
{
	env_open(&self->env);
	if (variant->piece) {
		gpu_bo_create_fragmented(&self->env.gpu, &self->buf.bo,
					variant->size, variant->piece);
		buffer_export(&self->env, &self->buf);
	} else {
		buffer_open(&self->env, &self->buf, variant->size);
	}
	dma_map(&self->env.dma, &self->map, self->buf.fd, variant->size);
}

FIXTURE_TEARDOWN(vram_map)
{
	buffer_close(&self->env, &self->buf);
	env_close(&self->env);
}

TEST_F_TIMEOUT(vram_map, both_ways, 300)
{
	struct bufinfo info = bufinfo(self->buf.fd);
	struct buffer *buf = &self->buf;
	struct env *env = &self->env;

	EXPECT_EQ(1, info.pal_attachments);
	EXPECT_EQ(variant->size, info.bytes);
	if (variant->piece)
		ASSERT_LE(MIN_RANGES, info.ranges);
	TH_LOG("%llu ranges", (unsigned long long)info.ranges);
	EXPECT_TRUE(gpu_in_vram(&env->gpu, buf->fd, variant->size));

	cpu_fill(&buf->bo, BEFORE);
	dma_fill(&env->dma, self->map.iova, 0, variant->size, DATA);
	EXPECT_EQ(0, cpu_differs(&buf->bo, DATA));
	EXPECT_EQ(0, gpu_view_differs(&env->view, buf->va, variant->size, DATA));

	gpu_view_fill(&env->view, buf->va, variant->size, AFTER);
	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, variant->size, AFTER));
	EXPECT_EQ(0, cpu_differs(&buf->bo, AFTER));
	EXPECT_TRUE(gpu_in_vram(&env->gpu, buf->fd, variant->size));
}

TEST_F_TIMEOUT(vram_map, unmap_ends_it, 300)
{
	struct env *env = &self->env;

	ASSERT_TRUE(dma_works(&env->dma, self->map.iova, &self->buf.bo));
	dma_unmap(&env->dma, &self->map);
	EXPECT_TRUE(dma_blocked(&env->dma, self->map.iova, &self->buf.bo));
	EXPECT_EQ(0, bufinfo(self->buf.fd).attachments);
}

/*
 * The IOVAs resolve to the pages that the exporter has, in its order, which is
 * looked up in the BAR from which all of it comes.
 */
TEST_F_TIMEOUT(vram_map, ranges_of_exporter, 300)
{
	struct env *env = &self->env;
	u64 nr, page, bar_size, ranges = 0, *where;
	void *bar;

	nr = variant->size / SZ_4K;
	where = calloc_assert(nr, sizeof(*where));
	bar_size = bar_map(gpu_bdf, gpu_vram_bar(&card), &bar);
	ASSERT_TRUE(bar_find(&self->buf.bo, bar, bar_size, where));

	for (page = 0; page < nr; page++)
		ranges += !page || where[page] != where[page - 1] + SZ_4K;
	EXPECT_EQ(bufinfo(self->buf.fd).ranges, ranges);
	if (variant->piece)
		EXPECT_LE(MIN_RANGES, ranges);

	dma_fill(&env->dma, self->map.iova, 0, variant->size, DATA);
	for (page = 0; page < nr; page++)
		ASSERT_EQ(0, outside_differs(bar + where[page], page * SZ_4K, SZ_4K, DATA));

	for (page = 0; page < nr; page++)
		outside_pattern(bar + where[page], page * SZ_4K, SZ_4K, AFTER);
	EXPECT_EQ(0, dma_differs(&env->dma, self->map.iova, 0, variant->size, AFTER));
	free(where);
	ASSERT_EQ(0, munmap(bar, bar_size));
}

TEST_F_TIMEOUT(vram_map, slices, 300)
{
	u64 total = variant->size, start, end;
	struct gpu_bo *bo = &self->buf.bo;
	struct env *env = &self->env;
	struct dma_region slice;
	int i = 0;

	dma_unmap(&env->dma, &self->map);
	for (start = 0; start < total && i < 12; start += SZ_4K * (1 + i * 23)) {
		i++;
		end = min(start + SZ_4K * (1 + i * 37 % 41), total);
		cpu_fill(bo, BEFORE);
		ASSERT_EQ(0, __dma_map(&env->dma, &slice, self->buf.fd, start,
				       end - start, IOMMU_FILE_RW));
		/* The pattern is that of the place in the buffer. */
		dma_fill(&env->dma, slice.iova - start, start, end - start, DATA);
		EXPECT_EQ(0, outside_differs(bo->vaddr, 0, start, BEFORE));
		EXPECT_EQ(0, outside_differs(bo->vaddr + start, start, end - start, DATA));
		EXPECT_EQ(0, outside_differs(bo->vaddr + end, end, total - end, BEFORE));
		EXPECT_EQ(0, dma_differs(&env->dma, slice.iova - start, start,
					 end - start, DATA));
		dma_unmap(&env->dma, &slice);
	}

	EXPECT_EQ(-EINVAL, __dma_map(&env->dma, &slice, self->buf.fd, 0,
				     total + SZ_4K, IOMMU_FILE_RW));
	EXPECT_EQ(-EINVAL, __dma_map(&env->dma, &slice, self->buf.fd, total,
				     SZ_4K, IOMMU_FILE_RW));
}

/* The mapping is all that is left of the BO, and its memory stays reserved. */
TEST_F_TIMEOUT(vram_map, handles_closed_first, 300)
{
	struct env *env = &self->env;
	struct gpu_bo other, left = self->buf.bo;
	struct gpu_vram vram;
	u64 size;

	/* The CPU mapping, too, keeps the BO; it is only there to look. */
	ASSERT_EQ(0, close(self->buf.fd));
	gpu_unbind(&env->ctx, self->buf.va, left.size);
	gpu_handle_close(&env->gpu, left.handle);

	vram = gpu_vram(&env->gpu);
	size = (vram.total - vram.used) / 2 / SZ_2M * SZ_2M;
	gpu_bo_create_vram(&env->gpu, &other, min(size, (u64)SZ_32M));
	cpu_fill(&other, CANARY);
	EXPECT_TRUE(dma_works(&env->dma, self->map.iova, &left));
	EXPECT_EQ(0, cpu_differs(&other, CANARY));
	gpu_bo_destroy(&other);

	dma_unmap(&env->dma, &self->map);
	EXPECT_TRUE(dma_blocked(&env->dma, self->map.iova, &left));
	ASSERT_EQ(0, munmap(left.vaddr, left.size));
	buffer_open(env, &self->buf, variant->size);
}

int main(int argc, char *argv[])
{
	vram_test_devices(&argc, argv, 2);
	return test_harness_run(argc, argv);
}
