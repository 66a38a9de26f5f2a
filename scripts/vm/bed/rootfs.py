# SPDX-License-Identifier: GPL-2.0-only
"""The VM's initramfs: busybox, our scripts and programs, the profile's steps.

Archives one after the other: the base, cached under the hash of what is in it, a
few hundred bytes for the profile, and the kernel modules that it asks for.
"""

import hashlib
import os
import re
import shlex
import subprocess
import threading

from . import models
from .initramfs import Cpio
from .machine import environment
from .paths import CACHE, TOP, BedError, EXIT_FAIL, run_tool

GUEST = os.path.join(TOP, "tests", "guest")


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as err:
        raise BedError(f"{path}: {err.strerror}", EXIT_FAIL) from None


def write_atomically(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Tests that run at the same time are threads of one process.
    temp = f"{path}.{os.getpid()}.{threading.get_ident()}"
    with open(temp, "wb") as file:
        file.write(data)
    os.rename(temp, path)


def busybox():
    return os.environ.get("BUSYBOX") or run_tool(
        [os.path.join(TOP, "scripts", "rootfs"), "busybox"],
        "fetching busybox")


def guest_programs():
    """Our own programs of tests/guest, built once for each content."""
    return run_tool([os.path.join(TOP, "scripts", "rootfs"), "programs"],
                    "building tests/guest")


def image_programs():
    """Those of them that use the libraries of the image."""
    return run_tool([os.path.join(TOP, "scripts", "rootfs"), "image-programs"],
                    "building tests/guest for the VM's image")


def igt_tests():
    """Our IGT tests, linked with the image's libigt."""
    return run_tool([os.path.join(TOP, "scripts", "igt-build")],
                    "building tests/igt for the VM's image")


def selftests():
    """The folder of the kernel's own selftests and of our demos."""
    return run_tool([os.path.join(TOP, "scripts", "kselftest-build")],
                    "building the kernel's selftests")


def folder_files(path):
    return [(name, os.path.join(path, name)) for name in sorted(
        os.listdir(path)) if os.path.isfile(os.path.join(path, name))]


def named(profile):
    """The words of the steps' commands, and of our scripts and programs there."""
    words = set()
    texts = [step.command for step in profile.step]
    while texts:
        for word in set(re.findall(r"[\w.-]+", texts.pop())) - words:
            words.add(word)
            texts += [read(path).decode("utf-8", "replace") for path in (
                os.path.join(GUEST, word),
                os.path.join(GUEST, word + "_image.c"),
                os.path.join(TOP, "samples", "mesa", word + ".c"))
                if os.path.isfile(path)]
    return words


def contents(profile, whole=True):
    """What goes to /guest: name -> path on the host; later ones win.

    Not whole: of the selftests only those that the steps have use for. All of
    them are 35 MB, which the debug kernel takes a second or two to unpack.
    """
    files = {}
    for name, path in folder_files(guest_programs()):
        files[name] = path
    if profile.selftests:
        words = named(profile)
        if profile.inner:
            # What starts guests, which the tests do themselves
            words.update(os.listdir(os.path.join(TOP, "samples")))
        files.update((name, path) for name, path in folder_files(selftests())
                     if whole or name in words)
    if profile.image:
        files.update(folder_files(image_programs()))
        files.update(folder_files(igt_tests()))
    for name, path in folder_files(GUEST):
        if os.access(path, os.X_OK) and name != "init":
            files[name] = path
    for name in profile.files:
        path = os.path.join(TOP, name)
        if not os.path.isfile(path):
            raise BedError(f"{profile.path}: no file '{name}'", EXIT_FAIL)
        files[os.path.basename(name)] = path
    return files


def base(profile, whole):
    box = busybox()
    init = os.path.join(GUEST, "init")
    files = contents(profile, whole)
    key = hashlib.sha256()
    for name, path in [("busybox", box), ("init", init)] + sorted(
            files.items()):
        key.update(f"{name}\0".encode())
        key.update(hashlib.sha256(read(path)).digest())
    key.update(read(__file__))
    cached = os.path.join(CACHE, "rootfs", key.hexdigest()[:20] + ".cpio")
    if os.path.exists(cached):
        return read(cached)
    applets = subprocess.run([box, "--list-full"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout.split()
    cpio = Cpio()
    for folder in ("bin", "sbin", "dev", "proc", "sys", "tmp", "etc", "guest",
                   "image"):
        cpio.folder(folder)
    # The kernel opens it for init before devtmpfs is there.
    cpio.node("dev/console", 5, 1)
    cpio.file("bin/busybox", read(box), 0o755)
    for applet in sorted({os.path.basename(a) for a in applets}):
        if applet != "busybox":
            cpio.symlink(f"bin/{applet}", "busybox")
    cpio.file("init", read(init), 0o755)
    for name, path in sorted(files.items()):
        cpio.file(f"guest/{name}", read(path), 0o755)
    data = cpio.bytes()
    write_atomically(cached, data)
    return data


def modules(profile, kernel):
    """The archive of the modules of a profile: lib/modules of its kernel."""
    folder = os.path.join(os.path.dirname(kernel), "lib", "modules")
    releases = os.listdir(folder) if os.path.isdir(folder) else []
    if len(releases) != 1:
        raise BedError(f"{profile.path}: the kernel '{profile.kernel}' has no "
                       "modules", EXIT_FAIL)
    folder = os.path.join(folder, releases[0])
    cpio = Cpio()
    for name in module_files(profile, folder) + [
            n for n in sorted(os.listdir(folder)) if n.startswith("modules.")]:
        cpio.file(f"lib/modules/{releases[0]}/{name}",
                  read(os.path.join(folder, name)))
    return cpio.bytes()


def module_files(profile, folder):
    """The modules themselves and, by modules.dep, all that they need."""
    needs = {}
    for line in read(os.path.join(folder, "modules.dep")).decode().splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    known = {os.path.basename(path)[:-len(".ko")].replace("-", "_"): path
             for path in needs}
    found = set()
    for name in profile.modules:
        path = known.get(name.replace("-", "_"))
        if not path:
            raise BedError(f"{profile.path}: the kernel '{profile.kernel}' has "
                           f"no module '{name}'", EXIT_FAIL)
        found |= {path, *needs[path]}
    return sorted(found)


def steps(profile):
    return "".join(f"step {shlex.quote(s.name)} {shlex.quote(s.command)}\n"
                   for s in profile.step)


def inner_initrd():
    """The initramfs of a guest of the VM: one static program."""
    cpio = Cpio()
    cpio.folder("dev")
    cpio.node("dev/console", 5, 1)
    cpio.file("init", read(os.path.join(guest_programs(), "inner")), 0o755)
    return cpio.bytes()


def make(profile, iommu, path, kernel, shell=False, inner=None):
    """Writes the initramfs of one run on this kernel (a bzImage).

    inner: the kernel of the VM's own guests, if it has any.
    """
    cpio = Cpio()
    env = environment(profile, iommu)
    if shell:
        env += "export PAL_SHELL=1\n"
    cpio.file("etc/pal-profile", env.encode())
    cpio.file("etc/pal-steps", steps(profile).encode())
    for name, data in models.guest_files(profile).items():
        cpio.file(name, data)
    if inner:
        cpio.file("guest/inner/kernel", read(inner))
        cpio.file("guest/inner/initrd", inner_initrd())
    data = base(profile, shell) + cpio.bytes()
    if profile.modules:
        data += modules(profile, kernel)
    write_atomically(path, data)
