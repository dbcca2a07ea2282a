"""Benchmark of test isolation on a real database: our fixtures and those of others."""
