// SPDX-License-Identifier: GPL-2.0-only
/*
 * vulkan_export [-f] [-n NVME_BDF] ICD NAME KIND [REFUSED]
 *
 * Mesa's Vulkan driver ICD (a pattern of a file of /usr/share/vulkan/icd.d) makes a
 * device whose name fits NAME, a regular expression, submits a batch, and exports
 * device memory as a dma-buf. KIND, and REFUSED, say which memory type that is:
 * "local", "local,visible" or "visible"; KIND may be "none". With -n the memory of
 * KIND is also reached by an NVMe controller (peer_dma.h), and that of REFUSED is
 * not. With -f the GPU fills a part of it: for drivers that need no shader for that.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use.
 */
#include <glob.h>
#include <regex.h>
#include <string.h>

#include <vulkan/vulkan.h>

#define PAL_PEER_DMA_CALLER
#include "peer_dma.h"

#define SIZE		(4ull << 20)
#define TIMEOUT		10000000000ull		/* ns */
/* Short enough for RADV to have it done by DMA of the command processor */
#define FILL_SIZE	2048
#define FILL_WORD	0x50414c21u
#define ICD_FOLDER	"/usr/share/vulkan/icd.d/"

#define HANDLE_TYPE	VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT
#define KIND_FLAGS	(VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | \
			 VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)

struct vk {
	VkInstance instance;
	VkPhysicalDevice gpu;
	VkDevice device;
	VkQueue queue;
	VkFence fence;
};

/* A buffer with memory of its own, which is exported */
struct exported {
	VkBuffer buffer;
	VkDeviceMemory memory;
	VkMemoryPropertyFlags flags;
	struct dma_buf buf;
};

static void need(VkResult ret, const char *what)
{
	if (ret)
		bail_out(what, ret);
}

static void choose_icd(const char *pattern)
{
	char path[256];
	glob_t found;

	snprintf(path, sizeof(path), ICD_FOLDER "%s", pattern);
	if (glob(path, 0, NULL, &found)) {
		fprintf(stderr, "vulkan_export: no file %s\n", path);
		exit(2);
	}
	setenv("VK_DRIVER_FILES", found.gl_pathv[0], 1);
	globfree(&found);
}

static bool name_fits(const char *name, const char *pattern)
{
	regex_t regex;
	bool fits;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB)) {
		fprintf(stderr, "vulkan_export: '%s' is no regular expression\n", pattern);
		exit(2);
	}
	fits = !regexec(&regex, name, 0, NULL, 0);
	regfree(&regex);
	return fits;
}

static void open_device(struct vk *vk, const char *pattern)
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
	VkPhysicalDeviceProperties about;
	uint32_t nr = 1;
	VkResult ret;

	need(vkCreateInstance(&instance, NULL, &vk->instance), "vkCreateInstance");
	ret = vkEnumeratePhysicalDevices(vk->instance, &nr, &vk->gpu);
	if ((ret && ret != VK_INCOMPLETE) || !nr)
		bail_out("the driver finds no GPU", ret);
	vkGetPhysicalDeviceProperties(vk->gpu, &about);
	result(name_fits(about.deviceName, pattern), "the driver's GPU is %s",
	       about.deviceName);
	ret = vkCreateDevice(vk->gpu, &device, NULL, &vk->device);
	result(!ret, "vkCreateDevice, with export of dma-bufs");
	need(ret, "vkCreateDevice");
	vkGetDeviceQueue(vk->device, 0, 0, &vk->queue);
	need(vkCreateFence(vk->device, &fence, NULL, &vk->fence), "vkCreateFence");
}

static void submit(struct vk *vk, VkCommandBuffer *commands, const char *what)
{
	VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1, .pCommandBuffers = commands,
	};
	VkResult before, ret;

	need(vkResetFences(vk->device, 1, &vk->fence), "vkResetFences");
	before = vkGetFenceStatus(vk->device, vk->fence);
	ret = vkQueueSubmit(vk->queue, 1, &info, vk->fence);
	if (!ret)
		ret = vkWaitForFences(vk->device, 1, &vk->fence, VK_TRUE, TIMEOUT);
	result(before == VK_NOT_READY && !ret, "%s is executed: its fence is signalled", what);
	need(ret, "vkWaitForFences");
}

/* An empty batch, or one that fills @target */
static void run_batch(struct vk *vk, struct exported *target, const char *what)
{
	VkCommandPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
	};
	VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
	};
	VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandBufferCount = 1,
	};
	VkCommandBuffer commands;

	need(vkCreateCommandPool(vk->device, &pool_info, NULL, &info.commandPool),
	     "vkCreateCommandPool");
	need(vkAllocateCommandBuffers(vk->device, &info, &commands),
	     "vkAllocateCommandBuffers");
	need(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
	if (target)
		vkCmdFillBuffer(commands, target->buffer, 0, FILL_SIZE, FILL_WORD);
	need(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
	submit(vk, &commands, what);
	vkDestroyCommandPool(vk->device, info.commandPool, NULL);
}

static VkMemoryPropertyFlags kind_flags(const char *kind)
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
	fprintf(stderr, "vulkan_export: '%s' is no kind of memory\n", kind);
	exit(2);
}

