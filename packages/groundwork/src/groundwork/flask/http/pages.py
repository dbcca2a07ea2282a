"""Blueprint of the pages: layout, styles, protection, and the page at `/`."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, redirect, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from groundwork.flask.http import csrf, security_headers


def blueprint(brand: str, home: str, navigation: Mapping[str, str]) -> Blueprint:
    """Return the blueprint `backoffice`, to which an app adds its pages and the check of who may see them.

    `brand` stands in titles and in the header, `home` is the endpoint that `/` leads to, and `navigation` has the names
    of the pages in the header by the prefix of their endpoints, the first of them that of `home`.
    """
    pages = Blueprint(
        "backoffice", __name__, template_folder="templates", static_folder="static", static_url_path="/desk"
    )
    pages.before_request(csrf.refuse)
    pages.after_request(security_headers.protect)
    pages.add_app_template_filter(moment)

    @pages.get("/")
    def front() -> ResponseReturnValue:
        return redirect(url_for(home))

    @pages.record_once
    def configure(state: BlueprintSetupState) -> None:
        state.app.config.from_mapping(BRAND=brand, HOME=home, NAVIGATION=navigation)
        csrf.init_app(state.app)

    return pages


def moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%-d %b %Y, %H:%M}"
