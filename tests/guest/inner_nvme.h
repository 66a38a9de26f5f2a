/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An NVMe controller without a driver and without an IOMMU, as the program of the
 * inner guest uses it: polled, one command at a time, by guest physical addresses.
 * Those of our own memory come from a huge page and /proc/self/pagemap. Registers and
 * commands are those of the NVM Express Base Specification 1.4.
 */
#ifndef PAL_GUEST_INNER_NVME_H
#define PAL_GUEST_INNER_NVME_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define NVME_ENTRIES		8
#define NVME_BLOCK		512
#define NVME_PAGE		4096ull
#define NVME_AREA		(2ull << 20)
#define NVME_DATA_AT		(1ull << 20)
/* No more than a list of one page tells, and than QEMU's limit (mdts) */
#define NVME_CHUNK		(256ull << 10)
#define NVME_SECONDS		30

#define NVME_REG_CAP		0x00
#define NVME_REG_CC		0x14
#define NVME_REG_CSTS		0x1c
#define NVME_REG_AQA		0x24
#define NVME_REG_ASQ		0x28
#define NVME_REG_ACQ		0x30
#define NVME_REG_DOORBELLS	0x1000
/* Enabled, submission entries of 2^6 bytes and completion entries of 2^4 */
#define NVME_CC_START		(1u | 6u << 16 | 4u << 20)
#define NVME_CSTS_RDY		1u

enum { NVME_WRITE = 1, NVME_READ = 2 };
enum { NVME_CREATE_SQ = 1, NVME_CREATE_CQ = 5 };

struct nvme_command {
	uint32_t opcode_id;
	uint32_t nsid;
	uint64_t reserved, metadata;
	uint64_t prp1, prp2;
	uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};

struct nvme_completion {
	uint32_t result, reserved;
	uint16_t sq_head, sq_id, id, status;
};

struct nvme_ring {
	volatile struct nvme_command *sq;
	volatile struct nvme_completion *cq;
	volatile uint32_t *doorbell;
	unsigned int at, phase, stride;
};

struct nvme {
	volatile uint8_t *regs;
	/* NVME_AREA bytes of memory at guest physical address @phys */
	void *area;
	uint64_t phys;
	struct nvme_ring admin, io;
};

static inline void nvme_write32(struct nvme *nvme, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(nvme->regs + reg) = value;
}

static inline uint32_t nvme_read32(struct nvme *nvme, unsigned int reg)
{
	return *(volatile uint32_t *)(nvme->regs + reg);
}

static inline time_t nvme_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Memory that is in one piece and stays where it is: a huge page */
static inline int nvme_memory(struct nvme *nvme)
{
	uint64_t entry;
	ssize_t len;
	int fd;

	fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);
	if (fd < 0 || write(fd, "2", 1) != 1)
		return -errno;
	close(fd);
	nvme->area = mmap(NULL, NVME_AREA, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	if (nvme->area == MAP_FAILED)
		return -errno;
	memset(nvme->area, 0, NVME_AREA);
	fd = open("/proc/self/pagemap", O_RDONLY);
	if (fd < 0)
		return -errno;
	len = pread(fd, &entry, sizeof(entry), (uintptr_t)nvme->area / NVME_PAGE * 8);
	close(fd);
	/* Bit 63 says that it is there, the lower 55 where. */
	if (len != sizeof(entry) || !(entry >> 63))
		return -EFAULT;
	nvme->phys = (entry & ((1ull << 55) - 1)) * NVME_PAGE;
	return nvme->phys ? 0 : -EPERM;
}

static inline void nvme_ring_init(struct nvme *nvme, struct nvme_ring *ring,
				  unsigned int id)
{
	uint64_t cap = *(volatile uint64_t *)(nvme->regs + NVME_REG_CAP);
	unsigned int stride = 4u << (cap >> 32 & 0xf);

	*ring = (struct nvme_ring){
		.sq = nvme->area + 2 * id * NVME_PAGE,
		.cq = nvme->area + (2 * id + 1) * NVME_PAGE,
		.doorbell = (void *)(nvme->regs + NVME_REG_DOORBELLS + 2 * id * stride),
		.phase = 1,
		.stride = stride / 4,
	};
}

