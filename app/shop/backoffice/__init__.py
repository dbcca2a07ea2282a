"""Pages on which the staff look after orders and products."""

from app.shop.backoffice import orders, products

BLUEPRINTS = [orders.blueprint, products.blueprint]
