"""Pages on which the staff look after items."""

from app.items.backoffice import items

BLUEPRINTS = [items.blueprint]
