"""Runtime of a Flask service on PostgreSQL: HTTP, database, settings, logs, metrics and traces."""
