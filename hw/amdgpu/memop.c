// SPDX-License-Identifier: MIT
/*
 * What packets of both kinds do to a dword or a qword of memory: compare it, change
 * it, count with it. Nothing else of the device runs meanwhile; processors do.
 */
#include <errno.h>

#include "amdgpu/driver.h"
#include "amdgpu/ring.h"

bool cik_compare(unsigned int function, uint32_t value, uint32_t reference)
{
	switch (function) {
	case 1:
		return value < reference;
	case 2:
		return value <= reference;
	case 3:
		return value == reference;
	case 4:
		return value != reference;
	case 5:
		return value >= reference;
	case 6:
		return value > reference;
	default:
		return true;
	}
}

static int compute(unsigned int op, uint64_t old, int64_t sold, uint64_t data,
		   int64_t sdata, uint64_t compare, uint64_t *new)
{
	switch (op) {
	case TC_OP_ATOMIC_SWAP_RTN_32:
		*new = data;
		return 0;
	case TC_OP_ATOMIC_CMPSWAP_RTN_32:
		*new = old == compare ? data : old;
		return 0;
	case TC_OP_ATOMIC_ADD_RTN_32:
		*new = old + data;
		return 0;
	case TC_OP_ATOMIC_SUB_RTN_32:
		*new = old - data;
		return 0;
	case TC_OP_ATOMIC_SMIN_RTN_32:
		*new = sold < sdata ? old : data;
		return 0;
	case TC_OP_ATOMIC_UMIN_RTN_32:
		*new = old < data ? old : data;
		return 0;
	case TC_OP_ATOMIC_SMAX_RTN_32:
		*new = sold > sdata ? old : data;
		return 0;
	case TC_OP_ATOMIC_UMAX_RTN_32:
		*new = old > data ? old : data;
		return 0;
	case TC_OP_ATOMIC_AND_RTN_32:
		*new = old & data;
		return 0;
	case TC_OP_ATOMIC_OR_RTN_32:
		*new = old | data;
		return 0;
	case TC_OP_ATOMIC_XOR_RTN_32:
		*new = old ^ data;
		return 0;
	case TC_OP_ATOMIC_INC_RTN_32:
		*new = old >= data ? 0 : old + 1;
		return 0;
	case TC_OP_ATOMIC_DEC_RTN_32:
		*new = !old || old > data ? data : old - 1;
		return 0;
	default:
		return -ENOSYS;
	}
}

int cik_atomic(const struct cik_as *as, unsigned int op, uint64_t va,
	       uint64_t data, uint64_t compare, uint64_t *old)
{
	unsigned int kind = op & ~(TC_OP_MASK_64 | TC_OP_MASK_NO_RTN);
	uint32_t old32;
	uint64_t new;
	int ret;

	if (op & TC_OP_MASK_64) {
		ret = cik_read64(as, va, old);
		if (!ret)
			ret = compute(kind, *old, *old, data, data, compare,
				      &new);
		return ret ? ret : cik_write64(as, va, new);
	}
	ret = cik_read32(as, va, &old32);
	if (ret)
		return ret;
	*old = old32;
	ret = compute(kind, old32, (int32_t)old32, (uint32_t)data,
		      (int32_t)data, (uint32_t)compare, &new);
	return ret ? ret : cik_write32(as, va, new);
}

int cik_semaphore(const struct cik_as *as, uint64_t va, bool signal, bool set)
{
	uint64_t count;
	int ret = cik_read64(as, va, &count);

	if (ret)
		return ret;
	if (signal)
		return cik_write64(as, va, set ? 1 : count + 1);
	return count ? cik_write64(as, va, count - 1) : CIK_WAIT;
}
