"""/api/items"""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts.api.auth import STAFF, caller
from app.items.api import responses
from app.items.api.requests import NewItem
from app.items.errors import UnknownItem
from app.items.items import add, find, list_items
from app.items.models import Item
from groundwork.flask.database import db, readonly_session
from groundwork.flask.errors import IdempotencyKeyReused
from groundwork.flask.http import idempotency
from groundwork.flask.http.idempotency import StoredResponse, run_once
from groundwork.flask.http.openapi.operation import EVERYBODY, Operation
from groundwork.flask.http.pagination import next_page
from groundwork.flask.http.requests import Page

blueprint = Blueprint("items", __name__, url_prefix="/items")


@blueprint.post("")
@Operation(
    "addItem",
    allowed=STAFF,
    body=NewItem,
    accepts=[idempotency.HEADER],
    gives={HTTPStatus.CREATED: responses.Item},
    refusals=[IdempotencyKeyReused],
)
def post() -> ResponseReturnValue:
    """Add an item."""
    new, key = NewItem.of(request), idempotency.key(request)
    session = db.session()

    def created() -> StoredResponse:
        item = add(session, new.name)
        return StoredResponse(201, url_for(".get", item_id=item.id), jsonify(_shown(item)).get_data(as_text=True))

    answer = run_once(session, caller().id, key, idempotency.fingerprint(request, new), created) if key else created()
    session.commit()
    return Response(answer.body, answer.status, {"Location": answer.location}, content_type="application/json")


@blueprint.get("")
@Operation("listItems", allowed=EVERYBODY, query=Page, gives={HTTPStatus.OK: responses.ItemPage})
def index() -> ResponseReturnValue:
    """List items, the newest first."""
    asked = Page.of(request)
    items = list_items(readonly_session(), asked.limit, asked.after)
    return responses.ItemPage(items=[_shown(item) for item in items], next=next_page(items, asked.limit))


@blueprint.get("/<id:item_id>")
@Operation("getItem", allowed=EVERYBODY, gives={HTTPStatus.OK: responses.Item}, refusals=[UnknownItem])
def get(item_id: int) -> ResponseReturnValue:
    """Show an item."""
    return _shown(find(readonly_session(), item_id))


def _shown(item: Item) -> responses.Item:
    return {"id": item.id, "name": item.name, "created_at": item.created_at.isoformat()}
