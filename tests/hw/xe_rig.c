// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define DESC_HEAD	0
#define DESC_TAIL	1
#define RING_BYTES	HW_PAGE_SIZE
#define LRC_BYTES	(4 * HW_PAGE_SIZE)
#define PATIENCE	200000	/* turns */

const struct xe_config rig_config = {
	.vram = RIG_VRAM_SIZE, .device_id = 0xe20b, .ccs = 1,
	.contexts = 32768, .ggtt = HW_MIB(3584),
};

static int remote_read(void *priv, uint64_t addr, void *buf, size_t len)
{
	struct rig *rig = priv;

	rig->remote_accesses++;
	if (rig->on_remote)
		rig->on_remote(rig, addr, false);
	memcpy(buf, rig->remote + (addr - RIG_REMOTE_ADDR), len);
	return 0;
}

static int remote_write(void *priv, uint64_t addr, const void *buf, size_t len)
{
	struct rig *rig = priv;

	rig->remote_accesses++;
	if (rig->on_remote)
		rig->on_remote(rig, addr, true);
	memcpy(rig->remote + (addr - RIG_REMOTE_ADDR), buf, len);
	return 0;
}

static const struct mem_remote remote_ops = { remote_read, remote_write };

void rig_init(struct rig *rig, const struct xe_config *config,
	      const struct inject *inject)
{
	static const struct inject none;
	void *host;

	/* Half of the tests provoke faults, which would be told on stderr. */
	trace_mask = 0;
	memset(rig, 0, sizeof(*rig));
	rig->vf = xe_vf_new(config ? config : &rig_config,
			    inject ? inject : &none);
	rig->ram_fd = hw_memfd("ram", RIG_RAM_SIZE, &host);
	rig->ram = host;
	rig->remote = calloc(1, RIG_RAM_SIZE);
	mem_set_remote(rig->vf->mem, &remote_ops, rig);
	if (rig->ram_fd < 0 || !rig->remote ||
	    mem_map(rig->vf->mem, RIG_RAM_ADDR, RIG_RAM_SIZE,
		    MEM_READ | MEM_WRITE, rig->ram_fd, 0) ||
	    mem_map(rig->vf->mem, RIG_REMOTE_ADDR, RIG_RAM_SIZE,
		    MEM_READ | MEM_WRITE, -1, 0))
		hw_die(1, "no memory for the rig");
	rig->ggtt_next = RIG_GGTT_START;
}

void rig_free(struct rig *rig)
{
	xe_vf_free(rig->vf);
	munmap(rig->ram, RIG_RAM_SIZE);
	close(rig->ram_fd);
	free(rig->remote);
}

void rig_set_pte(struct rig *rig, uint64_t ggtt, uint64_t pte)
{
	if (pci_bar_write(&rig->vf->pci, 0, XE_GGTT_OFFSET +
			  ggtt / HW_PAGE_SIZE * 8, &pte, 8))
		hw_die(1, "GGTT address %#llx", (unsigned long long)ggtt);
}

struct rig_buf rig_buf(struct rig *rig, enum rig_where where, uint64_t size)
{
	struct rig_buf buf = { .where = where, .ggtt = rig->ggtt_next };
	uint64_t at = rig->used[where], i;

	buf.size = (size + HW_PAGE_SIZE - 1) & ~(HW_PAGE_SIZE - 1);
	if (buf.size > (where == RIG_VRAM ? rig->vf->config.vram :
					    RIG_RAM_SIZE) - at)
		hw_die(1, "the rig's memory is full");
	switch (where) {
	case RIG_VRAM:
		buf.addr = at;
		buf.host = rig->vf->vram + at;
		break;
	case RIG_RAM:
		buf.addr = RIG_RAM_ADDR + at;
		buf.host = rig->ram + at;
		break;
	case RIG_REMOTE:
		buf.addr = RIG_REMOTE_ADDR + at;
		buf.host = rig->remote + at;
		break;
	}
	memset(buf.host, 0, buf.size);
	for (i = 0; i < buf.size; i += HW_PAGE_SIZE)
		rig_set_pte(rig, buf.ggtt + i, (buf.addr + i) |
			    XE_PAGE_PRESENT |
			    (where == RIG_VRAM ? XE_GGTT_PTE_DM : 0));
	rig->used[where] += buf.size;
	/* A hole after each one. */
	rig->ggtt_next += buf.size + HW_PAGE_SIZE;
	return buf;
}

