"""Tasks `inv prod.…`: the production stack on this machine."""
