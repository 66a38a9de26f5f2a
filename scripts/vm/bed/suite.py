# SPDX-License-Identifier: GPL-2.0-only
"""make test: the list of tests, their order, TAP, JUnit and the count.

An item is either an executable tests/NAME/run on the host, which prints TAP or
just has an exit status, or a profile on one IOMMU. A host test says what it needs
in comments at its top: "# tier: full", "# time-limit: 300",
"# may-skip: REGEX", "# kernels: NAME NAME" (made before it starts).
"""

import dataclasses
import glob
import os
import re
import subprocess
import threading
import time
import xml.etree.ElementTree as xml

from . import profile as profiles, runner
from .paths import RESULTS, TOP, BedError
from .tap import Row, Suite, judge

TIERS = ("ci", "full")
HOST_LIMIT = 300


@dataclasses.dataclass
class Result:
    name: str
    rows: list                  # (suite name, Row)
    findings: list              # lines of text
    seconds: float
    tail: list


class HostTest:
    """tests/NAME/run"""

    def __init__(self, path):
        self.path = path
        self.name = "host/" + os.path.basename(os.path.dirname(path))
        with open(path, encoding="utf-8") as file:
            head = [next(file, "") for _ in range(30)]
        self.tier = self.setting(head, "tier", "ci")
        self.limit = int(self.setting(head, "time-limit", HOST_LIMIT))
        self.wanted = self.setting(head, "kernels", "").split()
        self.last = self.setting(head, "alone", "no") == "yes"
        skip = self.setting(head, "may-skip", None)
        self.step = profiles.Step(self.name, path, min=0,
                                  may_skip=[skip] if skip else [])
        if self.tier not in profiles.TIERS:
            raise BedError(f"{path}: unknown tier '{self.tier}'")

    @staticmethod
    def setting(head, key, default):
        for line in head:
            match = re.match(rf"# {key}: (.*)$", line.strip())
            if match:
                return match[1].strip()
        return default

    def kernels(self):
        return self.wanted

    def run(self, echo):
        start = time.monotonic()
        folder = os.path.join(RESULTS, self.name.replace("/", "-"))
        os.makedirs(folder, exist_ok=True)
        suite = Suite(self.name)
        tail = []
        killed = []
        with open(os.path.join(folder, "log"), "w") as log, \
                subprocess.Popen([self.path], cwd=TOP, text=True,
                                 stdin=subprocess.DEVNULL, errors="replace",
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT) as proc:
            timer = threading.Timer(
                self.limit, lambda: (killed.append(1), proc.kill()))
            timer.start()
            for line in proc.stdout:
                log.write(line)
                log.flush()
                tail = (tail + [line.rstrip()])[-30:]
                row = suite.feed(line.rstrip("\n"))
                if row:
                    echo(row, suite)
            proc.wait()
            timer.cancel()
        suite.end(proc.returncode)
        self.bare(suite, echo)
        findings = [f"hang: no end within {self.limit} s"] if killed else [
            text for _, text in judge(suite, self.step)]
        return Result(self.name, [(suite.name, r) for r in suite.rows],
                      findings, time.monotonic() - start, tail)

    def bare(self, suite, echo):
        """A test without TAP is one row by its exit status."""
        if suite.rows or suite.problems:
            return
        outcome = {0: "passed", 77: "skipped"}.get(suite.status, "failed")
        suite.rows.append(Row("exit status", outcome, "not possible here"
                              if outcome == "skipped" else ""))
        if outcome == "skipped":
            suite.status = 0
        echo(suite.rows[0], suite)


class VmTest:
    """A profile on one of its IOMMUs."""

    def __init__(self, profile, iommu):
        self.profile = profile
        self.iommu = iommu
        self.tier = profile.tier
        self.last = bool(profile.compare)
        self.name = "vm/" + runner.run_name(profile, iommu)

    def kernels(self):
        return [self.profile.kernel]

    def run(self, echo):
        run = runner.Run(self.profile, self.iommu, RESULTS, echo)
        run.run()
        rows = [] if self.profile.compare else run.rows()
        return Result(self.name, [(s.name, r) for s, r in rows],
                      [f.text() for f in run.findings], run.seconds, run.tail)


def items(tier, pattern):
    """What is to run, host tests first: they are quick and need no kernel."""
    if tier not in TIERS:
        raise BedError(f"unknown TIER '{tier}' (known: {', '.join(TIERS)})")
    found = [HostTest(path) for path in sorted(
        glob.glob(os.path.join(TOP, "tests", "*", "run")))
        if os.access(path, os.X_OK)]
    for name in profiles.names():
        profile = profiles.load(name)
        found += [VmTest(profile, iommu) for iommu in profile.iommu]
    found = [item for item in found
             if item.tier == "ci" or item.tier == tier]
    if pattern:
        try:
            found = [item for item in found if re.search(pattern, item.name)]
        except re.error as err:
            raise BedError(f"T={pattern}: {err}") from None
        if not found:
            raise BedError(f"T={pattern}: no test of tier {tier} fits "
                           "(make list-tests shows them)")
    return found


def junit(results, path):
    """The results as Jenkins, GitLab and the others read them."""
    root = xml.Element("testsuites")
    for result in results:
        failed = sum(r.outcome == "failed" for _, r in result.rows)
        skipped = sum(r.outcome == "skipped" for _, r in result.rows)
        node = xml.SubElement(
            root, "testsuite", name=result.name,
            tests=str(len(result.rows) + 1), skipped=str(skipped),
            failures=str(failed + bool(result.findings)),
            time=f"{result.seconds:.1f}")
        for suite, row in result.rows:
            case = xml.SubElement(node, "testcase", name=row.name,
                                  classname=f"{result.name}.{suite}")
            if row.outcome == "failed":
                xml.SubElement(case, "failure", message=row.note or "not ok")
            elif row.outcome == "skipped":
                xml.SubElement(case, "skipped", message=row.note)
        case = xml.SubElement(node, "testcase", name="as a whole",
                              classname=result.name)
        if result.findings:
            text = "\n".join(result.findings + result.tail)
            xml.SubElement(case, "failure",
                           message=printable(result.findings[0])
                           ).text = printable(text)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    xml.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def printable(text):
    """Consoles carry control characters, which XML does not allow."""
    return "".join(c if c in "\n\t" or c >= " " else "?" for c in text)
