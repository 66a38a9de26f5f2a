/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of exported VRAM have in common: the devices, and one buffer
 * object with everything that looks at it.
 */
#ifndef PAL_GUEST_XE_TEST_H
#define PAL_GUEST_XE_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/dma-buf-pal-test.h>
#include <linux/sizes.h>

#include "outside.h"
#include "gpu.h"
#include "dma.h"

#define PAL_TEST_DEVICE	"/dev/dma_buf_pal_test"

/* Seeds of patterns; each step uses another one than the data that it replaces. */
enum { BEFORE = 1, DATA, AFTER, LATE, CANARY };

static const char *nvme_bdf, *gpu_bdf, *gpu2_bdf;
/* The one at gpu_bdf, for what stays true while nobody has it open */
static struct gpu card;

struct env {
	struct gpu gpu;
	struct gpu_ctx ctx;
	struct gpu_view view;
	struct dma dma;
};

static inline void gpu_side_open(struct env *env)
{
	gpu_open(&env->gpu, gpu_bdf);
	gpu_ctx_open(&env->ctx, &env->gpu);
	gpu_view_open(&env->view, &env->ctx);
}

static inline void env_open(struct env *env)
{
	gpu_side_open(env);
	dma_open(&env->dma, nvme_bdf);
}

static inline void gpu_side_close(struct env *env)
{
	gpu_view_close(&env->view);
	gpu_ctx_close(&env->ctx);
	gpu_close(&env->gpu);
}

static inline void env_close(struct env *env)
{
	dma_close(&env->dma);
	gpu_side_close(env);
}

/* A BO that is exported, and mapped by the GPU and the CPU */
struct buffer {
	struct gpu_bo bo;
	uint64_t va;
	int fd;
};

static inline void buffer_export(struct env *env, struct buffer *buf)
{
	buf->va = gpu_bind(&env->ctx, buf->bo.handle, buf->bo.size);
	buf->fd = gpu_bo_export(&buf->bo);
}

static inline void buffer_open(struct env *env, struct buffer *buf, uint64_t size)
{
	gpu_bo_create_vram(&env->gpu, &buf->bo, size);
	buffer_export(env, buf);
}

static inline void buffer_close(struct env *env, struct buffer *buf)
{
	VFIO_ASSERT_EQ(close(buf->fd), 0);
	gpu_unbind(&env->ctx, buf->va, buf->bo.size);
	gpu_bo_destroy(&buf->bo);
}

static inline void cpu_fill(struct gpu_bo *bo, uint64_t seed)
{
	outside_pattern(bo->vaddr, 0, bo->size, seed);
}

static inline uint64_t cpu_differs(struct gpu_bo *bo, uint64_t seed)
{
	return outside_differs(bo->vaddr, 0, bo->size, seed);
}

/* DMA reaches the memory of the BO, both ways: the positive control */
static inline bool dma_works(struct dma *dma, iova_t iova, struct gpu_bo *bo)
{
	cpu_fill(bo, BEFORE);
	dma_fill(dma, iova, 0, bo->size, DATA);
	if (cpu_differs(bo, DATA))
		return false;
	cpu_fill(bo, AFTER);
	return !dma_differs(dma, iova, 0, bo->size, AFTER);
}

/* DMA does not: after the attempt to write another pattern the old one is there. */
static inline bool dma_blocked(struct dma *dma, iova_t iova, struct gpu_bo *bo)
{
	cpu_fill(bo, BEFORE);
	dma_fill(dma, iova, 0, bo->size, LATE);
	return !cpu_differs(bo, BEFORE) &&
	       dma_differs(dma, iova, 0, bo->size, BEFORE);
}

/*
 * Where in the BAR each page of the BO is, by marks that the CPU writes to its
 * mapping. Each is in exactly one page of the BAR, or this returns false. Free
 * VRAM may still have marks of an earlier process.
 */
