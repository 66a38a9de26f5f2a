// SPDX-License-Identifier: MIT
/* MI_MATH: the command streamer's arithmetic unit with its sixteen registers. */
#include <errno.h>

#include "xe/cmd.h"
#include "xe/driver.h"

#define ALU_OPCODE	GENMASK(31, 20)
#define ALU_OPERAND1	GENMASK(19, 10)
#define ALU_OPERAND2	GENMASK(9, 0)
#define ALU_GPRS	16

/**
 * struct alu - what one MI_MATH works with
 */
struct alu {
	uint64_t a, b;		/* operands */
	uint64_t accu, zf, cf;	/* result, all ones if zero, and if carry */
};

static uint64_t gpr_read(struct xe_ctx *ctx, unsigned int n)
{
	return lo_hi(xe_ctx_reg_read(ctx, CS_GPR_REG(0, n).addr, true),
		     xe_ctx_reg_read(ctx, CS_GPR_REG_UDW(0, n).addr, true));
}

static void gpr_write(struct xe_ctx *ctx, unsigned int n, uint64_t value)
{
	xe_ctx_reg_write(ctx, CS_GPR_REG(0, n).addr, true, value);
	xe_ctx_reg_write(ctx, CS_GPR_REG_UDW(0, n).addr, true, value >> 32);
}

static uint64_t source(struct xe_ctx *ctx, const struct alu *alu,
		       unsigned int operand)
{
	switch (operand) {
	case CS_ALU_OPERAND_ACCU:
		return alu->accu;
	case CS_ALU_OPERAND_ZF:
		return alu->zf;
	case CS_ALU_OPERAND_CF:
		return alu->cf;
	default:
		return operand < ALU_GPRS ? gpr_read(ctx, operand) : 0;
	}
}

static void load(struct alu *alu, unsigned int operand, uint64_t value)
{
	if (operand == CS_ALU_OPERAND_SRCA)
		alu->a = value;
	else if (operand == CS_ALU_OPERAND_SRCB)
		alu->b = value;
}

static void result(struct alu *alu, uint64_t value, bool carry)
{
	alu->accu = value;
	alu->zf = value ? 0 : ~0ull;
	alu->cf = carry ? ~0ull : 0;
}

static int execute(struct xe_ctx *ctx, struct alu *alu, uint32_t instr)
{
	unsigned int to = FIELD_GET(ALU_OPERAND1, instr);
	unsigned int from = FIELD_GET(ALU_OPERAND2, instr);
	uint64_t value;

	switch (FIELD_GET(ALU_OPCODE, instr)) {
	case CS_ALU_OPCODE_NOOP:
	case CS_ALU_OPCODE_FENCE_RD:
	case CS_ALU_OPCODE_FENCE_WR:
		return 0;
	case CS_ALU_OPCODE_LOAD:
		load(alu, to, source(ctx, alu, from));
		return 0;
	case CS_ALU_OPCODE_LOADINV:
		load(alu, to, ~source(ctx, alu, from));
		return 0;
	case CS_ALU_OPCODE_LOAD0:
		load(alu, to, 0);
		return 0;
	case CS_ALU_OPCODE_LOAD1:
		load(alu, to, ~0ull);
		return 0;
	case CS_ALU_OPCODE_ADD:
		result(alu, alu->a + alu->b, alu->a + alu->b < alu->a);
		return 0;
	case CS_ALU_OPCODE_SUB:
		result(alu, alu->a - alu->b, alu->a < alu->b);
		return 0;
	case CS_ALU_OPCODE_AND:
		result(alu, alu->a & alu->b, false);
		return 0;
	case CS_ALU_OPCODE_OR:
		result(alu, alu->a | alu->b, false);
		return 0;
	case CS_ALU_OPCODE_XOR:
		result(alu, alu->a ^ alu->b, false);
		return 0;
	case CS_ALU_OPCODE_SHL:
		result(alu, alu->a << (alu->b & 63), false);
		return 0;
	case CS_ALU_OPCODE_SHR:
		result(alu, alu->a >> (alu->b & 63), false);
		return 0;
	case CS_ALU_OPCODE_SAR:
		result(alu, (int64_t)alu->a >> (alu->b & 63), false);
		return 0;
	case CS_ALU_OPCODE_STORE:
	case CS_ALU_OPCODE_STOREINV:
		value = source(ctx, alu, from);
		if (FIELD_GET(ALU_OPCODE, instr) == CS_ALU_OPCODE_STOREINV)
			value = ~value;
		if (to < ALU_GPRS)
			gpr_write(ctx, to, value);
		return 0;
	default:
		ctx->vf->fault = (struct xe_fault){
			.va = ctx->last_va,
			.what = "MI_MATH operation that nobody models",
		};
		return -EFAULT;
	}
}

int xe_mi_math(struct xe_ctx *ctx, const uint32_t *dw, unsigned int len)
{
	struct alu alu = { 0 };
	unsigned int i;
	int ret;

	for (i = 1; i < len; i++) {
		ret = execute(ctx, &alu, dw[i]);
		if (ret)
			return ret;
	}
	return XE_CMD_DONE;
}
