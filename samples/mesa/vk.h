/* SPDX-License-Identifier: MIT */
/*
 * A Vulkan device, a queue of it, and buffers whose memory is exported as a dma-buf. What
 * fails ends the program, see handover.h.
 */
#ifndef SAMPLES_MESA_VK_H
#define SAMPLES_MESA_VK_H

#include <vulkan/vulkan.h>

#include "handover.h"

struct vk {
	VkInstance instance;
	VkPhysicalDevice gpu;
	VkDevice device;
	uint32_t family;
	VkQueue queue;
	VkFence fence;
	VkCommandPool pool;
};

/* A buffer with memory of its own */
struct vk_buffer {
	VkBuffer buffer;
	VkDeviceMemory memory;
	VkMemoryPropertyFlags flags;
	VkDeviceSize size;
};

/* Which queue: the first that there is, or one of a copy engine if there is one */
enum vk_queue { VK_QUEUE_ANY, VK_QUEUE_COPY };

/*
 * The first GPU whose name fits the extended regular expression @name, and which exports
 * dma-bufs. Rows: its name, and that there is a device.
 */
void vk_open(struct vk *vk, const char *name, enum vk_queue which);
void vk_close(struct vk *vk);

void vk_need(VkResult ret, const char *what);

/* "local", "local,visible" or "visible"; dies of any other word */
VkMemoryPropertyFlags vk_memory_kind(const char *kind);

/*
 * A buffer of @size bytes in the first memory type that has exactly the flags of @kind,
 * as far as these are among the three. @fd, if not NULL, becomes a dma-buf of the memory,
 * which is dedicated to the buffer.
 */
void vk_buffer_create(struct vk *vk, struct vk_buffer *mem, VkDeviceSize size,
		      const char *kind, int *fd);
void vk_buffer_destroy(struct vk *vk, struct vk_buffer *mem);

/*
 * Commands between the two calls are executed in one submission. The second returns
 * whether the fence was signalled by that.
 */
VkCommandBuffer vk_commands_begin(struct vk *vk);
bool vk_commands_run(struct vk *vk, VkCommandBuffer commands);

#endif
