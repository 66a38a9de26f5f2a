# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel's console says: finds the lines that make a run a failure."""

import re

# The first pattern that fits a line names its kind, so the special ones come
# before "WARNING:" and "BUG:". The first finding of a run names the run's
# failure: what follows it (the panic of panic_on_warn) is a consequence.
KINDS = [
    ("kasan", re.compile(r"BUG: (KASAN|KFENCE):")),
    ("ubsan", re.compile(r"UBSAN:")),
    ("atomic", re.compile(
        r"BUG: (sleeping function called from|scheduling while atomic)"
        r"|\[ BUG: Invalid wait context \]")),
    ("lockdep", re.compile(
        r"WARNING: .*(circular locking|recursive locking|lock state|"
        r"irq lock inversion|lock order|unlock balance|lock held|"
        r"held lock|suspicious RCU usage|still has locks held|"
        r"Nested lock was not taken)"
        r"|WARNING: HARDIRQ-safe|WARNING: SOFTIRQ-safe"
        r"|BUG: (spinlock|rwlock|MAX_LOCK|looking up invalid subclass)"
        r"|BUG: held lock freed"
        r"|INFO: (trying to register non-static key|lockdep is turned off)")),
    ("dma-api", re.compile(
        r"DMA-API: (?!preallocated |debugging |dma_debug_|this may be|"
        r"all debugging options|exiting )")),
    ("kmemleak", re.compile(r"kmemleak: \d+ new suspected memory leaks")),
    ("hung-task", re.compile(r"INFO: task .* blocked for more than")),
    ("stall", re.compile(r"rcu: INFO: .*(stall|self-detected)"
                         r"|watchdog: BUG: soft lockup"
                         r"|workqueue lockup")),
    ("oops", re.compile(r"\bOops: |general protection fault"
                        r"|BUG: unable to handle|BUG: kernel NULL pointer"
                        r"|stack segment:|Unable to handle kernel")),
    ("bug", re.compile(r"kernel BUG at |\bBUG: |BUG kmalloc|BUG: Bad "
                       r"|: bad p[g4um]d ")),
    ("oom", re.compile(r"Out of memory: Killed process|invoked oom-killer")),
    ("warn", re.compile(r"\bWARNING: ")),
    ("panic", re.compile(r"Kernel panic - not syncing")),
    ("fence", re.compile(r"Fence fallback timer expired")),
    ("tsc", re.compile(r"kvm: user requested TSC rate below hardware speed")),
]

# After these the kernel goes on as if nothing had been.
HARMLESS = ("fence", "tsc")

MESSAGES = {
    "kasan": "KASAN report",
    "ubsan": "UBSAN report",
    "atomic": "sleep in atomic context",
    "lockdep": "lockdep report",
    "dma-api": "DMA-API error",
    "kmemleak": "memory leak suspected by kmemleak",
    "hung-task": "hung task",
    "stall": "stalled CPU",
    "oops": "kernel oops",
    "bug": "kernel BUG",
    "oom": "out of memory",
    "warn": "kernel WARN",
    "panic": "kernel panic",
    "fence": "interrupt of a GPU late or lost",
    "tsc": "guests without timers (see CPU in machine.py)",
    "taint": "kernel tainted by a warning or an oops",
    "boot": "the VM did not start its tests",
    "hang": "hang",
    "qemu": "QEMU died",
    "model": "a device model failed",
    "stopped": "the VM stopped before the end of its tests",
    "test": "test failed",
    "skip": "unexpected skip",
    "plan": "plan not met",
    "missing": "missing tests",
    "exit": "wrong exit status",
    "outside": "outside checks missing",
    "picture": "a picture is not what was on the disk",
}

TAINT_BAD = 1 << 7 | 1 << 9 | 1 << 5 | 1 << 14    # died, warned, bad page, lockup


def classify(line):
    for kind, pattern in KINDS:
        if pattern.search(line):
            return kind
    return None
