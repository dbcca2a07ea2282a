"""A shop that is almost sold out: many customers order the same few products."""

from datetime import timedelta
from random import Random

from sqlalchemy.orm import Session

from app.accounts import users
from app.shop import orders, products
from groundwork.scenarios.loading import clock

GOODS = ("kettle", "teapot", "grinder", "scale", "apron", "board", "knife", "pan", "wok", "whisk")
NAMES = ("Ada", "Bruno", "Chiara", "Dmitri", "Elin", "Farid", "Grace", "Hana", "Ivo", "Jun", "Kofi", "Lena")


def fill(session: Session, seed: int) -> None:
    random = Random(seed)  # noqa: S311  the data must be reproducible
    buyers = [users.register(session, f"{name.lower()}@example.com", name) for name in NAMES]
    shelf = [
        products.add(session, f"{good.upper()}-01", good.capitalize(), random.randrange(900, 9900, 100), stock)
        for good, stock in zip(GOODS, (14, 12, 9, 9, 8, 7, 6, 5, 4, 3), strict=True)
    ]

    # The morning rush: each order takes one or two products that are in stock, at most three pieces of each.
    for minute in range(26):
        available = [product for product in shelf if product.stock]
        wanted = random.sample(available, k=min(len(available), random.choice((1, 1, 2))))
        quantities = {product.id: random.randint(1, min(3, product.stock)) for product in wanted}
        order = orders.find(session, orders.place(session, random.choice(buyers).id, quantities).id)
        order.created_at = clock.NOW - timedelta(minutes=30 - minute)
        orders.list_events(session, order.id)[0].created_at = order.created_at
        if random.random() < 0.5:
            orders.pay(session, order.id)
        elif random.random() < 0.15:
            orders.cancel(session, order.id)  # which returns its pieces to the stock

    # One piece each of two products, so that the next two buyers compete for them.
    for product in shelf[:2]:
        product.stock = 1
