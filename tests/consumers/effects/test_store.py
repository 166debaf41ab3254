"""What effects are measured from, out of both databases, as they are and as they were."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.effects.reasons import CONFIRMS, stated_reason, suggested_step
from consumers.effects.report import EffectsInput, report
from consumers.effects.store import stored_input
from consumers.sink.kinds import OUTCOMES, WARNINGS, AnyKind, actions
from consumers.sink.store import write
from streams.contract.instants import read_instant, to_us
from tests.consumers.effects.helped import helped
from tests.consumers.effects.test_report import given

pytestmark = pytest.mark.timeout(400)  # a whole shop, on a machine that does much else

HOUR = 3_600_000_000
NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'w.db'}")
    else:
        opened = Database(request.getfixturevalue("postgres_url"))
    opened.prepare()
    yield opened
    opened.close()


def records(topic: str, lines: Iterable[bytes], customer: str) -> list[Record]:
    """Return the records of lines; `customer` is the field that has the key."""
    made = []
    for number, line in enumerate(lines):
        key = json.loads(line)[customer].encode()
        made.append(Record(topic, 0, number, to_us(NOW) // 1_000, key, line))
    return made


def store(database: Database, kind: AnyKind, found: Sequence[Record], now: datetime) -> None:
    """Store records as the sink does."""
    counts = write(database, [(kind, kind.read(found, now))], lambda: now)
    assert counts.total.stored == counts.total.records == len(found)


def fill(database: Database, later_outcomes: int = 0) -> None:
    """Store what a helped shop left behind, its last outcomes a month later than the rest."""
    ran = helped()
    outcomes, split = records("outcomes", ran.outcomes, "subject"), len(ran.outcomes) - later_outcomes
    acts = [
        line for line, event in zip(ran.events, ran.event_lines, strict=True) if event["type"] == "action"
    ]
    store(database, WARNINGS, records("warnings", ran.warnings, "subject"), NOW)
    store(database, actions(HOUR), records("actions", acts, "customer_id"), NOW)
    store(database, OUTCOMES, outcomes[:split], NOW)
    store(database, OUTCOMES, outcomes[split:], LATER)


def figures(found: EffectsInput) -> dict[str, Any]:
    return report(found, min_holdout=20, group_of={}).as_dict()


def test_a_report_of_the_database_is_that_of_the_files(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.effects.store.AT_ONCE", 50)
    fill(database)
    found = stored_input(database)
    assert figures(found) == figures(given(helped()))
    assert found.steps is not None
    answered = {a.warning_id for a in found.actions if a.kind in CONFIRMS}
    assert {step.warning_id for step in found.steps} == answered
    assert len(answered) > 100


def test_an_old_report_made_again_is_the_same(database: Database) -> None:
    fill(database, later_outcomes=2_000)
    before = figures(stored_input(database, to_us(NOW)))
    assert figures(stored_input(database, to_us(LATER) - 1)) == before
    assert figures(stored_input(database, to_us(LATER))) == figures(stored_input(database)) != before
    nothing = stored_input(database, to_us(NOW) - 1)
    assert (len(nothing.matured), nothing.actions, nothing.steps) == (0, (), ())


def test_a_closure_states_its_reason_with_the_warning_before_it(database: Database) -> None:
    ran = helped()
    step = json.loads(ran.warnings[0])
    lapsed = next(
        e for e in ran.outcome_lines if e["type"] == "churn.customer.lapsed" and e["data"]["warned"]
    )
    data = {k: v for k, v in lapsed["data"].items() if k not in ("silent_since", "value")}
    data |= {"reason": "price_too_high", "churn_type": None, "customer_id": step["subject"]}
    data["warned"] = lapsed["data"]["warned"] | {"warning_id": step["data"]["warning_id"]}
    closed = lapsed | {"type": "churn.customer.closed", "subject": step["subject"], "data": data}
    alone = closed | {"id": "alone", "data": data | {"warned": None}}
    lines = [json.dumps(each).encode() for each in (closed, alone)]
    store(database, OUTCOMES, records("outcomes", lines, "subject"), NOW)
    store(database, WARNINGS, records("warnings", ran.warnings[:1], "subject"), NOW)
    found = stored_input(database)
    assert found.stated == (stated_reason(to_us(read_instant(closed["time"])), data),)
    assert found.steps == (suggested_step(to_us(read_instant(step["time"])), step["data"]),)
    assert figures(found)["reasons"]["found"] == 1
