"""Situations to try the shop in: one module each, with a `fill(session)` that tells a short story."""
