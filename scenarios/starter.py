"""A small shop after its first week: some open orders, some products almost sold out.

All accounts have the password `correct horse battery staple`; grace@example.com belongs to the staff.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from app.accounts import users
from app.accounts.models import Role, User
from app.shop import orders, products
from app.shop.models import Order, Product
from groundwork.scenarios.loading import clock

# A constant hash from groundwork/flask/security/passwords.py, since a new salt in each load would change the rows.
PASSWORD_HASH = "$argon2id$v=19$m=19456,t=2,p=1$uHDTVK3RVHo02wk5/azOAg$I+xHE5thl0LsVhR6n1Clq+mo7WM1fErq81cAO/l24FE"  # noqa: S105  a documented example password


def fill(session: Session, seed: int) -> None:  # noqa: ARG001  every scenario has this signature
    """Add the same rows for any seed."""

    def user(name: str, role: Role = Role.CUSTOMER) -> User:
        registered = users.register(session, f"{name.split()[0].lower()}@example.com", name, role=role)
        registered.password_hash = PASSWORD_HASH
        return registered

    def product(sku: str, name: str, price_cents: int, stock: int) -> Product:
        return products.add(session, sku, name, price_cents, stock)

    def order(user: User, *lines: tuple[Product, int], hours_ago: float) -> Order:
        sale = orders.place(session, user.id, {product.id: quantity for product, quantity in lines})
        placed = orders.find(session, sale.id)
        placed.created_at = clock.NOW - timedelta(hours=hours_ago)
        date_last_event(placed, after=0)
        return placed

    def pay(order: Order, after: float = 0.2) -> None:
        orders.pay(session, order.id)
        date_last_event(order, after)

    def ship(order: Order, after: float = 20) -> None:
        orders.ship(session, order.id, by=grace.id)
        date_last_event(order, after)

    def cancel(order: Order, after: float = 3) -> None:
        orders.cancel(session, order.id, by=order.user_id)
        date_last_event(order, after)

    def date_last_event(order: Order, after: float) -> None:
        """Date the order's last event this many hours after the order."""
        orders.list_events(session, order.id)[-1].created_at = order.created_at + timedelta(hours=after)

    mug = product("MUG-01", "Stoneware mug", 1800, 40)
    teapot = product("POT-01", "Cast-iron teapot", 6400, 6)
    board = product("BRD-01", "Walnut chopping board", 4900, 12)
    knife = product("KNF-01", "Carbon steel paring knife", 3900, 15)
    apron = product("APR-01", "Linen apron", 3200, 25)
    towels = product("TWL-03", "Tea towels, set of three", 2100, 30)
    grinder = product("GRD-01", "Hand coffee grinder", 8900, 3)
    kettle = product("KTL-01", "Gooseneck kettle", 7500, 9)

    grace = user("Grace Novak", Role.STAFF)
    ada = user("Ada Okafor")
    bruno = user("Bruno Keller")
    chiara = user("Chiara Rossi")
    dmitri = user("Dmitri Sokolov")
    elin = user("Elin Lindqvist")

    # The first week: paid and shipped.
    for sold in (
        order(ada, (mug, 2), (teapot, 1), hours_ago=150),
        order(bruno, (grinder, 1), hours_ago=131),
        order(chiara, (board, 1), (knife, 2), hours_ago=118),
        order(elin, (mug, 6), (towels, 2), hours_ago=97),
    ):
        pay(sold)
        ship(sold)

    # Dmitri cancels two orders; the second one is already paid.
    cancel(order(dmitri, (apron, 2), hours_ago=90))
    regretted = order(dmitri, (kettle, 1), hours_ago=71)
    pay(regretted)
    cancel(regretted)

    # Paid, not yet shipped.
    for paid in (
        order(bruno, (kettle, 1), (mug, 4), hours_ago=46),
        order(ada, (grinder, 1), (towels, 1), hours_ago=27),
        order(chiara, (teapot, 2), hours_ago=22),
    ):
        pay(paid)

    # This morning: the last grinder is sold, and one teapot is left.
    order(elin, (grinder, 1), (apron, 1), hours_ago=5)
    order(dmitri, (teapot, 2), (board, 1), hours_ago=2.5)
    order(bruno, (knife, 1), (towels, 1), hours_ago=0.4)
