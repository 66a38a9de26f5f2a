// SPDX-License-Identifier: MIT
/*
 * Rings take turns with a budget, so that a long copy or a loop of one of them
 * stalls nobody, the driver's register accesses included. A packet that has to
 * wait parks its ring; it is asked again after every message, whenever another
 * ring moved, and every millisecond.
 *
 * Memory is read for each packet anew, since programs change themselves. Within a
 * turn the place where a stream is in memory is remembered.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "amdgpu/amdgpu.h"
#include "amdgpu/driver.h"

#define TURN_BUDGET	8192
#define NOP_RUN		4096	/* dwords that cost as much as a packet */

void cik_ring_init(struct cik *cik, unsigned int key,
		   const struct cik_engine *engine, unsigned int unit,
		   const char *name, uint32_t client)
{
	struct cik_ring *ring = &cik->ring[key];

	ring->cik = cik;
	ring->engine = engine;
	ring->key = key;
	ring->unit = unit;
	ring->client = client;
	snprintf(ring->name, sizeof(ring->name), "%s", name);
}

void cik_ring_drop(struct cik_ring *ring)
{
	ring->depth = 0;
	ring->start = false;
	ring->progress = 0;
	ring->waiting = false;
	ring->busy = false;
	ring->stopped = false;
	ring->wake = 0;
	ring->dropped = true;
}

bool cik_ring_user(const struct cik_ring *ring)
{
	return ring->depth && ring->ib[ring->depth - 1].vmid;
}

struct cik_as cik_ring_as(const struct cik_ring *ring)
{
	return (struct cik_as){
		.cik = ring->cik,
		.vmid = ring->depth ? ring->ib[ring->depth - 1].vmid : 0,
		.client = ring->client,
	};
}

uint32_t cik_ring_left(const struct cik_ring *ring)
{
	if (ring->depth)
		return ring->ib[ring->depth - 1].left;
	return (ring->wptr - ring->rptr) & (ring->size - 1);
}

/* Where dword @at of the stream is, and how many follow it there. */
static uint64_t place(const struct cik_ring *ring, uint32_t at, uint32_t *run)
{
	uint32_t index;

	if (ring->depth) {
		*run = ring->ib[ring->depth - 1].left - at;
		return ring->ib[ring->depth - 1].va + 4ull * at;
	}
	index = (ring->rptr + at) & (ring->size - 1);
	*run = ring->size - index;
	return ring->base + 4ull * index;
}

/* The stream's memory at @va, of which there are then *@len bytes; or NULL. */
static const uint8_t *window(struct cik_ring *ring, uint64_t va, uint64_t want,
			     uint64_t *len)
{
	struct cik_as as = cik_ring_as(ring);
	struct cik_loc loc;

	if (ring->epoch != ring->cik->epoch || ring->host_vmid != as.vmid ||
	    va < ring->host_va || va - ring->host_va >= ring->host_len) {
		ring->host_len = 0;
		if (va & 3 || cik_find(&as, va, want, false, &loc) || !loc.host)
			return NULL;
		ring->host = loc.host;
		ring->host_va = va;
		ring->host_len = loc.len;
		ring->host_vmid = as.vmid;
		ring->epoch = ring->cik->epoch;
	}
	*len = ring->host_len - (va - ring->host_va);
	return ring->host + (va - ring->host_va);
}

int cik_ring_fetch(struct cik_ring *ring, uint32_t at, uint32_t *dw,
		   uint32_t n)
{
	struct cik_as as = cik_ring_as(ring);
	const uint8_t *host;
	uint64_t va, len;
	uint32_t run;

	for (; n; n -= run, at += run, dw += run) {
		va = place(ring, at, &run);
		run = hw_min(run, n);
		host = window(ring, va, 4ull * run, &len);
		if (host && len >= 4) {
			run = hw_min((uint64_t)run, len / 4);
			memcpy(dw, host, 4ull * run);
		} else if (cik_read(&as, va, dw, 4ull * run)) {
			return -EFAULT;
		}
	}
	return 0;
}

static void advance(struct cik_ring *ring, uint32_t n)
{
	if (ring->depth) {
		ring->ib[ring->depth - 1].va += 4ull * n;
		ring->ib[ring->depth - 1].left -= n;
	} else {
		ring->rptr = (ring->rptr + n) & (ring->size - 1);
	}
	ring->progress = 0;
	ring->waiting = false;
	ring->moved = true;
}

/* How many NOPs there are in a row. */
static uint32_t nops(struct cik_ring *ring)
{
	uint32_t nop = ring->engine->nop, run, n = 0;
	const uint8_t *host;
	uint64_t va, len;

	va = place(ring, 0, &run);
	run = hw_min(run, cik_ring_left(ring));
	host = window(ring, va, 4ull * run, &len);
	if (!host)
		return 0;
	run = hw_min(hw_min((uint64_t)run, len / 4), (uint64_t)NOP_RUN);
	while (n < run && ((const volatile uint32_t *)host)[n] == nop)
		n++;
	return n;
}

int cik_ring_illegal(struct cik_ring *ring, const char *what)
{
	trace(TRACE_FAULT, "%s: %s", ring->name, what);
	ring->engine->illegal(ring);
	return CIK_STOP;
}

