// SPDX-License-Identifier: GPL-2.0-only
/* Each SDMA packet, from the ring of the first engine and in IBs of user space. */
#include "amdgpu_rig.h"
#include "tap.h"

#define VA	0x100000000ull
#define E	ARIG_SDMA0
#define PKT(op, sub, extra) SDMA_PACKET(op, sub, (uint32_t)(extra))
#define OP(name) PKT(SDMA_OPCODE_##name, 0, 0)

static struct arig rig;
static struct arig_buf src, dst, ib;

static void setup(void)
{
	arig_init(&rig, NULL, NULL);
	arig_setup(&rig);
	src = arig_buf(&rig, ARIG_VRAM, HW_MIB(1));
	dst = arig_buf(&rig, ARIG_RAM, HW_MIB(1));
	ib = arig_buf(&rig, ARIG_RAM, HW_KIB(64));
	arig_map(&rig, VA, &src, ARIG_RW);
	arig_map(&rig, VA + HW_MIB(16), &dst, ARIG_RW);
	arig_map(&rig, VA + HW_MIB(32), &ib, ARIG_RW);
	for (uint64_t i = 0; i < src.size; i++)
		src.host[i] = i * 31 + i / 256;
}

/* What is in the IB, for user space. */
static void run_ib(unsigned int dwords)
{
	ARUN(&rig, E, PKT(SDMA_OPCODE_INDIRECT_BUFFER, 0, ARIG_VMID),
	     LO(VA + HW_MIB(32)), HI(VA + HW_MIB(32)), dwords);
}

static void write_linear(void)
{
	uint32_t data[600];
	unsigned int i, at;

	setup();
	ARUN(&rig, E, OP(WRITE), LO(dst.mc + 8), HI(dst.mc), 1, 0xdeadbeef);
	expect(arig_idle(&rig, E));
	expect_eq(arig_dw(&dst, 2), 0xdeadbeef);
	expect_eq(arig_dw(&dst, 3), 0);
	for (i = 0; i < 600; i++)
		data[i] = i * 3 + 1;
	/* Across the end of the ring, and none at all. */
	for (int round = 0; round < 3; round++) {
		memset(dst.host, 0, 4096);
		AEMIT(&rig, E, OP(WRITE), LO(dst.mc), HI(dst.mc), 600);
		arig_emit(&rig, E, data, 600);
		arig_submit(&rig, E);
		expect(arig_idle(&rig, E));
		expect(!memcmp(dst.host, data, sizeof(data)));
		expect_eq(arig_dw(&dst, 600), 0);
	}
	ARUN(&rig, E, OP(WRITE), LO(dst.mc), HI(dst.mc), 0, OP(FENCE),
	     LO(dst.mc + 4000), HI(dst.mc), 5);
	expect_eq(arig_dw(&dst, 1000), 5);
	/* More than a buffer's worth, from an IB. */
	at = AIB(&ib, 0, OP(WRITE), LO(VA + HW_MIB(16)), HI(VA + HW_MIB(16)),
		 5000);
	for (i = 0; i < 5000; i++)
		AIB(&ib, at + i, i ^ 0x5555);
	run_ib(at + 5000);
	expect(arig_idle(&rig, E));
	for (i = 0; i < 5000; i++)
		expect_eq(arig_dw(&dst, i), i ^ 0x5555);
	arig_free(&rig);
}

static void copy_linear(void)
{
	static const uint32_t sizes[] = { 1, 3, 4096, 4097, 700001, 0 };

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(dst.host, 0xc5, dst.size);
		AIB(&ib, 0, OP(COPY), sizes[i], 0, LO(VA + 77), HI(VA),
		    LO(VA + HW_MIB(16) + 1000), HI(VA));
		run_ib(7);
		expect(arig_idle(&rig, E));
		expect(!memcmp(dst.host + 1000, src.host + 77, sizes[i]));
		expect_eq(dst.host[999], 0xc5);
		expect_eq(dst.host[1000 + sizes[i]], 0xc5);
	}
	expect_eq(rig.cik->stats.bytes_copied, 1 + 3 + 4096 + 4097 + 700001);
	expect_eq(rig.cik->stats.faults, 0);
	arig_free(&rig);
}

