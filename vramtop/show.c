// SPDX-License-Identifier: GPL-2.0-only
/* Text for people, and JSON for programs */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "vramtop.h"

#define BAR	20

/* Whatever bytes there are, as a string of JSON: those above 127 as Latin-1 */
static void json_string(FILE *out, const char *key, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	fprintf(out, "\"%s\":", key);
	if (!*c) {
		fprintf(out, "null");
		return;
	}
	fputc('"', out);
	for (; *c; c++) {
		if (*c < 0x20 || *c > 0x7e)
			fprintf(out, "\\u%04x", *c);
		else
			fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
	}
	fputc('"', out);
}

static void json_number(FILE *out, const char *key, uint64_t value)
{
	fprintf(out, "\"%s\":%" PRIu64, key, value);
}

static void json_managers(FILE *out, const struct snapshot *snap)
{
	size_t i;

	fprintf(out, "\"vram\":[");
	for (i = 0; i < snap->nr_managers; i++) {
		const struct manager *man = &snap->managers[i];

		fprintf(out, "%s\n{", i ? "," : "");
		json_string(out, "gpu", man->gpu);
		fputc(',', out);
		json_string(out, "name", man->name);
		fprintf(out, ",\"size\":%" PRIu64 ",\"used\":%" PRIu64, man->size, man->used);
		if (man->has_pal)
			fprintf(out, ",\"pal_pinned\":%" PRIu64 ",\"pal_limit\":%" PRIu64 "}",
				man->pal_pinned, man->pal_limit);
		else
			fprintf(out, ",\"pal_pinned\":null,\"pal_limit\":null}");
	}
	fprintf(out, "]");
}

static void json_attachments(FILE *out, const struct buffer *buf)
{
	size_t i;

	fprintf(out, ",\"attachments\":[");
	for (i = 0; i < buf->nr_attachments; i++) {
		const struct attachment *att = &buf->attachments[i];

		fprintf(out, "%s{", i ? "," : "");
		json_string(out, "device", att->device);
		fputc(',', out);
		json_string(out, "mapping", att->mapping);
		if (att->mapped)
			fprintf(out, ",\"ranges\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
				att->ranges, att->bytes);
		else
			fprintf(out, ",\"ranges\":null,\"bytes\":null}");
	}
	fprintf(out, "]");
}

static void json_holders(FILE *out, const struct buffer *buf)
{
	size_t i;

	fprintf(out, ",\"processes\":[");
	for (i = 0; i < buf->nr_holders; i++) {
		const struct holder *holder = &buf->holders[i];

		fprintf(out, "%s{\"pid\":%d,", i ? "," : "", holder->pid);
		json_string(out, "command", holder->command);
		fprintf(out, ",\"files\":%u,\"maps\":%u}", holder->files, holder->maps);
	}
	fprintf(out, "]");
}

static void json_buffers(FILE *out, const struct snapshot *snap)
{
	static const char *const memory[] = { "", "vram", "system" };
	size_t i;

	fprintf(out, "\"buffers\":[");
	for (i = 0; i < snap->nr_buffers; i++) {
		const struct buffer *buf = &snap->buffers[i];

		fprintf(out, "%s\n{", i ? "," : "");
		json_number(out, "inode", buf->inode);
		fputc(',', out);
		json_number(out, "size", buf->size);
		fputc(',', out);
		json_number(out, "references", buf->references);
		fputc(',', out);
		json_string(out, "exporter", buf->exporter);
		fputc(',', out);
		json_string(out, "name", buf->name);
		fputc(',', out);
		json_string(out, "gpu", buf->gpu);
		fputc(',', out);
		json_string(out, "memory", memory[buf->memory]);
		fprintf(out, ",\"unsure\":%s", buf->unsure ? "true" : "false");
		json_attachments(out, buf);
		json_holders(out, buf);
		fprintf(out, "}");
	}
	fprintf(out, "]");
}

static void json_clients(FILE *out, const struct snapshot *snap)
{
	size_t i;

	fprintf(out, "\"clients\":[");
	for (i = 0; i < snap->nr_clients; i++) {
		const struct client *client = &snap->clients[i];

		fprintf(out, "%s\n{\"pid\":%d,", i ? "," : "", client->pid);
		json_string(out, "command", client->command);
		fputc(',', out);
		json_string(out, "driver", client->driver);
		fputc(',', out);
		json_string(out, "gpu", client->gpu);
		fprintf(out, ",\"vram_total\":%" PRIu64 ",\"vram_shared\":%" PRIu64
			",\"vram_resident\":%" PRIu64 "}", client->total, client->shared,
			client->resident);
	}
	fprintf(out, "]");
}

