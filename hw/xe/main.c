// SPDX-License-Identifier: MIT
/* xe-vf: the model as a program, a vfio-user server for one client. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfio-user/server.h"
#include "xe/xe.h"

static const char usage[] =
"usage: xe-vf --socket PATH [option...]\n"
"\n"
"A Battlemage G21 as an SR-IOV virtual function, for one vfio-user client.\n"
"Prints \"ready\" when it listens and ends when the client goes away.\n"
"\n"
"  --vram SIZE        device memory, a multiple of 2M (256M)\n"
"  --visible SIZE     what BAR 2 shows of it, a power of two (all)\n"
"  --device-id ID     PCI device (0xe20b)\n"
"  --ccs N            compute engines, 0-4 (1)\n"
"  --contexts N       contexts of this function, up to 65535 (32768)\n"
"  --trace FILTER     note, mmio, msg, ctx, cmd, irq, dma, mem, all, by commas;\n"
"                     after a colon a text that lines must contain\n"
"  --log FILE         where the trace goes (stderr)\n"
"  --strict           exit status 1 if a register or command was used that is\n"
"                     neither modelled nor tolerated for a stated reason\n"
"  --inject SPEC      POINT[=KEY][@NTH][,ms=MS], may be repeated; points:\n"
"                     g2h-drop g2h-delay fence-drop fence-delay irq-drop\n"
"                     engine-hang cat-error\n"
"\n"
"Exit status: 0 the client went away, 1 something failed, 2 bad use.\n";

enum option_code {
	OPT_SOCKET = 256, OPT_VRAM, OPT_VISIBLE, OPT_DEVICE_ID, OPT_CCS,
	OPT_CONTEXTS, OPT_TRACE, OPT_LOG, OPT_STRICT, OPT_INJECT, OPT_HELP,
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "vram", required_argument, NULL, OPT_VRAM },
	{ "visible", required_argument, NULL, OPT_VISIBLE },
	{ "device-id", required_argument, NULL, OPT_DEVICE_ID },
	{ "ccs", required_argument, NULL, OPT_CCS },
	{ "contexts", required_argument, NULL, OPT_CONTEXTS },
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
	struct xe_config config;
	struct inject inject;
};

static void take(struct arguments *args, int option, const char *text)
{
	struct xe_config *config = &args->config;

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
	case OPT_CCS:
		config->ccs = hw_number_option("--ccs", text, 4);
		break;
	case OPT_CONTEXTS:
		config->contexts = hw_number_option("--contexts", text, 65535);
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
		if (inject_add(&args->inject, text, xe_inject_points))
			hw_die(2, "--inject %s: not understood, or no such point (see --help)",
			       text);
		break;
	case OPT_HELP:
		fputs(usage, stdout);
		exit(0);
	default:
		hw_die(2, "see xe-vf --help");
	}
}

static void check(const struct arguments *args)
{
	const struct xe_config *config = &args->config;

	if (!args->socket)
		hw_die(2, "--socket is missing");
	if (config->vram % HW_MIB(2) || config->vram > HW_GIB(64))
		hw_die(2, "--vram: not a multiple of 2M up to 64G");
	if (config->visible & (config->visible - 1) ||
	    (config->visible && config->visible < HW_MIB(2)))
		hw_die(2, "--visible: not a power of two from 2M on");
	if (!config->contexts)
		hw_die(2, "--contexts: there must be one");
}

/* What the run was about, for whoever reads the log. */
static int report(struct xe_vf *vf, int ret)
{
	size_t unknown = xe_vf_report(vf);
	const struct xe_stats *stats = &vf->stats;

	trace(TRACE_NOTE,
	      "%llu commands, %llu bytes copied, %llu filled, %llu H2G, %llu G2H, %llu faults, %llu MSIs",
	      (unsigned long long)stats->commands,
	      (unsigned long long)stats->bytes_copied,
	      (unsigned long long)stats->bytes_filled,
	      (unsigned long long)stats->h2g, (unsigned long long)stats->g2h,
	      (unsigned long long)stats->faults,
	      (unsigned long long)vf->pci.msi_count);
	if (ret) {
		fprintf(stderr, "xe-vf: the client's connection broke: %s\n",
			strerror(-ret));
		return 1;
	}
	if (vf->config.strict && unknown) {
		fprintf(stderr,
			"xe-vf: %zu registers or commands were used that nobody models (see the log)\n",
			unknown);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct arguments args = {
		.config = {
			.vram = HW_MIB(256), .device_id = 0xe20b, .ccs = 1,
			.contexts = 32768, .ggtt = HW_MIB(3584),
		},
	};
	struct xe_vf *vf;
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
	vf = xe_vf_new(&args.config, &args.inject);
	vfu = vfu_new(&vf->pci, vf->mem);
	if (!vfu)
		hw_die(1, "no memory for the server");
	ret = vfu_listen(vfu, args.socket);
	if (ret)
		hw_die(1, "%s: %s", args.socket, strerror(-ret));
	puts("ready");
	fflush(stdout);

	ret = report(vf, vfu_run(vfu));
	vfu_free(vfu);
	xe_vf_free(vf);
	return ret;
}
