/* SPDX-License-Identifier: MIT */
/*
 * A Battlemage G21 as an SR-IOV virtual function, as its driver sees it. See
 * Documentation/hw/xe-battlemage-vf.rst for what is modelled and what is not.
 */
#ifndef HW_XE_XE_H
#define HW_XE_XE_H

#include "core/inject.h"
#include "core/mem.h"
#include "core/mmio.h"
#include "core/pci.h"
#include "core/trace.h"
#include "core/util.h"
#include "xe/as.h"
#include "xe/guc.h"

#define XE_BAR_GTTMMADR	0	/* registers and GGTT */
#define XE_BAR_LMEM	2	/* VRAM */

#define XE_REGS_SIZE	HW_MIB(4)
#define XE_GGTT_OFFSET	HW_MIB(8)
#define XE_GGTT_BYTES	HW_MIB(8)
#define XE_BAR0_SIZE	HW_MIB(16)

/* Context ids; the driver asks for how many there are (NUM_CONTEXTS). */
#define XE_MAX_CONTEXTS	65536

struct xe_ctx;

/**
 * struct xe_config - options of the command line
 * @vram: bytes of VRAM, a multiple of 2 MiB
 * @visible: bytes of it that BAR 2 shows, a power of two; 0: all of it
 * @device_id: PCI device id
 * @ccs: compute engines that are not fused off, 0-4
 * @contexts: value of NUM_CONTEXTS
 * @ggtt: bytes of GGTT that this function owns
 * @strict: fail at the end if an unknown register was touched
 */
struct xe_config {
	uint64_t vram;
	uint64_t visible;
	uint16_t device_id;
	unsigned int ccs;
	unsigned int contexts;
	uint64_t ggtt;
	bool strict;
};

/**
 * struct xe_stats - counters for the trace's last lines and for tests
 */
struct xe_stats {
	uint64_t commands;
	uint64_t bytes_copied;
	uint64_t bytes_filled;
	uint64_t h2g;
	uint64_t g2h;
	uint64_t faults;
};

#define XE_UNKNOWN	32

/**
 * struct xe_unknown - commands that nobody models, for the account at the end
 * @opcode: bits 31:22 of the first dword
 * @count: how many were skipped
 */
struct xe_unknown {
	uint32_t opcode;
	uint64_t count;
};

/**
 * struct xe_vf - the device
 * @pci: the function
 * @mem: system memory, by DMA address
 * @mmio: registers of the first 4 MiB of BAR 0
 * @inject: faults that the command line asked for
 * @config: options
 * @bar0: memory of BAR 0; only the GGTT part and what lies between are used
 * @vram: the device memory
 * @vram_bytes: mapped for it, as many as BAR 2 has if that is larger
 * @guc: firmware of the primary and of the media GT, which is fused off
 * @context: by id
 * @nr_contexts: how many there are
 * @runq: contexts with work, in the order in which they take turns
 * @current: the context that is being worked on
 * @unknown: commands that were skipped, ended by a count of 0
 * @fault: what the last failing translation was about
 */
struct xe_vf {
	struct pci_dev pci;
	struct mem *mem;
	struct mmio *mmio;
	struct inject inject;
	struct xe_config config;
	struct xe_stats stats;
	uint8_t *bar0;
	uint8_t *vram;
	uint64_t vram_bytes;
	struct xe_guc guc;
	struct xe_guc media;
	struct xe_ctx *context[XE_MAX_CONTEXTS];
	unsigned int nr_contexts;
	struct xe_ctx *runq;
	struct xe_ctx **runq_tail;
	struct xe_ctx *current;
	struct xe_unknown unknown[XE_UNKNOWN];
	struct xe_fault fault;
};

extern const char *const xe_inject_points[];

/**
 * xe_vf_new - make a device
 * @config: its options
 * @inject: faults, copied
 *
 * Ends the process if there is no memory for it.
 */
struct xe_vf *xe_vf_new(const struct xe_config *config,
			const struct inject *inject);
void xe_vf_free(struct xe_vf *vf);

/**
 * xe_vf_report - what the driver used and nobody models
 * @vf: the device
 *
 * Writes registers and commands to the trace.
 *
 * Return: how many of either there are, tolerated registers not counted.
 */
size_t xe_vf_report(struct xe_vf *vf);

/* regs.c */
struct mmio *xe_regs_new(struct xe_vf *vf);
uint32_t xe_runtime_register(struct xe_vf *vf, unsigned int index,
			     uint32_t *offset);
unsigned int xe_runtime_registers(void);

/* generated from the driver's headers, sorted by offset */
extern const struct mmio_name xe_register_names[];
extern const size_t xe_nr_register_names;

#endif
