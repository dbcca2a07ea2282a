"""Endpoints of the shop."""

from app.shop.api import orders, products

BLUEPRINTS = [products.blueprint, orders.blueprint]
