"""Benchmarks for docs/benchmarks.md: `inv bench.NAME` runs one of these packages."""
