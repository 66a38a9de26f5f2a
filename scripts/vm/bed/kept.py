# SPDX-License-Identifier: GPL-2.0-only
"""Host tests that depend on files of the checkout alone, and that these passed.

Such a test names what it reads ("# inputs: hw tests/hw $FUZZ_RUNS", the last an
environment variable). When it has passed, that is kept under a hash of these files, of
the kernels that it boots and of the compiler, as make check-series keeps what it found
of a patch. A run of the whole CI tier does not repeat it and says so; one with T= or
TIER=full always does.
"""

import hashlib
import os
import subprocess
import sys

from . import runner
from .paths import CACHE, TOP


def files_of(path):
    if os.path.isfile(path):
        return [path]
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if f != "__pycache__")
        found += [os.path.join(folder, name) for name in sorted(names)]
    return found


def marker(test):
    """Where it is noted that a test passed with what is here now."""
    compiler = os.environ.get("CC") or "gcc"
    parts = [test.name, sys.version, subprocess.run(
        [compiler, "--version"], capture_output=True, text=True).stdout]
    parts += [runner.find_kernel(kernel) for kernel in test.kernels()]
    digest = hashlib.sha256("\0".join(parts).encode())
    for name in test.inputs:
        if name.startswith("$"):
            digest.update(f"\0{name}={os.environ.get(name[1:])}".encode())
            continue
        for path in files_of(os.path.join(TOP, name)):
            digest.update(f"\0{os.path.relpath(path, TOP)}\0"
                          f"{os.access(path, os.X_OK)}\0".encode())
            with open(path, "rb") as file:
                digest.update(file.read())
    return os.path.join(CACHE, "host-tests", digest.hexdigest()[:20])


def note(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w"):
        pass
