"""What makes an app with one model, an item, of the shop: what is deleted, what is called something else.

What there is instead lies in yours/empty/, under its own paths; a `.end` is put to the end of the file of that name.
"""

Change = str | tuple[str, str]
"""A pattern to be deleted, or one with what stands in its place."""

WORDS: list[tuple[str, str]] = [
    (r"/api/(products|orders)\b", "/api/items"),
    (r"\border_lines\b|(?<![A-Za-z])(products|orders)\b", "items"),
    (r"\bempty_shop\b", "nothing"),
    (r"\blow_stock\b", "starter"),
    (r"\b(product|order)_id\b", "item_id"),
    (r"\bproduct\b", "item"),
    (r"\bProduct\b", "Item"),
    (r"\b(Products|Orders)\b", "Items"),
    (r'\bitems\.add\((\w+), f?"[^"]*", ("[^"]*")[^)]*\)', r"items.add(\1, \2)"),
]
"""In all code and configuration that is kept, after what is deleted from it."""


def classes(*names: str) -> list[Change]:
    """From the class statement, or its decorator, to the next statement of the module."""
    return [rf"(?:^@[^\n]*\n)?^class {name}\b[^\n]*\n(?:(?:    [^\n]*)?\n)*" for name in names]


def functions(*names: str) -> list[Change]:
    return [rf"(?:^@[^\n]*\n)*^def {name}\((?s:.*?)(?=^[@a-zA-Z]|\Z)" for name in names]


