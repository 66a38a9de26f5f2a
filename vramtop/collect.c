// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the files. Processes and devices come and go meanwhile, so that a file of one
 * of them that is not there any more is no error.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vramtop.h"

#define PATH	512

__attribute__((format(printf, 1, 2)))
static FILE *open_file(const char *fmt, ...)
{
	char path[PATH];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	return len < 0 || len >= PATH ? NULL : fopen(path, "re");
}

static void read_bufinfo(const struct places *places, struct snapshot *snap)
{
	FILE *file = open_file("%s/dma_buf/bufinfo", places->debugfs);
	int error = errno;

	if (!file && (error == EACCES || error == EPERM))
		die(NOT_HERE, "%s/dma_buf/bufinfo: %s: debugfs is for root", places->debugfs,
		    strerror(error));
	if (!file)
		die(NOT_HERE, "%s/dma_buf/bufinfo: %s: is debugfs mounted there, and in this "
		    "kernel (CONFIG_DEBUG_FS)?", places->debugfs, strerror(error));
	parse_bufinfo(file, snap);
	fclose(file);
}

static void add_manager(struct snapshot *snap, const char *debugfs, const char *gpu,
			const char *name)
{
	FILE *file = open_file("%s/dri/%s/%s", debugfs, gpu, name);
	struct manager man = {};

	if (!file)
		return;
	if (parse_manager(file, &man)) {
		snprintf(man.gpu, TEXT, "%s", gpu);
		snprintf(man.name, TEXT, "%s", name);
		snap->managers = array_add(snap->managers, &snap->nr_managers, sizeof(man));
		snap->managers[snap->nr_managers - 1] = man;
	}
	fclose(file);
}

static void read_gpu(const struct places *places, const char *gpu, struct snapshot *snap)
{
	char name[TEXT];
	int tile, vram;
	FILE *file;

	/* xe: a tile has one, whose number is that of the tile in some versions. */
	for (tile = 0; tile < 8; tile++) {
		snprintf(name, sizeof(name), "tile%d/vram_mm", tile);
		add_manager(snap, places->debugfs, gpu, name);
	}
	for (vram = 0; vram < 8; vram++) {
		snprintf(name, sizeof(name), "vram%d_mm", vram);
		add_manager(snap, places->debugfs, gpu, name);
	}
	add_manager(snap, places->debugfs, gpu, "amdgpu_vram_mm");
	file = open_file("%s/dri/%s/amdgpu_gem_info", places->debugfs, gpu);
	if (!file)
		return;
	parse_gem_info(file, gpu, snap);
	fclose(file);
}

/* Folders by the PCI address; those by the number of a minor are the same. */
static void read_gpus(const struct places *places, struct snapshot *snap)
{
	struct dirent *entry;
	char path[PATH];
	DIR *dir;

	snprintf(path, sizeof(path), "%s/dri", places->debugfs);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (strchr(entry->d_name, ':') && strlen(entry->d_name) < TEXT)
			read_gpu(places, entry->d_name, snap);
	if (dir)
		closedir(dir);
}

static struct holder *holder_of(struct buffer *buf, pid_t pid, const char *command)
{
	struct holder *holder;

	if (buf->nr_holders && buf->holders[buf->nr_holders - 1].pid == pid)
		return &buf->holders[buf->nr_holders - 1];
	buf->holders = array_add(buf->holders, &buf->nr_holders, sizeof(*holder));
	holder = &buf->holders[buf->nr_holders - 1];
	holder->pid = pid;
	snprintf(holder->command, TEXT, "%s", command);
	return holder;
}

static void add_client(const struct places *places, pid_t pid, const char *command,
		       const char *fd, struct snapshot *snap)
{
	FILE *file = open_file("%s/%d/fdinfo/%s", places->proc, pid, fd);
	struct client client = { .pid = pid };
	size_t i;

	if (!file)
		return;
	snprintf(client.command, TEXT, "%s", command);
	if (!parse_client(file, &client))
		goto out;
	/* The same open file by another descriptor */
	for (i = 0; i < snap->nr_clients; i++)
		if (snap->clients[i].pid == pid && snap->clients[i].id == client.id &&
		    !strcmp(snap->clients[i].gpu, client.gpu))
			goto out;
	snap->clients = array_add(snap->clients, &snap->nr_clients, sizeof(client));
	snap->clients[snap->nr_clients - 1] = client;
out:
	fclose(file);
}

