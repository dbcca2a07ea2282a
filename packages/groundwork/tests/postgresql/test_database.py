"""Equal collation of databases on every server."""

from sqlalchemy import text
from sqlalchemy.orm import Session


def test_texts_are_ordered_alike_on_every_server(session: Session) -> None:
    ordered = session.scalars(text("SELECT word FROM unnest(ARRAY['b', 'ä', '_', 'B', 'a']) AS word ORDER BY word"))

    assert list(ordered) == ["B", "_", "a", "b", "ä"]
