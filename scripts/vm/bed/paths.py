# SPDX-License-Identifier: GPL-2.0-only
"""Where things are: the checkout, its build folder, the user's cache."""

import os
import subprocess
import sys
import threading

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.abspath(os.environ.get("BUILD")
                        or os.path.join(TOP, "build"))
RESULTS = os.environ.get("RESULTS") or os.path.join(BUILD, "results")
PROFILES = os.path.join(TOP, "scripts", "vm", "profiles")
CACHE = os.path.abspath(os.environ.get("CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
    "dmabuf-pal"))

EXIT_FAIL = 1
EXIT_USAGE = 2
EXIT_NOT_HERE = 77


class BedError(Exception):
    """A clear one-line refusal with the exit status that goes with it."""

    def __init__(self, message, status=EXIT_USAGE):
        super().__init__(message)
        self.status = status


tools = {}              # command -> what it printed
tools_lock = threading.Lock()


def run_tool(argv, what):
    """Runs one of our scripts and returns the last line that it prints.

    They make something and say where it is. To look whether it is up to date may take
    more than a second, so it is done once: all tests of a run have the same.
    """
    with tools_lock:
        key = tuple(argv)
        if key not in tools:
            tools[key] = ask_tool(argv, what)
        return tools[key]


def ask_tool(argv, what):
    """Its progress goes to stderr, untouched, so that a long step is visible."""
    proc = subprocess.run(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          text=True)
    if proc.returncode:
        raise BedError(f"{what} failed ({' '.join(argv)}: "
                       f"exit {proc.returncode})",
                       proc.returncode if proc.returncode in
                       (EXIT_USAGE, EXIT_NOT_HERE) else EXIT_FAIL)
    lines = proc.stdout.strip().splitlines()
    return lines[-1] if lines else ""


def say(text):
    print(text, file=sys.stderr, flush=True)
