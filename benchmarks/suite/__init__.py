"""What it costs to keep tests apart from each other on a real database: our ways, and those of others."""
