"""Accounts: users, their passwords and tokens, and signing in."""
