// SPDX-License-Identifier: MIT
/*
 * Copyright © 2026 dmabuf-pal developers
 */

/**
 * TEST: VRAM of amdgpu for other devices
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: Memory management tests
 * Functionality: dma-buf PAL mapping
 * Description: VRAM that amdgpu exports is mapped into an IOAS of iommufd
 *
 * SUBTEST: basic-export
 * Description: VRAM is exported and mapped for DMA, which reaches what CPU and GPU have
 *
 * SUBTEST: map-unmap
 * Description: Mapping and unmapping leave nothing behind, in one IOAS and in two
 *
 * SUBTEST: offset
 * Description: Parts of a dma-buf are mapped, and what is outside of it is refused
 *
 * SUBTEST: multi-range
 * Description: VRAM in many physical ranges is mapped as one
 *
 * SUBTEST: small-bar
 * Description: VRAM that the BAR does not show is moved to where it does
 *
 * SUBTEST: readonly-fd
 * Description: A dma-buf that was exported for reading is not mapped for writing
 *
 * SUBTEST: sysmem-rejected
 * Description: A buffer object in system memory is refused
 *
 * SUBTEST: movable-rejected
 * Description: A buffer object that may be in VRAM or in system memory is refused
 *
 * SUBTEST: imported-rejected
 * Description: Memory of another exporter is refused
 *
 * SUBTEST: evict-while-mapped
 * Description: VRAM that is mapped stays where it is when VRAM is full
 *
 * SUBTEST: pin-limit
 * Description: No more than the allowed part of VRAM can be pinned
 *
 * SUBTEST: close-race
 * Description: A dma-buf is mapped while its file and its handle are closed
 *
 * SUBTEST: hang-while-mapped
 * Description: The GPU hangs while its VRAM is mapped, and recovers
 *
 * SUBTEST: revoke-on-unbind
 * Description: When the driver leaves the device nobody can reach its VRAM
 */
#include "igt.h"
#include "pal.h"

IGT_TEST_DESCRIPTION("VRAM that amdgpu exports is mapped into an IOAS of iommufd");

int igt_main()
{
	/* Static, as a failed subtest jumps back into this function */
	static const struct pal_check *check;
	static struct pal pal;

	igt_fixture()
		pal_open(&pal, DRIVER_AMDGPU);

	for (check = pal_checks; check->name; check++) {
		igt_describe(check->description);
		igt_subtest(check->name)
			check->run(&pal);
	}

	igt_fixture()
		pal_close(&pal);
}
