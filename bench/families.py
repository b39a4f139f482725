# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Families: the same operation in many forms, which the bench's guests print as FAMILY/MEMBER. The figure of a family
is that of its dearest member; how much dearer that is than the cheapest is a figure, too."""
INSTRUCTIONS, CHEAPEST, MEMBERS = "instructions", "cheapest", "members"


class Figure(float):
    """A number, and the member of a family that it is of."""

    def __new__(cls, value, member=""):
        figure = super().__new__(cls, value)
        figure.member = member
        return figure

    def __str__(self):
        return f"{self:.2f} {self.member}".rstrip()

    @classmethod
    def read(cls, text):
        value, _, member = text.partition(" ")
        return cls(value, member)


def split(name):
    """(row, member); no member: ''."""
    row, _, member = name.partition("/")
    return row, member


def members(figures, row):
    """{member: figure} of one row, of {name: figure} as it was printed."""
    return {split(name)[1]: figure for name, figure in figures.items() if split(name)[0] == row}


def rows(figures):
    """The names of rows, in order."""
    return list(dict.fromkeys(split(name)[0] for name in figures))


def chosen(figures, choose):
    """{row: Figure}, one out of each row's members."""
    best = {}
    for name, figure in figures.items():
        row, member = split(name)
        if row not in best or choose(figure, best[row]) == figure != best[row]:
            best[row] = Figure(figure, member)
    return best


def summary(units):
    """{unit: {row: Figure}} of {unit: {name: figure}}: the dearest member in each unit; of instructions also the
    cheapest, and how many members there are."""
    found = {unit: chosen(figures, max) for unit, figures in units.items()}
    figures = units[INSTRUCTIONS]
    families = [row for row in rows(figures) if found[INSTRUCTIONS][row].member]
    found[CHEAPEST] = {row: figure for row, figure in chosen(figures, min).items() if row in families}
    found[MEMBERS] = {row: Figure(len(members(figures, row))) for row in families}
    return found


def ratio(dearest, cheapest):
    """None: no family."""
    return None if dearest is None or cheapest is None else dearest / cheapest
