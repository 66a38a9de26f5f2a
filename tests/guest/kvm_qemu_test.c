// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_qemu_test NVME_BDF GPU_BDF
 *
 * An unpatched QEMU in the VM runs a guest that has VRAM as the BAR of an ivshmem device,
 * given to it by samples/vram-ivshmem-server, and an assigned NVMe controller. In the guest
 * its CPU and its NVMe write to the BAR; here the same memory is looked at through a CPU
 * mapping and by a copy of the GPU's engine.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "inner.h"
#include "tap.h"
#include "vram_test.h"

#define QEMU		"/qemu/qemu"
#define SERVER		"/guest/vram-ivshmem-server"
#define SOCKET		"/tmp/vram.socket"
/*
 * Firmware puts a BAR of this size where no BAR of the VM itself is. QEMU's NVMe takes an
 * I/O virtual address that looks like one of its own registers for that, and fails.
 */
#define BO_SIZE		(16ull << 20)
/* In the guest */
#define INNER_NVME	"0000:00:04.0"
#define INNER_IVSHMEM	"0000:00:05.0"

/* The memory of the server, as a client of it has it */
struct shared {
	int fd;
	uint32_t handle;
	uint64_t va;
	void *vaddr;
};

/* Its end of the pipe, for what it says; the process or -errno */
static pid_t spawn(const char *const argv[], int *out)
{
	int ends[2];
	pid_t pid;

	VFIO_ASSERT_EQ(pipe(ends), 0);
	fflush(stdout);
	pid = fork();
	VFIO_ASSERT_GE(pid, 0);
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		execv(argv[0], (char **)argv);
		_exit(127);
	}
	close(ends[1]);
	*out = ends[0];
	return pid;
}

