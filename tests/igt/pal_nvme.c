// SPDX-License-Identifier: MIT
/*
 * Copyright © 2026 dmabuf-pal developers
 *
 * DMA by an NVMe controller of vfio-pci, by admin commands alone: see pal.h. Identify
 * writes a page that is the same each time. That the controller reads memory shows when
 * its submission queue is there: it answers a command that it can have from nowhere else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "igt.h"
#include "pal.h"

#define DRIVER			"/sys/bus/pci/drivers/vfio-pci"
#define CLASS_NVME		0x010802

#define REG_CAP			0x00
#define REG_CC			0x14
#define REG_CSTS		0x1c
#define REG_AQA			0x24
#define REG_ASQ			0x28
#define REG_ACQ			0x30
#define DOORBELLS		0x1000

/* Enabled; entries of 64 and of 16 bytes, as 1 << 6 and 1 << 4 */
#define CC_ENABLE		(1u | 6u << 16 | 4u << 20)
#define CSTS_READY		1u
#define CSTS_FATAL		2u

#define ADMIN_IDENTIFY		0x06
#define IDENTIFY_CONTROLLER	1

#define ENTRIES			16
#define SQ_ENTRY		64
#define CQ_ENTRY		16

/* Pages of the memory that is ours */
#define HOST_SQ			0
#define HOST_CQ			PAL_PAGE
#define HOST_DATA		(2 * PAL_PAGE)
#define HOST_WANTED		(3 * PAL_PAGE)
#define HOST_SIZE		(4 * PAL_PAGE)

#define SECONDS			10

enum { PATTERN = 0x51, PATTERN_AGAIN };

static uint32_t reg_read(struct pal_nvme *nvme, uint32_t reg)
{
	return *(volatile uint32_t *)(nvme->regs + reg);
}

static void reg_write(struct pal_nvme *nvme, uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)(nvme->regs + reg) = value;
}

static void reg_write64(struct pal_nvme *nvme, uint32_t reg, uint64_t value)
{
	reg_write(nvme, reg, value);
	reg_write(nvme, reg + 4, value >> 32);
}

/* Ready, or not; false if it does not become so. */
static bool wait_ready(struct pal_nvme *nvme, bool ready)
{
	/* In units of 500 ms */
	time_t end = time(NULL) + 1 + (reg_read(nvme, REG_CAP) >> 24) / 2;

	while (!!(reg_read(nvme, REG_CSTS) & CSTS_READY) != ready) {
		if (time(NULL) > end)
			return false;
		sched_yield();
	}
	return true;
}

