"""The page of fields: every field of every file, with what it may hold."""

import pytest

from lapwing.commands.rules.schema import SCHEMAS
from lapwing.fields_page import _kind, page
from streams.rulebook.reader import json_schema


def test_every_field_of_every_file_is_on_the_page() -> None:
    text = page()
    assert "any value" not in text
    for model in SCHEMAS.values():
        schema = json_schema(model)
        for part in (schema, *schema.get("$defs", {}).values()):
            for name, field in part.get("properties", {}).items():
                rows = [row for row in text.splitlines() if row.startswith(f"| `{name}`")]
                words = " ".join(field.get("description", "").split())
                assert any(words in row.replace(r"\|", "|") for row in rows), name


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"enum": ["low", "high"]}, "`low`, `high`"),
        ({"anyOf": [{"const": 1}, {"type": "array", "items": {"const": 2}}]}, "`1` or a list of `2`"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "a number, at least 0 and less than 1"),
        ({"$ref": "#/$defs/CostEntry"}, "[Cost](#cost)"),
        ({"type": ["string", "boolean"]}, "text or `true`, `false`"),
        ({"type": "string", "pattern": "^(0|([0-9]+(us|ms|s|m|h|d|w))+)$"}, "a duration"),
        ({"anyOf": [{"type": "string"}, {"type": "string"}, {"type": "null"}]}, "text or nothing"),
    ],
)  # fmt: skip
def test_what_a_field_may_hold_is_said_in_words(field: dict[str, object], words: str) -> None:
    assert _kind(field, {}) == words