static inline uint64_t nvme_phys(struct nvme *nvme, const volatile void *at)
{
	return nvme->phys + ((uintptr_t)at - (uintptr_t)nvme->area);
}

/* 0, the controller's status, or -ETIMEDOUT */
static inline int nvme_run(struct nvme_ring *ring, const struct nvme_command *cmd)
{
	volatile struct nvme_completion *done = &ring->cq[ring->at];
	time_t end = nvme_now() + NVME_SECONDS;
	int status;

	*(struct nvme_command *)&ring->sq[ring->at] = *cmd;
	ring->at = (ring->at + 1) % NVME_ENTRIES;
	__sync_synchronize();
	ring->doorbell[0] = ring->at;
	while ((done->status & 1) != ring->phase)
		if (nvme_now() > end)
			return -ETIMEDOUT;
	__sync_synchronize();
	status = done->status >> 1;
	if (!ring->at)
		ring->phase ^= 1;
	ring->doorbell[ring->stride] = ring->at;
	return status;
}

static inline int nvme_ready(struct nvme *nvme, uint32_t ready)
{
	time_t end = nvme_now() + NVME_SECONDS;

	while ((nvme_read32(nvme, NVME_REG_CSTS) & NVME_CSTS_RDY) != ready)
		if (nvme_now() > end)
			return -ETIMEDOUT;
	return 0;
}

static inline int nvme_start(struct nvme *nvme, volatile void *regs)
{
	struct nvme_command cmd = {};
	int ret;

	nvme->regs = regs;
	ret = nvme_memory(nvme);
	if (ret)
		return ret;
	nvme_write32(nvme, NVME_REG_CC, 0);
	ret = nvme_ready(nvme, 0);
	if (ret)
		return ret;
	nvme_ring_init(nvme, &nvme->admin, 0);
	nvme_ring_init(nvme, &nvme->io, 1);
	nvme_write32(nvme, NVME_REG_AQA, (NVME_ENTRIES - 1) << 16 | (NVME_ENTRIES - 1));
	*(volatile uint64_t *)(nvme->regs + NVME_REG_ASQ) = nvme_phys(nvme, nvme->admin.sq);
	*(volatile uint64_t *)(nvme->regs + NVME_REG_ACQ) = nvme_phys(nvme, nvme->admin.cq);
	nvme_write32(nvme, NVME_REG_CC, NVME_CC_START);
	ret = nvme_ready(nvme, NVME_CSTS_RDY);
	if (ret)
		return ret;

	/* Queue 1, of contiguous memory, without an interrupt */
	cmd.opcode_id = NVME_CREATE_CQ;
	cmd.prp1 = nvme_phys(nvme, nvme->io.cq);
	cmd.cdw10 = (NVME_ENTRIES - 1) << 16 | 1;
	cmd.cdw11 = 1;
	ret = nvme_run(&nvme->admin, &cmd);
	if (ret)
		return ret;
	cmd.opcode_id = NVME_CREATE_SQ;
	cmd.prp1 = nvme_phys(nvme, nvme->io.sq);
	cmd.cdw11 = 1 << 16 | 1;
	return nvme_run(&nvme->admin, &cmd);
}

/* Between the start of the disk and guest physical address @addr, page aligned */
static inline int nvme_move(struct nvme *nvme, uint32_t opcode, uint64_t addr,
			    uint64_t size)
{
	uint64_t *list = nvme->area + 4 * NVME_PAGE, page;
	struct nvme_command cmd = {
		.opcode_id = opcode, .nsid = 1, .prp1 = addr,
		.cdw12 = size / NVME_BLOCK - 1,
	};

	for (page = 1; page * NVME_PAGE < size; page++)
		list[page - 1] = addr + page * NVME_PAGE;
	if (page == 2)
		cmd.prp2 = list[0];
	else if (page > 2)
		cmd.prp2 = nvme_phys(nvme, list);
	return nvme_run(&nvme->io, &cmd);
}

#endif
