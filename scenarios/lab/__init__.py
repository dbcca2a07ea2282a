"""The query lab: what the app itself asks of a scenario's database, and how PostgreSQL answers."""
