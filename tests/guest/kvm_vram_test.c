// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_vram_test [-m mmap|fd] [-r] NVME_BDF GPU_BDF
 *
 * VRAM in the address space of a guest, by the VMM of samples/kvm-dmabuf-vmm: what the
 * guest writes is seen by the CPU's mapping of the BO, by the GPU's engine and by an NVMe
 * controller, and back; two guests share one BO. -m says which way KVM takes the
 * memory; -r that a kernel without KVM_CAP_DMABUF_MEM is a failure.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use.
 */
#include "kvm_test.h"

/* Of the BO the guest has the part in the middle. */
#define BO_SIZE		(6ull << 20)
#define SLOT_OFFSET	SZ_1M
#define SLOT_SIZE	(4ull << 20)
#define NR_ROWS		16

static void check_written(struct env *env, struct buffer *buf, struct inner *guest)
{
	struct dma_region map;

	cpu_fill(&buf->bo, CANARY);
	result(!guest_fill(guest, SLOT_SIZE, DATA) &&
	       !outside_differs(buf->bo.vaddr + SLOT_OFFSET, 0, SLOT_SIZE, DATA),
	       "what the guest writes is in the CPU's mapping of the BO");
	result(!outside_differs(buf->bo.vaddr, 0, SLOT_OFFSET, CANARY) &&
	       !outside_differs(buf->bo.vaddr + SLOT_OFFSET + SLOT_SIZE,
				SLOT_OFFSET + SLOT_SIZE,
				BO_SIZE - SLOT_OFFSET - SLOT_SIZE, CANARY),
	       "the rest of the BO is as it was");
	result(!gpu_view_differs(&env->view, buf->va + SLOT_OFFSET, SLOT_SIZE, DATA),
	       "the GPU's engine reads it from VRAM");

	VFIO_ASSERT_EQ(__dma_map(&env->dma, &map, buf->fd, SLOT_OFFSET, SLOT_SIZE,
				 IOMMU_FILE_RW), 0);
	result(!dma_differs(&env->dma, map.iova, 0, SLOT_SIZE, DATA),
	       "NVMe reads it by peer DMA");
	dma_fill(&env->dma, map.iova, 0, SLOT_SIZE, AFTER);
	result(!inner_differs(guest, 0, 0, SLOT_SIZE, AFTER),
	       "the guest reads what NVMe wrote to VRAM");
	dma_unmap(&env->dma, &map);
}

static void check_read(struct env *env, struct buffer *buf, struct inner *guest)
{
	result(inner_differs(guest, 0, 0, SLOT_SIZE, BEFORE) == SLOT_SIZE / 8,
	       "the guest finds no word of data that is not there yet");
	outside_pattern(buf->bo.vaddr + SLOT_OFFSET, 0, SLOT_SIZE, BEFORE);
	result(!inner_differs(guest, 0, 0, SLOT_SIZE, BEFORE),
	       "the guest reads what the CPU wrote to the BO");
	gpu_view_fill(&env->view, buf->va + SLOT_OFFSET, SLOT_SIZE, LATE);
	result(!inner_differs(guest, 0, 0, SLOT_SIZE, LATE),
	       "the guest reads what the GPU's engine wrote");
}

/* The first guest has all of the slot, the second one half of it. */
static void check_two(struct buffer *buf, struct inner *first)
{
	uint64_t half = SLOT_SIZE / 2;
	struct inner second;
	int ret;

	ret = guest_start(&second, "second", buf->fd, SLOT_OFFSET + half, half, "");
	result(!ret, "a second guest has a slice of the same BO");
	result(!guest_fill(first, half, DATA) && !guest_fill(&second, half, AFTER) &&
	       !outside_differs(buf->bo.vaddr + SLOT_OFFSET, 0, half, DATA) &&
	       !outside_differs(buf->bo.vaddr + SLOT_OFFSET + half, 0, half, AFTER),
	       "both write to disjoint slices, each finds its own");
	result(!guest_fill(&second, half, LATE) &&
	       /* Its offset 0 is at half of the first one's area. */
	       !inner_differs(first, 0, half, half, LATE - half / 8) &&
	       !inner_differs(first, 0, 0, half, DATA),
	       "on the same slice one guest reads what the other has written");
	result(!inner_off(&second), "the second guest ends");
}

/* A slot that can only be read; the first guest is the positive control. */
static void check_read_only(struct buffer *buf, struct inner *first)
{
	uint64_t before, after;
	struct inner reader;
	bool ok;

	outside_pattern(buf->bo.vaddr + SLOT_OFFSET, 0, SLOT_SIZE, BEFORE);
	ok = !guest_start(&reader, "reader", buf->fd, SLOT_OFFSET, SLOT_SIZE, ",ro") &&
	     !inner_differs(&reader, 0, 0, SLOT_SIZE, BEFORE);
	before = inner_stat(&reader, "mmio");
	ok = ok && !guest_fill(&reader, SZ_4K, AFTER);
	after = inner_stat(&reader, "mmio");
	result(ok && before != ~0ull && after != ~0ull && after >= before + SZ_4K / 8 &&
	       !outside_differs(buf->bo.vaddr + SLOT_OFFSET, 0, SLOT_SIZE, BEFORE),
	       "a read-only slot is read, each write to it is an exit and changes nothing");
	inner_kill(&reader);
	result(!guest_fill(first, SZ_4K, AFTER) &&
	       !outside_differs(buf->bo.vaddr + SLOT_OFFSET, 0, SZ_4K, AFTER),
	       "the writable slot of the same memory is written");
}

int main(int argc, char *argv[])
{
	struct inner guest;
	struct buffer buf;
	struct env env;

	kvm_test_open(&argc, &argv, NR_ROWS, &env, &buf, BO_SIZE);
	guest_must_start(&guest, "first", buf.fd, SLOT_OFFSET, SLOT_SIZE, "a slice of VRAM");
	check_written(&env, &buf, &guest);
	check_read(&env, &buf, &guest);
	check_two(&buf, &guest);
	check_read_only(&buf, &guest);
	guest_report(&guest);
	result(!inner_off(&guest), "the guest resets itself, the VMM ends");
	return kvm_test_close(&env, &buf);
}
