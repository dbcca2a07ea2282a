"""What can go wrong in a shop."""

from collections.abc import Sequence
from dataclasses import dataclass


class Refusal(Exception):
    """Something of the shop stands in the way of what was asked; nothing has changed."""


class Unknown(Refusal):
    """What was asked for does not exist."""


class Conflict(Refusal):
    """What was asked for does not fit what there is."""


@dataclass(eq=False)
class WrongCredentials(Refusal):
    """Which of the two is wrong, is not told."""

    def __str__(self) -> str:
        return "The e-mail address or the password is wrong."


@dataclass(eq=False)
class SignInRequired(Refusal):
    def __str__(self) -> str:
        return "This needs a token of a user: Authorization: Bearer … (POST /api/tokens makes one)."


@dataclass(eq=False)
class NotAllowed(Refusal):
    def __str__(self) -> str:
        return "This is for the staff of the shop."


@dataclass(eq=False)
class TooManyAttempts(Refusal):
    retry_after: int
    """Seconds."""

    def __str__(self) -> str:
        return f"Too many attempts to sign in. Please try again in {-(-self.retry_after // 60)} min."


@dataclass(eq=False)
class TooManyRegistrations(Refusal):
    retry_after: int
    """Seconds."""

    def __str__(self) -> str:
        return f"Too many users have registered from there. Please try again in {-(-self.retry_after // 60)} min."


@dataclass(eq=False)
class TooManyPasswords(Refusal):
    """As many passwords are hashed as this process hashes at the same time; nothing was changed."""

    retry_after: int = 1
    """Seconds."""

    def __str__(self) -> str:
        return "Too many passwords are being checked at this moment. Please try again."


@dataclass(eq=False)
class UnknownToken(Unknown):
    token_id: int

    def __str__(self) -> str:
        return f"There is no token {self.token_id}."


@dataclass(eq=False)
class ChangedMeanwhile(Refusal):
    """Somebody else was faster: what the request meant to change is not what it has seen."""

    def __str__(self) -> str:
        return "It was changed since it was read. Read it again, and send the change with its new ETag."


@dataclass(eq=False)
class PreconditionMissing(Refusal):
    def __str__(self) -> str:
        return "A change needs the ETag of what it changes, in If-Match, so that no other change gets lost."


@dataclass(eq=False)
class UnknownUser(Unknown):
    user_id: int

    def __str__(self) -> str:
        return f"There is no user {self.user_id}."


@dataclass(eq=False)
class UnknownProduct(Unknown):
    product_ids: list[int]

    def __str__(self) -> str:
        return f"There is no product {', '.join(map(str, self.product_ids))}."


@dataclass(eq=False)
class UnknownOrder(Unknown):
    order_id: int

    def __str__(self) -> str:
        return f"There is no order {self.order_id}."


@dataclass(eq=False)
class EmailTaken(Conflict):
    email: str

    def __str__(self) -> str:
        return f"There already is a user with the address {self.email}."


@dataclass(eq=False)
class SkuTaken(Conflict):
    sku: str

    def __str__(self) -> str:
        return f"There already is a product with the SKU {self.sku}."


@dataclass(frozen=True)
class Shortage:
    product_id: int
    name: str
    wanted: int
    left: int

    def __str__(self) -> str:
        return f"{self.wanted} of {self.name} wanted, {self.left} left"


@dataclass(eq=False)
class OutOfStock(Conflict):
    shortages: list[Shortage]

    def __str__(self) -> str:
        return f"{'; '.join(map(str, self.shortages))}."


@dataclass(eq=False)
class StockFull(Conflict):
    product_id: int
    name: str

    def __str__(self) -> str:
        return f"The stock of {self.name} cannot be counted any higher."


@dataclass(eq=False)
class NotPossibleAnyMore(Conflict):
    order_id: int
    current: str
    wanted: str

    def __str__(self) -> str:
        return f"Order {self.order_id} is {self.current} and cannot become {self.wanted}."


@dataclass(eq=False)
class IdempotencyKeyReused(Refusal):
    """Another request came with this key before; only the same one is answered again."""

    key: str

    def __str__(self) -> str:
        return f"The idempotency key {self.key} belongs to a request that was different. A new request needs a new key."


@dataclass(frozen=True)
class InvalidField:
    pointer: str
    """The place in the body, as a JSON pointer in a URI fragment (RFC 6901, section 6)."""
    detail: str


@dataclass(frozen=True)
class InvalidParameter:
    parameter: str
    detail: str


@dataclass(eq=False)
class InvalidRequest(Refusal):
    """Holds what is wrong with the request: all of it, or the first errors and how many more there are."""

    errors: Sequence[InvalidField | InvalidParameter]
    more: int

    def __str__(self) -> str:
        more = f" There are {self.more} more errors, which are not listed." if self.more else ""
        return f"What has to be put right stands under `errors`.{more}"
