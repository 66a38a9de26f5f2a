# SPDX-License-Identifier: GPL-2.0-only
"""make test: the list of tests, their order, TAP, JUnit and the count.

An item is either an executable tests/NAME/run on the host, which prints TAP or
just has an exit status, or a profile on one IOMMU. A host test says what it needs
in comments at its top: "# tier: full", "# time-limit: 300",
"# may-skip: REGEX", "# kernels: NAME NAME" (made before it starts),
"# inputs: PATH PATH" (all that it depends on: see kept.py).

The longest goes first, by how long it took this user the last time, which times.json of
the cache tells; what is not in it by its time limit. What compares itself with
another item waits for that one.
"""

import dataclasses
import glob
import json
import os
import re
import subprocess
import threading
import time
import xml.etree.ElementTree as xml

from . import kept, profile as profiles, runner
from .paths import CACHE, RESULTS, TOP, BedError, say
from .tap import Row, Suite, judge

TIERS = ("ci", "full")
HOST_LIMIT = 300
# Of all checkouts of this user: a fresh one knows as well what takes long.
TIMES = os.path.join(CACHE, "times.json")


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
        self.inputs = self.setting(head, "inputs", "").split()
        self.again = True       # even if it passed with the same inputs
        self.after = None
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
        suite = Suite(self.name)
        marker = kept.marker(self) if self.inputs else None
        if marker and not self.again and os.path.exists(marker):
            suite.rows.append(Row("passed before with the same files and kernels",
                                  "passed", ""))
            echo(suite.rows[0], suite)
            return Result(self.name, [(suite.name, suite.rows[0])], [], 0.0, [])
        result = self.execute(suite, echo)
        if marker and not result.findings:
            kept.note(marker)
        return result

    def execute(self, suite, echo):
        start = time.monotonic()
        folder = os.path.join(RESULTS, self.name.replace("/", "-"))
        os.makedirs(folder, exist_ok=True)
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
        self.limit = profile.time_limit
        self.name = "vm/" + runner.run_name(profile, iommu)
        self.after = profile.compare and "vm/" + runner.run_name(
            profiles.load(profile.compare), iommu)

    def kernels(self):
        return [name for name in (self.profile.kernel, self.profile.inner)
                if name]

    def run(self, echo):
        run = runner.Run(self.profile, self.iommu, RESULTS, echo)
        run.run()
        rows = [] if self.profile.compare else run.rows()
        return Result(self.name, [(s.name, r) for s, r in rows],
                      [f.text() for f in run.findings], run.seconds, run.tail)


def items(tier, pattern):
    """What is to run, by name."""
    if tier not in TIERS:
        raise BedError(f"unknown TIER '{tier}' (known: {', '.join(TIERS)})")
    found = [HostTest(path) for path in sorted(
        glob.glob(os.path.join(TOP, "tests", "*", "run")))
        if os.access(path, os.X_OK)]
    for name in profiles.names():
        profile = profiles.load(name)
        iommus = profile.iommu + (profile.iommu_full if tier == "full" else [])
        found += [VmTest(profile, iommu) for iommu in iommus]
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
    elif tier == "ci":
        for item in found:
            item.again = False
    return found


def known_times():
    try:
        with open(TIMES, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def keep_times(results):
    times = known_times()
    # What had passed before took no time, which says nothing of the next time.
    times.update((r.name, round(r.seconds, 1)) for r in results if r.seconds >= .2)
    new = f"{TIMES}.{os.getpid()}"
    with open(new, "w", encoding="utf-8") as file:
        json.dump(times, file, indent=1, sort_keys=True)
    os.replace(new, TIMES)


def longest_first(selected, times):
    return sorted(selected, key=lambda item: -times.get(item.name, item.limit))


class Queue:
    """Items, to be taken by several threads in their order."""

    def __init__(self, selected):
        self.waiting = list(selected)
        self.open = {item.name for item in selected}
        self.changed = threading.Condition()

    def take(self):
        """The next item whose turn it is; None when all are taken."""
        with self.changed:
            while self.waiting:
                for item in self.waiting:
                    if item.after not in self.open:
                        self.waiting.remove(item)
                        return item
                self.changed.wait()
        return None

    def done(self, item):
        with self.changed:
            self.open.remove(item.name)
            self.changed.notify_all()


class Report:
    """Counts and prints rows; two tests run at a time, so one row at a time."""

    def __init__(self):
        self.count = {"passed": 0, "failed": 0, "skipped": 0}
        self.lock = threading.Lock()
        print("TAP version 13", flush=True)

    def tap(self, outcome, text, note=""):
        directive = f" # SKIP {note}" if outcome == "skipped" else ""
        with self.lock:
            self.count[outcome] += 1
            print(f"{'not ok' if outcome == 'failed' else 'ok'} "
                  f"{sum(self.count.values())} {text}{directive}", flush=True)

    def run(self, item):
        def echo(row, part):
            part = "" if part.name == item.name else f"{part.name}: "
            self.tap(row.outcome, f"{item.name} {part}{row.name}", row.note)

        try:
            result = item.run(echo)
        except (BedError, OSError) as err:
            # Of this item alone: what it needs went away, or cannot be built.
            result = Result(item.name, [], [f"could not run: {err}"], 0.0, [])
        self.tap("failed" if result.findings else "passed",
                 f"{item.name} as a whole ({result.seconds:.1f} s)")
        lines = [f"# FAIL {item.name}: {line}" for line in result.findings[:12]]
        if result.findings:
            lines += [f"#   {line}" for line in result.tail]
            with self.lock:
                say("\n".join(lines))
        return result


def run_all(selected, jobs, report):
    """@jobs at a time. Results in the order of the items."""
    queue = Queue(longest_first(selected, known_times()))
    results = {}
    broken = []

    def work():
        while item := queue.take():
            try:
                results[item.name] = report.run(item)
            except BaseException as err:
                # A mistake of ours: the others must not wait for this item.
                broken.append(err)
            finally:
                queue.done(item)

    threads = [threading.Thread(target=work, daemon=True)
               for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
    return [results[item.name] for item in selected]


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
