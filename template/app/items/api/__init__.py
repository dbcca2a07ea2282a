"""Endpoints of items."""

from app.items.api import items

BLUEPRINTS = [items.blueprint]
