"""The API, to be read: by programs as a document, by people on a page that Swagger UI makes of it."""

from functools import cache

from flask import Blueprint, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from app.reference import document

blueprint = Blueprint(
    "reference",
    __name__,
    url_prefix="/api",
    template_folder="templates",
    static_folder="static",
    static_url_path="/docs",
)


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    return Response(_text(), mimetype="application/json")


@blueprint.get("/docs")
def page() -> ResponseReturnValue:
    return render_template("reference.html")


@cache
def _text() -> str:
    """Made once: a process's routes do not change."""
    return document.text(current_app)
