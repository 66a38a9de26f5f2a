// SPDX-License-Identifier: GPL-2.0-only
/*
 * vramtop's readers: what they take, what they do not, and that no bytes at all do them
 * harm, for which this is built with sanitizers. TAP on stdout.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "vramtop.h"

#define ROUNDS	20000

void die(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	exit(status);
}

static struct snapshot read_bufinfo(const char *text, size_t len)
{
	FILE *file = fmemopen((void *)text, len, "r");
	struct snapshot snap = {};

	if (file) {
		parse_bufinfo(file, &snap);
		fclose(file);
	}
	return snap;
}

#define HEAD	"\nDma-buf Objects:\n" \
		"size    \tflags   \tmode    \tcount   \texp_name\tino     \tname\n"
#define BUF(ino, name)	"04194304\t00000002\t000a001f\t00000002\tdrm\t" ino "\t" name "\n"
#define LIST	"\tAttached Devices:\n"
#define PAL	"\t-\tmapping=PAL ranges=3 bytes=4194304\n"
#define END(n)	"Total " n " devices attached\n\n"
#define SUM(n)	"\nTotal " n " objects, 4194304 bytes\n"

static const char good[] =
	HEAD
	BUF("00000007", "<none>") "\tread fence:xe ring seq 3 signalled\n" LIST PAL
	"\t0000:00:09.0\tmapping=SGT peer2peer=1\n" "\t-\tmapping=PAL unmapped\n" END("3")
	BUF("00000009", "a name") LIST "\t0000:00:0b.0\n" END("1")
	SUM("2");

static void test_good(void)
{
	struct snapshot snap = read_bufinfo(good, sizeof(good) - 1);
	struct buffer *one = snapshot_buffer(&snap, 7), *other = snapshot_buffer(&snap, 9);
	struct attachment *att = one ? one->attachments : NULL;

	result(snap.nr_buffers == 2 && !snap.inconsistent && one && other,
	       "two buffers, as many as it says");
	result(one && one->size == 4194304 && one->references == 2 && !one->name[0] &&
	       !strcmp(one->exporter, "drm") && !one->unsure, "size, references and exporter");
	result(one && one->nr_attachments == 3 && att[0].mapped && att[0].ranges == 3 &&
	       att[0].bytes == 4194304 && !att[0].device[0] && !strcmp(att[0].mapping, "PAL"),
	       "an attachment of PAL that is mapped");
	result(att && !att[1].mapped && !strcmp(att[1].mapping, "SGT") &&
	       !strcmp(att[1].device, "0000:00:09.0") && !att[2].mapped &&
	       !strcmp(att[2].mapping, "PAL"), "one of SGT, and one that is not mapped");
	result(other && !other->unsure && !strcmp(other->name, "a name") &&
	       other->nr_attachments == 1 && !other->attachments[0].mapping[0],
	       "one of a kernel that does not tell the type");
	snapshot_free(&snap);
}

/* What a buffer with this text in place of its name and attachments is taken for */
static bool unsure(const char *text)
{
	struct snapshot snap;
	char all[1024];
	bool ret;

	snprintf(all, sizeof(all), "%s%s%s", HEAD, text, SUM("1"));
	snap = read_bufinfo(all, strlen(all));
	ret = snap.nr_buffers == 1 && snap.buffers[0].unsure &&
	      !snap.buffers[0].nr_attachments;
	snapshot_free(&snap);
	return ret;
}

static void test_bad(void)
{
	static const struct {
		const char *text, *what;
	} bad[] = {
		{ BUF("00000007", "a\n\tx\tmapping=PAL") LIST END("0"), "a name with an attachment" },
		{ BUF("00000007", "a") LIST PAL END("0"), "more attachments than there are" },
		{ BUF("00000007", "a") LIST END("1"), "fewer of them" },
		{ BUF("00000007", "a\nTotal 0 devices attached") LIST PAL END("1"),
		  "a name with the end of a buffer" },
		{ BUF("00000007", "a\n\tAttached Devices:\n") LIST PAL END("1"),
		  "a name with the begin of a list" },
		{ BUF("00000007", "a") LIST "\t-\tmapping=PAL ranges=x bytes=1\n" END("1"),
		  "a number that is none" },
		{ BUF("00000007", "a") LIST
		  "\t-\tmapping=PAL ranges=99999999999999999999 bytes=1\n" END("1"),
		  "a number that is too large" },
		{ BUF("00000007", "a") LIST "\t-\tmapping=\n" END("1"), "no type" },
		{ BUF("00000007", "a") LIST
		  "\t-\tmapping=LONGERTHANANYTYPE0\n" END("1"), "a type that is too long" },
		{ BUF("00000007", "a") LIST PAL, "no end" },
		{ BUF("00000007", "a") "something\n" LIST END("0"), "a line of no kind" },
	};
	struct snapshot snap;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		result(unsure(bad[i].text), "unsure: %s", bad[i].what);
	result(!unsure(BUF("00000007", "a") LIST PAL END("1")), "control: one that fits");
	snap = read_bufinfo(HEAD "1\t1\t1\t1\tdrm\t1\tx\n" SUM("1"),
			    strlen(HEAD "1\t1\t1\t1\tdrm\t1\tx\n" SUM("1")));
	result(!snap.nr_buffers && snap.inconsistent,
	       "a buffer as short as a name can be is none, and is missed");
	snapshot_free(&snap);
}

static struct manager manager_of(const char *text, bool *ok)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	struct manager man = {};

	*ok = parse_manager(file, &man);
	fclose(file);
	return man;
}

