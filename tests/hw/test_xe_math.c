// SPDX-License-Identifier: GPL-2.0-only
/* MI_MATH against C arithmetic, by commands as user space writes them. */
#include "tap.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define GPR(n) CS_GPR_REG(0, n).addr
#define GPR_UDW(n) CS_GPR_REG_UDW(0, n).addr
#define INSTR(opcode, op1, op2) CS_ALU_INSTR(opcode, op1, op2)
#define LOAD(op1, op2) INSTR(CS_ALU_OPCODE_LOAD, op1, op2)
#define STORE(op1, op2) INSTR(CS_ALU_OPCODE_STORE, op1, op2)
#define A CS_ALU_OPERAND_SRCA
#define B CS_ALU_OPERAND_SRCB
#define ACCU CS_ALU_OPERAND_ACCU
#define ZF CS_ALU_OPERAND_ZF
#define CF CS_ALU_OPERAND_CF

#define LRI_GPR (MI_LOAD_REGISTER_IMM | MI_LRI_LRM_CS_MMIO)
#define SRM_GPR (MI_STORE_REGISTER_MEM | MI_SRM_USE_GGTT | MI_SRM_ADD_CS_OFFSET)

static struct rig rig;
static struct rig_ctx ctx;
static struct rig_buf out;

static void setup(void)
{
	rig_init(&rig, NULL, NULL);
	rig_ctb(&rig, RIG_RAM, 1024, 1024);
	rig_ctx(&rig, &ctx, 1, GUC_RENDER_CLASS, 1);
	out = rig_buf(&rig, RIG_RAM, HW_PAGE_SIZE);
}

static void set_gpr(unsigned int n, uint64_t value)
{
	EMIT(&ctx, LRI_GPR | MI_LRI_NUM_REGS(2), GPR(n), LO(value), GPR_UDW(n),
	     HI(value));
}

static void store_gpr(unsigned int n)
{
	uint64_t to = out.ggtt + 8 * n;

	EMIT(&ctx, SRM_GPR, GPR(n), LO(to), HI(to));
	EMIT(&ctx, SRM_GPR, GPR_UDW(n), LO(to + 4), HI(to + 4));
}

static uint64_t gpr(unsigned int n)
{
	return lo_hi(rig_dw(&out, 2 * n), rig_dw(&out, 2 * n + 1));
}

/* R4 = R0 @opcode R1, R5 = zero flag, R6 = carry flag */
static bool calculate(unsigned int opcode, uint64_t a, uint64_t b)
{
	set_gpr(0, a);
	set_gpr(1, b);
	EMIT(&ctx, MI_MATH(6), LOAD(A, 0), LOAD(B, 1), INSTR(opcode, 0, 0),
	     STORE(4, ACCU), STORE(5, ZF), STORE(6, CF));
	for (int i = 4; i <= 6; i++)
		store_gpr(i);
	rig_submit(&ctx);
	return rig_idle(&ctx);
}

static const uint64_t values[] = {
	0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
	0x123456789abcdef0, 0x7fffffffffffffff, 0x8000000000000000,
	0xfffffffffffffffe, 0xffffffffffffffff,
};

#define FLAG(condition) ((condition) ? UINT64_MAX : 0)

static void sums(void)
{
	size_t i, j;

	setup();
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		for (j = 0; j < ARRAY_SIZE(values); j++) {
			uint64_t a = values[i], b = values[j], sum;
			bool carry = __builtin_add_overflow(a, b, &sum);

			expect(calculate(CS_ALU_OPCODE_ADD, a, b));
			expect_eq(gpr(4), sum);
			expect_eq(gpr(5), FLAG(!sum));
			expect_eq(gpr(6), FLAG(carry));
			expect(calculate(CS_ALU_OPCODE_SUB, a, b));
			expect_eq(gpr(4), a - b);
			expect_eq(gpr(5), FLAG(a == b));
			expect_eq(gpr(6), FLAG(a < b));
		}
	}
	rig_free(&rig);
}

