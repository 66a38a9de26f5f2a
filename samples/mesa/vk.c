// SPDX-License-Identifier: MIT
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "vk.h"

#define TIMEOUT		10000000000ull		/* ns */
#define MAX_GPUS	16
#define MAX_FAMILIES	16

#define HANDLE_TYPE	VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT
#define KIND_FLAGS	(VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | \
			 VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)

void vk_need(VkResult ret, const char *what)
{
	if (ret)
		bail_out(what, ret);
}

static void choose_gpu(struct vk *vk, const char *name)
{
	VkPhysicalDeviceProperties about;
	VkPhysicalDevice gpus[MAX_GPUS];
	uint32_t nr = MAX_GPUS, i;
	regex_t regex;
	VkResult ret;

	if (regcomp(&regex, name, REG_EXTENDED | REG_NOSUB))
		die(BAD_USE, "'%s' is no regular expression", name);
	ret = vkEnumeratePhysicalDevices(vk->instance, &nr, gpus);
	if (ret && ret != VK_INCOMPLETE)
		bail_out("vkEnumeratePhysicalDevices", ret);
	for (i = 0; i < nr; i++) {
		vkGetPhysicalDeviceProperties(gpus[i], &about);
		if (!regexec(&regex, about.deviceName, 0, NULL, 0))
			break;
		printf("# not this one: %s\n", about.deviceName);
	}
	regfree(&regex);
	if (i == nr)
		die(NOT_HERE, "no GPU of Vulkan has a name like '%s'", name);
	vk->gpu = gpus[i];
	check(true, "Vulkan has the GPU %s", about.deviceName);
}

/* Engines that draw or compute can copy as well. */
static uint32_t choose_family(struct vk *vk, enum vk_queue which)
{
	VkQueueFamilyProperties families[MAX_FAMILIES];
	uint32_t nr = MAX_FAMILIES, i;

	vkGetPhysicalDeviceQueueFamilyProperties(vk->gpu, &nr, families);
	for (i = 0; which == VK_QUEUE_COPY && i < nr; i++)
		if (families[i].queueFlags & VK_QUEUE_TRANSFER_BIT &&
		    !(families[i].queueFlags & (VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT)))
			break;
	if (which == VK_QUEUE_ANY || i == nr)
		i = 0;
	printf("# queue family %u of %u: flags 0x%x\n", i, nr, families[i].queueFlags);
	return i;
}

void vk_open(struct vk *vk, const char *name, enum vk_queue which)
{
	const char *extensions[] = { "VK_KHR_external_memory_fd",
				     "VK_EXT_external_memory_dma_buf" };
	VkApplicationInfo app = { .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
				  .apiVersion = VK_API_VERSION_1_1 };
	VkInstanceCreateInfo instance = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &app,
	};
	float priority = 1;
	VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1, .pQueuePriorities = &priority,
	};
	VkDeviceCreateInfo device = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1, .pQueueCreateInfos = &queue,
		.enabledExtensionCount = 2, .ppEnabledExtensionNames = extensions,
	};
	VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
	};
	VkResult ret;

	vk_need(vkCreateInstance(&instance, NULL, &vk->instance), "vkCreateInstance");
	choose_gpu(vk, name);
	vk->family = choose_family(vk, which);
	queue.queueFamilyIndex = vk->family;
	pool.queueFamilyIndex = vk->family;
	ret = vkCreateDevice(vk->gpu, &device, NULL, &vk->device);
	check(!ret, "vkCreateDevice, with export of dma-bufs");
	vk_need(ret, "vkCreateDevice");
	vkGetDeviceQueue(vk->device, vk->family, 0, &vk->queue);
	vk_need(vkCreateFence(vk->device, &fence, NULL, &vk->fence), "vkCreateFence");
	vk_need(vkCreateCommandPool(vk->device, &pool, NULL, &vk->pool),
		"vkCreateCommandPool");
}

void vk_close(struct vk *vk)
{
	vkDestroyCommandPool(vk->device, vk->pool, NULL);
	vkDestroyFence(vk->device, vk->fence, NULL);
	vkDestroyDevice(vk->device, NULL);
	vkDestroyInstance(vk->instance, NULL);
}

VkMemoryPropertyFlags vk_memory_kind(const char *kind)
{
	static const struct {
		const char *name;
		VkMemoryPropertyFlags flags;
	} kinds[] = {
		{ "local", VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT },
		{ "local,visible", KIND_FLAGS },
		{ "visible", VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT },
	};
	unsigned int i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kind, kinds[i].name))
			return kinds[i].flags;
	die(BAD_USE, "'%s' is no kind of memory (local, local,visible or visible)", kind);
}

