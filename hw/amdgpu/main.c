// SPDX-License-Identifier: MIT
/* amdgpu-bonaire: the model as a program, a vfio-user server for one client. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amdgpu/amdgpu.h"
#include "vfio-user/server.h"

static const char usage[] =
"usage: amdgpu-bonaire --socket PATH [option...]\n"
"\n"
"A Bonaire (CIK, GFX7) for one vfio-user client. Prints \"ready\" when it\n"
"listens and ends when the client goes away.\n"
"\n"
"  --vram SIZE        device memory, a multiple of 2M up to 32G (256M)\n"
"  --visible SIZE     what BAR 0 shows of it, a power of two (all)\n"
"  --device-id ID     PCI device (0x6658)\n"
"  --trace FILTER     note, mmio, ctx, cmd, irq, dma, mem, all, by commas;\n"
"                     after a colon a text that lines must contain\n"
"  --log FILE         where the trace goes (stderr)\n"
"  --strict           exit status 1 if a register or packet was used that is\n"
"                     neither modelled nor tolerated for a stated reason\n"
"  --inject SPEC      POINT[=KEY][@NTH][,ms=MS], may be repeated; points:\n"
"                     fence-drop fence-delay irq-drop engine-hang\n"
"                     ring-stall vm-fault;\n"
"                     key: 0 gfx, 1 sdma0, 2 sdma1, 3 and up compute queues\n"
"\n"
"Exit status: 0 the client went away, 1 something failed, 2 bad use.\n";

enum option_code {
	OPT_SOCKET = 256, OPT_VRAM, OPT_VISIBLE, OPT_DEVICE_ID,
	OPT_TRACE, OPT_LOG, OPT_STRICT, OPT_INJECT, OPT_HELP,
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "vram", required_argument, NULL, OPT_VRAM },
	{ "visible", required_argument, NULL, OPT_VISIBLE },
	{ "device-id", required_argument, NULL, OPT_DEVICE_ID },
	{ "trace", required_argument, NULL, OPT_TRACE },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "inject", required_argument, NULL, OPT_INJECT },
	{ "help", no_argument, NULL, OPT_HELP },
	{ }
};

/**
 * struct arguments - what the command line says
 */
struct arguments {
	const char *socket;
	const char *trace;
	const char *log;
	struct cik_config config;
	struct inject inject;
};

static void take(struct arguments *args, int option, const char *text)
{
	struct cik_config *config = &args->config;

	switch (option) {
	case OPT_SOCKET:
		args->socket = text;
		break;
	case OPT_VRAM:
		config->vram = hw_size_option("--vram", text);
		break;
	case OPT_VISIBLE:
		config->visible = hw_size_option("--visible", text);
		break;
	case OPT_DEVICE_ID:
		config->device_id = hw_number_option("--device-id", text, 0xffff);
		break;
	case OPT_TRACE:
		args->trace = text;
		break;
	case OPT_LOG:
		args->log = text;
		break;
	case OPT_STRICT:
		config->strict = true;
		break;
	case OPT_INJECT:
		if (inject_add(&args->inject, text, cik_inject_points))
			hw_die(2, "--inject %s: not understood, or no such point (see --help)",
			       text);
		break;
	case OPT_HELP:
		fputs(usage, stdout);
		exit(0);
	default:
		hw_die(2, "see amdgpu-bonaire --help");
	}
}

static void check(const struct arguments *args)
{
	const struct cik_config *config = &args->config;

	if (!args->socket)
		hw_die(2, "--socket is missing");
	if (config->vram % HW_MIB(2) || config->vram > CIK_MAX_VRAM)
		hw_die(2, "--vram: not a multiple of 2M up to 32G");
	if (config->visible & (config->visible - 1) ||
	    (config->visible && config->visible < HW_MIB(2)))
		hw_die(2, "--visible: not a power of two from 2M on");
}

/* What the run was about, for whoever reads the log. */
static int report(struct cik *cik, int ret)
{
	size_t unknown = cik_report(cik);
	const struct cik_stats *stats = &cik->stats;

	trace(TRACE_NOTE,
	      "%llu packets, %llu bytes copied, %llu filled, %llu interrupts, %llu lost, %llu faults, %llu MSIs",
	      (unsigned long long)stats->packets,
	      (unsigned long long)stats->bytes_copied,
	      (unsigned long long)stats->bytes_filled,
	      (unsigned long long)stats->irqs,
	      (unsigned long long)stats->irqs_lost,
	      (unsigned long long)stats->faults,
	      (unsigned long long)cik->pci.msi_count);
	if (ret) {
		fprintf(stderr, "amdgpu-bonaire: the client's connection broke: %s\n",
			strerror(-ret));
		return 1;
	}
	if (cik->config.strict && unknown) {
		fprintf(stderr,
			"amdgpu-bonaire: %zu registers or packets were used that nobody models (see the log)\n",
			unknown);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct arguments args = {
		.config = { .vram = HW_MIB(256), .device_id = 0x6658 },
	};
	struct cik *cik;
	struct vfu *vfu;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		take(&args, opt, optarg);
	if (optind < argc)
		hw_die(2, "%s: what is that?", argv[optind]);
	check(&args);
	ret = trace_setup(args.trace, args.log);
	if (ret)
		hw_die(2, "--trace %s --log %s: %s",
		       args.trace ? args.trace : "", args.log ? args.log : "",
		       strerror(-ret));
	cik = cik_new(&args.config, &args.inject);
	vfu = vfu_new(&cik->pci, cik->mem);
	if (!vfu)
		hw_die(1, "no memory for the server");
	ret = vfu_listen(vfu, args.socket);
	if (ret)
		hw_die(1, "%s: %s", args.socket, strerror(-ret));
	puts("ready");
	fflush(stdout);

	ret = report(cik, vfu_run(vfu));
	vfu_free(vfu);
	cik_free(cik);
	return ret;
}
