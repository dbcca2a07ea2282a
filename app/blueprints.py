"""Blueprints of the service: each package registers its views here, in the API and in the back office."""

from flask import Blueprint, Flask

from app.accounts import api as accounts_api
from app.accounts import backoffice as accounts_backoffice
from app.accounts.api import auth as api_auth
from app.accounts.backoffice import auth as backoffice_auth
from app.config import NAME
from app.shop import api as shop_api
from app.shop import backoffice as shop_backoffice
from groundwork.flask.http import pages
from groundwork.flask.http.openapi import document, views
from groundwork.flask.observability import health

DESCRIPTION = """\
JSON in, JSON out. What goes wrong is told as a problem document (RFC 9457), with what a program needs to put it right.

A method that an address does not have is a 405 (`MethodNotAllowed` below), an address that there is not a 404, and a
mistake of ours a 500: problem documents, too.

Money is in cents; moments carry their offset. Every answer has an `X-Request-ID`, by which it is found in the log.
"""
TAGS = {
    "tokens": "What lets a program act for a user.",
    "users": "Who buys, and who serves them.",
    "products": "What is sold.",
    "orders": "What was bought. Goods leave the stock when an order is placed, and come back when it is cancelled.",
}
BRAND = NAME.replace("-", " ").title()
"""Name of the service on its pages."""
ABOUT = document.About(
    f"{BRAND}, the shop",
    DESCRIPTION,
    TAGS,
    problem_types="urn:problem-type:shop:",
    published_modules={
        "app.accounts.api.requests.": "app.api.payloads.",
        "app.accounts.api.responses.": "app.api.answers.",
    },
)
HOME = "backoffice.orders.index"
NAVIGATION = {"backoffice.orders.": "Orders", "backoffice.products.": "Products"}
"""Names of the pages in the header, by the prefix of their endpoints."""

METRICS = ["app.shop.metrics"]
"""Modules that count events of the service, for `METRICS_PORT`."""

api = Blueprint("api", __name__, url_prefix="/api")
api.before_request(api_auth.admit)
for blueprint in (*accounts_api.BLUEPRINTS, *shop_api.BLUEPRINTS):
    api.register_blueprint(blueprint)

backoffice = pages.blueprint(BRAND, HOME, NAVIGATION)
backoffice.before_request(backoffice_auth.admit)
for blueprint in (*accounts_backoffice.BLUEPRINTS, *shop_backoffice.BLUEPRINTS):
    backoffice.register_blueprint(blueprint)


def init_app(app: Flask) -> None:
    app.extensions[document.EXTENSION] = ABOUT
    for blueprint in (api, views.blueprint, backoffice, health.blueprint):
        app.register_blueprint(blueprint)
