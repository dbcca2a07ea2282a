"""The order desk: pages on which the staff of the shop look after orders and products."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from app import policy
from app.desk import clerks, forgery, orders, products, sign_in, words

blueprint = Blueprint("desk", __name__, template_folder="templates", static_folder="static", static_url_path="/desk")
blueprint.before_request(forgery.refuse)
blueprint.before_request(clerks.admit)
blueprint.after_request(policy.protect)
blueprint.register_blueprint(sign_in.blueprint)
blueprint.register_blueprint(orders.blueprint)
blueprint.register_blueprint(products.blueprint)
for word in (words.money, words.amount, words.moment):
    blueprint.add_app_template_filter(word)
blueprint.add_app_template_global(forgery.token, "forgery_token")


@blueprint.get("/")
def front() -> ResponseReturnValue:
    return redirect(url_for(".orders.index"))
