# SPDX-License-Identifier: GPL-2.0-only
# Included by hw/Makefile: where the model of xe finds the driver's names.

XE_DRIVER := $(LINUX)/drivers/gpu/drm/xe
XE_GEN := $(O)/gen
XE_CFLAGS = -Ixe/shim -I$(XE_GEN)/include -I$(LINUX)/tools/include -I$(XE_DRIVER)

# Two headers are outside of the driver; the rest of that folder is not for
# programs.
XE_LINKED := $(XE_GEN)/include/drm/intel/pick.h $(XE_GEN)/include/drm/intel/reg_bits.h
XE_NAMES := $(XE_GEN)/xe_names.c

$(XE_LINKED): $(XE_GEN)/include/%:
	@mkdir -p $(@D)
	ln -sfn $(LINUX)/include/$* $@

$(XE_NAMES): xe/gen-names $(wildcard $(XE_DRIVER)/regs/*.h)
	@mkdir -p $(@D)
	xe/gen-names $(XE_DRIVER)/regs/*.h >$@.new
	mv $@.new $@

$(XE:%.c=$(D)/%.o) $(XE:%.c=$(F)/%.o): | $(XE_LINKED)