static void test_manager(void)
{
	struct manager man;
	bool ok;

	man = manager_of("  use_type: 1\n  size: 100\n  usage: 40\n  pal_pinned: 10\n"
			 "  pal_limit: 50\nvisible_size: 64MiB\nman size:7\n", &ok);
	result(ok && man.size == 100 && man.used == 40 && man.has_pal &&
	       man.pal_pinned == 10 && man.pal_limit == 50, "an account of VRAM");
	man = manager_of("  size: 100\n  usage: 40\n", &ok);
	result(ok && !man.has_pal, "one of a kernel that does not count pins");
	manager_of("  size: 100x\n  usage: -40\n", &ok);
	result(!ok, "no numbers, no account");
}

static void test_gem_info(void)
{
	static const char text[] =
		"pid        1 command x:\n"
		"\t\t0x00000001:      4194304 byte VRAM VISIBLE exported as ino:7 NO_CPU\n"
		"\t\t0x00000002:      4194304 byte GTT exported as ino:9\n"
		"\t\t0x00000003:      4194304 byte VRAM exported as ino:\n"
		"\t\t0x00000004:      4194304 byte VRAM exported as ino:99999999999999999999999\n";
	struct snapshot snap = read_bufinfo(good, sizeof(good) - 1);
	FILE *file = fmemopen((void *)text, sizeof(text) - 1, "r");

	parse_gem_info(file, "0000:00:0b.0", &snap);
	fclose(file);
	result(snapshot_buffer(&snap, 7)->memory == MEMORY_VRAM &&
	       !strcmp(snapshot_buffer(&snap, 7)->gpu, "0000:00:0b.0") &&
	       snapshot_buffer(&snap, 9)->memory == MEMORY_SYSTEM,
	       "amdgpu tells whose a buffer is, and where");
	snapshot_free(&snap);
}

static void test_client(void)
{
	static const char text[] =
		"pos:\t0\ndrm-driver:\txe\ndrm-client-id:\t12\ndrm-pdev:\t0000:00:08.0\n"
		"drm-total-vram0:\t2 MiB\ndrm-total-vram1:\t3 KiB\ndrm-shared-vram0:\t1024\n"
		"drm-total-gtt:\t9 MiB\ndrm-resident-vram0:\t1 GiB\n"
		"drm-resident-vram1:\t99999999999999999999 KiB\n";
	FILE *file = fmemopen((void *)text, sizeof(text) - 1, "r");
	struct client client = {};
	bool ok = parse_client(file, &client);

	fclose(file);
	result(ok && !strcmp(client.driver, "xe") && !strcmp(client.gpu, "0000:00:08.0") &&
	       client.id == 12 && client.total == (2u << 20) + (3u << 10) &&
	       client.shared == 1024, "a client, and the sum of its VRAM");
	result(!client.resident, "of units and numbers that are none nothing is taken");
}

static void test_map(void)
{
	uint64_t inode = 0;

	result(parse_map("7f0-7f1 rw-s 00000000 00:0c 77      /dmabuf:name\n", &inode) &&
	       inode == 77, "a mapping of a dma-buf");
	result(!parse_map("7f0-7f1 rw-s 00000000 00:0c 77      /tmp/dmabuf:name\n", &inode) &&
	       !parse_map("7f0-7f1 rw-p 00000000 00:00 0\n", &inode) &&
	       !parse_map("", &inode), "other mappings are none");
}

static void test_show(void)
{
	struct snapshot snap = read_bufinfo(good, sizeof(good) - 1);
	char *text;
	size_t len;
	FILE *out;

	strcpy(snap.buffers[0].name, "\x1b[2J\"\\\n\xff");
	out = open_memstream(&text, &len);
	show_json(out, &snap);
	fclose(out);
	result(strstr(text, "\"name\":\"\\u001b[2J\\\"\\\\\\u000a\\u00ff\"") != NULL,
	       "JSON has each byte of a name, as a character");
	free(text);
	out = open_memstream(&text, &len);
	show_text(out, &snap, 3, 40);
	fclose(out);
	result(!strpbrk(text, "\x1b\xff") && strlen(text) <= 3 * 41,
	       "the screen has none that does anything, and no more lines than it has room for");
	free(text);
	snapshot_free(&snap);
}

/* Bytes of the good text are changed, doubled and cut, the same ones each time. */
static void test_mutations(void)
{
	FILE *null = fopen("/dev/null", "w");
	static char text[2 * sizeof(good)];
	unsigned int seed = 1, i, k;

	for (i = 0; i < ROUNDS; i++) {
		size_t len = sizeof(good) - 1;
		struct snapshot snap;

		memcpy(text, good, len);
		for (k = rand_r(&seed) % 4 + 1; k; k--)
			text[rand_r(&seed) % len] = rand_r(&seed);
		if (rand_r(&seed) % 4 == 0) {
			size_t from = rand_r(&seed) % len;

			memcpy(text + len, good + from, sizeof(good) - 1 - from);
			len += sizeof(good) - 1 - from;
		}
		if (rand_r(&seed) % 4 == 0)
			len = rand_r(&seed) % len + 1;
		snap = read_bufinfo(text, len);
		for (k = 0; k < snap.nr_buffers; k++)
			if (snap.buffers[k].unsure && snap.buffers[k].nr_attachments)
				result(false, "attachments of what is unsure");
		show_json(null, &snap);
		show_text(null, &snap, 0, 0);
		snapshot_free(&snap);
	}
	fclose(null);
	result(true, "%d mutations", ROUNDS);
}

int main(void)
{
	printf("TAP version 13\n");
	test_good();
	test_bad();
	test_manager();
	test_gem_info();
	test_client();
	test_map();
	test_show();
	test_mutations();
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}
