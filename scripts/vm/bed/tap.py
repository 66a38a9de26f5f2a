# SPDX-License-Identifier: GPL-2.0-only
"""TAP and KTAP, as the kernel's selftests, KUnit and our own programs print it.

Rows are counted at the leaves: a result line that closes a subtest is a
summary of rows that were counted already.
"""

import dataclasses
import re

RESULT = re.compile(r"^(\s*)(ok|not ok)\s+(\d+)\s*-?\s*(.*)$")
PLAN = re.compile(r"^(\s*)1\.\.(\d+)\s*(?:#\s*(.*))?$")
BAIL = re.compile(r"^\s*Bail out!\s*(.*)$")
DIRECTIVE = re.compile(r"^(.*?)\s*#\s*(SKIP|TODO|XFAIL|TIMEOUT)\b:?\s*(.*)$",
                       re.IGNORECASE)


@dataclasses.dataclass
class Row:
    name: str
    outcome: str        # passed, failed, skipped
    note: str = ""


class Level:
    """The rows at one indent since their parent began."""

    def __init__(self, indent):
        self.indent = indent
        self.seen = 0
        self.planned = None
        self.first = 0          # index of the first leaf under it


class Suite:
    """The rows of one program."""

    def __init__(self, name):
        self.name = name
        self.rows = []
        self.levels = []        # from the outermost inwards
        self.problems = []
        self.status = None      # exit status, None until it ended
        self.seconds = 0.0

    def feed(self, line):
        """Takes one line; returns the row that it is, or None."""
        match = RESULT.match(line)
        if match:
            return self.result(match)
        match = PLAN.match(line)
        if match:
            self.plan(len(match[1]), int(match[2]), match[3] or "")
            return None
        match = BAIL.match(line)
        if match:
            self.problems.append(f"bailed out: {match[1]}")
        return None

    def level(self, indent):
        if not self.levels or self.levels[-1].indent < indent:
            self.levels.append(Level(indent))
            self.levels[-1].first = len(self.rows)
        return self.levels[-1]

    def plan(self, indent, count, directive):
        self.close(indent)
        if count == 0 and directive.upper().startswith("SKIP"):
            self.rows.append(Row("all", "skipped", directive[4:].strip()))
            return
        level = self.level(indent)
        if level.planned is not None:
            self.problems.append("a second plan")
        level.planned = count

    def close(self, indent):
        """Levels deeper than this are over: were their plans met?"""
        inner = None
        while self.levels and self.levels[-1].indent > indent:
            inner = self.levels.pop()
            if inner.planned is not None and inner.planned != inner.seen:
                self.problems.append(f"planned {inner.planned} rows, "
                                     f"saw {inner.seen}")
        return inner

    def result(self, match):
        indent = len(match[1])
        children = self.close(indent)
        self.level(indent).seen += 1
        row = self.row(match[2] == "ok", match[4].strip())
        # A parent only sums up its children, unless it alone failed.
        if children and (row.outcome != "failed" or any(
                r.outcome == "failed" for r in self.rows[children.first:])):
            return None
        self.rows.append(row)
        return row

    @staticmethod
    def row(good, text):
        directive = DIRECTIVE.match(text)
        note = ""
        outcome = "passed" if good else "failed"
        if directive:
            text, kind, note = directive.groups()
            kind = kind.upper()
            if kind == "SKIP" and good:
                outcome = "skipped"
            elif kind in ("TODO", "XFAIL"):
                outcome = "passed" if good else "skipped"
                note = f"{kind} {note}"
            elif kind == "TIMEOUT":
                outcome = "failed"
        return Row(text.strip() or "unnamed", outcome, note.strip())

    def end(self, status):
        self.status = status
        self.close(-1)


def matches(patterns, row):
    """A pattern may fit the row's name, or the name, "#" and the reason."""
    return any(re.search(p, text) for p in patterns
               for text in (row.name, f"{row.name} # {row.note}"))


def judge(suite, step):
    """What is wrong with a suite that ended: a list of (kind, message)."""
    wrong = []
    for row in suite.rows:
        if row.outcome == "failed":
            wrong.append(("test", f"{suite.name}: {row.name} failed"))
        if row.outcome == "skipped" and not matches(step.may_skip, row):
            wrong.append(("skip", f"{suite.name}: {row.name} skipped "
                          f"({row.note or 'no reason given'})"))
    wrong += [("plan", f"{suite.name}: {p}") for p in suite.problems]
    count = len(suite.rows)
    if step.plan is not None and count != step.plan:
        wrong.append(("plan", f"{suite.name}: the profile plans {step.plan} "
                      f"rows, saw {count}"))
    elif count < step.min:
        wrong.append(("missing", f"{suite.name}: {count} rows, "
                      f"at least {step.min} expected"))
    have = {row.name for row in suite.rows if row.outcome != "skipped"
            or matches(step.may_skip, row)}
    absent = [t for t in step.tests if t not in have]
    if absent:
        wrong.append(("missing", f"{suite.name}: missing tests: "
                      + ", ".join(absent)))
    failed = any(r.outcome == "failed" for r in suite.rows)
    if suite.status != step.exit and not failed:
        wrong.append(("exit", f"{suite.name}: exit status {suite.status}, "
                      f"expected {step.exit}"))
    return wrong


def judge_compared(suite, step):
    """The same for a kernel that is expected to fail some tests."""
    wrong = []
    for pattern in step.must_fail:
        if not any(row.outcome == "failed" and matches([pattern], row)
                   for row in suite.rows):
            wrong.append(("missing", f"{suite.name}: no failure that fits "
                          f"'{pattern}'"))
    passed = {row.name for row in suite.rows if row.outcome == "passed"}
    absent = [t for t in step.tests if t not in passed]
    if absent:
        wrong.append(("missing", f"{suite.name}: did not pass: "
                      + ", ".join(absent)))
    if len(suite.rows) < step.min:
        wrong.append(("missing", f"{suite.name}: {len(suite.rows)} rows, "
                      f"at least {step.min} expected"))
    return wrong
