"""PostgreSQL servers of this checkout and their databases: start, connections, templates, psql."""
