/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the Battlemage VF with what its driver would have set up: system
 * memory, GGTT entries, page tables, message rings, contexts. It talks to the
 * model as a driver does, by registers and memory, and shares no code with it
 * but the driver's headers.
 */
#ifndef TESTS_HW_XE_RIG_H
#define TESTS_HW_XE_RIG_H

#include "xe/xe.h"

#define RIG_VRAM_SIZE	HW_MIB(16)
#define RIG_RAM_SIZE	HW_MIB(4)
#define RIG_RAM_ADDR	HW_GIB(4)	/* needs more than 32 bits */
#define RIG_GGTT_START	HW_MIB(256)

/* Where system memory is that only messages reach, if a test wants it. */
#define RIG_REMOTE_ADDR	HW_GIB(8)

enum rig_where {
	RIG_VRAM,
	RIG_RAM,
	RIG_REMOTE,
};

/**
 * struct rig_buf - memory that the GPU can reach
 * @where: what kind
 * @addr: offset into VRAM, or DMA address
 * @ggtt: GGTT address
 * @size: bytes
 * @host: the same memory for the test
 */
struct rig_buf {
	enum rig_where where;
	uint64_t addr;
	uint64_t ggtt;
	uint64_t size;
	uint8_t *host;
};

/**
 * struct rig - the model and its surroundings
 * @vf: the model
 * @ram: system memory
 * @remote: what is behind RIG_REMOTE_ADDR
 * @used: bytes given out, by &enum rig_where
 * @ggtt_next: first GGTT address that is free
 * @h2g: descriptor and ring, and G2H
 * @h2g_tail: where the next message goes
 * @fence: of the last message
 * @irq: the page of memory based interrupts
 * @on_remote: called at each access to remote memory, before it is done
 */
struct rig {
	struct xe_vf *vf;
	uint8_t *ram;
	int ram_fd;
	uint8_t *remote;
	uint64_t used[3];
	uint64_t ggtt_next;
	struct rig_buf h2g_desc, h2g, g2h_desc, g2h;
	uint32_t h2g_dwords, g2h_dwords;
	uint16_t fence;
	struct rig_buf irq;
	void (*on_remote)(struct rig *rig, uint64_t addr, bool write);
	unsigned int remote_accesses;
};

extern const struct xe_config rig_config;

/* No message rings yet. NULL: rig_config, no faults. Ends the program if it fails. */
void rig_init(struct rig *rig, const struct xe_config *config,
	      const struct inject *inject);
void rig_free(struct rig *rig);

/* Memory of the driver's, cleared, mapped in the GGTT. */
struct rig_buf rig_buf(struct rig *rig, enum rig_where where, uint64_t size);
void rig_set_pte(struct rig *rig, uint64_t ggtt, uint64_t pte);
uint32_t rig_dw(const struct rig_buf *buf, unsigned int dw);
void rig_set_dw(const struct rig_buf *buf, unsigned int dw, uint32_t value);

/* Registers, as the driver accesses them. */
uint32_t rig_read(struct rig *rig, uint32_t offset);
void rig_write(struct rig *rig, uint32_t offset, uint32_t value);

/* A mailbox exchange: @dw holds the request and then the answer, four dwords. */
uint32_t rig_mailbox(struct rig *rig, bool media, uint32_t *dw);
uint32_t rig_self_cfg(struct rig *rig, uint32_t key, uint64_t value);

/* The memory interrupt page and both rings; the rings' sizes in dwords. */
void rig_ctb(struct rig *rig, enum rig_where where, uint32_t h2g_dwords,
	     uint32_t g2h_dwords);

/* The rings of rig_ctb() again, empty: after a reset, or in the middle of something. */
void rig_ctb_enable(struct rig *rig);

/* Puts dwords of the ring as they are and moves the tail; no doorbell. */
void rig_h2g_raw(struct rig *rig, const uint32_t *dw, unsigned int len);

