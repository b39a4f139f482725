# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # build, top and others are set by ./avc and its other parts
#
# Meson and ninja. Each way of building has a folder under build/:
#
#   target        the hypervisor, guests and examples, by gcc: what ./avc run boots
#   target-clang  the same by clang
#   host          the library above the fake hardware, for unit tests, by gcc
#   host-clang    the same by clang, with the fuzz targets
#   coverage      the same by gcc, which counts what is executed
#   package       the library alone, by gcc, installed in build/install: what ./avc examples builds against

build_options() { # NAME
    case $1 in
    target) printf '%s\n' --cross-file "$top/cross/aarch64-gcc.ini" "-Dlibfdt_dir=$sysroot" ;;
    target-clang) printf '%s\n' --cross-file "$top/cross/aarch64-clang.ini" "-Dlibfdt_dir=$sysroot" ;;
    package) printf '%s\n' --cross-file "$top/cross/aarch64-gcc.ini" -Dlibrary_only=true --prefix "$build/install" ;;
    host | host-clang) ;;
    # Tests have threads: without atomic counts gcov may find negative ones.
    coverage) printf '%s\n' -Db_coverage=true -Dbuildtype=debug -Dc_args=-fprofile-update=atomic ;;
    esac
}

# Debian 12's compilers have no warnings here, so warnings are errors, as is the tree's default. Other compilers may
# have new warnings.
build_strictness() {
    on_bookworm || printf -- '-Dwerror=false\n'
}

# Meson stores where a build folder lies and how it was set up. If the tree was moved, or the options changed, the
# folder is set up again.
build_setup() { # NAME
    local name=$1 dir=$build/$1 options=() stamp compiler=()
    mapfile -t options < <(build_options "$name"; build_strictness)
    case $name in
    host | coverage) compiler=(CC=gcc) ;;
    host-clang) compiler=(CC=clang-14) ;;
    esac
    stamp="$top ${options[*]} ${compiler[*]}"
    # The plugin is built only if there is a compiler for this machine.
    [[ $name != target* ]] || stamp+=" $(command -v cc)" || true
    if [[ -e $dir/build.ninja && -e $dir/.avc-setup && $(<"$dir/.avc-setup") == "$stamp" ]]; then
        return
    fi
    rm -rf -- "$dir"
    mkdir -p "$build/log"
    : >"$build/log/$name.log"
    logged "$build/log/$name.log" \
        env -u CC -u CFLAGS -u CPPFLAGS -u LDFLAGS "${compiler[@]}" \
        meson setup "${options[@]}" "$dir" "$top" || return
    printf '%s\n' "$stamp" >"$dir/.avc-setup"
}

# Builds all of a folder, or only the files named. On failure it shows the log and returns 1.
build_make() { # NAME [FILE...]
    local name=$1 dir=$build/$1 log=$build/log/$1.log status=0
    shift
    build_setup "$name" || return 1
    {
        ninja -C "$dir" "$@" </dev/null 2>&1 || printf 'ninja failed: status %s\n' $?
    } | build_progress "$name" >"$log.part" || status=1
    cat -- "$log.part" >>"$log"
    if [[ $status -ne 0 ]]; then
        error "building $name failed (full log: $log)"
        log_tail "$log.part" 200
    fi
    rm -f -- "$log.part"
    return "$status"
}

# Copies ninja's output, and fails if ninja failed. On a terminal one line counts the steps. Elsewhere one line says
# that something is built, if anything is.
build_progress() { # NAME
    local line name=$1 started=no failed=no
    while IFS= read -r line; do
        printf '%s\n' "$line"
        case $line in
        '['*/*']'*)
            if [[ $quiet == yes ]]; then
                continue
            elif [[ -t 2 ]]; then
                printf '\ravc: building %s %s\033[K' "$name" "${line%%]*}]" >&2
            elif [[ $started == no ]]; then
                say "building $name"
            fi
            started=yes
            ;;
        'ninja failed: '*) failed=yes ;;
        esac
    done
    [[ $started == no || ! -t 2 ]] || printf '\n' >&2
    [[ $failed == no ]]
}

# Builds the hypervisor if it is not up to date. If this user may not write to the tree, the hypervisor that was built
# is used.
vmm_image=${AVC_VMM_IMAGE:-$build/target/vmm/vmm.bin}

vmm_ensure() {
    if [[ -n ${AVC_VMM_IMAGE-} ]]; then
        [[ -f $vmm_image && -r $vmm_image ]] || die 2 "AVC_VMM_IMAGE names no file: $vmm_image"
        return
    fi
    if [[ -e $vmm_image && ! -w $build/target ]]; then
        say "the build folder is read-only for this user; running what was built there"
        return
    fi
    libfdt_ensure
    lock_take
    build_make target vmm/vmm.bin || exit 1
}

# Builds the plugin that profiles, if QEMU can load it, or uses the one that was built.
profile_plugin=$build/target/bench/plugin/profile.so

profile_ensure() {
    local options
    options=$("$qemu" -help 2>/dev/null) || true
    if [[ -n ${AVC_QEMU_OLD-} ]]; then
        die 2 "--profile needs QEMU $qemu_wanted, and this is $AVC_QEMU_OLD" \
            'The plugin uses what older ones do not have.'
    elif ! grep -q '^-plugin' <<<"$options"; then
        die 2 "--profile needs a QEMU with plugins, and $qemu was built without"
    fi
    packages_ensure profile tools
    if [[ -z ${AVC_VMM_IMAGE-} && (-w $build/target || ! -e $profile_plugin) ]]; then
        libfdt_ensure
        lock_take
        build_make target "${profile_plugin#"$build/target/"}" || exit 1
    fi
    [[ -e $profile_plugin ]] || die 2 "--profile: the plugin is not built: $profile_plugin"
}
