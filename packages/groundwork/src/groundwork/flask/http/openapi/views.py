"""API reference: the OpenAPI document for programs, and a Swagger UI page for people."""

from functools import cache

import click
from flask import Blueprint, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from groundwork.flask.http.openapi import document

blueprint = Blueprint(
    "reference",
    __name__,
    url_prefix="/api",
    template_folder="templates",
    static_folder="static",
    static_url_path="/docs",
    cli_group=None,
)


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    return Response(_text(), mimetype="application/json")


@blueprint.get("/docs")
def page() -> ResponseReturnValue:
    return render_template("reference.html")


@blueprint.cli.command("openapi")
def print_document() -> None:
    """Print the API as an OpenAPI document."""
    click.echo(document.text(current_app), nl=False)


@cache
def _text() -> str:
    """Build the document once: a process's routes do not change."""
    return document.text(current_app)
