"""Ours: real commits, and the tables that were written to emptied afterwards."""

import pytest
from sqlalchemy.orm import Session


@pytest.fixture
def session(committing_session: Session) -> Session:
    return committing_session