uint32_t rig_dw(const struct rig_buf *buf, unsigned int dw)
{
	uint32_t value;

	memcpy(&value, buf->host + 4 * dw, sizeof(value));
	return value;
}

void rig_set_dw(const struct rig_buf *buf, unsigned int dw, uint32_t value)
{
	memcpy(buf->host + 4 * dw, &value, sizeof(value));
}

uint32_t rig_read(struct rig *rig, uint32_t offset)
{
	uint32_t value;

	if (pci_bar_read(&rig->vf->pci, 0, offset, &value, sizeof(value)))
		hw_die(1, "no register at %#x", offset);
	return value;
}

void rig_write(struct rig *rig, uint32_t offset, uint32_t value)
{
	if (pci_bar_write(&rig->vf->pci, 0, offset, &value, sizeof(value)))
		hw_die(1, "no register at %#x", offset);
}

uint32_t rig_mailbox(struct rig *rig, bool media, uint32_t *dw)
{
	uint32_t flag = media ? MED_VF_SW_FLAG(0).addr : VF_SW_FLAG(0).addr;
	int i;

	for (i = 0; i < VF_SW_FLAG_COUNT; i++)
		rig_write(rig, flag + 4 * i, dw[i]);
	rig_write(rig, media ? MED_GUC_HOST_INTERRUPT.addr :
			       GUC_HOST_INTERRUPT.addr, 1);
	for (i = 0; i < VF_SW_FLAG_COUNT; i++)
		dw[i] = rig_read(rig, flag + 4 * i);
	return dw[0];
}

uint32_t rig_self_cfg(struct rig *rig, uint32_t key, uint64_t value)
{
	uint32_t dw[4] = { GUC_ACTION_HOST2GUC_SELF_CFG, key << 16 | 2,
			   LO(value), HI(value) };

	return rig_mailbox(rig, false, dw);
}

void rig_ctb(struct rig *rig, enum rig_where where, uint32_t h2g_dwords,
	     uint32_t g2h_dwords)
{
	uint32_t dw[4] = { GUC_ACTION_HOST2GUC_CONTROL_CTB, 1 };

	rig->irq = rig_buf(rig, RIG_RAM, HW_PAGE_SIZE);
	rig->h2g_desc = rig_buf(rig, where, 64);
	rig->g2h_desc = rig_buf(rig, where, 64);
	rig->h2g = rig_buf(rig, where, 4 * h2g_dwords);
	rig->g2h = rig_buf(rig, where, 4 * g2h_dwords);
	rig->h2g_dwords = h2g_dwords;
	rig->g2h_dwords = g2h_dwords;
	rig_self_cfg(rig, GUC_KLV_SELF_CFG_MEMIRQ_STATUS_ADDR_KEY,
		     rig->irq.ggtt + 0x190);
	rig_self_cfg(rig, GUC_KLV_SELF_CFG_MEMIRQ_SOURCE_ADDR_KEY,
		     rig->irq.ggtt + 0x419);
	rig_self_cfg(rig, GUC_KLV_SELF_CFG_H2G_CTB_DESCRIPTOR_ADDR_KEY,
		     rig->h2g_desc.ggtt);
	rig_self_cfg(rig, GUC_KLV_SELF_CFG_H2G_CTB_ADDR_KEY, rig->h2g.ggtt);
	rig_self_cfg(rig, GUC_KLV_SELF_CFG_H2G_CTB_SIZE_KEY, 4 * h2g_dwords);
	rig_self_cfg(rig, GUC_KLV_SELF_CFG_G2H_CTB_DESCRIPTOR_ADDR_KEY,
		     rig->g2h_desc.ggtt);
	rig_self_cfg(rig, GUC_KLV_SELF_CFG_G2H_CTB_ADDR_KEY, rig->g2h.ggtt);
	rig_self_cfg(rig, GUC_KLV_SELF_CFG_G2H_CTB_SIZE_KEY, 4 * g2h_dwords);
	if (rig_mailbox(rig, false, dw) != 0xf0000000)
		hw_die(1, "the rings cannot be enabled: %#x", dw[0]);
}

