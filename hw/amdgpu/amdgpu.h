/* SPDX-License-Identifier: MIT */
/*
 * A Bonaire (CIK, GFX7) as its driver amdgpu sees it. See
 * Documentation/hw/amdgpu-bonaire.rst for what is modelled and what is not.
 */
#ifndef HW_AMDGPU_AMDGPU_H
#define HW_AMDGPU_AMDGPU_H

#include "amdgpu/gmc.h"
#include "amdgpu/ring.h"
#include "core/inject.h"
#include "core/mem.h"
#include "core/mmio.h"
#include "core/pci.h"
#include "core/trace.h"
#include "core/util.h"

#define CIK_BAR_VRAM	0
#define CIK_BAR_DOORBELL 2
#define CIK_BAR_MMIO	5

#define CIK_MMIO_SIZE	HW_KIB(256)
#define CIK_REGISTERS	(CIK_MMIO_SIZE / 4)
#define CIK_DOORBELL_SIZE HW_MIB(8)
#define CIK_ROM_SIZE	HW_KIB(64)

/* Where VRAM is in the address space of the memory controller. */
#define CIK_FB_BASE	0xf400000000ull
#define CIK_MAX_VRAM	HW_GIB(32)

/* What the driver writes to this dword of configuration space resets the chip. */
#define CIK_CONFIG_RESET 0x7c

/* One microengine for compute with four pipes of eight queues each. */
#define CIK_PIPES	4
#define CIK_QUEUES	8
#define CIK_HQDS	(CIK_PIPES * CIK_QUEUES)
#define CIK_HQD_REGS	35	/* CP_MQD_BASE_ADDR to CP_MQD_CONTROL */

/* Keys of rings, for faults on demand: 0 graphics, 1 and 2 SDMA, then compute. */
#define CIK_KEY_GFX	0
#define CIK_KEY_SDMA	1
#define CIK_KEY_COMPUTE	3
#define CIK_RINGS	(CIK_KEY_COMPUTE + CIK_HQDS)

#define CIK_INDEXED	256
#define CIK_UNKNOWN	32

/**
 * struct cik_config - options of the command line
 * @vram: bytes of VRAM, a multiple of 2 MiB
 * @visible: bytes of it that BAR 0 shows, a power of two; 0: all of it
 * @device_id: PCI device id
 * @strict: fail at the end if an unknown register or packet was used
 */
struct cik_config {
	uint64_t vram;
	uint64_t visible;
	uint16_t device_id;
	bool strict;
};

/**
 * struct cik_stats - counters for the trace's last lines and for tests
 * @packets: executed, those of NOP streams not counted one by one
 * @bytes_copied: by SDMA and by the CP
 * @bytes_filled: the same
 * @irqs: vectors that went into the IH ring
 * @irqs_lost: vectors while the IH ring was off
 * @faults: translations that failed
 */
struct cik_stats {
	uint64_t packets;
	uint64_t bytes_copied;
	uint64_t bytes_filled;
	uint64_t irqs;
	uint64_t irqs_lost;
	uint64_t faults;
};

/**
 * struct cik_indexed - registers behind an index and a data register
 * @index: which one
 * @value: what was written to it
 */
struct cik_indexed {
	unsigned int nr;
	struct {
		uint32_t index;
		uint32_t value;
	} reg[CIK_INDEXED];
};

/**
 * struct cik_unknown - packets that nobody models, for the account at the end
 * @sdma: of SDMA, otherwise PM4
 * @opcode: SDMA: operation and sub-operation; PM4: opcode
 * @count: how many there were
 */
struct cik_unknown {
	bool sdma;
	uint32_t opcode;
	uint64_t count;
};

