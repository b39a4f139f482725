# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
#
# The library by GNU make, from the list in sources.txt alone, as a part of your Makefile:
#
#     AVC_SOURCE := folder of this tree
#     include $(AVC_SOURCE)/src/sources.mk
#     kernel.elf: $(OBJECTS) $(AVC_LIB)
#
# Uses your CC, AR and CFLAGS, and AVC_BUILD, the folder for what is made. Sets
#
#   AVC_LIB            the archive, with a rule that makes it
#   AVC_CFLAGS         for what includes the public headers
#   AVC_KERNEL_CFLAGS  the words `flag` of the list: a kernel at EL2 wants most of them, too
#
# and nothing else of yours: what `make` without a goal makes is the first rule of your own, wherever the include
# stands.
avc_found_goal := $(.DEFAULT_GOAL)

AVC_BUILD ?= build/avc
AVC_LIB := $(AVC_BUILD)/libavc.a
AVC_CFLAGS := -I$(AVC_SOURCE)/include

avc_list := $(AVC_SOURCE)/src/sources.txt
avc_words = $(shell sed -n 's/^$(1) //p' $(avc_list))

AVC_KERNEL_CFLAGS := $(call avc_words,flag)
avc_cflags := -std=gnu11 $(addprefix -I$(AVC_SOURCE)/src/,$(call avc_words,include)) $(AVC_KERNEL_CFLAGS) \
	$(call avc_words,own-flag)
avc_small_objects := $(patsubst %,$(AVC_BUILD)/%.o,$(call avc_words,small))
avc_objects := $(patsubst %,$(AVC_BUILD)/%.o,$(call avc_words,source)) $(avc_small_objects)

$(avc_small_objects): avc_cflags += $(call avc_words,small-flag)

$(avc_objects): $(AVC_BUILD)/%.o: $(AVC_SOURCE)/src/% $(avc_list)
	@mkdir -p $(@D) && echo "  CC $<"
	@$(CC) $(CFLAGS) $(avc_cflags) -MMD -c -o $@ $<

$(AVC_LIB): $(avc_objects)
	@rm -f $@
	@$(AR) rcsD $@ $^

-include $(avc_objects:.o=.d)

.DEFAULT_GOAL := $(avc_found_goal)
