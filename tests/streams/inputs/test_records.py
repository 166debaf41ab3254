"""What records have at paths: the fast way and the slow way are one."""

from __future__ import annotations

import json
from typing import Any

import pydantic_core
from hypothesis import given
from hypothesis import strategies as st

from streams.inputs.paths import follow, parse_path
from streams.inputs.records import RecordReader
from streams.inputs.texts import text_of

NAMES = ["a", "b", "c", 'q"', "x.y", ""]
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=5)
PATHS = [
    ["a", "b.a", "b.c"],
    ["a.0.b", "a.0.c.a"],
    ["a.0", "a.1.b", "b"],
    ["a", "a.b", "a.0"],
    ['"q""".a', "a"],
    ['"x.y".b', '""'],
    ["a.b.c.a", "a.b.c.b", "a.b.0"],
]


@given(
    st.sampled_from(PATHS), st.lists(objects.map(lambda o: json.dumps(o).encode()) | st.binary(max_size=9))
)
def test_records_are_read_as_each_is_followed(paths: list[str], given_values: list[bytes]) -> None:
    steps = [parse_path(path) for path in paths]
    found = RecordReader(steps).read(given_values)
    expected: list[Any] = []
    for value in given_values:
        try:
            record = pydantic_core.from_json(value)
        except ValueError:
            continue
        if isinstance(record, dict):
            expected.append([follow(record, path) for path in steps])
    columns = [list(column) for column in zip(*expected, strict=True)] if expected else [[] for _ in steps]
    assert [[_shown(v) for v in column] for column in found.columns] == [
        [_shown(v) for v in column] for column in columns
    ]
    assert len(found.index) + len(found.refused) == len(given_values)


def _shown(value: object) -> object:
    return text_of(value) if isinstance(value, str | int | float) else repr(value)


def test_the_last_of_a_name_that_stands_twice_counts() -> None:
    reader = RecordReader([parse_path("a.b"), parse_path("a.c")])
    assert reader.read([b'{"a":{"b":1},"a":{"c":2}}']).columns == [[None], [2]]
