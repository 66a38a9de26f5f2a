// SPDX-License-Identifier: GPL-2.0-only
/*
 * First process of the arm64 VM: runs the KUnit suites that its arguments name,
 * then the selftest, both to the console, and switches off.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SELFTEST "/dmabuf_access_test"

static void mount_on(const char *type, const char *path)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, NULL))
		perror(path);
}

static void kunit(const char *suite)
{
	char path[128], line[512];
	FILE *file;
	int fd;

	printf("#@ kunit %s\n", suite);
	snprintf(path, sizeof(path), "/sys/kernel/debug/kunit/%s/run", suite);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1) {
		printf("not ok 1 %s: is not in this kernel\n", suite);
		return;
	}
	close(fd);

	snprintf(path, sizeof(path), "/sys/kernel/debug/kunit/%s/results",
		 suite);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		fputs(line, stdout);
	if (file)
		fclose(file);
}

static void selftest(void)
{
	int status = -1;
	pid_t pid;

	printf("#@ selftest\n");
	pid = fork();
	if (!pid) {
		execl(SELFTEST, SELFTEST, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	printf("#@ status %d\n",
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

int main(int argc, char **argv)
{
	int i;

	setbuf(stdout, NULL);
	mount_on("proc", "/proc");
	mount_on("sysfs", "/sys");
	mount_on("devtmpfs", "/dev");
	mount_on("debugfs", "/sys/kernel/debug");
	mount_on("tracefs", "/sys/kernel/tracing");

	for (i = 1; i < argc; i++)
		kunit(argv[i]);
	selftest();
	printf("#@ end\n");
	reboot(RB_POWER_OFF);
	return 1;
}