static void read_files(const struct places *places, pid_t pid, const char *command,
		       struct snapshot *snap)
{
	struct dirent *entry;
	struct buffer *buf;
	char path[PATH], link[TEXT];
	struct stat st;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%d/fd", places->proc, pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		len = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);
		if (len < 0)
			continue;
		link[len] = 0;
		if (!strncmp(link, "/dev/dri/", 9)) {
			add_client(places, pid, command, entry->d_name, snap);
		} else if (!strncmp(link, "/dmabuf:", 8) &&
			   !fstatat(dirfd(dir), entry->d_name, &st, 0)) {
			buf = snapshot_buffer(snap, st.st_ino);
			if (buf)
				holder_of(buf, pid, command)->files++;
		}
	}
	if (dir)
		closedir(dir);
}

static void read_maps(const struct places *places, pid_t pid, const char *command,
		      struct snapshot *snap)
{
	FILE *file = open_file("%s/%d/maps", places->proc, pid);
	struct buffer *buf;
	char *line = NULL;
	size_t size = 0;
	uint64_t inode;

	while (file && getline(&line, &size, file) > 0) {
		buf = parse_map(line, &inode) ? snapshot_buffer(snap, inode) : NULL;
		if (buf)
			holder_of(buf, pid, command)->maps++;
	}
	free(line);
	if (file)
		fclose(file);
}

static void read_process(const struct places *places, pid_t pid, struct snapshot *snap)
{
	FILE *file = open_file("%s/%d/comm", places->proc, pid);
	char command[TEXT] = "";
	size_t len;

	if (!file)
		return;
	/* Which may have newlines, as anything else */
	len = fread(command, 1, sizeof(command) - 1, file);
	if (len && command[len - 1] == '\n')
		command[len - 1] = 0;
	fclose(file);
	read_files(places, pid, command, snap);
	read_maps(places, pid, command, snap);
}

static void read_processes(const struct places *places, struct snapshot *snap)
{
	DIR *dir = opendir(places->proc);
	struct dirent *entry;

	if (!dir)
		die(NOT_HERE, "%s: %s", places->proc, strerror(errno));
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			read_process(places, atoi(entry->d_name), snap);
	closedir(dir);
}

/*
 * The GPU that all processes with this buffer and a GPU have in common, if there is one
 * only: the kernel does not tell who exports it, but for amdgpu, as long as
 * there is a handle of it.
 */
static void guess_gpu(struct snapshot *snap, struct buffer *buf)
{
	const char *found = NULL;
	size_t i, k;

	for (i = 0; i < buf->nr_holders; i++) {
		for (k = 0; k < snap->nr_clients; k++) {
			const struct client *client = &snap->clients[k];

			if (client->pid != buf->holders[i].pid)
				continue;
			if (found && strcmp(found, client->gpu))
				return;
			found = client->gpu;
		}
	}
	if (found)
		snprintf(buf->gpu, TEXT, "%s", found);
}

static void classify(struct snapshot *snap, struct buffer *buf)
{
	bool drm = !strcmp(buf->exporter, "drm");
	size_t i;

	if (drm && !buf->gpu[0])
		guess_gpu(snap, buf);
	/* Nothing but device memory is given by physical addresses. */
	for (i = 0; i < buf->nr_attachments; i++)
		if (!strcmp(buf->attachments[i].mapping, "PAL"))
			buf->memory = MEMORY_VRAM;
}

void collect(const struct places *places, struct snapshot *snap)
{
	size_t i;

	read_bufinfo(places, snap);
	read_gpus(places, snap);
	read_processes(places, snap);
	for (i = 0; i < snap->nr_buffers; i++)
		classify(snap, &snap->buffers[i]);
}
