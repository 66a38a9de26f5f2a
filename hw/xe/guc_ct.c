// SPDX-License-Identifier: MIT
/*
 * Command transport buffers. Both rings and their descriptors are wherever the GGTT
 * says: the driver moves them to VRAM while it probes, so every access translates
 * anew. Head and tail are in dwords.
 *
 * The driver's credits for messages from the firmware count exact lengths, so
 * nothing is sent beyond what an action is defined to answer.
 */
#include <errno.h>
#include <string.h>

#include "xe/driver.h"
#include "xe/xe.h"

/* Messages in one turn: register accesses must not wait for long. */
#define H2G_BUDGET	64

#define DESC(field)	offsetof(struct guc_ct_buffer_desc, field)

static uint64_t self_cfg(struct xe_guc *guc, uint32_t key)
{
	return guc->self_cfg[key - GUC_KLV_SELF_CFG_MEMIRQ_STATUS_ADDR_KEY];
}

static bool valid(const struct xe_ctb *ctb)
{
	return ctb->desc && ctb->ring && ctb->size >= 64 &&
	       ctb->size <= 1 << 20;
}

bool xe_guc_ct_enable(struct xe_guc *guc, bool enable)
{
	guc->generation++;
	guc->ct_enabled = false;
	guc->kicked = false;
	guc->nr_pending = 0;
	if (!enable)
		return true;

	guc->h2g = (struct xe_ctb){
		self_cfg(guc, GUC_KLV_SELF_CFG_H2G_CTB_DESCRIPTOR_ADDR_KEY),
		self_cfg(guc, GUC_KLV_SELF_CFG_H2G_CTB_ADDR_KEY),
		self_cfg(guc, GUC_KLV_SELF_CFG_H2G_CTB_SIZE_KEY) / 4,
	};
	guc->g2h = (struct xe_ctb){
		self_cfg(guc, GUC_KLV_SELF_CFG_G2H_CTB_DESCRIPTOR_ADDR_KEY),
		self_cfg(guc, GUC_KLV_SELF_CFG_G2H_CTB_ADDR_KEY),
		self_cfg(guc, GUC_KLV_SELF_CFG_G2H_CTB_SIZE_KEY) / 4,
	};
	guc->ct_enabled = valid(&guc->h2g) && valid(&guc->g2h);
	return guc->ct_enabled;
}

/* The ring cannot be used any more. The driver finds the reason in status. */
static void broken(struct xe_guc *guc, const struct xe_ctb *ctb,
		   uint32_t status, const char *what)
{
	struct xe_as ggtt = { .vf = guc->vf, .ggtt = true };

	trace(TRACE_FAULT, "CTB at %#llx: %s",
	      (unsigned long long)ctb->ring, what);
	xe_as_write32(&ggtt, ctb->desc + DESC(status),
		      status | GUC_CTB_STATUS_DISABLED);
	guc->ct_enabled = false;
}

/*
 * @ctb is the caller's copy: memory may be remote, and while it is accessed the
 * driver may set up other rings, which changes the generation.
 */
static int read_indices(struct xe_guc *guc, const struct xe_ctb *ctb,
			uint32_t *head, uint32_t *tail)
{
	struct xe_as ggtt = { .vf = guc->vf, .ggtt = true };
	unsigned int generation = guc->generation;
	int ret;

	ret = xe_as_read32(&ggtt, ctb->desc + DESC(head), head);
	if (!ret)
		ret = xe_as_read32(&ggtt, ctb->desc + DESC(tail), tail);
	if (generation != guc->generation)
		return -EAGAIN;
	if (ret) {
		broken(guc, ctb, GUC_CTB_STATUS_NO_ERROR,
		       guc->vf->fault.what);
		return -EFAULT;
	}
	if (*head >= ctb->size || *tail >= ctb->size) {
		broken(guc, ctb, GUC_CTB_STATUS_OVERFLOW,
		       "head or tail beyond the end");
		return -EPROTO;
	}
	return 0;
}

/*
 * Takes one message off the ring: the header and @msg.
 *
 * Returns its dwords without the header, 0 for an empty ring or padding, or a
 * negative errno.
 */
static int take(struct xe_guc *guc, uint32_t *header, uint32_t *msg)
{
	struct xe_as ggtt = { .vf = guc->vf, .ggtt = true };
	const struct xe_ctb copy = guc->h2g, *ctb = &copy;
	unsigned int generation = guc->generation;
	uint32_t head, tail, used, len, i;
	int ret;

	ret = read_indices(guc, ctb, &head, &tail);
	if (ret)
		return ret;
	if (head == tail)
		return -EAGAIN;
	used = (tail + ctb->size - head) % ctb->size;
	if (xe_as_read32(&ggtt, ctb->ring + 4 * head, header))
		goto fault;
	/*
	 * Before it wraps around the driver clears what is left and sets the
	 * tail without a doorbell: a zero dword is a message of no length.
	 */
	len = FIELD_GET(GUC_CTB_MSG_0_NUM_DWORDS, *header);
	if (generation != guc->generation)
		return -EAGAIN;
	if (len >= used) {
		broken(guc, ctb, GUC_CTB_STATUS_UNDERFLOW,
		       "a message is longer than what is in the ring");
		return -EPROTO;
	}
	for (i = 0; i < len; i++)
		if (xe_as_read32(&ggtt, ctb->ring +
				 4 * ((head + 1 + i) % ctb->size), &msg[i]))
			goto fault;
	if (generation != guc->generation)
		return -EAGAIN;
	if (xe_as_write32(&ggtt, ctb->desc + DESC(head),
			  (head + 1 + len) % ctb->size))
		goto fault;
	return generation == guc->generation ? (int)len : -EAGAIN;

fault:
	if (generation != guc->generation)
		return -EAGAIN;
	broken(guc, ctb, GUC_CTB_STATUS_NO_ERROR, guc->vf->fault.what);
	return -EFAULT;
}

