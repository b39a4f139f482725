# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""A family is the same operation in many forms. The bench's guests print each form as FAMILY/MEMBER. The family's
figure is that of its dearest member. A second figure is how many times as dear that is as the cheapest."""
INSTRUCTIONS, CHEAPEST, MEMBERS = "instructions", "cheapest", "members"


class Figure(float):
    """A number, and the member of the family that it belongs to."""

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
    """Returns (row, member). A row that is no family has the member ''."""
    row, _, member = name.partition("/")
    return row, member


def members(figures, row):
    """Returns {member: figure} of one row, from {name: figure} as it was printed."""
    return {split(name)[1]: figure for name, figure in figures.items() if split(name)[0] == row}


def rows(figures):
    """The names of the rows, in the order in which they were printed."""
    return list(dict.fromkeys(split(name)[0] for name in figures))


def chosen(figures, choose):
    """Returns {row: Figure}: one member of each row, which choose (max or min) picks."""
    best = {}
    for name, figure in figures.items():
        row, member = split(name)
        if row not in best or choose(figure, best[row]) == figure != best[row]:
            best[row] = Figure(figure, member)
    return best


def summary(units):
    """Turns {unit: {name: figure}} into {unit: {row: Figure}}, with the dearest member in each unit. For instructions
    it adds the cheapest member and the number of members."""
    found = {unit: chosen(figures, max) for unit, figures in units.items()}
    figures = units[INSTRUCTIONS]
    families = [row for row in rows(figures) if found[INSTRUCTIONS][row].member]
    found[CHEAPEST] = {row: figure for row, figure in chosen(figures, min).items() if row in families}
    found[MEMBERS] = {row: Figure(len(members(figures, row))) for row in families}
    return found


def ratio(dearest, cheapest):
    """The ratio of dearest to cheapest, or None if the row is no family."""
    return None if dearest is None or cheapest is None else dearest / cheapest
