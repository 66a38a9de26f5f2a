// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of dma-bufs that come back: how often, when it fails, what user space
 * sees of it, and what else happens at the same time. That all domains get all
 * pages is tested in iommufd.c.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define __EXPORTED_HEADERS__
#include <linux/vfio.h>

#include "iommufd_utils.h"

#define NR_PAGES 64
#define NR_RANGES 7
#define NR_CYCLES 1000
#define NR_RACES 200
#define NR_EXITS 20

#define DMABUF_IOVA(n) (MOCK_APERTURE_START + ((n) + 1) * 0x4000000UL)

static __attribute__((constructor)) void setup_sizes(void)
{
	PAGE_SIZE = sysconf(_SC_PAGE_SIZE);
}

FIXTURE(iommufd_restore)
{
	int fd;
	int dfd;
	int event;
	size_t length;
	uint32_t ioas_id;
	uint32_t stdev_id;
	uint32_t device_id;
	uint32_t hwpt_id;
};

FIXTURE_SETUP(iommufd_restore)
{
	self->fd = open("/dev/iommu", O_RDWR);
	ASSERT_NE(-1, self->fd);
	test_ioctl_ioas_alloc(&self->ioas_id);
	test_cmd_mock_domain(self->ioas_id, &self->stdev_id, &self->hwpt_id,
			     &self->device_id);
	self->length = NR_PAGES * PAGE_SIZE;
	test_cmd_get_dmabuf_ranges(self->length, NR_RANGES, 1, &self->dfd);
	self->event = eventfd(0, EFD_CLOEXEC);
	ASSERT_NE(-1, self->event);
	test_ioctl_ioas_mapping_event(self->ioas_id, self->event);
	test_ioctl_ioas_map_fixed_file(self->dfd, 0, self->length,
				       DMABUF_IOVA(0));
}

FIXTURE_TEARDOWN(iommufd_restore)
{
	EXPECT_EQ(0, close(self->event));
	EXPECT_EQ(0, close(self->dfd));
	teardown_iommufd(self->fd, _metadata);
}

static bool signaled(int event)
{
	struct pollfd pollfd = { .fd = event, .events = POLLIN };
	__u64 count;

	if (poll(&pollfd, 1, 0) != 1)
		return false;
	return read(event, &count, sizeof(count)) == sizeof(count);
}

/* The backing is new each time, and each page is looked at each time */
TEST_F_TIMEOUT(iommufd_restore, cycles, 300)
{
	struct iommu_ioas_mapping_state state;
	unsigned int i;

	for (i = 0; i != NR_CYCLES; i++) {
		test_cmd_move_dmabuf(self->dfd);
		test_cmd_check_unmapped(self->hwpt_id, DMABUF_IOVA(0),
					self->length);
		test_cmd_revoke_dmabuf(self->dfd, false);
		test_wait_mapping_state(self->ioas_id, self->event,
					DMABUF_IOVA(0),
					IOMMU_IOAS_MAPPING_MAPPED);
		test_cmd_check_dmabuf(self->hwpt_id, self->dfd, DMABUF_IOVA(0),
				      0, self->length);
	}
	test_ioctl_ioas_mapping_state(self->ioas_id, 0, &state);
	ASSERT_EQ(NR_CYCLES, state.out_nr_revokes);
}

