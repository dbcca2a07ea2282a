"""Tasks for Flask applications on PostgreSQL."""
