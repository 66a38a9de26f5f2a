# SPDX-License-Identifier: GPL-2.0-only
# What the project is built from.  make includes this file and scripts/tree
# reads it, so every line is NAME ?= words, without functions or continuation.
# A variable of the same name in the environment wins.

# The kernel source: a Debian package, taken from the first suite that has it.
BASE_PACKAGE ?= linux-source-7.3
BASE_SUITES ?= trixie-backports forky sid trixie
# Empty: the version recorded in build/base-version, else the newest cached
# one, else whatever the first suite offers.
BASE_VERSION ?=

# The emulator, of the same mirror.
QEMU_PACKAGE ?= qemu-system-x86
QEMU_VERSION ?= 11.1
QEMU_SUITES ?= trixie-backports forky sid

# What the VM's image of user-space programs has, with what it depends on; a name
# may carry the least version that the tests know how to talk to. libigt's ABI is
# that of 2.5 there. All come from one suite, so that they fit each other.
IMAGE_PACKAGES ?= igt-gpu-tools>=2.5 igt-gpu-tools-tests>=2.5 libdrm2 libdrm-amdgpu1 mesa-vulkan-drivers>=26 libgbm1 libegl1 libgles2 libpng16-16t64 vulkan-tools dash python3-minimal
# What programs of ours are built with that use the image's libraries; it comes
# from the same suite.
IMAGE_DEV_PACKAGES ?= libc6-dev libdrm-dev libegl-dev libgbm-dev libgles-dev libpng-dev libvulkan-dev
IMAGE_SUITES ?= forky sid

# One identity and one clock for every commit of the composed tree: the same
# inputs have to give the same commit ids on every machine.
SERIES_NAME ?= dmabuf-pal developers
SERIES_EMAIL ?= dmabuf-pal@localhost
SERIES_EPOCH ?= 1795132800
SERIES_BRANCH ?= dmabuf-pal

# New kernel files live whole at these places of the repository, each claimed
# by exactly one patch; CLAIM_EXCLUDE is the project's own documentation.
CLAIM_ROOTS ?= drivers include virt tools Documentation
CLAIM_EXCLUDE ?= Documentation/hw/ Documentation/process/testing-on-hardware.rst