static void bits(void)
{
	size_t i, j;

	setup();
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		for (j = 0; j < ARRAY_SIZE(values); j++) {
			uint64_t a = values[i], b = values[j];

			expect(calculate(CS_ALU_OPCODE_AND, a, b));
			expect_eq(gpr(4), a & b);
			expect_eq(gpr(5), FLAG(!(a & b)));
			expect_eq(gpr(6), 0);
			expect(calculate(CS_ALU_OPCODE_OR, a, b));
			expect_eq(gpr(4), a | b);
			expect(calculate(CS_ALU_OPCODE_XOR, a, b));
			expect_eq(gpr(4), a ^ b);
		}
	}
	rig_free(&rig);
}

static void shifts(void)
{
	unsigned int n;
	size_t i;

	setup();
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		uint64_t a = values[i];

		/* The hardware takes powers of two. */
		for (n = 1; n < 64; n *= 2) {
			expect(calculate(CS_ALU_OPCODE_SHL, a, n));
			expect_eq(gpr(4), a << n);
			expect(calculate(CS_ALU_OPCODE_SHR, a, n));
			expect_eq(gpr(4), a >> n);
			expect(calculate(CS_ALU_OPCODE_SAR, a, n));
			expect_eq(gpr(4), (uint64_t)((int64_t)a >> n));
		}
	}
	rig_free(&rig);
}

static void loads_and_stores(void)
{
	setup();
	set_gpr(0, 0x1111222233334444);
	set_gpr(15, 0x5555666677778888);
	EMIT(&ctx, MI_MATH(15),
	     INSTR(CS_ALU_OPCODE_LOADINV, A, 0), CS_ALU_INSTR_LOAD0(SRCB),
	     CS_ALU_INSTR_ADD, STORE(1, ACCU),
	     INSTR(CS_ALU_OPCODE_STOREINV, 2, ACCU),
	     INSTR(CS_ALU_OPCODE_LOAD1, A, 0), LOAD(B, 15), CS_ALU_INSTR_AND,
	     STORE(3, ACCU), CS_ALU_INSTR_NOOP,
	     INSTR(CS_ALU_OPCODE_FENCE_RD, 0, 0),
	     INSTR(CS_ALU_OPCODE_FENCE_WR, 0, 0),
	     /* There are sixteen registers. */
	     STORE(16, ACCU), STORE(A, ACCU), INSTR(CS_ALU_OPCODE_STORE, 4, 16));
	for (int i = 0; i < 5; i++)
		store_gpr(i);
	store_gpr(15);
	rig_submit(&ctx);
	expect(rig_idle(&ctx));
	expect_eq(gpr(0), 0x1111222233334444);
	expect_eq(gpr(1), ~0x1111222233334444ull);
	expect_eq(gpr(2), 0x1111222233334444);
	expect_eq(gpr(3), 0x5555666677778888);
	expect_eq(gpr(4), 0);
	expect_eq(gpr(15), 0x5555666677778888);
	rig_free(&rig);
}

/* The unit keeps nothing from one command to the next. */
static void fresh_each_time(void)
{
	setup();
	set_gpr(0, 5);
	EMIT(&ctx, MI_MATH(4), LOAD(A, 0), LOAD(B, 0), CS_ALU_INSTR_ADD,
	     STORE(1, ACCU));
	EMIT(&ctx, MI_MATH(1), STORE(2, ACCU));
	store_gpr(1);
	store_gpr(2);
	rig_submit(&ctx);
	expect_eq(gpr(1), 10);
	expect_eq(gpr(2), 0);
	rig_free(&rig);
}

static void unknown(void)
{
	setup();
	EMIT(&ctx, MI_MATH(1), INSTR(0x7ff, 0, 0));
	rig_submit(&ctx);
	expect(rig_event(&rig, XE_GUC_ACTION_NOTIFY_MEMORY_CAT_ERROR, 1));
	expect(!rig_idle(&ctx));
	rig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "add and subtract, with both flags", sums },
	{ "and, or, xor", bits },
	{ "shifts", shifts },
	{ "loads, stores and their inverses", loads_and_stores },
	{ "nothing stays in the accumulator", fresh_each_time },
	{ "an operation that nobody models is an error", unknown },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
