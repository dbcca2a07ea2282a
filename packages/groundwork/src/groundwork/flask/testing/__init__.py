"""Checks of an API against its OpenAPI document, for the tests of a project."""
