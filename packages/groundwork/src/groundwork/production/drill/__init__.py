"""Fault injection into this machine's production stack while it is under load: `inv prod.drill`."""
