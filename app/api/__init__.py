"""The shop for programs: JSON in, JSON out."""

from flask import Blueprint

from app.api import orders, products, users

blueprint = Blueprint("api", __name__, url_prefix="/api")
blueprint.register_blueprint(users.blueprint)
blueprint.register_blueprint(products.blueprint)
blueprint.register_blueprint(orders.blueprint)
