"""What it costs to migrate a database, and to have it again as it was."""