/* Resets it, with the submission queue in [@sq, @sq + PAL_PAGE), which the CPU sees too */
static void start(struct pal_nvme *nvme, volatile uint8_t *sq, uint64_t sq_iova)
{
	unsigned int i;

	reg_write(nvme, REG_CC, 0);
	igt_assert_f(wait_ready(nvme, false), "the controller does not stop\n");
	memset(nvme->host + HOST_CQ, 0, PAL_PAGE);
	for (i = 0; i < ENTRIES * SQ_ENTRY; i += 4)
		*(volatile uint32_t *)(sq + i) = 0;
	reg_write(nvme, REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	reg_write64(nvme, REG_ASQ, sq_iova);
	reg_write64(nvme, REG_ACQ, nvme->host_iova + HOST_CQ);
	reg_write(nvme, REG_CC, CC_ENABLE);
	igt_assert_f(wait_ready(nvme, true), "the controller does not start\n");
	nvme->sq = sq;
	nvme->sq_tail = nvme->cq_head = 0;
	nvme->phase = true;
}

static void start_at_home(struct pal_nvme *nvme)
{
	start(nvme, nvme->host + HOST_SQ, nvme->host_iova + HOST_SQ);
}

/* An Identify to @iova: 0 if it is complete, whatever its status, or -ETIME */
static int identify(struct pal_nvme *nvme, uint64_t iova, unsigned int seconds)
{
	volatile uint32_t *sqe = (void *)(nvme->sq + nvme->sq_tail * SQ_ENTRY);
	volatile uint32_t *cqe = (void *)(nvme->host + HOST_CQ + nvme->cq_head * CQ_ENTRY);
	uint16_t cid = ++nvme->cid;
	time_t end;

	sqe[0] = ADMIN_IDENTIFY | (uint32_t)cid << 16;
	sqe[6] = iova;
	sqe[7] = iova >> 32;
	sqe[10] = IDENTIFY_CONTROLLER;
	nvme->sq_tail = (nvme->sq_tail + 1) % ENTRIES;
	__sync_synchronize();
	reg_write(nvme, DOORBELLS, nvme->sq_tail);

	end = time(NULL) + seconds;
	while (!!(cqe[3] & 1 << 16) != nvme->phase) {
		if (time(NULL) > end || reg_read(nvme, REG_CSTS) & CSTS_FATAL)
			return -ETIME;
		sched_yield();
	}
	if (nvme->cq_head < ENTRIES - 1) {
		nvme->cq_head++;
	} else {
		nvme->cq_head = 0;
		nvme->phase = !nvme->phase;
	}
	reg_write(nvme, DOORBELLS + nvme->doorbell_stride, nvme->cq_head);
	return (uint16_t)cqe[3] == cid ? 0 : -EPROTO;
}

/* The cdev of the first NVMe controller, /dev/vfio/devices/vfioN; false if none is there */
static bool find(char *path, size_t size)
{
	char name[600], text[16] = "";
	struct dirent *entry;
	bool found = false;
	DIR *dir, *inner;
	FILE *file;

	dir = opendir(DRIVER);
	while (dir && !found && (entry = readdir(dir))) {
		snprintf(name, sizeof(name), DRIVER "/%s/class", entry->d_name);
		file = strchr(entry->d_name, ':') ? fopen(name, "r") : NULL;
		if (!file)
			continue;
		found = fgets(text, sizeof(text), file) &&
			strtoul(text, NULL, 0) == CLASS_NVME;
		fclose(file);
		snprintf(name, sizeof(name), DRIVER "/%s/vfio-dev", entry->d_name);
		inner = found ? opendir(name) : NULL;
		found = false;
		while (inner && !found && (entry = readdir(inner)))
			if (!strncmp(entry->d_name, "vfio", 4)) {
				snprintf(path, size, "/dev/vfio/devices/%s", entry->d_name);
				found = true;
			}
		if (inner)
			closedir(inner);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void map_registers(struct pal_nvme *nvme)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info), .index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	uint16_t command = 0;
	void *regs;

	do_ioctl(nvme->fd, VFIO_DEVICE_GET_REGION_INFO, &info);
	igt_assert_eq(pread(nvme->fd, &command, 2, info.offset + PCI_COMMAND), 2);
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	igt_assert_eq(pwrite(nvme->fd, &command, 2, info.offset + PCI_COMMAND), 2);

	info = (struct vfio_region_info){
		.argsz = sizeof(info), .index = VFIO_PCI_BAR0_REGION_INDEX,
	};
	do_ioctl(nvme->fd, VFIO_DEVICE_GET_REGION_INFO, &info);
	nvme->regs_size = info.size;
	regs = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, nvme->fd,
		    info.offset);
	igt_assert(regs != MAP_FAILED);
	nvme->regs = regs;
	nvme->doorbell_stride = 4u << (reg_read(nvme, REG_CAP + 4) & 0xf);
}

static void map_host(struct pal_nvme *nvme)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = PAL_MAP_RW,
		.ioas_id = nvme->ioas->id,
		.length = HOST_SIZE,
	};
	void *host;

	host = mmap(NULL, HOST_SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	igt_assert(host != MAP_FAILED);
	nvme->host = host;
	map.user_va = (uintptr_t)host;
	do_ioctl(nvme->ioas->fd, IOMMU_IOAS_MAP, &map);
	nvme->host_iova = map.iova;
}

/* One that a subtest had when it failed, and which nobody else could open */
static int left_open = -1;

