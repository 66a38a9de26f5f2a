# SPDX-License-Identifier: GPL-2.0-only
"""
Every patch builds alone: the objects that it touches, with W=1.

A work tree of its own walks through the commits of the composed tree and
builds for each the .c files that the patch edits or adds, and those of the
series that include a header it touches.  A result is kept under a hash of the
patch, the headers and sources its objects see of the series, the compiler and
the configuration, so that only what a change can affect is built again.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from . import conf, git, static

_FRAGMENTS = ("common", "gpu", "debug-gpu", "check")
_VERSION = 1


class Walker:
    """The work tree and the object folder below it."""

    def __init__(self, tree):
        self.tree = tree
        self.top = conf.build() / "check" / "linux"
        # Directly below the source: short relative names, shared by ccache.
        self.obj = self.top / ".obj"
        self.log = conf.build() / "results" / "check-series.log"
        self.log.write_bytes(b"")
        self.at = None
        self.headers_of = self.configured = None
        self.env = git.environment()
        self.env.setdefault("CCACHE_DIR", str(conf.cache() / "ccache"))
        self.env.update(CCACHE_BASEDIR=str(self.top), CCACHE_NOHASHDIR="1",
                        KBUILD_BUILD_TIMESTAMP="2026-01-01", KBUILD_BUILD_USER="dmabuf-pal",
                        KBUILD_BUILD_HOST="localhost")
        for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "KDIR"):
            self.env.pop(name, None)
        self.cc = os.environ.get("CC", "gcc")

    def checkout(self, commit):
        if self.at == commit:
            return
        if not (self.top / ".git").exists():
            conf.need_space(conf.build(), 2600, "the work tree of check-series")
            shutil.rmtree(self.top, ignore_errors=True)
            self.tree.git.run("worktree", "prune")
            self.tree.git.run("worktree", "add", "--force", "--detach", "--no-checkout",
                              self.top, commit)
        repo = git.open_tree(self.top, str(self.top))
        (repo.dir / "index.lock").unlink(missing_ok=True)
        repo.run("reset", "-q", "--hard", commit)
        repo.run("update-ref", "--no-deref", "HEAD", commit)
        self.at = commit

    def make(self, *args, keep=False):
        """(status, stderr) of a make in the tree; all of it goes to the log."""
        compiler = f"ccache {self.cc}" if shutil.which("ccache") else self.cc
        command = ["make", "-C", self.top, f"O={self.obj}", f"CC={compiler}",
                   f"HOSTCC={compiler}", f"-j{os.cpu_count()}", "-s"]
        command += ["-k"] if keep else []
        p = subprocess.run([*command, *args], env=self.env, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with open(self.log, "ab") as f:
            f.write(f"== {self.at[:12]}: make {' '.join(map(str, args))}\n".encode())
            f.write(p.stdout + p.stderr)
        return p.returncode, p.stderr.decode(errors="replace")

    def fragments(self):
        return fragments_text()

    def configure(self):
        """tinyconfig and the fragments; unknown symbols belong to later patches."""
        self.obj.mkdir(parents=True, exist_ok=True)
        # Made again only where Kconfig differs from that of the last commit.
        seen = self.tree.git.text("diff", "--raw", "--no-abbrev", self.tree.state["base"],
                                  self.at, "--", ":(glob)**/Kconfig*")
        if self.configured == seen:
            return []
        status, err = self.make("tinyconfig")
        if status == 0:
            with open(self.obj / ".config", "a") as f:
                f.write(self.fragments())
            status, err = self.make("olddefconfig")
        self.configured = seen if status == 0 else None
        return [] if status == 0 else last_lines(err)


def fragments_text(*more):
    parts = []
    for name in (*_FRAGMENTS, *more):
        path = conf.REPO / "scripts" / "configs" / f"{name}.config"
        if not path.exists():
            raise conf.Error(f"{path}: missing")
        parts.append(path.read_text())
    return "".join(parts)


def last_lines(err):
    """What stopped a make: the compiler's words before those of make."""
    text = [x for x in err.splitlines() if "not remade because" not in x]
    lines = [x for x in text if re.search(r"(error|undefined|No rule)", x)]
    lines = lines or [x for x in text if "Error" in x]
    return list(dict.fromkeys(lines or text or ["no message"]))[:5]


