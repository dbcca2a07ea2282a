"""Value types of the shop, with validation for all inputs."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.shop.models import SKU_LENGTH
from groundwork.flask.database import INTEGER_MAX

Amount = Annotated[int, Field(ge=0, le=INTEGER_MAX, examples=[1800])]
Quantity = Annotated[int, Field(ge=1, le=INTEGER_MAX, examples=[2])]
Sku = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9._-]+$", max_length=SKU_LENGTH), Field(examples=["MUG-01"])]
