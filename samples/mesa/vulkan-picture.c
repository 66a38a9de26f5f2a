// SPDX-License-Identifier: MIT
/*
 * vulkan-picture --nvme BDF --size WIDTHxHEIGHT [--at DISK_OFFSET] [--device NAME]
 *                [--memory KIND] [--cpu] FILE.png
 *
 * The pixels of a picture, WIDTH x HEIGHT of four bytes (red, green, blue, alpha), go from
 * the disk to VRAM by peer DMA: nvme_dmabuf_demo has the NVMe controller write them to
 * memory of Vulkan that was exported as a dma-buf. The GPU copies them row by row to memory
 * that the CPU may read, and from there they go into a PNG file. DISK_OFFSET is in bytes;
 * NAME and KIND are those of vulkan-export.
 *
 * --cpu leaves the GPU out: for a GPU whose copies need what it does not have.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use, 77 no such device.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <linux/dma-buf.h>
#include <png.h>

#include "../number.h"
#include "vk.h"

#define PIXEL		4u
#define MAX_SIDE	4096u
/* What RADV copies by DMA of the command processor and not by a shader */
#define MAX_ROW		2048u
/* What the disk has in front of the picture, behind it, and what it is not */
#define EMPTY		0x5a

struct picture {
	uint32_t width, height;
	uint64_t at;
	/* Bytes of all rows */
	uint64_t size;
};

/* Rows: what was there before is gone, and the controller is what wrote there. */
static void load(const struct picture *picture, struct dma_buf *buf, const char *nvme)
{
	const unsigned char *bytes = buf->vaddr;
	uint64_t same = 0, i;
	int status;

	dma_buf_sync(buf, DMA_BUF_SYNC_START);
	memset(buf->vaddr, EMPTY, buf->size);
	dma_buf_sync(buf, DMA_BUF_SYNC_END);
	status = peer_dma(nvme, buf->fd, PEER_DISK_TO_MEMORY, picture->at);
	dma_buf_sync(buf, DMA_BUF_SYNC_START);
	for (i = 0; i < picture->size; i++)
		same += bytes[i] == EMPTY;
	dma_buf_sync(buf, DMA_BUF_SYNC_END);
	check(status == PEER_DONE && same < picture->size / 2,
	      "NVMe writes the picture's %llu KiB from the disk to VRAM by peer DMA",
	      (unsigned long long)picture->size / 1024);
}

/* By the GPU: a region for each piece of a row, all in one submission */
static void gpu_copy(struct vk *vk, const struct picture *picture, struct vk_buffer *from,
		     struct vk_buffer *to)
{
	uint32_t row = picture->width * PIXEL, nr = 0;
	VkBufferCopy *regions;
	VkCommandBuffer commands;
	uint64_t at, len;

	regions = calloc(picture->height * (row / MAX_ROW + 1), sizeof(*regions));
	if (!regions)
		bail_out("no memory", nr);
	for (at = 0; at < picture->size; at += len) {
		len = row - at % row < MAX_ROW ? row - at % row : MAX_ROW;
		regions[nr++] = (VkBufferCopy){ .srcOffset = at, .dstOffset = at, .size = len };
	}
	commands = vk_commands_begin(vk);
	vkCmdCopyBuffer(commands, from->buffer, to->buffer, nr, regions);
	check(vk_commands_run(vk, commands), "vkCmdCopyBuffer of %u regions is executed", nr);
	free(regions);
}

/* All rows, as they are at @pixels */
static void write_png(const struct picture *picture, const void *pixels, const char *path)
{
	png_image image = {
		.version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_RGBA,
		.width = picture->width, .height = picture->height,
	};
	int done = png_image_write_to_file(&image, path, 0, pixels, 0, NULL);

	check(done, "libpng writes %s, %u x %u", path, picture->width, picture->height);
	if (!done)
		printf("# libpng: %s\n", image.message);
}

static void read_back(struct vk *vk, const struct picture *picture, struct vk_buffer *from,
		      struct dma_buf *buf, const char *path)
{
	struct vk_buffer to;
	void *pixels;

	vk_buffer_create(vk, &to, picture->size, "visible", NULL);
	vk_need(vkMapMemory(vk->device, to.memory, 0, VK_WHOLE_SIZE, 0, &pixels),
		"vkMapMemory");
	memset(pixels, 0, picture->size);
	gpu_copy(vk, picture, from, &to);
	dma_buf_sync(buf, DMA_BUF_SYNC_START);
	check(!memcmp(pixels, buf->vaddr, picture->size),
	      "the GPU reads the same from VRAM as the CPU");
	dma_buf_sync(buf, DMA_BUF_SYNC_END);
	write_png(picture, pixels, path);
	vkUnmapMemory(vk->device, to.memory);
	vk_buffer_destroy(vk, &to);
}

static void parse_size(const char *text, struct picture *picture)
{
	unsigned int width, height;
	int end = 0;

	if (sscanf(text, "%ux%u%n", &width, &height, &end) != 2 || text[end] || !width ||
	    !height || width > MAX_SIDE || height > MAX_SIDE)
		die(BAD_USE, "--size: '%s' is no WIDTHxHEIGHT of 1 to %u pixels", text, MAX_SIDE);
	picture->width = width;
	picture->height = height;
	picture->size = (uint64_t)width * height * PIXEL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "nvme", required_argument, NULL, 'n' },
		{ "size", required_argument, NULL, 's' },
		{ "at", required_argument, NULL, 'a' },
		{ "device", required_argument, NULL, 'd' },
		{ "memory", required_argument, NULL, 'm' },
		{ "cpu", no_argument, NULL, 'c' },
		{}
	};
	const char *nvme = NULL, *device = ".", *memory = "local";
	struct picture picture = {};
	struct vk_buffer mem;
	struct dma_buf buf;
	bool by_cpu = false;
	struct vk vk;
	int opt, fd;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'n':
			nvme = optarg;
			break;
		case 's':
			parse_size(optarg, &picture);
			break;
		case 'a':
			if (read_number(optarg, &picture.at))
				die(BAD_USE, "--at: '%s' is no number", optarg);
			break;
		case 'd':
			device = optarg;
			break;
		case 'm':
			memory = optarg;
			break;
		case 'c':
			by_cpu = true;
			break;
		default:
			return BAD_USE;
		}
	}
	if (!nvme || !picture.size || argc - optind != 1)
		die(BAD_USE, "usage: --nvme BDF --size WIDTHxHEIGHT [--at DISK_OFFSET] [--device NAME] [--memory KIND] [--cpu] FILE.png");
	vk_memory_kind(memory);

	begin();
	vk_open(&vk, device, VK_QUEUE_COPY);
	vk_buffer_create(&vk, &mem, picture.size, memory, &fd);
	dma_buf_open(&buf, fd, picture.size, "Vulkan memory", DMA_BUF_MAPPED);
	load(&picture, &buf, nvme);
	if (by_cpu) {
		dma_buf_sync(&buf, DMA_BUF_SYNC_START);
		write_png(&picture, buf.vaddr, argv[optind]);
		dma_buf_sync(&buf, DMA_BUF_SYNC_END);
	} else {
		read_back(&vk, &picture, &mem, &buf, argv[optind]);
	}
	dma_buf_close(&buf);
	vk_buffer_destroy(&vk, &mem);
	vk_close(&vk);
	return finish();
}