static void fill(void)
{
	setup();
	/* Bytes, and dwords of which the last is not whole. */
	ARUN(&rig, E, OP(CONSTANT_FILL), LO(dst.mc + 3), HI(dst.mc), 0x15a,
	     5000);
	expect_eq(dst.host[2], 0);
	for (int i = 3; i < 5003; i++)
		expect_eq(dst.host[i], 0x5a);
	expect_eq(dst.host[5003], 0);
	ARUN(&rig, E, PKT(SDMA_OPCODE_CONSTANT_FILL, 0,
			  SDMA_CONSTANT_FILL_EXTRA_SIZE(2)),
	     LO(dst.mc), HI(dst.mc), 0x04030201, 4098);
	for (int i = 0; i < 4098; i++)
		expect_eq(dst.host[i], 1 + i % 4);
	expect_eq(dst.host[4098], 0x5a);
	expect_eq(rig.cik->stats.bytes_filled, 5000 + 4098);
	arig_free(&rig);
}

/* Longer than a turn: in pieces, between which the other engine runs. */
static void long_fill(void)
{
	unsigned int turns = 0;

	setup();
	/* 1 GiB on the same 2 MiB, by many page table entries to them. */
	for (uint64_t i = 0; i < HW_GIB(1); i += HW_PAGE_SIZE)
		arig_map_entry(&rig, HW_GIB(8) + i, (src.addr + i % src.size) |
			       ARIG_RW);
	AIB(&ib, 0, OP(CONSTANT_FILL), LO(HW_GIB(8)), HI(HW_GIB(8)), 0x77,
	    HW_GIB(1));
	AEMIT(&rig, E, PKT(SDMA_OPCODE_INDIRECT_BUFFER, 0, ARIG_VMID),
	      LO(VA + HW_MIB(32)), HI(VA), 5);
	arig_kick(&rig, E);
	expect_eq(arig_turn(&rig), 0);
	expect(!arig_idle(&rig, E) || rig.cik->stats.bytes_filled == 0);
	AEMIT(&rig, ARIG_SDMA1, OP(FENCE), LO(dst.mc), HI(dst.mc), 0x5678);
	arig_kick(&rig, ARIG_SDMA1);
	arig_turn(&rig);
	expect(arig_idle(&rig, ARIG_SDMA1));
	expect_eq(arig_dw(&dst, 0), 0x5678);
	expect_eq(rig.cik->stats.bytes_filled, 0);
	while (rig.cik->stats.bytes_filled == 0 && turns++ < 10000)
		arig_turn(&rig);
	expect(turns > 5 && turns < 10000);
	for (uint64_t i = 0; i < src.size; i++)
		expect_eq(src.host[i], 0x77);
	arig_free(&rig);
}

static void fence_and_trap(void)
{
	setup();
	for (int i = 0; i < 2; i++) {
		ARUN(&rig, ARIG_SDMA0 + i, OP(FENCE), LO(dst.mc + 64 * i),
		     HI(dst.mc), 100 + i, OP(TRAP));
		expect_eq(arig_dw(&dst, 16 * i), 100 + i);
		expect(arig_expect_iv(&rig, 224, i));
	}
	/* Traps can be turned off. */
	arig_write(&rig, mmSDMA0_CNTL, 0);
	ARUN(&rig, E, OP(TRAP));
	expect(arig_idle(&rig, E));
	expect(!arig_iv(&rig, &(struct arig_iv){ 0 }));
	arig_free(&rig);
}

/* Of a budget of 8192 for a turn fills take so much that @left pages' worth remain. */
static void fill_turn(unsigned int left)
{
	const unsigned int fills = 31, whole = src.size / HW_PAGE_SIZE;

	for (unsigned int i = 0; i < fills; i++)
		AEMIT(&rig, E, OP(CONSTANT_FILL), LO(src.mc), HI(src.mc), 0,
		      src.size);
	AEMIT(&rig, E, OP(CONSTANT_FILL), LO(src.mc), HI(src.mc), 0,
	      (8192 - fills * (whole + 1) - 1 - left) * HW_PAGE_SIZE);
	AEMIT(&rig, E, OP(FENCE), LO(dst.mc), HI(dst.mc), 0x1234, OP(TRAP));
	arig_kick(&rig, E);
	arig_turn(&rig);
}

