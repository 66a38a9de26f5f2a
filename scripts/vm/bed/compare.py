# SPDX-License-Identifier: GPL-2.0-only
"""The same tests on two kernels, side by side."""

import json
import os

MARK = {"passed": "pass", "failed": "**fail**", "skipped": "skip", None: "-"}


def outcomes(data):
    return {(suite["name"], row["name"]): row["outcome"]
            for suite in data["suites"] for row in suite["rows"]}


def write(folder, data, other):
    """table.md beside the result. The other run may not have been made yet."""
    path = os.path.join(os.path.dirname(folder), other, "result.json")
    try:
        with open(path) as file:
            theirs = json.load(file)
    except FileNotFoundError:
        theirs = {"kernel": f"{other} (not run)", "suites": []}
    here, there = outcomes(data), outcomes(theirs)
    lines = [f"| test | {data['kernel']} | {theirs['kernel']} |",
             "|---|---|---|"]
    for key in list(here) + [k for k in there if k not in here]:
        lines.append(f"| {key[0]}: {key[1]} | {MARK[here.get(key)]} "
                     f"| {MARK[there.get(key)]} |")
    with open(os.path.join(folder, "table.md"), "w") as file:
        file.write("\n".join(lines) + "\n")
