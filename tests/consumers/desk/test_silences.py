"""Silences of the desk: sent to their topic, shown at once, and as stored once the sink has them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.desk.clock import DeskClock
from consumers.desk.silences import SHOWN_FOR, SilenceDesk
from consumers.sink.kinds import SILENCES
from streams.contract.silences import make_recurring, parse_silence
from streams.errors import ContractError
from tests.consumers.desk.desks import NOW, Sent
from tests.consumers.stored import store_records

DAY = timedelta(days=1)


class Setting:
    """A desk's silences over a database, with a clock that a test moves."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self.sent = Sent()
        self.desk = SilenceDesk(database, self.sent, "silences", DeskClock(lambda: None, lambda: self.now))

    def add(self, reason: str = "a holiday", until: datetime | None = None) -> str:
        matchers = {"everything": False, "tiers": ("low",)}
        return self.desk.add("ann", reason, matchers, None, until or self.now + DAY, None).id

    def sink(self) -> None:
        """Store what was sent, as the sink does."""
        records = [
            Record(topic, 0, n, 0, key, value) for n, (topic, key, value) in enumerate(self.sent.records)
        ]
        store_records(self.database, records, self.now, SILENCES)

    def shown(self) -> list[tuple[str, str, bool]]:
        return [(each.silence.id, each.state, each.on_its_way) for each in self.desk.all()]


@pytest.fixture
def setting(database: Database) -> Setting:
    return Setting(database)


def test_a_silence_is_sent_and_shown_at_once_and_then_as_stored(setting: Setting) -> None:
    added = setting.add()
    [(topic, key, value)] = setting.sent.records
    assert (topic, key) == ("silences", added.encode())
    silence = parse_silence(value or b"")
    assert (silence.revision, silence.author, silence.created_at) == (1, "ann", NOW)
    assert (silence.starts_at, silence.ends_at) == (NOW, NOW + DAY)
    assert setting.shown() == [(added, "active", True)]
    setting.sink()
    assert setting.shown() == [(added, "active", False)]


def test_it_is_ended_by_a_further_revision_once(setting: Setting) -> None:
    added = setting.add()
    setting.sink()
    setting.now += timedelta(hours=1)
    over = setting.desk.end(added, "bob")
    assert (over.revision, over.expired_at, over.expired_by) == (2, setting.now, "bob")
    assert setting.shown() == [(added, "expired", True)]
    with pytest.raises(ContractError, match="already expired"):
        setting.desk.end(added, "bob")
    assert len(setting.sent.records) == 2
    setting.sink()
    assert setting.shown() == [(added, "expired", False)]
    with pytest.raises(ContractError, match="there is no silence"):
        setting.desk.end("none", "bob")


def test_what_nobody_stores_is_not_shown_for_ever(setting: Setting) -> None:
    setting.add()
    setting.now += SHOWN_FOR + timedelta(seconds=1)
    assert setting.shown() == []


def test_recurring_hours_are_read_back(setting: Setting) -> None:
    hours = make_recurring(days=("sat",), dates=(NOW.date(),), begins="22:00", ends="07:00", time_zone="UTC")
    setting.desk.add("ann", "nights", {"everything": True}, None, None, hours)
    setting.sink()
    [found] = setting.desk.all()
    assert found.silence.recurring == hours
    assert not found.on_its_way