void rig_h2g_raw(struct rig *rig, const uint32_t *dw, unsigned int len)
{
	uint32_t tail = rig_dw(&rig->h2g_desc, DESC_TAIL);
	unsigned int i;

	for (i = 0; i < len; i++)
		rig_set_dw(&rig->h2g, (tail + i) % rig->h2g_dwords, dw[i]);
	rig_set_dw(&rig->h2g_desc, DESC_TAIL, (tail + len) % rig->h2g_dwords);
}

uint16_t rig_h2g(struct rig *rig, uint32_t type, uint32_t action,
		 const uint32_t *data, unsigned int len)
{
	uint32_t header[2] = {
		FIELD_PREP(GUC_CTB_MSG_0_FENCE, ++rig->fence) |
		FIELD_PREP(GUC_CTB_MSG_0_NUM_DWORDS, len + 1),
		FIELD_PREP(GUC_HXG_MSG_0_TYPE, type) | action,
	};
	rig_h2g_raw(rig, header, 2);
	rig_h2g_raw(rig, data, len);
	return rig->fence;
}

void rig_doorbell(struct rig *rig)
{
	rig_write(rig, GUC_HOST_INTERRUPT.addr, 1);
}

unsigned int rig_g2h(struct rig *rig, uint32_t msg[256])
{
	uint32_t head = rig_dw(&rig->g2h_desc, DESC_HEAD);
	uint32_t tail = rig_dw(&rig->g2h_desc, DESC_TAIL);
	unsigned int len, i;

	if (head == tail)
		return 0;
	len = rig_dw(&rig->g2h, head) & 0xff;
	for (i = 0; i <= len; i++)
		msg[i] = rig_dw(&rig->g2h, (head + i) % rig->g2h_dwords);
	rig_set_dw(&rig->g2h_desc, DESC_HEAD,
		   (head + 1 + len) % rig->g2h_dwords);
	return len;
}

bool rig_event(struct rig *rig, uint32_t action, uint32_t data0)
{
	uint32_t msg[256] = { 0 };
	unsigned int len = rig_g2h(rig, msg);

	if (len >= 2 && msg[1] == (0x90000000 | action) && msg[2] == data0)
		return true;
	printf("#   G2H of %u dwords: %#x %#x %#x, not %#x %#x\n", len, msg[0],
	       msg[1], msg[2], 0x90000000 | action, data0);
	return false;
}

int rig_turn(struct rig *rig)
{
	return rig->vf->pci.ops->work(&rig->vf->pci);
}

int rig_work(struct rig *rig)
{
	int wait = 0, n = PATIENCE;

	while (!wait && n--)
		wait = rig_turn(rig);
	return wait;
}

uint64_t rig_ppgtt(struct rig *rig)
{
	return rig_buf(rig, RIG_VRAM, HW_PAGE_SIZE).addr;
}

void rig_map_entry(struct rig *rig, uint64_t root, uint64_t va,
		   unsigned int level, uint64_t entry)
{
	unsigned int at = 4;
	uint64_t *table = (uint64_t *)(rig->vf->vram + root);

	for (; at > level; at--) {
		uint64_t *pde = &table[va >> (12 + 9 * at) & 511];

		if (!(*pde & XE_PAGE_PRESENT))
			*pde = rig_ppgtt(rig) | XE_PAGE_PRESENT | XE_PAGE_RW;
		table = (uint64_t *)(rig->vf->vram + (*pde & ~0xfffull));
	}
	table[va >> (12 + 9 * level) & 511] = entry;
}

void rig_map(struct rig *rig, uint64_t root, uint64_t va,
	     const struct rig_buf *buf, bool writable)
{
	uint64_t flags = XE_PAGE_PRESENT | (writable ? XE_PAGE_RW : 0) |
			 (buf->where == RIG_VRAM ? XE_PPGTT_PTE_DM : 0);
	uint64_t i;

	for (i = 0; i < buf->size; i += HW_PAGE_SIZE)
		rig_map_entry(rig, root, va + i, 0, (buf->addr + i) | flags);
}

void rig_unmap(struct rig *rig, uint64_t root, uint64_t va, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < size; i += HW_PAGE_SIZE)
		rig_map_entry(rig, root, va + i, 0, 0);
}

uint32_t rig_image(const struct rig_ctx *ctx, unsigned int dw)
{
	return rig_dw(&ctx->lrc, HW_PAGE_SIZE / 4 + dw);
}

void rig_set_image(struct rig_ctx *ctx, unsigned int dw, uint32_t value)
{
	rig_set_dw(&ctx->lrc, HW_PAGE_SIZE / 4 + dw, value);
}

