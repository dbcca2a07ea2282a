"""Configuration files: loader, schema, validation rules, reference pages."""