TEST_F(iommufd_restore, state)
{
	struct iommu_ioas_mapping_state state;
	struct iommu_ioas_mapping_state bad = { .size = sizeof(bad) };

	/* Memory that is not a dma-buf has no such state */
	mfd_buffer = memfd_mmap(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
				&mfd);
	ASSERT_NE(MAP_FAILED, mfd_buffer);
	test_ioctl_ioas_map_fixed(mfd_buffer, PAGE_SIZE, MOCK_APERTURE_START);
	test_ioctl_ioas_map_fixed_file(mfd, 0, PAGE_SIZE,
				       MOCK_APERTURE_START + PAGE_SIZE);
	test_ioctl_ioas_map_fixed_file(self->dfd, PAGE_SIZE, PAGE_SIZE,
				       DMABUF_IOVA(1));

	test_ioctl_ioas_mapping_state(self->ioas_id, 0, &state);
	EXPECT_EQ(DMABUF_IOVA(0), state.iova);
	EXPECT_EQ(self->length, state.out_length);
	EXPECT_EQ(IOMMU_IOAS_MAPPING_MAPPED, state.out_state);
	EXPECT_EQ(0, state.out_nr_revokes);
	/* The last byte of it still is it */
	test_ioctl_ioas_mapping_state(self->ioas_id,
				      DMABUF_IOVA(0) + self->length - 1,
				      &state);
	EXPECT_EQ(DMABUF_IOVA(0), state.iova);
	test_ioctl_ioas_mapping_state(self->ioas_id,
				      DMABUF_IOVA(0) + self->length, &state);
	EXPECT_EQ(DMABUF_IOVA(1), state.iova);
	EXPECT_EQ(PAGE_SIZE, state.out_length);
	test_err_ioctl_ioas_mapping_state(ENOENT, self->ioas_id,
					  DMABUF_IOVA(1) + PAGE_SIZE);

	test_cmd_revoke_dmabuf(self->dfd, true);
	test_ioctl_ioas_mapping_state(self->ioas_id, DMABUF_IOVA(1), &state);
	EXPECT_EQ(IOMMU_IOAS_MAPPING_REVOKED, state.out_state);
	EXPECT_EQ(1, state.out_nr_revokes);
	/* Once more changes nothing */
	test_cmd_revoke_dmabuf(self->dfd, true);
	test_ioctl_ioas_mapping_state(self->ioas_id, DMABUF_IOVA(1), &state);
	EXPECT_EQ(1, state.out_nr_revokes);

	bad.ioas_id = self->ioas_id;
	bad.flags = 1;
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->fd, IOMMU_IOAS_MAPPING_STATE, &bad));
	bad.flags = 0;
	bad.size = offsetof(typeof(bad), out_nr_revokes);
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, IOMMU_IOAS_MAPPING_STATE, &bad));
	test_err_ioctl_ioas_mapping_state(ENOENT, self->hwpt_id, 0);
	test_err_ioctl_ioas_mapping_state(ENOENT, 0, 0);
}

TEST_F(iommufd_restore, event)
{
	struct iommu_ioas_mapping_event bad = {
		.size = sizeof(bad),
		.flags = 1,
		.ioas_id = self->ioas_id,
		.event_fd = self->event,
	};
	__u32 empty_id;
	int other;

	EXPECT_FALSE(signaled(self->event));
	test_cmd_revoke_dmabuf(self->dfd, true);
	EXPECT_TRUE(signaled(self->event));
	test_cmd_revoke_dmabuf(self->dfd, true);
	EXPECT_FALSE(signaled(self->event));
	test_cmd_revoke_dmabuf(self->dfd, false);
	test_wait_mapping_state(self->ioas_id, self->event, DMABUF_IOVA(0),
				IOMMU_IOAS_MAPPING_MAPPED);
	signaled(self->event);

	/* It takes the place of the first */
	other = eventfd(0, EFD_CLOEXEC);
	ASSERT_NE(-1, other);
	test_ioctl_ioas_mapping_event(self->ioas_id, other);
	test_cmd_revoke_dmabuf(self->dfd, true);
	EXPECT_TRUE(signaled(other));
	EXPECT_FALSE(signaled(self->event));

	/* An IOAS of which no device has anything was not told before, nor now */
	test_ioctl_ioas_alloc(&empty_id);
	test_ioctl_ioas_mapping_event(empty_id, self->event);
	test_cmd_revoke_dmabuf(self->dfd, false);
	test_wait_mapping_state(self->ioas_id, other, DMABUF_IOVA(0),
				IOMMU_IOAS_MAPPING_MAPPED);
	EXPECT_FALSE(signaled(self->event));

	test_err_ioctl_ioas_mapping_event(EBADF, self->ioas_id, 1000000);
	test_err_ioctl_ioas_mapping_event(EBADF, self->ioas_id, -2);
	test_err_ioctl_ioas_mapping_event(EINVAL, self->ioas_id, self->dfd);
	test_err_ioctl_ioas_mapping_event(ENOENT, self->hwpt_id, self->event);
	EXPECT_ERRNO(EOPNOTSUPP,
		     ioctl(self->fd, IOMMU_IOAS_MAPPING_EVENT, &bad));
	/* None of these took the event away */
	signaled(other);
	test_cmd_revoke_dmabuf(self->dfd, true);
	EXPECT_TRUE(signaled(other));

	test_ioctl_ioas_mapping_event(self->ioas_id, -1);
	test_cmd_revoke_dmabuf(self->dfd, false);
	test_cmd_revoke_dmabuf(self->dfd, true);
	EXPECT_FALSE(signaled(other));
	EXPECT_EQ(0, close(other));
}

