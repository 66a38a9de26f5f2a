/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of libdmabuf-pal on a GPU have in common */
#ifndef PAL_GUEST_LIB_PAL_H
#define PAL_GUEST_LIB_PAL_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmabuf_pal.h"

/* A step without which nothing that follows means anything */
static inline void need(int ret, const char *what)
{
	if (!ret)
		return;
	printf("Bail out! %s: %d\n", what, ret);
	exit(1);
}

/* The call failed, for this reason, and says so in one line with these words. */
static inline bool says(int ret, const struct dmabuf_pal_error *error,
			enum dmabuf_pal_reason reason, const char *words)
{
	bool good = ret < 0 && error->error == ret && error->reason == reason &&
		    strstr(error->text, words) && !strchr(error->text, '\n');

	printf("# %s: %s\n", dmabuf_pal_reason_name(error->reason), error->text);
	if (!good)
		printf("# returned %d, wanted %s: ...%s...\n", ret,
		       dmabuf_pal_reason_name(reason), words);
	return good;
}

/* "unbind" takes the GPU away from its driver, which is xe or amdgpu, "bind" gives it back. */
static inline void driver_does(const char *driver, const char *what, const char *bdf)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/%s", driver, what);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	need(fd < 0 || write(fd, bdf, strlen(bdf)) < 0, path);
	close(fd);
}

#endif
