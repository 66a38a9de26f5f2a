// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recorded conversation, word by word, without a VM: what the driver did to
 * the device, and each answer that it got. The words of a transcript:
 *
 * CFG_READ(offset, bytes, value)	configuration space has it
 * CFG_WRITE(offset, bytes, value)
 * READ(register, value)		the register has it
 * MAILBOX(gt, n, (request), m, (answer))
 * PTES(ggtt, pages, memory)		maps new memory in the GGTT
 * MEMORY(ggtt, n, (dwords))		the driver writes it
 * EXPECT(ggtt, dword), EXPECT8(ggtt, byte)
 * RINGS(h2g desc, h2g, dwords, g2h desc, g2h, dwords)	both are empty now
 * H2G(fence, n, (message))		with a doorbell, and work
 * G2H(fence, n, (message))		the next one is exactly this
 * IMAGE(lrc, ring, bytes, dwords)	the state: a ring, and what is in it
 * VM(lrc, va, pages)			maps new VRAM at @va
 * DIRTY(lrc, va, pages), CLEAR(lrc, va, pages)		fill it, is it zero
 */
#include "tap.h"
#include "xe/driver.h"
#include "xe_rig.h"

#define MAX_DW	32

enum word {
	W_CFG_READ, W_CFG_WRITE, W_READ, W_MAILBOX, W_PTES, W_MEMORY, W_EXPECT,
	W_EXPECT8, W_RINGS, W_H2G, W_G2H, W_IMAGE, W_VM, W_DIRTY, W_CLEAR,
};

enum { MAIN, MEDIA };
enum { VRAM = RIG_VRAM, RAM = RIG_RAM };

/**
 * struct line - one of the transcript
 * @line: number in the file
 * @word: what happens
 * @arg: to what
 * @n: dwords of @dw
 * @m: dwords of @answer
 */
struct line {
	int line;
	enum word word;
	uint64_t arg[6];
	unsigned int n, m;
	uint32_t dw[MAX_DW], answer[4];
};

#define DWORDS(...) { __VA_ARGS__ }
#define LINE(w, ...) { .line = __LINE__, .word = w, .arg = { __VA_ARGS__ } },
#define LINE_DW(w, a, count, list) \
	{ .line = __LINE__, .word = w, .arg = { a }, .n = count, \
	  .dw = DWORDS list },
#define CFG_READ(offset, len, value) LINE(W_CFG_READ, offset, len, value)
#define CFG_WRITE(offset, len, value) LINE(W_CFG_WRITE, offset, len, value)
#define READ(reg, value) LINE(W_READ, reg, value)
#define MAILBOX(gt, count, list, nr, reply) \
	{ .line = __LINE__, .word = W_MAILBOX, .arg = { gt }, .n = count, \
	  .m = nr, .dw = DWORDS list, .answer = DWORDS reply },
#define PTES(ggtt, pages, memory) LINE(W_PTES, ggtt, pages, memory)
#define MEMORY(ggtt, count, list) LINE_DW(W_MEMORY, ggtt, count, list)
#define EXPECT(ggtt, dword) LINE(W_EXPECT, ggtt, dword)
#define EXPECT8(ggtt, byte) LINE(W_EXPECT8, ggtt, byte)
#define RINGS(...) LINE(W_RINGS, __VA_ARGS__)
#define H2G(fence, count, list) LINE_DW(W_H2G, fence, count, list)
#define G2H(fence, count, list) LINE_DW(W_G2H, fence, count, list)
#define IMAGE(...) LINE(W_IMAGE, __VA_ARGS__)
#define VM(...) LINE(W_VM, __VA_ARGS__)
#define DIRTY(...) LINE(W_DIRTY, __VA_ARGS__)
#define CLEAR(...) LINE(W_CLEAR, __VA_ARGS__)

static const struct line probe[] = {
#include "transcripts/probe.h"
};

#define PAGES	256

static struct rig rig;
static struct {
	uint64_t ggtt;
	uint8_t *host;
} pages[PAGES];
static unsigned int nr_pages;
static struct rig_buf vm;
static uint64_t root;

/* The newest entry counts. */
static uint8_t *host(uint64_t ggtt)
{
	for (unsigned int i = nr_pages; i--;)
		if (pages[i].ggtt == ggtt / HW_PAGE_SIZE)
			return pages[i].host + ggtt % HW_PAGE_SIZE;
	hw_die(1, "the transcript has no memory at %#llx",
	       (unsigned long long)ggtt);
}

static struct rig_buf buf_at(uint64_t ggtt)
{
	return (struct rig_buf){ .ggtt = ggtt, .host = host(ggtt) };
}

static void map_pages(const struct line *line)
{
	struct rig_buf buf = rig_buf(&rig, line->arg[2],
				     line->arg[1] * HW_PAGE_SIZE);

	for (uint64_t i = 0; i < line->arg[1]; i++, nr_pages++) {
		if (nr_pages == PAGES)
			hw_die(1, "the transcript has too many pages");
		pages[nr_pages].ggtt = line->arg[0] / HW_PAGE_SIZE + i;
		pages[nr_pages].host = buf.host + i * HW_PAGE_SIZE;
		rig_set_pte(&rig, line->arg[0] + i * HW_PAGE_SIZE,
			    (buf.addr + i * HW_PAGE_SIZE) | XE_PAGE_PRESENT |
			    (buf.where == RIG_VRAM ? XE_GGTT_PTE_DM : 0));
	}
}

static void set_image(uint64_t lrc, unsigned int dw, uint32_t value)
{
	memcpy(host(lrc + HW_PAGE_SIZE) + 4 * dw, &value, 4);
}