static int inject_at_job(struct cik_ring *ring, unsigned int vmid)
{
	struct cik *cik = ring->cik;
	struct cik_as as = cik_ring_as(ring);

	if (inject_hit(&cik->inject, "vm-fault", ring->key)) {
		as.vmid = vmid;
		cik->fault = (struct cik_fault){
			.vmid = vmid, .reason = CIK_FAULT_VALID,
			.what = "injected",
		};
		cik_fault(&as);
	}
	return inject_hit(&cik->inject, "engine-hang", ring->key) ? CIK_STOP : 0;
}

int cik_ring_start(struct cik_ring *ring, unsigned int vmid, uint64_t va,
		   uint32_t len, bool chain)
{
	if (ring->depth) {
		vmid = ring->ib[ring->depth - 1].vmid;
	} else {
		chain = false;
		if (inject_at_job(ring, vmid))
			return CIK_STOP;
	}
	if (ring->depth == CIK_RING_IBS && !chain)
		return cik_ring_illegal(ring, "IBs nest too deeply");
	ring->next = (struct cik_ib){ .vmid = vmid, .va = va, .left = len };
	ring->start = true;
	ring->chain = chain;
	return 0;
}

static void enter(struct cik_ring *ring)
{
	ring->start = false;
	if (!ring->chain)
		ring->depth++;
	ring->ib[ring->depth - 1] = ring->next;
}

int cik_ring_fence(struct cik_ring *ring, bool *lost)
{
	struct inject *inject = &ring->cik->inject;
	const struct inject_rule *rule;

	*lost = false;
	if (ring->wake)
		ring->wake = 0;
	else {
		rule = inject_hit(inject, "fence-delay", ring->key);
		if (rule) {
			ring->wake = hw_now() + rule->ms * 1000000ull;
			return CIK_WAIT;
		}
	}
	*lost = inject_hit(inject, "fence-drop", ring->key);
	return 0;
}

void cik_ring_interrupt(struct cik_ring *ring, unsigned int source,
			unsigned int ring_id, unsigned int vmid)
{
	if (inject_hit(&ring->cik->inject, "irq-drop", ring->key))
		return;
	cik_interrupt(ring->cik, source, 0, ring_id, vmid);
}

/* One packet, or a run of NOPs. Returns as cik_engine.step. */
static int step(struct cik_ring *ring)
{
	uint32_t header, n;
	int ret;

	n = nops(ring);
	if (n) {
		advance(ring, n);
		return n;
	}
	if (cik_ring_fetch(ring, 0, &header, 1))
		return CIK_STOP;
	ret = ring->engine->step(ring, header);
	if (ret <= 0 || ring->dropped)
		return ret;
	if ((uint32_t)ret > cik_ring_left(ring))
		return cik_ring_illegal(ring, "packet beyond the stream's end");
	ring->cik->stats.packets++;
	advance(ring, ret);
	if (ring->start)
		enter(ring);
	return ret;
}

static int stand_still(struct cik_ring *ring)
{
	trace(TRACE_NOTE, "%s stands still", ring->name);
	ring->stopped = true;
	ring->engine->save(ring);
	return -1;
}

/* Packets have arrived at a ring that had none. */
static bool wakes_up(struct cik_ring *ring)
{
	bool was_busy = ring->busy;

	ring->busy = ring->depth || ring->rptr != ring->wptr;
	return ring->busy && !was_busy;
}

/* One turn; returns what cik_rings_work() returns. */
static int turn(struct cik_ring *ring)
{
	int ret = 0, wait = 0;

	ring->dropped = false;
	if (!ring->engine->load(ring)) {
		cik_ring_drop(ring);
		return -1;
	}
	if (ring->stopped)
		return -1;
	if (wakes_up(ring) && inject_hit(&ring->cik->inject, "ring-stall", ring->key))
		return stand_still(ring);
	if (ring->wake > hw_now())
		return (ring->wake - hw_now()) / 1000000 + 1;
	for (;;) {
		/* The ends of IBs take no room in them. */
		while (ring->depth && !ring->ib[ring->depth - 1].left)
			ring->depth--;
		if (!ring->depth && ring->rptr == ring->wptr) {
			ring->busy = false;
			wait = -1;
			break;
		}
		if (ring->budget <= 0)
			break;
		ring->budget--;
		ret = step(ring);
		if (ring->dropped)
			return 0;
		if (ret <= 0)
			break;
	}
	if (ret == CIK_STOP)
		return stand_still(ring);
	if (ret == CIK_WAIT) {
		ring->waiting = true;
		wait = 1;
	}
	ring->engine->save(ring);
	return wait;
}

int cik_rings_work(struct cik *cik)
{
	bool moved = false, waiting = false;
	int wait = -1, wanted;
	unsigned int i;

	cik->epoch++;
	for (i = 0; i < CIK_RINGS; i++) {
		struct cik_ring *ring = &cik->ring[i];

		ring->budget = TURN_BUDGET;
		ring->moved = false;
		wanted = turn(ring);
		moved |= ring->moved;
		waiting |= wanted > 0;
		if (wait < 0 || (wanted >= 0 && wanted < wait))
			wait = wanted;
	}
	/* What one did may be what another one waits for. */
	return moved && waiting ? 0 : wait;
}
