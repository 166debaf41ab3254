"""Paths: what they name, and what is none."""

from __future__ import annotations

import pytest

from streams.inputs.paths import NO_WAY, NOT_SINGLE, follow, parse_path, show_path

RECORD = {"a": {"b": 1, "c.d": "x", "0": 7}, "l": [{"s": None}, [2]], "": 3, "n": None, "Customer ID": 5}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", 1),
        ('a."c.d"', "x"),
        ('a."0"', 7),
        ("l.0.s", None),
        ("l.1.0", 2),
        ("l.2", None),
        ('""', 3),
        ("n.b", None),
        ("none.b", None),
        ("Customer ID", 5),
        ("a", NOT_SINGLE),
        ("l", NOT_SINGLE),
        ("a.b.c", NO_WAY),
        ("a.0", NO_WAY),
        ("l.s", NO_WAY),
    ],
)
def test_a_path_comes_to_its_value(path: str, value: object) -> None:
    assert follow(RECORD, parse_path(path)) is value
    assert parse_path(show_path(parse_path(path))) == parse_path(path)


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", 'a"b', '"a', '"a"b', "0", "a.1000", "a" * 401])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|place|quotes"):
        parse_path(path)


def test_a_quote_in_a_name_is_written_twice() -> None:
    assert parse_path('"a""b".c') == ('a"b', "c")
