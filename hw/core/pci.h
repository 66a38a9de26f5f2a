/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI function as the transport sees it: configuration space, BARs, one MSI
 * vector. The model fills in a &struct pci_dev and answers its operations.
 */
#ifndef HW_CORE_PCI_H
#define HW_CORE_PCI_H

#include "core/util.h"

#define PCI_BARS	6
#define PCI_ROM		6	/* index of the expansion ROM in pci_dev.bar */
#define PCI_CONFIG_SIZE	4096

#define PCI_BAR_64	0x1	/* takes the next BAR's register as well */
#define PCI_BAR_PREFETCH 0x2
#define PCI_BAR_READONLY 0x4	/* the ROM */

struct pci_dev;

/**
 * struct pci_area - part of a BAR that the client may map
 */
struct pci_area {
	uint64_t offset;
	uint64_t size;
};

/**
 * struct pci_bar - what is behind a base address register
 * @size: bytes, a power of two; 0 if there is no such BAR
 * @flags: PCI_BAR_*
 * @fd: memory that the client may map, or -1
 * @host: the same memory in this process, aligned to 8 bytes; accesses that the
 *	device's operations do not claim end there
 * @area: parts of @fd that the client may map; the whole if @nr_areas is 0
 */
struct pci_bar {
	uint64_t size;
	unsigned int flags;
	int fd;
	uint8_t *host;
	const struct pci_area *area;
	unsigned int nr_areas;
};

/**
 * struct pci_ops - what a model answers
 * @read: access of @len (1, 2, 4 or 8) bytes at @offset of a BAR; only called
 *	inside of the BAR and for what is not PCI_BAR.host memory, which the
 *	device says by @trapped. What a client reads in one piece comes here
 *	in naturally aligned ones. NULL: all ones
 * @write: the same; must not run anything that takes long, see @work. NULL:
 *	nothing happens
 * @trapped: whether @offset of @bar goes to @read and @write rather than to
 *	the BAR's memory; NULL if all of a BAR that has memory is memory. Not
 *	asked for the ROM
 * @reset: function level reset: registers and queues, not memory; may be NULL
 * @config_written: a write to configuration space took effect; may be NULL
 * @work: does a bounded piece of what there is to do. Called after each
 *	message and whenever the time that it returned is over. Returns
 *	milliseconds until it wants to be called without a message: 0 there is
 *	more to do now, -1 there is nothing.
 */
struct pci_ops {
	uint64_t (*read)(struct pci_dev *dev, unsigned int bar, uint64_t offset,
			 unsigned int len);
	void (*write)(struct pci_dev *dev, unsigned int bar, uint64_t offset,
		      uint64_t value, unsigned int len);
	bool (*trapped)(struct pci_dev *dev, unsigned int bar, uint64_t offset);
	void (*reset)(struct pci_dev *dev);
	void (*config_written)(struct pci_dev *dev, unsigned int offset,
			       unsigned int len);
	int (*work)(struct pci_dev *dev);
};

/**
 * struct pci_dev - a function
 * @ops: the model's operations
 * @bar: 0-5 and the ROM; a 64-bit BAR's second index has size 0
 * @config: configuration space
 * @writable: a bit is set where the client's write changes @config
 * @power_on: what a reset puts where @writable is set
 * @msi_cap: offset of the MSI capability, 0 without one
 * @last_cap: where the next capability's offset goes, 0 before the first
 * @msi_fd: eventfd to signal, or -1
 * @msi_count: interrupts that were signalled
 * @msi_lost: interrupts for which there was no eventfd
 * @fresh: device memory that nobody has touched yet
 * @fresh_len: bytes of it that pci_touch() has left
 */
struct pci_dev {
	const struct pci_ops *ops;
	struct pci_bar bar[PCI_BARS + 1];
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	uint8_t power_on[PCI_CONFIG_SIZE];
	unsigned int msi_cap;
	unsigned int last_cap;
	int msi_fd;
	uint64_t msi_count;
	uint64_t msi_lost;
	uint8_t *fresh;
	uint64_t fresh_len;
};

/**
 * struct pci_id - what identifies a function
 */
struct pci_id {
	uint16_t vendor, device, subvendor, subdevice;
	uint32_t class;		/* 24 bits */
	uint8_t revision;
};

void pci_init(struct pci_dev *dev, const struct pci_ops *ops,
	      const struct pci_id *id);

/* Capabilities are linked in the order of these calls, at the given offset. */
void pci_add_msi(struct pci_dev *dev, unsigned int offset);
void pci_add_express(struct pci_dev *dev, unsigned int offset);

/*
 * After dev->bar is filled in: BAR registers and their sizing masks. Sizes are
 * powers of two, from 16 bytes on, 2 KiB for the ROM.
 */
void pci_setup_bars(struct pci_dev *dev);

/* Callers have checked that @offset and @len are inside of it. */
void pci_config_read(struct pci_dev *dev, unsigned int offset, void *buf,
		     unsigned int len);
void pci_config_write(struct pci_dev *dev, unsigned int offset,
		      const void *buf, unsigned int len);

/* The address that software gave to a BAR, 0 while it does not decode one. */
uint64_t pci_bar_address(const struct pci_dev *dev, unsigned int bar);

/* Power-on state of what the client can change, then ops->reset. */
void pci_reset(struct pci_dev *dev);

/* @len bytes at @offset of a BAR or the ROM. 0, or -EINVAL outside of it. */
int pci_bar_read(struct pci_dev *dev, unsigned int bar, uint64_t offset,
		 void *buf, unsigned int len);
int pci_bar_write(struct pci_dev *dev, unsigned int bar, uint64_t offset,
		  const void *buf, unsigned int len);

/* Signals the MSI vector if the client gave an eventfd for it; counts. */
void pci_msi(struct pci_dev *dev);

/**
 * pci_memory_bar - device memory and the BAR that shows it, or a part of it
 * @dev: the function
 * @bar: index of the BAR, which is 64 bits wide and prefetchable
 * @name: of the memory
 * @size: bytes of device memory
 * @visible: bytes that the BAR has, a power of two; 0: as many as it takes for all
 * @mapped: receives how many bytes there are, of which the BAR may have more than @size
 *
 * To be called before pci_setup_bars(). Ends the process if there is no memory.
 *
 * Return: where the memory is in this process.
 */
uint8_t *pci_memory_bar(struct pci_dev *dev, unsigned int bar, const char *name,
			uint64_t size, uint64_t visible, uint64_t *mapped);

/**
 * pci_touch - make a piece of device memory present
 * @dev: the function
 *
 * A page's first access costs a fault, which under a hypervisor is a hundred times
 * what it costs to fill the page: a GPU's first job would be the slowest, by so
 * much that drivers lose patience. To be called while the device has nothing to do,
 * as long as &pci_dev.fresh_len is not 0. Changes no content.
 */
void pci_touch(struct pci_dev *dev);

#endif
