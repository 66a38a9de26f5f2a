// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to mappings of a VFIO dma-buf when the exporting device is reset,
 * put to sleep or removed? After the former two they have to come back, with no
 * help, after the latter never.
 *
 * The exporter is an igb network card. Its VLAN filter table is as large as a
 * block of the disk, and is plain memory until a reset clears it: the NVMe
 * controller writes it to its disk from where it is mapped. What arrived on the
 * disk is compared with what the CPU had put into the table.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include <sys/eventfd.h>
#include <sys/wait.h>

#include <linux/align.h>
#include <linux/limits.h>

#include <libvfio/nvme.h>

#include "vfio_dma_buf_common.h"
#include "../kselftest_harness.h"

#define IGB_VFTA		0x5600
#define TABLE_SIZE		512
#define TABLE_WORDS		(TABLE_SIZE / sizeof(u32))

#define NR_RESETS		6
#define NR_REMOVALS		3
#define NR_RESETS_UNDER_DMA	20
#define REMOVE_TIMEOUT_MS	20000
#define RESTORE_TIMEOUT_MS	30000

#define PCI_DEVICES		"/sys/bus/pci/devices/"

/* A new one for each content of the table */
static u64 table_seed = SCRUB;

static u32 table_word(u32 i)
{
	return pattern(table_seed, i * sizeof(u32)) >> 7;
}

static u32 *table(struct devices *d)
{
	return d->exporter->bars[d->bar].vaddr + IGB_VFTA;
}

/* Number of words with the table's latest content, in the table or in a copy */
static u32 table_match(const u32 *words)
{
	u32 i, n = 0;

	for (i = 0; i < TABLE_WORDS; i++)
		n += READ_ONCE(words[i]) == table_word(i);

	return n;
}

static void table_fill(struct devices *d)
{
	u32 i;

	table_seed++;
	for (i = 0; i < TABLE_WORDS; i++)
		WRITE_ONCE(table(d)[i], table_word(i));

	VFIO_ASSERT_EQ(table_match(table(d)), TABLE_WORDS);
}

/* Number of words that get from the table to the disk by way of a mapping */
static u32 words_arrived(struct devices *d, const struct dma_region *map)
{
	iova_t iova = map->iova + IGB_VFTA % getpagesize();

	fill(host_src(d), TABLE_SIZE, SCRUB, 0);
	VFIO_ASSERT_EQ(nvme_write(d->dma, 0, d->host.iova, TABLE_SIZE), 0);

	/* Not all controllers notice that they got nothing. */
	nvme_write(d->dma, 0, iova, TABLE_SIZE);

	fill(host_dst(d), TABLE_SIZE, GUARD, 0);
	VFIO_ASSERT_EQ(nvme_read(d->dma, 0, d->host.iova + MAX_WINDOW_SIZE, TABLE_SIZE), 0);

	return table_match(host_dst(d));
}

static void register_exporter_open(struct devices *d)
{
	d->exporter_iommu = iommu_init(MODE_IOMMUFD);
	d->exporter = vfio_pci_device_init(exporter_bdf, d->exporter_iommu);
	d->bar = 0;
	VFIO_ASSERT_NOT_NULL(d->exporter->bars[d->bar].vaddr);
	vfio_pci_cmd_set(d->exporter, PCI_COMMAND_MEMORY);
}

static void register_exporter_close(struct devices *d)
{
	exporter_close(d);
	d->exporter = NULL;
}

static struct vfio_dma_buf *export_table(struct devices *d)
{
	u64 page = getpagesize();

	return vfio_dma_buf_init(d->exporter, d->bar, O_RDWR | O_CLOEXEC,
				 ALIGN_DOWN(IGB_VFTA, page), page, 1, 0);
}

static u8 find_capability(struct vfio_pci_device *device, u8 id)
{
	u8 pos = vfio_pci_config_readb(device, PCI_CAPABILITY_LIST);

	while (pos && vfio_pci_config_readb(device, pos + PCI_CAP_LIST_ID) != id)
		pos = vfio_pci_config_readb(device, pos + PCI_CAP_LIST_NEXT);

	return pos;
}

