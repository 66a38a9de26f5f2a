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

MARK = "@guest "
KERNELS = ("base-gpu", "plain")
BASE, OURS = KERNELS

FAULT_RATIO = 500       # fewer faults than the base, at least
INVALIDATE = 1_000_000  # instructions to take 1 GiB away, at most
# How much more than by mmap() the dma-buf may cost
SLOWER = 1.0


def boot(kernel, folder):
    """(release, {(what, backing): measurement})"""
    profile = dataclasses.replace(profiles.load("bench-guest"), kernel=kernel,
                                  name=f"guest-{kernel}")
    run = runner.Run(profile, profile.iommu[0], folder)
    found = {}

    def line(text):
        if text.startswith(MARK):
            data = json.loads(text[len(MARK):])
            found[data["what"], data["backing"]] = data

    run.echo_line = line
    paths.say(f"measuring guests on {kernel}")
    run.run()
    if run.findings:
        paths.say("\n".join(run.complain()))
    return run.release, found


def measure(folder):
    """kernel -> "what/backing" -> measurement"""
    for kernel in KERNELS:
        runner.find_kernel(kernel)
    return {kernel: {"/".join(key): data
                     for key, data in boot(kernel, folder)[1].items()}
            for kernel in KERNELS}


def get(results, kernel, key):
    found = results.get(kernel, {}).get(key)
    return found if found and not found["error"] else None


def shown(results, kernel, key, what):
    found = results.get(kernel, {}).get(key)
    if not found:
        return "missing"
    return found["error"] or f"{found[what]:,}"


def verdict(value, limit, least=False):
    if value is None:
        return "MISSING"
    return "ok" if (value >= limit if least else value <= limit) else "OVER"


def rows(results):
    """(what, base, series, figure, goal, verdict)"""
    base = get(results, BASE, "touch/mmap")
    mmap = get(results, OURS, "touch/mmap")
    fd = get(results, OURS, "touch/fd")
    found = []
    for key, name in (("touch/mmap", "by mmap()"), ("touch/fd", "by dma-buf")):
        ours = get(results, OURS, key)
        ratio = base["faults"] / ours["faults"] if base and ours else None
        found.append((f"KVM's faults for 1 GiB of VRAM {name}",
                      shown(results, BASE, key, "faults"),
                      shown(results, OURS, key, "faults"),
                      f"{ratio:.0f} times fewer" if ratio else "",
                      f">= {FAULT_RATIO}", verdict(ratio, FAULT_RATIO, True)))
    for key, name in (("touch/mmap", "by mmap()"), ("touch/fd", "by dma-buf")):
        found += [(f"instructions, first pass {name}",
                   shown(results, BASE, key, "instructions"),
                   shown(results, OURS, key, "instructions"), "", "", ""),
                  (f"faults of the VMM {name}",
                   shown(results, BASE, key, "host_faults"),
                   shown(results, OURS, key, "host_faults"), "", "", ""),
                  (f"instructions, second pass {name}",
                   shown(results, BASE, key, "again"),
                   shown(results, OURS, key, "again"), "", "", "")]
    ratio = fd["instructions"] / mmap["instructions"] if fd and mmap else None
    found.append(("first pass, dma-buf against mmap()", "", "",
                  f"{ratio:.3f} x" if ratio else "", f"<= {SLOWER}",
                  verdict(ratio, SLOWER)))
    for pages in ("2M", "1G"):
        key = f"invalidate/{pages}"
        ours = get(results, OURS, key)
        cost = ours["instructions"] - ours["nothing_mapped"] if ours else None
        found.append((f"to take 1 GiB in pages of {pages} away",
                      shown(results, BASE, key, "instructions"),
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
