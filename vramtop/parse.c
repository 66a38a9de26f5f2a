// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readers of the kernel's text files.
 *
 * bufinfo has the names of buffers in it as they are, and a name of up to 31 bytes
 * may have newlines. So it may look like attachments, or like the end of its
 * buffer. It cannot look like another buffer, since such a line is longer. What was
 * read of a buffer is believed if its lines are of the few kinds that there are and the
 * number of attachments is the one at its end.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "vramtop.h"

void *array_add(void *array, size_t *nr, size_t size)
{
	char *grown = realloc(array, (*nr + 1) * size);

	if (!grown)
		die(FAILED, "out of memory");
	memset(grown + *nr * size, 0, size);
	++*nr;
	return grown;
}

void snapshot_free(struct snapshot *snap)
{
	size_t i;

	for (i = 0; i < snap->nr_buffers; i++) {
		free(snap->buffers[i].attachments);
		free(snap->buffers[i].holders);
	}
	free(snap->buffers);
	free(snap->managers);
	free(snap->clients);
	*snap = (struct snapshot){};
}

struct buffer *snapshot_buffer(struct snapshot *snap, uint64_t inode)
{
	size_t i;

	for (i = 0; i < snap->nr_buffers; i++)
		if (snap->buffers[i].inode == inode)
			return &snap->buffers[i];
	return NULL;
}

/* Digits of the base, at least @width of them, then @end; moves on behind that. */
static bool number(const char **at, unsigned int width, int base, char end,
		   uint64_t *value)
{
	uint64_t sum = 0;
	const char *c;

	for (c = *at; isxdigit((unsigned char)*c); c++) {
		unsigned int digit = isdigit((unsigned char)*c) ? *c - '0' :
				     tolower((unsigned char)*c) - 'a' + 10;

		if (digit >= (unsigned int)base ||
		    __builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_add_overflow(sum, digit, &sum))
			return false;
	}
	if ((unsigned int)(c - *at) < width || *c != end)
		return false;
	*at = end ? c + 1 : c;
	*value = sum;
	return true;
}

/* Up to @end, which has to be there; false if it is longer than there is room for. */
static bool word(const char **at, char end, char *text, size_t size)
{
	const char *stop = strchr(*at, end);

	if (!stop || stop == *at || (size_t)(stop - *at) >= size)
		return false;
	memcpy(text, *at, stop - *at);
	text[stop - *at] = 0;
	*at = end ? stop + 1 : stop;
	return true;
}

static bool skip(const char **at, const char *text)
{
	if (strncmp(*at, text, strlen(text)))
		return false;
	*at += strlen(text);
	return true;
}

/* size, flags, mode, references, exporter, inode, name */
static bool buffer_line(const char *line, struct buffer *buf)
{
	uint64_t ignored;

	*buf = (struct buffer){};
	if (!number(&line, 8, 10, '\t', &buf->size) ||
	    !number(&line, 8, 16, '\t', &ignored) ||
	    !number(&line, 8, 16, '\t', &ignored) ||
	    !number(&line, 8, 10, '\t', &buf->references) ||
	    !word(&line, '\t', buf->exporter, sizeof(buf->exporter)) ||
	    !number(&line, 8, 10, '\t', &buf->inode))
		return false;
	if (strcmp(line, "<none>"))
		snprintf(buf->name, sizeof(buf->name), "%s", line);
	return true;
}

/* "	DEVICE	mapping=PAL ranges=3 bytes=4096", and before the series "	DEVICE" */
static bool attachment_line(const char *line, struct attachment *att)
{
	char type[16];

	*att = (struct attachment){};
	if (!skip(&line, "\t"))
		return false;
	if (!strchr(line, '\t'))
		return !strchr(line, ' ') && word(&line, 0, att->device, TEXT);
	if (!word(&line, '\t', att->device, TEXT) || !skip(&line, "mapping="))
		return false;
	if (!strcmp(att->device, "-"))
		att->device[0] = 0;
	if (!word(&line, strchr(line, ' ') ? ' ' : 0, type, sizeof(type)))
		return false;
	memcpy(att->mapping, type, sizeof(type));
	if (strcmp(type, "PAL") || !strcmp(line, "unmapped"))
		return true;
	att->mapped = skip(&line, "ranges=") && number(&line, 1, 10, ' ', &att->ranges) &&
		      skip(&line, "bytes=") && number(&line, 1, 10, 0, &att->bytes);
	return att->mapped;
}

static bool total_line(const char *line, const char *what, uint64_t *nr)
{
	return skip(&line, "Total ") && number(&line, 1, 10, ' ', nr) && skip(&line, what);
}

static bool fence_line(const char *line)
{
	return *line == '\t' && strstr(line, " fence:");
}

/* Of the buffer that was begun, or of none */
static void bufinfo_line(const char *line, struct snapshot *snap, struct buffer **buf,
			 bool *listing)
{
	struct attachment att;
	struct buffer begun;
	uint64_t nr;

	if (buffer_line(line, &begun)) {
		if (*buf)
			(*buf)->unsure = true;
		snap->buffers = array_add(snap->buffers, &snap->nr_buffers, sizeof(begun));
		*buf = &snap->buffers[snap->nr_buffers - 1];
		**buf = begun;
		*listing = false;
	} else if (!*buf) {
		/* After the end of a buffer there is nothing of it. */
		if (*line && snap->nr_buffers && !total_line(line, "objects, ", &nr))
			snap->buffers[snap->nr_buffers - 1].unsure = true;
	} else if (!strcmp(line, "\tAttached Devices:") && !*listing) {
		*listing = true;
	} else if (*listing && total_line(line, "devices attached", &nr)) {
		(*buf)->unsure |= nr != (*buf)->nr_attachments;
		*buf = NULL;
	} else if (*listing && attachment_line(line, &att)) {
		(*buf)->attachments = array_add((*buf)->attachments,
						&(*buf)->nr_attachments, sizeof(att));
		(*buf)->attachments[(*buf)->nr_attachments - 1] = att;
	} else if (*listing || !fence_line(line)) {
		(*buf)->unsure = true;
	}
}

