# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # top and build are set by ./avc
#
# What all parts of the launcher use: messages, steps with a log, the build lock. All messages go to stderr, because
# stdout is the guest's.

quiet=no # yes: only errors (./avc run --quiet)

say() {
    [[ $quiet == yes ]] || printf 'avc: %s\n' "$*" >&2
}

# Prints a message in spite of --quiet: a change to the user's system.
announce() {
    printf 'avc: %s\n' "$*" >&2
}

error() {
    printf 'avc: error: %s\n' "$*" >&2
}

# Prints lines below an error, indented: what the user can do about it.
hint() {
    printf '  %s\n' "$@" >&2
}

die() { # STATUS MESSAGE [HINT...]
    local status=$1
    error "$2"
    [[ $# -le 2 ]] || hint "${@:3}"
    exit "$status"
}

die_usage() { # COMMAND MESSAGE [HINT...]
    error "$2"
    [[ $# -le 2 ]] || hint "${@:3}"
    hint "./avc $1 --help lists the options."
    exit 2
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# Shows the end of a log, after an error that names it. ./avc check shows its logs together at its end instead.
log_tails=now

log_tail() { # FILE LINES
    [[ $log_tails == now ]] || return 0
    printf -- '---- %s\n' "$1" >&2
    tail -n "$2" -- "$1" >&2
    printf -- '----\n' >&2
}

# Runs a command with its output in a log. If it fails, shows the log and returns its status.
logged() { # LOG COMMAND...
    local log=$1 status=0
    shift
    mkdir -p "$(dirname "$log")"
    printf '$ %s\n' "$*" >>"$log"
    "$@" >>"$log" 2>&1 </dev/null || status=$?
    if [[ $status -ne 0 ]]; then
        error "failed with status $status: $*"
        log_tail "$log" 200
    fi
    return "$status"
}

# One launcher at a time installs, fetches and builds. It locks the tree's own folder. So it leaves no lock file, and
# `clean` cannot remove the lock for which another launcher waits.
lock_fd=

lock_take() {
    [[ -z $lock_fd ]] || return 0
    exec {lock_fd}<"$top"
    if ! flock -n "$lock_fd"; then
        say "another ./avc is building in this tree; waiting for it"
        flock "$lock_fd"
    fi
}

lock_drop() {
    [[ -n $lock_fd ]] || return 0
    exec {lock_fd}<&-
    lock_fd=
}
