// SPDX-License-Identifier: MIT
/*
 * Copyright © 2026 dmabuf-pal developers
 *
 * Buffer objects of whatever driver: see pal.h
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "igt.h"
#include "igt_device.h"
#include "pal.h"

#define PIN_PERCENT	"/sys/module/ttm/parameters/pal_pin_percent"
#define BUFINFO		"/sys/kernel/debug/dma_buf/bufinfo"
/* Of freed memory and of a driver that is bound */
#define WAIT_SECONDS	30

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

void pal_open(struct pal *pal, unsigned int chipset)
{
	struct pal_vram vram;
	char slot[NAME_MAX];

	*pal = (struct pal){ .fd = drm_open_driver(chipset) };
	pal->driver = is_xe_device(pal->fd) ? &pal_xe : &pal_amdgpu;
	igt_device_get_pci_slot_name(pal->fd, slot);
	snprintf(pal->bdf, sizeof(pal->bdf), "%.31s", slot);
	vram = pal_vram(pal);
	igt_require_f(vram.total, "%s has no VRAM\n", pal->bdf);
	igt_require_f(!access(PIN_PERCENT, R_OK),
		      "this kernel has no PAL mappings: no %s\n", PIN_PERCENT);
	igt_require_f(!access(BUFINFO, R_OK), "no %s\n", BUFINFO);
}

void pal_close(struct pal *pal)
{
	drm_close_driver(pal->fd);
	pal->fd = -1;
}

/* Buffer objects */

int pal_export(struct pal *pal, uint32_t handle, uint32_t flags)
{
	struct drm_prime_handle arg = { .handle = handle, .flags = flags };

	if (igt_ioctl(pal->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg))
		return -errno;
	return arg.fd;
}

int pal_bo_create(struct pal *pal, struct pal_bo *bo, uint64_t size, unsigned int where)
{
	*bo = (struct pal_bo){ .pal = pal, .size = size, .fd = -1 };
	return pal->driver->create(pal->fd, size, where, &bo->handle);
}

void pal_bo_mmap(struct pal_bo *bo)
{
	uint64_t offset = 0;

	igt_assert_eq(bo->pal->driver->mmap_offset(bo->pal->fd, bo->handle, &offset), 0);
	bo->vaddr = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 bo->pal->fd, offset);
	igt_assert(bo->vaddr != MAP_FAILED);
}

void pal_bo_vram(struct pal *pal, struct pal_bo *bo, uint64_t size)
{
	igt_assert_eq(pal_bo_create(pal, bo, size, PAL_VRAM | PAL_VISIBLE), 0);
	bo->fd = pal_export(pal, bo->handle, DRM_CLOEXEC | DRM_RDWR);
	igt_assert_lte(0, bo->fd);
	pal_bo_mmap(bo);
}

void pal_bo_destroy(struct pal_bo *bo)
{
	if (bo->vaddr)
		munmap(bo->vaddr, bo->size);
	if (bo->fd >= 0)
		close(bo->fd);
	gem_close(bo->pal->fd, bo->handle);
}

static uint32_t take(struct pal *pal, uint64_t size)
{
	uint32_t handle;

	igt_assert_eq(pal->driver->create(pal->fd, size, PAL_VRAM, &handle), 0);
	return handle;
}

/*
 * The allocator prefers one large block, so there must be none: what is free is taken by
 * one BO, but for its end, which is taken piece by piece. Every second piece is given
 * back. What the driver may want for itself was never taken; a BO takes it before ours
 * is made.
 */
void pal_bo_fragmented(struct pal *pal, struct pal_bo *bo, uint64_t size, uint64_t piece)
{
	uint64_t slack = ALIGN(pal->driver->reserve, piece);
	unsigned int count = 2 * ((size + slack) / piece) + 4, i;
	struct pal_vram vram = pal_vram(pal);
	uint64_t room = vram.total - vram.used;
	uint32_t *pieces, rest, most;

	igt_require_f(vram.used && room > (count + 1) * piece + slack,
		      "%" PRIu64 " KiB of VRAM are free, too few\n", room >> 10);
	pieces = calloc(count, sizeof(*pieces));
	igt_assert(pieces);
	most = take(pal, ALIGN_DOWN(room - count * piece - slack, piece));
	for (i = 0; i < count; i++)
		pieces[i] = take(pal, piece);
	vram = pal_vram(pal);
	for (i = 0; i + 4 < count; i += 2) {
		gem_close(pal->fd, pieces[i]);
		pieces[i] = 0;
	}
	igt_assert(pal_vram_returns(pal, vram.used - slack - size));
	rest = take(pal, slack);
	pal_bo_vram(pal, bo, size);

	for (i = 0; i < count; i++)
		if (pieces[i])
			gem_close(pal->fd, pieces[i]);
	gem_close(pal->fd, rest);
	gem_close(pal->fd, most);
	free(pieces);
}

