"""The campaign's judge sees what it is there to see: a campaign that cannot fail proves nothing."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.sink.kinds import OUTCOMES
from streams.contract.warnings import encode_step
from streams.core.steps import Step
from tests.consumers.shop_records import shop_records
from tests.consumers.stored import store_records
from tests.faults.schedule import Kind, schedule_of
from tests.faults.verdict import (
    Due,
    database_against_topic,
    outcomes_against_topic,
    rejected_against_garbage,
    shown,
    topic_against_replay,
)
from tests.streams.contract.test_warnings import MARCH, STEP

NOW = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def step(customer: str, number: int = 1, **changed: Any) -> bytes:
    """Return a step of a customer's warning as it is on the wire."""
    step_event = json.loads(encode_step(STEP, "shop"))
    step_event["id"] = f"{customer}/{number}"
    step_event["subject"] = customer
    step_event["data"] |= {"warning_id": customer, "step": number, "customer_id": customer, **changed}
    return json.dumps(step_event).encode()


def records(*values: bytes) -> list[Record]:
    return [Record("w", 0, n, 0, b"k", value) for n, value in enumerate(values)]


ALL = (step("a"), step("b"), step("a", 2))
OPENED = datetime.fromtimestamp(MARCH / 1e6, UTC)
DUE = Due(ALL, until=OPENED + DAY)


def test_what_is_the_same_is_no_difference_said_twice_or_not() -> None:
    assert isinstance(STEP, Step)
    assert topic_against_replay(records(*ALL), DUE) == []
    assert topic_against_replay(records(ALL[0], ALL[0], *ALL), DUE) == []
    assert topic_against_replay(records(ALL[1], ALL[0], ALL[2]), DUE) == []


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (ALL[:2], "missing"),
        ((*ALL, step("c")), "not in the replay"),
        ((step("a", tier="low"), *ALL[1:]), "different"),
        ((*ALL, step("a", tier="low")), "sent again with other contents"),
        ((ALL[2], ALL[1], ALL[0]), "in another order"),
    ],
)
def test_what_is_not_the_same_is_reported(values: tuple[bytes, ...], kind: str) -> None:
    (line,) = topic_against_replay(records(*values), DUE)
    assert line.startswith(f"{kind}: ")


def test_what_is_due_after_the_last_watermark_may_come_or_not() -> None:
    later = Due(ALL, until=OPENED - DAY)
    assert topic_against_replay(records(*ALL[:2]), later) == []
    assert topic_against_replay([], DUE) != []


def test_garbage_must_be_refused_and_nothing_else() -> None:
    assert rejected_against_garbage(records(b"x", b"y", b"x"), {b"x", b"y"}) == []
    assert len(rejected_against_garbage(records(b"x"), {b"x", b"y"})) == 1
    assert len(rejected_against_garbage(records(b"x", b"z"), {b"x"})) == 1


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A database into which the sink has stored all."""
    database = Database(f"sqlite:///{tmp_path}/lapwing.db")
    database.prepare()
    store_records(database, records(*ALL))
    database.close()
    return tmp_path / "lapwing.db"


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ("DELETE FROM warning_steps WHERE id = 'a/2'", "not stored"),
        ("UPDATE warning_steps SET id = 'x/1' WHERE id = 'b/1'", "stored and not in the topic"),
        ("UPDATE warning_steps SET data = '{}' WHERE id = 'b/1'", "another content"),
        ("DELETE FROM warnings WHERE id = 'a'", "no warning a"),
        ("UPDATE warnings SET last_step = 1 WHERE id = 'a'", "not as its last step left it"),
        ("UPDATE warnings SET causes = '[]' WHERE id = 'b'", "not as its last step left it"),
    ],
)
def test_a_database_that_is_not_the_topic_is_reported(stored: Path, change: str, reported: str) -> None:
    assert database_against_topic(stored, records(*ALL)) == []
    with sqlite3.connect(stored) as connection:
        connection.execute(change)
    connection.close()
    assert any(reported in line for line in database_against_topic(stored, records(*ALL)))


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ("DELETE FROM outcomes WHERE seq = 3", "not stored"),
        ("UPDATE outcomes SET id = 'x' WHERE seq = 3", "stored and not in the topic: x"),
        ("UPDATE outcomes SET data = '{}' WHERE seq = 3", "another content"),
    ],
)
def test_outcomes_that_are_not_the_topics_are_reported(tmp_path: Path, change: str, reported: str) -> None:
    database = Database(f"sqlite:///{tmp_path}/lapwing.db")
    database.prepare()
    found = [record for record in shop_records() if record.topic == "churn-outcomes"][:9]
    store_records(database, found, kind=OUTCOMES)
    database.close()
    assert outcomes_against_topic(tmp_path / "lapwing.db", [*found, found[0]]) == []
    with sqlite3.connect(tmp_path / "lapwing.db") as connection:
        connection.execute(change)
    connection.close()
    assert any(reported in line for line in outcomes_against_topic(tmp_path / "lapwing.db", found))
    event = json.loads(found[0].value or b"")
    event["data"]["late"] = True
    again = replace(found[0], value=json.dumps(event).encode())
    assert any(
        "sent again with other contents" in line
        for line in outcomes_against_topic(tmp_path / "lapwing.db", [*found, again])
    )


def test_the_first_of_each_kind_of_difference_are_shown_with_their_count() -> None:
    lines = shown([f"missing: {n}" for n in range(30)] + ["different: x"])
    assert lines[0] == "30 x missing"
    assert lines[-2:] == ["1 x different", "  different: x"]
    assert len(lines) == 8


def test_a_seed_gives_the_same_faults_each_time_and_a_few_seeds_meet_all_kinds() -> None:
    kinds = set(Kind)
    assert schedule_of(7, 15.0, kinds, (3, 6)) == schedule_of(7, 15.0, kinds, (3, 6))
    met = {fault.kind for seed in range(len(Kind)) for fault in schedule_of(seed, 15.0, kinds, (1, 1))}
    assert met == kinds
    assert {f.kind for f in schedule_of(3, 15.0, {Kind.KILL}, (4, 4))} == {Kind.KILL}
