"""Domain errors. Their base classes say what kind of error it is; http/error_handlers.py maps these to statuses."""

from collections.abc import Sequence
from dataclasses import dataclass


class DomainError(Exception):
    """A domain rule forbids the request; nothing was changed."""

    @classmethod
    def public_name(cls) -> str:
        """Return the name of the problem in the API, which stays the same if the class is renamed."""
        return cls.__name__


class Unknown(DomainError):
    """The requested entity does not exist."""


class Conflict(DomainError):
    """The request conflicts with the current state."""


class Unauthenticated(DomainError):
    """The request has no credentials, or wrong ones."""


class Forbidden(DomainError):
    """The caller may not do this."""


class Invalid(DomainError):
    """The request is well-formed, and its content is not acceptable."""


@dataclass(eq=False)
class Throttled(DomainError):
    """The client has sent too many requests."""

    retry_after: int
    """Seconds."""


@dataclass(eq=False)
class Busy(DomainError):
    """The service is at its limit for a moment."""

    retry_after: int = 1
    """Seconds."""


@dataclass(eq=False)
class StaleVersion(DomainError):
    """The resource has changed since the request's ETag was read."""

    @classmethod
    def public_name(cls) -> str:
        return "ChangedMeanwhile"

    def __str__(self) -> str:
        return "It was changed since it was read. Read it again, and send the change with its new ETag."


@dataclass(eq=False)
class PreconditionMissing(DomainError):
    def __str__(self) -> str:
        return "A change needs the ETag of what it changes, in If-Match, so that no other change gets lost."


@dataclass(eq=False)
class IdempotencyKeyReused(Invalid):
    """The key belongs to a different request; only a repetition of that one gets its answer again."""

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
class InvalidRequest(Invalid):
    """Holds what is wrong with the request: all of it, or the first errors and how many more there are."""

    errors: Sequence[InvalidField | InvalidParameter]
    more: int

    def __str__(self) -> str:
        more = f" There are {self.more} more errors, which are not listed." if self.more else ""
        return f"What has to be put right stands under `errors`.{more}"
