"""The production stack on one machine: images, zero-downtime deploys, TLS."""