static uint64_t word(uint64_t at, uint32_t seed)
{
	uint64_t x = (at + 1) * 0x9e3779b97f4a7c15ull ^ (uint64_t)seed << 32;

	return x ^ x >> 29;
}

void pal_fill(void *vaddr, uint64_t offset, uint64_t size, uint32_t seed)
{
	volatile uint64_t *p = (void *)((char *)vaddr + offset);
	uint64_t at;

	for (at = 0; at < size; at += sizeof(*p))
		*p++ = word(offset + at, seed);
	__sync_synchronize();
}

uint64_t pal_differs(const void *vaddr, uint64_t offset, uint64_t size, uint32_t seed)
{
	const volatile uint64_t *p = (const void *)((const char *)vaddr + offset);
	uint64_t at;

	for (at = 0; at < size; at += sizeof(*p))
		if (*p++ != word(offset + at, seed))
			break;
	return at;
}

/* Where memory is, and how much there is */

/* "drm-resident-KEY:	123 KiB"; the unit may be absent or MiB */
static uint64_t resident(const char *line, const char *key)
{
	char unit[8] = "", name[32];
	unsigned long long value;

	if (sscanf(line, "drm-resident-%31[^:]: %llu %7s", name, &value, unit) < 2 ||
	    strcmp(name, key))
		return 0;
	return value << (*unit == 'M' ? 20 : *unit == 'K' ? 10 : 0);
}

static struct pal_place client_place(const struct pal_driver *driver, int fd)
{
	struct pal_place place = {};
	char line[160];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", fd);
	file = fopen(line, "r");
	igt_assert(file);
	while (fgets(line, sizeof(line), file)) {
		place.vram += resident(line, driver->fdinfo_vram);
		place.system += resident(line, "system") + resident(line, "gtt") +
				resident(line, "cpu");
	}
	fclose(file);
	return place;
}

/* A client that has nothing else but its page tables, before and after it has the BO */
struct pal_place pal_place(struct pal *pal, int dma_buf)
{
	struct pal_place before, place;
	uint32_t handle;
	int fd;

	fd = drm_reopen_driver(pal->fd);
	igt_assert_lte(0, fd);
	before = client_place(pal->driver, fd);
	handle = prime_fd_to_handle(fd, dma_buf);
	place = client_place(pal->driver, fd);
	gem_close(fd, handle);
	drm_close_driver(fd);
	return (struct pal_place){
		.vram = place.vram - before.vram,
		.system = place.system - before.system,
	};
}

bool pal_in_vram(struct pal *pal, struct pal_bo *bo)
{
	struct pal_place place = pal_place(pal, bo->fd);

	return place.vram == bo->size && !place.system;
}

struct pal_vram pal_vram(struct pal *pal)
{
	struct pal_vram vram = {};

	pal->driver->vram(pal->fd, &vram);
	return vram;
}

bool pal_vram_returns(struct pal *pal, uint64_t used)
{
	time_t end = time(NULL) + WAIT_SECONDS;

	while (pal_vram(pal).used > used) {
		if (time(NULL) >= end)
			return false;
		sched_yield();
	}
	return true;
}

/* BOs that evict one another, as none of them is pinned */
bool pal_pressure(struct pal *pal)
{
	uint64_t total = pal_vram(pal).total, chunk, size = 0;
	uint32_t handles[128];
	unsigned int nr = 0;

	chunk = ALIGN(total / 64, PAL_MIB);
	while (size < total + chunk && nr < ARRAY_SIZE(handles) &&
	       !pal->driver->create(pal->fd, chunk, PAL_VRAM, &handles[nr])) {
		size += chunk;
		nr++;
	}
	while (nr)
		gem_close(pal->fd, handles[--nr]);
	return size >= total + chunk;
}

uint64_t pal_pinned(struct pal *pal)
{
	uint64_t pinned = UINT64_MAX;
	char line[200];
	FILE *file;

	snprintf(line, sizeof(line), "/sys/kernel/debug/dri/%s/%s", pal->bdf,
		 pal->driver->vram_mm);
	file = fopen(line, "r");
	igt_assert_f(file, "no %s\n", line);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " pal_pinned: %" SCNu64, &pinned) == 1)
			break;
	fclose(file);
	return pinned;
}

static char pin_percent[16];

static void restore_pin_percent(int sig)
{
	(void)sig;
	if (pin_percent[0])
		write_text(PIN_PERCENT, pin_percent);
}