static void sysfs_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	VFIO_ASSERT_GE(fd, 0, "Failed to open %s\n", path);
	VFIO_ASSERT_EQ(write(fd, value, strlen(value)), strlen(value),
		       "Failed to write %s to %s\n", value, path);
	VFIO_ASSERT_EQ(close(fd), 0);
}

static const char *exporter_path(const char *file)
{
	static char path[PATH_MAX];

	snprintf_assert(path, sizeof(path), PCI_DEVICES "%s/%s", exporter_bdf, file);
	return path;
}

static bool exporter_present(void)
{
	return !access(exporter_path("remove"), F_OK);
}

/* Find a removed exporter again and give it back to its VFIO driver. */
static void exporter_restore(const char *vfio_driver)
{
	char *driver;

	if (!exporter_present())
		sysfs_write("/sys/bus/pci/rescan", "1");

	driver = sysfs_driver_get(exporter_bdf);
	if (driver && !strcmp(driver, vfio_driver))
		goto out;

	if (driver)
		sysfs_write(exporter_path("driver/unbind"), exporter_bdf);
	sysfs_write(exporter_path("driver_override"), vfio_driver);
	sysfs_write("/sys/bus/pci/drivers_probe", exporter_bdf);
out:
	free(driver);
}

/* The table as a dma-buf, which one of the two regions maps */
struct mapped_table {
	struct devices d;
	struct vfio_dma_buf *dma_buf;
	struct dma_region maps[2];
	struct dma_region *map;
	/* Signaled when a mapping is lost or comes back; -1 if the kernel cannot tell */
	int event;
};

static bool await(int fd, short event, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = event };

	return poll(&poll_fd, 1, timeout_ms) == 1 && poll_fd.revents & event;
}

static void watch_mappings(struct mapped_table *t)
{
	struct iommu_ioas_mapping_event cmd = {
		.size = sizeof(cmd),
		.ioas_id = t->d.iommu->ioas_id,
	};

	t->event = eventfd(0, EFD_CLOEXEC);
	VFIO_ASSERT_GE(t->event, 0);
	cmd.event_fd = t->event;
	if (!ioctl(t->d.iommu->iommufd, IOMMU_IOAS_MAPPING_EVENT, &cmd))
		return;

	/* Such a kernel does not restore mappings, either, as the DMA will show. */
	VFIO_ASSERT_EQ(errno, ENOTTY);
	close(t->event);
	t->event = -1;
}

static struct iommu_ioas_mapping_state mapping_state(struct mapped_table *t)
{
	struct iommu_ioas_mapping_state cmd = {
		.size = sizeof(cmd),
		.ioas_id = t->d.iommu->ioas_id,
		.iova = t->map->iova,
	};

	ioctl_assert(t->d.iommu->iommufd, IOMMU_IOAS_MAPPING_STATE, &cmd);
	VFIO_ASSERT_EQ(cmd.iova, t->map->iova);
	return cmd;
}

/* As a VMM would, that polls the event beside others */
static bool await_mapping(struct mapped_table *t)
{
	u64 count;

	if (t->event == -1)
		return true;

	while (mapping_state(t).out_state != IOMMU_IOAS_MAPPING_MAPPED) {
		if (!await(t->event, POLLIN, RESTORE_TIMEOUT_MS))
			return false;
		VFIO_ASSERT_EQ(read(t->event, &count, sizeof(count)), sizeof(count));
	}
	return true;
}

FIXTURE(vfio_dma_buf_reset_test) {
	struct mapped_table t;
	char *vfio_driver;
	pid_t remover;
};