static void make_image(const struct line *line)
{
	uint64_t lrc = line->arg[0];

	set_image(lrc, CTX_RING_START, line->arg[1]);
	set_image(lrc, CTX_RING_CTL, (line->arg[2] - HW_PAGE_SIZE) | 1);
	set_image(lrc, CTX_RING_TAIL, 4 * ((line->arg[3] + 1) & ~1u));
	set_image(lrc, CTX_INT_STATUS_REPORT_PTR, 0x10000000);
	set_image(lrc, CTX_INT_SRC_REPORT_PTR, 0x10000400);
	set_image(lrc, CTX_PDP0_LDW, LO(root));
	set_image(lrc, CTX_PDP0_UDW, HI(root));
}

static void make_rings(const struct line *line)
{
	rig.h2g_desc = buf_at(line->arg[0]);
	rig.h2g = buf_at(line->arg[1]);
	rig.h2g_dwords = line->arg[2];
	rig.g2h_desc = buf_at(line->arg[3]);
	rig.g2h = buf_at(line->arg[4]);
	rig.g2h_dwords = line->arg[5];
	memset(rig.h2g_desc.host, 0, 64);
	memset(rig.g2h_desc.host, 0, 64);
}

static void send(const struct line *line)
{
	const uint32_t header = line->arg[0] << 16 | line->n;

	rig_h2g_raw(&rig, &header, 1);
	rig_h2g_raw(&rig, line->dw, line->n);
	rig_doorbell(&rig);
	rig_work(&rig);
}

static bool same(const char *what, uint64_t got, uint64_t wanted)
{
	if (got == wanted)
		return true;
	printf("#   %s: %#llx, not %#llx\n", what, (unsigned long long)got,
	       (unsigned long long)wanted);
	return false;
}

static bool receive(const struct line *line)
{
	uint32_t msg[256] = { 0 };
	bool ok;

	ok = same("dwords", rig_g2h(&rig, msg), line->n) &&
	     same("fence", msg[0] >> 16, line->arg[0]);
	for (unsigned int i = 0; ok && i < line->n; i++)
		ok = same("dword", msg[i + 1], line->dw[i]);
	return ok;
}

static bool exchange(const struct line *line)
{
	uint32_t dw[4] = { 0 };
	bool ok = true;

	memcpy(dw, line->dw, 4 * line->n);
	rig_mailbox(&rig, line->arg[0] == MEDIA, dw);
	for (unsigned int i = 0; ok && i < line->m; i++)
		ok = same("flag", dw[i], line->answer[i]);
	return ok;
}

static bool config_is(const struct line *line)
{
	uint32_t value = 0;

	pci_config_read(&rig.vf->pci, line->arg[0], &value, line->arg[1]);
	return same("configuration", value, line->arg[2]);
}

static bool clear(void)
{
	for (uint64_t i = 0; i < vm.size; i++)
		if (vm.host[i])
			return same("byte", vm.host[i], 0);
	return true;
}

/* Words about memory. Whether it went as the transcript says. */
static bool play_memory(const struct line *line)
{
	uint32_t value;

	switch (line->word) {
	case W_PTES:
		map_pages(line);
		return true;
	case W_MEMORY:
		memcpy(host(line->arg[0]), line->dw, 4 * line->n);
		return true;
	case W_EXPECT:
		memcpy(&value, host(line->arg[0]), 4);
		return same("memory", value, line->arg[1]);
	case W_EXPECT8:
		return same("byte", *host(line->arg[0]), line->arg[1]);
	case W_VM:
		root = rig_ppgtt(&rig);
		vm = rig_buf(&rig, RIG_VRAM, line->arg[2] * HW_PAGE_SIZE);
		rig_map(&rig, root, line->arg[1], &vm, true);
		return true;
	case W_DIRTY:
		memset(vm.host, 0xff, vm.size);
		return true;
	case W_CLEAR:
		return clear();
	default:
		return false;
	}
}

static bool play(const struct line *line)
{
	uint32_t value = line->arg[2];

	switch (line->word) {
	case W_CFG_READ:
		return config_is(line);
	case W_CFG_WRITE:
		pci_config_write(&rig.vf->pci, line->arg[0], &value,
				 line->arg[1]);
		return true;
	case W_READ:
		return same("register", rig_read(&rig, line->arg[0]),
			    line->arg[1]);
	case W_MAILBOX:
		return exchange(line);
	case W_RINGS:
		make_rings(line);
		return true;
	case W_H2G:
		send(line);
		return true;
	case W_G2H:
		return receive(line);
	case W_IMAGE:
		make_image(line);
		return true;
	default:
		return play_memory(line);
	}
}

static void replay_probe(void)
{
	struct xe_config config = rig_config;

	config.vram = HW_MIB(256);
	config.ggtt = HW_MIB(256);
	config.contexts = 1024;
	config.ccs = 0;
	rig_init(&rig, &config, NULL);
	/* Its own addresses must not be among those of the transcript. */
	rig.ggtt_next = HW_GIB(2);
	nr_pages = 0;
	root = 0;
	for (size_t i = 0; i < ARRAY_SIZE(probe); i++) {
		if (play(&probe[i]))
			continue;
		printf("# transcripts/probe.h:%d does not come true\n",
		       probe[i].line);
		tap_failed = true;
		break;
	}
	/* Nothing was said beyond it, and no register touched that is not there. */
	expect(tap_failed || !rig_g2h(&rig, (uint32_t[256]){ 0 }));
	expect_eq(mmio_report(rig.vf->mmio), 0);
	expect_eq(rig.vf->stats.faults, 0);
	rig_free(&rig);
}

static const struct tap_test tests[] = {
	{ "the probe of Linux 7.3, up to the first cleared buffer",
	  replay_probe },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
