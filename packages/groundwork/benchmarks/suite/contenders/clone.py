"""Our contender `database`: a clone of the template, from a pool that is filled in advance."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from groundwork.testing.service import Database


@pytest.fixture
def session(database: "Database") -> Iterator[Session]:
    with Session(create_engine(database.url, poolclass=NullPool)) as session:
        yield session
