"""The audit log: in order, found again, whole."""

from datetime import timedelta

import pytest

from consumers.database.database import Database
from consumers.desk.people import audit
from consumers.desk.people.audit import EARLIER, AuditFilter, AuditLog
from tests.consumers.desk.desks import NOW, STAFF

VIC, ANN, _BOB, OLGA = STAFF


def test_what_was_written_is_found_by_all_that_it_is(database: Database) -> None:
    now = [NOW]
    log = AuditLog(database, lambda: now[0])
    log.write(None, "session.refuse", address="192.0.2.1")
    now[0] += timedelta(hours=1)
    log.write(ANN, "action", "c1", kind="snooze", warnings=["w1"])
    now[0] += timedelta(hours=1)
    log.write(OLGA, "action", "c2", kind="expire")

    def found(**wanted: object) -> list[tuple[str | None, str]]:
        return [(each.person, each.what) for each in log.page(AuditFilter(**wanted), 10)]  # type: ignore[arg-type]  # by name

    assert found() == [("olga", "action"), ("ann", "action"), (None, "session.refuse")]
    assert found(person="ann") == [("ann", "action")]
    assert found(what="session.refuse") == [(None, "session.refuse")]
    assert found(customer_id="c2") == [("olga", "action")]
    assert found(since=NOW + timedelta(hours=1)) == [("olga", "action"), ("ann", "action")]
    assert found(until=NOW + timedelta(hours=1)) == [(None, "session.refuse")]
    assert log.page(AuditFilter(person="ann"), 1)[0].detail == {"kind": "snooze", "warnings": ["w1"]}
    assert log.kinds() == ["action", "session.refuse"]


def test_all_are_given_once_however_many_come_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(database, lambda: NOW)
    for number in range(25):
        log.write(ANN, "action", number=number)
    seen = []
    monkeypatch.setattr(audit, "_AT_ONCE", 4)
    for each in log.all(AuditFilter()):
        seen.append(each.detail["number"])
        log.write(OLGA, "action", number=1000 + len(seen))
    assert seen == list(reversed(range(25)))


def test_entries_of_before_are_found_by_what_they_are_called_now(database: Database) -> None:
    log = AuditLog(database, lambda: NOW)
    for what in (*EARLIER, "session.begin", "view.save"):
        log.write(None, what)
    assert [each.what for each in log.page(AuditFilter(what="session.begin"), 9)] == ["session.begin"] * 2
    assert [each.what for each in log.page(AuditFilter(what="view.save"), 9)] == ["view.save"]
    assert log.kinds() == sorted({*EARLIER.values(), "view.save"})
    assert {each.what for each in log.all(AuditFilter())} == set(log.kinds())
