"""Mappings and records that hypothesis makes, for the comparison with the twin."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

PATHS = ["a", "b", "c.a", "c.b", "d.0", "d.1.a", "t", "n"]
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
FORMS = ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%m/%d/%y %I:%M %p", "%d %b %Y %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S%z"]
TIMES = ["rfc3339", "epoch_s", "epoch_ms", "epoch_us", "epoch_days", *FORMS]
WORDS = [
    "paid",
    "Paid ",
    "x",
    "1",
    "1.5",
    "1.234,50",
    "true",
    "",
    " ",
    "EUR",
    "jpy",
    "XXY",
    "é",
    "\x00",
    "a\nb",
]
CHANGES = [  # around which clocks in some zone are put forward or back
    *("2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-03-10 02:00:00", "2024-11-03 01:59:59"),
    *("2024-04-07 01:45:00", "2024-10-06 02:15:00", "2099-07-01 00:00:00", "1970-01-01 00:30:00"),
]
WHEN = [
    *("2024-03-01T10:00:00Z", "2024-03-01T10:00:00+0100", "1709287200", "1709287200.123456789", "31.02.2024"),
    *(
        "29.2.2024",
        "02/29/24 12:30 am",
        "1 mar 2024 07:05:09.5",
        "0000-01-01 00:00:00",
        "0001-01-01 00:00:00",
    ),
    *("9999-12-31 23:59:59", "9999-12-31T23:59:59-0100", "-1", "1e9", "19783", "9" * 19, "9" * 41, "-0.1"),
    *("2024-03-01 10:00:60", "2024-03-01 24:00:00", "\u0662\u0660\u0662\u0664-03-01 10:00:00"),
]


def _some(*entries: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return any of these entries together."""
    chosen = st.lists(st.sampled_from(entries), unique_by=lambda each: next(iter(each)), max_size=3)
    return chosen.map(lambda each: {key: value for one in each for key, value in one.items()})


paths = st.sampled_from(PATHS)
several = st.lists(paths, min_size=1, max_size=3)
places = st.one_of(paths.map(lambda p: {"path": p}), several.map(lambda p: {"first_of": p}))
word_changes = _some(
    {"trim": True},
    {"lower": True},
    {"map": {"paid": "placed", "x": "y", "true": "z"}},
    {"map": {"paid": "p"}, "otherwise": "o"},
)


@st.composite
def texts(draw: st.DrawFn, default: str | None = "d") -> dict[str, Any] | str:
    if draw(st.integers(0, 9)) == 0:
        return draw(paths)
    source = draw(places | several.map(lambda p: {"hash": p}) | st.just({"constant": "k"}))
    changes = draw(word_changes | _some({"upper": True}, {"trim": True}, {"whole": True}))
    if "constant" in source:
        return source | {key: value for key, value in changes.items() if key not in ("map", "otherwise")}
    return source | changes | draw(_some({"prefix": "p-"}, *([{"default": default}] if default else [])))


ids = st.just({"path": "a", "default": "d"}) | texts()
"""Most are there, so that most records become events."""


@st.composite
def numbers(draw: st.DrawFn, money: bool = True) -> dict[str, Any] | str:
    source = draw(st.just({"path": "n"}) | places | several.map(lambda p: {"product": p}))
    more = _some(
        *({"decimal": "comma"}, {"decimal": "point"}, {"absolute": True}, {"default": 2}),
        *({"minor_units": "KWD"}, {"minor_units": {"path": "b"}}, {"trim": True}),
    )
    return source | {key: value for key, value in draw(more).items() if money or key != "minor_units"}


@st.composite
def instants(draw: st.DrawFn) -> dict[str, Any] | str:
    forms = draw(st.permutations(TIMES) | st.lists(st.sampled_from(TIMES), min_size=1, max_size=3))
    made: dict[str, Any] = draw(st.just({"path": "t"}) | st.just({"path": "t"}) | places) | {"time": forms}
    if any("%" in form and "%z" not in form for form in forms) and draw(st.booleans()):
        made["zone"] = draw(st.sampled_from(ZONES))
    return made | draw(_some({"trim": True}, {"default": "2020-01-01T00:00:00Z"}))


