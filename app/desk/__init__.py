"""The shop for people: one page that shows what there is and what was sold."""

from datetime import UTC, datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app import products, sales
from app.database import reading

ORDERS = 20
PRODUCTS = 50

blueprint = Blueprint("desk", __name__, template_folder="templates", static_folder="static", static_url_path="/desk")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    session = reading()
    return render_template(
        "desk.html", orders=sales.newest(session, ORDERS), products=products.newest(session, PRODUCTS)
    )


@blueprint.app_template_filter()
def money(cents: int) -> str:
    return f"€ {cents // 100:,}.{cents % 100:02}"


@blueprint.app_template_filter()
def moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%d %b, %H:%M}"
