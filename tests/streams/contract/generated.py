"""Records for property tests: right ones, nearly right ones and nonsense, as bytes."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from streams.core.events.topics import Topic

ordinary_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
amounts = (
    st.decimals(0, 10**12, places=2).map(str)
    | st.decimals(0, 10**4, places=6).map(str)
    | st.floats(0, 1e12).map(repr)
    | st.integers(0, 10**12).map(str)
)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=len(text) % 2 == 0)


@st.composite
def instants(draw: st.DrawFn) -> str:
    """Texts of instants, most of them right."""
    year = draw(
        st.sampled_from(["1970", "2011", "2024", "2099", "9999"]) | st.sampled_from(["0000", "0001", "1969"])
    )
    month = draw(st.integers(1, 12) | st.sampled_from([0, 2, 13]))
    day = draw(st.integers(1, 28) | st.sampled_from([0, 1, 29, 30, 31, 32]))
    hour = draw(st.integers(0, 23) | st.sampled_from([0, 23, 24, 25]))
    minute = draw(st.integers(0, 59) | st.sampled_from([0, 59, 60]))
    second = draw(st.integers(0, 59) | st.sampled_from([0, 59, 60, 61]))
    decimals = draw(st.just("") | st.text("0123456789", min_size=1, max_size=12).map(".{}".format))
    offset = draw(
        st.sampled_from(["Z", "Z", "Z", "z", "+00:00", "-00:00", "+0530", "-23:59", "+23:59"])
        | st.sampled_from(["+24:00", "+12:60", "+01", "", " Z", "UTC", "+1:00", "Z ", "+\u06612:00"])
    )
    separator = draw(st.sampled_from("TTTTt _"))
    text = f"{year}-{month:02}-{day:02}{separator}{hour:02}:{minute:02}:{second:02}{decimals}{offset}"
    return draw(
        st.just(text)
        | st.sampled_from([text[:-1], text + "0", text.replace("-", "", 1), text.replace(".", ",")])
    )


codes = st.sampled_from(['"price"', '"price.too_high"', '"A-1/b:c"', '"a b"', '"-a"', '"a\\n"', '"é"', '""'])
"""Codes, most of them right."""


def _costs() -> st.SearchStrategy[str]:
    """Return texts of costs by item; a name may stand twice, and there may be too many."""
    names = (
        st.sampled_from(['"gift"', '"labour"', '"other"']) | codes | st.integers(0, 30).map('"i{}"'.format)
    )
    items = st.tuples(names, amounts | st.just("null")).map(":".join)
    return st.lists(items, max_size=3).map(",".join).map("{{{}}}".format) | st.lists(
        items, min_size=15, max_size=18
    ).map(",".join).map("{{{}}}".format)


def _usual(topic: Topic) -> dict[str, st.SearchStrategy[str]]:
    """Return, for each field of the topic's events, texts of right JSON values."""
    text = ordinary_texts.map(_quoted)
    right_instant = st.sampled_from(
        ['"2011-03-01T00:00:00Z"', '"2024-02-29 23:59:59.999+05:30"', '"1970-01-01T00:00:00Z"']
    )
    common = {"event_id": text, "customer_id": text, "occurred_at": right_instant}
    own: dict[Topic, dict[str, st.SearchStrategy[str]]] = {
        Topic.ORDERS: {
            "order_id": text,
            "amount": amounts,
            "status": st.sampled_from(['"placed"', '"cancelled"', '"returned"', "null"]),
            "currency": text,
            "channel": text,
            "category": text,
        },
        Topic.LOGINS: {"channel": text},
        Topic.COMPLAINTS: {
            "complaint_id": text,
            "status": st.sampled_from(['"opened"', '"answered"', '"resolved"', '"reopened"', "null"]),
            "category": st.sampled_from(['"product"', '"other"', "null"]),
            "satisfaction": st.sampled_from(["1", "5", "3.0", "null"]),
        },
        Topic.FEEDBACK: {
            "score": st.integers(0, 10).map(str) | st.floats(0, 10).map(repr),
            "scale": st.just("10"),
        },
        Topic.PROFILES: {
            "customer_class": st.sampled_from(['"key"', '"problem"', "null"]),
            "segment": text,
            "region": text,
            "origin": text,
            "account_owner": text,
            "signed_up_at": right_instant,
            "contract_ends_at": right_instant,
            "do_not_contact": st.sampled_from(["true", "false", "null"]),
        },
        Topic.ACTIONS: {
            "warning_id": text | st.just("null"),
            "kind": text | st.sampled_from(['"acknowledge"', '"snooze"', '"contact"']),
            "play": codes,
            "result": st.sampled_from(['"not_reached"', '"will_return"', '"stays"', "null"]),
            "reasons": st.lists(codes, max_size=3).map(",".join).map("[{}]".format) | st.just("null"),
            "cost": amounts | _costs() | st.just("null"),
            "actor": text,
            "until": right_instant | st.just("null"),
            "corrects": text | st.just("null"),
            "assignee": text | st.just("null"),
        },
        Topic.CLOSURES: {"reason": text, "churn_type": text},
    }
    return common | own[topic]