/* Between them the other engine could have a long turn, and the driver wonder. */
static void fence_at_the_end(void)
{
	setup();
	fill_turn(1);
	expect_eq(arig_dw(&dst, 0), 0x1234);
	expect(arig_expect_iv(&rig, 224, 0));
	arig_free(&rig);

	/* Control: with a page more the turn is over before both. */
	setup();
	fill_turn(0);
	expect_eq(arig_dw(&dst, 0), 0);
	expect(!arig_iv(&rig, &(struct arig_iv){ 0 }));
	arig_turn(&rig);
	expect_eq(arig_dw(&dst, 0), 0x1234);
	expect(arig_expect_iv(&rig, 224, 0));
	arig_free(&rig);
}

static void indirect(void)
{
	struct arig_iv iv;

	setup();
	/* Nothing but NOPs, an empty one, one with a packet that has a count. */
	AIB(&ib, 0, 0, 0, OP(NOP) | SDMA_NOP_COUNT(3), 9, 9, 9, 0, 0);
	run_ib(8);
	run_ib(0);
	expect(arig_idle(&rig, E));
	/* The address is that of 32 bytes. */
	AIB(&ib, 0, OP(WRITE), LO(VA + HW_MIB(16)), HI(VA), 1, 42);
	ARUN(&rig, E, PKT(SDMA_OPCODE_INDIRECT_BUFFER, 0, ARIG_VMID),
	     LO(VA + HW_MIB(32)) | 0x1f, HI(VA), 5);
	expect_eq(arig_dw(&dst, 0), 42);
	/* In VMID 0, where those addresses mean nothing. */
	ARUN(&rig, E, OP(INDIRECT_BUFFER), LO(ib.mc), HI(ib.mc), 5);
	expect(rig.cik->stats.faults > 0);
	/* An IB within an IB has the same VMID, whatever it says. */
	AIB(&ib, 0, PKT(SDMA_OPCODE_INDIRECT_BUFFER, 0, 0),
	    LO(VA + HW_MIB(32) + 256), HI(VA), 5, OP(TRAP));
	AIB(&ib, 64, OP(WRITE), LO(VA + HW_MIB(16)), HI(VA), 1, 43);
	run_ib(5);
	expect_eq(arig_dw(&dst, 0), 43);
	expect(arig_iv(&rig, &iv));
	expect_eq(iv.vmid, ARIG_VMID);
	/* Itself again and again: that is too deep. */
	AIB(&ib, 0, PKT(SDMA_OPCODE_INDIRECT_BUFFER, 0, 0),
	    LO(VA + HW_MIB(32)), HI(VA), 4);
	run_ib(4);
	expect(!arig_idle(&rig, E) || rig.cik->ring[1].stopped);
	expect(arig_expect_iv(&rig, 241, 0));
	arig_free(&rig);
}