SHOP: dict[str, list[Change]] = {
    "app/models.py": [
        r"import hashlib\n",
        r"    UniqueConstraint,\n",
        (r"import Mapped, mapped_column, relationship", "import Mapped, mapped_column"),
        r"SKU_LENGTH = .*\n",
        r"ONE_PRODUCT_PER_SKU = .*\n",
        *classes("Product", "OrderStatus", "Order", "OrderLine", "OrderEvent"),
        ("What the shop keeps", "What is kept"),
    ],
    "app/errors.py": [
        *classes("UnknownProduct", "UnknownOrder", "SkuTaken", "Shortage", "OutOfStock", "StockFull"),
        *classes("NotPossibleAnyMore"),
        ("What can go wrong in a shop", "What can go wrong"),
        ("Something of the shop stands", "Something stands"),
        ("the staff of the shop", "the staff"),
    ],
    "app/values.py": [
        (", SKU_LENGTH", ""),
        r"Amount = .*\n",
        r"Quantity = .*\n",
        r"Sku = .*\n",
        ("import BIGINT_MAX, INTEGER_MAX", "import BIGINT_MAX"),
    ],
    "app/metrics.py": [
        r"from app\.database import RequestSession\nfrom app\.orders import placed\n\n",
        r"from sqlalchemy\.orm import Session, SessionTransaction\n",
        ("import Iterable, Iterator", "import Iterable"),
        r"PLACED = .*\n.*\n\n",
        r"ORDERS = .*\n",
        r"\n\n@placed\.connect(?s:.*)",
    ],
    "app/api/__init__.py": [
        ("import callers, orders, products, tokens", "import callers, items, tokens"),
        r".*\(products\.blueprint\)\n",
        ("The shop for", "The service for"),
    ],
    "app/api/answers.py": [
        ("import OrderStatus, Role", "import Role"),
        ("import Amount, Email, Id, Name, Quantity, Sku", "import Email, Id, Name"),
        r"Cents = .*\n",
        *classes("Product", "ProductPage", "Person", "Goods", "Line", "Order", "Event", "Trail", "OrderPage"),
    ],
    "app/api/payloads.py": [
        r"from collections import Counter\n",
        ("import Annotated, ClassVar, Literal, Self", "import Annotated, ClassVar, Self"),
        ("import AwareDatetime, BaseModel", "import BaseModel"),
        ("import TOKEN_NAME_LENGTH, OrderStatus", "import TOKEN_NAME_LENGTH"),
        (
            "import LONGEST_PASSWORD, Amount, Cursor, Email, Id, Name, NewPassword, Quantity, Sku",
            "import LONGEST_PASSWORD, Cursor, Email, Name, NewPassword",
        ),
        r"LONGEST_ORDER = .*\n",
        *classes("Orders", "NewProduct", "ProductChange", "OrderChange", "NewLine", "NewOrder"),
    ],
    "app/reference/document.py": [
        (", the shop", ""),
        r"Money is in cents; m(?=oments)",
        ("^oments carry", "Moments carry"),
        r'    "products": .*\n',
        (r'"orders": .*', '"items": "What is kept here.",'),
        ("Who buys, and who serves them", "Who uses it, and the staff"),
    ],
    "app/desk/__init__.py": [
        (r"The order desk: pages on which .*(?=\.\"\"\"$)", "The desk: pages for the staff"),
        ("forgery, orders, products, sign_in", "forgery, items, sign_in"),
        r".*\(products\.blueprint\)\n",
        r"for word in .*:\n    (?=blueprint)",
        (r"add_app_template_filter\(word\)", "add_app_template_filter(words.moment)"),
    ],
    "app/desk/words.py": [*functions("money", "amount")],
    "app/desk/clerks.py": [("order desk", "desk")],
    "app/desk/forms.py": [
        ("^from datetime import .*\n", ""),
        ("import Annotated, ClassVar, Literal, Self", "import Annotated, ClassVar, Self"),
        ("AfterValidator, BaseModel, BeforeValidator, ConfigDict", "AfterValidator, BaseModel, ConfigDict"),
        r"from app\.database import INTEGER_MAX\n",
        ("import EMAIL_LENGTH, OrderStatus", "import EMAIL_LENGTH"),
        ("import LONGEST_PASSWORD, Amount, Cursor", "import LONGEST_PASSWORD, Cursor"),
        r"NUMBER = .*\n",
        r"PRICE = .*\n",
        *functions("_number_or_address", "_cents"),
        *classes("Search", "Step", "Change"),
        (" that you have at the shop", " that you have here"),
    ],
    "app/desk/templates/layout.html": [r", \(\"desk\.products\.\", \"Products\"\)"],
    "app/desk/templates/parts.html": [
        r"\{% macro status\(of\) %\}.*\n\n",
        r"\{% macro stock\(pieces\) %\}\n(.+\n)+\n",
    ],
    "scenarios/__init__.py": [("Situations to try the shop in", "Situations to try the service in")],
    "scenarios/rehearsal/traffic.py": [
        r"NEWEST_ORDERS = (?s:.*?)(?=^Rows = )",
        r"\n\n^def read\((?s:.*)",
    ],
    "scenarios/lab/calls.py": [
        ("import orders, tokens", "import items, tokens"),
        ("import Order, OrderStatus, Product, Role", "import Item, Role"),
        (r'"Entity", User, Product, Order\)', '"Entity", User, Item)'),
        r"LATELY = .*\n\n",
        r"from datetime import timedelta\n",
        (
            r"middle = \{\n.*\n    \}  # fmt: skip",
            'middle = {"users": _middle(session, User), "items": _middle(session, Item)}',
        ),
        (r"_queries\(middle: User \| Product \| Order", "_queries(middle: User | Item"),
        (r"isinstance\(middle, Product \| Order\)", "isinstance(middle, Item)"),
        r"    if isinstance\(middle, Order\):\n(        .*\n)*",
        r"    buyer = (?s:.*?)(?=\n\ndef _middle)",
        (
            r'^(    yield Call\("tokens\.caller".*\n)',
            r'\1    yield Call("items.add", lambda session: items.add(session, "Another one"))\n',
        ),
        (r"yield from _services\(session\)", "yield from _services()"),
        (r"def _services\(session: Session\)", "def _services()"),
    ],
    ".ci/smoke": [
        ("order something, look at it", "add something, look at it"),
        ("grep -q sku", "grep -q name"),
        (r"^product=.*\norder=.*", 'item=$(api items -d \'{"name": "A match"}\' | field id)'),
        ("the new product", "the new item"),
        (r'\$\(api "orders/\$order" \| field id\) == "\$order"', '$(api "items/$item" | field id) == "$item"'),
        ("the order did not", "the item did not"),
        ("smoke: ordered", "smoke: added"),
    ],
    "README.md": [
        ("## The order desk", "## The desk"),
        ("the staff of the shop look after orders and products", "the staff look after items"),
        r"\| `inv prod\.drill` .*\n",
        (" -k stock ", " -k items "),
    ],
    "docs/index.md": [r"- \*\*Start\*\*: (?s:.*?)(?=^- \*\*How)"],
    "docs/architecture.md": [
        ("the shop: Flask code", "the service: Flask code"),
        ("User, Product, Order, OrderLine, IdempotencyKey", "User, Token, Item, IdempotencyKey"),
        (" in a shop$", ""),
        (r"users\.py products\.py orders\.py sales\.py idempotency\.py ", "users.py items.py idempotency.py "),
        ("the order desk, for the staff", "the desk, for the staff"),
        r"^  drill/ load/ .*\n",
        (r"`orders\.place\(session, …\)`", "`items.add(session, …)`"),
        r"- \*\*A drill\*\*(.*\n)(  .*\n)*",
    ],
    "docs/databases.md": [("starter: .*", "starter: 3 items, 2 users")],
    "docs/observability.md": [r"\| `orders_placed_total` .*\n"],
    "docs/production.md": [
        r"\| `inv prod\.drill` .*\n",
        r"## The drill\n(?s:.*?)(?=^## |\Z)",
        (r"An order that was sent(.*)\n(.*) and gets its order once", r"What was sent\1\n\2 and gets its answer once"),
    ],
    "zensical.toml": [r'.*"(getting-started|tutorial|day-one|api)\.md".*\n'],
    "tasks.py": [r"from ops\.drill import .*\n", ("operations, drill", "operations")],
    "tests/app/test_encoding.py": [("import OrderStatus", "import Role"), (r"OrderStatus\.PAID", "Role.STAFF")],
    "tests/app/test_idempotency.py": [("OutOfStock", "UnknownUser"), (r"UnknownUser\(\[\]\)", "UnknownUser(1)")],
    "tests/app/test_connections.py": [("/api/orders", "/api/tokens")],
    "tests/app/test_commands.py": [("/api/orders", "/api/tokens")],
    "tests/app/test_hostile.py": [(r'{"lines": .*', '{"name": "x"},')],
    "tests/app/test_metrics.py": [
        r"from app import orders, products, users\n",
        ("import Database, clerk", "import Database"),
        *functions("test_an_order_counts_once_it_is_committed", "test_an_order_that_is_undone_counts_for_nothing"),
    ],
    "tests/app/test_outage.py": [
        ("import products, tokens, users", "import tokens"),
        r"from app\.models import Product\n",
        r"from concurrent\.futures import ThreadPoolExecutor\n",
        ("create_engine, event, select, text", "create_engine, event, text"),
        ("ADA, Database, clerk", "ADA, Database"),
        r"WAITS_FOR_A_LOCK = (?s:.*?)^\)\n",
        *functions("test_who_is_chosen_to_end_a_deadlock_is_told_to_try_again", "stock_shop"),
    ],
    "tests/app/reference/test_document.py": [(r"answers\.Order", "answers.Item")],
    "tests/app/api/conftest.py": [
        r"    pot: int\n",
        r"    pot = .*\n",
        (r"mug\.id, pot\.id", "mug.id"),
        ("A shop with a customer and something to sell, and", "A user and an item, and"),
        ("Ten mugs, three teapots; their ids and Ada's.", "A mug and Ada; their ids, and her token."),
    ],
    "tests/app/api/test_bad_requests.py": [
        r"from tests\.app\.api\.conftest import Shop\n\n",
        (r"PRODUCT: .*\nORDER: .*", 'ITEM: dict[str, Any] = {"name": "Knife"}'),
        ("PRODUCT", "ITEM"),
        r"WRONG_NUMBERS: .*\n",
        (r', "/api/orders"\]', "]"),
        (r', "/api/orders/1"', ""),
        (r'\["sku", "name"\]', '["name"]'),
        *functions("test_every_wrong_field_is_named_at_once", "test_a_wrong_field_deep_inside_is_pointed_at"),
        *functions("test_a_product_does_not_count", "test_nobody_orders_as", "test_an_order_line_has_no_such"),
        *functions("test_an_order_is_not_made_of"),
        *functions("test_the_largest_order_of_the_same_thing_is_refused_as_more_than_there_is"),
    ],
    "tests/app/api/test_callers.py": [
        r"from typing import Any\n",
        ("import orders, tokens", "import tokens"),
        (r"PRODUCT = .*", 'ITEM = {"name": "New"}'),
        (r"\(PRODUCT,", "(ITEM,"),
        r"CHANGE = .*\n",
        r"LINES = .*\n",
        r'    "PUT /api/products/.*\n',
        r'    "(POST|GET|PATCH) /api/orders.*\n',
        (
            r"this body; `<order>` is the owner's\. A new order is of a product\nthat there is not\.",
            "this body.",
        ),
        *functions("test_a_customer_lists_only_their_own_orders", "test_a_customer_orders_for_nobody_else"),
        *functions("test_a_customer_says_of_no_order_that_it_is_paid_or_shipped"),
        ("/api/orders", "/api/tokens"),
        r"    order = orders\.place.*\n",
        (r'"product": shop\.mug, "order": order\.id', '"item": shop.mug'),
    ],
    "tests/app/desk/test_admission.py": [
        r"from app import orders\n",
        (
            r'    "GET /orders": (?s:.*?)(?=^}\n""")',
            '    "GET /items": (None, {NOBODY: 302, CUSTOMER: 403, STAFF: 200}),\n'
            '    "POST /items": ({"name": "Mug"}, {NOBODY: 302, CUSTOMER: 403, STAFF: 303}),\n',
        ),
        r"    order = orders\.place.*\n    session\.commit\(\)\n",
        (
            r"    for name, value in .*\n.*\n",
            '    address = address.replace("<path:filename>", "mark.svg")\n',
        ),
        r"    session\.expire_all\(\)\n    assert orders(?s:.*?)    \)\n",
        (r'"/orders", "/orders/1", "/products', '"/orders", "/products'),
    ],
    "tests/app/desk/test_pages.py": [
        (r', "/orders\?q=%00", "/products", ', ", "),
        ("Nothing was sold yet", "Nothing is here yet"),
    ],
    "tests/app/desk/test_sign_in.py": [
        ("/api/orders", "/api/tokens"),
        ("order desk", "desk"),
        ("the staff of the shop", "the staff"),
    ],
    "tests/app/desk/conftest.py": [("Ten mugs, a customer", "A mug, a customer")],
    "tests/ops/test_dev.py": [("Walnut chopping board", "A first one")],
    "tests/ops/test_layout.py": [(r'"orders", "products", "sales", "users"', '"items", "users"')],
    "tests/ops/test_table.py": [('"orders", "10,000"', '"plenty", "10,000"'), ("orders  10,000", "plenty  10,000")],
    "tests/ops/test_backups.py": [(r'"users", "products", "orders", "order_lines"', '"users", "items"')],
    "tests/ops/test_prod.py": [
        *functions("test_a_drill_finds_every_order_and_leaves_the_stack_as_it_was"),
        *functions("test_a_drill_that_is_interrupted_mends_what_it_has_broken"),
        (r"return sum\(\n +(value for .*)\n +\)", r"return sum(\1)"),
    ],
    "tests/ops/test_scenario.py": [
        (r"sum\(unit_price_cents\)", "md5(string_agg(name, ',' ORDER BY id))"),
        ("A busy shop", "Two years of items"),
        (r'"orders", "low_stock", "empty_shop", "wholesale", "starter"', '"orders", "empty_shop", "starter"'),
        ("low_stock", "starter"),
        ("has empty_shop, ", "has items, nothing, "),
    ],
    "tests/scenarios/test_lab.py": [
        (r'{"GET /orders", "GET /orders/<id:order_id>", "GET /products"}', '{"GET /items"}'),
        (r', "GET /api/orders\?status=…&user_id=…"', ""),
        (r'{"orders\.place", "orders\.pay", "orders\.cancel"}', '{"items.add", "tokens.caller"}'),
        r'    assert any\("FOR UPDATE".*\n',
        ("GET /orders/<id:order_id>", "GET /items"),
        ("FROM orders JOIN users", "FROM items"),
        ("DELETE FROM order_lines WHERE quantity > 1", "DELETE FROM items WHERE id > 1"),
        ("(Seq Scan|ModifyTable) order_lines", r"\1 items"),
        ("OrderLine", "Item"),
    ],
}