FIXTURE_SETUP(vfio_dma_buf_reset_test)
{
	struct devices *d = &self->t.d;

	self->vfio_driver = sysfs_driver_get(exporter_bdf);
	register_exporter_open(d);
	if (!d->exporter->driver.ops || strcmp(d->exporter->driver.ops->name, "igb"))
		SKIP(return, "%s is no igb card", exporter_bdf);

	dma_device_open(d);
	if (!nvme_device(d->dma) || nvme_namespace(d->dma)->block_size != TABLE_SIZE)
		SKIP(return, "%s has no disk with blocks of %u bytes", dma_bdf, TABLE_SIZE);

	self->t.dma_buf = export_table(d);
	self->t.map = &self->t.maps[0];
	watch_mappings(&self->t);
	ASSERT_EQ(0, map_fixed(d, self->t.map, self->t.dma_buf->fd, 0, self->t.dma_buf->size));
	table_fill(d);
	ASSERT_EQ(TABLE_WORDS, words_arrived(d, self->t.map));
}

FIXTURE_TEARDOWN(vfio_dma_buf_reset_test)
{
	if (self->t.d.exporter)
		register_exporter_close(&self->t.d);
	if (self->remover > 0)
		waitpid(self->remover, NULL, 0);
	exporter_restore(self->vfio_driver);
	dma_device_close(&self->t.d);
	vfio_dma_buf_cleanup(self->t.dma_buf);
	if (self->t.event != -1)
		close(self->t.event);
	free(self->vfio_driver);
}

/*
 * The table's memory went away and is there again: nothing but a new mapping may
 * reach it. That one stays and takes the old one's place.
 */
static void check_only_new_map_works(struct __test_metadata *_metadata,
				     struct mapped_table *t)
{
	struct dma_region *old = t->map, *new = &t->maps[old == t->maps];
	struct devices *d = &t->d;

	table_fill(d);
	EXPECT_EQ(0, words_arrived(d, old));

	ASSERT_EQ(0, map_fixed(d, new, t->dma_buf->fd, 0, t->dma_buf->size));
	ASSERT_NE(old->iova, new->iova);
	EXPECT_EQ(TABLE_WORDS, words_arrived(d, new));
	EXPECT_EQ(0, words_arrived(d, old));

	iommu_unmap(d->iommu, old);
	EXPECT_EQ(0, words_arrived(d, old));
	table_fill(d);
	EXPECT_EQ(TABLE_WORDS, words_arrived(d, new));
	t->map = new;
}

/* The table's memory went away and is there again, and so is the mapping. */
static void check_comes_back(struct __test_metadata *_metadata,
			     struct mapped_table *t, u64 nr_revokes)
{
	struct devices *d = &t->d;

	ASSERT_TRUE(await_mapping(t));
	if (t->event != -1)
		EXPECT_EQ(nr_revokes, mapping_state(t).out_nr_revokes);
	table_fill(d);
	EXPECT_EQ(TABLE_WORDS, words_arrived(d, t->map));
}

TEST_F_TIMEOUT(vfio_dma_buf_reset_test, device_reset, 60)
{
	struct devices *d = &self->t.d;
	int i;

	if (!(d->exporter->info.flags & VFIO_DEVICE_FLAGS_RESET))
		SKIP(return, "%s cannot be reset", exporter_bdf);

	for (i = 0; i < NR_RESETS; i++) {
		ASSERT_EQ(TABLE_WORDS, table_match(table(d)));
		vfio_pci_device_reset(d->exporter);
		EXPECT_EQ(0, table_match(table(d)));
		check_comes_back(_metadata, &self->t, i + 1);
	}
}

