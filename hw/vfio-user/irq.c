// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts: one MSI vector at most, signalled by an eventfd of the client. */
#include <errno.h>
#include <unistd.h>

#include "vfio-user/internal.h"

static uint32_t irq_count(const struct vfu *vfu, uint32_t index)
{
	return index == VFIO_PCI_MSI_IRQ_INDEX && vfu->dev->msi_cap;
}

int vfu_irq_info(struct vfu *vfu, struct vfu_message *msg,
		 struct vfu_answer *answer)
{
	const struct vfu_irq_info *wanted = msg->data;
	struct vfu_irq_info *info;

	if (wanted->argsz < sizeof(*info) || wanted->index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info = vfu_answer_alloc(answer, sizeof(*info));
	if (!info)
		return -ENOMEM;
	info->argsz = sizeof(*info);
	info->index = wanted->index;
	info->count = irq_count(vfu, wanted->index);
	if (info->count)
		info->flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
	return 0;
}

void vfu_irq_release(struct vfu *vfu)
{
	if (vfu->dev->msi_fd >= 0)
		close(vfu->dev->msi_fd);
	vfu->dev->msi_fd = -1;
}

static int set_eventfd(struct vfu *vfu, struct vfu_message *msg, uint32_t count)
{
	if (msg->len != sizeof(struct vfu_irq_set) ||
	    (msg->nr_fds && msg->nr_fds != count))
		return -EINVAL;
	vfu_irq_release(vfu);
	if (msg->nr_fds) {
		vfu->dev->msi_fd = msg->fd[0];
		msg->fd[0] = -1;
	}
	return 0;
}

int vfu_set_irqs(struct vfu *vfu, struct vfu_message *msg,
		 struct vfu_answer *answer)
{
	const struct vfu_irq_set *set = msg->data;
	size_t len = msg->len - sizeof(*set);
	uint32_t have, kind;

	(void)answer;
	kind = set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	if (set->argsz < sizeof(*set) || set->index >= VFIO_PCI_NUM_IRQS ||
	    /* MSI has no mask of its own; VFIO refuses that too. */
	    (set->flags & ~VFIO_IRQ_SET_DATA_TYPE_MASK) !=
	    VFIO_IRQ_SET_ACTION_TRIGGER ||
	    (kind != VFIO_IRQ_SET_DATA_EVENTFD && msg->nr_fds))
		return -EINVAL;

	have = irq_count(vfu, set->index);
	if (!set->start && !set->count) {
		/* All off; also for what is not there, as QEMU does. */
		if (kind != VFIO_IRQ_SET_DATA_NONE || len)
			return -EINVAL;
		if (have)
			vfu_irq_release(vfu);
		return 0;
	}
	if (!set->count || set->start >= have || set->count > have - set->start)
		return -EINVAL;

	switch (kind) {
	case VFIO_IRQ_SET_DATA_EVENTFD:
		return set_eventfd(vfu, msg, set->count);
	case VFIO_IRQ_SET_DATA_NONE:
		if (len)
			return -EINVAL;
		pci_msi(vfu->dev);
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		if (len != set->count)
			return -EINVAL;
		if (set->data[0])
			pci_msi(vfu->dev);
		return 0;
	}
	return -EINVAL;
}
