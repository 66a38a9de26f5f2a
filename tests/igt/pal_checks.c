// SPDX-License-Identifier: MIT
/*
 * Copyright © 2026 dmabuf-pal developers
 *
 * Subtests that xe_dmabuf_pal and amd_dmabuf_pal have in common. Each opens an IOAS of
 * its own; an NVMe controller of vfio-pci, if there is one, does DMA through it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/udmabuf.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "igt.h"
#include "pal.h"

/* Not a power of two, so that a page table needs more than one size of entries */
#define SIZE		(PAL_MIB + PAL_PAGE)
#define SEED		0x7a11
#define GPU_WORD	0x600dda7a

/* Mapped, with @bytes of it in the IOAS */
static void assert_mapped(int dma_buf, unsigned int importers, uint64_t bytes)
{
	struct pal_bufinfo info = pal_bufinfo(dma_buf);

	igt_assert_eq(info.pal, importers);
	igt_assert_eq_u64(info.bytes, bytes);
	if (bytes)
		igt_assert_lt_u64(0, info.ranges);
}

static void map_whole(struct pal_dma *dma, struct pal_bo *bo, uint64_t *iova)
{
	igt_assert_eq(pal_map(&dma->ioas, bo->fd, 0, bo->size, PAL_MAP_RW, iova), 0);
	assert_mapped(bo->fd, 1, bo->size);
}

static void unmap_whole(struct pal_dma *dma, struct pal_bo *bo, uint64_t iova)
{
	igt_assert_eq(pal_unmap(&dma->ioas, iova, bo->size), 0);
	igt_assert_eq(pal_bufinfo(bo->fd).attachments, 0);
}

/* VRAM alone of the same size is mapped: what was refused was so for what it is. */
static void positive_control(struct pal *pal, struct pal_dma *dma, uint64_t size)
{
	struct pal_bo bo;
	uint64_t iova;

	pal_bo_vram(pal, &bo, size);
	map_whole(dma, &bo, &iova);
	pal_dma_works(dma, &bo, iova, 0, size);
	unmap_whole(dma, &bo, iova);
	pal_bo_destroy(&bo);
}

static void assert_refused(struct pal_dma *dma, int dma_buf, uint64_t size, int error)
{
	uint64_t iova;

	igt_assert_eq(pal_map(&dma->ioas, dma_buf, 0, size, PAL_MAP_RW, &iova), error);
	igt_assert_eq(pal_bufinfo(dma_buf).attachments, 0);
}

static void check_basic_export(struct pal *pal)
{
	volatile uint32_t *word;
	struct pal_dma dma;
	struct pal_bo bo;
	uint64_t iova;

	pal_bo_vram(pal, &bo, SIZE);
	igt_assert_eq_u64(lseek(bo.fd, 0, SEEK_END), SIZE);
	igt_assert_eq(pal_bufinfo(bo.fd).attachments, 0);
	pal_dma_open(&dma);
	map_whole(&dma, &bo, &iova);
	igt_assert(pal_in_vram(pal, &bo));
	pal_dma_works(&dma, &bo, iova, 0, SIZE);

	/* The GPU has the same memory as those who map it. */
	word = (void *)((char *)bo.vaddr + SIZE - PAL_PAGE);
	*word = 0;
	pal->driver->store(pal->fd, bo.handle, SIZE, SIZE - PAL_PAGE, GPU_WORD);
	igt_assert_eq_u32(*word, GPU_WORD);
	assert_mapped(bo.fd, 1, SIZE);

	unmap_whole(&dma, &bo, iova);
	pal_dma_blocked(&dma, &bo, iova);
	pal_dma_close(&dma);
	pal_bo_destroy(&bo);
}

#define ROUNDS	64

