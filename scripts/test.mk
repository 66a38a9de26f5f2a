# SPDX-License-Identifier: GPL-2.0-only
# The commands that boot something; included by the Makefile.  Kernels, QEMU and
# the guest's programs are made by the scripts, when they are needed.

##@ Running
.PHONY: run
run: tree ## the demonstration in a VM (IOMMU=intel|amd|virtio, GPU=xe|amdgpu|all|none, GUESTS=0, TRACE=1: what the GPU did, UNPATCHED=1: without the series)
	@scripts/vm/demo

.PHONY: shell
shell: tree ## a shell in the VM (PROFILE=, IOMMU=, GPU=none|xe|amdgpu, KERNEL=plain|debug|base-gpu|base-plain)
	@scripts/vm/shell

.PHONY: bench
bench: tree ## what mapping costs in instructions, against the unpatched base (table, JSON, SVG)
	@scripts/bench

.PHONY: hw
hw: tree ## the software GPUs, in build/hw (SAN=1: with sanitizers, in build/hw/asan)
	@scripts/hw-build $(if $(SAN),asan)

##@ Tests
.PHONY: test
test: tree ## all tests of the CI tier (T=regex: only those; TIER=full: what takes longer as well)
	@scripts/vm/suite

.PHONY: list-tests
list-tests: ## the tests that TIER has
	@scripts/vm/suite --list
