"""OpenAPI document of the API, and its reference page."""
