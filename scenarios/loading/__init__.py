"""How a story gets into a database: told through the app's services, or copied, by the million."""
