// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space is three arrays of bytes: what is read, which bits the
 * client can change, and what a reset puts there. With them neither BAR sizing
 * nor a capability needs code that runs at an access.
 */
#include <assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/pci.h"

#define FRESH_PIECE	HW_KIB(256)	/* milliseconds at most */
/* Of much memory most is never used, and it should not be taken from the host. */
#define FRESH_MAX	HW_MIB(512)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "values are copied to and from configuration space as they are");

/* @writable may be 0; @value is what a reset restores. */
static void set_config(struct pci_dev *dev, unsigned int offset,
		       unsigned int len, uint32_t value, uint32_t writable)
{
	assert(len <= 4 && offset + len <= PCI_CONFIG_SIZE);
	memcpy(&dev->config[offset], &value, len);
	memcpy(&dev->power_on[offset], &value, len);
	memcpy(&dev->writable[offset], &writable, len);
}

static uint32_t get_config(const struct pci_dev *dev, unsigned int offset,
			   unsigned int len)
{
	uint32_t value = 0;

	memcpy(&value, &dev->config[offset], len);
	return value;
}

void pci_init(struct pci_dev *dev, const struct pci_ops *ops,
	      const struct pci_id *id)
{
	memset(dev, 0, sizeof(*dev));
	dev->ops = ops;
	dev->msi_fd = -1;
	for (unsigned int i = 0; i < ARRAY_SIZE(dev->bar); i++)
		dev->bar[i].fd = -1;

	set_config(dev, PCI_VENDOR_ID, 2, id->vendor, 0);
	set_config(dev, PCI_DEVICE_ID, 2, id->device, 0);
	set_config(dev, PCI_COMMAND, 2, 0,
		   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		   PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
		   PCI_COMMAND_INTX_DISABLE);
	set_config(dev, PCI_CLASS_REVISION, 4,
		   id->class << 8 | id->revision, 0);
	set_config(dev, PCI_CACHE_LINE_SIZE, 1, 0, 0xff);
	set_config(dev, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_NORMAL, 0);
	set_config(dev, PCI_SUBSYSTEM_VENDOR_ID, 2, id->subvendor, 0);
	set_config(dev, PCI_SUBSYSTEM_ID, 2, id->subdevice, 0);
	set_config(dev, PCI_INTERRUPT_LINE, 1, 0, 0xff);
}

static void add_capability(struct pci_dev *dev, unsigned int offset,
			   unsigned int size, uint8_t id)
{
	unsigned int link = dev->last_cap ?: PCI_CAPABILITY_LIST;

	assert(offset >= PCI_STD_HEADER_SIZEOF && offset % 4 == 0 &&
	       offset + size <= PCI_CFG_SPACE_SIZE);
	set_config(dev, PCI_STATUS, 2, PCI_STATUS_CAP_LIST, 0);
	set_config(dev, link, 1, offset, 0);
	set_config(dev, offset, 2, id, 0);
	dev->last_cap = offset + PCI_CAP_LIST_NEXT;
}

