"""The API, to be read: as a document by programs."""

from functools import cache

from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue

from app.reference import document

blueprint = Blueprint("reference", __name__, url_prefix="/api")


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    return Response(_text(), mimetype="application/json")


@cache
def _text() -> str:
    """Made once: a process's routes do not change."""
    return document.text(current_app)
