/* SPDX-License-Identifier: MIT */
/*
 * The GuC as a virtual function sees it: a mailbox of four registers, and later two
 * rings of messages in memory (CTBs). Behind it are the scheduler and, by way of a
 * relay, the physical function.
 */
#ifndef HW_XE_GUC_H
#define HW_XE_GUC_H

#include "core/util.h"

struct xe_vf;

#define XE_GUC_SW_FLAGS	4
#define XE_GUC_KLVS	8	/* SELF_CFG keys 0x0900 to 0x0907 */
#define XE_G2H_PENDING	256

/**
 * struct xe_ctb - a ring of messages
 * @desc: GGTT address of the descriptor
 * @ring: GGTT address of the ring
 * @size: of the ring in dwords
 */
struct xe_ctb {
	uint64_t desc;
	uint64_t ring;
	uint32_t size;
};

/**
 * struct xe_g2h - a message that waits for room or for its time
 * @due: hw_now() time before which it must not be sent
 * @len: dwords of @msg, the CTB header not counted
 */
struct xe_g2h {
	uint64_t due;
	uint16_t fence;
	uint16_t len;
	uint32_t msg[64];
};

/**
 * struct xe_guc - the firmware of one GT
 * @vf: the device
 * @media: of the media GT, which is fused off: it only says so
 * @sw_flag: the mailbox
 * @self_cfg: what SELF_CFG set, by key
 * @generation: counts what enables or disables the rings. Memory may be remote, and
 *	while it is accessed the driver may do either.
 * @ct_enabled: the rings are in use
 * @kicked: a doorbell rang for the rings
 * @pending: messages that could not be sent yet, oldest first
 */
struct xe_guc {
	struct xe_vf *vf;
	bool media;
	uint32_t sw_flag[XE_GUC_SW_FLAGS];
	uint64_t self_cfg[XE_GUC_KLVS];
	struct xe_ctb h2g;
	struct xe_ctb g2h;
	unsigned int generation;
	bool ct_enabled;
	bool kicked;
	struct xe_g2h pending[XE_G2H_PENDING];
	unsigned int nr_pending;
};

void xe_guc_init(struct xe_guc *guc, struct xe_vf *vf, bool media);

/* Forget rings, interrupts' addresses and contexts. */
void xe_guc_reset(struct xe_guc *guc);

/* The driver wrote to the doorbell register. Answers the mailbox at once. */
void xe_guc_doorbell(struct xe_guc *guc);

/* guc_config.c: 0 and the value's dwords, or -ENOENT */
int xe_guc_klv(struct xe_guc *guc, uint32_t key, uint32_t *value,
	       unsigned int *len);
const uint32_t *xe_guc_hwconfig(size_t *bytes);
int xe_guc_self_cfg(struct xe_guc *guc, uint32_t key, uint64_t value);
const char *xe_guc_klv_name(uint32_t key);

/* guc_ct.c */
bool xe_guc_ct_enable(struct xe_guc *guc, bool enable);

/**
 * xe_guc_ct_work - take messages from the driver, send what waits
 * @guc: the firmware
 *
 * Return: milliseconds until there is something to do, as &pci_ops.work.
 */
int xe_guc_ct_work(struct xe_guc *guc);

/**
 * xe_guc_send - a message to the driver
 * @guc: the firmware
 * @fence: of the request that it answers, else 0
 * @msg: an HXG message
 * @len: its dwords
 */
void xe_guc_send(struct xe_guc *guc, uint16_t fence, const uint32_t *msg,
		 unsigned int len);
void xe_guc_event(struct xe_guc *guc, uint32_t action, const uint32_t *data,
		  unsigned int len);

/* guc_actions.c: one message from the driver */
void xe_guc_message(struct xe_guc *guc, uint16_t fence, const uint32_t *msg,
		    unsigned int len);

/* guc_relay.c: what the driver says to the physical function */
void xe_guc_relay(struct xe_guc *guc, const uint32_t *data, unsigned int len);

/* memirq.c: interrupts by bytes in memory and an MSI */
void xe_memirq_guc(struct xe_guc *guc);
int xe_memirq_engine(struct xe_vf *vf, uint64_t status, uint64_t source,
		     unsigned int vector);

#endif
