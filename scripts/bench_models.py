# SPDX-License-Identifier: GPL-2.0-only
"""How fast the software GPUs are, for make bench: seconds of this machine.

Unlike the instruction counts these figures depend on the machine and on what else
it does. tests/hw/tool_xe_speed drives the model without a VM.
"""

import json
import os
import subprocess

from bed import paths

MARK = "@speed "
# what -> least value that the model is meant to reach on two cores
GOALS = {"clear VRAM": 2.0, "copy VRAM": 2.0}
RUNS = 3


def build():
    folder = os.path.join(paths.BUILD, "hw")
    tool = os.path.join(folder, "tests", "tool_xe_speed")
    done = subprocess.run(
        ["make", "-s", "-C", os.path.join(paths.TOP, "hw"), f"O={folder}",
         f"LINUX={os.path.join(paths.BUILD, 'linux')}", tool],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise paths.BedError("tool_xe_speed cannot be built:\n" + done.stdout,
                             paths.EXIT_FAIL)
    return tool


def measure():
    """[{what, unit, value}]: the best of some runs, which is the least disturbed."""
    tool = build()
    best = {}
    for _ in range(RUNS):
        done = subprocess.run([tool], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise paths.BedError("tool_xe_speed failed", paths.EXIT_FAIL)
        for line in done.stdout.splitlines():
            if line.startswith(MARK):
                row = json.loads(line[len(MARK):])
                old = best.get(row["what"])
                if not old or row["value"] > old["value"]:
                    best[row["what"]] = row
    return list(best.values())


def table(rows):
    lines = ["the model of the Battlemage VF, on this machine"]
    for row in rows:
        goal = GOALS.get(row["what"])
        note = "" if goal is None else \
            f"  (goal {goal:g}: {'met' if row['value'] >= goal else 'MISSED'})"
        lines.append(f"  {row['what']:<20} {row['value']:>8.1f} "
                     f"{row['unit']}{note}")
    return "\n".join(lines)