/* The first memory type of the kind that a buffer with these requirements may have */
static uint32_t memory_type(struct vk *vk, VkMemoryPropertyFlags flags, uint32_t allowed)
{
	VkPhysicalDeviceMemoryProperties memory;
	uint32_t i;

	vkGetPhysicalDeviceMemoryProperties(vk->gpu, &memory);
	for (i = 0; i < memory.memoryTypeCount; i++)
		if (allowed & 1u << i &&
		    (memory.memoryTypes[i].propertyFlags & KIND_FLAGS) == flags)
			return i;
	for (i = 0; i < memory.memoryTypeCount; i++)
		printf("# memory type %u: flags 0x%x%s\n", i,
		       memory.memoryTypes[i].propertyFlags,
		       allowed & 1u << i ? "" : ", not for this buffer");
	bail_out("no memory type of this kind", flags);
	return 0;
}

static void export_memory(struct vk *vk, struct exported *mem, const char *kind)
{
	VkExternalMemoryBufferCreateInfo external = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
		.handleTypes = HANDLE_TYPE,
	};
	VkBufferCreateInfo buffer = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .pNext = &external,
		.size = SIZE, .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkExportMemoryAllocateInfo exporting = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
		.handleTypes = HANDLE_TYPE,
	};
	VkMemoryAllocateInfo memory = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &exporting,
	};
	VkMemoryGetFdInfoKHR get = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
		.handleType = HANDLE_TYPE,
	};
	PFN_vkGetMemoryFdKHR get_fd;
	VkMemoryRequirements wants;
	char what[64];
	int fd;

	mem->flags = kind_flags(kind);
	need(vkCreateBuffer(vk->device, &buffer, NULL, &mem->buffer), "vkCreateBuffer");
	vkGetBufferMemoryRequirements(vk->device, mem->buffer, &wants);
	memory.allocationSize = wants.size;
	memory.memoryTypeIndex = memory_type(vk, mem->flags, wants.memoryTypeBits);
	need(vkAllocateMemory(vk->device, &memory, NULL, &mem->memory), "vkAllocateMemory");
	need(vkBindBufferMemory(vk->device, mem->buffer, mem->memory, 0),
	     "vkBindBufferMemory");

	get_fd = (PFN_vkGetMemoryFdKHR)vkGetDeviceProcAddr(vk->device, "vkGetMemoryFdKHR");
	get.memory = mem->memory;
	need(get_fd(vk->device, &get, &fd), "vkGetMemoryFdKHR");
	snprintf(what, sizeof(what), "Vulkan memory (%s)", kind);
	dma_buf_open(&mem->buf, fd, wants.size, what);
}

static void free_memory(struct vk *vk, struct exported *mem)
{
	dma_buf_close(&mem->buf);
	vkDestroyBuffer(vk->device, mem->buffer, NULL);
	vkFreeMemory(vk->device, mem->memory, NULL);
}

/* Vulkan's own mapping is of the same memory as the dma-buf's. */
static void check_mapping(struct vk *vk, struct exported *mem)
{
	void *vaddr;

	need(vkMapMemory(vk->device, mem->memory, 0, VK_WHOLE_SIZE, 0, &vaddr),
	     "vkMapMemory");
	dma_buf_fill(&mem->buf, PEER_LATE);
	result(!outside_differs(vaddr, 0, mem->buf.size, PEER_LATE),
	       "vkMapMemory shows what was written to the dma-buf's mmap");
	vkUnmapMemory(vk->device, mem->memory);
}

static void check_fill(struct vk *vk, struct exported *mem)
{
	const volatile uint32_t *words = mem->buf.vaddr;
	uint64_t wrong = 0, i;

	dma_buf_fill(&mem->buf, PEER_BEFORE);
	run_batch(vk, mem, "vkCmdFillBuffer");
	for (i = 0; i < FILL_SIZE / sizeof(*words); i++)
		wrong += words[i] != FILL_WORD;
	wrong += outside_differs(mem->buf.vaddr + FILL_SIZE, FILL_SIZE,
				 mem->buf.size - FILL_SIZE, PEER_BEFORE);
	result(!wrong, "the dma-buf's mmap shows what the GPU filled, and nothing else changed");
}

static void check_export(struct vk *vk, const char *kind, const char *nvme, bool fill)
{
	struct exported mem;

	export_memory(vk, &mem, kind);
	if (fill)
		check_fill(vk, &mem);
	if (mem.flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)
		check_mapping(vk, &mem);
	if (nvme)
		dma_buf_peer(&mem.buf, nvme);
	free_memory(vk, &mem);
}

static void test(char **argv, const char *nvme, bool fill)
{
	struct exported mem;
	struct vk vk;

	choose_icd(argv[0]);
	open_device(&vk, argv[1]);
	run_batch(&vk, NULL, "an empty batch");
	if (strcmp(argv[2], "none"))
		check_export(&vk, argv[2], nvme, fill);
	if (argv[3]) {
		export_memory(&vk, &mem, argv[3]);
		dma_buf_refused(&mem.buf, nvme);
		free_memory(&vk, &mem);
	}
	run_batch(&vk, NULL, "another empty batch");
	vkDestroyFence(vk.device, vk.fence, NULL);
	vkDestroyDevice(vk.device, NULL);
	vkDestroyInstance(vk.instance, NULL);
}

int main(int argc, char **argv)
{
	const char *nvme = NULL;
	bool fill = false;
	int opt, left;

	while ((opt = getopt(argc, argv, "fn:")) != -1) {
		if (opt == 'f')
			fill = true;
		else if (opt == 'n')
			nvme = optarg;
		else
			return 2;
	}
	left = argc - optind;
	/* Without a controller nothing could refuse the memory. */
	if (left != 3 && !(left == 4 && nvme)) {
		fprintf(stderr, "usage: vulkan_export [-f] [-n NVME_BDF] ICD NAME KIND [REFUSED]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	test(argv + optind, nvme, fill);
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}