/**
 * struct cik - the device
 * @pci: the function
 * @mem: system memory, by DMA address
 * @mmio: BAR 5
 * @inject: faults that the command line asked for
 * @config: options
 * @stats: counters
 * @reg: registers, by dword
 * @pcie: registers behind PCIE_INDEX and PCIE_DATA
 * @smc: registers behind SMC_IND_INDEX_0 and SMC_IND_DATA_0
 * @hqd: hardware queue descriptors, each a copy of the same registers
 * @hqd_other: the same for queues that there are not
 * @vram: the device memory
 * @vram_bytes: mapped for it, as many as BAR 0 has if that is larger
 * @rom: the expansion ROM
 * @ring: by key
 * @packet: room for the packet that is being executed
 * @epoch: changes whenever what is known of an address may have become wrong
 * @unknown: packets that nobody models, ended by a count of 0
 * @fault: what the last failing translation was about
 */
struct cik {
	struct pci_dev pci;
	struct mem *mem;
	struct mmio *mmio;
	struct inject inject;
	struct cik_config config;
	struct cik_stats stats;
	uint32_t reg[CIK_REGISTERS];
	struct cik_indexed pcie;
	struct cik_indexed smc;
	uint32_t hqd[CIK_HQDS][CIK_HQD_REGS];
	uint32_t hqd_other[CIK_HQD_REGS];
	uint8_t *vram;
	uint64_t vram_bytes;
	uint8_t *rom;
	struct cik_ring ring[CIK_RINGS];
	uint32_t packet[CIK_PACKET_MAX];
	uint64_t epoch;
	struct cik_unknown unknown[CIK_UNKNOWN];
	struct cik_fault fault;
};

extern const char *const cik_inject_points[];

/**
 * cik_new - make a device
 * @config: its options
 * @inject: faults, copied
 *
 * Ends the process if there is no memory for it.
 */
struct cik *cik_new(const struct cik_config *config,
		    const struct inject *inject);
void cik_free(struct cik *cik);

/**
 * cik_report - what the driver used and nobody models
 * @cik: the device
 *
 * Writes registers and packets to the trace.
 *
 * Return: how many of either there are, tolerated registers not counted.
 */
size_t cik_report(struct cik *cik);

/* Counts a packet for cik_report(); tells the first of its kind. */
void cik_count_unknown(struct cik *cik, bool sdma, uint32_t opcode);

/* regs.c: registers as the driver and as packets use them, by dword. */
struct mmio *cik_regs_new(struct cik *cik);
void cik_regs_power_on(struct cik *cik);
uint32_t cik_reg_read(struct cik *cik, uint32_t reg);
void cik_reg_write(struct cik *cik, uint32_t reg, uint32_t value);

/* What the crystal of 27 MHz has counted. */
uint64_t cik_clock(void);

/* state.c: registers that only keep what is written. */
void cik_state_tolerate(struct mmio *mmio);

/**
 * cik_interrupt - put a vector into the IH ring and send the MSI
 * @cik: the device
 * @source: number of the interrupt source
 * @data: 28 bits that the source gives along
 * @ring_id: which ring, in the source's own way
 * @vmid: of whom it is about; its PASID goes along
 */
void cik_interrupt(struct cik *cik, unsigned int source, uint32_t data,
		   unsigned int ring_id, unsigned int vmid);

/* ih.c: what writing IH_RB_CNTL does. */
void cik_ih_control(struct cik *cik, uint32_t value);

/* hqd.c: registers of the selected queue, and doorbells by dword. */
uint32_t cik_hqd_read(void *priv, unsigned int index);
void cik_hqd_write(void *priv, unsigned int index, uint32_t value);
void cik_doorbell(struct cik *cik, uint32_t index, uint32_t value);

/**
 * cik_vbios - make the expansion ROM's content
 * @rom: CIK_ROM_SIZE bytes
 * @device_id: PCI device id that it says
 *
 * Return: bytes that are used.
 */
size_t cik_vbios(uint8_t *rom, uint16_t device_id);

/* generated from the driver's headers, sorted by offset */
extern const struct mmio_name cik_register_names[];
extern const size_t cik_nr_register_names;

#endif
