"""docs/inputs.md: every example on the page is what happens."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from streams.inputs.contract_fields import TOPICS, field_names
from streams.inputs.event_entry import EventEntry
from streams.inputs.field_entry import FieldEntry
from streams.inputs.fields import hash_of
from streams.inputs.filter_entry import FilterEntry
from streams.inputs.lint import CODES
from streams.inputs.load import parse_inputs
from streams.inputs.source_entry import SourceEntry
from tests.paths import ROOT
from tests.streams.inputs.mappings import COMMON, one_event, record, records

PAGE = (ROOT / "docs/inputs.md").read_text()


def rows(header: str) -> list[list[str]]:
    """Return the rows of all tables with this header, without the marks of code."""
    found: list[list[str]] = []
    for table in PAGE.split(f"| {header} |\n")[1:]:
        for line in table.splitlines()[1:]:
            if not line.startswith("|"):
                break
            found.append([cell.strip() for cell in line.strip("| ").split(" | ")])
    assert found, header
    return found


def code(cell: str) -> str:
    return cell.removeprefix("`").removesuffix("`")


@pytest.mark.parametrize("row", rows("what | field | record | becomes"), ids=lambda row: row[0][:30])
def test_a_field_becomes_what_the_page_says(row: list[str]) -> None:
    field, given, expected = code(row[1]), json.loads(code(row[2])), json.loads(code(row[3]))
    name = field.split(":")[0]
    to = next(to for to in ("orders", *TOPICS) if name in field_names(TOPICS[to]))
    more = [f"{each}: {{constant: 1}}" for each in ("order_id", "amount") if to == "orders" and each != name]
    made = one_event(to, "\n".join([field, *more]))
    found = made.judged(made.map(records([record() | given])), max_skew_us=0)
    assert found.refused == []
    value = json.loads(found.parts[0].values[0])[name]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize("row", rows("what | filter | taken | not taken"), ids=lambda row: row[0][:30])
def test_a_filter_takes_what_the_page_says(row: list[str]) -> None:
    made = one_event("logins", COMMON, code(row[1]))
    for cell, taken in ((row[2], True), (row[3], False)):
        for value in re.findall("`([^`]*)`", cell):
            found = made.map(records([record(v=json.loads(value))]))
            assert (len(found.parts[0].values), found.refused) == (int(taken), []), value


def test_the_first_example_is_what_happens() -> None:
    [mapping] = re.findall(r"^```yaml\n(version: 1.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[:1]
    before, after = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[:2]
    source = parse_inputs("inputs.yaml", mapping.encode()).sources["shop-orders"]
    [part] = source.map([before.encode()]).parts
    assert json.loads(part.values[0]) == json.loads(after)
    assert json.loads(after)["event_id"] == hash_of(["7", "paid"])


def test_every_key_is_on_the_page() -> None:
    models: list[Any] = [SourceEntry, EventEntry, FieldEntry, FilterEntry]
    missing = [
        name
        for model in models
        for name in model.field_names()
        if not re.search(rf"`{name}`|[{{`( ]{name}:", PAGE)
    ]
    assert missing == []


def test_every_code_is_on_the_page_with_its_weight() -> None:
    assert {row[0]: row[1] for row in rows("code | |")} == {
        code: severity.value for code, (severity, _) in CODES.items()
    }
