"""What it costs to have a database full of data: loading it, and having it again."""
