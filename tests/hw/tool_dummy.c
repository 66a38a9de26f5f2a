// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: tool_dummy SOCKET
 *
 * Serves the function of the tests to one client, e.g. to QEMU by
 *	-device '{"driver":"vfio-user-pci","socket":{"type":"unix","path":"SOCKET"}}'
 * and says in the end what the client made of it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "dummy.h"
#include "vfio-user/server.h"

static struct dummy dummy;

int main(int argc, char **argv)
{
	struct rusage used;
	struct vfu *vfu;
	int err;

	if (argc != 2 || argv[1][0] == '-')
		hw_die(2, "usage: tool_dummy SOCKET");
	err = dummy_init(&dummy);
	if (err)
		hw_die(1, "cannot make the function: %s", strerror(-err));
	vfu = vfu_new(&dummy.pci, dummy.mem);
	if (!vfu)
		hw_die(1, "no memory");
	err = vfu_listen(vfu, argv[1]);
	if (err)
		hw_die(1, "%s: %s", argv[1], strerror(-err));
	err = vfu_run(vfu);
	vfu_free(vfu);
	getrusage(RUSAGE_SELF, &used);
	printf("end %d, resets %u, config writes %u, work %u, commands %u, "
	       "interrupts %llu + %llu lost, %ld ms of CPU\n", err,
	       dummy.resets, dummy.config_writes, dummy.work_calls, dummy.done,
	       (unsigned long long)dummy.pci.msi_count,
	       (unsigned long long)dummy.pci.msi_lost,
	       (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
	       (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000);
	if (dummy.odd || dummy.reentered)
		hw_die(1, "odd accesses %u, reentered %u", dummy.odd,
		       dummy.reentered);
	dummy_free(&dummy);
	return err != 0;
}
