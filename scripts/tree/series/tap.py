# SPDX-License-Identifier: GPL-2.0-only
"""Test results in TAP, to stdout and to a file."""

from . import conf


class Tap:
    def __init__(self, name):
        self.path = conf.build() / "results" / f"{name}.tap"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(self.path, "w")
        self.count = self.failed = 0
        self._line("TAP version 13")

    def _line(self, text):
        conf.say(text)
        self.file.write(text + "\n")
        self.file.flush()

    def row(self, name, problems=(), skip=None):
        """One test; `problems` are the lines that make it fail."""
        self.count += 1
        problems = list(problems)
        self.failed += bool(problems)
        word = "not ok" if problems else "ok"
        text = f"{word} {self.count} - {name.replace('#', '')}"
        self._line(text + (f" # SKIP {skip}" if skip else ""))
        for line in problems[:20]:
            self._line(f"# {line}")
        if len(problems) > 20:
            self._line(f"# and {len(problems) - 20} lines more")

    def note(self, text):
        self._line(f"# {text}")

    def end(self):
        """Close the results; the status of the run."""
        self._line(f"1..{self.count}")
        if self.failed:
            self._line(f"# {self.failed} of {self.count} failed, see {self.path}")
        self.file.close()
        return 1 if self.failed else 0
