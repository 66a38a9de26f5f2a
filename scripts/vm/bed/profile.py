# SPDX-License-Identifier: GPL-2.0-only
"""Profiles: what to boot, what to run in it, and what must come back.

A profile is a TOML file. Every key is checked, so that a misspelt one is an
error and not a test that silently does less:

    summary       one line
    kernel        name for scripts/kernel/build: plain, debug, base-plain, ...
    iommu         list of intel, amd, virtio, none: one run for each
    iommu_full    more of them, for TIER=full alone
    devices       any of nvme, igb, edu, ivshmem (without the key: these four)
                  and of xe, xe2, amdgpu, amdgpu2: software GPUs
    xe_args, amdgpu_args    options of the GPU models, e.g. "--vram 512M"
    sanitize      true: the models that are built with sanitizers
    modules       kernel modules that the VM has, with what they need; the first
                  step, "modules", loads them in this order
    load          false: the steps load the modules themselves
    bar_size, disk_size, memory     e.g. "64M"
    cpus          default 2; 1 where Linux is a guest of the VM, see README.md
    args          kernel arguments added to the standard ones
    icount        QEMU -icount value: figures in instructions, one CPU
    time_limit    seconds, hard
    tier          "ci", "full", or "manual" (never part of make test)
    bind          false: leave the devices without the vfio-pci driver (GPUs
                  never get it)
    selftests     true: /guest also has the kernel's own selftests and demos
    files         host files that go to /guest (relative to the checkout)
    image         true: the image of user-space programs (scripts/image) is at
                  /image, and /guest has those of ours that use its libraries;
                  "in-image CMD" runs a program of either
    kvm           true: the VM has KVM, which takes a while to start; "inner" has
                  it as well
    inner         name of a kernel: /guest/inner has it as "kernel", and an "initrd"
                  whose only program is ours (tests/guest/inner_tool.c), for guests
                  of this VM
    inner_qemu    true: QEMU is in the VM as well: "/qemu/qemu"
    kmemleak      true: scan before the end and fail on a suspected leak
    outside_checks  least number of outside checks that must have passed
    pictures      list of "FILE AREA OFFSET": a PNG file that a step leaves by "keep"
                  shows what is in that area of the view from outside
    may_say       regular expressions of lines of the console that are expected,
                  though they would make the run a failure
    compare       a profile's name: this one runs the same tests on a kernel that
                  is expected to fail some; its rows are not counted, the two
                  are put side by side in build/results/<run>/table.md
    selftest      "kill": the runner kills QEMU at the first TAP row; "model":
                  it kills the models; "hang": from then on there are two
                  seconds left

    [[step]]
    name          the suite's name in the results
    command       run by /bin/sh in the VM; prints TAP
    tests         names that must be among the rows (passed)
    plan          number of rows that must be there
    min           least number of rows
    may_skip      regular expressions of rows whose skip is expected
    must_fail     with "compare": regular expressions, each has to fit a failure
    exit          expected exit status, default 0
"""

import dataclasses
import os
import re
import tomllib

from .models import PROGRAMS, driver
from .paths import BedError, PROFILES

IOMMUS = ("intel", "amd", "virtio", "none")
PLAIN_DEVICES = ("nvme", "igb", "edu", "ivshmem")
DEVICES = PLAIN_DEVICES + tuple(PROGRAMS)
TIERS = ("ci", "full", "manual")


def parse_size(text):
    match = re.fullmatch(r"(\d+)([KMG]?)", str(text))
    if not match:
        raise ValueError(f"bad size {text!r}")
    return int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[match[2]]


@dataclasses.dataclass
class Step:
    name: str
    command: str
    tests: list = dataclasses.field(default_factory=list)
    plan: int = None
    min: int = 1
    may_skip: list = dataclasses.field(default_factory=list)
    must_fail: list = dataclasses.field(default_factory=list)
    exit: int = 0


