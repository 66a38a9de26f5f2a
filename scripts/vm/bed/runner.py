# SPDX-License-Identifier: GPL-2.0-only
"""One run of one profile on one IOMMU: boots, listens, judges."""

import base64
import dataclasses
import gzip
import json
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import time

from . import compare, machine, models, picture, profile as profiles, rootfs
from .outside import Outside
from .paths import (RESULTS, TOP, BedError, EXIT_NOT_HERE, run_tool)
from .profile import parse_size
from .tap import Suite, judge, judge_compared
from .watch import HARMLESS, MESSAGES, TAINT_BAD, classify

TAIL = 60               # lines of the log shown on failure
LINGER = 20             # seconds for a report to end after its first line
MODEL_LINGER = 2        # the same for the guest when its GPU is gone
PORTS = ("console", "tests", "outside")


def run_name(profile, iommu):
    return profile.name if len(profile.iommu + profile.iommu_full) == 1 \
        else f"{profile.name}-{iommu}"


@dataclasses.dataclass
class Finding:
    kind: str
    detail: str

    def text(self):
        return f"{MESSAGES[self.kind]}: {self.detail}"


class Run:
    """State of one run; verdict() is what counts."""

    def __init__(self, profile, iommu, folder, echo=None):
        self.profile = profile
        self.iommu = iommu
        self.name = run_name(profile, iommu)
        self.folder = os.path.join(folder, self.name)
        self.echo = echo or (lambda row, suite: None)
        self.echo_line = lambda line: None
        self.outside = Outside({"bar": parse_size(profile.bar_size),
                                "disk": parse_size(profile.disk_size)})
        self.suites = {}
        self.current = None
        self.findings = []
        self.release = None
        self.taint = None
        self.done = False
        self.qemu_status = None
        self.buffers = dict.fromkeys(PORTS, b"")
        self.logs = {}
        self.tail = []
        self.seconds = 0.0
        self.limit_at = None
        self.proc = None
        self.control = None
        self.models = None
        self.broken = []        # models that failed

    def find(self, kind, detail):
        self.findings.append(Finding(kind, detail))

    # Lines from the three ports

    def on_console(self, line):
        self.tail = (self.tail + [line])[-TAIL:]
        kind = classify(line)
        if kind and not self.expected(line):
            # The rest of the report belongs into the log: wait for it a bit.
            if not self.findings and kind not in HARMLESS:
                self.limit_at = min(self.limit_at, time.monotonic() + LINGER)
            self.find(kind, line.strip())

    def expected(self, line):
        return any(re.search(text, line) for text in self.profile.may_say)

    def on_tests(self, line):
        if line.startswith("#@ "):
            self.on_frame(line.split())
            return
        if not self.current:
            return
        self.echo_line(line)
        row = self.current.feed(line)
        if row:
            if not self.profile.compare:
                self.echo(row, self.current)
            if self.profile.selftest == "kill":
                self.proc.send_signal(signal.SIGKILL)
            elif self.profile.selftest == "model":
                for model in self.models.all:
                    model.proc.send_signal(signal.SIGKILL)
            elif self.profile.selftest == "hang":
                self.limit_at = time.monotonic() + 2

    def on_frame(self, words):
        if words[1] == "ready":
            self.release = words[2]
        elif words[1] == "begin":
            self.current = self.suites.setdefault(words[2], Suite(words[2]))
            self.current.seconds = -time.monotonic()
        elif words[1] == "end" and self.current:
            self.current.end(int(words[3]))
            self.current.seconds += time.monotonic()
            self.current = None
        elif words[1] == "keep":
            self.keep(*words[2:])
        elif words[1] == "done":
            self.taint = int(words[2])
            self.done = True

    def keep(self, name, piece):
        """A piece of a file that a program in the VM leaves us."""
        with open(os.path.join(self.folder, os.path.basename(name)),
                  "ab") as file:
            file.write(base64.b64decode(piece))

    def unpack_tables(self):
        """What is for people to read is there as it is."""
        for name in os.listdir(self.folder):
            if name.endswith((".md.gz", ".png.gz")):
                path = os.path.join(self.folder, name)
                with gzip.open(path) as packed, \
                        open(path[:-len(".gz")], "wb") as file:
                    shutil.copyfileobj(packed, file)
                os.unlink(path)

    def on_outside(self, line):
        return (self.outside.answer(line) + "\n").encode() if line else b""

    def on_data(self, port, data, sock):
        self.logs[port].write(data)
        self.logs[port].flush()
        *lines, self.buffers[port] = (self.buffers[port] + data).split(b"\n")
        for raw in lines:
            line = raw.decode("utf-8", "replace").rstrip("\r")
            if port == "console":
                self.on_console(line)
            elif port == "tests":
                self.on_tests(line)
            else:
                sock.sendall(self.on_outside(line))

    # The run

    def boot(self):
        """Starts QEMU; returns the host's ends of the three ports."""
        profile = self.profile
        kernel = find_kernel(profile.kernel)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        initrd = os.path.join(self.folder, "initrd.cpio")
        rootfs.make(profile, self.iommu, initrd, kernel,
                    inner=profile.inner and find_kernel(profile.inner))
        self.models = models.Models(profile, self.folder)
        pairs = {port: socket.socketpair() for port in PORTS + ("control",)}
        areas = self.outside.areas
        argv = machine.command(
            profile, self.iommu, kernel, initrd, areas,
            [f"socket,fd={pairs[p][1].fileno()}" for p in PORTS],
            f"socket,fd={pairs['control'][1].fileno()}", self.models.all)
        with open(os.path.join(self.folder, "command"), "w") as file:
            file.write(" ".join(argv) + "\n")
        for port in PORTS:
            self.logs[port] = open(os.path.join(
                self.folder, f"{port}.log"), "wb")
        self.logs["qemu"] = open(os.path.join(self.folder, "qemu.log"), "wb")
        self.models.start()
        self.proc = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=self.logs["qemu"],
            stderr=subprocess.STDOUT,
            pass_fds=[pair[1].fileno() for pair in pairs.values()]
            + [a.fd for a in areas.values()])
        for pair in pairs.values():
            pair[1].close()
        self.control = pairs.pop("control")[0]
        return {port: pair[0] for port, pair in pairs.items()}

    def run(self):
        socks = self.boot()
        # What had to be built first is not the VM's time.
        start = time.monotonic()
        self.limit_at = start + self.profile.time_limit
        try:
            self.listen(socks)
        finally:
            self.stop()
            self.broken = self.models.finish()
            self.drain(socks)
            for sock in [*socks.values(), self.control]:
                sock.close()
            for log in self.logs.values():
                log.close()
            self.unpack_tables()
        os.unlink(os.path.join(self.folder, "initrd.cpio"))
        self.seconds = time.monotonic() - start
        self.judge()
        self.save()
        return not self.findings

    def listen(self, socks):
        """Until every port is closed (QEMU ended), the end, or the limit."""
        selector = selectors.DefaultSelector()
        for port, sock in socks.items():
            selector.register(sock, selectors.EVENT_READ, port)
        for model in self.models.all:
            selector.register(model.pidfd, selectors.EVENT_READ, model)
        open_ports = len(socks)
        while open_ports and not self.done:
            left = self.limit_at - time.monotonic()
            if left <= 0:
                if not self.findings and not self.models.lost():
                    self.find("hang", self.hang_detail())
                    self.where(socks["console"])
                return
            for key, _ in selector.select(left):
                if key.data not in PORTS:
                    selector.unregister(key.fileobj)
                    self.on_model_end(key.data)
                elif not self.receive(key.data, key.fileobj):
                    selector.unregister(key.fileobj)
                    open_ports -= 1

    def receive(self, port, sock):
        """False when the port was closed."""
        try:
            data = sock.recv(65536)
        except ConnectionResetError:
            return False
        if data:
            self.on_data(port, data, sock)
        return bool(data)

    def on_model_end(self, model):
        """What the guest still has to say about it belongs into the log."""
        try:
            self.proc.wait(MODEL_LINGER)
        except subprocess.TimeoutExpired:
            model.early = True
            self.limit_at = min(self.limit_at,
                                time.monotonic() + MODEL_LINGER)

    def where(self, console):
        """Asks a kernel that hangs, by SysRq, where everybody is."""
        console.settimeout(2)
        self.control.settimeout(2)
        try:
            self.qmp("qmp_capabilities")
            for key in b"lw":
                self.qmp("chardev-send-break", id="s0")
                console.sendall(bytes([key]))
                self.until_quiet(console)
        except OSError as err:
            self.tail.append(f"(no answer to SysRq: {err})")

    def until_quiet(self, console):
        console.settimeout(1)
        try:
            while data := console.recv(65536):
                self.on_data("console", data, console)
        except TimeoutError:
            pass

    def qmp(self, verb, **arguments):
        self.control.sendall(json.dumps(
            {"execute": verb, "arguments": arguments}).encode() + b"\n")
        reply = b""
        while b'"return"' not in reply and b'"error"' not in reply:
            data = self.control.recv(4096)
            if not data:
                return
            reply += data

    def hang_detail(self):
        where = f"in {self.current.name}" if self.current else \
            "between tests" if self.release else "before the first test"
        rows = self.current.rows if self.current else []
        last = f", last row: {rows[-1].name}" if rows else ""
        return f"no end within {self.profile.time_limit} s ({where}{last})"

    def stop(self):
        """Ends our QEMU, and notes it if it had ended on its own."""
        if self.done or self.models.lost() or \
                any(f.kind == "hang" for f in self.findings):
            if self.proc.poll() is None:
                self.proc.kill()
            self.proc.wait()
            return
        try:
            # Its ports are closed, so it is on its way out.
            self.qemu_status = self.proc.wait(
                max(1.0, self.limit_at - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()

    def drain(self, socks):
        """QEMU is gone; the end of a report may still be in the sockets."""
        sock = socks["console"]
        sock.setblocking(False)
        try:
            while data := sock.recv(65536):
                self.on_data("console", data, sock)
        except (BlockingIOError, ConnectionResetError):
            pass

    def judge(self):
        # First, since what the guest says is a consequence.
        self.findings[:0] = [Finding("model", bad) for _, bad in self.broken]
        if not self.done and not self.findings:
            if self.qemu_status:
                self.find("qemu", self.qemu_detail())
            elif not self.release:
                self.find("boot", "QEMU ended before the first test")
            else:
                self.find("stopped", "no sign of the end, QEMU exited with 0")
        stopped = bool(self.findings)
        for step in self.profile.step:
            suite = self.suites.get(step.name)
            if suite is None or suite.status is None:
                self.find("missing", f"{step.name}: did not "
                          + ("finish" if suite else "run"))
                continue
            way = judge_compared if self.profile.compare else judge
            for kind, detail in way(suite, step):
                self.find(kind, detail)
        if self.done and self.taint & TAINT_BAD and not stopped:
            self.find("taint", f"/proc/sys/kernel/tainted is {self.taint}")
        if self.done and self.outside.passed() < self.profile.outside_checks:
            self.find("outside", f"{self.outside.passed()} passed, at least "
                      f"{self.profile.outside_checks} expected")

        for spec in self.profile.pictures if self.done else ():
            wrong = picture.wrong(self.folder, spec, self.outside.areas)
            if wrong:
                self.find("picture", wrong)

    def qemu_detail(self):
        status = self.qemu_status
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        with open(os.path.join(self.folder, "qemu.log"),
                  errors="replace") as file:
            said = file.read().strip().splitlines()
        return how + (f": {said[-1]}" if said else "")

    def rows(self):
        return [(suite, row) for suite in self.suites.values()
                for row in suite.rows]

    def save(self):
        count = {"passed": 0, "failed": 0, "skipped": 0}
        for _, row in self.rows():
            count[row.outcome] += 1
        data = {
            "name": self.name, "profile": self.profile.name,
            "iommu": self.iommu, "kernel": self.profile.kernel,
            "release": self.release, "seconds": round(self.seconds, 1),
            "verdict": "fail" if self.findings else "pass",
            "findings": [dataclasses.asdict(f) for f in self.findings],
            "count": count, "outside_checks": self.outside.passed(),
            "outside": [{"request": q, "answer": a}
                        for q, a in self.outside.log],
            "suites": [{"name": s.name, "status": s.status,
                        "seconds": round(max(s.seconds, 0), 1),
                        "rows": [dataclasses.asdict(r) for r in s.rows]}
                       for s in self.suites.values()],
        }
        with open(os.path.join(self.folder, "result.json"), "w") as file:
            json.dump(data, file, indent=1)

        if self.profile.compare:
            other = profiles.load(self.profile.compare)
            compare.write(self.folder, data, run_name(other, self.iommu))

    def complain(self):
        """What a failure looks like: each finding, then the log's tail."""
        lines = [f"# FAIL {self.name}: {f.text()}" for f in self.findings[:12]]
        if len(self.findings) > 12:
            lines.append(f"# and {len(self.findings) - 12} more findings")
        for model, _ in self.broken:
            lines.append(f"# last lines of {model.log_path}:")
            lines += [f"#   {line}" for line in model.tail()]
        lines.append(f"# last lines of {self.folder}/console.log:")
        return lines + [f"#   {line}" for line in self.tail[-TAIL:]]


def find_kernel(name):
    """$BZIMAGE, or the one that scripts/kernel/build provides."""
    if os.environ.get("BZIMAGE"):
        return os.environ["BZIMAGE"]
    folder = run_tool([os.path.join(TOP, "scripts", "kernel", "build"), name],
                      f"building kernel '{name}'")
    path = os.path.join(folder, "bzImage")
    if not os.path.isfile(path):
        raise BedError(f"no kernel '{name}' at {path}", EXIT_NOT_HERE)
    return path


def run_profile(profile, iommus=None, folder=RESULTS, echo=None):
    """Runs a profile on each of its IOMMUs; yields the finished runs."""
    for iommu in iommus or profile.iommu:
        run = Run(profile, iommu, folder, echo)
        run.run()
        yield run
