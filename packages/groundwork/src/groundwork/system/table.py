"""Plain-text tables for the terminal."""

from collections.abc import Collection, Sequence

from groundwork.system import shell


def show(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> None:
    """Print rows in aligned columns. `right` has the indices of the right-aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            f"{cell:{'>' if column in right else '<'}{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        shell.say("  ".join(cells).rstrip())