@dataclasses.dataclass
class Profile:
    name: str
    path: str
    summary: str
    kernel: str
    time_limit: int
    step: list
    iommu: list = dataclasses.field(default_factory=lambda: ["intel"])
    iommu_full: list = dataclasses.field(default_factory=list)
    devices: list = dataclasses.field(default_factory=lambda: list(PLAIN_DEVICES))
    xe_args: str = ""
    amdgpu_args: str = ""
    sanitize: bool = False
    modules: list = dataclasses.field(default_factory=list)
    load: bool = True
    bar_size: str = "64M"
    disk_size: str = "64M"
    memory: str = "1G"
    cpus: int = 0
    args: str = ""
    icount: str = ""
    tier: str = "ci"
    bind: bool = True
    selftests: bool = False
    files: list = dataclasses.field(default_factory=list)
    image: bool = False
    kvm: bool = False
    inner: str = ""
    inner_qemu: bool = False
    kmemleak: bool = False
    outside_checks: int = 0
    pictures: list = dataclasses.field(default_factory=list)
    may_say: list = dataclasses.field(default_factory=list)
    compare: str = ""
    selftest: str = ""

    def __post_init__(self):
        self.cpus = self.cpus or (1 if self.inner else 2)

    def has_kvm(self):
        return self.kvm or bool(self.inner) or self.inner_qemu

    def model_args(self, kind):
        return getattr(self, f"{driver(kind)}_args")


def build(cls, data, where, **extra):
    known = {f.name: f for f in dataclasses.fields(cls)}
    for key in data:
        if key not in known or key in extra:
            raise BedError(f"{where}: unknown key '{key}'")
    for name, field in known.items():
        if (name not in data and name not in extra
                and field.default is dataclasses.MISSING
                and field.default_factory is dataclasses.MISSING):
            raise BedError(f"{where}: '{name}' is missing")
    return cls(**data, **extra)


def check(profile):
    where = profile.path
    for iommu in profile.iommu + profile.iommu_full:
        if iommu not in IOMMUS:
            raise BedError(f"{where}: unknown IOMMU '{iommu}' "
                           f"(known: {', '.join(IOMMUS)})")
    for device in profile.devices:
        if device not in DEVICES:
            raise BedError(f"{where}: unknown device '{device}' "
                           f"(known: {', '.join(DEVICES)})")
    if profile.tier not in TIERS:
        raise BedError(f"{where}: unknown tier '{profile.tier}'")
    if not profile.iommu:
        raise BedError(f"{where}: 'iommu' is empty")
    if not profile.step:
        raise BedError(f"{where}: no step")
    for module in profile.modules:
        if not re.fullmatch(r"[\w-]+", module):
            raise BedError(f"{where}: bad module name '{module}'")
    for key in ("bar_size", "disk_size", "memory"):
        try:
            parse_size(getattr(profile, key))
        except ValueError as err:
            raise BedError(f"{where}: {key}: {err}") from None
    for text in profile.pictures:
        if not re.fullmatch(r"[\w.-]+ (bar|disk) \w+", text):
            raise BedError(f"{where}: pictures: '{text}' is no "
                           "FILE AREA OFFSET")
    for text in profile.may_say:
        try:
            re.compile(text)
        except re.error as err:
            raise BedError(f"{where}: may_say: {text}: {err}") from None
    if not profile.compare and any(s.must_fail for s in profile.step):
        raise BedError(f"{where}: 'must_fail' is for profiles that compare")
    names = [s.name for s in profile.step]
    for name in names:
        if names.count(name) > 1 or not re.fullmatch(r"[\w.-]+", name):
            raise BedError(f"{where}: bad or repeated step name '{name}'")


def load(name):
    """By name (a file of scripts/vm/profiles) or by the path of a .toml."""
    path = name if name.endswith(".toml") else os.path.join(
        PROFILES, name + ".toml")
    if not os.path.isfile(path):
        known = ", ".join(names())
        raise BedError(f"unknown profile '{name}' (known: {known})")
    try:
        with open(path, "rb") as file:
            data = tomllib.load(file)
    except tomllib.TOMLDecodeError as err:
        raise BedError(f"{path}: {err}") from None
    steps = [build(Step, s, f"{path}: step") for s in data.pop("step", [])]
    profile = build(Profile, data, path, path=path, step=steps,
                    name=os.path.basename(path)[:-len(".toml")])
    if profile.kmemleak:
        profile.step.append(Step("kmemleak", "kmemleak-scan", plan=1))
    if profile.modules and profile.load:
        profile.step.insert(0, load_step(profile.modules))
    check(profile)
    return profile


def load_step(modules):
    return Step("modules", f"load-modules {' '.join(modules)}",
                plan=len(modules))


def names():
    return sorted(f[:-len(".toml")] for f in os.listdir(PROFILES)
                  if f.endswith(".toml"))
