"""The examples of schemas in the document of the API: made of what a schema says, and no deeper than they need be."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk.openapi.examples import _DEPTH, Examples

TEXT = {"type": "string"}
LIST = {"type": "array", "items": {"type": "integer"}}


@pytest.mark.parametrize(
    ("schema", "name", "found"),
    [
        ({**LIST, "maxItems": 0}, "xs", []),
        (LIST, "xs", [1]),
        ({**LIST, "minItems": 2}, "xs", [1, 1]),
        ({"type": "integer", "minimum": 5}, "x", 5),
        ({"type": "integer", "minimum": 0}, "x", 1),
        ({"type": "boolean"}, "x", True),
        ({"type": "null"}, "x", None),
        ({"type": ["null", "string"]}, "x", None),
        ({"const": "c"}, "x", "c"),
        ({"enum": ["a", "b"]}, "x", "a"),
        (TEXT, "oddOne", "odd one"),
        (TEXT, "", "text"),
        ({**TEXT, "maxLength": 3}, "oddOne", "odd"),
        (TEXT, "dealId", "deal_123"),
        (TEXT, "id", "id_123"),
        (TEXT, "createdBy", "created_123"),
        ({**TEXT, "format": "date"}, "x", "2026-01-15"),
        ({**TEXT, "format": "date"}, "endDate", "2026-01-31"),
        ({**TEXT, "format": "date-time"}, "until", "2026-01-15T10:00:00Z"),
        ({**TEXT, "format": "email"}, "endMail", "ada@example.com"),
        ({**TEXT, "pattern": "^[A-Z]{3}$"}, "x", "EUR"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "x", 1),
        ({"$ref": "#/components/schemas/Number"}, "x", 7),
    ],
)
def test_an_example_is_made_of_its_schema(schema: dict[str, Any], name: str, found: object) -> None:
    assert Examples({"Number": {"type": "integer", "minimum": 7}}).of(schema, name) == found


def test_an_example_of_a_record_is_whole_or_short_and_ends_somewhere() -> None:
    node: dict[str, Any] = {
        "type": "object",
        "properties": {
            "oddOne": TEXT,
            "below": {"type": "array", "items": {"$ref": "#/Node"}},
            "above": {"anyOf": [{"$ref": "#/Node"}, {"type": "null"}]},
        },
        "required": ["below", "above"],
    }
    examples = Examples({"Node": node})
    whole, depth = examples.of({"$ref": "#/Node"}), 0
    at: Any = whole
    while at["above"] is not None:
        at, depth = at["above"], depth + 1
    assert whole["oddOne"] == "odd one" and depth < 2 * _DEPTH and at["below"] == []
    assert examples.of({"$ref": "#/Node"}, whole=False).keys() == {"below", "above"}
    many = {"type": "object", "properties": dict.fromkeys(("name", "title", "description", "email", "odd"), TEXT)}
    assert list(examples.of(many, whole=False)) == ["name", "title", "description"]
    assert list(examples.of(many)) == ["name", "title", "description", "email", "odd"]
