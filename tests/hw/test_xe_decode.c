// SPDX-License-Identifier: GPL-2.0-only
/* What a command is and how long: the numbers come from the driver's headers. */
#include "tap.h"
#include "xe/cmd.h"
#include "xe/driver.h"

#define MI(op) ((uint32_t)(op) << 23)

static const struct {
	uint32_t dw;
	unsigned int len;
	const char *name;
	xe_cmd_fn run;
} known[] = {
	{ MI_NOOP, 1, "MI_NOOP", NULL },
	{ MI_NOOP | 0x3fffff, 1, "MI_NOOP", NULL },
	{ MI_USER_INTERRUPT, 1, "MI_USER_INTERRUPT", xe_mi_user_interrupt },
	{ MI_ARB_CHECK | 0xff, 1, "MI_ARB_CHECK", NULL },
	{ MI_ARB_ON_OFF | MI_ARB_ENABLE, 1, "MI_ARB_ON_OFF", NULL },
	{ MI(9), 1, "MI_URB_ATOMIC_ALLOC", NULL },
	{ MI_BATCH_BUFFER_END, 1, "MI_BATCH_BUFFER_END", NULL },
	{ MI_TOPOLOGY_FILTER, 1, "MI_TOPOLOGY_FILTER", NULL },
	{ MI_SET_APPID | MI_SET_APPID_SESSION_ID(127), 1, "MI_SET_APPID", NULL },
	{ MI_MATH(1), 2, "MI_MATH", xe_mi_math },
	{ MI_MATH(200), 201, "MI_MATH", xe_mi_math },
	{ MI_SEMAPHORE_WAIT, 5, "MI_SEMAPHORE_WAIT", xe_mi_semaphore_wait },
	{ MI_SEMAPHORE_WAIT | MI_SEMW_GGTT | MI_SEMW_POLL |
	  MI_SEMW_COMPARE(SAD_EQ_SDD), 5, "MI_SEMAPHORE_WAIT",
	  xe_mi_semaphore_wait },
	{ MI_FORCE_WAKEUP, 2, "MI_FORCE_WAKEUP", NULL },
	{ MI_STORE_DATA_IMM | MI_SDI_NUM_DW(1), 4, "MI_STORE_DATA_IMM",
	  xe_mi_store_data_imm },
	{ MI_STORE_DATA_IMM | MI_SDI_GGTT | MI_SDI_NUM_QW(1), 5,
	  "MI_STORE_DATA_IMM", xe_mi_store_data_imm },
	{ MI_STORE_DATA_IMM | MI_SDI_NUM_QW(510), 1023, "MI_STORE_DATA_IMM",
	  xe_mi_store_data_imm },
	{ MI_STORE_DATA_IMM | MI_SDI_LEN_DW, 1025, "MI_STORE_DATA_IMM",
	  xe_mi_store_data_imm },
	{ MI_LOAD_REGISTER_IMM | MI_LRI_NUM_REGS(1), 3, "MI_LOAD_REGISTER_IMM",
	  xe_mi_load_register_imm },
	{ MI_LOAD_REGISTER_IMM | MI_LRI_LRM_CS_MMIO | MI_LRI_FORCE_POSTED |
	  MI_LRI_NUM_REGS(62), 125, "MI_LOAD_REGISTER_IMM",
	  xe_mi_load_register_imm },
	{ MI_STORE_REGISTER_MEM | MI_SRM_USE_GGTT, 4, "MI_STORE_REGISTER_MEM",
	  xe_mi_store_register_mem },
	{ MI_FLUSH_DW | MI_FLUSH_IMM_DW, 4, "MI_FLUSH_DW", xe_mi_flush_dw },
	{ MI_FLUSH_DW | MI_FLUSH_IMM_QW | MI_INVALIDATE_TLB |
	  MI_FLUSH_DW_OP_STOREDW, 5, "MI_FLUSH_DW", xe_mi_flush_dw },
	/* Its length has six bits; the next ones are something else. */
	{ MI_FLUSH_DW | 0xc0 | MI_FLUSH_IMM_DW, 4, "MI_FLUSH_DW",
	  xe_mi_flush_dw },
	{ MI_LOAD_REGISTER_MEM, 4, "MI_LOAD_REGISTER_MEM",
	  xe_mi_load_register_mem },
	{ MI_LOAD_REGISTER_REG, 3, "MI_LOAD_REGISTER_REG",
	  xe_mi_load_register_reg },
	{ MI_COPY_MEM_MEM, 5, "MI_COPY_MEM_MEM", xe_mi_copy_mem_mem },
	{ MI(0x2f) | 1, 3, "MI_ATOMIC", xe_mi_atomic },
	{ MI_BATCH_BUFFER_START | 1, 3, "MI_BATCH_BUFFER_START", NULL },
	{ MI(0x36) | 2, 4, "MI_CONDITIONAL_BATCH_BUFFER_END", NULL },
	{ MEM_COPY_CMD | 8, 10, "MEM_COPY", xe_mem_copy },
	{ MEM_COPY_CMD | MEM_COPY_PAGE_COPY_MODE | MEM_COPY_MATRIX_COPY | 8, 10,
	  "MEM_COPY", xe_mem_copy },
	{ PVC_MEM_SET_CMD | PVC_MEM_SET_MATRIX | 5, 7, "MEM_SET", xe_mem_set },
	{ XY_FAST_COPY_BLT_CMD | 8, 10, "XY_FAST_COPY_BLT", xe_fast_copy },
	{ 2u << 29 | XE_XY_BLOCK_COPY_BLT << 22 | 20, 22, "XY_BLOCK_COPY_BLT",
	  xe_block_copy },
	{ GFX_OP_PIPE_CONTROL(6), 6, "PIPE_CONTROL", xe_pipe_control },
	{ GFX_OP_PIPE_CONTROL(6) | PIPE_CONTROL0_HDC_PIPELINE_FLUSH, 6,
	  "PIPE_CONTROL", xe_pipe_control },
};

