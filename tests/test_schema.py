"""config/schema.json tells the truth about the classes."""

from ops import config, schema


def test_the_committed_schema_is_what_the_classes_make() -> None:
    assert schema.PATH.read_text("utf-8") == config.described(), "run `inv config.schema` and commit"
