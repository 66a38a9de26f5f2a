# SPDX-License-Identifier: GPL-2.0-only
"""The composer: a thin patch series and whole new files <-> a kernel git tree."""
