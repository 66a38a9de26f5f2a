// SPDX-License-Identifier: MIT
/*
 * mkfw FOLDER: firmware files for the driver, which insists on having them. They
 * are headers without any content: there are no microcontrollers to run it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/types.h>

#include "core/util.h"

/* What else the driver's header wants to know; none of it is used. */
struct amdgpu_device;
struct firmware;
struct mutex {
	int unused;
};
#define __printf(format, first)
#include "amdgpu_ucode.h"

static struct common_firmware_header header(size_t size)
{
	return (struct common_firmware_header){
		.size_bytes = size, .header_size_bytes = size,
		.header_version_major = 1, .ip_version_major = 7,
		.ucode_version = 1, .ucode_array_offset_bytes = size,
	};
}

static void write_file(const char *folder, const char *name, const void *data,
		       size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/bonaire_%s.bin", folder, name);
	file = fopen(path, "w");
	if (!file || fwrite(data, size, 1, file) != 1 || fclose(file))
		hw_die(1, "%s: %s", path, strerror(errno));
}

int main(int argc, char **argv)
{
	static const char *const cp[] = { "pfp", "me", "ce", "mec" };
	static const char *const sdma[] = { "sdma", "sdma1" };
	struct mc_firmware_header_v1_0 mc = {
		.header = header(sizeof(mc)),
		.io_debug_array_offset_bytes = sizeof(mc),
	};
	struct gfx_firmware_header_v1_0 gfx = {
		.header = header(sizeof(gfx)), .ucode_feature_version = 1,
	};
	struct rlc_firmware_header_v1_0 rlc = {
		.header = header(sizeof(rlc)), .ucode_feature_version = 1,
	};
	/* From feature version 20 on there would be NOPs with a count. */
	struct sdma_firmware_header_v1_0 dma = {
		.header = header(sizeof(dma)), .ucode_feature_version = 1,
	};
	size_t i;

	if (argc != 2)
		hw_die(2, "usage: mkfw FOLDER");
	write_file(argv[1], "mc", &mc, sizeof(mc));
	for (i = 0; i < ARRAY_SIZE(cp); i++)
		write_file(argv[1], cp[i], &gfx, sizeof(gfx));
	write_file(argv[1], "rlc", &rlc, sizeof(rlc));
	for (i = 0; i < ARRAY_SIZE(sdma); i++)
		write_file(argv[1], sdma[i], &dma, sizeof(dma));
	return 0;
}
