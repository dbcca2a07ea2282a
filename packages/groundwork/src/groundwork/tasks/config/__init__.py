"""Tasks `inv config.…`: the configuration files."""