static void check_map_unmap(struct pal *pal)
{
	struct pal_ioas other;
	uint64_t iova, also, pinned;
	struct pal_dma dma;
	struct pal_bo bo;
	int i;

	pal_dma_open(&dma);
	pal_ioas_open(&other);
	pal_bo_vram(pal, &bo, SIZE);
	pinned = pal_pinned(pal);
	for (i = 0; i < ROUNDS; i++) {
		map_whole(&dma, &bo, &iova);
		if (i % 2) {
			igt_assert_eq(pal_map(&other, bo.fd, 0, SIZE, PAL_MAP_RW, &also), 0);
			assert_mapped(bo.fd, 2, SIZE);
			igt_assert_eq(pal_unmap(&other, also, SIZE), 0);
		}
		/* One BO is pinned once, however often it is mapped. */
		igt_assert_eq_u64(pal_pinned(pal), pinned + SIZE);
		if (i % 16 == 0)
			pal_dma_works(&dma, &bo, iova, 0, SIZE);
		unmap_whole(&dma, &bo, iova);
		igt_assert_eq_u64(pal_pinned(pal), pinned);
	}
	pal_dma_blocked(&dma, &bo, iova);
	igt_assert_eq(pal_unmap(&dma.ioas, iova, SIZE), -ENOENT);
	pal_bo_destroy(&bo);
	pal_ioas_close(&other);
	pal_dma_close(&dma);
}

static void check_offset(struct pal *pal)
{
	static const struct {
		uint64_t start, size;
	} slices[] = {
		{ 0, PAL_PAGE }, { PAL_PAGE, 2 * PAL_PAGE }, { 3 * PAL_PAGE, 64 * PAL_PAGE },
		{ 17 * PAL_PAGE, SIZE - 17 * PAL_PAGE }, { SIZE - PAL_PAGE, PAL_PAGE },
	}, wrong[] = {
		{ 0, SIZE + PAL_PAGE }, { SIZE, PAL_PAGE }, { PAL_PAGE, SIZE },
		{ UINT64_MAX - PAL_PAGE + 1, PAL_PAGE },
	};
	struct pal_dma dma;
	struct pal_bo bo;
	unsigned int i;
	uint64_t iova;

	pal_dma_open(&dma);
	pal_bo_vram(pal, &bo, SIZE);
	for (i = 0; i < ARRAY_SIZE(slices); i++) {
		igt_assert_eq(pal_map(&dma.ioas, bo.fd, slices[i].start, slices[i].size,
				      PAL_MAP_RW, &iova), 0);
		pal_dma_works(&dma, &bo, iova, slices[i].start, slices[i].size);
		igt_assert_eq(pal_unmap(&dma.ioas, iova, slices[i].size), 0);
	}
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		int ret = pal_map(&dma.ioas, bo.fd, wrong[i].start, wrong[i].size,
				  PAL_MAP_RW, &iova);

		igt_assert_f(ret == -EINVAL || ret == -EOVERFLOW,
			     "0x%" PRIx64 " bytes at 0x%" PRIx64 ": %d\n", wrong[i].size,
			     wrong[i].start, ret);
		igt_assert_eq(pal_bufinfo(bo.fd).attachments, 0);
	}
	pal_bo_destroy(&bo);
	pal_dma_close(&dma);
}

#define PIECE		(16 * PAL_PAGE)
#define NR_PIECES	33

static void check_multi_range(struct pal *pal)
{
	struct pal_dma dma;
	struct pal_bo bo;
	uint64_t iova, ranges;

	pal_dma_open(&dma);
	pal_bo_fragmented(pal, &bo, NR_PIECES * PIECE, PIECE);
	map_whole(&dma, &bo, &iova);
	ranges = pal_bufinfo(bo.fd).ranges;
	igt_info("%" PRIu64 " KiB of VRAM in %" PRIu64 " ranges\n", bo.size >> 10, ranges);
	igt_require_f(ranges > 1, "VRAM did not become fragmented\n");
	pal_dma_works(&dma, &bo, iova, 0, bo.size);
	unmap_whole(&dma, &bo, iova);

	/* From within one range to within another */
	igt_assert_eq(pal_map(&dma.ioas, bo.fd, PIECE / 2, bo.size - PIECE, PAL_MAP_RW,
			      &iova), 0);
	pal_dma_works(&dma, &bo, iova, PIECE / 2, bo.size - PIECE);
	igt_assert_eq(pal_unmap(&dma.ioas, iova, bo.size - PIECE), 0);
	pal_dma_blocked(&dma, &bo, iova);
	pal_bo_destroy(&bo);
	pal_dma_close(&dma);
}

