// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_move_test [-m mmap|fd] [-r] [-c CPUS] [-n MOVES] NVME_BDF GPU_BDF
 *
 * VRAM moves while vCPUs of a guest write and verify it without a pause, one thread
 * each: buffer objects that need all of VRAM evict it, the GPU's engine or the guest's
 * next access brings it back. No word may be lost, stale or somebody else's. What an
 * NVMe controller has mapped stays where it is meanwhile.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use.
 */
#include "kvm_test.h"

#define BO_SIZE		SZ_2M
#define NR_ROWS		8
#define MAX_TRIES	20

static uint64_t total;

/* Waits until each thread of the guest's loop has been once through its part. */
static bool guest_goes_on(struct inner *guest)
{
	uint64_t start;

	if (inner_ask(guest, "state"))
		return false;
	start = guest->value[0];
	do {
		if (inner_ask(guest, "state"))
			return false;
	} while (guest->value[0] < start + 2 * guest_cpus);
	return true;
}

/*
 * TTM evicts others if a fault of the guest has the BO's lock when its turn comes. A
 * mapping follows the BO; the slot pulls it into VRAM, at times before we look.
 */
static bool evict(struct env *env, struct buffer *buf, struct pressure *pressure,
		  unsigned int *out)
{
	unsigned int nr, tries = 0;
	bool gone;

	do {
		if (tries)
			pressure_end(pressure);
		nr = pressure_make(&env->gpu, pressure, total + PRESSURE_SIZE);
		gone = gpu_place(&env->gpu, buf->fd).system == BO_SIZE;
	} while (!gone && strcmp(mode, "fd") && ++tries < MAX_TRIES);
	*out += gone;
	return nr * (uint64_t)PRESSURE_SIZE >= total + PRESSURE_SIZE;
}

/* Out of VRAM, and in again; the guest accesses it all the while. */
static bool move(struct env *env, struct buffer *buf, struct inner *guest,
		 unsigned int *out)
{
	struct pressure pressure;
	bool good;

	good = evict(env, buf, &pressure, out) && guest_goes_on(guest);
	pressure_end(&pressure);
	/* A batch wants its buffers where they belong. */
	gpu_view(&env->view, buf->va, SZ_4K);
	return good && gpu_in_vram(&env->gpu, buf->fd, BO_SIZE);
}

static void check_moves(struct env *env, struct buffer *buf, struct inner *guest,
			unsigned int moves)
{
	unsigned int i, good = 0, out = 0;
	uint64_t faults, after;

	faults = inner_stat(guest, "pf_taken");
	for (i = 0; i < moves && good == i; i++)
		good += move(env, buf, guest, &out);
	after = inner_stat(guest, "pf_taken");
	printf("# %u moves, found in system memory after %u of them, %" PRIu64 " page faults\n",
	       i, out, after - faults);
	result(good == moves, "%u times evicted and brought back, the guest goes on each time",
	       moves);
	result(out >= (strcmp(mode, "fd") ? moves : 0) && faults != ~0ull &&
	       after != ~0ull && after - faults >= moves,
	       "each time it had moved, and the guest's page tables with it");
}

static void check_end(struct env *env, struct buffer *buf, struct inner *guest)
{
	bool ended = !inner_ask(guest, "stop");

	printf("# %" PRIu64 " generations\n", guest->value[0]);
	result(ended && guest->value[0] && !guest->value[1],
	       "no word of any generation was lost or stale");
	result(!guest_fill(guest, BO_SIZE, LATE) && !cpu_differs(&buf->bo, LATE) &&
	       !gpu_view_differs(&env->view, buf->va, BO_SIZE, LATE) &&
	       gpu_in_vram(&env->gpu, buf->fd, BO_SIZE),
	       "what it writes then is in VRAM, for the CPU and the GPU");
}

/* An IOMMU's mapping pins it, for guests as well. */
static void check_pinned(struct env *env, struct buffer *buf, struct inner *guest)
{
	struct pressure pressure;
	struct dma_region map;
	bool stays;

	dma_map(&env->dma, &map, buf->fd, BO_SIZE);
	pressure_make(&env->gpu, &pressure, total + PRESSURE_SIZE);
	stays = gpu_in_vram(&env->gpu, buf->fd, BO_SIZE);
	pressure_end(&pressure);
	result(stays && !guest_fill(guest, BO_SIZE, AFTER) &&
	       !dma_differs(&env->dma, map.iova, 0, BO_SIZE, AFTER),
	       "while NVMe has it mapped it stays, and the guest writes what NVMe reads");
	dma_unmap(&env->dma, &map);
	pressure_make(&env->gpu, &pressure, total + PRESSURE_SIZE);
	stays = gpu_in_vram(&env->gpu, buf->fd, BO_SIZE);
	result(!stays && !inner_differs(guest, 0, 0, BO_SIZE, AFTER),
	       "after the unmap it moves again, and the guest finds the same");
	pressure_end(&pressure);
}

int main(int argc, char *argv[])
{
	struct inner guest;
	struct buffer buf;
	struct env env;

	kvm_test_open(&argc, &argv, NR_ROWS, &env, &buf, BO_SIZE);
	total = gpu_vram(&env.gpu).total;
	printf("# %u vCPUs\n", guest_cpus);
	guest_must_start(&guest, "mover", buf.fd, 0, BO_SIZE, "VRAM");
	if (inner_ask(&guest, "loop 0 0 0x%x %u", (unsigned int)BO_SIZE, guest_cpus)) {
		inner_kill(&guest);
		return 1;
	}
	check_moves(&env, &buf, &guest, test_moves);
	check_end(&env, &buf, &guest);
	check_pinned(&env, &buf, &guest);
	guest_report(&guest);
	result(!inner_off(&guest), "the guest resets itself, the VMM ends");
	return kvm_test_close(&env, &buf);
}