TEST_F_TIMEOUT(iommufd_restore, tried_again, 60)
{
	test_cmd_revoke_dmabuf(self->dfd, true);
	test_cmd_restore_dmabuf_failing(self->dfd, 4);
	test_wait_mapping_state(self->ioas_id, self->event, DMABUF_IOVA(0),
				IOMMU_IOAS_MAPPING_MAPPED);
	test_cmd_check_dmabuf(self->hwpt_id, self->dfd, DMABUF_IOVA(0), 0,
			      self->length);
}

TEST_F_TIMEOUT(iommufd_restore, given_up, 90)
{
	test_cmd_move_dmabuf(self->dfd);
	test_cmd_restore_dmabuf_failing(self->dfd, 1000);
	test_wait_mapping_state(self->ioas_id, self->event, DMABUF_IOVA(0),
				IOMMU_IOAS_MAPPING_FAILED);
	test_cmd_check_unmapped(self->hwpt_id, DMABUF_IOVA(0), self->length);

	/* The next time that the exporter calls it works */
	test_cmd_revoke_dmabuf(self->dfd, false);
	test_wait_mapping_state(self->ioas_id, self->event, DMABUF_IOVA(0),
				IOMMU_IOAS_MAPPING_MAPPED);
	test_cmd_check_dmabuf(self->hwpt_id, self->dfd, DMABUF_IOVA(0), 0,
			      self->length);
}

/*
 * Where only a part can be mapped nothing is, in no domain: the first area would fit.
 * Time does not heal that, and it is given up at once.
 */
TEST_F(iommufd_restore, all_or_nothing)
{
	size_t half = self->length / 2;
	__u32 hwpt_id;

	test_cmd_hwpt_alloc(self->device_id, self->ioas_id, 0, &hwpt_id);
	test_ioctl_ioas_unmap(DMABUF_IOVA(0), self->length);
	test_ioctl_ioas_map_fixed_file(self->dfd, 0, self->length,
				       DMABUF_IOVA(1));
	test_ioctl_ioas_copy_fixed(self->ioas_id, DMABUF_IOVA(1), PAGE_SIZE,
				   DMABUF_IOVA(0));
	test_ioctl_ioas_copy_fixed(self->ioas_id, DMABUF_IOVA(1) + half, half,
				   DMABUF_IOVA(2));
	/* The first of the areas becomes the small one */
	test_ioctl_ioas_unmap(DMABUF_IOVA(1), self->length);

	ASSERT_EQ(0, _test_cmd_revoke_dmabuf_flags(self->fd, self->dfd, true,
						   MOCK_DMABUF_REVOKE_MOVE |
						   MOCK_DMABUF_REVOKE_BAD, 0));
	test_cmd_revoke_dmabuf(self->dfd, false);
	test_wait_mapping_state(self->ioas_id, self->event, DMABUF_IOVA(0),
				IOMMU_IOAS_MAPPING_FAILED);
	test_cmd_check_unmapped(self->hwpt_id, DMABUF_IOVA(0), PAGE_SIZE);
	test_cmd_check_unmapped(self->hwpt_id, DMABUF_IOVA(2), half);
	test_cmd_check_unmapped(hwpt_id, DMABUF_IOVA(0), PAGE_SIZE);
	test_cmd_check_unmapped(hwpt_id, DMABUF_IOVA(2), half);

	test_cmd_move_dmabuf(self->dfd);
	test_cmd_revoke_dmabuf(self->dfd, false);
	test_wait_mapping_state(self->ioas_id, self->event, DMABUF_IOVA(0),
				IOMMU_IOAS_MAPPING_MAPPED);
	test_cmd_check_dmabuf(self->hwpt_id, self->dfd, DMABUF_IOVA(0), 0,
			      PAGE_SIZE);
	test_cmd_check_dmabuf(hwpt_id, self->dfd, DMABUF_IOVA(2), half, half);
}

