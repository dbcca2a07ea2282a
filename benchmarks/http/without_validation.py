"""wsgi.py, but that a query is taken as it comes."""

from flask import Request

from app.api.payloads import Orders
from wsgi import app as app


def _unchecked(request: Request) -> Orders:
    return Orders.model_construct(limit=int(request.args["limit"]))


Orders.of = _unchecked  # type: ignore[method-assign]  # that is the point
