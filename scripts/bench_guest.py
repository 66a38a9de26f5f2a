# SPDX-License-Identifier: GPL-2.0-only
"""What device memory costs a guest of KVM, for make bench: faults and instructions.

Boots the profile "bench-guest" on the base and on the series. The guest writes a
word to every page of 1 GiB of VRAM, which it has by an mmap() of the VMM or by the
dma-buf; and 1 GiB that is mapped for it is taken away. tests/guest/kvm_touch_bench.c
says how.
"""

import dataclasses
import json

from bed import paths, profile as profiles, runner
from bench_report import BASE, OURS, get, shown

MARK = "@guest "
KERNELS = (BASE, OURS)

FAULT_RATIO = 500       # fewer faults than the base, at least
INVALIDATE = 1_000_000  # instructions to take 1 GiB away, at most
# How much more than by mmap() the dma-buf may cost
SLOWER = 1.0


def boot(kernel, folder):
    """"what/backing" -> measurement"""
    profile = dataclasses.replace(profiles.load("bench-guest"), kernel=kernel,
                                  name=f"guest-{kernel}")
    run = runner.Run(profile, profile.iommu[0], folder)
    found = {}

    def line(text):
        if text.startswith(MARK):
            data = json.loads(text[len(MARK):])
            found[f"{data['what']}/{data['backing']}"] = data

    run.echo_line = line
    paths.say(f"measuring guests on {kernel}")
    run.run()
    if run.findings:
        paths.say("\n".join(run.complain()))
    return found


def measure(folder):
    """kernel -> what boot() returns"""
    for kernel in KERNELS:
        runner.find_kernel(kernel)
    return {kernel: boot(kernel, folder) for kernel in KERNELS}


def verdict(value, limit, least=False):
    if value is None:
        return "MISSING"
    return "ok" if (value >= limit if least else value <= limit) else "OVER"


def rows(results):
    """(what, base, series, figure, goal, verdict)"""
    def cells(what, backing, key):
        return tuple(shown(results, kernel, what, backing,
                           lambda m: f"{m[key]:,}") for kernel in KERNELS)

    base = get(results, BASE, "touch", "mmap")
    mmap = get(results, OURS, "touch", "mmap")
    fd = get(results, OURS, "touch", "fd")
    ways = (("mmap", "by mmap()", mmap), ("fd", "by dma-buf", fd))
    found = []
    for way, name, ours in ways:
        ratio = base["faults"] / ours["faults"] if base and ours else None
        found.append((f"KVM's faults for 1 GiB of VRAM {name}",
                      *cells("touch", way, "faults"),
                      f"{ratio:.0f} times fewer" if ratio else "",
                      f">= {FAULT_RATIO}", verdict(ratio, FAULT_RATIO, True)))
    for way, name, _ in ways:
        found += [(f"{what} {name}", *cells("touch", way, key), "", "", "")
                  for what, key in (("instructions, first pass", "instructions"),
                                    ("faults of the VMM", "host_faults"),
                                    ("instructions, second pass", "again"))]
    ratio = fd["instructions"] / mmap["instructions"] if fd and mmap else None
    found.append(("first pass, dma-buf against mmap()", "", "",
                  f"{ratio:.3f} x" if ratio else "", f"<= {SLOWER}",
                  verdict(ratio, SLOWER)))
    for pages in ("2M", "1G"):
        ours = get(results, OURS, "invalidate", pages)
        cost = ours["instructions"] - ours["nothing_mapped"] if ours else None
        found.append((f"to take 1 GiB in pages of {pages} away",
                      cells("invalidate", pages, "instructions")[0],
                      "missing" if cost is None else f"{cost:,}", "",
                      f"<= {INVALIDATE:,}", verdict(cost, INVALIDATE)))
    return found


def table(found):
    head = ("a guest of KVM (NPT)", "base", "series", "figure", "goal", "")
    widths = [max(len(line[i]) for line in (head, *found)) for i in range(6)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), line[1].rjust(widths[1]),
                   line[2].rjust(widths[2])]
                  + [line[i].ljust(widths[i]) for i in range(3, 6)]).rstrip()
        for line in (head, *found))
