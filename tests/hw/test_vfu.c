// SPDX-License-Identifier: GPL-2.0-only
/* The vfio-user server does what a client that behaves asks for. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dummy.h"
#include "session.h"
#include "tap.h"

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX

static struct dummy dummy;
static struct session session;
static struct client *client = &session.client;

static bool begin(void)
{
	return !dummy_init(&dummy) &&
	       !session_open(&session, &dummy.pci, dummy.mem);
}

/* The end of a session that went well. */
static void end(void)
{
	expect_eq(session_end(&session), 0);
	expect_eq(dummy.reentered, 0);
	expect_eq(dummy.odd, 0);
	expect_eq(mem_count(dummy.mem), 0);
	expect_eq(dummy.pci.msi_fd, -1);
	dummy_free(&dummy);
}

/* The reply to a version as text; what came is printed if it is not good. */
static int negotiate(const char *json, uint16_t major, struct vfu_version *out,
		     size_t room)
{
	struct {
		struct vfu_version version;
		char json[2048];
	} msg = { .version = { .major = major, .minor = 7 } };
	size_t size = sizeof(msg.version), len;

	if (json)
		size += strlen(strcpy(msg.json, json)) + 1;
	return client_call(client, VFU_VERSION, &msg, size, NULL, 0, out, room,
			   &len);
}

static void versions(void)
{
	static const struct {
		const char *json;
		bool multi;
	} proposals[] = {
		{ session_json, true },
		{ NULL, false },
		{ "", false },
		{ "{}", false },
		{ "{\"capabilities\":{\"write_multiple\":false}}", false },
		{ "{ \"capabilities\" : { \"write_multiple\" :\ttrue } }", true },
		{ "{\"capabilities\":{\"max_data_xfer_size\":\"a\"}}", false },
		{ "{\"capabilities\":{\"max_data_xfer_size\":99999999999999}}",
		  false },
		{ "not \"json\" at all: {{{ \"max_data_xfer_size\"", false },
	};
	union {
		struct vfu_version version;
		char bytes[512];
	} reply;

	expect_eq(dummy_init(&dummy), 0);
	for (size_t i = 0; i < ARRAY_SIZE(proposals); i++) {
		expect_eq(session_start(&session, &dummy.pci, dummy.mem), 0);
		memset(&reply, 0, sizeof(reply));
		expect_eq(negotiate(proposals[i].json, 0, &reply.version,
				    sizeof(reply)), 0);
		expect_eq(reply.version.major, 0);
		expect_eq(reply.version.minor, 0);
		expect(strstr(reply.version.json, "\"max_msg_fds\":8"));
		expect(strstr(reply.version.json, "\"pgsizes\":4096"));
		expect_eq(!!strstr(reply.version.json,
				   "\"write_multiple\":true"),
			  proposals[i].multi);
		expect_eq(negotiate(NULL, 0, &reply.version, sizeof(reply)),
			  -EINVAL);
		expect_eq(session_end(&session), 0);
	}
	dummy_free(&dummy);
}

static void no_versions(void)
{
	struct vfu_device_info info = { .argsz = sizeof(info) };
	union {
		struct vfu_version version;
		char bytes[512];
	} reply;
	uint32_t value;

	expect_eq(dummy_init(&dummy), 0);
	expect_eq(session_start(&session, &dummy.pci, dummy.mem), 0);
	/* Nothing goes before it. */
	expect_eq(client_call(client, VFU_GET_INFO, &info, sizeof(info), NULL, 0,
			      &info, sizeof(info), NULL), -EINVAL);
	expect_eq(client_read32(client, 0, 0, &value), -EINVAL);
	expect_eq(client_map(client, 0, 4096, 0, -1, 0), -EINVAL);
	expect_eq(client_reset(client), -EINVAL);
	expect_eq(negotiate(NULL, 1, &reply.version, sizeof(reply)), -EINVAL);
	expect_eq(negotiate("{\"max_data_xfer_size\":0}", 0, &reply.version,
			    sizeof(reply)), -EINVAL);
	/* Text without an end. */
	expect_eq(client_call(client, VFU_VERSION, "\0\0\0\0{}", 6, NULL, 0,
			      &reply, sizeof(reply), NULL), -EINVAL);
	expect_eq(client_version(client, session_json), 0);
	expect_eq(client_read32(client, 0, 0, &value), 0);
	expect_eq(dummy.resets, 0);
	end();
}