TEST_F_TIMEOUT(vfio_dma_buf_reset_test, function_level_reset, 60)
{
	struct vfio_pci_device *exporter = self->t.d.exporter;
	u8 pos = find_capability(exporter, PCI_CAP_ID_EXP);
	u16 control;
	int i;

	if (!pos || !(vfio_pci_config_readl(exporter, pos + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR))
		SKIP(return, "%s has no function level reset", exporter_bdf);

	for (i = 0; i < NR_RESETS; i++) {
		ASSERT_EQ(TABLE_WORDS, table_match(table(&self->t.d)));
		control = vfio_pci_config_readw(exporter, pos + PCI_EXP_DEVCTL);
		vfio_pci_config_writew(exporter, pos + PCI_EXP_DEVCTL,
				       control | PCI_EXP_DEVCTL_BCR_FLR);
		EXPECT_EQ(0, table_match(table(&self->t.d)));
		check_comes_back(_metadata, &self->t, i + 1);
	}
}

static void set_power_state(struct vfio_pci_device *device, u8 pos, u16 state)
{
	u16 control = vfio_pci_config_readw(device, pos + PCI_PM_CTRL);

	vfio_pci_config_writew(device, pos + PCI_PM_CTRL,
			       (control & ~PCI_PM_CTRL_STATE_MASK) | state);
	control = vfio_pci_config_readw(device, pos + PCI_PM_CTRL);
	VFIO_ASSERT_EQ(control & PCI_PM_CTRL_STATE_MASK, state);
}

TEST_F_TIMEOUT(vfio_dma_buf_reset_test, d3hot, 60)
{
	struct devices *d = &self->t.d;
	struct dma_region refused;
	u8 pos = find_capability(d->exporter, PCI_CAP_ID_PM);
	int i;

	if (!pos)
		SKIP(return, "%s has no power management", exporter_bdf);

	for (i = 0; i < NR_RESETS; i++) {
		/* The CPU must not touch the table of a sleeping device. */
		set_power_state(d->exporter, pos, 3);
		if (self->t.event != -1)
			EXPECT_EQ(IOMMU_IOAS_MAPPING_REVOKED,
				  mapping_state(&self->t).out_state);
		EXPECT_EQ(0, words_arrived(d, self->t.map));
		EXPECT_EQ(-ENODEV, map_fixed(d, &refused, self->t.dma_buf->fd, 0,
					     self->t.dma_buf->size));

		set_power_state(d->exporter, pos, 0);
		check_comes_back(_metadata, &self->t, i + 1);
	}
}

/* Transfers of the mapped table to the disk, whatever becomes of them */
struct transfers {
	struct mapped_table *t;
	pthread_t thread;
	bool stop;
	u64 nr_done, nr_failed;
};

static void *transfers_run(void *arg)
{
	struct transfers *transfers = arg;
	struct mapped_table *t = transfers->t;
	iova_t iova = t->map->iova + IGB_VFTA % getpagesize();

	while (!__atomic_load_n(&transfers->stop, __ATOMIC_RELAXED)) {
		if (nvme_write(t->d.dma, 0, iova, TABLE_SIZE))
			transfers->nr_failed++;
		__atomic_add_fetch(&transfers->nr_done, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void await_transfer(struct transfers *transfers)
{
	u64 before = __atomic_load_n(&transfers->nr_done, __ATOMIC_RELAXED);

	/* The next one may have begun before */
	while (__atomic_load_n(&transfers->nr_done, __ATOMIC_RELAXED) < before + 2)
		sched_yield();
}

TEST_F_TIMEOUT(vfio_dma_buf_reset_test, reset_under_dma, 120)
{
	struct transfers transfers = { .t = &self->t };
	struct devices *d = &self->t.d;
	int i;

	if (!(d->exporter->info.flags & VFIO_DEVICE_FLAGS_RESET))
		SKIP(return, "%s cannot be reset", exporter_bdf);

	ASSERT_EQ(0, pthread_create(&transfers.thread, NULL, transfers_run, &transfers));
	for (i = 0; i < NR_RESETS_UNDER_DMA; i++) {
		await_transfer(&transfers);
		vfio_pci_device_reset(d->exporter);
		EXPECT_TRUE(await_mapping(&self->t));
	}
	__atomic_store_n(&transfers.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(transfers.thread, NULL));

	check_comes_back(_metadata, &self->t, NR_RESETS_UNDER_DMA);
	TH_LOG("%lu transfers during %d resets, %lu of them failed", transfers.nr_done,
	       NR_RESETS_UNDER_DMA, transfers.nr_failed);
}

static int request_eventfd(struct vfio_pci_device *device)
{
	u8 buffer[sizeof(struct vfio_irq_set) + sizeof(int)] __aligned(8);
	struct vfio_irq_set *irq = (void *)buffer;
	int fd = eventfd(0, EFD_CLOEXEC);

	VFIO_ASSERT_GE(fd, 0);
	*irq = (struct vfio_irq_set) {
		.argsz = sizeof(buffer),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_REQ_IRQ_INDEX,
		.count = 1,
	};
	memcpy(irq->data, &fd, sizeof(fd));
	ioctl_assert(device->fd, VFIO_DEVICE_SET_IRQS, irq);
	return fd;
}

/*
 * Remove the exporter in another process, which blocks until nobody has the
 * device open: it must not hold it, either. Its end of the pipe closes when done.
 */
static pid_t remove_start(struct devices *d, int fds[2])
{
	pid_t pid;

	VFIO_ASSERT_EQ(pipe(fds), 0);
	pid = fork();
	VFIO_ASSERT_GE(pid, 0);
	if (!pid) {
		exporter_close(d);
		sysfs_write(exporter_path("remove"), "1");
		_exit(KSFT_PASS);
	}

	close(fds[1]);
	return pid;
}

static unsigned long bar0_address(void)
{
	FILE *file = fopen(exporter_path("resource"), "r");
	unsigned long address;
	int n;

	VFIO_ASSERT_NOT_NULL(file);
	n = fscanf(file, "%lx", &address);
	VFIO_ASSERT_EQ(n, 1);
	fclose(file);
	return address;
}

TEST_F_TIMEOUT(vfio_dma_buf_reset_test, removal, 90)
{
	int request, fds[2], status, i, nr_same = 0;
	struct mapped_table *t = &self->t;
	struct vfio_dma_buf *orphan;
	struct dma_region refused;
	struct devices *d = &t->d;
	unsigned long address;

	for (i = 0; i < NR_REMOVALS; i++) {
		address = bar0_address();
		request = request_eventfd(d->exporter);
		self->remover = remove_start(d, fds);
		ASSERT_TRUE(await(request, POLLIN, REMOVE_TIMEOUT_MS));

		/* The kernel asks for the device, but it is still ours. */
		table_fill(d);
		EXPECT_EQ(TABLE_WORDS, words_arrived(d, t->map));

		register_exporter_close(d);
		ASSERT_TRUE(await(fds[0], POLLHUP, REMOVE_TIMEOUT_MS));
		ASSERT_EQ(self->remover, waitpid(self->remover, &status, 0));
		self->remover = 0;
		EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == KSFT_PASS);
		ASSERT_FALSE(exporter_present());
		EXPECT_EQ(0, words_arrived(d, t->map));
		EXPECT_EQ(-ENODEV, map_fixed(d, &refused, t->dma_buf->fd, 0, t->dma_buf->size));

		/* What comes back is out of reach, even if at the same address. */
		exporter_restore(self->vfio_driver);
		nr_same += bar0_address() == address;
		register_exporter_open(d);
		table_fill(d);
		EXPECT_EQ(0, words_arrived(d, t->map));
		EXPECT_EQ(-ENODEV, map_fixed(d, &refused, t->dma_buf->fd, 0, t->dma_buf->size));

		orphan = t->dma_buf;
		t->dma_buf = export_table(d);
		check_only_new_map_works(_metadata, t);

		/* The last that is left of the removed device */
		vfio_dma_buf_cleanup(orphan);
		table_fill(d);
		EXPECT_EQ(TABLE_WORDS, words_arrived(d, t->map));
		close(request);
		close(fds[0]);
	}

	TH_LOG("The BAR kept its address in %d of %d removals", nr_same, NR_REMOVALS);
}

int main(int argc, char *argv[])
{
	dma_buf_test_devices(&argc, argv);
	return test_harness_run(argc, argv);
}
