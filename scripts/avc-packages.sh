# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # build and others are set by ./avc and its other parts
#
# What must be installed, how the launcher finds it, and how it installs it.
#
# The launcher looks for what it uses (a command, a file), not for a package. So a QEMU or a compiler that the user has
# built serves as well.

# Each line: group, probe, package. A probe is the name of a command, or a path in which * may stand.
package_table='
tools   python3                                      python3
tools   perl                                         perl-base
build   aarch64-linux-gnu-gcc                        gcc-aarch64-linux-gnu
build   meson                                        meson
build   ninja                                        ninja-build
examples make                                        make
examples pkg-config                                  pkg-config
profile cc                                           gcc
profile /usr/include/stdlib.h                        libc6-dev
bench   gnuplot                                      gnuplot-nox
bench   clang-14                                     clang-14
check   gcc                                          gcc
check   /usr/include/stdlib.h                        libc6-dev
check   g++                                          g++
check   cmake                                        cmake
check   clang-14                                     clang-14
check   ld.lld-14                                    lld-14
check   clang-format-14                              clang-format-14
check   clang-tidy-14                                clang-tidy-14
check   /usr/lib/llvm-14/lib/clang/*/lib/linux/*asan*  libclang-rt-14-dev
check   /usr/include/cmocka.h                        libcmocka-dev
check   /usr/include/libfdt.h                        libfdt-dev
check   dtc                                          device-tree-compiler
check   make                                         make
check   gcovr                                        gcovr
machine qemu-aarch64-static                          qemu-user-static
machine mkfs.vfat                                    dosfstools
machine mcopy                                        mtools
machine sfdisk                                       fdisk
machine mke2fs                                       e2fsprogs
machine ssh-keygen                                   openssh-client
prove   frama-c                                      frama-c-base
prove   why3                                         why3
prove   cvc4                                         cvc4
check   dpkg-source                                  dpkg-dev
check   /usr/include/openssl/sha.h                   libssl-dev
'

backports=bookworm-backports
backports_source=/etc/apt/sources.list.d/avc-backports.sources
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
qemu_packages=(qemu-system-arm qemu-system-common qemu-system-data)
qemu=${AVC_QEMU:-qemu-system-aarch64}
qemu_wanted=10 # the first major version with all CPU features that the tests need

probe_present() { # PROBE
    case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *) have "$1" ;;
    esac
}

# Prints the packages of these groups that were not found, one a line.
packages_missing() { # GROUP...
    local group probe package
    while read -r group probe package; do
        [[ " $* " == *" $group "* ]] || continue
        probe_present "$probe" || printf '%s\n' "$package"
    done <<<"$package_table"
}

qemu_major() { # prints 0 without QEMU
    local line
    line=$("$qemu" --version 2>/dev/null | head -n 1) || true
    [[ $line =~ version\ ([0-9]+)\. ]] && printf '%s\n' "${BASH_REMATCH[1]}" || printf '0\n'
}

on_bookworm() {
    grep -qsx 'VERSION_CODENAME=bookworm' /etc/os-release
}

# Prints where this machine gets Debian from, so that a local mirror is used here, too.
debian_mirror() {
    local uri=
    if [[ -n ${AVC_DEBIAN_MIRROR-} ]]; then
        uri=$AVC_DEBIAN_MIRROR
    elif on_bookworm && have apt-get; then
        # shellcheck disable=SC2016 # apt's own variables
        uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' \
            2>/dev/null | awk '$2 == "bookworm" { print $1; exit }') || true
    fi
    printf '%s\n' "${uri:-http://deb.debian.org/debian/}"
}

backports_known() {
    # shellcheck disable=SC2016 # apt's own variable
    apt-get indextargets --format '$(RELEASE)' 'Created-By: Packages' 2>/dev/null |
        grep -qx "$backports"
}

backports_stanza() {
    printf '%s\n' 'Types: deb' "URIs: $(debian_mirror)" "Suites: $backports" \
        'Components: main' "Signed-By: $keyring"
}

# Prints the QEMU packages to ask apt for. They come from backports if Debian's own are too old.
qemu_request() {
    if on_bookworm; then
        printf "%s/$backports\n" "${qemu_packages[@]}"
    else
        printf '%s\n' "${qemu_packages[@]}"
    fi
}

apt() { # runs apt-get, and answers all questions
    env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@"
}

# Installs what is missing of these groups. QEMU counts if `qemu` is among them.
packages_ensure() { # GROUP...
    local missing=() qemu_missing=no major
    mapfile -t missing < <(packages_missing "$@")
    if [[ " $* " == *' qemu '* ]]; then
        major=$(qemu_major)
        qemu_export_age "$major"
        if [[ $major -eq 0 && -n ${AVC_QEMU-} ]]; then
            die 2 "AVC_QEMU is set, but $AVC_QEMU is no QEMU that can be run"
        fi
        if [[ $major -lt $qemu_wanted ]] && qemu_upgradable "$major"; then
            qemu_missing=yes
        fi
    fi
    if [[ ${#missing[@]} -eq 0 && $qemu_missing == no ]]; then
        qemu_note_age
        return
    fi
    lock_take
    packages_announce "$qemu_missing" "${missing[@]}"
    packages_install "$qemu_missing" "${missing[@]}"
    qemu_export_age "$(qemu_major)"
    qemu_note_age
}

# If a newer QEMU cannot be had, an old one that is installed will do. It cannot be had without root, on another Debian,
# if the user gave a QEMU, or if an earlier attempt failed.
qemu_upgradable() { # MAJOR
    [[ $1 -ne 0 ]] || return 0
    [[ -z ${AVC_QEMU-} && $EUID -eq 0 && ! -e $build/.no-backports ]] && on_bookworm
}

# Exports AVC_QEMU_OLD, which tests read, too: the major version of a QEMU that is old.
qemu_export_age() { # MAJOR
    unset AVC_QEMU_OLD
    [[ $1 -eq 0 || $1 -ge $qemu_wanted ]] || export AVC_QEMU_OLD=$1
}

qemu_note_age() {
    [[ -n ${AVC_QEMU_OLD-} ]] || return 0
    say "QEMU $AVC_QEMU_OLD is older than $qemu_wanted: its CPUs have not all of FEAT_FGT, FEAT_ECV," \
        'FEAT_EVT, FEAT_WFxT, FEAT_NV2; what is for these is not used, nor tested'
}

packages_announce() { # QEMU_MISSING PACKAGE...
    local qemu_missing=$1
    shift
    have apt-get || die 2 "missing: $* ${qemu_missing/yes/qemu-system-arm}" \
        'There is no apt-get here to install them with.'
    [[ $# -eq 0 ]] || announce "not found, to be installed by apt-get: $*"
    [[ $qemu_missing == no ]] ||
        announce "not found, to be installed by apt-get: $(qemu_request | paste -sd ' ')"
    if [[ $qemu_missing == yes ]] && on_bookworm && ! backports_known; then
        announce "to be added to apt's sources: $backports, from $(debian_mirror), in $backports_source"
    fi
    [[ $EUID -ne 0 ]] || return 0
    error "something is missing, and only root may install it. This does:"
    printf '\n%s\n\n' "$(packages_command "$qemu_missing" "$@")" >&2
    hint 'Then run ./avc again.'
    exit 2
}

# Prints what packages_install does, as one line for the shell.
packages_command() { # QEMU_MISSING PACKAGE...
    local qemu_missing=$1 line='' request=()
    shift
    if [[ $qemu_missing == yes ]]; then
        if on_bookworm && ! backports_known; then
            line+="printf \"%s\\n\" $(backports_stanza | sed 's/.*/"&"/' | paste -sd ' ')"
            line+=" >$backports_source && "
        fi
        mapfile -t request < <(qemu_request)
        set -- "$@" "${request[@]}"
    fi
    line+="apt-get update && apt-get install -y --no-install-recommends $*"
    if have sudo; then
        printf "sudo sh -c '%s'" "$line"
    else
        printf "su - -c '%s'" "$line"
    fi
}