/* A message with a header; no doorbell. Returns its fence. */
uint16_t rig_h2g(struct rig *rig, uint32_t type, uint32_t action,
		 const uint32_t *data, unsigned int len);
void rig_doorbell(struct rig *rig);

/* Both, then rig_work(). */
#define rig_send(rig, type, action, ...)				\
	({								\
		const uint32_t data_[] = { __VA_ARGS__ };		\
		uint16_t fence_ = rig_h2g(rig, type, action, data_,	\
					  ARRAY_SIZE(data_));		\
									\
		rig_doorbell(rig);					\
		rig_work(rig);						\
		fence_;							\
	})

/**
 * rig_g2h - take a message of the firmware's off the ring
 * @rig: the rig
 * @msg: receives the CTB header and the message
 *
 * Return: dwords of the message without the header, 0 if there is none.
 */
unsigned int rig_g2h(struct rig *rig, uint32_t msg[256]);

/* The next message is an event of @action with @data0; else complains. */
bool rig_event(struct rig *rig, uint32_t action, uint32_t data0);

/* Turns until the model wants to sleep; what it returned last. */
int rig_work(struct rig *rig);

/* One turn. */
int rig_turn(struct rig *rig);

/* Page tables: the root's VRAM offset, and entries at a level. */
uint64_t rig_ppgtt(struct rig *rig);
void rig_map_entry(struct rig *rig, uint64_t root, uint64_t va,
		   unsigned int level, uint64_t entry);
void rig_map(struct rig *rig, uint64_t root, uint64_t va,
	     const struct rig_buf *buf, bool writable);
void rig_unmap(struct rig *rig, uint64_t root, uint64_t va, uint64_t size);

/**
 * struct rig_ctx - a context as its driver sees it
 * @rig: where it is
 * @id: the GuC's id
 * @root: of its page tables
 * @lrc: page of status, then the image
 * @ring: commands
 * @tail: where the next command goes
 */
struct rig_ctx {
	struct rig *rig;
	uint32_t id;
	uint64_t root;
	struct rig_buf lrc;
	struct rig_buf ring;
	uint32_t tail;
};

/* Makes, registers and enables it; takes the answer. */
void rig_ctx(struct rig *rig, struct rig_ctx *ctx, uint32_t id, uint32_t class,
	     uint32_t mask);
/* Without registering it. */
void rig_ctx_make(struct rig *rig, struct rig_ctx *ctx, uint32_t id);
void rig_ctx_register(struct rig_ctx *ctx, uint32_t class, uint32_t mask);
uint32_t rig_image(const struct rig_ctx *ctx, unsigned int dw);
void rig_set_image(struct rig_ctx *ctx, unsigned int dw, uint32_t value);

/* Commands into the ring; rig_submit() moves the tail and works. */
void rig_emit(struct rig_ctx *ctx, const uint32_t *dw, unsigned int len);
int rig_submit(struct rig_ctx *ctx);
/* The same without work. */
void rig_schedule(struct rig_ctx *ctx);

/* The ring is empty and no batch is left. */
bool rig_idle(const struct rig_ctx *ctx);

#define EMIT(ctx, ...)							\
	do {								\
		const uint32_t dw_[] = { __VA_ARGS__ };			\
									\
		rig_emit(ctx, dw_, ARRAY_SIZE(dw_));			\
	} while (0)

/* Commands into a batch buffer, from @at in dwords; where the next would go. */
unsigned int rig_batch(const struct rig_buf *buf, unsigned int at,
		       const uint32_t *dw, unsigned int len);

#define BATCH(buf, at, ...)						\
	({								\
		const uint32_t dw_[] = { __VA_ARGS__ };			\
									\
		rig_batch(buf, at, dw_, ARRAY_SIZE(dw_));		\
	})

#define LO(x) ((uint32_t)(x))
#define HI(x) ((uint32_t)((uint64_t)(x) >> 32))

#endif