conditions = st.one_of(
    st.sampled_from(WORDS[:10]).filter(bool),
    st.lists(st.sampled_from(["paid", 1, 1.5, True]), min_size=1, max_size=2),
    _some(
        {"not": "paid"},
        {"starts_with": ["P", "1"]},
        {"present": True},
        {"present": False},
        {"above": 0.5},
        {"below": 2, "decimal": "comma"},
        {"is": ["1", "x"]},
    ).filter(bool),
)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    to = draw(st.sampled_from(["orders", "logins", "profiles", "complaints"]))
    fields: dict[str, Any] = {
        "event_id": draw(ids),
        "customer_id": draw(ids),
        "occurred_at": draw(instants()),
    }
    if to == "orders":
        fields |= {"order_id": draw(ids), "amount": draw(numbers()), "channel": draw(texts())}
    elif to == "logins":
        fields["channel"] = draw(texts())
    elif to == "profiles":
        booleans = st.sampled_from(
            [{"path": "a"}, {"path": "b", "map": {"x": True, "1": False}}, {"path": "n", "default": True}]
        )
        fields |= {
            "region": draw(texts()),
            "do_not_contact": draw(booleans),
            "signed_up_at": draw(instants()),
        }
    else:
        fields |= {"complaint_id": draw(ids), "satisfaction": draw(numbers(money=False))}
    where = draw(st.just({}) | st.just({}) | st.dictionaries(paths, conditions, max_size=2))
    return {"to": to, "fields": fields} | ({"where": where} if where else {})


sources = st.lists(events(), min_size=1, max_size=2).map(lambda each: {"topic": "t", "events": each})

leaves = st.one_of(
    st.sampled_from([*WORDS, *WHEN, *CHANGES]),
    st.none() | st.booleans() | st.integers(-5, 5),
    st.integers(-(2**70), 2**70) | st.floats() | st.floats(0, 100),
    st.integers(0, 2_000_000_000) | st.integers(0, 2_000_000_000_000_000),
    st.text(max_size=4),
    st.sampled_from([[], {}, [1], {"a": 1}]),
)
inner = st.fixed_dictionaries({}, optional={"a": leaves, "b": leaves})
times = st.sampled_from([*WHEN, *CHANGES]) | st.integers(0, 2_000_000_000_000)
amounts = st.integers(-5, 10_000) | st.sampled_from(["3", "1.5", "1.234,5", "-2"]) | st.floats(0, 99)
objects = st.fixed_dictionaries(
    {"t": times | times | leaves, "n": amounts | amounts | leaves, "a": st.sampled_from(WORDS) | leaves},
    optional={
        "b": leaves,
        "c": inner | leaves,
        "d": st.lists(inner | leaves, max_size=3) | leaves,
        "unread": leaves,
    },
)


def _twice(record: dict[str, Any], again: dict[str, Any]) -> bytes:
    """Return a record in which names stand twice."""
    one, two = json.dumps(record)[1:-1], json.dumps(again)[1:-1]
    return f"{{{one}{',' if one and two else ''}{two}}}".encode()


garbage = st.one_of(
    st.sampled_from(
        [
            *(
                b"",
                b"x",
                b"null",
                b"[]",
                b"7",
                b'"a"',
                b"{",
                b'{"a":"\xff"}',
                b'{"unread":"\xff"}',
                b"\xef\xbb\xbf{}",
            ),
            *(b'{"unread":' + b"[" * 250 + b"]" * 250 + b"}", b'{"a":' + b"9" * 5_000 + b"}"),
            *(
                b'{"unread":' + b"9" * 5_000 + b"}",
                b'{"a":NaN,"b":Infinity}',
                b'{"a":"\\ud800"}',
                b'{"a":1e400}',
            ),
        ]
    ),
    st.binary(max_size=12),
)
_right = objects.map(lambda each: json.dumps(each).encode())
values = st.one_of(
    *(_right, _right, _right),
    objects.map(lambda each: json.dumps(each, ensure_ascii=False).encode("utf-8", "replace")),
    st.builds(_twice, objects, objects),
    garbage,
    st.none(),
)