static void device_info(void)
{
	struct vfu_device_info info = { .argsz = sizeof(info) };

	expect(begin());
	expect_eq(client_call(client, VFU_GET_INFO, &info, sizeof(info), NULL, 0,
			      &info, sizeof(info), NULL), 0);
	expect_eq(info.argsz, 16);
	expect_eq(info.flags, VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
	expect_eq(info.num_regions, 9);
	expect_eq(info.num_irqs, 5);
	info.argsz = 15;
	expect_eq(client_call(client, VFU_GET_INFO, &info, sizeof(info), NULL, 0,
			      &info, sizeof(info), NULL), -EINVAL);
	end();
}

static void plain_regions(void)
{
	static const struct {
		uint32_t index, flags;
		uint64_t size;
	} want[] = {
		{ 1, 0, 0 },
		{ 2, 7, DUMMY_BAR2_SIZE },
		{ 3, 0, 0 },
		{ 4, 3, DUMMY_BAR4_SIZE },
		{ 5, 0, 0 },
		{ 6, 1, DUMMY_ROM_SIZE },
		{ 7, 3, 4096 },
		{ 8, 0, 0 },
	};
	struct vfu_region_info info;

	expect(begin());
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		expect_eq(client_region_info(client, want[i].index, &info,
					     sizeof(info)), 0);
		expect_eq(info.argsz, 32);
		expect_eq(info.index, want[i].index);
		expect_eq(info.flags, want[i].flags);
		expect_eq(info.cap_offset, 0);
		expect_eq(info.size, want[i].size);
		expect_eq(info.offset, 0);
		expect_eq(client->reply_fd >= 0, want[i].index == 2);
	}
	expect_eq(client_region_info(client, 9, &info, sizeof(info)), -EINVAL);
	expect_eq(client_region_info(client, UINT32_MAX, &info, sizeof(info)),
		  -EINVAL);
	expect_eq(client_region_info(client, 2, &info, 31), -EINVAL);
	expect_eq(client->reply_fd, -1);
	end();
}

static void sparse_region(void)
{
	struct {
		struct vfu_region_info info;
		struct vfu_sparse_cap cap;
		struct vfu_sparse_area area[2];
	} full = {};
	struct vfu_region_info brief;
	uint32_t value = 0x600df00d, *map;

	expect(begin());
	/* No room for the capability: told so, where it would be, and no fd. */
	expect_eq(client_region_info(client, 0, &brief, sizeof(brief)), 0);
	expect_eq(brief.argsz, sizeof(full));
	expect_eq(brief.flags, 15);
	expect_eq(brief.cap_offset, 32);
	expect_eq(brief.size, DUMMY_BAR0_SIZE);
	expect_eq(client->reply_fd, -1);

	expect_eq(client_region_info(client, 0, &full, sizeof(full)), 0);
	expect(!memcmp(&full.info, &brief, sizeof(brief)));
	expect_eq(full.cap.id, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	expect_eq(full.cap.version, 1);
	expect_eq(full.cap.next, 0);
	expect_eq(full.cap.nr_areas, 2);
	expect_eq(full.area[0].offset, DUMMY_AREA0);
	expect_eq(full.area[0].size, DUMMY_HOLE - DUMMY_AREA0);
	expect_eq(full.area[1].offset, DUMMY_AREA1);
	expect_eq(full.area[1].size, DUMMY_BAR0_SIZE - DUMMY_AREA1);

	expect(client->reply_fd >= 0);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		   client->reply_fd, DUMMY_AREA1);
	expect(map != MAP_FAILED);
	map[5] = value;
	expect_eq(client_read32(client, 0, DUMMY_AREA1 + 20, &value), 0);
	expect_eq(value, 0x600df00d);
	expect_eq(client_write32(client, 0, DUMMY_AREA1 + 24, 77), 0);
	expect_eq(map[6], 77);
	munmap(map, 4096);
	end();
}