/* Everything until its end, and the exit status */
static int run_server(const char *size, char *said, size_t len)
{
	const char *const argv[] = {
		SERVER, "--socket", SOCKET, "--gpu", gpu_bdf, "--size", size, NULL,
	};
	size_t at = 0;
	ssize_t ret;
	int out, status;
	pid_t pid;

	pid = spawn(argv, &out);
	while (at < len - 1 && (ret = read(out, said + at, len - 1 - at)) > 0)
		at += ret;
	said[at] = 0;
	close(out);
	VFIO_ASSERT_EQ(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* It says one line and does not serve. */
static void check_refused(const char *size, int want, const char *says)
{
	char said[512];
	int status = run_server(size, said, sizeof(said));
	bool one_line = strchr(said, '\n') == said + strlen(said) - 1;

	result(status == want && one_line && strstr(said, says),
	       "the server refuses %s of VRAM: %s", size, says);
	if (status != want)
		printf("# exit status %d: %s", status, said);
}

static pid_t start_server(const char *size)
{
	const char *const argv[] = {
		SERVER, "--socket", SOCKET, "--gpu", gpu_bdf, "--size", size, NULL,
	};
	char said[256] = "";
	int out;
	pid_t pid;

	pid = spawn(argv, &out);
	if (read(out, said, sizeof(said) - 1) < 0)
		said[0] = 0;
	result(!strcmp(said, "ready\n"),
	       "the server has %s of VRAM, which iommufd maps", size);
	if (strcmp(said, "ready\n"))
		printf("# %s\n", said);
	close(out);
	return pid;
}

/* The third message comes with the memory. */
static int receive_memory(int client)
{
	char control[CMSG_SPACE(sizeof(int))];
	int64_t data;
	struct iovec iov = { .iov_base = &data, .iov_len = sizeof(data) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *header;
	int i, fd = -1;

	for (i = 0; i < 3; i++) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		VFIO_ASSERT_EQ(recvmsg(client, &message, MSG_CMSG_CLOEXEC),
			       (ssize_t)sizeof(data));
		header = CMSG_FIRSTHDR(&message);
		if (header)
			memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	}
	VFIO_ASSERT_EQ(data, -1ll);
	return fd;
}

static void shared_open(struct env *env, struct shared *shared)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	VFIO_ASSERT_GE(client, 0);
	VFIO_ASSERT_EQ(connect(client, (struct sockaddr *)&addr, sizeof(addr)), 0);
	shared->fd = receive_memory(client);
	close(client);
	VFIO_ASSERT_GE(shared->fd, 0);
	VFIO_ASSERT_EQ(__gpu_import(&env->gpu, shared->fd, &shared->handle), 0);
	shared->va = gpu_bind(&env->ctx, shared->handle, BO_SIZE);
	shared->vaddr = mmap(NULL, BO_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, shared->fd, 0);
	VFIO_ASSERT_NE(shared->vaddr, MAP_FAILED);
}

static void shared_close(struct env *env, struct shared *shared)
{
	munmap(shared->vaddr, BO_SIZE);
	gpu_unbind(&env->ctx, shared->va, BO_SIZE);
	gpu_handle_close(&env->gpu, shared->handle);
	close(shared->fd);
}

static int start_qemu(struct inner *guest, const char *name, bool with_nvme)
{
	int ports[2], ret;
	size_t i;
	static const char *const common[] = {
		QEMU, "-M", "q35", "-accel", "kvm", "-cpu", "host", "-m", "256",
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", INNER_KERNEL, "-initrd", INNER_INITRD, "-append", INNER_CMDLINE,
		"-chardev", "stdio,id=s0,signal=off", "-device", "isa-serial,chardev=s0",
		"-chardev", "socket,id=ivshmem,path=" SOCKET,
		"-device", "ivshmem-doorbell,chardev=ivshmem,vectors=1,addr=05.0",
	};

	inner_init(guest, name);
	for (i = 0; i < ARRAY_SIZE(common); i++)
		inner_arg(guest, "%s", common[i]);
	VFIO_ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ports), 0);
	VFIO_ASSERT_EQ(fcntl(ports[0], F_SETFD, FD_CLOEXEC), 0);
	guest->in = ports[0];
	guest->out = fcntl(ports[0], F_DUPFD_CLOEXEC, 0);
	inner_arg(guest, "-chardev");
	inner_arg(guest, "socket,id=s1,fd=%d", ports[1]);
	inner_arg(guest, "-device");
	inner_arg(guest, "isa-serial,chardev=s1");
	if (with_nvme) {
		inner_arg(guest, "-object");
		inner_arg(guest, "iommufd,id=iommufd0");
		inner_arg(guest, "-device");
		inner_arg(guest, "vfio-pci,host=%s,iommufd=iommufd0,addr=04.0,rombar=0",
			  nvme_bdf);
	}
	ret = inner_spawn(guest);
	close(ports[1]);
	ret = ret ?: inner_ready(guest);
	if (ret)
		printf("# %s: no sign of the guest's program: %s\n", name, strerror(-ret));
	ret = ret ?: inner_ask(guest, "open 0 bar %s 2", INNER_IVSHMEM);
	return ret ?: guest->value[0] == BO_SIZE ? 0 : -EINVAL;
}

static bool ask_all(struct inner *guest, const char *verb, uint64_t seed)
{
	return !inner_ask(guest, "%s 0 0 0x%llx %" PRIu64, verb, BO_SIZE, seed);
}

/* What both ways to look at it say */
static bool both_find(struct env *env, struct shared *shared, uint64_t seed)
{
	return !outside_differs(shared->vaddr, 0, BO_SIZE, seed) &&
	       !gpu_view_differs(&env->view, shared->va, BO_SIZE, seed);
}

static void check_cpu(struct env *env, struct shared *shared, struct inner *guest)
{
	result(ask_all(guest, "fill", DATA) && both_find(env, shared, DATA),
	       "what the guest's CPU writes to the BAR, the CPU and the GPU's engine find in VRAM");
	outside_pattern(shared->vaddr, 0, BO_SIZE, AFTER);
	result(!inner_differs(guest, 0, 0, BO_SIZE, AFTER),
	       "the guest's CPU reads what the CPU wrote");
	gpu_view_fill(&env->view, shared->va, BO_SIZE, LATE);
	result(!inner_differs(guest, 0, 0, BO_SIZE, LATE) &&
	       inner_differs(guest, 0, 0, BO_SIZE, AFTER) == BO_SIZE / 8,
	       "the guest's CPU reads what the GPU's engine wrote, and nothing else");
}