void pci_add_msi(struct pci_dev *dev, unsigned int offset)
{
	add_capability(dev, offset, PCI_MSI_DATA_64 + 2, PCI_CAP_ID_MSI);
	dev->msi_cap = offset;
	set_config(dev, offset + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_64BIT,
		   PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	set_config(dev, offset + PCI_MSI_ADDRESS_LO, 4, 0, ~3u);
	set_config(dev, offset + PCI_MSI_ADDRESS_HI, 4, 0, ~0u);
	set_config(dev, offset + PCI_MSI_DATA_64, 2, 0, 0xffff);
}

/*
 * An endpoint that cannot do a function level reset: a driver that never expects
 * one would lose its device to whoever writes 1 to sysfs' reset.
 */
void pci_add_express(struct pci_dev *dev, unsigned int offset)
{
	const uint32_t link = PCI_EXP_LNKCAP_SLS_2_5GB |
			      4 << 4 /* lanes */;

	add_capability(dev, offset, PCI_CAP_EXP_ENDPOINT_SIZEOF_V2,
		       PCI_CAP_ID_EXP);
	set_config(dev, offset + PCI_EXP_FLAGS, 2,
		   2 | PCI_EXP_TYPE_ENDPOINT << 4, 0);
	set_config(dev, offset + PCI_EXP_DEVCAP, 4, PCI_EXP_DEVCAP_RBER, 0);
	set_config(dev, offset + PCI_EXP_DEVCTL, 2,
		   PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
		   PCI_EXP_DEVCTL_READRQ_512B,
		   PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
		   PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE |
		   PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_PAYLOAD |
		   PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_READRQ);
	set_config(dev, offset + PCI_EXP_LNKCAP, 4, link, 0);
	set_config(dev, offset + PCI_EXP_LNKCTL, 2, 0,
		   PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_RCB |
		   PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
	set_config(dev, offset + PCI_EXP_LNKSTA, 2, link, 0);
}

void pci_setup_bars(struct pci_dev *dev)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &dev->bar[i];
		unsigned int reg = PCI_BASE_ADDRESS_0 + 4 * i;
		uint64_t mask = ~(bar->size - 1);
		uint32_t type = 0;

		if (!bar->size)
			continue;
		assert(!(bar->size & (bar->size - 1)) && bar->size >= 16);
		if (bar->flags & PCI_BAR_PREFETCH)
			type |= PCI_BASE_ADDRESS_MEM_PREFETCH;
		if (bar->flags & PCI_BAR_64) {
			assert(i + 1 < PCI_BARS && !dev->bar[i + 1].size);
			type |= PCI_BASE_ADDRESS_MEM_TYPE_64;
			set_config(dev, reg + 4, 4, 0, mask >> 32);
			i++;
		} else {
			assert(bar->size <= HW_GIB(2));
		}
		set_config(dev, reg, 4, type, (uint32_t)mask);
	}

	if (dev->bar[PCI_ROM].size) {
		uint64_t size = dev->bar[PCI_ROM].size;

		assert(!(size & (size - 1)) && size >= 2048 && size <= HW_MIB(16));
		dev->bar[PCI_ROM].flags |= PCI_BAR_READONLY;
		set_config(dev, PCI_ROM_ADDRESS, 4, 0,
			   (uint32_t)~(size - 1) | PCI_ROM_ADDRESS_ENABLE);
	}
}

void pci_config_read(struct pci_dev *dev, unsigned int offset, void *buf,
		     unsigned int len)
{
	assert(offset <= PCI_CONFIG_SIZE && len <= PCI_CONFIG_SIZE - offset);
	memcpy(buf, &dev->config[offset], len);
}

void pci_config_write(struct pci_dev *dev, unsigned int offset,
		      const void *buf, unsigned int len)
{
	const uint8_t *value = buf;

	assert(offset <= PCI_CONFIG_SIZE && len <= PCI_CONFIG_SIZE - offset);
	for (unsigned int i = 0; i < len; i++) {
		uint8_t mask = dev->writable[offset + i];
		uint8_t *byte = &dev->config[offset + i];

		*byte = (*byte & ~mask) | (value[i] & mask);
	}
	if (dev->ops->config_written)
		dev->ops->config_written(dev, offset, len);
}

