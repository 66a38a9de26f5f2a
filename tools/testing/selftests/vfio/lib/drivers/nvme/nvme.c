// SPDX-License-Identifier: GPL-2.0-only
/*
 * NVMe controllers, driven after the NVM Express Base Specification 1.4.
 *
 * An NVMe controller moves data between its disk and memory, never from memory
 * to memory. memcpy is therefore a write of the source to bounce blocks at the
 * end of the namespace, followed by a read of these blocks into the destination.
 *
 * There are three queue pairs. The admin queue completes on vector 0, which
 * stays disabled. The data queue is polled and has its interrupt disabled at the
 * controller, since memcpy must not raise any. The MSI queue exists for
 * send_msi() only: each command on it raises one interrupt.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <asm/barrier.h>
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/pci_regs.h>
#include <linux/sizes.h>

#include <libvfio.h>
#include <libvfio/nvme.h>

#include "registers.h"

#define NVME_CLASS_CODE		0x010802

/* CC.MPS = 0. PRP entries address pages of this size, whatever the CPU uses. */
#define NVME_PAGE_SIZE		SZ_4K
#define NVME_PRPS_PER_PAGE	(NVME_PAGE_SIZE / sizeof(__le64))

#define NVME_QUEUE_ENTRIES	32
#define NVME_SLOTS		(NVME_QUEUE_ENTRIES - 1)

/* What one list page and PRP1 can describe, even if the start is inside a page */
#define NVME_MAX_SIZE		SZ_2M

#define NVME_MAX_COPIES		256
#define NVME_MSI_VECTOR		1
#define NVME_IO_TIMEOUT_MS	5000

enum {
	NVME_ADMIN_QUEUE,
	NVME_DATA_QUEUE,
	NVME_MSI_QUEUE,
	NVME_NR_QUEUES,
};

struct nvme_queue {
	struct nvme_command sq[NVME_QUEUE_ENTRIES] __aligned(NVME_PAGE_SIZE);
	struct nvme_completion cq[NVME_QUEUE_ENTRIES] __aligned(NVME_PAGE_SIZE);
	u32 entries;
	u32 sq_tail;
	u32 cq_head;
	u32 phase;
};

struct nvme {
	u8 identify[NVME_PAGE_SIZE] __aligned(NVME_PAGE_SIZE);
	__le64 prps[NVME_SLOTS][NVME_PRPS_PER_PAGE] __aligned(NVME_PAGE_SIZE);
	struct nvme_queue queues[NVME_NR_QUEUES];

	void *bar0;
	u32 doorbell_stride;
	u32 ready_timeout_ms;
	struct nvme_namespace ns;

	/* Data queue: slots in flight, and the first error since nvme_wait() */
	u32 busy;
	int error;

	struct {
		iova_t src;
		iova_t dst;
		u64 size;
		u64 count;
	} copy;
};

static struct nvme *to_nvme(struct vfio_pci_device *device)
{
	return device->driver.region.vaddr;
}

static u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

static void nvme_doorbell(struct nvme *nvme, u32 qid, bool cq, u32 value)
{
	writel(value, nvme->bar0 + NVME_REG_DOORBELL +
	       (2 * qid + cq) * nvme->doorbell_stride);
}

static int nvme_wait_csts_rdy(struct nvme *nvme, u32 rdy)
{
	u64 deadline = now_ms() + nvme->ready_timeout_ms;
	u32 csts;

	do {
		csts = readl(nvme->bar0 + NVME_REG_CSTS);
		if ((csts & NVME_CSTS_RDY) == rdy)
			return 0;
		usleep(100);
	} while (now_ms() < deadline);

	return -ETIMEDOUT;
}

static void nvme_queue_init(struct nvme_queue *queue, u32 entries)
{
	memset(queue, 0, sizeof(*queue));
	queue->entries = entries;
	queue->phase = 1;
}

static void nvme_submit(struct nvme *nvme, u32 qid, const struct nvme_command *cmd)
{
	struct nvme_queue *queue = &nvme->queues[qid];

	queue->sq[queue->sq_tail] = *cmd;
	queue->sq_tail = (queue->sq_tail + 1) % queue->entries;

	/* The entry and its PRP lists must be visible before the doorbell. */
	wmb();
	nvme_doorbell(nvme, qid, false, queue->sq_tail);
}

