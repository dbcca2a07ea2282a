"""Whether the service gets the same wherever it runs: `inv config.parity`."""
