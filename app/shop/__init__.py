"""The shop: products, orders and their stock. Without this package, the service has accounts only."""
