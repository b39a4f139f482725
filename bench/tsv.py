# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Reads the bench's files of figures: fields between tabs, and comment lines that begin with #."""


def read(path):
    """The fields of each line."""
    return [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
