# SPDX-License-Identifier: GPL-2.0-only
"""
`make tree`: base + series -> build/linux, one commit per patch.

build/linux borrows the base's objects from the cache.  What the composer made
is remembered in build/linux/.git/dmabuf-pal.json: by it the composer tells
its own commits from work of the user, which it never throws away.
"""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from . import apply, base, conf, git, patches

STATE = "dmabuf-pal.json"


class Tree:
    """The composed tree and the composer's memory of it."""

    def __init__(self, top=None):
        self.top = Path(top) if top else conf.build() / "linux"
        self.git = git.Git(self.top)
        self.file = self.git.dir / STATE
        self.state = {}
        if self.file.exists():
            try:
                self.state = json.loads(self.file.read_text())
            except ValueError:
                raise conf.Error(f"{self.file}: damaged; move {self.top} away and call"
                                 " again") from None

    def save(self, **changes):
        self.state.update(changes)
        conf.write_atomic(self.file, json.dumps(self.state, indent=1) + "\n")

    def borrow(self, store):
        """Make the objects of the store visible here; heals a moved cache."""
        info = self.git.dir / "objects" / "info" / "alternates"
        want = f"{store.dir / 'objects'}\n"
        if not info.exists() or info.read_text() != want:
            conf.write_atomic(info, want)

    def create(self, store):
        if self.git.dir.is_dir():
            self.borrow(store)
            return
        if self.top.exists() and any(self.top.iterdir()):
            raise conf.Error(f"{self.top}: exists and is no composed tree; move it away")
        conf.need_space(self.top.parent, 2200, "the composed kernel tree")
        self.top.mkdir(parents=True, exist_ok=True)
        tmp = self.top / ".git.tmp"
        shutil.rmtree(tmp, ignore_errors=True)
        subprocess.run(["git", "init", "-q", f"--separate-git-dir={tmp}", self.top],
                       check=True, env=git.environment(), cwd=self.top)
        (self.top / ".git").unlink()
        (tmp / "HEAD").write_text(f"ref: refs/heads/{conf.get('SERIES_BRANCH')}\n")
        fixed = git.Git(self.top, git_dir=tmp)
        fixed.maybe("config", "--unset", "core.worktree")
        for key, value in (("core.autocrlf", "false"), ("core.fileMode", "true"),
                           ("gc.auto", "0"), ("user.name", conf.get("SERIES_NAME")),
                           ("user.email", conf.get("SERIES_EMAIL"))):
            fixed.run("config", key, value)
        (tmp / "objects" / "info" / "alternates").write_text(f"{store.dir / 'objects'}\n")
        tmp.rename(self.top / ".git")
        self.save(pending=True)

    def user_work(self):
        """Why the tree must not be overwritten, or None."""
        head = self.git.commit_id("HEAD")
        if self.state.get("pending") or head is None:
            return None
        dirty = self.git.text("status", "--porcelain", "--untracked-files=no").splitlines()
        if dirty:
            return f"{self.top}: {dirty[0][3:]} has changes that are not committed"
        if head in (self.state.get("composed"), self.state.get("exported")):
            return None
        if not self.state.get("composed"):
            return f"{self.top}: has commits that were not made by the composer"
        count = self.git.maybe("rev-list", "--count", f"{self.state['composed']}..{head}")
        return f"{self.top}: {count or 'some'} commit(s) are not exported"

    def in_the_way(self, commit):
        """A file of the user's that the checkout would replace, or None."""
        head = self.git.commit_id("HEAD")
        if self.state.get("pending") or head is None:
            return None
        added = self.git.text("diff", "--name-only", "--no-renames", "--diff-filter=A", "-z",
                              head, commit).split("\0")
        for path in filter(None, added):
            full = self.top / path
            if os.path.lexists(full) and (full.is_symlink() or not full.is_file() or
                                          full.read_bytes() != self.git.blob(commit, path)):
                return f"{self.top}: {path} would be overwritten and is not committed"
        return None

    def rescue(self):
        """FORCE=1: keep what is about to go under refs/saved/."""
        head = self.git.commit_id("HEAD")
        when = int(conf.get("SERIES_EPOCH"))
        stash = self.git.text("stash", "create", env=git.identity(when)) or head
        number = len(self.git.text("for-each-ref", "refs/saved/").splitlines()) + 1
        self.git.run("update-ref", f"refs/saved/{number}", stash)
        conf.say(f"FORCE=1: the tree's work is kept as refs/saved/{number} ({stash[:12]})")
        self.save(pending=True)

    def checkout(self, commit, commit_of_base):
        self.save(pending=True)
        (self.git.dir / "index.lock").unlink(missing_ok=True)
        branch = f"refs/heads/{conf.get('SERIES_BRANCH')}"
        self.git.run("symbolic-ref", "HEAD", branch)
        self.git.run("update-ref", branch, commit)
        self.git.run("reset", "-q", "--hard", commit)
        self.git.run("update-ref", "refs/tags/base", commit_of_base)