/* Take one completion off the queue. Returns false if there is none. */
static bool nvme_reap(struct nvme *nvme, u32 qid, u32 *cid, u32 *status)
{
	struct nvme_queue *queue = &nvme->queues[qid];
	struct nvme_completion *cqe = &queue->cq[queue->cq_head];
	u32 word = le16_to_cpu(READ_ONCE(cqe->status));

	if (NVME_CQE_PHASE(word) != queue->phase)
		return false;

	/* Neither the entry nor the data may be read before the phase bit. */
	rmb();
	*cid = le16_to_cpu(cqe->cid);
	*status = NVME_CQE_STATUS(word);

	queue->cq_head = (queue->cq_head + 1) % queue->entries;
	if (!queue->cq_head)
		queue->phase = !queue->phase;

	nvme_doorbell(nvme, qid, true, queue->cq_head);
	return true;
}

static int nvme_reap_timeout(struct nvme *nvme, u32 qid, u32 *cid, u32 *status)
{
	u64 deadline = now_ms() + NVME_IO_TIMEOUT_MS;
	int spins = 0;

	while (!nvme_reap(nvme, qid, cid, status)) {
		if (++spins < 100)
			continue;
		if (now_ms() >= deadline)
			return -ETIMEDOUT;
		usleep(20);
	}

	return 0;
}

/* Submit a command to an otherwise idle queue and wait for its completion. */
static void nvme_submit_sync(struct vfio_pci_device *device, u32 qid,
			     const struct nvme_command *cmd)
{
	struct nvme *nvme = to_nvme(device);
	u32 cid, status;

	nvme_submit(nvme, qid, cmd);
	VFIO_ASSERT_EQ(nvme_reap_timeout(nvme, qid, &cid, &status), 0,
		       "No answer to command 0x%x on queue %u\n", cmd->opcode, qid);
	VFIO_ASSERT_EQ(status, 0, "Command 0x%x on queue %u failed\n",
		       cmd->opcode, qid);
}

static u8 *nvme_identify(struct vfio_pci_device *device, u32 cns, u32 nsid)
{
	struct nvme *nvme = to_nvme(device);
	struct nvme_command cmd = {
		.opcode = NVME_ADMIN_IDENTIFY,
		.nsid = cpu_to_le32(nsid),
		.prp1 = cpu_to_le64(to_iova(device, nvme->identify)),
		.cdw10 = cpu_to_le32(cns),
	};

	nvme_submit_sync(device, NVME_ADMIN_QUEUE, &cmd);
	return nvme->identify;
}

static u32 get_le32(const u8 *p)
{
	__le32 value;

	memcpy(&value, p, sizeof(value));
	return le32_to_cpu(value);
}

static u64 get_le64(const u8 *p)
{
	__le64 value;

	memcpy(&value, p, sizeof(value));
	return le64_to_cpu(value);
}

static void nvme_identify_all(struct vfio_pci_device *device)
{
	struct nvme_namespace *ns = &to_nvme(device)->ns;
	u32 mdts, lbaf;
	u8 *data;

	data = nvme_identify(device, NVME_CNS_CONTROLLER, 0);
	mdts = data[NVME_ID_CTRL_MDTS];
	ns->max_size = NVME_MAX_SIZE;
	if (mdts && mdts < ilog2(NVME_MAX_SIZE / NVME_PAGE_SIZE))
		ns->max_size = (u64)NVME_PAGE_SIZE << mdts;

	data = nvme_identify(device, NVME_CNS_ACTIVE_NS, 0);
	ns->nsid = get_le32(data);
	VFIO_ASSERT_NE(ns->nsid, 0, "The controller has no active namespace\n");

	data = nvme_identify(device, NVME_CNS_NAMESPACE, ns->nsid);
	lbaf = get_le32(data + NVME_ID_NS_LBAF(NVME_FLBAS_FORMAT(data[NVME_ID_NS_FLBAS])));
	VFIO_ASSERT_EQ(NVME_LBAF_MS(lbaf), 0, "Blocks with metadata are not supported\n");
	ns->block_size = 1U << NVME_LBAF_LBADS(lbaf);

	ns->nr_blocks = get_le64(data + NVME_ID_NS_NSZE);
	VFIO_ASSERT_GT(ns->nr_blocks, ns->max_size / ns->block_size,
		       "The namespace is too small for memcpy's bounce blocks\n");
	ns->nr_blocks -= ns->max_size / ns->block_size;
}

