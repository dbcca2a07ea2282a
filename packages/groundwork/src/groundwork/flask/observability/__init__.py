"""Logs, metrics, traces and health checks of the service."""
