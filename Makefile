# SPDX-License-Identifier: GPL-2.0-only
# The front door: every command of the project.  Work is done in scripts/.

.DEFAULT_GOAL := help
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

include base.mk

BUILD ?= build

##@ Source
.PHONY: tree
tree: setup ## compose build/linux: the kernel package and one commit per patch (KDIR=path: onto your own tree)
	@KDIR='$(if $(filter tree,$(MAKECMDGOALS)),$(KDIR))' scripts/tree/compose

.PHONY: export-series
export-series: ## commits of build/linux back to patches/ and whole files (TREE=path RANGE=base..head: of any tree)
	@scripts/tree/export-series

.PHONY: format-patch
format-patch: tree ## a mailable series with cover letter in build/mail
	@scripts/tree/format-patch

.PHONY: check-series
check-series: tree ## claims, fuzz, checkpatch, kernel-doc, and a build of every patch (ONLY=static|builds|arm64)
	@scripts/tree/check-series

.PHONY: test-compose
test-compose: ## tests of the composer itself, offline, on a kernel of a few files
	@tests/compose/run

##@ Machine
.PHONY: setup
setup: ## install the packages that are missing, or say which
	@scripts/setup

.PHONY: deb
deb: setup tree ## an installable kernel package (CONFIG=/boot/config-...; by default defconfig and our fragment)
	@scripts/deb

.PHONY: lib
lib: tree ## libdmabuf-pal and vramtop, in build/lib and build/vramtop
	@scripts/lib-build

.PHONY: install
install: tree ## these two to DESTDIR= and PREFIX= (/usr/local)
	@scripts/lib-build install >/dev/null

.PHONY: clean
clean: ## remove build/ but the composed tree (the download cache stays)
	@scripts/tree/clean

.PHONY: distclean
distclean: ## remove build/ (work in build/linux that is not exported is refused)
	@scripts/tree/clean all

-include scripts/test.mk

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z][a-z0-9-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' \
		$(filter-out base.mk,$(MAKEFILE_LIST))
	@printf '\nVariables: FORCE=1 overrides a refusal that protects work (it is kept), REFRESH=1 looks for a\nnewer kernel package, BASE_VERSION= pins one, DEBIAN_MIRROR= names a mirror, CC= a compiler.\nA new file of the kernel tree needs git add -f: the package ignores everything by default.\n'