static void accesses(void)
{
	static uint8_t out[VFU_DEFAULT_XFER_SIZE], in[VFU_DEFAULT_XFER_SIZE];
	uint32_t value;

	expect(begin());
	expect_eq(client_read32(client, 0, DUMMY_ID, &value), 0);
	expect_eq(value, DUMMY_ID_VALUE);
	expect_eq(client_write32(client, 0, DUMMY_SCRATCH, 0x1234), 0);
	expect_eq(client_read32(client, 0, DUMMY_SCRATCH, &value), 0);
	expect_eq(value, 0x1234);
	expect_eq(client_read32(client, 0, DUMMY_HOLE, &value), 0);
	expect_eq(value, DUMMY_HOLE_VALUE);
	expect_eq(client_read32(client, 4, 0, &value), 0);
	expect_eq(value, 0xffffffff);
	expect_eq(client_read32(client, 6, 4, &value), 0);
	expect_eq(value, 0x07060504);

	/* As much as was agreed on goes in one message. */
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + (i >> 9));
	expect_eq(client_write(client, 2, 4096, out, sizeof(out)), 0);
	expect_eq(client_read(client, 2, 4096, in, sizeof(in)), 0);
	expect(!memcmp(in, out, sizeof(out)));
	expect(!memcmp(dummy.pci.bar[2].host + 4096, out, sizeof(out)));
	end();
}

static void accesses_outside(void)
{
	uint8_t buf[16] = {};

	expect(begin());
	expect_eq(client_read(client, 0, 0, buf, 0), -EINVAL);
	expect_eq(client_read(client, 0, DUMMY_BAR0_SIZE, buf, 1), -EINVAL);
	expect_eq(client_read(client, 0, DUMMY_BAR0_SIZE - 1, buf, 2), -EINVAL);
	expect_eq(client_read(client, 0, UINT64_MAX, buf, 4), -EINVAL);
	expect_eq(client_write(client, 0, UINT64_MAX - 3, buf, 4), -EINVAL);
	expect_eq(client_read(client, 1, 0, buf, 4), -EINVAL);
	expect_eq(client_read(client, 6, DUMMY_ROM_SIZE, buf, 1), -EINVAL);
	expect_eq(client_write(client, CONFIG, 4094, buf, 4), -EINVAL);
	expect_eq(client_read(client, CONFIG, UINT64_MAX - 1, buf, 2), -EINVAL);
	expect_eq(client_write(client, CONFIG, UINT64_MAX - 3, buf, 8),
		  -EINVAL);
	expect_eq(client_read(client, CONFIG, 1ull << 32, buf, 4), -EINVAL);
	expect_eq(client_read(client, 8, 0, buf, 4), -EINVAL);
	expect_eq(client_read(client, 9, 0, buf, 4), -EINVAL);
	expect_eq(client_write(client, UINT32_MAX, 0, buf, 4), -EINVAL);
	expect_eq(client_read(client, 0, DUMMY_BAR0_SIZE - 16, buf, 16), 0);
	expect_eq(client_write(client, CONFIG, 4092, buf, 4), 0);
	end();
}

