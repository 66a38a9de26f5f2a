# SPDX-License-Identifier: GPL-2.0-only
# Included by hw/Makefile: where the model of amdgpu finds the driver's names.

AMDGPU_DRIVER := $(LINUX)/drivers/gpu/drm/amd
AMDGPU_GEN := $(O)/gen
AMDGPU_CFLAGS = -I$(LINUX)/tools/include -I$(AMDGPU_DRIVER)/include \
		-I$(AMDGPU_DRIVER)/include/asic_reg -I$(AMDGPU_DRIVER)/amdgpu

AMDGPU_REGISTERS := $(addprefix $(AMDGPU_DRIVER)/include/asic_reg/,\
	gca/gfx_7_2_d.h gmc/gmc_7_1_d.h oss/oss_2_0_d.h bif/bif_4_1_d.h \
	smu/smu_7_0_1_d.h dce/dce_8_0_d.h)
AMDGPU_NAMES := $(AMDGPU_GEN)/amdgpu_names.c

$(AMDGPU_NAMES): amdgpu/gen-names $(AMDGPU_REGISTERS)
	@mkdir -p $(@D)
	amdgpu/gen-names $(AMDGPU_REGISTERS) >$@.new
	mv $@.new $@
