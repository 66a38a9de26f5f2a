// SPDX-License-Identifier: MIT
/*
 * Registers that only keep what is written: the driver sets them up, and reads
 * some back, but nothing here depends on them. By block, with the reason.
 */
#include "amdgpu/amdgpu.h"
#include "amdgpu/driver.h"

#define FROM_TO(first, last)	(first) * 4, (last) - (first) + 1, NULL, 0

static const struct mmio_tolerated state[] = {
	{ FROM_TO(0x0000, 0x01ff), "clocks, VGA and straps: not there" },
	{ FROM_TO(0x0300, 0x038f), "display: there is none" },
	{ FROM_TO(0x0390, 0x03ff), "register bus, clock gating: no clocks" },
	{ FROM_TO(0x0500, 0x057f), "caches of translations: there are none" },
	{ FROM_TO(0x05c9, 0x05ff), "scratch of the VBIOS: storage" },
	{ FROM_TO(0x0800, 0x0aff), "memory controller: nothing to set up" },
	{ FROM_TO(0x0b00, 0x0cff), "the host's path to memory: no surfaces, no cache" },
	{ FROM_TO(0x0d00, 0x0dff), "memory power management: none" },
	{ FROM_TO(0x0f00, 0x0fff), "interrupts, semaphores: what regs.c leaves out" },
	{ FROM_TO(0x1500, 0x15ff), "bus interface: nothing to set up" },
	{ FROM_TO(0x1600, 0x1fff), "display: there is none" },
	{ FROM_TO(0x2000, 0x2bff), "graphics configuration: nothing is drawn" },
	{ FROM_TO(0x2c00, 0x2fff), "shader state: nothing is computed" },
	{ FROM_TO(0x3000, 0x30bf), "command processor: no firmware, no priorities" },
	{ FROM_TO(0x30c0, 0x31bf), "RLC: no microcontroller" },
	{ FROM_TO(0x31c0, 0x323f), "shader scheduling: nothing is computed" },
	{ FROM_TO(0x3240, 0x3244), "compute pipes: no EOP queue" },
	{ FROM_TO(0x3300, 0x334f), "global data share: there is none" },
	{ FROM_TO(0x3400, 0x37ff), "SDMA: no firmware, no context switches" },
	{ FROM_TO(0xa000, 0xa3ff), "drawing state: nothing is drawn" },
	{ FROM_TO(0xc000, 0xdfff), "user state, counters: nothing is drawn" },
	{ FROM_TO(0xf000, 0xf0ff), "clock gating: no clocks" },
};

void cik_state_tolerate(struct mmio *mmio)
{
	mmio_tolerate(mmio, state, ARRAY_SIZE(state));
}