static void configuration(void)
{
	uint8_t all[PCI_CONFIG_SIZE];
	uint32_t value;

	expect(begin());
	expect_eq(client_read(client, CONFIG, 0, all, sizeof(all)), 0);
	expect(!memcmp(all, dummy.pci.config, sizeof(all)));
	expect_eq(client_write32(client, CONFIG, PCI_BASE_ADDRESS_2,
				 0xffffffff), 0);
	expect_eq(client_read32(client, CONFIG, PCI_BASE_ADDRESS_2, &value), 0);
	expect_eq(value, (uint32_t)~(DUMMY_BAR2_SIZE - 1) | 0xc);
	expect_eq(client_write32(client, CONFIG, PCI_BASE_ADDRESS_2,
				 0xe0000000), 0);
	expect_eq(client_write(client, CONFIG, PCI_COMMAND, "\x02", 1), 0);
	expect_eq(pci_bar_address(&dummy.pci, 2), 0xe0000000);
	expect_eq(dummy.config_writes, 3);
	expect_eq(client_write32(client, 0, DUMMY_SCRATCH, 5), 0);
	expect_eq(client_reset(client), 0);
	expect_eq(dummy.resets, 1);
	expect_eq(pci_bar_address(&dummy.pci, 2), 0);
	expect_eq(client_read32(client, 0, DUMMY_SCRATCH, &value), 0);
	expect_eq(value, 0);
	end();
}

static void multi_writes(void)
{
	struct {
		struct vfu_write_multi head;
		struct vfu_multi_write write[3];
	} msg = {
		.head = { .count = 3 },
		.write = {
			{ DUMMY_SCRATCH, 0, 4, { 0x11, 0x22 } },
			{ 8, 2, 8, { 1, 2, 3, 4, 5, 6, 7, 8 } },
			{ PCI_COMMAND, CONFIG, 2, { 2 } },
		},
	};
	struct vfu_write_multi reply;

	expect(begin());
	expect_eq(client_call(client, VFU_WRITE_MULTI, &msg, sizeof(msg), NULL,
			      0, &reply, sizeof(reply), NULL), 0);
	expect_eq(reply.count, 3);
	expect_eq(dummy.scratch, 0x2211);
	expect(!memcmp(dummy.pci.bar[2].host + 8, msg.write[1].data, 8));
	expect_eq(dummy.pci.config[PCI_COMMAND], 2);

	msg.write[1].count = 9;
	expect_eq(client_call(client, VFU_WRITE_MULTI, &msg, sizeof(msg), NULL,
			      0, &reply, sizeof(reply), NULL), -EINVAL);
	msg.write[1].count = 0;
	expect_eq(client_call(client, VFU_WRITE_MULTI, &msg, sizeof(msg), NULL,
			      0, &reply, sizeof(reply), NULL), -EINVAL);
	msg.write[1].count = 8;
	msg.write[1].region = 3;
	expect_eq(client_call(client, VFU_WRITE_MULTI, &msg, sizeof(msg), NULL,
			      0, &reply, sizeof(reply), NULL), -EINVAL);
	/* This times 24 is 72 again. */
	msg.write[1].region = 2;
	expect_eq(client_write32(client, 0, DUMMY_SCRATCH, 0), 0);
	msg.head.count = (1ull << 61) + 3;
	expect_eq(client_call(client, VFU_WRITE_MULTI, &msg, sizeof(msg), NULL,
			      0, &reply, sizeof(reply), NULL), -EINVAL);
	expect_eq(dummy.scratch, 0);
	msg.head.count = 2;
	expect_eq(client_call(client, VFU_WRITE_MULTI, &msg, sizeof(msg), NULL,
			      0, &reply, sizeof(reply), NULL), -EINVAL);
	end();

	/* Not agreed on, so there is no such command. */
	expect_eq(dummy_init(&dummy), 0);
	expect_eq(session_start(&session, &dummy.pci, dummy.mem), 0);
	expect_eq(client_version(client, "{}"), 0);
	msg.head.count = 3;
	msg.write[1].region = 2;
	expect_eq(client_call(client, VFU_WRITE_MULTI, &msg, sizeof(msg), NULL,
			      0, &reply, sizeof(reply), NULL), -EOPNOTSUPP);
	expect_eq(dummy.scratch, 0);
	end();
}

