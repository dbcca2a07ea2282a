"""Scenarios: databases with example data, each on its own PostgreSQL server."""
