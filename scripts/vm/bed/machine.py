# SPDX-License-Identifier: GPL-2.0-only
"""The QEMU command line of a profile and what the guest is told about it."""

import json
import os
import shlex

from . import models
from .paths import BedError, EXIT_NOT_HERE, TOP, run_tool
from .profile import parse_size

# Fixed addresses, so that a profile, a test and a log mean the same device.
ADDRESS = {"nvme": "04.0", "igb": "05.0", "edu": "06.0", "ivshmem": "07.0",
           "xe": "08.0", "xe2": "09.0", "image": "0a.0",
           "amdgpu": "0b.0", "amdgpu2": "0c.0", "qemu": "0d.0"}

# What NVMe wants to have at an address that leads nowhere goes through bounce buffers. A
# request that waits for one while the controller is reset never ends, and QEMU with
# it: two transfers to memory that was revoked are enough with the default of 4 KiB.
BOUNCE_BYTES = 64 << 20

# The VM has other virtio disks as well; it knows the images by these.
IMAGE_SERIAL = "image"
QEMU_SERIAL = "qemu"

# Of this family Linux believes that peer-to-peer DMA works. What TCG cannot do
# is taken away here, or QEMU says so in a line each. The TSC is the host's, invariant,
# which TCG does not own up to. KVM in the VM has to know: without, it keeps the
# frequency of early boot, and if the kernel corrects it later by more than 250 ppm, as it
# does on a busy machine, each vCPU gets the TSC ratio 0 and timers that come late by
# the VM's uptime (set_tsc_khz(), which fails, and whose caller goes on).
CPU = ("EPYC,+svm,+npt,-fxsr-opt,-misalignsse,-osvw,-topoext,-nrip-save,"
       "-xsavec,+invtsc,x-force-features=on")

# 256 pairs of old terminals take long to make. Enabling and disabling a PCI device has
# the ACPI interpreter return a package of 640 objects; unless it is strict, it
# keeps one more reference to each of them, in case that the method forgot to return it.
KERNEL_ARGS = ("console=ttyS0,115200 panic=-1 oops=panic panic_on_warn=1 "
               "nokaslr no_hash_pointers tsc=reliable no_timer_check "
               "pty.legacy_count=0 acpi=strict")
# A quarter of the debug kernel's boot, for those that have no guests
NO_KVM = "initcall_blacklist=svm_init"

IOMMU_ARGS = {
    "intel": "intel_iommu=on,sm_off iommu.strict=1",
    "amd": "iommu.strict=1",
    # QEMU's virtio-iommu does not remap interrupts.
    "virtio": "iommufd.allow_unsafe_interrupts=1 "
              "vfio_iommu_type1.allow_unsafe_interrupts=1",
    "none": "",
}


def qemu_command():
    """The command that starts QEMU: $QEMU, or what scripts/qemu provides."""
    if os.environ.get("QEMU"):
        return shlex.split(os.environ["QEMU"])
    return [run_tool([os.path.join(TOP, "scripts", "qemu")], "fetching QEMU")]


def image_path(*what):
    """An image that scripts/image provides: of user-space programs, or QEMU."""
    return run_tool([os.path.join(TOP, "scripts", "image"), *what],
                    "making the VM's image")


def image_disk(name, path):
    return ["-blockdev", json.dumps({
        "driver": "file", "node-name": name, "filename": path,
        "read-only": True, "locking": "off"}),
            "-device", f"virtio-blk-pci,drive={name},serial={name},"
            f"addr={ADDRESS[name]}"]


def iommu_devices(iommu):
    if iommu == "intel":
        return ["-device", "intel-iommu,intremap=on,caching-mode=on"]
    if iommu == "amd":
        # Linux trusts AMD's interrupt remapping only where it finds the
        # southbridge's SMBus function at 00:14.0, so give it one.
        return ["-device", "amd-iommu,intremap=on,dma-remap=on,xtsup=on",
                "-blockdev", "null-co,node-name=smbus,read-zeroes=on,size=1048576",
                "-device", "virtio-blk-pci,class=0x0c05,drive=smbus,addr=14.0"]
    if iommu == "virtio":
        return ["-device", "virtio-iommu-pci,addr=02.0"]
    return []


