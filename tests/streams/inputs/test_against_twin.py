"""Whatever the mapping and the records, a poll becomes what its records become one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.instants import read_instant
from streams.core.events.topics import Topic
from streams.inputs.load import parse_inputs
from tests.oracle import inputs as twin
from tests.streams.inputs import generated


@pytest.mark.timeout(600)  # on a machine that does much else
@settings(max_examples=100)
@given(generated.sources, st.lists(generated.values, min_size=3, max_size=12))
def test_a_poll_is_mapped_as_each_of_its_records(entry: dict[str, Any], values: list[bytes | None]) -> None:
    text = json.dumps({"version": 1, "sources": {"s": entry}})
    source = parse_inputs("inputs.yaml", text.encode()).sources["s"]
    verdicts = [twin.judge("s", entry, value) for value in values]
    if Topic.PROFILES in source.topics:  # a tombstone there is passed over
        verdicts = [
            twin.Verdict(each.events, None, False) if value is None else each
            for value, each in zip(values, verdicts, strict=True)
        ]
    found = source.map(values)
    for number, part in enumerate(found.parts):
        expected = [(i, _plain(e)) for i, v in enumerate(verdicts) if (e := v.events[number]) is not None]
        made = [(int(i), _plain(json.loads(v))) for i, v in zip(part.index, part.values, strict=True)]
        assert made == expected
        assert found.customers[number] == [event["customer_id"] for _, event in expected]
    refusals = [(i, v.refusal[0], v.refusal[1]) for i, v in enumerate(verdicts) if v.refusal is not None]
    assert [(each.index, each.reason.value, each.detail) for each in found.refused] == [
        (i, reason, "".join(letter if letter.isprintable() else "?" for letter in detail[:500]))
        for i, reason, detail in refusals
    ]
    assert found.passed == sum(not v.taken and v.refusal is None for v in verdicts)
    assert all(
        each.detail.startswith("s: ")
        for each in source.decode(values, None, None, max_skew_us=0, now_us=2**60).refused
    )


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event without nulls, its times as instants."""
    made = {}
    for name, value in event.items():
        if value is not None:
            is_time = name in twin.INSTANTS
            made[name] = _instant(value) if is_time else float(value) if name in twin.NUMBERS else value
    return made


def _instant(value: str) -> str:
    try:
        return read_instant(value).isoformat()
    except ValueError:
        return value
