# SPDX-License-Identifier: GPL-2.0-only
"""How fast the software GPUs are, for make bench: seconds of this machine.

Unlike the instruction counts these figures depend on the machine and on what else
it does. tests/hw/tool_xe_speed drives the model without a VM; the probe is that of
the real driver in one.
"""

import json
import os
import re
import subprocess

from bed import paths, profile, runner

MARK = "@speed "
# what -> least, or most, value that the model is meant to reach on two cores
GOALS = {"clear VRAM": 2.0, "copy VRAM": 2.0}
LIMITS = {"probe by xe": 500}
RUNS = 3
PROBE = re.compile(r"# probe (\d+) ms")


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
    return list(best.values()) + [probe()]


def probe():
    """From the driver's first word to the registered device, in the VM's time."""
    best = None
    for _ in range(RUNS):
        run = runner.Run(profile.load("xe-probe"), "intel",
                         os.path.join(paths.RESULTS, "bench"))
        run.run()
        if run.findings:
            raise paths.BedError("xe-probe failed:\n" +
                                 "\n".join(run.complain()), paths.EXIT_FAIL)
        with open(os.path.join(run.folder, "tests.log"),
                  errors="replace") as file:
            took = int(PROBE.search(file.read())[1])
        best = took if best is None else min(best, took)
    return {"what": "probe by xe", "unit": "ms", "value": best}


def table(rows):
    lines = ["the model of the Battlemage VF, on this machine"]
    for row in rows:
        goal, limit = GOALS.get(row["what"]), LIMITS.get(row["what"])
        note = ""
        if goal or limit:
            met = row["value"] >= goal if goal else row["value"] <= limit
            note = f"  (goal {goal or limit:g}: {'met' if met else 'MISSED'})"
        lines.append(f"  {row['what']:<20} {row['value']:>8.1f} "
                     f"{row['unit']}{note}")
    return "\n".join(lines)