/* With the work queued, and it does not matter whether it has begun */
TEST_F(iommufd_restore, unmapped_while_tried)
{
	test_cmd_revoke_dmabuf(self->dfd, true);
	test_cmd_restore_dmabuf_failing(self->dfd, 1000);
	test_ioctl_ioas_unmap(DMABUF_IOVA(0), self->length);
	test_err_ioctl_ioas_mapping_state(ENOENT, self->ioas_id, 0);

	test_cmd_revoke_dmabuf(self->dfd, false);
	test_ioctl_ioas_map_fixed_file(self->dfd, 0, self->length,
				       DMABUF_IOVA(0));
	test_cmd_check_dmabuf(self->hwpt_id, self->dfd, DMABUF_IOVA(0), 0,
			      self->length);
}

struct mover {
	int fd;
	int dfd;
	bool stop;
	unsigned int nr_cycles;
	int error;
};

static void *move_and_restore(void *arg)
{
	struct mover *mover = arg;

	while (!__atomic_load_n(&mover->stop, __ATOMIC_RELAXED)) {
		__u32 flags = mover->nr_cycles % 2 ? MOCK_DMABUF_REVOKE_MOVE : 0;

		mover->error = _test_cmd_revoke_dmabuf_flags(mover->fd,
							     mover->dfd, true,
							     flags, 0);
		if (mover->error)
			break;
		mover->error = _test_cmd_revoke_dmabuf(mover->fd, mover->dfd,
						       false);
		if (mover->error)
			break;
		/* The worker has no better chance than this thread */
		sched_yield();
		__atomic_add_fetch(&mover->nr_cycles, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static int start_mover(pthread_t *thread, struct mover *mover, int fd, int dfd)
{
	*mover = (struct mover){ .fd = fd, .dfd = dfd };
	return pthread_create(thread, NULL, move_and_restore, mover);
}

/* A map that comes while the memory is away fails, and is tried again */
static int map_until(int fd, __u32 ioas_id, int dfd, size_t length, __u64 iova)
{
	int rc;

	do {
		rc = _test_ioctl_ioas_map_file(fd, ioas_id, dfd, 0, length,
					       &iova,
					       IOMMU_IOAS_MAP_FIXED_IOVA |
					       IOMMU_IOAS_MAP_WRITEABLE |
					       IOMMU_IOAS_MAP_READABLE);
	} while (rc && errno == ENODEV);
	return rc;
}

TEST_F_TIMEOUT(iommufd_restore, races, 300)
{
	__u32 hwpt_id, ioas_id, stdev_id, device_hwpt_id;
	unsigned int i, cycles;
	struct mover mover;
	pthread_t thread;

	test_ioctl_ioas_alloc(&ioas_id);
	ASSERT_EQ(0, start_mover(&thread, &mover, self->fd, self->dfd));
	for (i = 0; i != NR_RACES; i++) {
		cycles = __atomic_load_n(&mover.nr_cycles, __ATOMIC_RELAXED);
		ASSERT_EQ(0, map_until(self->fd, self->ioas_id, self->dfd,
				       self->length, DMABUF_IOVA(1)));
		/* Area of the same pages, domain attached and replaced */
		test_ioctl_ioas_copy_fixed(ioas_id, DMABUF_IOVA(1),
					   self->length, DMABUF_IOVA(2));
		test_cmd_mock_domain(ioas_id, &stdev_id, &device_hwpt_id, NULL);
		test_cmd_hwpt_alloc(self->device_id, self->ioas_id, 0,
				    &hwpt_id);
		test_cmd_mock_domain_replace(self->stdev_id, hwpt_id);
		test_ioctl_ioas_unmap(DMABUF_IOVA(1), self->length);
		test_cmd_mock_domain_replace(self->stdev_id, self->ioas_id);
		test_ioctl_destroy(hwpt_id);
		test_ioctl_destroy(stdev_id);
		test_ioctl_ioas_unmap_id(ioas_id, DMABUF_IOVA(2), self->length);
		/* Else this proves nothing */
		while (__atomic_load_n(&mover.nr_cycles, __ATOMIC_RELAXED) ==
		       cycles)
			sched_yield();
	}
	__atomic_store_n(&mover.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, mover.error);

	test_wait_mapping_state(self->ioas_id, self->event, DMABUF_IOVA(0),
				IOMMU_IOAS_MAPPING_MAPPED);
	test_cmd_hwpt_alloc(self->device_id, self->ioas_id, 0, &hwpt_id);
	test_cmd_check_dmabuf(hwpt_id, self->dfd, DMABUF_IOVA(0), 0,
			      self->length);
	test_cmd_check_unmapped(hwpt_id, DMABUF_IOVA(1), self->length);
	test_ioctl_destroy(hwpt_id);
}

static void exit_while_mapped(int dfd, size_t length)
{
	__u32 ioas_id, hwpt_id;
	int fd;

	fd = open("/dev/iommu", O_RDWR);
	if (fd < 0 || _test_ioctl_ioas_alloc(fd, &ioas_id) ||
	    _test_cmd_mock_domain(fd, ioas_id, NULL, &hwpt_id, NULL) ||
	    map_until(fd, ioas_id, dfd, length, DMABUF_IOVA(0)))
		_exit(1);
	_exit(0);
}

TEST_F_TIMEOUT(iommufd_restore, process_exits, 120)
{
	struct mover mover;
	pthread_t thread;
	unsigned int i;

	ASSERT_EQ(0, start_mover(&thread, &mover, self->fd, self->dfd));
	for (i = 0; i != NR_EXITS; i++) {
		pid_t pid = fork();
		int status;

		ASSERT_NE(-1, pid);
		if (!pid)
			exit_while_mapped(self->dfd, self->length);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
	__atomic_store_n(&mover.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, mover.error);
	ASSERT_NE(0, mover.nr_cycles);

	test_wait_mapping_state(self->ioas_id, self->event, DMABUF_IOVA(0),
				IOMMU_IOAS_MAPPING_MAPPED);
	test_cmd_check_dmabuf(self->hwpt_id, self->dfd, DMABUF_IOVA(0), 0,
			      self->length);
}

static int map_movable(int fd, __u32 ioas_id, int dfd, size_t length, __u64 iova)
{
	return _test_ioctl_ioas_map_file(fd, ioas_id, dfd, 0, length, &iova,
					 IOMMU_IOAS_MAP_FIXED_IOVA |
					 IOMMU_IOAS_MAP_WRITEABLE |
					 IOMMU_IOAS_MAP_READABLE |
					 IOMMU_IOAS_MAP_MOVABLE);
}

/* It was never away; the first attempts to map it again fail */
static int move_only(int fd, int dfd, __u32 nr_failures)
{
	return _test_cmd_revoke_dmabuf_flags(fd, dfd, false,
					     MOCK_DMABUF_REVOKE_MOVE,
					     nr_failures);
}

/* An IOAS of which the only HWPT, that of the device, can fault */
FIXTURE(iommufd_movable)
{
	int fd;
	int dfd;
	int event;
	size_t length;
	uint32_t ioas_id;
	uint32_t stdev_id;
	uint32_t device_id;
	uint32_t hwpt_id;
	uint32_t fault_id;
	uint32_t fault_fd;
};

FIXTURE_SETUP(iommufd_movable)
{
	__u32 plain_id;

	self->fd = open("/dev/iommu", O_RDWR);
	ASSERT_NE(-1, self->fd);
	test_ioctl_ioas_alloc(&plain_id);
	test_cmd_mock_domain(plain_id, &self->stdev_id, NULL, &self->device_id);
	test_ioctl_ioas_alloc(&self->ioas_id);
	test_ioctl_fault_alloc(&self->fault_id, &self->fault_fd);
	test_cmd_hwpt_alloc_iopf(self->device_id, self->ioas_id, self->fault_id,
				 IOMMU_HWPT_FAULT_ID_VALID, &self->hwpt_id,
				 IOMMU_HWPT_DATA_NONE, NULL, 0);
	test_cmd_mock_domain_replace(self->stdev_id, self->hwpt_id);
	test_ioctl_destroy(plain_id);

	self->length = NR_PAGES * PAGE_SIZE;
	test_cmd_get_dmabuf_ranges(self->length, NR_RANGES, 1, &self->dfd);
	self->event = eventfd(0, EFD_CLOEXEC);
	ASSERT_NE(-1, self->event);
	test_ioctl_ioas_mapping_event(self->ioas_id, self->event);
}

FIXTURE_TEARDOWN(iommufd_movable)
{
	EXPECT_EQ(0, close(self->event));
	EXPECT_EQ(0, close(self->dfd));
	EXPECT_EQ(0, close(self->fault_fd));
	teardown_iommufd(self->fd, _metadata);
}

TEST_F(iommufd_movable, needs_faults)
{
	__u32 plain_id, stdev_id, plain_hwpt_id, hwpt_id;
	__u64 iova = DMABUF_IOVA(3);

	/* A domain that cannot fault is there first */
	test_ioctl_ioas_alloc(&plain_id);
	test_cmd_mock_domain(plain_id, &stdev_id, &plain_hwpt_id, NULL);
	EXPECT_ERRNO(EOPNOTSUPP, map_movable(self->fd, plain_id, self->dfd,
					     self->length, DMABUF_IOVA(0)));
	test_cmd_check_unmapped(plain_hwpt_id, DMABUF_IOVA(0), self->length);
	test_err_ioctl_ioas_mapping_state(ENOENT, plain_id, 0);
	test_ioctl_ioas_map_fixed_id_file(plain_id, self->dfd, 0, self->length,
					  DMABUF_IOVA(0));
	test_cmd_check_dmabuf(plain_hwpt_id, self->dfd, DMABUF_IOVA(0), 0,
			      self->length);

	/* It comes second */
	ASSERT_EQ(0, map_movable(self->fd, self->ioas_id, self->dfd,
				 self->length, DMABUF_IOVA(1)));
	EXPECT_ERRNO(EOPNOTSUPP,
		     _test_cmd_hwpt_alloc(self->fd, self->device_id,
					  self->ioas_id, 0, 0, &hwpt_id,
					  IOMMU_HWPT_DATA_NONE, NULL, 0));
	EXPECT_ERRNO(EOPNOTSUPP,
		     _test_cmd_mock_domain(self->fd, self->ioas_id, NULL, NULL,
					   NULL));
	test_cmd_hwpt_alloc_iopf(self->device_id, self->ioas_id, self->fault_id,
				 IOMMU_HWPT_FAULT_ID_VALID, &hwpt_id,
				 IOMMU_HWPT_DATA_NONE, NULL, 0);
	test_cmd_check_dmabuf(hwpt_id, self->dfd, DMABUF_IOVA(1), 0,
			      self->length);
	test_ioctl_destroy(hwpt_id);

	/* A copy shares what is not pinned */
	EXPECT_ERRNO(EOPNOTSUPP,
		     _test_ioctl_ioas_copy(self->fd, plain_id, self->ioas_id,
					   DMABUF_IOVA(1), self->length, &iova,
					   IOMMU_IOAS_MAP_FIXED_IOVA |
					   IOMMU_IOAS_MAP_READABLE));
	test_cmd_check_unmapped(plain_hwpt_id, DMABUF_IOVA(3), self->length);
	test_ioctl_ioas_copy_fixed(self->ioas_id, DMABUF_IOVA(1), self->length,
				   DMABUF_IOVA(2));

	/* Other memory does not move in this way */
	mfd_buffer = memfd_mmap(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
				&mfd);
	ASSERT_NE(MAP_FAILED, mfd_buffer);
	EXPECT_ERRNO(EINVAL, map_movable(self->fd, self->ioas_id, mfd,
					 PAGE_SIZE, DMABUF_IOVA(4)));
	test_ioctl_ioas_map_fixed_file(mfd, 0, PAGE_SIZE, DMABUF_IOVA(4));
	test_ioctl_destroy(stdev_id);
	test_ioctl_destroy(plain_id);
}

TEST_F_TIMEOUT(iommufd_movable, moves, 300)
{
	struct iommu_ioas_mapping_state state;
	unsigned int i;
	__u64 iova;

	/* As long as somebody has it pinned it stays */
	ASSERT_EQ(0, map_movable(self->fd, self->ioas_id, self->dfd,
				 self->length, DMABUF_IOVA(0)));
	test_ioctl_ioas_map_file(self->dfd, 0, self->length, &iova);
	EXPECT_ERRNO(EBUSY, move_only(self->fd, self->dfd, 0));
	test_cmd_check_dmabuf(self->hwpt_id, self->dfd, DMABUF_IOVA(0), 0,
			      self->length);
	test_ioctl_ioas_unmap(iova, self->length);

	for (i = 0; i != NR_RACES; i++) {
		ASSERT_EQ(0, move_only(self->fd, self->dfd, i % 3));
		test_wait_mapping_state(self->ioas_id, self->event,
					DMABUF_IOVA(0),
					IOMMU_IOAS_MAPPING_MAPPED);
		test_cmd_check_dmabuf(self->hwpt_id, self->dfd, DMABUF_IOVA(0),
				      0, self->length);
	}
	test_ioctl_ioas_mapping_state(self->ioas_id, 0, &state);
	EXPECT_EQ(NR_RACES, state.out_nr_revokes);
}

/* A device waits for an answer while there is nothing; user space for the memory */
TEST_F(iommufd_movable, fault)
{
	struct iommu_hwpt_page_response response = {
		.code = IOMMUFD_PAGE_RESP_SUCCESS,
	};
	struct pollfd pollfd = { .fd = self->fault_fd, .events = POLLIN };
	struct iommu_test_cmd trigger = {
		.size = sizeof(trigger),
		.op = IOMMU_TEST_OP_TRIGGER_IOPF,
		.trigger_iopf = {
			.dev_id = self->device_id,
			/* Of the device itself, which has PASID 0 */
			.pasid = 0,
			.grpid = 2,
			.perm = IOMMU_PGFAULT_PERM_READ,
			.addr = DMABUF_IOVA(0),
		},
	};
	struct iommu_ioas_mapping_state state;
	struct iommu_hwpt_pgfault fault;

	ASSERT_EQ(0, map_movable(self->fd, self->ioas_id, self->dfd,
				 self->length, DMABUF_IOVA(0)));
	test_cmd_revoke_dmabuf(self->dfd, true);
	ASSERT_EQ(0, ioctl(self->fd, _IOMMU_TEST_CMD(IOMMU_TEST_OP_TRIGGER_IOPF),
			   &trigger));
	ASSERT_EQ(1, poll(&pollfd, 1, 30000));
	ASSERT_EQ(sizeof(fault), read(self->fault_fd, &fault, sizeof(fault)));
	EXPECT_EQ(DMABUF_IOVA(0), fault.addr);
	test_ioctl_ioas_mapping_state(self->ioas_id, fault.addr, &state);
	EXPECT_EQ(IOMMU_IOAS_MAPPING_REVOKED, state.out_state);

	test_cmd_revoke_dmabuf(self->dfd, false);
	test_wait_mapping_state(self->ioas_id, self->event, fault.addr,
				IOMMU_IOAS_MAPPING_MAPPED);
	test_cmd_check_dmabuf(self->hwpt_id, self->dfd, DMABUF_IOVA(0), 0,
			      self->length);
	response.cookie = fault.cookie;
	ASSERT_EQ(sizeof(response),
		  write(self->fault_fd, &response, sizeof(response)));
}

TEST_HARNESS_MAIN
