"""Alembic migrations: the runner, revisions, lint, rehearsal, compatibility with the last release.

`runner`, `locks` and `schema_comparison` run wherever Alembic does, so also in the image of production. The rest needs
a checkout.
"""
