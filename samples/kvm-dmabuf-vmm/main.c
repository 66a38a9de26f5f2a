// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm-dmabuf-vmm: boots Linux by KVM's own interface, with VRAM of a GPU in the
 * guest's physical address space. It shows the two ways in which KVM takes VRAM:
 *
 *   mode=fd	a memory slot that is backed by the dma-buf (KVM_MEM_DMABUF). The VMM
 *		has no mapping, and KVM asks the exporter.
 *   mode=mmap	a memory slot over a mapping of the dma-buf.
 *
 * Either way the GPU's driver may move the memory while the guest uses it. The guest
 * learns where it is from its command line: vram=ADDRESS,SIZE. See ../README.md.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "vmm.h"

#define DEFAULT_CMDLINE	"console=ttyS0,115200 reboot=k panic=-1 tsc=reliable no_timer_check"

static const char usage[] =
"usage: kvm-dmabuf-vmm --kernel BZIMAGE [options]\n"
"  --initrd FILE\n"
"  --cmdline TEXT       (" DEFAULT_CMDLINE ")\n"
"  --cpus N             1 to 8 (1)\n"
"  --ram SIZE           up to 3G (128M)\n"
"  --vram SOURCE,gpa=ADDRESS[,size=SIZE][,offset=OFFSET][,mode=fd|mmap][,ro]\n"
"                       device memory for the guest, up to 4 times. SOURCE is fd=N,\n"
"                       a dma-buf that was inherited, or gpu=PCI_ADDRESS, on which\n"
"                       it is allocated. mode is mmap if it is not given.\n"
"  --ram-from SOURCE,size=SIZE[,offset=OFFSET]\n"
"                       the guest's RAM is VRAM as well, by mmap\n"
"  --control IN,OUT     two open files: the guest's second serial port\n"
"  --stats FD           a line of what KVM did, at the end and at SIGUSR1\n"
"The guest's console is standard output. Exit status: 0 the guest has reset itself,\n"
"1 something failed, 2 bad use, 77 this machine or kernel does not have it.\n";

void die(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "kvm-dmabuf-vmm: ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	/* Other vCPUs still run. */
	_exit(status);
}

enum { KERNEL = 'k', INITRD, CMDLINE, CPUS, RAM, VRAM, RAM_FROM, CONTROL, STATS, HELP };

static const struct option long_options[] = {
	{ "kernel", required_argument, NULL, KERNEL },
	{ "initrd", required_argument, NULL, INITRD },
	{ "cmdline", required_argument, NULL, CMDLINE },
	{ "cpus", required_argument, NULL, CPUS },
	{ "ram", required_argument, NULL, RAM },
	{ "vram", required_argument, NULL, VRAM },
	{ "ram-from", required_argument, NULL, RAM_FROM },
	{ "control", required_argument, NULL, CONTROL },
	{ "stats", required_argument, NULL, STATS },
	{ "help", no_argument, NULL, HELP },
	{}
};

static void parse_ram_from(struct options *opt)
{
	opt->ram_is_vram = true;
	parse_vram("--ram-from", optarg, &opt->ram);
	/* It reads the guest's page tables, and what it emulates, by the address. */
	if (opt->ram.mode == VRAM_FD)
		die(VMM_BAD_USE, "--ram-from: KVM itself reads RAM, which takes mode=mmap");
	if (opt->ram.readonly || opt->ram.gpa)
		die(VMM_BAD_USE, "--ram-from: RAM is at address 0 and can be written");
}

static void parse_option(int which, struct options *opt)
{
	switch (which) {
	case KERNEL:
		opt->kernel = optarg;
		break;
	case INITRD:
		opt->initrd = optarg;
		break;
	case CMDLINE:
		opt->cmdline = optarg;
		break;
	case CPUS:
		opt->nr_cpus = parse_number("--cpus", optarg);
		break;
	case RAM:
		opt->ram_size = parse_number("--ram", optarg);
		break;
	case VRAM:
		if (opt->nr_vram == VMM_MAX_VRAM)
			die(VMM_BAD_USE, "--vram: more than %d", VMM_MAX_VRAM);
		parse_vram("--vram", optarg, &opt->vram[opt->nr_vram++]);
		break;
	case RAM_FROM:
		parse_ram_from(opt);
		break;
	case CONTROL:
		if (sscanf(optarg, "%d,%d", &opt->control_in, &opt->control_out) != 2)
			die(VMM_BAD_USE, "--control: '%s' is not IN,OUT", optarg);
		break;
	case STATS:
		opt->stats = parse_number("--stats", optarg);
		break;
	case HELP:
		fputs(usage, stdout);
		exit(0);
	default:
		/* getopt has said what. */
		exit(VMM_BAD_USE);
	}
}

static void parse_options(int argc, char **argv, struct options *opt)
{
	int which;

	while ((which = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		parse_option(which, opt);
	if (optind < argc)
		die(VMM_BAD_USE, "unknown argument '%s'", argv[optind]);
	if (!opt->kernel)
		die(VMM_BAD_USE, "--kernel is missing (--help lists the options)");
	if (opt->nr_cpus < 1 || opt->nr_cpus > VMM_MAX_CPUS)
		die(VMM_BAD_USE, "--cpus: 1 to %d", VMM_MAX_CPUS);
	if (opt->ram_size % VMM_PAGE_SIZE || opt->ram_size > VMM_MAX_RAM)
		die(VMM_BAD_USE, "--ram: not a multiple of 4K up to 3G");
}

/* Input for the guest, and signals for us, until the guest has ended */
static void serve(struct vm *vm, int signals)
{
	struct pollfd files[] = {
		{ .fd = vm->ended, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = vm->opt->control_in, .events = POLLIN },
	};
	struct signalfd_siginfo info;

	while (!files[0].revents) {
		if (poll(files, 3, -1) < 0 && errno != EINTR)
			die(VMM_FAILED, "poll: %s", strerror(errno));
		if (files[1].revents && read(signals, &info, sizeof(info)) > 0) {
			if (info.ssi_signo != SIGUSR1)
				die(VMM_FAILED, "ended by signal %u", info.ssi_signo);
			if (vm->opt->stats >= 0)
				stats_write(vm, vm->opt->stats);
		}
		if (files[2].revents && !uart_receive(&vm->uarts[1]))
			files[2].fd = -1;
	}
}

static int block_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		die(VMM_FAILED, "signalfd: %s", strerror(errno));
	return fd;
}

int main(int argc, char **argv)
{
	static struct options opt = {
		.cmdline = DEFAULT_CMDLINE, .ram_size = 128 << 20, .nr_cpus = 1,
		.control_in = -1, .control_out = -1, .stats = -1,
	};
	static struct vm vm;
	unsigned int i;
	int signals;

	parse_options(argc, argv, &opt);
	signals = block_signals();
	if (opt.ram_is_vram)
		vram_open(&opt.ram, true);
	for (i = 0; i < opt.nr_vram; i++)
		vram_open(&opt.vram[i], false);
	vm_create(&vm, &opt);
	boot_load(&vm, &opt);
	vm_run(&vm);
	serve(&vm, signals);
	if (opt.stats >= 0)
		stats_write(&vm, opt.stats);
	/* The vCPUs are somewhere in KVM_RUN. */
	_exit(vm.status);
}