static int irqs(uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
		const void *data, size_t len, const int *fds, unsigned int n)
{
	union {
		struct vfu_irq_set set;
		uint8_t bytes[64];
	} msg = {
		.set = {
			.argsz = (uint32_t)(sizeof(msg.set) + len),
			.flags = flags, .index = index,
			.start = start, .count = count,
		},
	};

	if (len)
		memcpy(msg.set.data, data, len);
	return client_call(client, VFU_SET_IRQS, &msg, sizeof(msg.set) + len,
			   fds, n, NULL, 0, NULL);
}

static uint64_t drain(int fd)
{
	uint64_t value;

	return read(fd, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER
#define NONE	VFIO_IRQ_SET_DATA_NONE
#define BOOL	VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD	VFIO_IRQ_SET_DATA_EVENTFD
#define MSI	VFIO_PCI_MSI_IRQ_INDEX

static void irq_info(void)
{
	expect(begin());
	for (uint32_t i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
		struct vfu_irq_info info = { .argsz = sizeof(info), .index = i };

		expect_eq(client_call(client, VFU_IRQ_INFO, &info, sizeof(info),
				      NULL, 0, &info, sizeof(info), NULL), 0);
		expect_eq(info.index, i);
		expect_eq(info.count, i == MSI);
		expect_eq(info.flags & VFIO_IRQ_INFO_EVENTFD, i == MSI);
	}
	struct vfu_irq_info bad = { .argsz = sizeof(bad), .index = 5 };

	expect_eq(client_call(client, VFU_IRQ_INFO, &bad, sizeof(bad), NULL, 0,
			      &bad, sizeof(bad), NULL), -EINVAL);
	bad.index = 0;
	bad.argsz = 8;
	expect_eq(client_call(client, VFU_IRQ_INFO, &bad, sizeof(bad), NULL, 0,
			      &bad, sizeof(bad), NULL), -EINVAL);
	end();
}

static void interrupts(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int other = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	expect(begin());
	expect_eq(client_write32(client, 0, DUMMY_COMMAND, DUMMY_MSI), 0);
	expect_eq(dummy.pci.msi_lost, 1);
	expect_eq(client_set_irq(client, MSI, fd), 0);
	expect_eq(client_write32(client, 0, DUMMY_COMMAND, DUMMY_MSI), 0);
	expect_eq(drain(fd), 1);
	expect_eq(irqs(NONE | TRIGGER, MSI, 0, 1, NULL, 0, NULL, 0), 0);
	expect_eq(drain(fd), 1);
	expect_eq(irqs(BOOL | TRIGGER, MSI, 0, 1, "\1", 1, NULL, 0), 0);
	expect_eq(drain(fd), 1);
	expect_eq(irqs(BOOL | TRIGGER, MSI, 0, 1, "\0", 1, NULL, 0), 0);
	expect_eq(drain(fd), 0);
	/* Another one takes its place. */
	expect_eq(client_set_irq(client, MSI, other), 0);
	expect_eq(client_write32(client, 0, DUMMY_COMMAND, DUMMY_MSI), 0);
	expect_eq(drain(fd), 0);
	expect_eq(drain(other), 1);
	/* Both ways to take it away. */
	expect_eq(irqs(EVENTFD | TRIGGER, MSI, 0, 1, NULL, 0, NULL, 0), 0);
	expect_eq(dummy.pci.msi_fd, -1);
	expect_eq(client_set_irq(client, MSI, fd), 0);
	expect_eq(irqs(NONE | TRIGGER, MSI, 0, 0, NULL, 0, NULL, 0), 0);
	expect_eq(dummy.pci.msi_fd, -1);
	/* As QEMU does for an INTx that is not there. */
	expect_eq(irqs(NONE | TRIGGER, VFIO_PCI_INTX_IRQ_INDEX, 0, 0, NULL, 0,
		       NULL, 0), 0);
	/* The client may leave one behind. */
	expect_eq(client_set_irq(client, MSI, fd), 0);
	end();
	close(fd);
	close(other);
}

static void bad_interrupts(void)
{
	int fds[3], open_fds;

	for (int i = 0; i < 3; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	expect(begin());
	open_fds = tap_open_fds();
	expect_eq(irqs(EVENTFD | TRIGGER, MSI, 0, 1, NULL, 0, fds, 2), -EINVAL);
	expect_eq(irqs(EVENTFD | TRIGGER, MSI, 0, 2, NULL, 0, fds, 2), -EINVAL);
	expect_eq(irqs(EVENTFD | TRIGGER, MSI, 1, 1, NULL, 0, fds, 1), -EINVAL);
	expect_eq(irqs(EVENTFD | TRIGGER, MSI, 1, UINT32_MAX, NULL, 0, fds, 1),
		  -EINVAL);
	expect_eq(irqs(EVENTFD | TRIGGER, MSI, 0, 0, NULL, 0, fds, 1), -EINVAL);
	expect_eq(irqs(EVENTFD | TRIGGER, 0, 0, 1, NULL, 0, fds, 1), -EINVAL);
	expect_eq(irqs(EVENTFD | TRIGGER, 5, 0, 1, NULL, 0, fds, 1), -EINVAL);
	expect_eq(irqs(EVENTFD | TRIGGER, UINT32_MAX, 0, 1, NULL, 0, fds, 1),
		  -EINVAL);
	expect_eq(irqs(EVENTFD | TRIGGER, MSI, 0, 1, "abcd", 4, fds, 1),
		  -EINVAL);
	expect_eq(irqs(NONE | TRIGGER, MSI, 0, 1, NULL, 0, fds, 1), -EINVAL);
	expect_eq(irqs(NONE | TRIGGER, MSI, 0, 1, "a", 1, NULL, 0), -EINVAL);
	expect_eq(irqs(BOOL | TRIGGER, MSI, 0, 1, NULL, 0, NULL, 0), -EINVAL);
	expect_eq(irqs(BOOL | NONE | TRIGGER, MSI, 0, 1, "a", 1, NULL, 0),
		  -EINVAL);
	expect_eq(irqs(TRIGGER, MSI, 0, 1, NULL, 0, NULL, 0), -EINVAL);
	expect_eq(irqs(EVENTFD, MSI, 0, 1, NULL, 0, fds, 1), -EINVAL);
	expect_eq(irqs(NONE | VFIO_IRQ_SET_ACTION_MASK, MSI, 0, 1, NULL, 0,
		       NULL, 0), -EINVAL);
	expect_eq(irqs(NONE | TRIGGER | 0x40, MSI, 0, 1, NULL, 0, NULL, 0),
		  -EINVAL);
	expect_eq(dummy.pci.msi_fd, -1);
	expect_eq(dummy.pci.msi_count + dummy.pci.msi_lost, 0);
	/* None of the descriptors stayed. */
	expect_eq(tap_open_fds(), open_fds);
	expect_eq(irqs(EVENTFD | TRIGGER, MSI, 0, 1, NULL, 0, fds, 1), 0);
	expect(dummy.pci.msi_fd >= 0);
	end();
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

/* Requests that are sent together are answered in order. */
static void pipelining(void)
{
	struct vfu_region_access msg = { .offset = DUMMY_ID, .count = 4 };
	struct {
		struct vfu_region_access access;
		uint32_t value;
	} write = { { .offset = DUMMY_SCRATCH, .count = 4 }, 99 };
	uint16_t first;

	expect(begin());
	first = (uint16_t)(client->id + 1);
	for (int i = 0; i < 50; i++)
		expect_eq(client_send(client, VFU_REGION_READ, 0, &msg,
				      sizeof(msg), NULL, 0), 0);
	for (int i = 0; i < 50; i++) {
		uint8_t reply[20];
		struct vfu_header hdr;

		expect_eq(client_receive(client, &hdr, reply, sizeof(reply)), 0);
		expect_eq(hdr.id, (uint16_t)(first + i));
		expect_eq(hdr.flags, VFU_REPLY);
		expect_eq(hdr.size, 36);
	}
	/* No reply, also not to what fails; then one that has a reply. */
	expect_eq(client_send(client, VFU_REGION_WRITE, VFU_NO_REPLY, &write, 20,
			      NULL, 0), 0);
	expect_eq(client_send(client, 200, VFU_NO_REPLY, NULL, 0, NULL, 0), 0);
	msg.offset = DUMMY_SCRATCH;
	expect_eq(client_send(client, VFU_REGION_READ, 0, &msg, sizeof(msg), NULL,
			      0), 0);
	struct vfu_header hdr;
	struct {
		struct vfu_region_access access;
		uint32_t value;
	} reply;

	expect_eq(client_receive(client, &hdr, &reply, 20), 0);
	expect_eq(hdr.id, client->id);
	expect_eq(reply.value, 99);
	end();
}

/* Work happens after the reply, is repeated as it asks for, and then rests. */
static void work(void)
{
	struct pollfd readable;
	struct rusage before, after;
	unsigned int calls;
	uint32_t value;

	expect(begin());
	expect_eq(client_write32(client, 0, DUMMY_COMMAND, DUMMY_POLL), 0);
	do
		expect_eq(client_read32(client, 0, DUMMY_DONE, &value), 0);
	while (!value);
	calls = dummy.work_calls;
	expect(calls >= 20);

	readable = (struct pollfd){ .fd = client->fd, .events = POLLIN };
	getrusage(RUSAGE_SELF, &before);
	expect_eq(poll(&readable, 1, 300), 0);
	getrusage(RUSAGE_SELF, &after);
	/* The last read has its turn after its reply. */
	expect(dummy.work_calls - calls <= 1);
	expect(after.ru_utime.tv_sec == before.ru_utime.tv_sec &&
	       after.ru_utime.tv_usec - before.ru_utime.tv_usec < 15000);
	end();
}

/* Memory is made present while nothing else is to do, and not before messages. */
static void fresh_memory(void)
{
	const uint64_t limit = hw_now() + 20000000000ull;
	uint32_t value;

	expect_eq(dummy_init(&dummy), 0);
	dummy.pci.fresh = dummy.pci.bar[2].host;
	dummy.pci.fresh_len = DUMMY_BAR2_SIZE;
	expect_eq(session_open(&session, &dummy.pci, dummy.mem), 0);
	/* Nobody waits for a client that is slow, so these have answers at once. */
	do {
		expect_eq(client_read32(client, 0, DUMMY_ID, &value), 0);
		expect_eq(value, DUMMY_ID_VALUE);
	} while (__atomic_load_n(&dummy.pci.fresh_len, __ATOMIC_ACQUIRE) &&
		 hw_now() < limit);
	expect_eq(dummy.pci.fresh_len, 0);
	end();
}

static const struct tap_test tests[] = {
	{ "versions are agreed on", versions },
	{ "what is no version", no_versions },
	{ "device", device_info },
	{ "regions", plain_regions },
	{ "a region that is mapped in parts", sparse_region },
	{ "accesses to regions", accesses },
	{ "accesses outside of regions", accesses_outside },
	{ "configuration space and reset", configuration },
	{ "many writes in a message", multi_writes },
	{ "interrupts that there are", irq_info },
	{ "interrupts by eventfd", interrupts },
	{ "interrupts that make no sense", bad_interrupts },
	{ "requests without waiting for replies", pipelining },
	{ "work between messages, and rest", work },
	{ "memory is made present between messages", fresh_memory },
};

int main(int argc, char **argv)
{
	return tap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
