"""HTTP: what the API and the back office share."""
