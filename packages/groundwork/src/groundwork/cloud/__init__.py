"""Tasks `inv cloud.…` for the service on AWS, which terraform/ describes and this checkout releases."""
