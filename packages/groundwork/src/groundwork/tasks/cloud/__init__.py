"""Tasks `inv cloud.…`: production on AWS."""