static void check_dma(struct env *env, struct shared *shared, struct inner *guest)
{
	struct bufinfo info = bufinfo(shared->fd);
	struct pressure pressure;

	result(info.pal_attachments >= 1 && info.bytes == BO_SIZE,
	       "QEMU's iommufd has it mapped, in %" PRIu64 " ranges", info.ranges);
	result(!inner_ask(guest, "nvme %s", INNER_NVME),
	       "the guest starts its assigned NVMe controller");
	outside_pattern(shared->vaddr, 0, BO_SIZE, BEFORE);
	result(ask_all(guest, "dmafill", DATA) && both_find(env, shared, DATA),
	       "what the guest's NVMe writes to the BAR by DMA, the CPU and the GPU's engine find in VRAM");
	gpu_view_fill(&env->view, shared->va, BO_SIZE, AFTER);
	result(ask_all(guest, "dmacheck", AFTER) && !guest->value[0],
	       "the guest's NVMe reads by DMA what the GPU's engine wrote");
	result(ask_all(guest, "dmacheck", DATA) && guest->value[0] == BO_SIZE / 8,
	       "and does not find what was there before");
	pressure_make(&env->gpu, &pressure, gpu_vram(&env->gpu).total + PRESSURE_SIZE);
	result(gpu_in_vram(&env->gpu, shared->fd, BO_SIZE) &&
	       ask_all(guest, "dmafill", LATE) && both_find(env, shared, LATE),
	       "under pressure it stays in VRAM, and DMA arrives there");
	pressure_end(&pressure);
}

static void check_second(struct inner *first)
{
	struct inner second;

	result(!start_qemu(&second, "qemu2", false) &&
	       ask_all(&second, "fill", CANARY) &&
	       !inner_differs(first, 0, 0, BO_SIZE, CANARY),
	       "a second guest writes to its BAR, the first one reads it in its own");
	inner_kill(&second);
	result(!inner_differs(first, 0, 0, BO_SIZE, CANARY),
	       "it is killed, the first one goes on");
}

static void check_end(struct env *env, struct shared *shared, struct inner *guest, pid_t server)
{
	struct pressure pressure;
	int status;

	inner_kill(guest);
	result(!bufinfo(shared->fd).pal_attachments &&
	       !outside_differs(shared->vaddr, 0, BO_SIZE, CANARY),
	       "QEMU is killed: nothing maps the memory any more, the data is there");
	pressure_make(&env->gpu, &pressure, gpu_vram(&env->gpu).total + PRESSURE_SIZE);
	result(!gpu_in_vram(&env->gpu, shared->fd, BO_SIZE), "and it may be evicted again");
	pressure_end(&pressure);
	kill(server, SIGTERM);
	result(waitpid(server, &status, 0) == server && WIFEXITED(status) &&
	       !WEXITSTATUS(status) && access(SOCKET, F_OK),
	       "the server ends by SIGTERM and leaves no socket");
}

int main(int argc, char *argv[])
{
	struct shared shared;
	struct inner guest;
	struct env env;
	pid_t server;
	int ret;

	vram_test_devices(&argc, argv, 2);
	setvbuf(stdout, NULL, _IOLBF, 0);
	gpu_side_open(&env);
	check_refused("6M", 2, "power of two");
	check_refused("512M", 1, "of VRAM that the BAR shows");
	server = start_server("16M");
	shared_open(&env, &shared);
	ret = start_qemu(&guest, "qemu", true);
	result(!ret, "a guest of QEMU boots with the BAR and the NVMe");
	if (ret) {
		inner_complain(&guest);
		inner_kill(&guest);
		kill(server, SIGKILL);
		return 1;
	}
	check_cpu(&env, &shared, &guest);
	check_dma(&env, &shared, &guest);
	check_second(&guest);
	check_end(&env, &shared, &guest, server);
	shared_close(&env, &shared);
	printf("1..%d\n", row);
	return failed ? 1 : 0;
}
