# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2034 # image_fixed is avc-run.sh's to read
#
# Checks that a file is a kernel that can be booted, and names what it is otherwise. QEMU itself loads an empty file or
# a folder's name without a word. The hypervisor reads the headers once more.
#
# An Image's header is the kernel's own (Documentation/arm64/booting.rst): text_offset at byte 8, image_size at 16,
# flags at 24, "ARM\x64" at 56; 64 bytes in all.

file_check() { # WHAT FILE: a readable file with something in it
    local what=$1 file=$2
    [[ -e $file ]] || die 2 "the $what does not exist: $file"
    [[ ! -d $file ]] || die 2 "the $what is a directory: $file" 'A file is wanted.'
    [[ -f $file ]] || die 2 "the $what is not a regular file: $file"
    [[ -r $file ]] || die 2 "the $what can't be read: $file" "$(ls -ld -- "$file" 2>&1)"
    [[ -s $file ]] || die 2 "the $what is empty: $file"
}

# Prints bytes of a file as hexadecimal digits without spaces.
file_hex() { # FILE OFFSET COUNT
    od -An -v -tx1 -j "$2" -N "$3" -- "$1" 2>/dev/null | tr -d ' \n'
}

file_word64() { # FILE OFFSET: signed
    od -An -v -td8 --endian=little -j "$2" -N 8 -- "$1" 2>/dev/null | tr -d ' \n'
}

# Prints what a file is that is not an arm64 Image.
image_identify() { # FILE
    local file=$1 head
    head=$(file_hex "$file" 0 8)
    case $head in
    1f8b*) echo 'a gzip file in a gzip file (gunzip it)' && return ;;
    28b52ffd*) echo 'a zstd file (zstd -d takes it apart)' && return ;;
    fd377a585a00*) echo 'an xz file (xz -d takes it apart)' && return ;;
    425a68*) echo 'a bzip2 file (bunzip2 it)' && return ;;
    04224d18* | 02214c18*) echo 'an lz4 file (lz4 -d takes it apart)' && return ;;
    894c5a4f*) echo 'an lzop file (lzop -d takes it apart)' && return ;;
    5d0000*) echo 'an lzma file (unlzma it)' && return ;;
    7f454c46*) elf_identify "$file" && return ;;
    27051956*) echo 'a U-Boot uImage (its payload is wanted)' && return ;;
    d00dfeed*) echo 'a device tree or a FIT image' && return ;;
    30373037*) echo 'a cpio archive: an initrd?' && return ;;
    213c6172*) echo 'a Debian package or an ar archive' && return ;;
    4d5a*) pe_identify "$file" && return ;;
    esac
    if [[ $(file_hex "$file" 510 6) == 55aa48647253 ]]; then
        echo 'a kernel for x86 (bzImage)'
    elif [[ $(file_hex "$file" 36 4) == 18286f01 ]]; then
        echo 'a kernel for 32-bit Arm (zImage)'
    elif [[ $(file_hex "$file" 56 4) == 52534305 ]]; then
        echo 'a kernel for RISC-V'
    elif [[ $(head -c 512 -- "$file" | LC_ALL=C tr -d '\t\n\r\f -~' | wc -c) -eq 0 ]]; then
        echo 'a text file'
    elif [[ $(stat -Lc %s -- "$file") -lt 64 ]]; then
        echo 'shorter than an Image'"'"'s header of 64 bytes'
    else
        printf '%s\n' 'unknown data, without "ARM\x64" at byte 56'
    fi
}

elf_identify() { # FILE
    local machine
    machine=$(file_hex "$1" 18 2)
    case $machine in
    b700) echo 'an ELF file for arm64, but not one of 64 bits and little-endian' ;;
    3e00 | 0300) echo 'an ELF file for x86' ;;
    2800) echo 'an ELF file for 32-bit Arm' ;;
    *) echo "an ELF file for machine 0x${machine:2:2}${machine:0:2}" ;;
    esac
}

pe_identify() { # FILE: something that begins with MZ
    if [[ $(file_hex "$1" 510 6) == 55aa48647253 ]]; then
        echo 'a kernel for x86 (bzImage)'
    elif [[ $(file_hex "$1" 4 4) == 7a696d67 ]]; then
        echo "an EFI zboot image, compressed by $(head -c 32 -- "$1" | tail -c 8 | tr -d '\0')"
    else
        echo 'an EFI program without the header of an arm64 Image'
    fi
}

# Dies unless the file is a kernel. Sets image_bytes to the memory that it needs, from 0x4000_0000 on, and image_fixed
# to yes if it goes to a place of its own. Then the hypervisor finds out whether the device tree has room.
image_bytes=0
image_fixed=no
image_check() { # FILE ADDRESS(where it goes as it is; 0: its header says that) NAME(as the user has it)
    local file=$1 address=$2 name=$3 size text_offset
    size=$(stat -Lc %s -- "$file")
    image_fixed=yes
    if ((address)); then
        image_bytes=$((address - 0x40000000 + size))
        return
    fi
    if [[ $(file_hex "$file" 0 6) == 7f454c460201 && $(file_hex "$file" 18 2) == b700 ]]; then
        image_bytes=$(elf_memory "$file")
        return
    fi
    if [[ $(file_hex "$file" 56 4) != 41524d64 ]]; then
        die 2 "the kernel is neither an arm64 Image nor an ELF file: $name" "It is $(image_identify "$file")." \
            'Wanted is an Image (arch/arm64/boot/Image of a kernel build, /boot/vmlinuz-* of' \
            "Debian's arm64 package), by itself or in a gzip file; an ELF file; or, with" \
            '--kernel FILE,addr=0x40080000, a file that goes to that address as it is.'
    fi
    image_fixed=no
    text_offset=$(file_word64 "$file" 8)
    image_bytes=$(file_word64 "$file" 16)
    # Old and small kernels have 0 here. No kernel needs more than 2^40 bytes.
    if ((image_bytes < 0 || image_bytes >> 40 || text_offset < 0 || text_offset >> 40)); then
        die 2 "the kernel's header asks for more memory than there can be: $name" \
            "Its image_size is 0x$(file_hex_le64 "$file" 16), its text_offset 0x$(file_hex_le64 "$file" 8)."
    fi
    ((image_bytes >= size)) || image_bytes=$size
    image_bytes=$((image_bytes + text_offset))
}

# Prints how many bytes of memory an ELF file's segments need, from 0x4000_0000 to the end of the highest. It may have
# many more bytes, for debuggers. What is wrong with its headers the hypervisor says.
elf_memory() { # FILE
    local headers number
    headers=$(file_word64 "$1" 32) || true
    headers=${headers:-0}
    number=$((16#0$(file_hex "$1" 57 1)$(file_hex "$1" 56 1)))
    ((headers >= 64 && number > 0)) || { echo 0 && return; }
    od -An -v -td8 --endian=little -w56 -j "$headers" -N "$((number * 56))" -- "$1" 2>/dev/null | awk '
        $1 % 4294967296 == 1 && $4 >= 1073741824 && $6 > 0 && $4 + $6 > most { most = $4 + $6 }
        END { printf "%.0f\n", (most > 1073741824 && most < 2 ^ 40) ? most - 1073741824 : 0 }' || true
}

file_hex_le64() { # FILE OFFSET
    file_hex "$1" "$2" 8 | sed 's/\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)/\8\7\6\5\4\3\2\1/'
}
