"""The cost of filling a database with data."""
