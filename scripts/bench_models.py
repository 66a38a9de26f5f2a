# SPDX-License-Identifier: GPL-2.0-only
"""How fast the software GPUs are, for make bench: seconds of this machine.

Unlike the instruction counts these figures depend on the machine and on what else
it does. tests/hw/tool_*_speed drive the models without a VM; the probe is that of
the real driver in one.
"""

import dataclasses
import json
import os
import re
import subprocess

from bed import paths, profile, runner

MARK = "@speed "
RUNS = 3
# What the guest program probe-time prints
PROBE = re.compile(r"# probe (\d+) ms")


@dataclasses.dataclass
class Model:
    """What is measured; goals are the least values that it is meant to reach on two
    cores, and limits the most."""
    title: str
    tool: str
    probe: str          # a profile
    goals: dict
    limits: dict


MODELS = {
    "xe": Model("the Battlemage VF", "tool_xe_speed", "xe-probe",
                {"clear VRAM": 2.0, "copy VRAM": 2.0}, {"probe by xe": 500}),
    "amdgpu": Model("the Bonaire", "tool_amdgpu_speed", "amdgpu-probe",
                    {"clear VRAM": 2.0, "copy VRAM": 2.0,
                     "execute SDMA NOP": 100.0, "execute PM4 NOP": 100.0},
                    {"probe by amdgpu": 500}),
}


def build(name):
    folder = os.path.join(paths.BUILD, "hw")
    tool = os.path.join(folder, "tests", name)
    done = subprocess.run(
        ["make", "-s", "-C", os.path.join(paths.TOP, "hw"), f"O={folder}",
         f"LINUX={os.path.join(paths.BUILD, 'linux')}", tool],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise paths.BedError(f"{name} cannot be built:\n" + done.stdout,
                             paths.EXIT_FAIL)
    return tool


def speeds(name):
    """[{what, unit, value}]: the best of some runs, which is the least disturbed."""
    tool = build(name)
    best = {}
    for _ in range(RUNS):
        done = subprocess.run([tool], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise paths.BedError(f"{name} failed", paths.EXIT_FAIL)
        for line in done.stdout.splitlines():
            if line.startswith(MARK):
                row = json.loads(line[len(MARK):])
                old = best.get(row["what"])
                if not old or row["value"] > old["value"]:
                    best[row["what"]] = row
    return list(best.values())


def probe(driver, name):
    """From the driver's first word to the registered device, in the VM's time. On
    the kernel plain, whichever the profile has: this is about the model."""
    best = None
    for _ in range(RUNS):
        plain = dataclasses.replace(profile.load(name), kernel="plain")
        run = runner.Run(plain, "intel", os.path.join(paths.RESULTS, "bench"))
        run.run()
        if run.findings:
            raise paths.BedError(f"{name} failed:\n" +
                                 "\n".join(run.complain()), paths.EXIT_FAIL)
        with open(os.path.join(run.folder, "tests.log"),
                  errors="replace") as file:
            took = PROBE.search(file.read())
        if not took:
            raise paths.BedError(f"{name} does not say how long the probe took",
                                 paths.EXIT_FAIL)
        took = int(took[1])
        best = took if best is None else min(best, took)
    return {"what": f"probe by {driver}", "unit": "ms", "value": best}


def measure():
    """driver -> rows"""
    return {driver: speeds(model.tool) + [probe(driver, model.probe)]
            for driver, model in MODELS.items()}


def section(model, rows):
    lines = [f"the model of {model.title}, on this machine"]
    for row in rows:
        goal, limit = (of.get(row["what"]) for of in (model.goals, model.limits))
        note = ""
        if goal or limit:
            met = row["value"] >= goal if goal else row["value"] <= limit
            note = f"  (goal {goal or limit:g}: {'met' if met else 'MISSED'})"
        lines.append(f"  {row['what']:<20} {row['value']:>8.1f} "
                     f"{row['unit']}{note}")
    return "\n".join(lines)


def table(measured):
    return "\n\n".join(section(MODELS[driver], rows)
                       for driver, rows in measured.items())
