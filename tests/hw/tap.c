// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>

#include "tap.h"

bool tap_failed;

void tap_complain(const char *file, int line, const char *what)
{
	printf("# %s:%d: %s\n", file, line, what);
	tap_failed = true;
}

int tap_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	if (!dir)
		abort();
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(name, argv[i]))
			return true;
	return argc < 2;
}

int tap_run(const struct tap_test *tests, size_t n, int argc, char **argv)
{
	int row = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < n; i++) {
		if (!wanted(tests[i].name, argc, argv))
			continue;
		tap_failed = false;
		tests[i].run();
		printf("%sok %d - %s\n", tap_failed ? "not " : "", ++row,
		       tests[i].name);
		failed += tap_failed;
	}
	printf("1..%d\n", row);
	if (!row) {
		fprintf(stderr, "no such test\n");
		return 2;
	}
	return failed != 0;
}