void rig_ctx_make(struct rig *rig, struct rig_ctx *ctx, uint32_t id)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->rig = rig;
	ctx->id = id;
	ctx->root = rig_ppgtt(rig);
	ctx->lrc = rig_buf(rig, RIG_VRAM, LRC_BYTES);
	ctx->ring = rig_buf(rig, RIG_RAM, RING_BYTES);
	rig_set_image(ctx, CTX_RING_START, LO(ctx->ring.ggtt));
	rig_set_image(ctx, CTX_RING_CTL, (RING_BYTES - HW_PAGE_SIZE) | 1);
	rig_set_image(ctx, CTX_PDP0_LDW, LO(ctx->root));
	rig_set_image(ctx, CTX_PDP0_UDW, HI(ctx->root));
	rig_set_image(ctx, CTX_ASID, 0x00100000 | (id + 7));
	rig_set_image(ctx, CTX_INT_STATUS_REPORT_PTR, LO(rig->irq.ggtt));
	rig_set_image(ctx, CTX_INT_SRC_REPORT_PTR,
		      LO(rig->irq.ggtt + 0x400));
}

void rig_ctx_register(struct rig_ctx *ctx, uint32_t class, uint32_t mask)
{
	/* The low bits of the LRC address are flags. */
	rig_send(ctx->rig, GUC_HXG_TYPE_FAST_REQUEST,
		 XE_GUC_ACTION_REGISTER_CONTEXT, 1, ctx->id, class, mask,
		 0, 0, 0, 0, 0, LO(ctx->lrc.ggtt) | 0x19, 0);
}

void rig_ctx(struct rig *rig, struct rig_ctx *ctx, uint32_t id, uint32_t class,
	     uint32_t mask)
{
	rig_ctx_make(rig, ctx, id);
	rig_ctx_register(ctx, class, mask);
	rig_send(rig, GUC_HXG_TYPE_FAST_REQUEST,
		 XE_GUC_ACTION_SCHED_CONTEXT_MODE_SET, id, 1);
	if (!rig_event(rig, XE_GUC_ACTION_SCHED_CONTEXT_MODE_DONE, id))
		hw_die(1, "context %u cannot be enabled", id);
}

void rig_emit(struct rig_ctx *ctx, const uint32_t *dw, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++, ctx->tail = (ctx->tail + 4) % RING_BYTES)
		rig_set_dw(&ctx->ring, ctx->tail / 4, dw[i]);
}

void rig_schedule(struct rig_ctx *ctx)
{
	uint32_t id = ctx->id;

	/* The tail counts in 8 bytes. */
	if (ctx->tail % 8)
		EMIT(ctx, MI_NOOP);
	rig_set_image(ctx, CTX_RING_TAIL, ctx->tail);
	rig_h2g(ctx->rig, GUC_HXG_TYPE_FAST_REQUEST,
		XE_GUC_ACTION_SCHED_CONTEXT, &id, 1);
	rig_doorbell(ctx->rig);
}

int rig_submit(struct rig_ctx *ctx)
{
	rig_schedule(ctx);
	return rig_work(ctx->rig);
}

bool rig_idle(const struct rig_ctx *ctx)
{
	return rig_image(ctx, CTX_RING_HEAD) == ctx->tail;
}

unsigned int rig_batch(const struct rig_buf *buf, unsigned int at,
		       const uint32_t *dw, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		rig_set_dw(buf, at + i, dw[i]);
	return at + len;
}

void rig_ctb_enable(struct rig *rig)
{
	uint32_t dw[4] = { GUC_ACTION_HOST2GUC_CONTROL_CTB, 1 };

	memset(rig->h2g_desc.host, 0, 64);
	memset(rig->g2h_desc.host, 0, 64);
	rig_self_cfg(rig, 0x0902, rig->h2g.ggtt);
	rig_self_cfg(rig, 0x0903, rig->h2g_desc.ggtt);
	rig_self_cfg(rig, 0x0904, 4 * rig->h2g_dwords);
	rig_self_cfg(rig, 0x0905, rig->g2h.ggtt);
	rig_self_cfg(rig, 0x0906, rig->g2h_desc.ggtt);
	rig_self_cfg(rig, 0x0907, 4 * rig->g2h_dwords);
	rig_mailbox(rig, false, dw);
}
