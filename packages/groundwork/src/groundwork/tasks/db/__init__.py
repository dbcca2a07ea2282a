"""Tasks `inv db.…`: the configured database."""