void parse_bufinfo(FILE *file, struct snapshot *snap)
{
	struct buffer *buf = NULL;
	bool listing = false;
	uint64_t nr, total = 0;
	char *line = NULL;
	size_t size = 0, i;
	ssize_t len;

	while ((len = getline(&line, &size, file)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = 0;
		bufinfo_line(line, snap, &buf, &listing);
		if (!buf && total_line(line, "objects, ", &nr))
			total = nr;
	}
	if (buf)
		buf->unsure = true;
	for (i = 0; i < snap->nr_buffers; i++) {
		buf = &snap->buffers[i];
		if (!buf->unsure)
			continue;
		free(buf->attachments);
		buf->attachments = NULL;
		buf->nr_attachments = 0;
	}
	snap->inconsistent = total != snap->nr_buffers;
	free(line);
}

/* "  KEY: NUMBER" */
static bool value_line(const char *line, const char *key, uint64_t *value)
{
	while (*line == ' ')
		line++;
	return skip(&line, key) && skip(&line, ": ") && number(&line, 1, 10, '\n', value);
}

/* The first of each counts: what a driver adds comes later. */
bool parse_manager(FILE *file, struct manager *man)
{
	bool size = false, used = false, pinned = false, limit = false;
	char line[256];

	while (fgets(line, sizeof(line), file)) {
		if (!size)
			size = value_line(line, "size", &man->size);
		if (!used)
			used = value_line(line, "usage", &man->used);
		if (!pinned)
			pinned = value_line(line, "pal_pinned", &man->pal_pinned);
		if (!limit)
			limit = value_line(line, "pal_limit", &man->pal_limit);
	}
	man->has_pal = pinned && limit;
	return size && used;
}

/* amdgpu: "		0x00000001:  4096 byte VRAM ... exported as ino:7 ..." */
void parse_gem_info(FILE *file, const char *gpu, struct snapshot *snap)
{
	static const char key[] = " exported as ino:";
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) > 0) {
		const char *at = line, *place = strstr(line, " byte ");
		struct buffer *buf;
		uint64_t inode = 0;
		char digits[24];

		if (!skip(&at, "\t\t0x") || !place)
			continue;
		at = strstr(place, key);
		if (!at)
			continue;
		at += sizeof(key) - 1;
		snprintf(digits, sizeof(digits), "%.*s", (int)strspn(at, "0123456789"), at);
		at = digits;
		buf = number(&at, 1, 10, 0, &inode) ? snapshot_buffer(snap, inode) : NULL;
		if (!buf)
			continue;
		snprintf(buf->gpu, TEXT, "%s", gpu);
		place += strlen(" byte ");
		buf->memory = strncmp(place, "VRAM", 4) ? MEMORY_SYSTEM : MEMORY_VRAM;
	}
	free(line);
}

/* "drm-KIND-vramN:	12 KiB" adds to @sum */
static void amount_line(const char *line, const char *kind, uint64_t *sum)
{
	static const struct {
		const char *name;
		unsigned int shift;
	} units[] = { { "\n", 0 }, { " KiB\n", 10 }, { " MiB\n", 20 } };
	char end[2] = { ' ' };
	uint64_t value;
	size_t i;

	if (!skip(&line, "drm-") || !skip(&line, kind) || !skip(&line, "-vram"))
		return;
	line += strspn(line, "0123456789");
	if (!skip(&line, ":"))
		return;
	line += strspn(line, " \t");
	end[0] = strchr(line, ' ') ? ' ' : '\n';
	if (!number(&line, 1, 10, end[0], &value))
		return;
	line--;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(line, units[i].name) && value <= UINT64_MAX >> units[i].shift &&
		    value << units[i].shift <= UINT64_MAX - *sum)
			*sum += value << units[i].shift;
}

static bool text_line(const char *line, const char *key, char *text)
{
	if (!skip(&line, key))
		return false;
	line += strspn(line, " \t");
	return word(&line, '\n', text, TEXT);
}

bool parse_client(FILE *file, struct client *client)
{
	char line[256], id[TEXT];
	const char *at = id;

	while (fgets(line, sizeof(line), file)) {
		text_line(line, "drm-driver:", client->driver);
		text_line(line, "drm-pdev:", client->gpu);
		if (text_line(line, "drm-client-id:", id)) {
			at = id;
			number(&at, 1, 10, 0, &client->id);
		}
		amount_line(line, "total", &client->total);
		amount_line(line, "shared", &client->shared);
		amount_line(line, "resident", &client->resident);
	}
	return client->driver[0] && client->gpu[0];
}

/* "7f00-7f10 rw-s 00000000 00:0c 7 	/dmabuf:" */
bool parse_map(const char *line, uint64_t *inode)
{
	char place[TEXT], mode[8], offset[TEXT], device[TEXT];

	if (!word(&line, ' ', place, TEXT) || !word(&line, ' ', mode, sizeof(mode)) ||
	    !word(&line, ' ', offset, TEXT) || !word(&line, ' ', device, TEXT) ||
	    !number(&line, 1, 10, ' ', inode))
		return false;
	line += strspn(line, " ");
	return skip(&line, "/dmabuf:");
}
