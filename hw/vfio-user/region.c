// SPDX-License-Identifier: GPL-2.0-only
/* Accesses of the client to the function, and its reset. */
#include <errno.h>
#include <string.h>

#include "vfio-user/internal.h"

static int check(const struct vfu *vfu, uint32_t region, uint64_t offset,
		 uint32_t count)
{
	uint64_t size = vfu_region_size(vfu, region);

	if (!count || count > VFU_DEFAULT_XFER_SIZE || count > size ||
	    offset > size - count)
		return -EINVAL;
	return 0;
}

static int write_region(struct vfu *vfu, uint32_t region, uint64_t offset,
			const void *data, uint32_t count)
{
	int err = check(vfu, region, offset, count);

	if (err)
		return err;
	if (region != VFIO_PCI_CONFIG_REGION_INDEX)
		return pci_bar_write(vfu->dev, region, offset, data, count);
	pci_config_write(vfu->dev, (unsigned int)offset, data, count);
	return 0;
}

int vfu_region_read(struct vfu *vfu, struct vfu_message *msg,
		    struct vfu_answer *answer)
{
	const struct vfu_region_access *wanted = msg->data;
	struct vfu_region_access *reply;
	int err;

	err = check(vfu, wanted->region, wanted->offset, wanted->count);
	if (err)
		return err;
	reply = vfu_answer_alloc(answer, sizeof(*reply) + wanted->count);
	if (!reply)
		return -ENOMEM;
	*reply = *wanted;
	if (wanted->region != VFIO_PCI_CONFIG_REGION_INDEX)
		return pci_bar_read(vfu->dev, wanted->region, wanted->offset,
				    reply->data, wanted->count);
	pci_config_read(vfu->dev, (unsigned int)wanted->offset, reply->data,
			wanted->count);
	return 0;
}

int vfu_region_write(struct vfu *vfu, struct vfu_message *msg,
		     struct vfu_answer *answer)
{
	const struct vfu_region_access *wanted = msg->data;
	struct vfu_region_access *reply;
	int err;

	if (msg->len - sizeof(*wanted) != wanted->count)
		return -EINVAL;
	err = write_region(vfu, wanted->region, wanted->offset, wanted->data,
			   wanted->count);
	if (err)
		return err;
	reply = vfu_answer_alloc(answer, sizeof(*reply));
	if (!reply)
		return -ENOMEM;
	*reply = *wanted;
	return 0;
}

int vfu_write_multi(struct vfu *vfu, struct vfu_message *msg,
		    struct vfu_answer *answer)
{
	const struct vfu_write_multi *multi = msg->data;
	size_t len = msg->len - sizeof(*multi);
	struct vfu_write_multi *reply;
	int err;

	if (!vfu->write_multi)
		return -EOPNOTSUPP;
	if (len % sizeof(multi->write[0]) ||
	    len / sizeof(multi->write[0]) != multi->count)
		return -EINVAL;
	for (uint64_t i = 0; i < multi->count; i++) {
		const struct vfu_multi_write *write = &multi->write[i];

		if (write->count > sizeof(write->data))
			return -EINVAL;
		err = write_region(vfu, write->region, write->offset,
				   write->data, write->count);
		if (err)
			return err;
	}
	reply = vfu_answer_alloc(answer, sizeof(*reply));
	if (!reply)
		return -ENOMEM;
	reply->count = multi->count;
	return 0;
}

int vfu_reset(struct vfu *vfu, struct vfu_message *msg,
	      struct vfu_answer *answer)
{
	(void)msg;
	(void)answer;
	pci_reset(vfu->dev);
	return 0;
}