static void names(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		unsigned int len = 0;
		const struct xe_cmd *cmd = xe_decode(known[i].dw, &len);

		if (strcmp(cmd->name, known[i].name) || len != known[i].len)
			printf("#   %#x: %s, %u dwords\n", known[i].dw,
			       cmd->name, len);
		expect(!strcmp(cmd->name, known[i].name));
		expect_eq(len, known[i].len);
		expect(cmd->modelled);
		expect(cmd->run == known[i].run);
	}
}

/* State and drawing: skipped by length, in the contexts that initialise it. */
static void pipeline(void)
{
	unsigned int len;

	/* 3DSTATE_*: 3:29, 3:27 */
	expect(xe_decode(3u << 29 | 3u << 27 | 0x10 << 16 | 7, &len)->modelled);
	expect_eq(len, 9);
	/* STATE_BASE_ADDRESS is common, 0:27 */
	expect(xe_decode(0x61010000 | 20, &len)->modelled);
	expect_eq(len, 22);
	/* PIPELINE_SELECT has one dword, 1:27 */
	expect(xe_decode(0x69040000 | 0x1302, &len)->modelled);
	expect_eq(len, 1);
	/* COMPUTE_WALKER, 2:27, is a long one and does nothing here */
	expect(xe_decode(0x72000000 | 0x25, &len)->modelled);
	expect_eq(len, 0x27);
	expect(!xe_decode(0x72000000, &len)->run);
}

static void unknown(void)
{
	static const uint32_t long_ones[] = {
		MI(0x10) | 3, MI(0x3f) | 3, 2u << 29 | 0x7f << 22 | 3,
		2u << 29 | 0x44 << 22 | 3 /* XY_FAST_COLOR_BLT */, 1u << 29 | 3,
		4u << 29 | 3, 7u << 29 | 3,
	};
	unsigned int len;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(long_ones); i++) {
		const struct xe_cmd *cmd = xe_decode(long_ones[i], &len);

		expect(!cmd->modelled && !cmd->run && cmd->name);
		expect_eq(len, 5);
	}
	/* Below 0x10 there is no length. */
	expect(!xe_decode(MI(1) | 0xff, &len)->modelled);
	expect_eq(len, 1);
	expect(!xe_decode(MI(0xf) | 0xff, &len)->modelled);
	expect_eq(len, 1);
}

static void bounds(void)
{
	uint32_t op;
	unsigned int len;

	/* Whatever it is: nothing longer than the buffer of who executes it. */
	for (op = 0; op < 1 << 14; op++) {
		expect(xe_decode(op << 18 | 0x3ffff, &len)->name);
		expect(len >= 1 && len <= XE_CMD_MAX);
		expect(xe_decode(op << 18, &len)->name);
		expect(len >= 1 && len <= 2);
	}
}

static void comparisons(void)
{
	static const uint32_t values[] = { 0, 1, 0x7fffffff, 0x80000000,
					   0xffffffff };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		for (j = 0; j < ARRAY_SIZE(values); j++) {
			uint32_t a = values[i], b = values[j];

			expect_eq(xe_compare(COMPARE_OP_SAD_GT_SDD, a, b), a > b);
			expect_eq(xe_compare(COMPARE_OP_SAD_GTE_SDD, a, b),
				  a >= b);
			expect_eq(xe_compare(COMPARE_OP_SAD_LT_SDD, a, b), a < b);
			expect_eq(xe_compare(COMPARE_OP_SAD_LTE_SDD, a, b),
				  a <= b);
			expect_eq(xe_compare(COMPARE_OP_SAD_EQ_SDD, a, b),
				  a == b);
			expect_eq(xe_compare(COMPARE_OP_SAD_NEQ_SDD, a, b),
				  a != b);
		}
	}
	/* Reserved ones do not wait for ever. */
	expect(xe_compare(6, 1, 2) && xe_compare(7, 2, 1));
}

static const struct tap_test tests[] = {
	{ "names, lengths and functions", names },
	{ "3D state is skipped by its length", pipeline },
	{ "unknown commands say so", unknown },
	{ "no command is longer than the buffer", bounds },
	{ "comparisons are unsigned", comparisons },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
