"""/api/items"""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from app.api import answers, idempotency
from app.api.callers import caller
from app.api.operation import EVERYBODY, STAFF, Operation
from app.api.pages import following
from app.api.payloads import NewItem, Page
from app.database import db, reading
from app.errors import IdempotencyKeyReused, UnknownItem
from app.idempotency import Answer, once
from app.items import add, find, newest
from app.models import Item

blueprint = Blueprint("items", __name__, url_prefix="/items")


@blueprint.post("")
@Operation(
    "addItem",
    allowed=STAFF,
    body=NewItem,
    accepts=[idempotency.HEADER],
    gives={HTTPStatus.CREATED: answers.Item},
    refusals=[IdempotencyKeyReused],
)
def post() -> ResponseReturnValue:
    """Add an item."""
    new, key = NewItem.of(request), idempotency.key(request)
    session = db.session()

    def created() -> Answer:
        item = add(session, new.name)
        return Answer(201, url_for(".get", item_id=item.id), jsonify(_shown(item)).get_data(as_text=True))

    answer = once(session, caller().id, key, idempotency.fingerprint(request, new), created) if key else created()
    session.commit()
    return Response(answer.body, answer.status, {"Location": answer.location}, content_type="application/json")


@blueprint.get("")
@Operation("listItems", allowed=EVERYBODY, query=Page, gives={HTTPStatus.OK: answers.ItemPage})
def index() -> ResponseReturnValue:
    """List items, the newest first."""
    asked = Page.of(request)
    items = newest(reading(), asked.limit, asked.after)
    return answers.ItemPage(items=[_shown(item) for item in items], next=following(items, asked.limit))


@blueprint.get("/<id:item_id>")
@Operation("getItem", allowed=EVERYBODY, gives={HTTPStatus.OK: answers.Item}, refusals=[UnknownItem])
def get(item_id: int) -> ResponseReturnValue:
    """Show an item."""
    return _shown(find(reading(), item_id))


def _shown(item: Item) -> answers.Item:
    return {"id": item.id, "name": item.name, "created_at": item.created_at.isoformat()}
