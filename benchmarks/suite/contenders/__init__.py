"""The same two tests, and a pytest plugin a contender, which says what `session` is."""
