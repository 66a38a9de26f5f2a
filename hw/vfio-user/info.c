// SPDX-License-Identifier: GPL-2.0-only
/* What there is: the device, its regions, its interrupts. */
#include <errno.h>

#include "vfio-user/internal.h"

/* VFIO numbers regions as &pci_dev.bar is numbered. */
_Static_assert(VFIO_PCI_BAR5_REGION_INDEX == PCI_BARS - 1 &&
	       VFIO_PCI_ROM_REGION_INDEX == PCI_ROM, "indices differ");

int vfu_get_info(struct vfu *vfu, struct vfu_message *msg,
		 struct vfu_answer *answer)
{
	const struct vfu_device_info *wanted = msg->data;
	struct vfu_device_info *info;

	(void)vfu;
	if (wanted->argsz < sizeof(*info))
		return -EINVAL;
	info = vfu_answer_alloc(answer, sizeof(*info));
	if (!info)
		return -ENOMEM;
	info->argsz = sizeof(*info);
	info->flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI;
	info->num_regions = VFIO_PCI_NUM_REGIONS;
	info->num_irqs = VFIO_PCI_NUM_IRQS;
	return 0;
}

uint64_t vfu_region_size(const struct vfu *vfu, uint32_t index)
{
	if (index <= PCI_ROM)
		return vfu->dev->bar[index].size;
	return index == VFIO_PCI_CONFIG_REGION_INDEX ? PCI_CONFIG_SIZE : 0;
}

static uint32_t region_flags(const struct vfu *vfu, uint32_t index)
{
	const struct pci_bar *bar;
	uint32_t flags = VFIO_REGION_INFO_FLAG_READ;

	if (!vfu_region_size(vfu, index))
		return 0;
	if (index > PCI_ROM)
		return flags | VFIO_REGION_INFO_FLAG_WRITE;
	bar = &vfu->dev->bar[index];
	if (!(bar->flags & PCI_BAR_READONLY))
		flags |= VFIO_REGION_INFO_FLAG_WRITE;
	if (bar->fd >= 0)
		flags |= VFIO_REGION_INFO_FLAG_MMAP;
	if (bar->fd >= 0 && bar->nr_areas)
		flags |= VFIO_REGION_INFO_FLAG_CAPS;
	return flags;
}

static void sparse_capability(const struct pci_bar *bar,
			      struct vfu_sparse_cap *cap)
{
	cap->id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
	cap->version = 1;
	cap->nr_areas = bar->nr_areas;
	for (unsigned int i = 0; i < bar->nr_areas; i++) {
		cap->area[i].offset = bar->area[i].offset;
		cap->area[i].size = bar->area[i].size;
	}
}

/*
 * A client that has no room for capabilities is told how much it needs and asks
 * again. QEMU looks for cap_offset in the first reply already, and keeps the
 * descriptor of each, so that goes with the last one only.
 */
int vfu_region_info(struct vfu *vfu, struct vfu_message *msg,
		    struct vfu_answer *answer)
{
	const struct vfu_region_info *wanted = msg->data;
	const struct pci_bar *bar;
	struct vfu_region_info *info;
	size_t full = sizeof(*info);
	uint32_t flags;
	bool fits;

	if (wanted->argsz < sizeof(*info) ||
	    wanted->index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	bar = &vfu->dev->bar[hw_min(wanted->index, (uint32_t)PCI_ROM)];
	flags = region_flags(vfu, wanted->index);
	if (flags & VFIO_REGION_INFO_FLAG_CAPS)
		full += sizeof(struct vfu_sparse_cap) +
			bar->nr_areas * sizeof(struct vfu_sparse_area);
	fits = wanted->argsz >= full;

	info = vfu_answer_alloc(answer, fits ? full : sizeof(*info));
	if (!info)
		return -ENOMEM;
	info->argsz = (uint32_t)full;
	info->flags = flags;
	info->index = wanted->index;
	info->size = vfu_region_size(vfu, wanted->index);
	if (flags & VFIO_REGION_INFO_FLAG_CAPS) {
		info->cap_offset = sizeof(*info);
		if (fits)
			sparse_capability(bar, (void *)(info + 1));
	}
	if (fits && flags & VFIO_REGION_INFO_FLAG_MMAP)
		answer->fd = bar->fd;
	return 0;
}