NUMBERS = """
0 -0 -0.0 1 5.0 5e0 1.5 6 -1 1e12 1000000000000.0001 1e-400 1e400 NaN -Infinity Infinity 01 1. +1 .5 1e 0x1
9007199254740993 18446744073709551616 -9223372036854775809 0.1234565 2.5e-7
"""
STRINGS = r"""
"" "5" "\ud83d\ude00" "\ud800" "\udc00" "\ud800A" "\u0000" "\\u0000" "\x" "\u00" "placed" "PLACED" "key"
"""
SHAPES = 'null true false nul True {} [] [1] ["a",null] {"a":1,"a":{}} [1,] {,} /**/1'
LONG = [("é", 128), ("é", 129), ("𝄞", 256), ("x", 257)]

numbers = st.sampled_from([*NUMBERS.split(), *("1" + "0" * zeros for zeros in (400, 4000, 5000))])
strings = st.sampled_from([*STRINGS.split(), '"\t"', *(f'"{char * times}"' for char, times in LONG)])
shapes = st.sampled_from(
    [
        *SHAPES.split(" "),
        "",
        *("[" * depth + "]" * depth for depth in (90, 198, 199, 5000)),
        '{"a":' * 210 + "1" + "}" * 210,
        "[" * 2000,
        '["' + 'a","' * 40 + 'a"]',
    ]
)
literals = numbers | strings | shapes | instants().map(_quoted)
"""JSON values of every kind, and texts that are none."""


@st.composite
def records(draw: st.DrawFn, topic: Topic) -> bytes:
    """A record of `topic`: right, or with a field missing, wrong, twice or unknown, or a byte changed."""
    fields = [(name, draw(values)) for name, values in _usual(topic).items()]
    names = [name for name, _ in fields]
    for _ in range(draw(st.integers(0, 3))):
        change = draw(st.sampled_from(["drop", "replace", "replace", "repeat", "add", "instant"]))
        place = draw(st.integers(0, len(fields) - 1)) if fields else 0
        if change == "add" or not fields:
            fields.insert(
                place,
                (draw(st.sampled_from(["x", "type", "\\u0078", "amóunt", "event_id "])), draw(literals)),
            )
        elif change == "drop":
            del fields[place]
        elif change == "replace":
            fields[place] = (fields[place][0], draw(literals))
        elif change == "repeat":
            fields.insert(place, (draw(st.sampled_from(names)), draw(literals)))
        else:
            fields = [
                (n, _quoted(draw(instants())) if n.endswith(("_at", "until")) else v) for n, v in fields
            ]
    text = "{" + ",".join(f'"{name}":{value}' for name, value in fields) + "}"
    value = text.encode()
    if draw(st.integers(0, 3)) == 0:
        value = _damaged(draw, value)
    return value


def _damaged(draw: st.DrawFn, value: bytes) -> bytes:
    """Return `value` with a byte or two changed, put in or taken out, or cut short."""
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(value)))
        piece = draw(
            st.binary(min_size=0, max_size=2)
            | st.sampled_from([b"\xed\xa0\x80", b"\xc0\x80", b"\xef\xbb\xbf", b"\n"])
        )
        value = value[:at] + piece + value[at + draw(st.integers(0, 2)) :]
    return draw(
        st.sampled_from([value, value, value[: len(value) // 2], value + b" ", b"\xef\xbb\xbf" + value])
    )