void pal_set_pin_percent(unsigned int percent)
{
	char text[16];
	int fd, len;

	if (!pin_percent[0]) {
		fd = open(PIN_PERCENT, O_RDONLY | O_CLOEXEC);
		igt_assert_lte(0, fd);
		len = read(fd, pin_percent, sizeof(pin_percent) - 1);
		close(fd);
		igt_assert_lt(0, len);
		igt_install_exit_handler(restore_pin_percent);
	}
	snprintf(text, sizeof(text), "%u", percent);
	igt_assert_eq(write_text(PIN_PERCENT, percent ? text : pin_percent), 0);
}

/* The driver */

static char unbound[32], unbound_driver[16];

static int rebind(void)
{
	char path[80];
	int ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", unbound_driver);
	ret = write_text(path, unbound);
	if (!ret)
		unbound[0] = 0;
	return ret;
}

static void rebind_at_exit(int sig)
{
	(void)sig;
	if (unbound[0])
		rebind();
}

void pal_unbind(struct pal *pal)
{
	char path[80];

	igt_install_exit_handler(rebind_at_exit);
	snprintf(unbound_driver, sizeof(unbound_driver), "%s", pal->driver->name);
	snprintf(unbound, sizeof(unbound), "%s", pal->bdf);
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/unbind", unbound_driver);
	igt_assert_eq(write_text(path, unbound), 0);
}

/* The device is there again when the write returns. */
void pal_bind(struct pal *pal)
{
	pal_close(pal);
	igt_assert_eq(rebind(), 0);
	pal_open(pal, pal->driver->chipset);
}

/* dma-bufs */

struct pal_bufinfo pal_bufinfo(int dma_buf)
{
	unsigned long ino, ranges, bytes;
	struct pal_bufinfo info = {};
	char line[256], *mapping;
	bool ours = false;
	struct stat st;
	unsigned int nr;
	FILE *file;
	int end;

	igt_assert_eq(fstat(dma_buf, &st), 0);
	file = fopen(BUFINFO, "r");
	igt_assert(file);
	while (fgets(line, sizeof(line), file)) {
		/* size, flags, mode, count, exporter, inode */
		if (sscanf(line, "%*u\t%*x\t%*x\t%*d\t%*s\t%lu", &ino) == 1)
			ours = ino == st.st_ino;
		if (!ours)
			continue;
		end = 0;
		if (sscanf(line, "Total %u devices attached%n", &nr, &end) == 1 && end)
			info.attachments = nr;
		mapping = strstr(line, "mapping=PAL");
		if (!mapping)
			continue;
		info.pal++;
		info.ranges = info.bytes = 0;
		if (sscanf(mapping, "mapping=PAL ranges=%lu bytes=%lu", &ranges, &bytes) == 2) {
			info.ranges = ranges;
			info.bytes = bytes;
		}
	}
	fclose(file);
	return info;
}

void pal_ioas_open(struct pal_ioas *ioas)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	ioas->fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	igt_require_f(ioas->fd >= 0, "no /dev/iommu: %s\n", strerror(errno));
	igt_assert_eq(ioctl(ioas->fd, IOMMU_IOAS_ALLOC, &alloc), 0);
	ioas->id = alloc.out_ioas_id;
}

void pal_ioas_close(struct pal_ioas *ioas)
{
	close(ioas->fd);
}

int pal_map(struct pal_ioas *ioas, int dma_buf, uint64_t start, uint64_t size,
	    uint32_t flags, uint64_t *iova)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = flags,
		.ioas_id = ioas->id,
		.fd = dma_buf,
		.start = start,
		.length = size,
		.iova = flags & IOMMU_IOAS_MAP_FIXED_IOVA ? *iova : 0,
	};

	if (ioctl(ioas->fd, IOMMU_IOAS_MAP_FILE, &map))
		return -errno;
	*iova = map.iova;
	return 0;
}

int pal_unmap(struct pal_ioas *ioas, uint64_t iova, uint64_t size)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas->id,
		.iova = iova,
		.length = size,
	};

	return ioctl(ioas->fd, IOMMU_IOAS_UNMAP, &unmap) ? -errno : 0;
}

struct iommu_ioas_mapping_state pal_mapping_state(struct pal_ioas *ioas, uint64_t iova)
{
	struct iommu_ioas_mapping_state state = {
		.size = sizeof(state),
		.ioas_id = ioas->id,
		.iova = iova,
	};

	do_ioctl(ioas->fd, IOMMU_IOAS_MAPPING_STATE, &state);
	igt_assert_eq_u64(state.iova, iova);
	return state;
}
