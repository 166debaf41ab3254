from __future__ import annotations

import json
from typing import Any

from consumers.audit import adopted, lines, together
from consumers.broker.records import Record
from streams.contract.examples import ADOPTED_EXAMPLE
from tests.consumers.stubs import Topic, Waits


def said(number: int, partition: int, way: str = "ab", **more: Any) -> bytes:
    before, after = (way[0] * 16 if way[0] != "-" else None), way[1] * 16
    own = {"id": f"i{number}", "partition": partition, "rule_set_before": before, "rule_set": after}
    return json.dumps(ADOPTED_EXAMPLE | own | more).encode()


def read(*records: bytes | None) -> tuple[list[list[str]], list[int]]:
    bad: list[int] = []

    def on_unreadable(record: Record, why: str) -> None:
        assert why
        bad.append(record.offset)

    found = adopted(Topic(records, size=2), Waits(), on_unreadable)
    return [lines(change) for change in together(found)], bad


def test_a_change_that_partitions_make_together_is_told_once() -> None:
    changes, bad = read(said(1, 1), said(2, 0, worker="host-2"), None, said(1, 1))
    assert changes == [
        [
            "2024-03-01 09:31:02  aaaaaaaaaaaaaaaa -> bbbbbbbbbbbbbbbb  partitions 0,1"
            "  by host-17-4711,host-2  revision 752c461 of On Call",
            "  changed  order-collapse  1f3a5b7c9d0e -> 0e9d7c5b3a1f",
            "    when: order_trend < 0.33 -> order_trend < 0.25",
            "    for: 0 -> 2d",
            "  changed  play care-call",
            "    success.chance: 0.15 -> 0.2",
        ]
    ]
    assert bad == [2]


def test_the_same_change_after_one_back_is_another() -> None:
    changes, _ = read(said(1, 0), said(2, 0, "ba"), said(3, 0))
    assert [change[0][21:57] for change in changes] == [
        "aaaaaaaaaaaaaaaa -> bbbbbbbbbbbbbbbb",
        "bbbbbbbbbbbbbbbb -> aaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaa -> bbbbbbbbbbbbbbbb",
    ]


def test_a_beginning_and_rules_that_nobody_can_read_any_more() -> None:
    changes, _ = read(said(1, 0, "-a", revision=None), said(2, 0, changes=None, plays=[], revision=None))
    assert changes[0][0].startswith("2024-03-01 09:31:02  none -> aaaaaaaaaaaaaaaa  partitions 0")
    assert changes[1][1:] == ["  the rules before cannot be read any more"]


def test_changes_of_segment_rules_are_shown_as_such() -> None:
    changes, _ = read(said(1, 0), said(2, 0, judges="segments"), said(3, 1, judges="segments"))
    assert [change[0].partition("  by ")[0][59:] for change in changes] == [
        "partitions 0",
        "partitions of segments 0,1",
    ]
