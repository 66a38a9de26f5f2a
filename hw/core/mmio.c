// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mmio.h"
#include "core/trace.h"

/*
 * A driver that polls does so at most some thousand times before it gives up, and
 * no driver reads an unchanging register that often for another reason.
 */
#define SPIN_LIMIT 2000

/* One for each 32-bit register: 4 MiB of registers cost 24 MiB of lazy pages. */
struct mmio_slot {
	const struct mmio_reg *reg;
	const struct mmio_tolerated *tolerated;
	uint32_t reads;
	uint32_t writes;
};

struct mmio {
	void *priv;
	uint32_t size;
	struct mmio_slot *slot;
	uint32_t *values;	/* see mmio_back() */
	const struct mmio_name *names;
	size_t nr_names;
	/* the register that is being polled, for the watchdog */
	uint32_t spin_offset;
	uint32_t spin_value;
	uint32_t spin_count;
};

struct mmio *mmio_new(uint32_t size, void *priv, const struct mmio_name *names,
		      size_t nr_names)
{
	struct mmio *mmio = calloc(1, sizeof(*mmio));

	if (!mmio)
		return NULL;
	mmio->slot = calloc(size / 4, sizeof(*mmio->slot));
	if (!mmio->slot) {
		free(mmio);
		return NULL;
	}
	mmio->size = size;
	mmio->priv = priv;
	mmio->names = names;
	mmio->nr_names = nr_names;
	return mmio;
}

void mmio_free(struct mmio *mmio)
{
	if (!mmio)
		return;
	free(mmio->slot);
	free(mmio);
}

void mmio_back(struct mmio *mmio, uint32_t *values)
{
	mmio->values = values;
}

static struct mmio_slot *slot_of(struct mmio *mmio, uint32_t offset)
{
	return &mmio->slot[offset / 4];
}

void mmio_add(struct mmio *mmio, const struct mmio_reg *reg, size_t n)
{
	uint32_t i;

	for (; n; n--, reg++) {
		for (i = 0; i < reg->count; i++) {
			struct mmio_slot *slot =
				slot_of(mmio, reg->offset + 4 * i);

			if (slot->reg)
				hw_die(1, "register %s (%#x) is claimed twice",
				       reg->name, reg->offset + 4 * i);
			slot->reg = reg;
		}
	}
}

void mmio_tolerate(struct mmio *mmio, const struct mmio_tolerated *reg,
		   size_t n)
{
	uint32_t i;

	for (; n; n--, reg++)
		for (i = 0; i < reg->count; i++)
			slot_of(mmio, reg->offset + 4 * i)->tolerated = reg;
}

static int compare_names(const void *a, const void *b)
{
	const struct mmio_name *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static const char *name_of(struct mmio *mmio, uint32_t offset)
{
	struct mmio_slot *slot = slot_of(mmio, offset);
	struct mmio_name key = { .offset = offset & ~3u };
	const struct mmio_name *found = NULL;

	if (slot->reg)
		return slot->reg->name;
	if (slot->tolerated && slot->tolerated->name)
		return slot->tolerated->name;
	if (mmio->nr_names)
		found = bsearch(&key, mmio->names, mmio->nr_names,
				sizeof(key), compare_names);
	return found ? found->name : "?";
}

static void watch_spin(struct mmio *mmio, uint32_t offset, uint32_t value)
{
	if (offset != mmio->spin_offset || value != mmio->spin_value) {
		mmio->spin_offset = offset;
		mmio->spin_value = value;
		mmio->spin_count = 0;
		return;
	}
	if (++mmio->spin_count == SPIN_LIMIT)
		trace(TRACE_NOTE,
		      "the guest spins on %s (%#x), which reads %#x",
		      name_of(mmio, offset), offset, value);
}

uint32_t mmio_read(struct mmio *mmio, uint32_t offset, unsigned int len)
{
	struct mmio_slot *slot = slot_of(mmio, offset);
	uint32_t value = 0;

	slot->reads++;
	if (slot->reg && slot->reg->read)
		value = slot->reg->read(mmio->priv,
					(offset - slot->reg->offset) / 4);
	else if (mmio->values)
		value = mmio->values[offset / 4];
	else if (!slot->reg && slot->tolerated)
		value = slot->tolerated->value;
	watch_spin(mmio, offset, value);
	trace(TRACE_MMIO, "R%u %06x %-28s = %08x%s", len * 8, offset,
	      name_of(mmio, offset), value,
	      slot->reg	      ? "" :
	      slot->tolerated ? " (tolerated)" :
				" (NOT MODELLED)");
	return value >> (offset & 3) * 8;
}

void mmio_write(struct mmio *mmio, uint32_t offset, uint32_t value,
		unsigned int len)
{
	struct mmio_slot *slot = slot_of(mmio, offset);

	slot->writes++;
	mmio->spin_count = 0;
	trace(TRACE_MMIO, "W%u %06x %-28s = %08x%s", len * 8, offset,
	      name_of(mmio, offset), value,
	      slot->reg	      ? "" :
	      slot->tolerated ? " (tolerated)" :
				" (NOT MODELLED)");
	/* Registers are 32 bits wide and their drivers know that. */
	if (len != 4 || offset & 3) {
		trace(TRACE_FAULT, "write of %u bytes to %s (%#x) is dropped",
		      len, name_of(mmio, offset), offset);
		return;
	}
	if (slot->reg && slot->reg->write)
		slot->reg->write(mmio->priv, (offset - slot->reg->offset) / 4,
				 value);
	else if (mmio->values)
		mmio->values[offset / 4] = value;
}

/* One line for a range that has no name of its own. */
static void report_range(struct mmio *mmio, const struct mmio_tolerated *range)
{
	uint64_t reads = 0, writes = 0;
	unsigned int touched = 0;
	uint32_t i;

	for (i = 0; i < range->count; i++) {
		struct mmio_slot *slot = slot_of(mmio, range->offset + 4 * i);

		if (slot->reg || slot->tolerated != range)
			continue;
		touched += slot->reads || slot->writes;
		reads += slot->reads;
		writes += slot->writes;
	}
	trace(TRACE_NOTE,
	      "not modelled: %06x-%06x, %u registers, %llu reads, %llu writes: %s",
	      range->offset, range->offset + 4 * range->count - 1, touched,
	      (unsigned long long)reads, (unsigned long long)writes,
	      range->reason);
}

size_t mmio_report(struct mmio *mmio)
{
	const struct mmio_tolerated *range = NULL;
	size_t unknown = 0;
	uint32_t offset;

	for (offset = 0; offset < mmio->size; offset += 4) {
		struct mmio_slot *slot = slot_of(mmio, offset);

		if (slot->reg || !(slot->reads | slot->writes))
			continue;
		if (slot->tolerated && !slot->tolerated->name) {
			if (slot->tolerated != range)
				report_range(mmio, slot->tolerated);
			range = slot->tolerated;
			continue;
		}
		trace(TRACE_NOTE,
		      "not modelled: %06x %-28s %u reads, %u writes: %s",
		      offset, name_of(mmio, offset), slot->reads, slot->writes,
		      slot->tolerated ? slot->tolerated->reason :
					"nobody knows why");
		unknown += !slot->tolerated;
	}
	return unknown;
}
