# SPDX-License-Identifier: GPL-2.0-only
"""The software GPUs: one server process a device, which QEMU talks to.

A model listens on a UNIX socket in the run's folder, speaks vfio-user and ends
when QEMU does. Its exit status is part of the run's verdict, and what it writes
is kept in the run's folder as DEVICE.log.
"""

import json
import os
import shlex
import subprocess
import threading

from .paths import EXIT_FAIL, TOP, BedError, run_tool

# device -> program of build/hw, and the variable that names another command
PROGRAMS = {"xe": ("xe-vf", "XE_MODEL"), "xe2": ("xe-vf", "XE_MODEL"),
            "amdgpu": ("amdgpu-bonaire", "AMDGPU_MODEL"),
            "amdgpu2": ("amdgpu-bonaire", "AMDGPU_MODEL")}

# driver -> what its options file says: the model has no more blocks than these
OPTIONS = {"amdgpu": "options amdgpu ip_block_mask=0x1f\n"}

START_LIMIT = 20        # seconds until it listens
END_LIMIT = 15          # seconds until it ends after QEMU
SOCKET_LIMIT = 107      # bytes of a UNIX socket's path
# QEMU gives up on a model after this many milliseconds without an answer, and
# then ends. Its own default is short for sanitizers on a busy machine.
ANSWER_LIMIT = 30000
TELLING = ("ERROR:", "SUMMARY:", "runtime error:", "Assertion", "fatal")


def wanted(profile):
    return [kind for kind in profile.devices if kind in PROGRAMS]


def driver(kind):
    """xe2 is a second xe."""
    return kind.rstrip("2")


def build_folder(sanitize):
    return run_tool([os.path.join(TOP, "scripts", "hw-build")]
                    + (["asan"] if sanitize else []), "building the models")


def command(kind, sanitize):
    program, variable = PROGRAMS[kind]
    if os.environ.get(variable):
        return shlex.split(os.environ[variable])
    return [os.path.join(build_folder(sanitize), program)]


def guest_files(profile):
    """What the drivers want to have: path in the VM -> bytes."""
    files = {}
    for name in sorted({driver(kind) for kind in wanted(profile)}):
        if name in OPTIONS:
            files[f"etc/modprobe.d/{name}.conf"] = OPTIONS[name].encode()
        folder = os.path.join(build_folder(profile.sanitize), "firmware", name)
        if not os.path.isdir(folder):
            continue
        for entry in sorted(os.listdir(folder)):
            with open(os.path.join(folder, entry), "rb") as file:
                files[f"lib/firmware/{name}/{entry}"] = file.read()
    return files


def trace_args():
    """TRACE=1 is everything, TRACE=guc,cmd these categories."""
    trace = os.environ.get("TRACE") or "0"
    if trace == "0":
        return []
    return ["--trace", "all" if trace == "1" else trace]


class Model:
    """One model of a run, from before QEMU starts until after it has ended."""

    def __init__(self, kind, profile, folder):
        self.kind = kind
        self.socket = os.path.join(folder, f"{kind}.sock")
        self.log_path = os.path.join(folder, f"{kind}.log")
        if len(os.fsencode(self.socket)) > SOCKET_LIMIT:
            raise BedError(f"{self.socket}: longer than the {SOCKET_LIMIT} "
                           "bytes of a socket's path; set RESULTS=")
        self.argv = command(kind, profile.sanitize) + [
            "--socket", self.socket] + shlex.split(profile.model_args(kind)) \
            + trace_args()
        self.log = open(self.log_path, "wb")
        self.proc = self.pidfd = self.reader = None
        self.said = threading.Event()   # that it listens, or its last word
        self.listens = False
        self.early = False      # ended while QEMU ran

    def start(self):
        try:
            self.proc = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=self.log)
        except OSError as err:
            raise BedError(f"{self.argv[0]}: {err.strerror}") from None
        self.pidfd = os.pidfd_open(self.proc.pid)
        self.reader = threading.Thread(target=self.copy, daemon=True)
        self.reader.start()
        self.said.wait(START_LIMIT)
        if not self.listens:
            raise BedError(f"{self.kind}: the model did not get ready: "
                           f"{self.last_words()}", EXIT_FAIL)

    def copy(self):
        """It says so on its standard output once it listens."""
        with self.proc.stdout as lines:
            for line in lines:
                if line == b"ready\n":
                    self.listens = True
                    self.said.set()
                else:
                    os.write(self.log.fileno(), line)
        self.said.set()

    def qemu_args(self, address):
        return ["-device", json.dumps({
            "driver": "vfio-user-pci", "addr": address,
            "x-msg-timeout": ANSWER_LIMIT,
            "socket": {"type": "unix", "path": self.socket}})]

    def kill(self):
        if self.proc:
            self.proc.kill()
            self.finish()

    def finish(self):
        """Waits until it has ended; None, or what was wrong with it."""
        late = False
        try:
            self.proc.wait(END_LIMIT)
        except subprocess.TimeoutExpired:
            late = True
            self.proc.kill()
            self.proc.wait()
        self.reader.join()
        self.log.close()
        os.close(self.pidfd)
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        status = self.proc.returncode
        if late:
            return f"{self.kind}: still there {END_LIMIT} s after QEMU's end"
        if status:
            how = f"signal {-status}" if status < 0 else \
                f"exit status {status}"
            return f"{self.kind}: {how}: {self.last_words()}"
        return f"{self.kind}: ended before QEMU" if self.early else None

    def tail(self, count=15):
        with open(self.log_path, errors="replace") as file:
            return file.read().splitlines()[-count:]

    def last_words(self):
        """The line that tells most: a sanitizer's report ends in padding."""
        lines = [line.strip() for line in self.tail(200) if line.strip()]
        for line in lines:
            if any(word in line for word in TELLING):
                return line
        return lines[-1] if lines else "it said nothing"


class Models:
    """The models of one run."""

    def __init__(self, profile, folder):
        self.all = [Model(kind, profile, folder) for kind in wanted(profile)]

    def start(self):
        try:
            for model in self.all:
                model.start()
        except BedError:
            for model in self.all:
                model.kill()
            raise

    def lost(self):
        return any(model.early for model in self.all)

    def finish(self):
        """(model, what was wrong with it) for those that failed."""
        return [(model, bad) for model in self.all if (bad := model.finish())]
