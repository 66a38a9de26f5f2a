/* SPDX-License-Identifier: MIT */
/* Contexts, which the GuC schedules, and what an engine does for one of them. */
#ifndef HW_XE_CTX_H
#define HW_XE_CTX_H

#include "xe/as.h"
#include "xe/xe.h"

#define XE_CTX_STACK	3	/* batches within batches */
#define XE_CTX_REGS	1024	/* registers of the engine: offsets 0-0xffc */
#define XE_CTX_OTHER	512	/* a power of two */

/**
 * struct xe_engine - an engine of the primary GT
 * @name: as the driver names it
 * @class: GuC class
 * @logical: bit in the submit mask
 * @vector: memory based interrupt
 */
struct xe_engine {
	const char *name;
	unsigned int class;
	unsigned int logical;
	unsigned int vector;
};

/**
 * struct xe_batch - a batch buffer that is being executed
 * @as: address space that it is fetched from
 * @va: next command
 */
struct xe_batch {
	struct xe_as as;
	uint64_t va;
};

/**
 * struct xe_ring - what the image says about the ring
 * @start: GGTT address
 * @size: bytes
 * @tail: offset behind the last command
 */
struct xe_ring {
	uint64_t start;
	uint32_t size;
	uint32_t tail;
};

/**
 * struct xe_ctx - a context
 * @id: the GuC's id
 * @engine: where it runs
 * @lrc: GGTT address of its state: a page of hardware status, then the image
 * @ppgtt: its VM, read from the image each time it gets a turn
 * @enabled: the scheduler may run it
 * @queued: it is in the run queue
 * @waiting: for a semaphore; asked again and again
 * @hung: injected: never does anything again
 * @page_fault: waits for the driver's answer to a page fault
 * @dead: destroyed while somebody works on it, who frees it
 * @have_head: @head was read from the image once
 * @ring: read from the image each time it gets a turn
 * @head: offset in the ring of the next command
 * @stack: batches, the innermost last
 * @depth: how many of them there are
 * @progress: bytes of the current command that are done
 * @budget: what is left of the turn
 * @moved: bytes that this turn copied or filled
 * @hot: turns in a row in which it did nothing but execute commands
 * @wake: hw_now() time until which an injected delay holds it
 * @run_since: hw_now() time when it got work
 * @run_time: nanoseconds for which it had work before that
 * @watchdog: the watchdog of the engine is armed
 * @regs: the engine's registers
 * @other: registers elsewhere, by offset, hashed
 */
struct xe_ctx {
	struct xe_vf *vf;
	struct xe_ctx *next;
	uint32_t id;
	const struct xe_engine *engine;
	uint64_t lrc;
	struct xe_as ppgtt;
	bool enabled;
	bool queued;
	bool waiting;
	bool hung;
	bool page_fault;
	bool dead;
	bool have_head;
	struct xe_ring ring;
	uint32_t head;
	struct xe_batch stack[XE_CTX_STACK];
	unsigned int depth;
	uint64_t progress;
	int64_t budget;
	uint64_t moved;
	unsigned int hot;
	uint64_t wake;
	uint64_t run_since;
	uint64_t run_time;
	bool watchdog;
	uint32_t regs[XE_CTX_REGS];
	struct {
		uint32_t offset;
		uint32_t value;
	} other[XE_CTX_OTHER];
	uint64_t last_va;
	uint32_t last_command;
};

/* ctx.c */
struct xe_ctx *xe_ctx_find(struct xe_vf *vf, uint32_t id);
int xe_ctx_register(struct xe_vf *vf, uint32_t id, uint32_t class,
		    uint32_t submit_mask, uint64_t hwlrca);
void xe_ctx_destroy(struct xe_ctx *ctx);
void xe_ctx_destroy_all(struct xe_vf *vf);
void xe_ctx_enable(struct xe_ctx *ctx, bool enable);

/* There may be work: the ring's tail moved, or a page fault was answered. */
void xe_ctx_kick(struct xe_ctx *ctx);

/* The answer to a page fault. */
void xe_ctx_fault_done(struct xe_ctx *ctx, bool repaired);

/**
 * xe_sched_work - a turn for each context that has work
 * @vf: the device
 *
 * Return: milliseconds until the next turn, as &pci_ops.work.
 */
int xe_sched_work(struct xe_vf *vf);

/* Image of the context in GGTT memory, by dword. */
int xe_ctx_image_read(struct xe_ctx *ctx, unsigned int dw, uint32_t *value);
int xe_ctx_image_write(struct xe_ctx *ctx, unsigned int dw, uint32_t value);
void xe_ctx_save(struct xe_ctx *ctx);
uint64_t xe_ctx_timestamp(struct xe_ctx *ctx);
uint64_t xe_gpu_timestamp(void);

/* Registers as commands name them: absolute, or relative to the engine. */
uint32_t xe_ctx_reg_read(struct xe_ctx *ctx, uint32_t offset, bool relative);
void xe_ctx_reg_write(struct xe_ctx *ctx, uint32_t offset, bool relative,
		      uint32_t value);

/**
 * enum xe_turn - how a turn ended
 */
enum xe_turn {
	XE_TURN_IDLE,	/* nothing is left to do */
	XE_TURN_MORE,	/* the budget ended */
	XE_TURN_WAIT,	/* nothing to do before something else happens */
	XE_TURN_FAULT,	/* -EFAULT: xe_vf.fault says why */
};

/**
 * xe_engine_run - execute commands of a context
 * @ctx: the context
 *
 * Runs until the ring is empty, the budget ends, or a command has to wait, and
 * then saves what the driver looks at in the image.
 */
enum xe_turn xe_engine_run(struct xe_ctx *ctx);

/*
 * Whether the command at the ring's head, of @len dwords, is the last one before
 * the interrupt: the write that ends a job.
 */
bool xe_engine_at_fence(struct xe_ctx *ctx, unsigned int len);

#endif
