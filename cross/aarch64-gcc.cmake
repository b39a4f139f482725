# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# Freestanding AArch64 with Debian's gcc, for CMake: cmake -DCMAKE_TOOLCHAIN_FILE=.../aarch64-gcc.cmake

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++) # for projects with C++
set(CMAKE_ASM_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_OBJCOPY aarch64-linux-gnu-objcopy)
# CMake tests the compiler by linking a program. That fails here, because there is no C library that a kernel could use.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
