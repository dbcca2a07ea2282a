"""Rows as people read them in a terminal."""

from collections.abc import Collection, Sequence

from ops import shell


def show(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> None:
    """Each column as wide as its widest cell; those numbered in `right` end in line."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            f"{cell:{'>' if column in right else '<'}{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        shell.say("  ".join(cells).rstrip())
