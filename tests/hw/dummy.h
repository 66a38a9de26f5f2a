/* SPDX-License-Identifier: GPL-2.0-only */
/* A function that exists for tests: every kind of BAR, registers that do DMA. */
#ifndef TESTS_HW_DUMMY_H
#define TESTS_HW_DUMMY_H

#include "core/mem.h"
#include "core/pci.h"

/* BAR0: registers, then memory with a hole. */
#define DUMMY_BAR0_SIZE	0x10000
#define DUMMY_AREA0	0x1000	/* to here registers; mapped */
#define DUMMY_HOLE	0x4000	/* trapped, reads as DUMMY_HOLE_VALUE */
#define DUMMY_AREA1	0x8000	/* mapped */
#define DUMMY_HOLE_VALUE 0xdeadbeefu

#define DUMMY_BAR2_SIZE	0x1000000	/* memory */
#define DUMMY_BAR4_SIZE	0x1000		/* 32 bit, nothing behind it */
#define DUMMY_ROM_SIZE	0x800		/* bytes count up */

/* Registers. */
#define DUMMY_ID	0x00	/* DUMMY_ID_VALUE */
#define DUMMY_SCRATCH	0x04
#define DUMMY_ADDR_LO	0x08	/* of DMA */
#define DUMMY_ADDR_HI	0x0c
#define DUMMY_LEN	0x10	/* bytes, to and from the start of BAR2 */
#define DUMMY_COMMAND	0x14	/* one of enum dummy_command */
#define DUMMY_STATUS	0x18	/* errno of the last command */
#define DUMMY_DONE	0x1c	/* commands that are done */
#define DUMMY_BUSY	0x20	/* commands that are under way */
#define DUMMY_ID_VALUE	0x796d6d64u

enum dummy_command {
	DUMMY_DMA_READ = 1,	/* these two: by &pci_ops.work */
	DUMMY_DMA_WRITE,
	DUMMY_DMA_READ_NOW,	/* within the register write */
	DUMMY_MSI,
	DUMMY_POLL,		/* asks for 20 calls of work without a message */
};

/**
 * struct dummy - the function
 * @work_calls: how often &pci_ops.work was called
 * @reentered: how often within itself: must stay 0
 * @odd: accesses that no bus makes: must stay 0
 */
struct dummy {
	struct pci_dev pci;
	struct mem *mem;
	uint32_t scratch, addr[2], len, status, done, busy;
	uint32_t command;	/* that waits for work */
	unsigned int polls;
	unsigned int resets;
	unsigned int config_writes;
	unsigned int work_calls, reentered, odd;
	bool working;
	_Alignas(8) uint8_t rom[DUMMY_ROM_SIZE];
};

/* 0 or a negative errno. */
int dummy_init(struct dummy *dummy);
void dummy_free(struct dummy *dummy);

#endif
