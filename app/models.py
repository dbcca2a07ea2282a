"""All models: importing this module registers every table in Base.metadata."""

from app.accounts import models as accounts  # noqa: F401
from app.shop import models as shop  # noqa: F401
from groundwork.flask.http import idempotency  # noqa: F401
from groundwork.flask.security import login_throttle  # noqa: F401