def touched(tree, rev):
    """Paths that a commit leaves changed or new."""
    out = tree.git.text("diff-tree", "-r", "--no-commit-id", "--name-only", "--diff-filter=d",
                        rev)
    return out.splitlines()


def is_kernel(path):
    return path.split("/")[0] not in ("tools", "Documentation", "samples", "scripts")


def includes(tree, rev, sources, headers):
    """Sources that include one of the headers, at first hand or through another."""
    wanted = {Path(h).name for h in headers}
    text = {s: tree.git.blob(rev, s).decode(errors="replace") for s in sources}
    text = {s: set(re.findall(r'#\s*include\s*[<"](?:[^">]*/)?([^">/]+)[">]', t))
            for s, t in text.items()}
    grown = True
    while grown:
        more = {Path(s).name for s, names in text.items()
                if s.endswith(".h") and names & wanted}
        grown = not more <= wanted
        wanted |= more
    return [s for s, names in text.items() if s.endswith(".c") and names & wanted]


def plan(tree, base, rev):
    """(objects, selftest folders, key material) of one commit."""
    mine = touched(tree, rev)
    sofar = [p for p in tree.git.text("diff", "--name-only", "--diff-filter=d", base,
                                      rev).splitlines()]
    kernel = [p for p in sofar if is_kernel(p) and p.endswith((".c", ".h"))]
    sources = [p for p in mine if is_kernel(p) and p.endswith(".c")]
    headers = [p for p in mine if is_kernel(p) and p.endswith(".h")]
    if headers:
        sources += includes(tree, rev, kernel, headers)
    folders = []
    for path in mine:
        folder = selftest_folder(tree, rev, path)
        if folder:
            folders.append(folder)
    seen = [p for p in sofar if p in sources or p.endswith(".h")
            or Path(p).name in ("Makefile", "Kconfig") or selftest_folder(tree, rev, p) in folders]
    blobs = [tree.git.text("rev-parse", f"{rev}:{p}") for p in sorted(set(seen))]
    return sorted(set(sources)), sorted(set(folders)), blobs


def selftest_folder(tree, rev, path):
    """The folder of tools/testing/selftests whose Makefile builds the file."""
    top = "tools/testing/selftests/"
    if not path.startswith(top) or not path.endswith((".c", ".h", "Makefile", ".mk", ".S")):
        return None
    for folder in Path(path).parents:
        if str(folder) + "/" == top:
            return None
        if tree.git.maybe("cat-file", "-e", f"{rev}:{folder}/Makefile") is not None:
            return str(folder)
    return None


def warnings(err):
    """Compiler messages without positions, so that moved lines compare equal."""
    found = []
    for line in err.splitlines():
        if re.search(r"(warning|error): ", line):
            found.append(re.sub(r":\d+(:\d+)?:", ":", line.strip()))
    return found


def target(source):
    """What make builds for a source. virt/kvm has no Makefile of its own."""
    if source.startswith("virt/kvm/"):
        return "arch/x86/kvm/"
    return re.sub(r"\.c$", ".o", source)


def only_ours(tree, rev, folder):
    """Of KVM's selftests, which are a hundred programs, those that the series has."""
    if not folder.endswith("/selftests/kvm"):
        return []
    paths = tree.git.text("diff", "--name-only", "--diff-filter=A", tree.state["base"], rev,
                          "--", folder).splitlines()
    return [f"TEST_GEN_PROGS_x86={' '.join(Path(p).stem for p in paths if p.endswith('.c'))}",
            "TEST_PROGS_x86=", "TEST_GEN_PROGS_EXTENDED_x86="]


