"""Copies of a database: snapshots on its server, and dumps."""