def device(kind, profile, areas):
    addr = f"addr={ADDRESS[kind]}"
    if kind == "nvme":
        path = f"/proc/self/fd/{areas['disk'].fd}"
        return ["-blockdev", f"driver=file,filename={path},node-name=disk0,"
                "locking=off",
                "-blockdev", "driver=raw,file=disk0,node-name=disk",
                "-device", f"nvme,serial=dmabuf-pal,drive=disk,{addr},"
                f"x-max-bounce-buffer-size={BOUNCE_BYTES}"]
    if kind == "igb":
        return ["-netdev", "hubport,id=net,hubid=0",
                "-device", f"igb,netdev=net,{addr}"]
    if kind == "edu":
        return ["-device", f"edu,dma_mask=0xffffffffffffffff,{addr}"]
    path = f"/proc/self/fd/{areas['bar'].fd}"
    size = parse_size(profile.bar_size)
    return ["-object", f"memory-backend-file,id=bar,mem-path={path},"
            f"share=on,size={size}",
            "-device", f"ivshmem-plain,memdev=bar,{addr}"]


def accel(profile):
    if profile.icount:
        return ["-accel", "tcg,thread=single", "-icount", profile.icount,
                "-smp", "1", "-cpu", CPU]
    kind = os.environ.get("ACCEL") or "tcg"
    smp = ["-smp", str(profile.cpus)]
    if kind == "tcg":
        return ["-accel", "tcg,thread=multi", "-cpu", CPU] + smp
    if kind == "kvm":
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            raise BedError("ACCEL=kvm: /dev/kvm is not here or not ours to "
                           "open", EXIT_NOT_HERE)
        return ["-accel", "kvm", "-cpu", "host"] + smp
    raise BedError(f"ACCEL={kind}: unknown (known: tcg, kvm)")


def command(profile, iommu, kernel, initrd, areas, serials, control=None,
            gpus=()):
    """serials, control: -chardev options of ttyS0, 1 and 2 and of QMP.

    gpus: the models that are to be there, which listen already.
    """
    args = " ".join(filter(None, [KERNEL_ARGS, IOMMU_ARGS[iommu],
                                  "kmemleak=on" if profile.kmemleak else "",
                                  "" if profile.has_kvm() else NO_KVM,
                                  profile.args]))
    argv = qemu_command() + [
        "-M", "q35,kernel-irqchip=split,memory-backend=ram",
        "-object", f"memory-backend-memfd,id=ram,share=on,"
        f"size={parse_size(profile.memory)}",
        "-m", str(parse_size(profile.memory) >> 20),
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-kernel", kernel, "-initrd", initrd, "-append", args]
    argv += accel(profile) + iommu_devices(iommu)
    for index, chardev in enumerate(serials):
        # ISA puts ports 1 and 3 on one edge-triggered line, which QEMU does
        # not share well: the third gets a line of its own.
        irq = ",iobase=0x3e8,irq=5" if index == 2 else ""
        argv += ["-chardev", f"{chardev},id=s{index}",
                 "-device", f"isa-serial,chardev=s{index},index={index}{irq}"]
    if control:
        argv += ["-chardev", f"{control},id=qmp", "-qmp", "chardev:qmp"]
    for kind in profile.devices:
        if kind not in models.PROGRAMS:
            argv += device(kind, profile, areas)
    if profile.image:
        argv += image_disk(IMAGE_SERIAL, image_path())
    if profile.inner_qemu:
        argv += image_disk(QEMU_SERIAL, image_path("qemu"))
    for model in gpus:
        argv += model.qemu_args(ADDRESS[model.kind])
    return argv


def environment(profile, iommu):
    """Shell variables for the guest: where each device is."""
    env = {"PAL_PROFILE": profile.name, "PAL_IOMMU": iommu,
           "PAL_KERNEL": profile.kernel,
           "PAL_DEVICES": "", "PAL_BIND": "",
           "PAL_IMAGE": IMAGE_SERIAL if profile.image else "",
           "PAL_QEMU": QEMU_SERIAL if profile.inner_qemu else ""}
    places = {kind: f"0000:00:{ADDRESS[kind]}" for kind in profile.devices}
    env.update((f"PAL_{kind.upper()}", bdf) for kind, bdf in places.items())
    env["PAL_DEVICES"] = " ".join(places.values())
    if profile.bind:
        # A GPU keeps its own driver.
        env["PAL_BIND"] = " ".join(bdf for kind, bdf in places.items()
                                   if kind not in models.PROGRAMS)
    return "".join(f"export {k}={shlex.quote(v)}\n" for k, v in env.items())