static void nvme_create_queue(struct vfio_pci_device *device, u32 qid, bool irq)
{
	struct nvme *nvme = to_nvme(device);
	struct nvme_queue *queue = &nvme->queues[qid];
	struct nvme_command cmd = {
		.opcode = NVME_ADMIN_CREATE_CQ,
		.prp1 = cpu_to_le64(to_iova(device, queue->cq)),
		.cdw10 = cpu_to_le32((queue->entries - 1) << 16 | qid),
		.cdw11 = cpu_to_le32(NVME_QUEUE_PC),
	};

	if (irq)
		cmd.cdw11 = cpu_to_le32(NVME_MSI_VECTOR << 16 | NVME_CQ_IEN | NVME_QUEUE_PC);
	nvme_submit_sync(device, NVME_ADMIN_QUEUE, &cmd);

	cmd.opcode = NVME_ADMIN_CREATE_SQ;
	cmd.prp1 = cpu_to_le64(to_iova(device, queue->sq));
	cmd.cdw11 = cpu_to_le32(qid << 16 | NVME_QUEUE_PC);
	nvme_submit_sync(device, NVME_ADMIN_QUEUE, &cmd);
}

static void nvme_disable(struct nvme *nvme)
{
	writel(0, nvme->bar0 + NVME_REG_CC);
	VFIO_ASSERT_EQ(nvme_wait_csts_rdy(nvme, 0), 0, "Controller did not stop\n");
}

/* Bring up a disabled controller; also used to recover one that got stuck. */
static void nvme_enable(struct vfio_pci_device *device)
{
	struct nvme *nvme = to_nvme(device);
	struct nvme_queue *admin = &nvme->queues[NVME_ADMIN_QUEUE];
	u64 cap = readq(nvme->bar0 + NVME_REG_CAP);
	u32 entries = min_t(u32, NVME_QUEUE_ENTRIES, NVME_CAP_MQES(cap) + 1);
	struct nvme_command cmd = {
		.opcode = NVME_ADMIN_SET_FEATURES,
		.cdw10 = cpu_to_le32(NVME_FEAT_NUM_QUEUES),
		.cdw11 = cpu_to_le32((NVME_MSI_QUEUE - 1) << 16 | (NVME_MSI_QUEUE - 1)),
	};

	VFIO_ASSERT_EQ(NVME_CAP_MPSMIN(cap), 0, "4K pages are not supported\n");

	nvme_queue_init(admin, NVME_QUEUE_ENTRIES);
	nvme_queue_init(&nvme->queues[NVME_DATA_QUEUE], entries);
	nvme_queue_init(&nvme->queues[NVME_MSI_QUEUE], entries);
	nvme->busy = 0;
	nvme->error = 0;

	writel((admin->entries - 1) << 16 | (admin->entries - 1),
	       nvme->bar0 + NVME_REG_AQA);
	writeq(to_iova(device, admin->sq), nvme->bar0 + NVME_REG_ASQ);
	writeq(to_iova(device, admin->cq), nvme->bar0 + NVME_REG_ACQ);
	writel(NVME_CC_EN |
	       NVME_CC_IOSQES(ilog2(sizeof(struct nvme_command))) |
	       NVME_CC_IOCQES(ilog2(sizeof(struct nvme_completion))),
	       nvme->bar0 + NVME_REG_CC);
	VFIO_ASSERT_EQ(nvme_wait_csts_rdy(nvme, NVME_CSTS_RDY), 0,
		       "Controller did not start\n");

	nvme_submit_sync(device, NVME_ADMIN_QUEUE, &cmd);
	nvme_identify_all(device);
	nvme_create_queue(device, NVME_DATA_QUEUE, false);
	nvme_create_queue(device, NVME_MSI_QUEUE, true);
}

static int nvme_probe(struct vfio_pci_device *device)
{
	const char *overwrite = getenv(NVME_OVERWRITE_ENV);

	if (vfio_pci_config_readl(device, PCI_CLASS_REVISION) >> 8 != NVME_CLASS_CODE)
		return -EINVAL;

	if (!overwrite || strcmp(overwrite, "1")) {
		dev_err(device, "Tests overwrite the disk; set %s=1 to allow it\n",
			NVME_OVERWRITE_ENV);
		return -EPERM;
	}

	return 0;
}

