"""What docs/benchmarks.md shows, measured: `inv bench.NAME` runs one of the packages here."""
