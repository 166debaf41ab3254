from __future__ import annotations

from consumers.broker.records import Record
from consumers.tail import one_line, tail_of
from streams.contract.warnings import WarningEvent, parse_warning
from tests.consumers.engine_warnings import warned
from tests.consumers.stubs import Topic, Waits
from tests.consumers.warning_events import life


def read(topic: Topic, holdout: bool = False) -> tuple[list[str], list[int], int]:
    lines: list[str] = []
    bad: list[int] = []

    def on_warning(event: WarningEvent, content: bytes) -> None:
        assert parse_warning(content) == event
        lines.append(one_line(event))

    def on_unreadable(record: Record, why: str) -> None:
        assert why
        bad.append(record.offset)

    count = tail_of(
        parse_warning,
        topic,
        Waits(),
        follow=False,
        on_event=on_warning,
        on_unreadable=on_unreadable,
        passes=lambda event: holdout or not event.data.holdout,
    )
    return lines, bad, count


def test_each_warning_is_one_line() -> None:
    lines, bad, count = read(Topic(life("c1"), size=3))
    assert lines == [
        "2011-03-14 07:06:40  medium  opened     c1  message of order-collapse",
        "2011-03-15 07:06:40  medium  updated    c1  message of a; message of b",
        "2011-03-16 07:06:40  high    escalated  c1  message of a; message of c",
        "2011-03-17 07:06:40  high    resolved   c1  message of a",
    ]
    assert (bad, count) == ([], 4)


def test_the_play_that_the_engine_chose_stands_at_the_end_of_the_line() -> None:
    lines, bad, count = read(Topic(list(warned()), size=9))
    assert lines == [
        "2024-03-12 00:00:00  low     opened     c1  "
        "2 orders in 30 days, 6 in the 30 before  play: care-call",
        "2024-03-13 00:00:00  high    escalated  c1  2 orders in 30 days, 6 in the 30 before; "
        "no order for 21.5 days  play: win-back",
    ]
    assert (bad, count) == ([], 2)


def test_what_is_held_out_is_passed_over_unless_it_is_asked_for() -> None:
    first, *others = life("c1")
    topic = [first.replace(b'"holdout":false', b'"holdout":true'), *others]
    assert read(Topic(topic, size=3))[2] == len(others)
    lines, _, _ = read(Topic(topic, size=3), holdout=True)
    assert len(lines) == len(topic)
    assert lines[0].endswith("[held out]")


def test_what_is_no_warning_is_reported_with_its_place_and_the_rest_goes_on() -> None:
    lines, bad, count = read(Topic([None, *life("c1")[:2], b"nonsense", life("c1")[2]], size=2))
    assert (len(lines), bad, count) == (3, [0, 3], 3)


def test_a_stop_ends_it() -> None:
    assert (
        tail_of(
            parse_warning,
            Topic(life("c1"), size=1),
            Waits(0),
            follow=True,
            on_event=lambda *_: None,
            on_unreadable=lambda *_: None,
        )
        == 0
    )
