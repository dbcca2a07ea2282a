"""Our contender `committing_session`: real commits, and DELETE from all tables afterwards."""

import pytest
from sqlalchemy.orm import Session


@pytest.fixture
def session(committing_session: Session) -> Session:
    return committing_session
