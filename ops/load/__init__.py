"""Requests as a shop's clients send them, many at once, and what became of each."""