/*
 * Types that the driver does not allow for a buffer that will be exported are left
 * out here, as that of compressed memory is on Battlemage: an importer other than
 * the GPU would find nonsense in it.
 */
static uint32_t memory_type(struct vk *vk, VkMemoryPropertyFlags flags, uint32_t allowed)
{
	VkPhysicalDeviceMemoryProperties memory;
	uint32_t i, found = VK_MAX_MEMORY_TYPES;

	vkGetPhysicalDeviceMemoryProperties(vk->gpu, &memory);
	for (i = 0; i < memory.memoryTypeCount; i++) {
		bool fits = allowed & 1u << i && found == VK_MAX_MEMORY_TYPES &&
			    (memory.memoryTypes[i].propertyFlags & KIND_FLAGS) == flags;

		if (fits)
			found = i;
		printf("# memory type %u: flags 0x%x%s\n", i,
		       memory.memoryTypes[i].propertyFlags, fits ? ", this one" :
		       allowed & 1u << i ? "" : ", not for this buffer");
	}
	if (found == VK_MAX_MEMORY_TYPES)
		bail_out("no memory type of this kind", flags);
	return found;
}

static int export_memory(struct vk *vk, VkDeviceMemory memory)
{
	VkMemoryGetFdInfoKHR get = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
		.memory = memory, .handleType = HANDLE_TYPE,
	};
	PFN_vkGetMemoryFdKHR get_fd;
	int fd;

	get_fd = (PFN_vkGetMemoryFdKHR)vkGetDeviceProcAddr(vk->device, "vkGetMemoryFdKHR");
	vk_need(get_fd(vk->device, &get, &fd), "vkGetMemoryFdKHR");
	return fd;
}

void vk_buffer_create(struct vk *vk, struct vk_buffer *mem, VkDeviceSize size,
		      const char *kind, int *fd)
{
	VkExternalMemoryBufferCreateInfo external = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
		.handleTypes = HANDLE_TYPE,
	};
	VkBufferCreateInfo buffer = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.pNext = fd ? &external : NULL, .size = size,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkMemoryDedicatedAllocateInfo dedicated = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
	};
	VkExportMemoryAllocateInfo exporting = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
		.pNext = &dedicated, .handleTypes = HANDLE_TYPE,
	};
	VkMemoryAllocateInfo memory = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = fd ? &exporting : NULL,
	};
	VkMemoryRequirements wants;

	mem->flags = vk_memory_kind(kind);
	vk_need(vkCreateBuffer(vk->device, &buffer, NULL, &mem->buffer), "vkCreateBuffer");
	vkGetBufferMemoryRequirements(vk->device, mem->buffer, &wants);
	dedicated.buffer = mem->buffer;
	mem->size = wants.size;
	memory.allocationSize = wants.size;
	memory.memoryTypeIndex = memory_type(vk, mem->flags, wants.memoryTypeBits);
	vk_need(vkAllocateMemory(vk->device, &memory, NULL, &mem->memory),
		"vkAllocateMemory");
	vk_need(vkBindBufferMemory(vk->device, mem->buffer, mem->memory, 0),
		"vkBindBufferMemory");
	if (fd)
		*fd = export_memory(vk, mem->memory);
}

void vk_buffer_destroy(struct vk *vk, struct vk_buffer *mem)
{
	vkDestroyBuffer(vk->device, mem->buffer, NULL);
	vkFreeMemory(vk->device, mem->memory, NULL);
}

VkCommandBuffer vk_commands_begin(struct vk *vk)
{
	VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
	};
	VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = vk->pool, .commandBufferCount = 1,
	};
	VkCommandBuffer commands;

	vk_need(vkAllocateCommandBuffers(vk->device, &info, &commands),
		"vkAllocateCommandBuffers");
	vk_need(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
	return commands;
}

bool vk_commands_run(struct vk *vk, VkCommandBuffer commands)
{
	VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1, .pCommandBuffers = &commands,
	};
	VkResult before, ret;

	vk_need(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
	vk_need(vkResetFences(vk->device, 1, &vk->fence), "vkResetFences");
	before = vkGetFenceStatus(vk->device, vk->fence);
	ret = vkQueueSubmit(vk->queue, 1, &info, vk->fence);
	if (!ret)
		ret = vkWaitForFences(vk->device, 1, &vk->fence, VK_TRUE, TIMEOUT);
	vk_need(ret, "vkQueueSubmit, vkWaitForFences");
	vkFreeCommandBuffers(vk->device, vk->pool, 1, &commands);
	return before == VK_NOT_READY;
}