packages_install() { # QEMU_MISSING PACKAGE...
    local qemu_missing=$1 log=$build/log/install.log added=no
    shift
    mkdir -p "$build/log"
    : >"$log"
    if [[ $qemu_missing == yes ]] && on_bookworm && ! backports_known; then
        backports_stanza >"$backports_source"
        added=yes
    fi
    say "installing (log: $log)"
    # Without a network the lists that are there may be enough. apt-get install will tell.
    if ! logged_quietly "$log" apt update; then
        say "apt-get update failed; going on with the package lists that are there"
    fi
    if [[ $# -gt 0 ]]; then
        logged "$log" apt install -y --no-install-recommends "$@" ||
            die 2 'packages could not be installed' "Missing: $*" 'The log above says why.'
    fi
    [[ $qemu_missing == no ]] || qemu_install "$log" "$added"
}

logged_quietly() { # LOG COMMAND...
    printf '$ %s\n' "${*:2}" >>"$1"
    "${@:2}" >>"$1" 2>&1 </dev/null
}

qemu_install() { # LOG ADDED
    local log=$1 added=$2 request=()
    mapfile -t request < <(qemu_request)
    if logged_quietly "$log" apt install -y --no-install-recommends "${request[@]}"; then
        hash -r
        return
    fi
    if on_bookworm; then
        # They did not help, so apt's sources become again what they were.
        [[ $added == no ]] || rm -f -- "$backports_source"
        say "QEMU can't be had from $backports; taking Debian's own"
        logged_quietly "$log" apt update || true
        if have "$qemu" ||
            logged_quietly "$log" apt install -y --no-install-recommends qemu-system-arm; then
            hash -r
            # So the next run does not try it again.
            touch "$build/.no-backports"
            return
        fi
    fi
    error "QEMU is not installed, and apt-get can't install it"
    log_tail "$log" 60
    hint 'Install a qemu-system-aarch64, or name one by AVC_QEMU=FILE.'
    exit 2
}
