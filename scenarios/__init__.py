"""Situations to try the shop in, one module each; the first line of its docstring tells the story.

A short story is told through the app's own services, by `fill(session, seed)`. A long one is copied: its `SIZE` is the
size by default, `COLUMNS` are those it fills, and `parts(size, seed)` are calls that make the rows
(scenarios/loading/rows.py). Either gives the same rows for the same size and seed, whenever it is told.
"""