static void poll(void)
{
	const uint32_t memory = SDMA_POLL_REG_MEM_EXTRA_M;
	static const struct {
		unsigned int function;
		bool below, equal, above;
	} functions[] = {
		{ 0, true, true, true },    { 1, true, false, false },
		{ 2, true, true, false },   { 3, false, true, false },
		{ 4, true, false, true },   { 5, false, true, true },
		{ 6, false, false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		for (uint32_t value = 9; value <= 11; value++) {
			bool met = value < 10 ? functions[i].below :
				   value > 10 ? functions[i].above :
						functions[i].equal;

			setup();
			arig_set_dw(&dst, 4, 0xff00 | value);
			ARUN(&rig, E,
			     PKT(SDMA_OPCODE_POLL_REG_MEM, 0, memory |
				 functions[i].function << 12),
			     LO(dst.mc + 16), HI(dst.mc), 10, 0xff, 0xfff0004);
			expect_eq(arig_idle(&rig, E), met);
			arig_free(&rig);
		}
	}
}

static void poll_registers(void)
{
	setup();
	arig_write(&rig, mmSCRATCH_REG0, 4);
	ARUN(&rig, E, PKT(SDMA_OPCODE_POLL_REG_MEM, 0,
			  SDMA_POLL_REG_MEM_EXTRA_FUNC(3)),
	     mmSCRATCH_REG0 * 4, 0, 5, ~0u, 10);
	expect(!arig_idle(&rig, E));
	arig_write(&rig, mmSCRATCH_REG0, 5);
	arig_work(&rig);
	expect(arig_idle(&rig, E));
	/* Writes one, waits for another: the flush of the host's path. */
	ARUN(&rig, E, PKT(SDMA_OPCODE_POLL_REG_MEM, 0,
			  SDMA_POLL_REG_MEM_EXTRA_OP(1) |
			  SDMA_POLL_REG_MEM_EXTRA_FUNC(3)),
	     mmGPU_HDP_FLUSH_DONE * 4, mmGPU_HDP_FLUSH_REQ * 4, 0x400, 0x400,
	     10);
	expect(arig_idle(&rig, E));
	expect_eq(arig_read(&rig, mmGPU_HDP_FLUSH_REQ), 0x400);
	arig_free(&rig);
}

static void cond_exec(void)
{
	setup();
	for (uint32_t value = 1; value <= 2; value++) {
		memset(dst.host, 0, 64);
		arig_set_dw(&dst, 0, 1);
		ARUN(&rig, E, OP(COND_EXEC), LO(dst.mc), HI(dst.mc), value, 4,
		     OP(FENCE), LO(dst.mc + 4), HI(dst.mc), 11, OP(FENCE),
		     LO(dst.mc + 8), HI(dst.mc), 22);
		expect(arig_idle(&rig, E));
		expect_eq(arig_dw(&dst, 1), value == 1 ? 11 : 0);
		expect_eq(arig_dw(&dst, 2), 22);
	}
	/* More than there is to skip. */
	ARUN(&rig, E, OP(COND_EXEC), LO(dst.mc), HI(dst.mc), 7, 100);
	expect(arig_expect_iv(&rig, 241, 0));
	arig_free(&rig);
}

static void semaphore(void)
{
	setup();
	ARUN(&rig, E, OP(SEMAPHORE), LO(dst.mc), HI(dst.mc));
	expect(!arig_idle(&rig, E));
	/* The other engine signals twice; one is left. */
	for (int i = 0; i < 2; i++)
		AEMIT(&rig, ARIG_SDMA1, PKT(SDMA_OPCODE_SEMAPHORE, 0,
					    SDMA_SEMAPHORE_EXTRA_S),
		      LO(dst.mc), HI(dst.mc));
	arig_submit(&rig, ARIG_SDMA1);
	expect(arig_idle(&rig, E) && arig_idle(&rig, ARIG_SDMA1));
	expect_eq(arig_qw(&dst, 0), 1);
	ARUN(&rig, E, PKT(SDMA_OPCODE_SEMAPHORE, 0, SDMA_SEMAPHORE_EXTRA_S),
	     LO(dst.mc), HI(dst.mc));
	expect_eq(arig_qw(&dst, 0), 2);
	ARUN(&rig, E, PKT(SDMA_OPCODE_SEMAPHORE, 0, SDMA_SEMAPHORE_EXTRA_S |
			  SDMA_SEMAPHORE_EXTRA_O), LO(dst.mc), HI(dst.mc));
	expect_eq(arig_qw(&dst, 0), 1);
	arig_free(&rig);
}

static void atomic(void)
{
	static const struct {
		unsigned int op;
		uint64_t old, data, new, compare;
	} ops[] = {
		{ TC_OP_ATOMIC_ADD_RTN_32, ~0u, 2, 1, 0 },
		{ TC_OP_ATOMIC_ADD_RTN_64, ~0u, 2, 0x100000001, 0 },
		{ TC_OP_ATOMIC_SUB_RTN_32, 1, 2, ~0u, 0 },
		{ TC_OP_ATOMIC_SWAP_RTN_64, 5, 0x123456789a, 0x123456789a, 0 },
		{ TC_OP_ATOMIC_CMPSWAP_RTN_32, 5, 6, 6, 5 },
		{ TC_OP_ATOMIC_CMPSWAP_RTN_32, 5, 6, 5, 4 },
		{ TC_OP_ATOMIC_CMPSWAP_RTN_64, 5, 6, 5, 0x100000005 },
		{ TC_OP_ATOMIC_SMIN_RTN_32, 3, ~0u, ~0u, 0 },
		{ TC_OP_ATOMIC_UMIN_RTN_32, 3, ~0u, 3, 0 },
		{ TC_OP_ATOMIC_SMAX_RTN_32, 3, ~0u, 3, 0 },
		{ TC_OP_ATOMIC_UMAX_RTN_32, 3, ~0u, ~0u, 0 },
		{ TC_OP_ATOMIC_SMIN_RTN_64, 3, -1ull, -1ull, 0 },
		{ TC_OP_ATOMIC_AND_RTN_32, 0xff, 0x1f0, 0xf0, 0 },
		{ TC_OP_ATOMIC_OR_RTN_32, 0xff, 0x100, 0x1ff, 0 },
		{ TC_OP_ATOMIC_XOR_32, 0xff, 0x101, 0x1fe, 0 },
		{ TC_OP_ATOMIC_INC_RTN_32, 7, 7, 0, 0 },
		{ TC_OP_ATOMIC_INC_RTN_32, 6, 7, 7, 0 },
		{ TC_OP_ATOMIC_DEC_RTN_32, 0, 7, 7, 0 },
		{ TC_OP_ATOMIC_DEC_RTN_32, 7, 7, 6, 0 },
		{ TC_OP_ATOMIC_DEC_RTN_32, 8, 7, 7, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		setup();
		arig_set_dw(&dst, 0, LO(ops[i].old));
		arig_set_dw(&dst, 1, HI(ops[i].old));
		ARUN(&rig, E, SDMA_OP_ATOMIC | ops[i].op << 25, LO(dst.mc),
		     HI(dst.mc), LO(ops[i].data), HI(ops[i].data),
		     LO(ops[i].compare), HI(ops[i].compare), 0);
		expect(arig_idle(&rig, E));
		expect_eq(arig_qw(&dst, 0), ops[i].new);
		arig_free(&rig);
	}
	/* With a loop it waits until the comparison succeeds. */
	setup();
	ARUN(&rig, E, SDMA_OP_ATOMIC | 1 << 16 |
	     TC_OP_ATOMIC_CMPSWAP_RTN_32 << 25, LO(dst.mc), HI(dst.mc), 9, 0, 1,
	     0, 0);
	expect(!arig_idle(&rig, E));
	arig_set_dw(&dst, 0, 1);
	arig_work(&rig);
	expect(arig_idle(&rig, E));
	expect_eq(arig_dw(&dst, 0), 9);
	/* Floating point is not there. */
	ARUN(&rig, E, SDMA_OP_ATOMIC | TC_OP_ATOMIC_FMIN_RTN_32 << 25,
	     LO(dst.mc), HI(dst.mc), 0, 0, 0, 0, 0);
	expect(arig_expect_iv(&rig, 241, 0));
	arig_free(&rig);
}

static void page_table_entries(void)
{
	uint64_t i;

	setup();
	ARUN(&rig, E, OP(GENERATE_PTE_PDE), LO(dst.mc), HI(dst.mc), 0x61, 1,
	     0x5000, 2, 0x1000, 0, 1500);
	expect(arig_idle(&rig, E));
	for (i = 0; i < 1500; i++)
		expect_eq(arig_qw(&dst, i), (0x200005000 + i * 0x1000) |
			  0x100000061);
	expect_eq(arig_qw(&dst, 1500), 0);
	arig_free(&rig);
}

static void timestamps(void)
{
	uint64_t first;

	setup();
	ARUN(&rig, E, PKT(SDMA_OPCODE_TIMESTAMP,
			  SDMA_TIMESTAMP_SUB_OPCODE_GET_LOCAL, 0), LO(dst.mc),
	     HI(dst.mc));
	first = arig_qw(&dst, 0);
	expect(first);
	ARUN(&rig, E, PKT(SDMA_OPCODE_TIMESTAMP,
			  SDMA_TIMESTAMP_SUB_OPCODE_SET_LOCAL, 0), 0, 0,
	     PKT(SDMA_OPCODE_TIMESTAMP,
		 SDMA_TIMESTAMP_SUB_OPCODE_GET_GLOBAL, 0), LO(dst.mc + 8),
	     HI(dst.mc));
	expect(arig_qw(&dst, 1) >= first);
	arig_free(&rig);
}

static void register_writes(void)
{
	setup();
	ARUN(&rig, E, PKT(SDMA_OPCODE_SRBM_WRITE, 0, 0xf000), mmSCRATCH_REG0,
	     0x11223344);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 0x11223344);
	ARUN(&rig, E, PKT(SDMA_OPCODE_SRBM_WRITE, 0, 0x5000), mmSCRATCH_REG0,
	     0xaabbccdd);
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 0x11bb33dd);
	/* Not user space's: the engine stops and says so. */
	AIB(&ib, 0, PKT(SDMA_OPCODE_SRBM_WRITE, 0, 0xf000), mmSCRATCH_REG0, 1);
	run_ib(3);
	expect(arig_expect_iv(&rig, 241, 0));
	expect_eq(arig_read(&rig, mmSCRATCH_REG0), 0x11bb33dd);
	arig_free(&rig);
}

