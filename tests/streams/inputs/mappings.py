"""Sources from the text of a mapping, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from textwrap import dedent, indent
from typing import Any

from streams.inputs.load import parse_inputs
from streams.inputs.source import Source

COMMON = "event_id: id\ncustomer_id: customer\noccurred_at: at\n"
"""The fields that every event has, as most tests have them."""


def source(events: str, head: str = "topic: shop") -> Source:
    """Return the source `shop` with these lines of `events:`."""
    events, head = indent(dedent(events).strip(), "      "), indent(dedent(head).strip(), "    ")
    text = f"version: 1\nsources:\n  shop:\n{head}\n    events:\n{events}\n"
    return parse_inputs("inputs.yaml", text.encode()).sources["shop"]


def one_event(to: str, fields: str, where: str = "") -> Source:
    """Return a source of one event; `fields` are lines beside the common ones."""
    given = dedent(fields).strip().splitlines()
    names = {line.split(":")[0] for line in given if not line.startswith(" ")}
    common = [line for line in COMMON.splitlines() if line.split(":")[0] not in names]
    lines = indent("\n".join([*common, *given]), "    ")
    filters = f"  where: {where}\n" if where else ""
    return source(f"- to: {to}\n{filters}  fields:\n{lines}")


def records(given: Sequence[Any]) -> list[bytes | None]:
    """Return records as JSON; what is bytes already stays."""
    return [each if isinstance(each, bytes) or each is None else json.dumps(each).encode() for each in given]


def record(**fields: Any) -> dict[str, Any]:
    """Return a record with the common fields."""
    return {"id": "e1", "customer": "c1", "at": "2024-03-01T10:00:00Z", **fields}


def mapped(made: Source, given: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the events that records become, none of which may be refused."""
    found = made.map(records(given))
    assert found.refused == []
    return [json.loads(value) for part in found.parts for value in part.values]


def refusals(made: Source, given: Sequence[Any]) -> list[tuple[int, str, str]]:
    """Return place, reason and detail of the records that are refused."""
    return [(each.index, each.reason.value, each.detail) for each in made.map(records(given)).refused]