/* While decoding is off a BAR's register may hold what sizing wrote there. */
uint64_t pci_bar_address(const struct pci_dev *dev, unsigned int bar)
{
	unsigned int reg = PCI_BASE_ADDRESS_0 + 4 * bar;
	uint64_t address;

	if (bar > PCI_ROM || !dev->bar[bar].size ||
	    !(get_config(dev, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		return 0;
	if (bar == PCI_ROM) {
		address = get_config(dev, PCI_ROM_ADDRESS, 4);
		if (!(address & PCI_ROM_ADDRESS_ENABLE))
			return 0;
		return address & PCI_ROM_ADDRESS_MASK;
	}
	address = get_config(dev, reg, 4) & PCI_BASE_ADDRESS_MEM_MASK;
	if (dev->bar[bar].flags & PCI_BAR_64)
		address |= (uint64_t)get_config(dev, reg + 4, 4) << 32;
	else
		address &= UINT32_MAX;
	return address;
}

void pci_reset(struct pci_dev *dev)
{
	for (unsigned int i = 0; i < PCI_CONFIG_SIZE; i++) {
		uint8_t mask = dev->writable[i];

		dev->config[i] = (dev->config[i] & ~mask) |
				 (dev->power_on[i] & mask);
	}
	if (dev->ops->reset)
		dev->ops->reset(dev);
}

/* The longest access that an aligned bus would make of this. */
static unsigned int access_size(uint64_t offset, unsigned int len)
{
	unsigned int size = 8;

	while (size > len || offset % size)
		size /= 2;
	return size;
}

/*
 * One access each, not a memcpy(): the client may have the same memory mapped,
 * and its processors expect a page table entry to change in one piece.
 */
static uint64_t load(const uint8_t *host, unsigned int size)
{
	switch (size) {
	case 1:
		return *(const volatile uint8_t *)host;
	case 2:
		return *(const volatile uint16_t *)host;
	case 4:
		return *(const volatile uint32_t *)host;
	default:
		return *(const volatile uint64_t *)host;
	}
}

static void store(uint8_t *host, uint64_t value, unsigned int size)
{
	switch (size) {
	case 1:
		*(volatile uint8_t *)host = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)host = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)host = (uint32_t)value;
		break;
	default:
		*(volatile uint64_t *)host = value;
	}
}

static bool is_memory(struct pci_dev *dev, unsigned int bar, uint64_t offset)
{
	if (!dev->bar[bar].host)
		return false;
	if (bar == PCI_ROM || !dev->ops->trapped)
		return true;
	return !dev->ops->trapped(dev, bar, offset);
}

static bool inside(const struct pci_dev *dev, unsigned int bar,
		   uint64_t offset, unsigned int len)
{
	return bar <= PCI_ROM && len <= dev->bar[bar].size &&
	       offset <= dev->bar[bar].size - len;
}

int pci_bar_read(struct pci_dev *dev, unsigned int bar, uint64_t offset,
		 void *buf, unsigned int len)
{
	uint8_t *to = buf;

	if (!inside(dev, bar, offset, len))
		return -EINVAL;
	while (len) {
		unsigned int size = access_size(offset, len);
		uint64_t value = UINT64_MAX;

		if (is_memory(dev, bar, offset))
			value = load(dev->bar[bar].host + offset, size);
		else if (dev->ops->read)
			value = dev->ops->read(dev, bar, offset, size);
		memcpy(to, &value, size);
		to += size;
		offset += size;
		len -= size;
	}
	return 0;
}

int pci_bar_write(struct pci_dev *dev, unsigned int bar, uint64_t offset,
		  const void *buf, unsigned int len)
{
	const uint8_t *from = buf;

	if (!inside(dev, bar, offset, len))
		return -EINVAL;
	if (dev->bar[bar].flags & PCI_BAR_READONLY)
		return 0;
	while (len) {
		unsigned int size = access_size(offset, len);
		uint64_t value = 0;

		memcpy(&value, from, size);
		if (is_memory(dev, bar, offset))
			store(dev->bar[bar].host + offset, value, size);
		else if (dev->ops->write)
			dev->ops->write(dev, bar, offset, value, size);
		from += size;
		offset += size;
		len -= size;
	}
	return 0;
}

/*
 * The descriptor came from the client: it may be anything. Who waits for an
 * eventfd with a full counter has not lost anything.
 */
void pci_msi(struct pci_dev *dev)
{
	struct pollfd ready = { .fd = dev->msi_fd, .events = POLLOUT };
	const uint64_t one = 1;

	if (dev->msi_fd >= 0 && poll(&ready, 1, 0) == 1 &&
	    ready.revents == POLLOUT &&
	    write(dev->msi_fd, &one, sizeof(one)) == sizeof(one))
		dev->msi_count++;
	else
		dev->msi_lost++;
}

uint8_t *pci_memory_bar(struct pci_dev *dev, unsigned int bar, const char *name,
			uint64_t size, uint64_t visible, uint64_t *mapped)
{
	void *host;
	int fd;

	if (!visible)
		for (visible = HW_MIB(2); visible < size; visible <<= 1)
			;
	/* A BAR beyond the memory shows nothing, but must have something. */
	*mapped = visible < size ? size : visible;
	fd = hw_memfd(name, *mapped, &host);
	if (fd < 0)
		hw_die(1, "%s: no memory for it", name);
	dev->bar[bar] = (struct pci_bar){
		.size = visible, .flags = PCI_BAR_64 | PCI_BAR_PREFETCH,
		.fd = fd, .host = host,
	};
	dev->fresh = host;
	dev->fresh_len = hw_min(size, FRESH_MAX);
	return host;
}

void pci_touch(struct pci_dev *dev)
{
	uint64_t len = hw_min(dev->fresh_len, FRESH_PIECE), at;

	/* The fault of each page without its trap, where the kernel can do that. */
#ifdef MADV_POPULATE_WRITE
	madvise(dev->fresh, len, MADV_POPULATE_WRITE);
#endif
	/* The client may write there at the same time. */
	for (at = 0; at < len; at += HW_PAGE_SIZE)
		__atomic_fetch_or(dev->fresh + at, 0, __ATOMIC_RELAXED);
	dev->fresh += len;
	dev->fresh_len -= len;
}
