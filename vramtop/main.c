// SPDX-License-Identifier: GPL-2.0-only
/* vramtop: which VRAM is exported, by which GPU, to whom: see vramtop.8. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "vramtop.h"

static const char usage[] =
"usage: vramtop [options]\n"
"  -1, --once          prints what there is and ends\n"
"      --json          the same as JSON\n"
"  -d, --delay SECONDS refreshes the screen that often, 1 to 3600 (2)\n"
"      --proc DIR      where procfs is (/proc)\n"
"      --debugfs DIR   where debugfs is (/sys/kernel/debug)\n"
"On the screen q ends it, and any other key refreshes. Exit status: 1 something failed,\n"
"2 bad use, 77 debugfs or the right to read it is not here.\n";

struct options {
	struct places places;
	int delay;
	bool once, json;
};

void die(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "vramtop: ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(status);
}

enum { JSON = 256, PROC, DEBUGFS };

static const struct option long_options[] = {
	{ "once", no_argument, NULL, '1' },
	{ "json", no_argument, NULL, JSON },
	{ "delay", required_argument, NULL, 'd' },
	{ "proc", required_argument, NULL, PROC },
	{ "debugfs", required_argument, NULL, DEBUGFS },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static int seconds(const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < 1 || value > 3600)
		die(BAD_USE, "--delay: '%s' is no number from 1 to 3600", text);
	return value;
}

static void parse_options(int argc, char **argv, struct options *opt)
{
	int which;

	while ((which = getopt_long(argc, argv, "1d:h", long_options, NULL)) != -1) {
		switch (which) {
		case '1':
			opt->once = true;
			break;
		case JSON:
			opt->json = true;
			break;
		case 'd':
			opt->delay = seconds(optarg);
			break;
		case PROC:
			opt->places.proc = optarg;
			break;
		case DEBUGFS:
			opt->places.debugfs = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			/* getopt has said what. */
			exit(BAD_USE);
		}
	}
	if (optind < argc)
		die(BAD_USE, "unknown argument '%s'", argv[optind]);
}

static void finish(void)
{
	if (fflush(stdout) || ferror(stdout))
		die(FAILED, "writing: %s", strerror(errno));
}

static void print_once(const struct options *opt)
{
	struct snapshot snap = {};

	collect(&opt->places, &snap);
	if (opt->json)
		show_json(stdout, &snap);
	else
		show_text(stdout, &snap, 0, 0);
	snapshot_free(&snap);
	finish();
}

static void draw(const struct options *opt)
{
	struct snapshot snap = {};
	struct winsize size = {};

	collect(&opt->places, &snap);
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	printf("\033[H\033[2J");
	/* The cursor is in the last line. */
	show_text(stdout, &snap, size.ws_row ? size.ws_row - 1 : 0, size.ws_col);
	snapshot_free(&snap);
	finish();
}

static struct termios terminal;

static void restore(void)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
	printf("\033[?25h\n");
	fflush(stdout);
}

static int signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		die(FAILED, "signalfd: %s", strerror(errno));
	return fd;
}

/* Refreshed by time, by a key and by another size of the window */
static void live(const struct options *opt)
{
	struct pollfd files[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = signals(), .events = POLLIN },
	};
	struct signalfd_siginfo info;
	struct termios raw;
	char key;

	if (tcgetattr(STDIN_FILENO, &terminal))
		die(BAD_USE, "standard input is no terminal: use --once or --json");
	raw = terminal;
	raw.c_lflag &= ~(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	atexit(restore);
	printf("\033[?25l");
	for (;;) {
		draw(opt);
		if (poll(files, 2, opt->delay * 1000) <= 0)
			continue;
		if (files[0].revents &&
		    (read(STDIN_FILENO, &key, 1) != 1 || key == 'q'))
			return;
		if (files[1].revents &&
		    (read(files[1].fd, &info, sizeof(info)) != sizeof(info) ||
		     info.ssi_signo != SIGWINCH))
			return;
	}
}

int main(int argc, char **argv)
{
	struct options opt = {
		.places = { .proc = "/proc", .debugfs = "/sys/kernel/debug" },
		.delay = 2,
	};

	parse_options(argc, argv, &opt);
	if (opt.once || opt.json)
		print_once(&opt);
	else
		live(&opt);
	return 0;
}
