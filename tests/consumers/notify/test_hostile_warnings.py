"""Whatever lies on the warnings topic, or was stored by an older sink, stops neither sink nor notifier."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from consumers.database.database import Database
from consumers.database.warnings import WarningStepRow
from consumers.muting.notice import Limits
from consumers.notify.channels import Channel
from consumers.notify.message import Message
from consumers.notify.notifier import Notifier, NotifierTotals
from consumers.notify.outbox import Outbox
from tests.consumers.engine_warnings import attended
from tests.consumers.notify.notice_shop import put, silence
from tests.consumers.stored import store_records
from tests.consumers.stubs import NOW, Clock, Waits
from tests.consumers.warning_events import life, records, warning_id

NASTY: list[Any] = [
    10**400,
    -(10**30),
    0.5,
    -1,
    0,
    True,
    None,
    "",
    "x",
    "0",
    "\0",
    "\u202e@everyone",
    "y" * 300,
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "2261-12-31T23:59:59Z",
    "2024-03-12T00:00:00",
    [],
    {},
    [[[[]]]],
    {"state": "overdue"},
    float("inf"),
    float("nan"),
]


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, inside in (
        node.items() if isinstance(node, dict) else enumerate(node if isinstance(node, list) else ())
    ):
        yield from places(inside, (*path, key))


EVENTS = [json.loads(content) for content in attended()]
PLACES = [list(places(event)) for event in EVENTS]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return a warning of the engine with some of its values replaced or gone, or some of its bytes."""
    number = draw(st.integers(0, len(EVENTS) - 1))
    event = copy.deepcopy(EVENTS[number])
    for place in draw(st.lists(st.sampled_from(PLACES[number]), min_size=1, max_size=3)):
        node: Any = event
        try:
            for key in place[:-1]:
                node = node[key]
            if draw(st.integers(0, 4)):
                node[place[-1]] = draw(st.sampled_from(NASTY))
            else:
                del node[place[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # a mutation before took the place away
    content = json.dumps(event).encode()
    if draw(st.booleans()):
        return content
    at = draw(st.integers(0, len(content)))
    return (
        content[:at]
        + draw(st.sampled_from([b"", b"[" * 20_000, b"\xff\xfe", b"{", b'"', b"0" * 5000]))
        + content[at:]
    )


class Receiver:
    def __init__(self) -> None:
        self.steps: list[str] = []

    def __call__(self, channel: Channel, message: Message) -> None:
        self.steps.append(message.body.splitlines()[-1])


def notified(database: Database) -> tuple[list[str], NotifierTotals]:
    box = Outbox(database, "one", Limits(at_most=3, flapping_after=2))
    box.add_channels(["desk"], NOW, from_now=False)
    receiver = Receiver()
    clock = Clock()
    channel = Channel("desk", "json://127.0.0.1")
    tally = Notifier(box, [channel], receiver, Waits(3, clock), clock=clock).run()
    return receiver.steps, tally


GOOD = [f"Warning: {warning_id(name)}, step {number}" for name in ("g1", "g2") for number in (1, 3)]


@settings(max_examples=40)
@given(st.lists(mutated(), max_size=25))
def test_mutated_warnings_stop_neither_sink_nor_notifier(hostile: Sequence[bytes]) -> None:
    database = Database("sqlite://")
    database.prepare()
    contents: list[bytes | None] = [*life("g1"), *hostile, None, *life("g2")]
    counts = store_records(database, records(contents))
    assert len(contents) == counts.stored + counts.repeats + counts.unreadable
    assert counts.stored + counts.repeats + counts.unreadable == len(contents)
    steps, _ = notified(database)
    assert [step for step in steps if step in GOOD] == GOOD
    assert len(steps) == len(set(steps))
    database.close()


@pytest.mark.parametrize(
    "change",
    [
        {"time": datetime(1, 1, 1, tzinfo=UTC)},
        {"time": datetime(9999, 12, 31, tzinfo=UTC)},
        {"data": {"tier": "high"}},
        {"data": []},
        {"data": "nonsense"},
        {"data": EVENTS[0]["data"] | {"churn_probability": 10**400}},
        {"data": EVENTS[0]["data"] | {"opened_at": "0001-01-01T00:00:00+14:00"}},
        {"data": EVENTS[0]["data"] | {"causes": [None]}},
        {"data": EVENTS[0]["data"] | {"causes": 7, "attention": []}},
        {"data": EVENTS[0]["data"] | {"tier": "urgent"}},
        {"tier": "urgent", "type": "x", "state": "?"},
    ],
    ids=repr,
)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_row_of_an_older_sink_stops_no_other(change: dict[str, Any], number: int) -> None:
    database = Database("sqlite://")
    database.prepare()
    contents: list[bytes | None] = [*life("bad"), *life("g1"), *life("g2")]
    store_records(database, records(contents))
    with database.writing() as connection:
        row = update(WarningStepRow).where(WarningStepRow.id == f"{warning_id('bad')}/{number}")
        if isinstance(change.get("data"), dict) and "churn_probability" in change["data"]:
            text = json.dumps(change["data"])
            connection.exec_driver_sql(
                "UPDATE warning_steps SET data = ? WHERE id = ?", (text, f"{warning_id('bad')}/{number}")
            )
        else:
            connection.execute(row.values(**change))
    steps, tally = notified(database)
    assert [step for step in steps if step in GOOD] == GOOD
    assert tally.failed == 0
    database.close()


def test_a_stored_silence_that_cannot_be_read_mutes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    database = Database("sqlite://")
    database.prepare()
    put(database, silence("s", datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)))
    with database.writing() as connection:
        connection.exec_driver_sql("""UPDATE silences SET content = '{"id": "s"}'""")
    store_records(database, records([*life("g1"), *life("g2")]))
    assert notified(database)[0] == GOOD
    assert "a stored silence is passed over: revision: Field required" in caplog.text
    database.close()