/* From where the BAR does not show it VRAM moves to where it does, with its data. */
static void check_small_bar(struct pal *pal)
{
	struct pal_vram vram = pal_vram(pal), after;
	struct pal_bo bo, large;
	struct pal_dma dma;
	uint64_t iova;

	igt_require_f(vram.visible < vram.total, "the BAR shows all of VRAM\n");
	pal_dma_open(&dma);
	igt_assert_eq(pal_bo_create(pal, &bo, SIZE, PAL_VRAM), 0);
	bo.fd = pal_export(pal, bo.handle, DRM_CLOEXEC | DRM_RDWR);
	igt_assert_lte(0, bo.fd);
	pal->driver->store(pal->fd, bo.handle, SIZE, SIZE - PAL_PAGE, GPU_WORD);
	after = pal_vram(pal);
	igt_require_f(after.visible_used < vram.visible_used + SIZE,
		      "the driver has put it where the BAR shows it\n");

	map_whole(&dma, &bo, &iova);
	igt_assert_lte_u64(vram.visible_used + SIZE, pal_vram(pal).visible_used);
	igt_assert(pal_in_vram(pal, &bo));
	pal_bo_mmap(&bo);
	igt_assert_eq_u32(*(volatile uint32_t *)((char *)bo.vaddr + SIZE - PAL_PAGE),
			  GPU_WORD);
	pal_dma_works(&dma, &bo, iova, 0, SIZE);
	unmap_whole(&dma, &bo, iova);
	pal_bo_destroy(&bo);

	/* One that never fits there is refused. */
	igt_assert_eq(pal_bo_create(pal, &large, ALIGN(vram.visible + PAL_PAGE, 2 * PAL_MIB),
				    PAL_VRAM), 0);
	large.fd = pal_export(pal, large.handle, DRM_CLOEXEC | DRM_RDWR);
	igt_assert_lte(0, large.fd);
	assert_refused(&dma, large.fd, PAL_MIB, -EOPNOTSUPP);
	pal_bo_destroy(&large);
	pal_dma_close(&dma);
}

void pal_check_readonly_fd(struct pal *pal)
{
	struct pal_dma dma;
	struct pal_bo bo;
	uint64_t iova;

	pal_dma_open(&dma);
	igt_assert_eq(pal_bo_create(pal, &bo, SIZE, PAL_VRAM | PAL_VISIBLE), 0);
	bo.fd = pal_export(pal, bo.handle, DRM_CLOEXEC);
	igt_assert_lte(0, bo.fd);
	pal_bo_mmap(&bo);
	assert_refused(&dma, bo.fd, SIZE, -EPERM);

	/* For reading it is good, and for that alone. */
	igt_assert_eq(pal_map(&dma.ioas, bo.fd, 0, SIZE, IOMMU_IOAS_MAP_READABLE, &iova), 0);
	assert_mapped(bo.fd, 1, SIZE);
	pal_dma_blocked(&dma, &bo, iova);
	unmap_whole(&dma, &bo, iova);
	positive_control(pal, &dma, SIZE);
	pal_bo_destroy(&bo);
	pal_dma_close(&dma);
}

/* A BO that is not in VRAM alone, and which stays as it is */
static void rejected(struct pal *pal, unsigned int where)
{
	struct pal_place before, after;
	struct pal_dma dma;
	struct pal_bo bo;

	pal_dma_open(&dma);
	igt_assert_eq(pal_bo_create(pal, &bo, SIZE, where), 0);
	bo.fd = pal_export(pal, bo.handle, DRM_CLOEXEC | DRM_RDWR);
	igt_assert_lte(0, bo.fd);
	pal_bo_mmap(&bo);
	pal_fill(bo.vaddr, 0, SIZE, SEED);
	before = pal_place(pal, bo.fd);
	assert_refused(&dma, bo.fd, SIZE, -EOPNOTSUPP);
	after = pal_place(pal, bo.fd);
	igt_assert_eq_u64(before.vram, after.vram);
	igt_assert_eq_u64(before.system, after.system);
	igt_assert_eq_u64(pal_differs(bo.vaddr, 0, SIZE, SEED), SIZE);
	positive_control(pal, &dma, SIZE);
	pal_bo_destroy(&bo);
	pal_dma_close(&dma);
}

static void check_sysmem_rejected(struct pal *pal)
{
	rejected(pal, PAL_SYSTEM);
}

static void check_movable_rejected(struct pal *pal)
{
	rejected(pal, PAL_VRAM | PAL_SYSTEM | PAL_VISIBLE);
}

