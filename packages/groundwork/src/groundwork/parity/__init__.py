"""Configuration parity of Flask, Compose, Terraform and ECS: `inv config.parity`."""
