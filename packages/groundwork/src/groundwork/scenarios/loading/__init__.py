"""Loading of a scenario into a database, through the app's services or with COPY."""
