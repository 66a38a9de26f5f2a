// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "core/walk.h"

int walk(const struct walk_format *format, uint64_t root, uint64_t va,
	 walk_read_fn read, void *priv, struct walk_result *result)
{
	struct walk_entry decoded = { .shift = 0 };
	unsigned int level = format->levels;
	uint64_t table = root;

	while (level--) {
		unsigned int shift = decoded.shift ? decoded.shift :
						     format->shift[level];
		unsigned int bits = decoded.shift ? decoded.bits :
						    format->bits[level];
		uint64_t index = va >> shift & ((1ull << bits) - 1);
		uint64_t size = 1ull << shift;
		uint64_t entry;
		int ret;

		result->level = level;
		result->table = table;
		ret = read(priv, table + 8 * index, &entry);
		if (ret)
			return ret;
		result->entry = entry;
		decoded = format->decode(entry, level);
		result->attrs = decoded.attrs;
		if (decoded.kind == WALK_INVALID)
			return -EFAULT;
		if (decoded.kind == WALK_LEAF) {
			result->address = decoded.address + (va & (size - 1));
			result->len = size - (va & (size - 1));
			return 0;
		}
		table = decoded.address;
	}
	/* The lowest level claimed to lead to another table. */
	return -EFAULT;
}
