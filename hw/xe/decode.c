// SPDX-License-Identifier: MIT
/*
 * The decode tables. Bits 31:29 of a command's first dword say which unit takes it;
 * each unit has opcodes of its own and, with exceptions, the length in bits 7:0.
 */
#include "xe/cmd.h"
#include "xe/driver.h"

#define LEN8	GENMASK(7, 0)

#define UNIT_MI		0
#define UNIT_BLT	2
#define UNIT_GFXPIPE	3

/* Opcodes that the driver's headers do not have; user space uses them. */
#define MI_ATOMIC_OP		0x2f
#define MI_OP(dw)		((dw) >> 23 & 0x3f)
#define BLT_OP(dw)		((dw) >> 22 & 0x7f)

/* In the order of their opcodes; those below 0x10 have one dword. */
static const struct xe_cmd mi[64] = {
	[MI_OP(MI_NOOP)] = { "MI_NOOP", 0, NULL, true },
	[MI_OP(MI_USER_INTERRUPT)] = { "MI_USER_INTERRUPT", 0,
				       xe_mi_user_interrupt, true },
	[MI_OP(MI_ARB_CHECK)] = { "MI_ARB_CHECK", 0, NULL, true },
	[MI_OP(MI_ARB_ON_OFF)] = { "MI_ARB_ON_OFF", 0, NULL, true },
	[0x9] = { "MI_URB_ATOMIC_ALLOC", 0, NULL, true },
	[MI_OP(MI_BATCH_BUFFER_END)] = { "MI_BATCH_BUFFER_END", 0, NULL,
					 true },
	[MI_OP(MI_TOPOLOGY_FILTER)] = { "MI_TOPOLOGY_FILTER", 0, NULL, true },
	[MI_OP(MI_SET_APPID)] = { "MI_SET_APPID", 0, NULL, true },
	[MI_OP(MI_MATH(1))] = { "MI_MATH", LEN8, xe_mi_math, true },
	[MI_OP(MI_SEMAPHORE_WAIT)] = { "MI_SEMAPHORE_WAIT", LEN8,
				       xe_mi_semaphore_wait, true },
	[MI_OP(MI_FORCE_WAKEUP)] = { "MI_FORCE_WAKEUP", LEN8, NULL, true },
	[MI_OP(MI_STORE_DATA_IMM)] = { "MI_STORE_DATA_IMM", MI_SDI_LEN_DW,
				       xe_mi_store_data_imm, true },
	[MI_OP(MI_LOAD_REGISTER_IMM)] = { "MI_LOAD_REGISTER_IMM", LEN8,
					  xe_mi_load_register_imm, true },
	[MI_OP(MI_STORE_REGISTER_MEM)] = { "MI_STORE_REGISTER_MEM", LEN8,
					   xe_mi_store_register_mem, true },
	[MI_OP(MI_FLUSH_DW)] = { "MI_FLUSH_DW", MI_FLUSH_DW_LEN_DW,
				 xe_mi_flush_dw, true },
	[MI_OP(MI_LOAD_REGISTER_MEM)] = { "MI_LOAD_REGISTER_MEM", LEN8,
					  xe_mi_load_register_mem, true },
	[MI_OP(MI_LOAD_REGISTER_REG)] = { "MI_LOAD_REGISTER_REG", LEN8,
					  xe_mi_load_register_reg, true },
	[MI_OP(MI_COPY_MEM_MEM)] = { "MI_COPY_MEM_MEM", LEN8,
				     xe_mi_copy_mem_mem, true },
	[MI_ATOMIC_OP] = { "MI_ATOMIC", LEN8, xe_mi_atomic, true },
	[MI_OP(MI_BATCH_BUFFER_START)] = { "MI_BATCH_BUFFER_START", LEN8, NULL,
					   true },
	[XE_MI_COND_BB_END] = { "MI_CONDITIONAL_BATCH_BUFFER_END", LEN8, NULL,
				true },
};

static const struct xe_cmd blt[128] = {
	[BLT_OP(XY_FAST_COPY_BLT_CMD)] = { "XY_FAST_COPY_BLT", LEN8,
					   xe_fast_copy, true },
	[XE_XY_BLOCK_COPY_BLT] = { "XY_BLOCK_COPY_BLT", LEN8, xe_block_copy,
				   true },
	[BLT_OP(MEM_COPY_CMD)] = { "MEM_COPY", LEN8, xe_mem_copy, true },
	[BLT_OP(PVC_MEM_SET_CMD)] = { "MEM_SET", LEN8, xe_mem_set, true },
};

static const struct xe_cmd pipe_control = { "PIPE_CONTROL", LEN8,
					    xe_pipe_control, true };

/*
 * State and drawing: nothing here renders, so it is skipped by its length. Not
 * "modelled" would be wrong as well: contexts are initialised with it.
 */
static const struct xe_cmd gfx_state = { "3D state", LEN8, NULL, true };
static const struct xe_cmd gfx_single = { "3D state", 0, NULL, true };

static const struct xe_cmd unknown_short = { "?", 0, NULL, false };
static const struct xe_cmd unknown = { "?", LEN8, NULL, false };

static const struct xe_cmd *find(uint32_t dw)
{
	const struct xe_cmd *cmd;

	switch (FIELD_GET(XE_INSTR_CMD_TYPE, dw)) {
	case UNIT_MI:
		cmd = &mi[MI_OP(dw)];
		if (cmd->name)
			return cmd;
		return MI_OP(dw) < 0x10 ? &unknown_short : &unknown;
	case UNIT_BLT:
		cmd = &blt[BLT_OP(dw)];
		return cmd->name ? cmd : &unknown;
	case UNIT_GFXPIPE:
		if ((dw & GENMASK(31, 16)) ==
		    (GFX_OP_PIPE_CONTROL(2) & GENMASK(31, 16)))
			return &pipe_control;
		/* One sub-type of the pipeline has single dwords only. */
		if ((dw >> 27 & 3) == 1)
			return &gfx_single;
		return &gfx_state;
	default:
		return &unknown;
	}
}

const struct xe_cmd *xe_decode(uint32_t dw, unsigned int *len)
{
	const struct xe_cmd *cmd = find(dw);

	*len = cmd->len_mask ? (dw & cmd->len_mask) + 2 : 1;
	return cmd;
}