static void unknown(void)
{
	static const uint32_t headers[] = {
		PKT(SDMA_OPCODE_COPY, SDMA_COPY_SUB_OPCODE_TILED, 0),
		PKT(SDMA_OPCODE_WRITE, SDMA_WRITE_SUB_OPCODE_TILED, 0),
		3, 15, 0xff,
	};

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		setup();
		expect_eq(cik_report(rig.cik), 0);
		ARUN(&rig, E, headers[i], 0, 0, 0, 0, 0, 0, 0);
		expect(arig_expect_iv(&rig, 241, 0));
		expect_eq(cik_report(rig.cik), 1);
		/* It stands still, the other one does not. */
		ARUN(&rig, E, OP(FENCE), LO(dst.mc), HI(dst.mc), 1);
		expect_eq(arig_dw(&dst, 0), 0);
		ARUN(&rig, ARIG_SDMA1, OP(FENCE), LO(dst.mc), HI(dst.mc), 2);
		expect_eq(arig_dw(&dst, 0), 2);
		arig_free(&rig);
	}
}

/* What ends before the packet does. */
static void cut_off(void)
{
	static const uint32_t lengths[][2] = {
		{ OP(COPY), 6 }, { OP(WRITE), 3 }, { OP(CONSTANT_FILL), 4 },
		{ OP(GENERATE_PTE_PDE), 9 }, { OP(FENCE), 3 },
		{ OP(POLL_REG_MEM), 5 }, { SDMA_OP_ATOMIC, 7 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		setup();
		AIB(&ib, 0, lengths[i][0]);
		run_ib(lengths[i][1]);
		expect(arig_expect_iv(&rig, 241, 0));
		expect(!arig_idle(&rig, E) || rig.cik->ring[1].stopped);
		arig_free(&rig);
	}
	/* The data of a WRITE counts as well. */
	setup();
	AIB(&ib, 0, OP(WRITE), LO(VA + HW_MIB(16)), HI(VA), 3, 1, 2);
	run_ib(6);
	expect(arig_expect_iv(&rig, 241, 0));
	expect_eq(arig_dw(&dst, 0), 0);
	arig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "WRITE: linear", write_linear },
	{ "COPY: linear", copy_linear },
	{ "CONSTANT_FILL: bytes and dwords", fill },
	{ "a long one leaves turns to others", long_fill },
	{ "FENCE and TRAP", fence_and_trap },
	{ "FENCE and TRAP are of one turn", fence_at_the_end },
	{ "INDIRECT_BUFFER and NOP", indirect },
	{ "POLL_REG_MEM: each comparison", poll },
	{ "POLL_REG_MEM: registers", poll_registers },
	{ "COND_EXEC", cond_exec },
	{ "SEMAPHORE", semaphore },
	{ "ATOMIC", atomic },
	{ "GENERATE_PTE_PDE", page_table_entries },
	{ "TIMESTAMP", timestamps },
	{ "SRBM_WRITE", register_writes },
	{ "packets that nobody models", unknown },
	{ "packets that are cut off", cut_off },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
