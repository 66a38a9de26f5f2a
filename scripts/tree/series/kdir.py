# SPDX-License-Identifier: GPL-2.0-only
"""
`KDIR=path make tree`: the series on a tree of the user's own.

The commits are made in an index and an object folder outside of that tree.
Only when every patch applied do the objects move in and a branch appear; the
branch that is checked out, its index and its work tree are never touched.
"""

import os
import tempfile
from pathlib import Path

from . import apply, conf, git, patches


def conflicts(applier, series):
    """(lines, patches that apply): a file in conflict is left out from then on."""
    lines = []
    lost = {}
    good = 0
    for patch in series:
        follow = [p for p in dict.fromkeys(patch.edits) if p in lost]
        lines += [f"{patch.name}: also changes {p}, in conflict since {lost[p]}"
                  for p in follow]
        bad = applier.check(patch, exclude=lost)
        lines += bad
        for path in [*patch.edits, *patch.claims]:
            if any(f" {path}:" in line or f" {path}," in line for line in bad):
                lost.setdefault(path, patch.name)
        left = applier.check(patch, exclude=lost) if bad else []
        left = [line for line in left if line not in bad]
        if left:
            return lines + left + ["the patches after this one were not tried"], good
        applier.stage(patch, exclude=lost)
        applier.parent = applier.loaded = applier.repo.text("write-tree", env=applier.env)
        good += not bad and not follow
    return lines, good


def move_in(repo, env, base, commit):
    """Copy the objects of base..commit into the user's repository."""
    names = repo.run("rev-list", "--objects", commit, f"^{base}", env=env)
    pack = repo.run("pack-objects", "--stdout", "--quiet", data=names, env=env)
    repo.run("unpack-objects", "-q", data=pack)


def branch_for(repo):
    name = os.environ.get("KBRANCH") or conf.get("SERIES_BRANCH")
    if repo.maybe("check-ref-format", "--branch", name) is None:
        raise conf.Error(f"KBRANCH={name}: is no branch name")
    return name


def refuse_branch(repo, kdir, name, commit):
    """A branch of that name is replaced on demand only, never under a checkout."""
    old = repo.commit_id(f"refs/heads/{name}")
    if old is None or old == commit:
        return
    ref = f"branch refs/heads/{name}"
    if ref in repo.text("worktree", "list", "--porcelain").splitlines():
        raise conf.Error(f"KDIR={kdir}: branch {name} is checked out; use KBRANCH=other")
    if not conf.flag("FORCE"):
        raise conf.Error(f"KDIR={kdir}: branch {name} exists ({old[:12]});"
                         " use KBRANCH=other, or FORCE=1 to replace it")
    repo.run("update-ref", f"refs/saved/{name}/{old[:12]}", old)
    conf.say(f"FORCE=1: the old branch is kept as refs/saved/{name}/{old[:12]}")


def apply_to(kdir):
    repo = git.open_tree(kdir, f"KDIR={kdir}")
    head = repo.commit_id(os.environ.get("KBASE") or "HEAD")
    if head is None:
        raise conf.Error(f"KDIR={kdir}: has no commit {os.environ.get('KBASE') or 'HEAD'}")
    if repo.maybe("cat-file", "-e", f"{head}:Kbuild") is None:
        raise conf.Error(f"KDIR={kdir}: {head[:12]} is no kernel tree (no Kbuild at the top)")
    series = patches.load()
    if not series:
        raise conf.Error("patches/series is empty: nothing to apply")
    name = branch_for(repo)
    objects = Path(repo.text("rev-parse", "--git-path", "objects"))
    objects = objects if objects.is_absolute() else repo.top / objects
    with tempfile.TemporaryDirectory(prefix="dmabuf-pal-objects-") as tmp:
        env = {"GIT_OBJECT_DIRECTORY": tmp, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)}
        with apply.Applier(repo, head, conf.REPO, env=env) as trial:
            lines, good = conflicts(trial, series)
        if lines:
            raise conf.Error(f"KDIR={kdir}: {good} of {len(series)} patches apply to"
                             f" {head[:12]}; the tree is untouched. In conflict:", *lines)
        with apply.Applier(repo, head, conf.REPO, env=env) as applier:
            for number, patch in enumerate(series, 1):
                applier.add(patch, number)
        commit = applier.parent
        refuse_branch(repo, kdir, name, commit)
        move_in(repo, env, head, commit)
    repo.run("update-ref", f"refs/heads/{name}", commit)
    conf.say(f"{repo.top}: branch {name} at {commit[:12]}, {head[:12]} + {len(series)} patches;"
             " the checked-out branch is untouched")
    return 0
