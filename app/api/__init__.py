"""The shop for programs: JSON in, JSON out."""

from flask import Blueprint

from app.api.orders import orders
from app.api.products import products
from app.api.users import users

api = Blueprint("api", __name__, url_prefix="/api")
api.register_blueprint(users)
api.register_blueprint(products)
api.register_blueprint(orders)