void show_json(FILE *out, const struct snapshot *snap)
{
	fprintf(out, "{\"consistent\":%s,\n", snap->inconsistent ? "false" : "true");
	json_managers(out, snap);
	fprintf(out, ",\n");
	json_buffers(out, snap);
	fprintf(out, ",\n");
	json_clients(out, snap);
	fprintf(out, "}\n");
}

/* One line of the screen: no byte of it does anything to the terminal. */
struct page {
	FILE *out;
	unsigned int lines, columns, done;
};

__attribute__((format(printf, 2, 3)))
static void put(struct page *page, const char *fmt, ...)
{
	char line[512], *c;
	va_list args;

	if (page->lines && page->done >= page->lines)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	for (c = line; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	if (page->columns && page->columns < sizeof(line))
		line[page->columns] = 0;
	fprintf(page->out, "%s\n", line);
	page->done++;
}

static double mib(uint64_t bytes)
{
	return bytes / 1048576.0;
}

static void put_manager(struct page *page, const struct manager *man)
{
	char bar[BAR + 1];
	unsigned int filled;

	if (!man->has_pal) {
		put(page, "%-12s  %-14s  %9.1f of %9.1f MiB used, pins are not accounted",
		    man->gpu, man->name, mib(man->used), mib(man->size));
		return;
	}
	filled = !man->pal_limit ? 0 : man->pal_pinned >= man->pal_limit ? BAR :
		 (unsigned int)((double)man->pal_pinned / man->pal_limit * BAR);
	memset(bar, '.', BAR);
	memset(bar, '#', filled);
	bar[BAR] = 0;
	put(page, "%-12s  %-14s  %9.1f of %9.1f MiB used, [%s] %9.1f of %9.1f MiB pinned",
	    man->gpu, man->name, mib(man->used), mib(man->size), bar, mib(man->pal_pinned),
	    mib(man->pal_limit));
}

/* "PAL 2, SGT 1"; the ranges of what is mapped */
static void importers(const struct buffer *buf, char *text, size_t size, uint64_t *ranges)
{
	unsigned int pal = 0, sgt = 0, other = 0;
	size_t i;

	*ranges = 0;
	for (i = 0; i < buf->nr_attachments; i++) {
		const struct attachment *att = &buf->attachments[i];

		if (!strcmp(att->mapping, "PAL"))
			pal++;
		else if (!strcmp(att->mapping, "SGT"))
			sgt++;
		else
			other++;
		if (att->mapped)
			*ranges = att->ranges;
	}
	snprintf(text, size, buf->unsure ? "?" : "%u/%u/%u", pal, sgt, other);
}

static void put_buffer(struct page *page, const struct buffer *buf)
{
	static const char *const memory[] = { "?", "VRAM", "system" };
	char text[48], ranges[24] = "-";
	uint64_t nr;
	size_t i;

	importers(buf, text, sizeof(text), &nr);
	if (nr)
		snprintf(ranges, sizeof(ranges), "%" PRIu64, nr);
	put(page, "%10" PRIu64 " %10.1f  %-12s %-8s %-6s %-9s %6s  %s", buf->inode,
	    mib(buf->size), buf->gpu[0] ? buf->gpu : "?", buf->exporter,
	    memory[buf->memory], text, ranges, buf->name);
	for (i = 0; i < buf->nr_holders; i++)
		put(page, "%10s %10s  %d %s: %u files, %u mappings", "", "",
		    buf->holders[i].pid, buf->holders[i].command, buf->holders[i].files,
		    buf->holders[i].maps);
}

void show_text(FILE *out, const struct snapshot *snap, unsigned int lines,
	       unsigned int columns)
{
	struct page page = { .out = out, .lines = lines, .columns = columns };
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < snap->nr_managers; i++)
		put_manager(&page, &snap->managers[i]);
	for (i = 0; i < snap->nr_buffers; i++)
		sum += snap->buffers[i].size;
	put(&page, "%zu dma-bufs, %.1f MiB%s", snap->nr_buffers, mib(sum),
	    snap->inconsistent ? "; bufinfo contradicts itself" : "");
	put(&page, "%10s %10s  %-12s %-8s %-6s %-9s %6s  %s", "INODE", "MIB", "GPU",
	    "EXPORTER", "MEMORY", "PAL/SGT/?", "RANGES", "NAME, PROCESSES");
	for (i = 0; i < snap->nr_buffers; i++)
		put_buffer(&page, &snap->buffers[i]);
	for (i = 0; i < snap->nr_clients; i++) {
		const struct client *client = &snap->clients[i];

		put(&page, "%d %s has %.1f MiB of VRAM of %s (%s), of which %.1f MiB are shared",
		    client->pid, client->command, mib(client->total), client->gpu,
		    client->driver, mib(client->shared));
	}
}
