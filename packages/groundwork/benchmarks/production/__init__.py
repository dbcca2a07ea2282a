"""The load that the production stack serves, and the time that it takes to start."""