/* Memory of another exporter is no VRAM, whoever exports it once more. */
static void check_imported_rejected(struct pal *pal)
{
	struct udmabuf_create create = { .size = PAL_MIB };
	int dev, theirs, ours;
	struct pal_dma dma;
	uint32_t handle;

	dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	igt_require_f(dev >= 0, "no /dev/udmabuf: %s\n", strerror(errno));
	create.memfd = memfd_create("imported", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	igt_assert_eq(ftruncate(create.memfd, create.size), 0);
	igt_assert_eq(fcntl(create.memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	theirs = ioctl(dev, UDMABUF_CREATE, &create);
	igt_assert_lte(0, theirs);

	pal_dma_open(&dma);
	handle = prime_fd_to_handle(pal->fd, theirs);
	ours = pal_export(pal, handle, DRM_CLOEXEC | DRM_RDWR);
	igt_assert_lte(0, ours);
	igt_assert_eq(pal_map(&dma.ioas, ours, 0, create.size, PAL_MAP_RW,
			      &(uint64_t){ 0 }), -EOPNOTSUPP);
	igt_assert_eq(pal_bufinfo(ours).pal, 0);
	positive_control(pal, &dma, create.size);
	close(ours);
	gem_close(pal->fd, handle);
	close(theirs);
	close(create.memfd);
	close(dev);
	pal_dma_close(&dma);
}

static void check_evict_while_mapped(struct pal *pal)
{
	struct pal_dma dma;
	struct pal_bo bo;
	uint64_t iova;

	pal_dma_open(&dma);
	pal_bo_vram(pal, &bo, SIZE);
	map_whole(&dma, &bo, &iova);
	pal_fill(bo.vaddr, 0, SIZE, SEED);
	igt_assert_f(pal_pressure(pal), "VRAM could not be filled\n");
	igt_assert_f(pal_in_vram(pal, &bo), "it moved while it was mapped\n");
	assert_mapped(bo.fd, 1, SIZE);
	igt_assert_eq_u64(pal_differs(bo.vaddr, 0, SIZE, SEED), SIZE);
	pal_dma_works(&dma, &bo, iova, 0, SIZE);
	unmap_whole(&dma, &bo, iova);

	/* It does move when nobody has it mapped, and comes back when somebody does. */
	pal_fill(bo.vaddr, 0, SIZE, SEED);
	igt_assert_f(pal_pressure(pal), "VRAM could not be filled\n");
	igt_assert_f(pal_place(pal, bo.fd).system, "this is no pressure: it did not move\n");
	map_whole(&dma, &bo, &iova);
	igt_assert(pal_in_vram(pal, &bo));
	igt_assert_eq_u64(pal_differs(bo.vaddr, 0, SIZE, SEED), SIZE);
	pal_dma_works(&dma, &bo, iova, 0, SIZE);
	unmap_whole(&dma, &bo, iova);
	pal_bo_destroy(&bo);
	pal_dma_close(&dma);
}

#define REVOKE_SECONDS	3
#define RESTORE_SECONDS	30

/*
 * A job of the GPU hangs, and the driver resets what executes it. VRAM keeps what is in
 * it, and then the mapping does as well; or the driver takes it for lost, and then the
 * mapping is revoked and comes back.
 */
static void check_hang_while_mapped(struct pal *pal)
{
	time_t end;
	struct pal_dma dma;
	struct pal_bo bo;
	uint64_t iova;

	pal_dma_open(&dma);
	pal_bo_vram(pal, &bo, SIZE);
	map_whole(&dma, &bo, &iova);
	pal_fill(bo.vaddr, 0, SIZE, SEED);
	pal->driver->hang(pal->fd);

	/* A device that has lost its VRAM says so from a worker. */
	end = time(NULL) + REVOKE_SECONDS;
	while (!pal_mapping_state(&dma.ioas, iova).out_nr_revokes && time(NULL) < end)
		sched_yield();
	if (!pal_mapping_state(&dma.ioas, iova).out_nr_revokes) {
		igt_info("it was mapped all the time\n");
		igt_assert_eq_u64(pal_differs(bo.vaddr, 0, SIZE, SEED), SIZE);
	} else {
		igt_info("VRAM was lost, the mapping was revoked\n");
		end = time(NULL) + RESTORE_SECONDS;
		while (pal_mapping_state(&dma.ioas, iova).out_state !=
		       IOMMU_IOAS_MAPPING_MAPPED) {
			igt_assert_f(time(NULL) < end, "it does not come back\n");
			sched_yield();
		}
	}
	assert_mapped(bo.fd, 1, SIZE);
	pal_dma_works(&dma, &bo, iova, 0, SIZE);
	unmap_whole(&dma, &bo, iova);
	/* The device goes on in both cases. */
	positive_control(pal, &dma, SIZE);
	pal->driver->store(pal->fd, bo.handle, SIZE, 0, GPU_WORD);
	igt_assert_eq_u32(*(volatile uint32_t *)bo.vaddr, GPU_WORD);
	pal_bo_destroy(&bo);
	pal_dma_close(&dma);
}

/* One thread maps, the other one closes the handle and the file at the same time. */
struct race {
	pthread_barrier_t go, done;
	struct pal_ioas *ioas;
	int dma_buf;
	bool stop;
	int ret, mapped, refused, other;
};

static void *race_mapper(void *arg)
{
	struct race *race = arg;
	uint64_t iova;
	int ret;

	for (;;) {
		pthread_barrier_wait(&race->go);
		if (race->stop)
			return NULL;
		ret = pal_map(race->ioas, race->dma_buf, 0, PAL_MIB, PAL_MAP_RW, &iova);
		if (!ret && pal_unmap(race->ioas, iova, PAL_MIB))
			race->other++;
		race->mapped += !ret;
		race->refused += ret == -EBADF;
		race->other += ret && ret != -EBADF;
		pthread_barrier_wait(&race->done);
	}
}

#define RACE_ROUNDS	200

static void check_close_race(struct pal *pal)
{
	struct race race = {};
	struct pal_dma dma;
	pthread_t thread;
	struct pal_bo bo;
	uint64_t used, pinned;
	int i;

	pal_dma_open(&dma);
	race.ioas = &dma.ioas;
	pinned = pal_pinned(pal);
	used = pal_vram(pal).used;
	igt_assert_eq(pthread_barrier_init(&race.go, NULL, 2), 0);
	igt_assert_eq(pthread_barrier_init(&race.done, NULL, 2), 0);
	igt_assert_eq(pthread_create(&thread, NULL, race_mapper, &race), 0);
	for (i = 0; i < RACE_ROUNDS; i++) {
		if (pal_bo_create(pal, &bo, PAL_MIB, PAL_VRAM | PAL_VISIBLE))
			break;
		bo.fd = pal_export(pal, bo.handle, DRM_CLOEXEC | DRM_RDWR);
		race.dma_buf = bo.fd;
		pthread_barrier_wait(&race.go);
		/* The first rounds are without a race, as each has to be possible. */
		if (i < RACE_ROUNDS / 10)
			pthread_barrier_wait(&race.done);
		if (i % 2)
			gem_close(pal->fd, bo.handle);
		close(bo.fd);
		if (i % 2 == 0)
			gem_close(pal->fd, bo.handle);
		if (i >= RACE_ROUNDS / 10)
			pthread_barrier_wait(&race.done);
	}
	race.stop = true;
	pthread_barrier_wait(&race.go);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&race.go);
	pthread_barrier_destroy(&race.done);

	igt_info("%d rounds: mapped %d times, too late %d times\n", i, race.mapped,
		 race.refused);
	igt_assert_eq(i, RACE_ROUNDS);
	igt_assert_eq(race.other, 0);
	igt_assert_lte(RACE_ROUNDS / 10, race.mapped);
	/* Nothing of it is left. */
	igt_assert_eq_u64(pal_pinned(pal), pinned);
	igt_assert_f(pal_vram_returns(pal, used + PAL_MIB / 2), "VRAM did not come back\n");
	positive_control(pal, &dma, SIZE);
	pal_dma_close(&dma);
}

#define PIN_LIMIT	10	/* % of VRAM */

static void check_pin_limit(struct pal *pal)
{
	uint64_t size = ALIGN_DOWN(pal_vram(pal).total / 16, 2 * PAL_MIB), iova[2];
	struct pal_dma dma;
	struct pal_bo bo[2];

	igt_require_f(!pal_pinned(pal), "somebody else has VRAM mapped\n");
	pal_dma_open(&dma);
	pal_bo_vram(pal, &bo[0], size);
	pal_bo_vram(pal, &bo[1], size);
	pal_set_pin_percent(PIN_LIMIT);

	map_whole(&dma, &bo[0], &iova[0]);
	igt_assert_eq_u64(pal_pinned(pal), size);
	pal_fill(bo[1].vaddr, 0, size, SEED);
	assert_refused(&dma, bo[1].fd, size, -ENOSPC);
	igt_assert_eq_u64(pal_pinned(pal), size);
	igt_assert(pal_in_vram(pal, &bo[1]));
	igt_assert_eq_u64(pal_differs(bo[1].vaddr, 0, size, SEED), size);

	/* There is room when the first one is unmapped. */
	unmap_whole(&dma, &bo[0], iova[0]);
	map_whole(&dma, &bo[1], &iova[1]);
	igt_assert_eq_u64(pal_pinned(pal), size);
	unmap_whole(&dma, &bo[1], iova[1]);
	igt_assert_eq_u64(pal_pinned(pal), 0);
	pal_set_pin_percent(0);
	pal_bo_destroy(&bo[0]);
	pal_bo_destroy(&bo[1]);
	pal_dma_close(&dma);
}

static void check_revoke_on_unbind(struct pal *pal)
{
	struct pal_dma dma;
	struct pal_bo bo, next;
	uint64_t iova, again;

	pal_dma_open(&dma);
	pal_bo_vram(pal, &bo, SIZE);
	map_whole(&dma, &bo, &iova);
	pal_dma_works(&dma, &bo, iova, 0, SIZE);
	/* The CPU has nothing to look at afterwards. */
	munmap(bo.vaddr, SIZE);
	pal_unbind(pal);
	assert_mapped(bo.fd, 1, 0);
	igt_assert_eq(pal_map(&dma.ioas, bo.fd, 0, SIZE, PAL_MAP_RW, &again), -ENODEV);

	/* Who comes next has VRAM that no old mapping reaches. */
	pal_bind(pal);
	positive_control(pal, &dma, SIZE);
	pal_bo_vram(pal, &next, 4 * PAL_MIB);
	pal_dma_blocked(&dma, &next, iova);
	igt_assert_eq(pal_unmap(&dma.ioas, iova, SIZE), 0);
	igt_assert_eq(pal_bufinfo(bo.fd).attachments, 0);
	close(bo.fd);
	pal_bo_destroy(&next);
	pal_dma_close(&dma);
}

const struct pal_check pal_checks[] = {
	{ "basic-export", check_basic_export,
	  "VRAM is exported and mapped for DMA, which reaches what CPU and GPU have" },
	{ "map-unmap", check_map_unmap,
	  "Mapping and unmapping leave nothing behind, in one IOAS and in two" },
	{ "offset", check_offset,
	  "Parts of a dma-buf are mapped, and what is outside of it is refused" },
	{ "multi-range", check_multi_range,
	  "VRAM in many physical ranges is mapped as one" },
	{ "small-bar", check_small_bar,
	  "VRAM that the BAR does not show is moved to where it does" },
	{ "readonly-fd", pal_check_readonly_fd,
	  "A dma-buf that was exported for reading is not mapped for writing" },
	{ "sysmem-rejected", check_sysmem_rejected,
	  "A buffer object in system memory is refused" },
	{ "movable-rejected", check_movable_rejected,
	  "A buffer object that may be in VRAM or in system memory is refused" },
	{ "imported-rejected", check_imported_rejected,
	  "Memory of another exporter is refused" },
	{ "evict-while-mapped", check_evict_while_mapped,
	  "VRAM that is mapped stays where it is when VRAM is full" },
	{ "pin-limit", check_pin_limit,
	  "No more than the allowed part of VRAM can be pinned" },
	{ "close-race", check_close_race,
	  "A dma-buf is mapped while its file and its handle are closed" },
	{ "hang-while-mapped", check_hang_while_mapped,
	  "The GPU hangs while its VRAM is mapped, and recovers" },
	{ "revoke-on-unbind", check_revoke_on_unbind,
	  "When the driver leaves the device nobody can reach its VRAM" },
	{ }
};