/* Whether @g2h went into the ring. */
static bool put(struct xe_guc *guc, const struct xe_g2h *g2h)
{
	struct xe_as ggtt = { .vf = guc->vf, .ggtt = true };
	const struct xe_ctb copy = guc->g2h, *ctb = &copy;
	unsigned int generation = guc->generation;
	uint32_t head, tail, i, header;

	if (read_indices(guc, ctb, &head, &tail))
		return true;	/* the ring is gone, and so is the message */
	if ((head + ctb->size - tail - 1) % ctb->size < g2h->len + 1u)
		return false;

	header = FIELD_PREP(GUC_CTB_MSG_0_FENCE, g2h->fence) |
		 FIELD_PREP(GUC_CTB_MSG_0_FORMAT, GUC_CTB_FORMAT_HXG) |
		 FIELD_PREP(GUC_CTB_MSG_0_NUM_DWORDS, g2h->len);
	for (i = 0; i <= g2h->len; i++) {
		uint32_t dw = i ? g2h->msg[i - 1] : header;

		if (xe_as_write32(&ggtt, ctb->ring +
				  4 * ((tail + i) % ctb->size), dw))
			goto fault;
		if (generation != guc->generation)
			return true;
	}
	if (xe_as_write32(&ggtt, ctb->desc + DESC(tail),
			  (tail + 1 + g2h->len) % ctb->size))
		goto fault;
	guc->vf->stats.g2h++;
	xe_memirq_guc(guc);
	return true;

fault:
	if (generation != guc->generation)
		return true;
	broken(guc, ctb, GUC_CTB_STATUS_NO_ERROR, guc->vf->fault.what);
	return true;
}

/* In order: a message that has to wait holds up those after it. */
static int send_pending(struct xe_guc *guc)
{
	unsigned int generation = guc->generation;
	uint64_t now = hw_now();
	unsigned int n = 0;
	int wait = -1;

	while (guc->ct_enabled && n < guc->nr_pending) {
		if (guc->pending[n].due > now) {
			wait = (guc->pending[n].due - now) / 1000000 + 1;
			break;
		}
		if (!put(guc, &guc->pending[n])) {
			wait = 1;	/* the driver will make room */
			break;
		}
		if (generation != guc->generation)
			return 0;	/* another list of other rings */
		n++;
	}
	/* If the ring broke the list is of no use to anybody. */
	if (!guc->ct_enabled)
		n = guc->nr_pending;
	guc->nr_pending -= n;
	memmove(guc->pending, guc->pending + n,
		guc->nr_pending * sizeof(*guc->pending));
	return wait;
}

void xe_guc_send(struct xe_guc *guc, uint16_t fence, const uint32_t *msg,
		 unsigned int len)
{
	uint32_t action = FIELD_GET(GUC_HXG_EVENT_MSG_0_ACTION, msg[0]);
	const struct inject_rule *rule;
	struct xe_g2h *g2h;

	trace(TRACE_MSG, "  G2H fence %#x: %#x %#x %#x, %u dwords", fence,
	      msg[0], len > 1 ? msg[1] : 0, len > 2 ? msg[2] : 0, len);
	if (!guc->ct_enabled)
		return;
	if (inject_hit(&guc->vf->inject, "g2h-drop", action))
		return;
	if (guc->nr_pending == XE_G2H_PENDING ||
	    len > ARRAY_SIZE(guc->pending[0].msg)) {
		broken(guc, &guc->g2h, GUC_CTB_STATUS_OVERFLOW,
		       "the driver does not take its messages");
		return;
	}
	g2h = &guc->pending[guc->nr_pending++];
	g2h->fence = fence;
	g2h->len = len;
	memcpy(g2h->msg, msg, len * sizeof(*msg));
	rule = inject_hit(&guc->vf->inject, "g2h-delay", action);
	g2h->due = rule ? hw_now() + rule->ms * 1000000ull : 0;
	send_pending(guc);
}

void xe_guc_event(struct xe_guc *guc, uint32_t action, const uint32_t *data,
		  unsigned int len)
{
	uint32_t msg[ARRAY_SIZE(guc->pending[0].msg)];

	len = hw_min(len, ARRAY_SIZE(msg) - 1);
	msg[0] = FIELD_PREP(GUC_HXG_MSG_0_ORIGIN, GUC_HXG_ORIGIN_GUC) |
		 FIELD_PREP(GUC_HXG_MSG_0_TYPE, GUC_HXG_TYPE_EVENT) |
		 FIELD_PREP(GUC_HXG_EVENT_MSG_0_ACTION, action);
	memcpy(&msg[1], data, len * sizeof(*data));
	xe_guc_send(guc, 0, msg, len + 1);
}

int xe_guc_ct_work(struct xe_guc *guc)
{
	uint32_t msg[GUC_CTB_MAX_DWORDS];
	unsigned int budget = H2G_BUDGET;
	uint32_t header;
	int len = -EAGAIN;

	while (guc->ct_enabled && guc->kicked && budget--) {
		unsigned int generation = guc->generation;

		len = take(guc, &header, msg);
		if (len < 0) {
			if (generation == guc->generation)
				guc->kicked = false;
			break;
		}
		if (!len)
			continue;
		guc->vf->stats.h2g++;
		xe_guc_message(guc, FIELD_GET(GUC_CTB_MSG_0_FENCE, header),
			       msg, len);
	}
	if (guc->ct_enabled && guc->kicked)
		return 0;
	return guc->nr_pending ? send_pending(guc) : -1;
}
