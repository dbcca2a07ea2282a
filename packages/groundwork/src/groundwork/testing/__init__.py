"""Pytest plugin: a PostgreSQL per run, isolated databases per test, markers for requirements."""