def build(walker, rev, sources, folders):
    """(status lines, warnings) of building one commit's objects."""
    walker.checkout(rev)
    bad = walker.configure()
    if bad:
        return bad, []
    err = ""
    objects = [re.sub(r"\.c$", ".o", s) for s in sources]
    if objects:
        status, err = walker.make("W=1", *sorted({target(s) for s in sources}), keep=True)
        if status:
            return last_lines(err), warnings(err)
        missing = [o for o in objects if not (walker.obj / o).exists()]
        if missing:
            return [f"{o}: was not built by this configuration" for o in missing], []
    for folder in folders:
        if walker.headers_of != rev:
            status, text = walker.make("headers")
            if status:
                return last_lines(text), []
            walker.headers_of = rev
        out = walker.obj / "selftests" / Path(folder).name
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        p = subprocess.run(["make", "-C", walker.top / folder, f"-j{os.cpu_count()}",
                            f"OUTPUT={out}", f"CC={walker.cc}", "LLVM=",
                            f"KHDR_INCLUDES=-isystem {walker.obj}/usr/include",
                            f"top_srcdir={walker.top}", *only_ours(walker.tree, rev, folder)],
                           env=walker.env, stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, errors="replace")
        with open(walker.log, "a") as f:
            f.write(f"== {rev[:12]}: make -C {folder}\n{p.stdout}{p.stderr}")
        err += p.stderr
        if p.returncode:
            return last_lines(p.stderr), warnings(p.stderr)
    return [], warnings(err)


def exists_at(tree, rev, paths):
    return [p for p in paths if tree.git.maybe("cat-file", "-e", f"{rev}:{p}") is not None]


def check_one(walker, parent, rev, sources, folders):
    """Lines that say what is wrong with one patch's build."""
    bad, after = build(walker, rev, sources, folders)
    if bad:
        return bad
    if not after:
        return []
    old_sources = exists_at(walker.tree, parent, sources)
    old_folders = exists_at(walker.tree, parent, folders)
    bad, before = build(walker, parent, old_sources, old_folders)
    for line in before:
        if line in after:
            after.remove(line)
    return [f"new with this patch: {line}" for line in dict.fromkeys(after)]


def whole_plan(tree):
    """Everything the series touches, built once more at its end."""
    base, head = tree.state["base"], tree.state["composed"]
    paths = tree.git.text("diff", "--name-only", "--diff-filter=d", base, head).splitlines()
    sources = [p for p in paths if is_kernel(p) and p.endswith(".c")]
    folders = {selftest_folder(tree, head, p) for p in paths} - {None}
    return sources, sorted(folders)


def run(tap, tree):
    base, head = tree.state["base"], tree.state["composed"]
    ids = tree.git.text("rev-list", "--reverse", f"{base}..{head}").split()
    compiler = subprocess.run([os.environ.get("CC", "gcc"), "--version"], capture_output=True,
                              text=True).stdout.split("\n")[0]
    fixed = (_VERSION, base, compiler, fragments_text())
    walker = Walker(tree)
    progress = conf.Progress("check-series")
    parent = base
    for number, rev in enumerate(ids, 1):
        subject = tree.git.text("log", "-1", "--format=%s", rev)
        name = f"builds alone, W=1: {number:04d} {subject}"
        sources, folders, blobs = plan(tree, base, rev)
        if not sources and not folders:
            tap.row(f"{name} (nothing to compile)")
        else:
            progress.tick(f"patch {number} of {len(ids)}, {len(sources)} objects")
            key = static.key("build", *fixed, *sources, *folders, *blobs)
            at = parent
            tap.row(name, static.remembered(key, lambda: check_one(walker, at, rev, sources,
                                                               folders)))
        parent = rev
    if ids:
        sources, folders = whole_plan(tree)
        key = static.key("whole", *fixed, *sources, *folders, tree.git.tree_id(head))
        tap.row(f"builds as a whole, W=1: {len(sources)} objects, {len(folders)} selftests",
                static.remembered(key, lambda: check_one(walker, base, head, sources, folders)))
