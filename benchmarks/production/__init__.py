"""What the production stack carries, and what it costs to start it."""