int pal_nvme_open(struct pal_nvme *nvme, struct pal_ioas *ioas)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach), .pt_id = ioas->id,
	};
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind), .iommufd = ioas->fd,
	};
	char path[300];

	*nvme = (struct pal_nvme){ .ioas = ioas };
	if (!find(path, sizeof(path)))
		return -ENODEV;
	/* Each open resets the device, which the kernel tells as a warning. */
	igt_emit_ignore_dmesg_regex("vfio-pci .*: reset");
	if (left_open >= 0)
		close(left_open);
	nvme->fd = left_open = open(path, O_RDWR | O_CLOEXEC);
	igt_assert_f(nvme->fd >= 0, "%s: %s\n", path, strerror(errno));
	do_ioctl(nvme->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	do_ioctl(nvme->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
	map_host(nvme);
	map_registers(nvme);

	/* What it says of itself, to which all that comes is compared */
	start_at_home(nvme);
	igt_assert_eq(identify(nvme, nvme->host_iova + HOST_WANTED, SECONDS), 0);
	igt_assert_f(*(uint16_t *)(nvme->host + HOST_WANTED), "Identify gives no vendor\n");
	return 0;
}

void pal_nvme_close(struct pal_nvme *nvme)
{
	reg_write(nvme, REG_CC, 0);
	munmap((void *)nvme->regs, nvme->regs_size);
	close(nvme->fd);
	left_open = -1;
	munmap(nvme->host, HOST_SIZE);
}

void pal_dma_open(struct pal_dma *dma)
{
	pal_ioas_open(&dma->ioas);
	dma->has_nvme = !pal_nvme_open(&dma->nvme, &dma->ioas);
	if (!dma->has_nvme)
		igt_info("no NVMe controller belongs to vfio-pci: nothing does DMA\n");
}

void pal_dma_close(struct pal_dma *dma)
{
	if (dma->has_nvme)
		pal_nvme_close(&dma->nvme);
	pal_ioas_close(&dma->ioas);
}

static bool is_identity(struct pal_nvme *nvme, const volatile uint8_t *page)
{
	const uint64_t *wanted = (void *)(nvme->host + HOST_WANTED);
	const volatile uint64_t *found = (const void *)page;
	unsigned int i;

	for (i = 0; i < PAL_PAGE / 8; i++)
		if (found[i] != wanted[i])
			return false;
	return true;
}

/* Pages to look at: all of a small slice, and some hundred of a large one */
static uint64_t next_page(uint64_t size)
{
	return ALIGN(size / 256 + 2 * PAL_PAGE, 2 * PAL_PAGE);
}

/* Each of some pages has what the controller sent there, and all others what was there. */
static void writes_arrive(struct pal_nvme *nvme, struct pal_bo *bo, uint64_t iova,
			  uint64_t start, uint64_t size)
{
	uint64_t step = next_page(size), at;

	pal_fill(bo->vaddr, 0, bo->size, PATTERN);
	for (at = 0; at < size; at += step)
		igt_assert_eq(identify(nvme, iova + at, SECONDS), 0);
	for (at = 0; at < size; at += step) {
		igt_assert_f(is_identity(nvme, (uint8_t *)bo->vaddr + start + at),
			     "DMA to offset 0x%" PRIx64 " did not arrive\n", start + at);
		pal_fill(bo->vaddr, start + at, PAL_PAGE, PATTERN);
	}
	igt_assert_f(pal_differs(bo->vaddr, 0, bo->size, PATTERN) == bo->size,
		     "DMA arrived at offset 0x%" PRIx64 ", where none was meant to\n",
		     pal_differs(bo->vaddr, 0, bo->size, PATTERN));
}

/* The first and the last page have queues in them from which it takes commands. */
static void reads_arrive(struct pal_nvme *nvme, struct pal_bo *bo, uint64_t iova,
			 uint64_t start_at, uint64_t size)
{
	uint64_t pages[] = { 0, size - PAL_PAGE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		memset(nvme->host + HOST_DATA, 0, PAL_PAGE);
		start(nvme, (uint8_t *)bo->vaddr + start_at + pages[i], iova + pages[i]);
		igt_assert_f(!identify(nvme, nvme->host_iova + HOST_DATA, SECONDS),
			     "a command at offset 0x%" PRIx64 " was not read\n",
			     start_at + pages[i]);
		igt_assert(is_identity(nvme, nvme->host + HOST_DATA));
	}
	start_at_home(nvme);
}

void pal_dma_works(struct pal_dma *dma, struct pal_bo *bo, uint64_t iova,
		   uint64_t start, uint64_t size)
{
	if (!dma->has_nvme)
		return;
	writes_arrive(&dma->nvme, bo, iova, start, size);
	reads_arrive(&dma->nvme, bo, iova, start, size);
}

/* It may report success, fail, or not answer any more: what counts is the memory. */
void pal_dma_blocked(struct pal_dma *dma, struct pal_bo *bo, uint64_t iova)
{
	if (!dma->has_nvme)
		return;
	/* The IOMMU complains, as it has to. */
	igt_emit_ignore_dmesg_regex("DMAR: |dmar_fault: |AMD-Vi: ");
	pal_fill(bo->vaddr, 0, bo->size, PATTERN_AGAIN);
	identify(&dma->nvme, iova, 2);
	igt_assert_f(pal_differs(bo->vaddr, 0, bo->size, PATTERN_AGAIN) == bo->size,
		     "DMA arrived in memory that is not mapped\n");
	start_at_home(&dma->nvme);
	memset(dma->nvme.host + HOST_DATA, 0, PAL_PAGE);
	igt_assert_eq(identify(&dma->nvme, dma->nvme.host_iova + HOST_DATA, SECONDS), 0);
	igt_assert(is_identity(&dma->nvme, dma->nvme.host + HOST_DATA));
}
