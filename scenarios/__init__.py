"""Example data: one module per scenario; the first line of its docstring describes it.

A small scenario defines `fill(session, seed)`, which calls the app's services. A large one is loaded with COPY: `SIZE`
is its default size, `COLUMNS` are the columns it fills, and `parts(size, seed)` yields calls that generate the rows
(groundwork.scenarios.loading.rows). In both kinds, equal size and seed give equal rows.
"""
