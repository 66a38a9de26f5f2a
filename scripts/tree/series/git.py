# SPDX-License-Identifier: GPL-2.0-only
"""Plumbing commands of git in an environment that no user setting reaches."""

import os
import subprocess
import tempfile
from pathlib import Path

from . import conf

# Settings that would change object ids or diff text.  They go through the
# environment because an option would have to be repeated at every call.
_CONFIG = {
    "core.autocrlf": "false",
    "core.eol": "lf",
    "core.fileMode": "true",
    "core.quotePath": "false",
    "core.logAllRefUpdates": "true",
    "i18n.commitEncoding": "UTF-8",
    "i18n.logOutputEncoding": "UTF-8",
    "apply.whitespace": "nowarn",
    "apply.ignoreWhitespace": "no",
    "advice.detachedHead": "false",
    "diff.suppressBlankEmpty": "false",
    "diff.interHunkContext": "0",
    "gc.auto": "0",
    "safe.directory": "*",
}


def environment():
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env.update(LC_ALL="C", GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null",
               GIT_TERMINAL_PROMPT="0", GIT_CONFIG_COUNT=str(len(_CONFIG)))
    for i, (key, value) in enumerate(_CONFIG.items()):
        env[f"GIT_CONFIG_KEY_{i}"] = key
        env[f"GIT_CONFIG_VALUE_{i}"] = value
    return env


def identity(seconds):
    """The fixed author and committer at a fixed time."""
    env = {}
    for role in ("AUTHOR", "COMMITTER"):
        env[f"GIT_{role}_NAME"] = conf.get("SERIES_NAME")
        env[f"GIT_{role}_EMAIL"] = conf.get("SERIES_EMAIL")
        env[f"GIT_{role}_DATE"] = f"{seconds} +0000"
    return env


class GitError(conf.Error):
    def __init__(self, args, stderr):
        self.stderr = stderr
        text = "; ".join(line for line in stderr.splitlines() if line.strip())
        super().__init__(f"git {args[0]}: {text or 'failed'}")


class Git:
    """One repository; `index` and `objects` may be redirected elsewhere."""

    def __init__(self, top, bare=False, git_dir=None):
        self.top = Path(top)
        self.dir = Path(git_dir) if git_dir else (self.top if bare else self.top / ".git")
        self.env = environment()
        self.env["GIT_DIR"] = str(self.dir)
        if not bare:
            self.env["GIT_WORK_TREE"] = str(self.top)

    def run(self, *args, data=None, ok=(0,), env=None, show=False):
        """Run git and return its standard output as bytes."""
        p = subprocess.run(["git", *map(str, args)], cwd=self.top, input=data,
                           stdin=subprocess.DEVNULL if data is None else None,
                           stdout=subprocess.PIPE,
                           stderr=None if show else subprocess.PIPE,
                           env={**self.env, **(env or {})})
        if p.returncode not in ok:
            raise GitError(args, (p.stderr or b"").decode(errors="replace"))
        return p.stdout

    def text(self, *args, **kw):
        return self.run(*args, **kw).decode(errors="surrogateescape").rstrip("\n")

    def maybe(self, *args, **kw):
        """Like text(), None when the command fails."""
        try:
            return self.text(*args, **kw)
        except GitError:
            return None

    def commit_id(self, rev):
        return self.maybe("rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}")

    def tree_id(self, rev):
        return self.text("rev-parse", "--verify", f"{rev}^{{tree}}")

    def has(self, oid):
        return self.maybe("cat-file", "-e", oid) is not None

    def blob(self, rev, path):
        return self.run("cat-file", "blob", f"{rev}:{path}")


def open_tree(top, what):
    """The repository whose top folder is `top`, linked work trees included."""
    top = Path(top).resolve()
    if not top.is_dir():
        raise conf.Error(f"{what}: no such folder")
    p = subprocess.run(["git", "rev-parse", "--absolute-git-dir", "--is-bare-repository",
                        "--show-prefix"], cwd=top, env=environment(), capture_output=True,
                       text=True)
    lines = p.stdout.split("\n")
    if p.returncode or len(lines) < 3:
        raise conf.Error(f"{what}: is no git tree")
    if lines[1] != "true" and lines[2]:
        raise conf.Error(f"{what}: is no git tree of its own, only a folder inside of one")
    return Git(top, bare=lines[1] == "true", git_dir=lines[0])


def mailinfo(patch):
    """Split one mail into (headers, message, rest) with git's own parser."""
    with tempfile.TemporaryDirectory() as tmp:
        msg, rest = Path(tmp) / "msg", Path(tmp) / "rest"
        p = subprocess.run(["git", "mailinfo", "-b", "--no-scissors", msg, rest],
                           input=patch, capture_output=True, env=environment(), cwd=tmp)
        if p.returncode:
            raise conf.Error(p.stderr.decode(errors="replace").strip())
        headers = {}
        for line in p.stdout.decode(errors="replace").splitlines():
            key, _, value = line.partition(": ")
            headers[key] = value
        return headers, msg.read_text(encoding="utf-8"), rest.read_bytes()
