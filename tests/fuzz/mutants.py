"""Inputs that are nearly right: a good one with values, fields, words or bytes changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

NASTY: Final[tuple[Any, ...]] = (
    *(10**400, -(10**30), 2**63, -(2**63) - 1, 2**53 + 1, 0.1, -0.0, -1, 0, 1e308, 5e-324),
    *(True, False, None, "", " ", "x", "0", "1e999", "NaN", "\0", "\x1b[2J", "\ud800", "\u202e@everyone"),
    *(
        "y" * 129,
        "y" * 100_000,
        "é" * 128,
        "\U0001f600" * 128,
        "a/../b",
        "=cmd()",
        "<script>",
        "%s%n",
        "{0}",
        "{{7*7}}",
    ),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2024-02-30T00:00:00Z", "2024-03-12T00:00:00"),
    *("2024-03-12T00:00:00+23:59", "2024-03-12T24:00:00Z", "1969-12-31T23:59:59Z", "2024-06-30T23:59:60Z"),
    *([], {}, [[[[]]]], {"state": "open"}, float("inf"), float("nan")),
)
WORDS: Final = (
    *(
        b"&a",
        b"*a",
        b"!!python/object",
        b"---\n",
        b"<<: *a",
        b"? ",
        b"\t",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
    ),
    *(
        b"[" * 300,
        b'{"a":' * 300,
        b"9" * 5_000,
        b"1e-400",
        b" AND ",
        b"NOT (",
        b"CASE WHEN ",
        b"LIKE '%'",
        b"0x",
    ),
    *(b"&kind=", b"=%00", b"%ff", b"&until=9999999d", b"\r\n", b"'", b'"', b"\\u0000", b"\\ud800"),
)


def mutant(seed: bytes, random: Random) -> bytes:
    """Return a changed input."""
    found: Any = None
    if random.random() < 0.6:
        head, line, body = seed.rpartition(b"\n") if seed[:1] not in (b"{", b"[") else (b"", b"", seed)
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if isinstance(found, dict | list):
            for _ in range(random.randint(1, 3)):
                found = _changed(found, random)
            text = json.dumps(found, ensure_ascii=random.random() < 0.5)
            return head + line + text.encode("utf-8", "surrogatepass")
    for _ in range(random.randint(1, 4)):
        seed = _spliced(seed, random)
    return seed


def _places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inside: Any = (
        node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    )
    for key, value in inside:
        yield from _places(value, (*path, key))


def _changed(given: Any, random: Random) -> Any:
    changed = copy.deepcopy(given)
    places = list(_places(changed))
    if not places:
        return changed
    *way, last = random.choice(places)
    node = changed
    for step in way:
        node = node[step]
    match random.randrange(5):
        case 0:
            del node[last]
        case 1 if isinstance(node, dict):
            node[random.choice(["x", "", "type", "__class__", "y" * 300])] = node[last]
        case 2 if isinstance(node, list):
            node.extend([node[last]] * random.choice([1, 10, 2_000]))
        case _:
            node[last] = random.choice(NASTY)
    return changed


def _spliced(data: bytes, random: Random) -> bytes:
    at = random.randint(0, len(data))
    to = min(len(data), at + random.choice([0, 1, 2, 8, 64]))
    match random.randrange(5):
        case 0:
            new = random.choice(WORDS)
        case 1:
            new = bytes([random.randrange(256)])
        case 2:
            begin = random.randint(0, len(data))
            new = data[begin : begin + random.choice([1, 8, 64, 500])]
        case 3:
            new = data[at:to] * random.choice([2, 3, 50])
        case _:
            new = b""
    return (data[:at] + new + data[to:])[:300_000]
