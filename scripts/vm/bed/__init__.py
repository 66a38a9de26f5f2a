# SPDX-License-Identifier: GPL-2.0-only
"""The virtual-machine test bed: profiles, the QEMU command line, the verdict."""
