# SPDX-License-Identifier: GPL-2.0-only
"""What can be said of the series without compiling it."""

import hashlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import conf, export, git, mail, patches

# A human signs off when sending; MAINTAINERS is one patch of its own.
# The base is a source package without history: what Fixes: names is not in it.
_IGNORE = "MISSING_SIGN_OFF,FILE_PATH_CHANGES,UNKNOWN_COMMIT_ID"


def claims(tap):
    """Every file claimed once, no hunk that creates a file."""
    try:
        series = patches.load()
    except conf.Error as e:
        tap.row("every new file is claimed by exactly one patch", e.lines)
        return None
    tap.row("every new file is claimed by exactly one patch")
    return series


def fuzz(tap, tree, series):
    """The patch file is what its commit exports to: no fuzz, no offset."""
    ids = tree.git.text("rev-list", "--reverse",
                        f"{tree.state['base']}..{tree.state['composed']}").split()
    moved = patches.exported_on() not in (None, tree.state["base"])
    for patch, oid in zip(series, ids):
        if moved:
            tap.row(f"no fuzz: {patch.name}", skip="another base than the series' own")
            continue
        message = tree.git.text("log", "-1", "--format=%B", oid)
        commit = export.Commit(oid, patch.subject, patches.normal_message(message))
        again = patches.parse(patch.name, export.render(tree.git, commit))
        bad = []
        if again.diff != patch.diff:
            a, b = patch.diff.split(b"\n"), again.diff.split(b"\n")
            pair = next(((x, y) for x, y in zip(a, b) if x != y), (b"", b""))
            bad = [f"{pair[0].decode(errors='replace')!r} is exported as"
                   f" {pair[1].decode(errors='replace')!r}"]
        tap.row(f"no fuzz: {patch.name}", bad)


def remembered(key, work):
    """The lines that work() returns; only a clean result is kept under `key`."""
    path = conf.cache() / "patch-checks" / key
    if path.exists():
        return []
    lines = work()
    if not lines:
        conf.write_atomic(path, "")
    return lines


def key(*parts):
    h = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        h.update(b"%d\0" % len(data) + data)
    return h.hexdigest()


# The macros of tracepoints are laid out in a way of their own, in the whole kernel.
_TRACE_STYLE = re.compile(r"include/trace/events/\S+ CHECK:"
                          r"(OPEN_ENDED_LINE|PARENTHESIS_ALIGNMENT):")


def checkpatch(tap, tree, series):
    script = tree.top / "scripts" / "checkpatch.pl"
    version = hashlib.sha256(script.read_bytes()).digest()
    with tempfile.TemporaryDirectory(prefix="dmabuf-pal-mail-") as tmp:
        mails = mail.write(tree.git, tree.state["base"], tree.state["composed"], Path(tmp),
                           numbered=False)

        def run(path):
            p = subprocess.run(["perl", script, "--strict", "--terse", "--no-summary",
                                "--show-types", "--showfile", f"--ignore={_IGNORE}",
                                f"--root={tree.top}", path],
                               capture_output=True, text=True, cwd=tree.top,
                               env=git.environment(), errors="replace")
            said = [re.sub(r"^\S+?\.patch:", "line ", x) for x in p.stdout.splitlines() if x]
            lines = [x for x in said if not _TRACE_STYLE.match(x)]
            if p.returncode and not said:
                lines = p.stderr.splitlines()[-3:] or [f"checkpatch: status {p.returncode}"]
            return lines

        def cached(path):
            return remembered(key("checkpatch", version, _IGNORE, _TRACE_STYLE.pattern,
                                  path.read_bytes()), lambda: run(path))

        with ThreadPoolExecutor(2) as pool:
            for patch, lines in zip(series, pool.map(cached, mails)):
                tap.row(f"checkpatch --strict: {patch.name}", lines)


def _kernel_doc(tree, rev, path, folder):
    """Warnings of kernel-doc for one file, without line numbers."""
    try:
        text = tree.git.blob(rev, path)
    except git.GitError:
        return [], 0
    copy = folder / Path(path).name
    copy.write_bytes(text)
    script = next((s for s in ("tools/docs/kernel-doc", "scripts/kernel-doc")
                   if (tree.top / s).exists()), None)
    if script is None:
        raise conf.Error(f"{tree.top}: has no kernel-doc script")
    p = subprocess.run([sys.executable, tree.top / script, "-none", "-Wall", "-Werror", copy],
                       capture_output=True, text=True, cwd=tree.top, errors="replace")
    lines = [re.sub(r"^.*?:(\d+) ", "", x.replace(str(copy), path)).strip()
             for x in p.stderr.splitlines()
             if re.match(r"(warning|error)", x, re.I) or "Traceback" in x]
    return lines, p.returncode


def kernel_doc(tap, tree, series):
    """New files clean; of edited ones only what the series adds counts."""
    new = [p for patch in series for p in patch.claims]
    edited = [p for patch in series for p in patch.edits if p not in new]
    interesting = [p for p in dict.fromkeys(new + edited)
                   if p.endswith((".c", ".h")) and not p.startswith("tools/")]
    head, base = tree.state["composed"], tree.state["base"]

    def work(path):
        with tempfile.TemporaryDirectory(prefix="dmabuf-pal-doc-") as tmp:
            after, status = _kernel_doc(tree, head, path, Path(tmp))
            before = _kernel_doc(tree, base, path, Path(tmp))[0] if after else []
        for line in before:
            if line in after:
                after.remove(line)
        if status and not after and not before:
            after = [f"kernel-doc: status {status}"]
        return after

    def cached(path):
        ids = [tree.git.maybe("rev-parse", f"{rev}:{path}") for rev in (base, head)]
        return remembered(key("kernel-doc", path, *ids), lambda: work(path))

    with ThreadPoolExecutor(2) as pool:
        for path, lines in zip(interesting, pool.map(cached, interesting)):
            tap.row(f"kernel-doc: {path}", lines)


def kbuild(tap, tree, series):
    """A new source that no Makefile names would never be compiled by anyone."""
    head = tree.state["composed"]
    for path in (p for patch in series for p in patch.claims if p.endswith(".c")):
        if path.startswith("tools/"):
            continue
        name = re.compile(rf"(^|[\s/]){re.escape(Path(path).stem)}\.o\b", re.M)
        texts = [tree.git.maybe("cat-file", "blob", f"{head}:{folder}/{makefile}") or ""
                 for folder in list(Path(path).parents)[:2]
                 for makefile in ("Makefile", "Kbuild", "Makefile.kvm")]
        # A file that only another one includes is compiled as a part of that.
        users = tree.git.maybe("grep", "-lE", rf'#include "(.*/)?{re.escape(Path(path).name)}"',
                               head, "--", str(Path(path).parent))
        known = any(name.search(text) for text in texts) or users
        tap.row(f"named by a Makefile: {path}",
                [] if known else [f"no Makefile has {Path(path).stem}.o"])


def run(tap, tree):
    series = claims(tap)
    if series is None:
        return
    fuzz(tap, tree, series)
    kbuild(tap, tree, series)
    checkpatch(tap, tree, series)
    kernel_doc(tap, tree, series)