static void nvme_init(struct vfio_pci_device *device)
{
	struct nvme *nvme = to_nvme(device);
	u64 cap;

	VFIO_ASSERT_GE(device->driver.region.size, sizeof(*nvme));
	VFIO_ASSERT_TRUE(IS_ALIGNED(to_iova(device, nvme), NVME_PAGE_SIZE));
	VFIO_ASSERT_NOT_NULL(device->bars[0].vaddr);
	VFIO_ASSERT_GT(device->msix_info.count, NVME_MSI_VECTOR);

	memset(nvme, 0, sizeof(*nvme));
	nvme->bar0 = device->bars[0].vaddr;

	vfio_pci_cmd_set(device, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);

	cap = readq(nvme->bar0 + NVME_REG_CAP);
	nvme->doorbell_stride = 4U << NVME_CAP_DSTRD(cap);
	/* CAP.TO counts 500 ms; one more as it may be zero */
	nvme->ready_timeout_ms = (NVME_CAP_TO(cap) + 1) * 500;

	nvme_disable(nvme);
	vfio_pci_msix_enable(device, NVME_MSI_VECTOR, 1);
	nvme_enable(device);

	device->driver.max_memcpy_size = nvme->ns.max_size;
	device->driver.max_memcpy_count = NVME_MAX_COPIES;
	device->driver.msi = NVME_MSI_VECTOR;
}

static void nvme_remove(struct vfio_pci_device *device)
{
	nvme_disable(to_nvme(device));
	vfio_pci_msix_disable(device);
}

static void nvme_complete_one(struct vfio_pci_device *device)
{
	struct nvme *nvme = to_nvme(device);
	u32 cid, status;

	if (nvme_reap_timeout(nvme, NVME_DATA_QUEUE, &cid, &status)) {
		dev_err(device, "I/O timed out, resetting the controller (CSTS 0x%x)\n",
			readl(nvme->bar0 + NVME_REG_CSTS));
		/* Nothing is in flight, and no DMA happens, once CSTS.RDY is 0 */
		nvme_disable(nvme);
		nvme_enable(device);
		nvme->error = -ETIMEDOUT;
		return;
	}

	VFIO_ASSERT_LT(cid, NVME_SLOTS);
	VFIO_ASSERT_NE(nvme->busy & BIT(cid), 0, "Unexpected completion %u\n", cid);
	nvme->busy &= ~BIT(cid);

	if (status && !nvme->error) {
		dev_err(device, "I/O failed with status 0x%x\n", status);
		nvme->error = -EIO;
	}
}

/*
 * PRP1 points at the first byte and may start inside a page. PRP2 holds the
 * second page if that is the last one, else a list of all following pages.
 */
static void nvme_set_prps(struct vfio_pci_device *device, struct nvme_command *cmd,
			  u32 slot, iova_t iova, u64 size)
{
	u64 first = min_t(u64, size, NVME_PAGE_SIZE - iova % NVME_PAGE_SIZE);
	__le64 *prps = to_nvme(device)->prps[slot];
	iova_t page = iova + first;
	iova_t end = iova + size;

	cmd->prp1 = cpu_to_le64(iova);
	if (end - page <= NVME_PAGE_SIZE) {
		cmd->prp2 = cpu_to_le64(page < end ? page : 0);
		return;
	}

	VFIO_ASSERT_LE(end - page, NVME_PRPS_PER_PAGE * NVME_PAGE_SIZE);
	cmd->prp2 = cpu_to_le64(to_iova(device, prps));
	for (; page < end; page += NVME_PAGE_SIZE)
		*prps++ = cpu_to_le64(page);
}

static void nvme_rw_start(struct vfio_pci_device *device, u8 opcode, u64 lba,
			  iova_t iova, u64 size)
{
	struct nvme *nvme = to_nvme(device);
	u32 nr_slots = nvme->queues[NVME_DATA_QUEUE].entries - 1;
	struct nvme_namespace *ns = &nvme->ns;
	struct nvme_command cmd = {
		.opcode = opcode,
		.nsid = cpu_to_le32(ns->nsid),
		.cdw10 = cpu_to_le32((u32)lba),
		.cdw11 = cpu_to_le32(lba >> 32),
		.cdw12 = cpu_to_le32(size / ns->block_size - 1),
	};
	u32 slot;

	VFIO_ASSERT_GT(size, 0);
	VFIO_ASSERT_LE(size, ns->max_size);
	VFIO_ASSERT_TRUE(IS_ALIGNED(size, ns->block_size));
	VFIO_ASSERT_TRUE(IS_ALIGNED(iova, sizeof(u32)));

	while (nvme->busy == GENMASK(nr_slots - 1, 0))
		nvme_complete_one(device);

	slot = ffs(~nvme->busy) - 1;
	nvme->busy |= BIT(slot);

	cmd.cid = cpu_to_le16(slot);
	nvme_set_prps(device, &cmd, slot, iova, size);
	nvme_submit(nvme, NVME_DATA_QUEUE, &cmd);
}

