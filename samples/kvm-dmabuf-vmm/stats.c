// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VMM counted and what KVM did, by its binary statistics interface
 * (Documentation/virt/kvm/api.rst, 4.133): each file has a header, descriptors with
 * the names, and data.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm.h"

struct counters {
	const char *name;
	uint64_t value;
};

static void read_at(int fd, void *data, size_t size, off_t at)
{
	if (pread(fd, data, size, at) != (ssize_t)size)
		die(VMM_FAILED, "KVM's statistics: %s", strerror(errno));
}

int stats_open(int of)
{
	/* Not later: a vCPU is not there for other calls while it runs. */
	return ioctl(of, KVM_GET_STATS_FD, NULL);
}

/* Adds what the VM or a vCPU has of the counters that are named. */
static void add(int fd, struct counters *counters, size_t nr)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc *desc;
	size_t size, i, j;
	uint64_t value;

	/* A kernel without them */
	if (fd < 0)
		return;
	read_at(fd, &header, sizeof(header), 0);
	size = sizeof(*desc) + header.name_size;
	desc = malloc(size);
	if (!desc)
		die(VMM_FAILED, "out of memory");
	for (i = 0; i < header.num_desc; i++) {
		read_at(fd, desc, size, header.desc_offset + i * size);
		for (j = 0; j < nr; j++) {
			if (strcmp(desc->name, counters[j].name))
				continue;
			read_at(fd, &value, sizeof(value), header.data_offset + desc->offset);
			counters[j].value += value;
		}
	}
	free(desc);
}

void stats_write(struct vm *vm, int fd)
{
	struct counters cpu[] = {
		{ "exits", 0 }, { "pf_taken", 0 }, { "pf_fixed", 0 },
		{ "pf_mmio_spte_created", 0 },
	};
	struct counters memory[] = {
		{ "pages_4k", 0 }, { "pages_2m", 0 }, { "pages_1g", 0 },
	};
	uint64_t exits = 0, io = 0, mmio = 0, lost = 0;
	unsigned int i;

	for (i = 0; i < vm->nr_cpus; i++) {
		add(vm->vcpus[i].stats, cpu, sizeof(cpu) / sizeof(cpu[0]));
		exits += vm->vcpus[i].exits;
		io += vm->vcpus[i].io;
		mmio += vm->vcpus[i].mmio;
		lost += vm->vcpus[i].lost;
	}
	add(vm->stats, memory, sizeof(memory) / sizeof(memory[0]));
	dprintf(fd, "stats user_exits=%llu io=%llu mmio=%llu lost=%llu",
		(unsigned long long)exits, (unsigned long long)io,
		(unsigned long long)mmio, (unsigned long long)lost);
	for (i = 0; i < sizeof(cpu) / sizeof(cpu[0]); i++)
		dprintf(fd, " %s=%llu", cpu[i].name, (unsigned long long)cpu[i].value);
	for (i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
		dprintf(fd, " %s=%llu", memory[i].name, (unsigned long long)memory[i].value);
	dprintf(fd, "\n");
}
