"""Passwords, limits on attempts to sign in, and the comparison of e-mail addresses."""
