// SPDX-License-Identifier: MIT
/*
 * vulkan-export --nvme BDF [--device NAME] [--memory KIND] [--refused KIND]
 *               [--fill|--blind]
 *
 * Memory of a Vulkan driver becomes a dma-buf, and nvme_dmabuf_demo has an NVMe controller
 * read and write it. NAME is an extended regular expression that the device's name
 * fits. KIND says which memory type: "local", which is VRAM that the CPU does not
 * map, "local,visible", "visible", or "none".
 *
 * That of --refused is memory which has no place in PAL: system memory, or memory that
 * the driver may move there, or that has no address on the bus. With --blind neither
 * can be looked at by the CPU, which goes for memory that is not host-visible where the
 * BAR does not show all of VRAM. With --fill the GPU writes to a part of the memory, for
 * drivers that need no shader for that.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use, 77 no such device.
 */
#include <getopt.h>
#include <string.h>

#include "outside.h"
#include "vk.h"

#define SIZE		(4ull << 20)
/* Short enough for RADV to have it done by DMA of the command processor */
#define FILL_SIZE	2048
#define FILL_WORD	0x50414c21u

/* Vulkan's own mapping is of the same memory as the dma-buf's. */
static void check_mapping(struct vk *vk, struct vk_buffer *mem, struct dma_buf *buf)
{
	void *vaddr;

	vk_need(vkMapMemory(vk->device, mem->memory, 0, VK_WHOLE_SIZE, 0, &vaddr),
		"vkMapMemory");
	dma_buf_fill(buf, SEED_LATE);
	check(!outside_differs(vaddr, 0, SIZE, SEED_LATE),
	      "vkMapMemory shows what was written to the dma-buf's mmap");
	vkUnmapMemory(vk->device, mem->memory);
}

static void check_fill(struct vk *vk, struct vk_buffer *mem, struct dma_buf *buf)
{
	const volatile uint32_t *words = buf->vaddr;
	VkCommandBuffer commands;
	uint64_t wrong = 0, i;

	dma_buf_fill(buf, SEED_BEFORE);
	commands = vk_commands_begin(vk);
	vkCmdFillBuffer(commands, mem->buffer, 0, FILL_SIZE, FILL_WORD);
	check(vk_commands_run(vk, commands),
	      "vkCmdFillBuffer is executed: its fence is signalled");
	for (i = 0; i < FILL_SIZE / sizeof(*words); i++)
		wrong += words[i] != FILL_WORD;
	wrong += outside_differs(buf->vaddr + FILL_SIZE, FILL_SIZE, buf->size - FILL_SIZE,
				 SEED_BEFORE);
	check(!wrong, "the dma-buf's mmap shows what the GPU filled, and nothing else changed");
}

static void create(struct vk *vk, struct vk_buffer *mem, struct dma_buf *buf,
		   const char *kind, enum dma_buf_view view)
{
	char what[64];
	int fd;

	vk_buffer_create(vk, mem, SIZE, kind, &fd);
	snprintf(what, sizeof(what), "dedicated Vulkan memory (%s)", kind);
	dma_buf_open(buf, fd, mem->size, what, view);
	if (mem->flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)
		check_mapping(vk, mem, buf);
}

static void check_export(struct vk *vk, const char *kind, const char *nvme, bool fill,
			 bool blind)
{
	struct vk_buffer mem;
	struct dma_buf buf;

	create(vk, &mem, &buf, kind, blind ? DMA_BUF_BLIND : DMA_BUF_MAPPED);
	if (fill)
		check_fill(vk, &mem, &buf);
	if (blind)
		dma_buf_peer_blind(&buf, nvme);
	else
		dma_buf_peer(&buf, nvme);
	dma_buf_close(&buf);
	vk_buffer_destroy(vk, &mem);
}

static void check_refused(struct vk *vk, const char *kind, const char *nvme, bool blind)
{
	struct vk_buffer mem;
	struct dma_buf buf;

	create(vk, &mem, &buf, kind, blind ? DMA_BUF_BLIND : DMA_BUF_MAPPED);
	dma_buf_refused(&buf, nvme);
	dma_buf_close(&buf);
	vk_buffer_destroy(vk, &mem);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "nvme", required_argument, NULL, 'n' },
		{ "device", required_argument, NULL, 'd' },
		{ "memory", required_argument, NULL, 'm' },
		{ "refused", required_argument, NULL, 'r' },
		{ "blind", no_argument, NULL, 'b' },
		{ "fill", no_argument, NULL, 'f' },
		{}
	};
	const char *nvme = NULL, *device = ".", *memory = "local", *refused = NULL;
	bool fill = false, blind = false;
	struct vk vk;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'n':
			nvme = optarg;
			break;
		case 'd':
			device = optarg;
			break;
		case 'm':
			memory = strcmp(optarg, "none") ? optarg : NULL;
			break;
		case 'r':
			refused = optarg;
			break;
		case 'b':
			blind = true;
			break;
		case 'f':
			fill = true;
			break;
		default:
			return BAD_USE;
		}
	}
	if (!nvme || optind != argc || (blind && fill))
		die(BAD_USE, "usage: --nvme BDF [--device NAME] [--memory KIND] [--refused KIND] [--fill|--blind]");
	if (memory)
		vk_memory_kind(memory);
	if (refused)
		vk_memory_kind(refused);

	begin();
	vk_open(&vk, device, VK_QUEUE_ANY);
	check(vk_commands_run(&vk, vk_commands_begin(&vk)),
	      "an empty batch is executed: its fence is signalled");
	if (memory)
		check_export(&vk, memory, nvme, fill, blind);
	if (refused)
		check_refused(&vk, refused, nvme, blind);
	check(vk_commands_run(&vk, vk_commands_begin(&vk)),
	      "another empty batch is executed: its fence is signalled");
	vk_close(&vk);
	return finish();
}
