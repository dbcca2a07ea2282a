"""Two test modules for all contenders, and a pytest plugin per contender that defines `session`."""
