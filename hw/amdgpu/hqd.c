// SPDX-License-Identifier: MIT
/*
 * Compute queues. SRBM_GFX_CNTL selects whose registers are seen; once a queue is
 * active, a doorbell moves its write pointer. The driver fills the registers in
 * itself, from the MQD that it keeps in memory, which is not read here.
 */
#include "amdgpu/hqd.h"

#define MEC1	1

static uint32_t *selected(struct cik *cik, unsigned int *queue)
{
	uint32_t cntl = cik->reg[mmSRBM_GFX_CNTL];

	*queue = FIELD_OF(cntl, SRBM_GFX_CNTL, PIPEID) * CIK_QUEUES +
		 FIELD_OF(cntl, SRBM_GFX_CNTL, QUEUEID);
	if (FIELD_OF(cntl, SRBM_GFX_CNTL, MEID) == MEC1)
		return cik->hqd[*queue];
	*queue = CIK_HQDS;
	return cik->hqd_other;
}

uint32_t cik_hqd_read(void *priv, unsigned int index)
{
	unsigned int queue;

	return selected(priv, &queue)[index];
}

static void deactivate(struct cik *cik, unsigned int queue)
{
	cik_ring_drop(&cik->ring[CIK_KEY_COMPUTE + queue]);
	CIK_HQD(cik, queue, HQD_ACTIVE) = 0;
}

void cik_hqd_write(void *priv, unsigned int index, uint32_t value)
{
	struct cik *cik = priv;
	unsigned int queue;
	uint32_t *reg = selected(cik, &queue);

	reg[index] = value;
	if (queue == CIK_HQDS)
		return;
	/* What a queue does is never in the middle of something here. */
	if (index == mmCP_HQD_DEQUEUE_REQUEST - mmCP_MQD_BASE_ADDR &&
	    FIELD_OF(value, CP_HQD_DEQUEUE_REQUEST, DEQUEUE_REQ))
		deactivate(cik, queue);
	if (index == mmCP_HQD_ACTIVE - mmCP_MQD_BASE_ADDR && !value)
		deactivate(cik, queue);
}

void cik_doorbell(struct cik *cik, uint32_t index, uint32_t value)
{
	unsigned int queue;
	uint32_t control;

	for (queue = 0; queue < CIK_HQDS; queue++) {
		control = CIK_HQD(cik, queue, HQD_PQ_DOORBELL_CONTROL);
		if (!FIELD_OF(control, CP_HQD_PQ_DOORBELL_CONTROL,
			      DOORBELL_EN) ||
		    FIELD_OF(control, CP_HQD_PQ_DOORBELL_CONTROL,
			     DOORBELL_OFFSET) != index)
			continue;
		trace(TRACE_CTX, "doorbell %#x: queue %u, wptr %#x", index,
		      queue, value);
		CIK_HQD(cik, queue, HQD_PQ_WPTR) = value;
		CIK_HQD(cik, queue, HQD_PQ_DOORBELL_CONTROL) |=
			CP_HQD_PQ_DOORBELL_CONTROL__DOORBELL_HIT_MASK;
		return;
	}
	trace(TRACE_NOTE, "doorbell %#x is nobody's", index);
}
