# SPDX-License-Identifier: GPL-2.0-only
"""
Patches to commits.

Everything happens in an index of its own, never in a work tree: an unfinished
or refused composition leaves no trace, and the checkout that follows rewrites
only files whose content differs, so the kernel's build stays incremental.
"""

import re
import tempfile
from pathlib import Path

from . import conf, git


def explain(patch, stderr):
    """git apply's complaint as one line per file, with patch and hunk."""
    lines = []
    for text in stderr.splitlines():
        m = re.match(r"error: patch failed: (.*):(\d+)$", text)
        if m:
            lines.append(f"{patch.name}: does not apply to {m[1]}: hunk at line {m[2]}")
            continue
        m = re.match(r"error: (.*): (patch does not apply|does not (?:match|exist) .*|"
                     r"already exists .*|No such file.*)$", text)
        if m and not any(f" {m[1]}:" in line for line in lines):
            lines.append(f"{patch.name}: does not apply to {m[1]}: {m[2]}")
            continue
        m = re.match(r"error: (.*)$", text)
        if m and not lines:
            lines.append(f"{patch.name}: {m[1]}")
    return list(dict.fromkeys(lines)) or [f"{patch.name}: does not apply: {stderr.strip()}"]


class Applier:
    """Applies patches one after the other onto `parent`, making commits."""

    def __init__(self, repo, parent, source, env=None):
        self.repo, self.source = repo, source
        self.parent = parent
        self.tmp = tempfile.TemporaryDirectory(prefix="dmabuf-pal-index-")
        self.env = {"GIT_INDEX_FILE": str(Path(self.tmp.name) / "index"), **(env or {})}
        self.loaded = None

    def close(self):
        self.tmp.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def _load(self):
        if self.loaded != self.parent:
            self.repo.run("read-tree", self.parent, env=self.env)
            self.loaded = self.parent

    def _existing(self, paths):
        out = self.repo.text("ls-files", "-z", "--", *(f":(literal){p}" for p in paths),
                             env=self.env)
        return [p for p in out.split("\0") if p]

    def check(self, patch, exclude=()):
        """Lines for what does not apply; empty when all of it does."""
        self._load()
        lines = [f"{patch.name}: creates {p}, which exists already"
                 for p in (self._existing(patch.claims) if patch.claims else [])]
        if patch.diff:
            try:
                self.repo.run("apply", "--cached", "--check",
                              *(f"--exclude={p}" for p in exclude), "-",
                              data=patch.diff, env=self.env)
            except git.GitError as e:
                lines += explain(patch, e.stderr)
        return lines

    def stage(self, patch, exclude=()):
        """Put the patch's edits and its new files into the index."""
        self._load()
        if patch.diff:
            try:
                self.repo.run("apply", "--cached", *(f"--exclude={p}" for p in exclude), "-",
                              data=patch.diff, env=self.env)
            except git.GitError as e:
                raise conf.Error(*explain(patch, e.stderr)) from None
        if patch.claims:
            paths = list(patch.claims)
            names = "\n".join(str(self.source / p) for p in paths)
            blobs = self.repo.text("hash-object", "-w", "--no-filters", "--stdin-paths",
                                   data=names.encode(), env=self.env).split()
            info = "".join(f"{patch.claims[p]} {b}\t{p}\n" for p, b in zip(paths, blobs))
            self.repo.run("update-index", "--add", "--index-info", data=info.encode(),
                          env=self.env)
        self.loaded = None

    def commit(self, message, number):
        tree = self.repo.text("write-tree", env=self.env)
        when = int(conf.get("SERIES_EPOCH")) + 60 * number
        self.parent = self.repo.text("commit-tree", tree, "-p", self.parent, "-F", "-",
                                     data=message.encode(),
                                     env={**self.env, **git.identity(when)})
        self.loaded = self.parent
        return self.parent

    def add(self, patch, number):
        """One patch as one commit."""
        self._load()
        taken = self._existing(patch.claims) if patch.claims else []
        if taken:
            raise conf.Error(*(f"{patch.name}: creates {p}, which exists already"
                               for p in taken))
        self.stage(patch)
        return self.commit(patch.message, number)