static void nvme_copy_write(struct vfio_pci_device *device)
{
	struct nvme *nvme = to_nvme(device);

	nvme_rw_start(device, NVME_CMD_WRITE, nvme->ns.nr_blocks,
		      nvme->copy.src, nvme->copy.size);
}

static void nvme_memcpy_start(struct vfio_pci_device *device, iova_t src,
			      iova_t dst, u64 size, u64 count)
{
	struct nvme *nvme = to_nvme(device);

	VFIO_ASSERT_EQ(nvme->busy, 0, "nvme_wait() is needed before memcpy\n");

	nvme->copy.src = src;
	nvme->copy.dst = dst;
	nvme->copy.size = size;
	nvme->copy.count = count;

	if (count)
		nvme_copy_write(device);
}

static int nvme_memcpy_wait(struct vfio_pci_device *device)
{
	struct nvme *nvme = to_nvme(device);
	int ret;

	/* Each step needs the data of the one before: commands are unordered. */
	while (nvme->copy.count) {
		ret = nvme_wait(device);
		if (ret)
			return ret;

		nvme_rw_start(device, NVME_CMD_READ, nvme->ns.nr_blocks,
			      nvme->copy.dst, nvme->copy.size);
		ret = nvme_wait(device);
		if (ret)
			return ret;

		if (--nvme->copy.count)
			nvme_copy_write(device);
	}

	return 0;
}

static void nvme_send_msi(struct vfio_pci_device *device)
{
	struct nvme *nvme = to_nvme(device);
	struct nvme_command cmd = {
		.opcode = NVME_CMD_FLUSH,
		.nsid = cpu_to_le32(nvme->ns.nsid),
	};

	nvme_submit_sync(device, NVME_MSI_QUEUE, &cmd);
}

struct vfio_pci_driver_ops nvme_ops = {
	.name = "nvme",
	.probe = nvme_probe,
	.init = nvme_init,
	.remove = nvme_remove,
	.memcpy_start = nvme_memcpy_start,
	.memcpy_wait = nvme_memcpy_wait,
	.send_msi = nvme_send_msi,
};

bool nvme_device(struct vfio_pci_device *device)
{
	return device->driver.ops == &nvme_ops;
}

static struct nvme *to_nvme_checked(struct vfio_pci_device *device)
{
	VFIO_ASSERT_TRUE(nvme_device(device));
	VFIO_ASSERT_TRUE(device->driver.initialized);
	VFIO_ASSERT_FALSE(device->driver.memcpy_in_progress);
	return to_nvme(device);
}

const struct nvme_namespace *nvme_namespace(struct vfio_pci_device *device)
{
	return &to_nvme_checked(device)->ns;
}

static void nvme_lba_start(struct vfio_pci_device *device, u8 opcode, u64 lba,
			   iova_t iova, u64 size)
{
	struct nvme_namespace *ns = &to_nvme_checked(device)->ns;

	VFIO_ASSERT_LE(size / ns->block_size, ns->nr_blocks);
	VFIO_ASSERT_LE(lba, ns->nr_blocks - size / ns->block_size);
	nvme_rw_start(device, opcode, lba, iova, size);
}

void nvme_read_start(struct vfio_pci_device *device, u64 lba, iova_t iova, u64 size)
{
	nvme_lba_start(device, NVME_CMD_READ, lba, iova, size);
}

void nvme_write_start(struct vfio_pci_device *device, u64 lba, iova_t iova, u64 size)
{
	nvme_lba_start(device, NVME_CMD_WRITE, lba, iova, size);
}

int nvme_wait(struct vfio_pci_device *device)
{
	struct nvme *nvme = to_nvme(device);
	int error;

	while (nvme->busy)
		nvme_complete_one(device);

	error = nvme->error;
	nvme->error = 0;
	return error;
}

static int nvme_rw(struct vfio_pci_device *device, u8 opcode, u64 lba,
		   iova_t iova, u64 size)
{
	struct nvme_namespace *ns = &to_nvme_checked(device)->ns;
	u64 chunk;

	for (; size; size -= chunk) {
		chunk = min(size, ns->max_size);
		nvme_lba_start(device, opcode, lba, iova, chunk);
		lba += chunk / ns->block_size;
		iova += chunk;
	}

	return nvme_wait(device);
}

int nvme_read(struct vfio_pci_device *device, u64 lba, iova_t iova, u64 size)
{
	return nvme_rw(device, NVME_CMD_READ, lba, iova, size);
}

int nvme_write(struct vfio_pci_device *device, u64 lba, iova_t iova, u64 size)
{
	return nvme_rw(device, NVME_CMD_WRITE, lba, iova, size);
}
