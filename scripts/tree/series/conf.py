# SPDX-License-Identifier: GPL-2.0-only
"""Settings of base.mk, places on disk, locks and the way errors are told."""

import contextlib
import fcntl
import os
import re
import shutil
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]


class Error(Exception):
    """One or more lines that name what was wrong."""

    def __init__(self, *lines):
        super().__init__("\n".join(lines))
        self.lines = lines


def _read_base_mk():
    values = {}
    for line in (REPO / "base.mk").read_text().splitlines():
        m = re.match(r"([A-Z_]+)\s*[:?]?=\s*(.*?)\s*$", line)
        if m:
            values[m[1]] = os.environ.get(m[1], m[2])
    return values


_VALUES = _read_base_mk()


def get(name):
    return _VALUES[name]


def words(name):
    return _VALUES[name].split()


def flag(name):
    return os.environ.get(name, "") not in ("", "0", "n", "no")


def cache():
    top = os.environ.get("CACHE")
    if top:
        return Path(top).resolve()
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base).resolve() / "dmabuf-pal"


def build():
    return Path(os.environ.get("BUILD") or REPO / "build").resolve()


def say(text):
    print(text, flush=True)


def run_main(main):
    """Run main(argv): errors become `error: ...` lines and exit status 2."""
    try:
        sys.exit(main(sys.argv[1:]) or 0)
    except Error as e:
        for line in e.lines:
            print(f"error: {line}", file=sys.stderr)
    except OSError as e:
        where = f" ({e.filename})" if e.filename else ""
        print(f"error: {e.strerror or e}{where}", file=sys.stderr)
    except KeyboardInterrupt:
        print("error: interrupted; the next call continues", file=sys.stderr)
        sys.exit(130)
    sys.exit(2)


def need_space(path, mib, what):
    """Say so before the work starts rather than in the middle of it."""
    path.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(path).free >> 20
    if free < mib:
        raise Error(f"{path}: {free} MiB free, {what} needs {mib} MiB")


def write_atomic(path, data, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        tmp.write_bytes(data if isinstance(data, bytes) else data.encode())
        tmp.chmod(mode)
        os.replace(tmp, path)
    finally:
        tmp.unlink(missing_ok=True)


@contextlib.contextmanager
def lock(path):
    """Hold an exclusive lock; the kernel drops it when the holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another call that holds {path}")
            fcntl.flock(f, fcntl.LOCK_EX)
        yield


class Progress:
    """A line with the elapsed time every few seconds of a long step."""

    def __init__(self, what, every=5.0):
        self.what = what
        self.every = 0.5 if sys.stderr.isatty() else every
        self.start = self.last = time.monotonic()

    def elapsed(self):
        return time.monotonic() - self.start

    def tick(self, text):
        now = time.monotonic()
        if now - self.last < self.every:
            return
        self.last = now
        line = f"  {self.what}: {text}, {self.elapsed():.0f} s"
        if sys.stderr.isatty():
            print(f"\r{line}\033[K", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def done(self, text):
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
        say(f"{self.what}: {text} ({self.elapsed():.0f} s)")
