# SPDX-License-Identifier: GPL-2.0-only
"""
The series compiles for another architecture.

What it touches, as a whole and with W=1, from the composed tree itself: one that
differs from the test bed's in its page tables, its IOMMUs and in caches that are
not coherent with devices.  The result is kept as those of builds.py are.
"""

import re
import shutil
import subprocess
from pathlib import Path

from . import builds, conf, static

_VERSION = 1
# By the kernel's name: the compiler's prefix
CROSS = {"arm64": "aarch64-linux-gnu-"}
# Needs KVM_DMABUF, which x86 alone selects
LEFT_OUT = {"arm64": ("virt/kvm/dmabuf.c",)}


class Compiler(builds.Walker):
    """Builds what is checked out, for one architecture."""

    def __init__(self, tree, arch):
        super().__init__(tree)
        self.arch = arch
        self.top = Path(tree.top)
        self.obj = self.top / f".obj-check-{arch}"
        self.log = conf.build() / "results" / f"check-series-{arch}.log"
        self.log.write_bytes(b"")
        self.env["CCACHE_BASEDIR"] = str(self.top)
        self.host, self.cc = self.cc, CROSS[arch] + "gcc"

    def fragments(self):
        return builds.fragments_text(self.arch)

    def checkout(self, commit):
        self.at = commit

    def make(self, *args, keep=False):
        # The last of two settings counts.
        cached = "ccache " if shutil.which("ccache") else ""
        return super().make(f"ARCH={self.arch}", f"CROSS_COMPILE={CROSS[self.arch]}",
                            f"HOSTCC={cached}{self.host}", *args, keep=keep)


def sources_of(tree, arch):
    """C files that the series touches and that any architecture may have."""
    paths = tree.git.text("diff", "--name-only", "--diff-filter=d", tree.state["base"],
                          tree.state["composed"]).splitlines()
    return [p for p in paths if builds.is_kernel(p) and p.endswith(".c")
            and p not in LEFT_OUT[arch]
            and (not p.startswith("arch/") or p.startswith(f"arch/{arch}/"))]


def target(source, arch):
    if source.startswith("virt/kvm/"):
        return f"arch/{arch}/kvm/"
    return re.sub(r"\.c$", ".o", source)


def compile_all(walker, sources):
    """Lines that say what is wrong."""
    walker.checkout(walker.tree.state["composed"])
    bad = walker.configure()
    if bad:
        return bad
    status, err = walker.make("W=1", *sorted({target(s, walker.arch) for s in sources}),
                              keep=True)
    if status:
        return builds.last_lines(err)
    bad = [f"{s}: was not built by this configuration" for s in sources
           if not built(walker, s)]
    return bad + list(dict.fromkeys(builds.warnings(err)))


def built(walker, source):
    name = re.sub(r"\.c$", ".o", source)
    return any((walker.obj / place / name).exists()
               for place in (".", f"arch/{walker.arch}/kvm/../../.."))


def run(tap, tree, arch):
    walker = Compiler(tree, arch)
    if not shutil.which(walker.cc):
        raise conf.Error(f"{walker.cc}: not here (scripts/setup arch installs it)")
    version = subprocess.run([walker.cc, "--version"], capture_output=True,
                             text=True).stdout.split("\n")[0]
    sources = sources_of(tree, arch)
    key = static.key("arch", _VERSION, arch, version, walker.fragments(),
                     tree.git.tree_id(tree.state["composed"]))
    tap.row(f"builds for {arch} as a whole, W=1: {len(sources)} objects",
            static.remembered(key, lambda: compile_all(walker, sources)))
