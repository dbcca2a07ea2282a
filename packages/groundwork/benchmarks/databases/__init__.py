"""The cost of migrating a database, and of snapshots and backups."""
