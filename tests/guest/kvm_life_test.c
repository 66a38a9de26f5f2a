// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_life_test [-m mmap|fd] [-r] NVME_BDF GPU_BDF
 *
 * VRAM in a guest, whose parts end in every order: the VMM by SIGKILL while its guest
 * writes, the buffer object, the last file of the dma-buf, and at last the driver.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use.
 */
#include "kvm_test.h"

#define BO_SIZE		SZ_256K
#define NR_ROWS		15

/* What ends, in each order */
enum part { GUEST, BO, FILE_, NR_PARTS };

static const char *const part_name[] = { "the VMM", "the BO", "the file" };
static const enum part orders[][NR_PARTS] = {
	{ GUEST, BO, FILE_ }, { GUEST, FILE_, BO }, { BO, GUEST, FILE_ },
	{ BO, FILE_, GUEST }, { FILE_, GUEST, BO }, { FILE_, BO, GUEST },
};

/* What a VMM has is free when the process has ended; its last page tables, too. */
static bool vram_is_free(struct gpu *gpu, uint64_t before)
{
	return gpu_vram(gpu).used <= before + gpu_vram_reserve(gpu);
}

static void check_killed(struct env *env, struct buffer *buf)
{
	uint64_t gens[2] = {};
	struct inner guest;
	bool ok;

	ok = !guest_start(&guest, "killed", buf->fd, 0, BO_SIZE, "");
	result(ok, "Linux boots with VRAM, %s", mode_name);
	ok = ok && !inner_ask(&guest, "loop 0 0 0x%x 1", BO_SIZE);
	while (ok && gens[0] < 2) {
		ok = !inner_ask(&guest, "state");
		gens[0] = guest.value[0];
	}
	inner_kill(&guest);
	cpu_fill(&buf->bo, AFTER);
	result(ok && !gpu_view_differs(&env->view, buf->va, BO_SIZE, AFTER),
	       "its VMM is killed while it writes: nobody writes any more");
	ok = !guest_start(&guest, "next", buf->fd, 0, BO_SIZE, "") &&
	     !inner_differs(&guest, 0, 0, BO_SIZE, AFTER);
	result(ok, "the next guest finds the memory as it was left");
	if (!ok)
		inner_complain(&guest);
	inner_kill(&guest);
}

/* As long as there is a guest, it has its memory, and it alone. */
static bool end_in_order(struct gpu *gpu, const enum part *order)
{
	bool running = true, ok;
	struct gpu_bo bo, other;
	struct inner guest;
	int fd, i;

	gpu_bo_create_vram(gpu, &bo, BO_SIZE);
	fd = gpu_bo_export(&bo);
	ok = !guest_start(&guest, "order", fd, 0, BO_SIZE, "") &&
	     !guest_fill(&guest, BO_SIZE, DATA);
	for (i = 0; i < NR_PARTS; i++) {
		if (order[i] == GUEST) {
			inner_kill(&guest);
			running = false;
		} else if (order[i] == BO) {
			gpu_bo_destroy(&bo);
		} else {
			close(fd);
		}
		if (!running)
			continue;
		gpu_bo_create_vram(gpu, &other, BO_SIZE);
		cpu_fill(&other, CANARY);
		ok &= !inner_differs(&guest, 0, 0, BO_SIZE, DATA) &&
		      !guest_fill(&guest, BO_SIZE, DATA) && !cpu_differs(&other, CANARY);
		gpu_bo_destroy(&other);
	}
	return ok;
}

static void check_orders(struct env *env)
{
	uint64_t before = gpu_vram(&env->gpu).used;
	const enum part *order;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		order = orders[i];
		result(end_in_order(&env->gpu, order) && vram_is_free(&env->gpu, before),
		       "%s, %s, %s end: the guest keeps its memory as long as it runs, then it is free",
		       part_name[order[0]], part_name[order[1]], part_name[order[2]]);
	}
}

/*
 * The driver goes while the guest has the memory. With a slot of the dma-buf it is gone
 * for the guest as well: the access is an exit, and the VMM takes the slot away. A
 * mapping has pages of nobody then. Nothing that the guest does arrives in VRAM.
 */
static void check_unbind(struct env *env, struct buffer *buf)
{
	uint64_t where[BO_SIZE / SZ_4K], bar_size, page, lost, wrong = 0;
	struct inner guest;
	bool ok, gone;
	void *bar;

	ok = !guest_start(&guest, "unbound", buf->fd, 0, BO_SIZE, "");
	bar_size = bar_map(gpu_bdf, gpu_vram_bar(&card), &bar);
	ok = ok && bar_find(&buf->bo, bar, bar_size, where) &&
	     !guest_fill(&guest, BO_SIZE, DATA);
	for (page = 0; ok && page < BO_SIZE / SZ_4K; page++)
		wrong += outside_differs(bar + where[page], page * SZ_4K, SZ_4K, DATA);
	result(ok && !wrong, "what the guest writes is in the BAR, before");
	if (!ok) {
		munmap(bar, bar_size);
		inner_kill(&guest);
		return;
	}

	dma_close(&env->dma);
	ok = !pci_driver(gpu_driver_name(&card), "unbind", gpu_bdf);
	result(ok, "the driver is unbound while the guest runs");
	for (page = 0; page < BO_SIZE / SZ_4K; page++)
		outside_pattern(bar + where[page], page * SZ_4K, SZ_4K, CANARY);
	gone = inner_differs(&guest, 0, 0, BO_SIZE, CANARY) == BO_SIZE / 8;
	lost = inner_stat(&guest, "lost");
	if (!strcmp(mode, "fd"))
		gone &= lost >= 1 && lost != ~0ull &&
			inner_said(&guest, "is gone (No such device)");
	result(gone, "the guest finds nothing of what is in VRAM now%s",
	       strcmp(mode, "fd") ? "" : ", its access was an exit with ENODEV");
	for (page = 0, wrong = 0; page < BO_SIZE / SZ_4K; page++)
		wrong += outside_differs(bar + where[page], page * SZ_4K, SZ_4K, CANARY);
	ok = !guest_fill(&guest, BO_SIZE, LATE);
	for (page = 0; page < BO_SIZE / SZ_4K; page++)
		wrong += outside_differs(bar + where[page], page * SZ_4K, SZ_4K, CANARY);
	result(ok && !wrong, "what it writes does not arrive there");
	munmap(bar, bar_size);
	result(!inner_off(&guest), "the guest goes on in its own memory, and ends");
}

int main(int argc, char *argv[])
{
	struct buffer buf;
	struct env env;

	kvm_test_open(&argc, &argv, NR_ROWS, &env, &buf, BO_SIZE);
	check_killed(&env, &buf);
	check_orders(&env);
	check_unbind(&env, &buf);
	result(!pci_driver(gpu_driver_name(&card), "bind", gpu_bdf),
	       "the driver is bound again");
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}
