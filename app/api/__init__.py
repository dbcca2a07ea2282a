"""The shop for programs: JSON in, JSON out."""

from flask import Blueprint

from app.api import callers, orders, products, tokens, users

blueprint = Blueprint("api", __name__, url_prefix="/api")
blueprint.before_request(callers.admit)
blueprint.register_blueprint(tokens.blueprint)
blueprint.register_blueprint(users.blueprint)
blueprint.register_blueprint(products.blueprint)
blueprint.register_blueprint(orders.blueprint)