def memo_keys(commit_of_base, series):
    """A key for each prefix of the series: what its last commit depends on."""
    h = hashlib.sha256(commit_of_base.encode())
    keys = []
    for patch in series:
        h.update(patches.patch_digest(patch, conf.REPO))
        keys.append(h.hexdigest())
    return keys


def build_commits(tree, commit_of_base, series):
    """Commit ids of the series; those made before are found again by key."""
    keys = memo_keys(commit_of_base, series)
    memo = tree.state.get("memo", {})
    ids = []
    for key in keys:
        known = memo.get(key)
        if not known or not tree.git.has(known):
            break
        ids.append(known)
    fresh = len(series) - len(ids)
    progress = conf.Progress("compose")
    with apply.Applier(tree.git, ids[-1] if ids else commit_of_base, conf.REPO) as applier:
        for number in range(len(ids), len(series)):
            progress.tick(f"patch {number + 1} of {len(series)}")
            ids.append(applier.add(series[number], number + 1))
    return ids, dict(zip(keys, ids)), fresh


def compose():
    series = patches.load()
    version, commit_of_base = base.ensure()
    conf.build().mkdir(parents=True, exist_ok=True)
    with conf.lock(conf.build() / ".tree.lock"):
        tree = Tree()
        tree.create(base.store())
        if not tree.git.has(f"{commit_of_base}^{{tree}}"):
            raise conf.Error(f"{conf.cache() / 'base.git'}: damaged; remove it and call again")
        inputs = f"{commit_of_base} {patches.digest(series)}"
        why = tree.user_work()
        unchanged = tree.state.get("inputs") == inputs and not tree.state.get("pending")
        if unchanged and not why and tree.git.commit_id("HEAD") == tree.state.get("composed"):
            report(tree, version, series, tree.state["composed"], "unchanged")
            return 0
        ids, memo, fresh = build_commits(tree, commit_of_base, series)
        commit = ids[-1] if ids else commit_of_base
        head = tree.git.commit_id("HEAD")
        if why and "not committed" not in why and head and \
                tree.git.tree_id(head) == tree.git.tree_id(commit):
            why = None
        blocked = None if why else tree.in_the_way(commit)
        if blocked:
            raise conf.Error(f"{blocked}: git add -f and commit it, or move it away")
        if why:
            if not conf.flag("FORCE"):
                raise conf.Error(f"{why}: run `make export-series` first, or FORCE=1 make tree")
            tree.rescue()
        if head is None:
            conf.say(f"checkout: {tree.top}")
        tree.checkout(commit, commit_of_base)
        tree.save(pending=False, inputs=inputs, composed=commit, base=commit_of_base,
                  exported=None, version=version, memo=memo)
        report(tree, version, series, commit, f"{fresh} of {len(series)} patches composed")
    return 0


def report(tree, version, series, commit, what):
    recorded = conf.build() / "base-version"
    text = f"{version} {tree.state['base']}\n"
    if not recorded.exists() or recorded.read_text() != text:
        conf.write_atomic(recorded, text)
    conf.say(f"base: {conf.get('BASE_PACKAGE')} {version}")
    conf.say(f"tree: {os.path.relpath(tree.top, conf.REPO)} at {commit[:12]}, base + {len(series)} patches ({what})")