static inline bool bar_find(struct gpu_bo *bo, const void *bar, uint64_t bar_size,
			    uint64_t *where)
{
	uint64_t mark = 0x50414cull << 40 | (uint64_t)(getpid() & 0xffff) << 24;
	uint64_t nr = bo->size / SZ_4K, found = 0, page, offset;

	for (page = 0; page < nr; page++) {
		*(volatile uint64_t *)(bo->vaddr + page * SZ_4K) = mark | page;
		where[page] = ~0ull;
	}
	for (offset = 0; offset < bar_size; offset += SZ_4K) {
		page = *(const volatile uint64_t *)(bar + offset) ^ mark;
		if (page >= nr)
			continue;
		if (where[page] != ~0ull)
			return false;
		where[page] = offset;
		found++;
	}
	return found == nr;
}

/*
 * VRAM-only BOs, one after the other, until there are @size bytes of them; none
 * of them is pinned, so that they evict one another. Returns how many there are,
 * fewer if one could not be made.
 */
#define PRESSURE_SIZE	SZ_16M

struct pressure {
	struct gpu *gpu;
	unsigned int nr;
	uint32_t handles[1024];
};

static inline unsigned int pressure_make(struct gpu *gpu, struct pressure *p,
					 uint64_t size)
{
	struct gpu_bo bo;

	*p = (struct pressure){ .gpu = gpu };
	while (p->nr * (uint64_t)PRESSURE_SIZE < size) {
		VFIO_ASSERT_LT(p->nr, ARRAY_SIZE(p->handles));
		if (__gpu_bo_create(gpu, &bo, PRESSURE_SIZE, GPU_VRAM, NULL))
			break;
		p->handles[p->nr++] = bo.handle;
	}
	return p->nr;
}

static inline void pressure_end(struct pressure *p)
{
	while (p->nr)
		gpu_handle_close(p->gpu, p->handles[--p->nr]);
}

/* An importer that does not pin, of the test driver; its fd or -errno */
static inline int pal_import(int dma_buf)
{
	struct dma_buf_pal_test_buf arg = { .fd = dma_buf };
	int dev = open(PAL_TEST_DEVICE, O_RDWR | O_CLOEXEC), fd;

	VFIO_ASSERT_GE(dev, 0);
	fd = ioctl(dev, DMA_BUF_PAL_TEST_IMPORT, &arg);
	if (fd < 0)
		fd = -errno;
	close(dev);
	return fd;
}

static inline struct dma_buf_pal_test_imp_query pal_query(int imp)
{
	struct dma_buf_pal_test_imp_query query;

	VFIO_ASSERT_EQ(ioctl(imp, DMA_BUF_PAL_TEST_IMP_QUERY, &query), 0);
	return query;
}

static inline int map_rw(struct env *env, struct dma_region *map, struct gpu_bo *bo, int fd)
{
	return __dma_map(&env->dma, map, fd, 0, bo->size, IOMMU_FILE_RW);
}

/* The same size in VRAM alone is mapped: it is the BO that is refused. */
static inline bool control(struct env *env, uint64_t size)
{
	struct dma_region map;
	struct gpu_bo bo;
	bool works;
	int fd;

	gpu_bo_create_vram(&env->gpu, &bo, size);
	fd = gpu_bo_export(&bo);
	dma_map(&env->dma, &map, fd, size);
	works = dma_works(&env->dma, map.iova, &bo);
	dma_unmap(&env->dma, &map);
	close(fd);
	gpu_bo_destroy(&bo);
	return works;
}

/* Takes the BDFs from the command line, or exits. */
static inline void vram_test_devices(int *argc, char *argv[], int want)
{
	int nr;
	char **bdfs = vfio_selftests_get_bdfs(argc, argv, &nr);

	if (nr != want) {
		fprintf(stderr, "usage: %s [options] NVME_BDF GPU_BDF%s\n", argv[0],
			want > 2 ? " GPU2_BDF" : "");
		exit(2);
	}
	nvme_bdf = bdfs[0];
	gpu_bdf = bdfs[1];
	gpu2_bdf = want > 2 ? bdfs[2] : NULL;
	if (__gpu_open(&card, gpu_bdf)) {
		fprintf(stderr, "%s: %s has no render node of a driver that is known here\n",
			argv[0], gpu_bdf);
		exit(2);
	}
	gpu_close(&card);
}

#endif
