from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.database.database import Database
from consumers.sink.aside_log import PutAsideLog
from consumers.sink.kinds import WARNINGS
from consumers.sink.reading import PutAside
from consumers.sink.sink import Sink
from consumers.sink.store import Counts, write
from streams.contract.rejected import RefusalReason
from tests.consumers.stubs import NOW, Clock, Topic, Waits
from tests.consumers.warning_events import TOPIC, life, record, records, value

BAD = [None, b"", b"nonsense", b"\xff\xfe", b"{}", b"[1]", b"1", b"x", value().replace(b"medium", b"urgent")]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'w.db'}")
    opened.prepare()
    yield opened
    opened.close()


def test_what_is_put_aside_is_logged_once_a_minute_for_each_reason(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    at = [0.0]
    aside_log = PutAsideLog(lambda: at[0])
    good = life("secret-customer")
    topic = Topic([good[0], *BAD * 500, good[1]], size=10)
    with caplog.at_level(logging.WARNING):
        sink = Sink(topic, database, Waits(), {TOPIC: WARNINGS}, clock=Clock(), enough=1, aside_log=aside_log)
        assert sink.run(follow=False).total == Counts(records=4502, stored=2, unreadable=4500)
        # The end of the run logs the rest; read again it is news after a minute.
        assert caplog.messages == [
            "1 record is put aside in `unreadable`, reason=empty, first churn-warnings[0]@1",
            "1 record is put aside in `unreadable`, reason=invalid, first churn-warnings[0]@2",
            "499 records are put aside in `unreadable`, reason=empty, first churn-warnings[0]@10",
            "3999 records are put aside in `unreadable`, reason=invalid, first churn-warnings[0]@3",
        ]
        caplog.clear()
        reading = WARNINGS.read(records(BAD), NOW)
        write(database, [(WARNINGS, reading)], Clock(), on_aside=aside_log.note)
        at[0] = 59.0
        aside_log.look()
        assert caplog.messages == []
        at[0] = 60.0
        aside_log.look()
        assert len(caplog.messages) == 2
    assert "secret-customer" not in caplog.text


def test_what_the_worker_refuses_too_is_logged_apart(caplog: pytest.LogCaptureFixture) -> None:
    at = [0.0]
    aside_log = PutAsideLog(lambda: at[0])
    refused = PutAside(record(b"secret-customer", 7), RefusalReason.FUTURE_TIME, "secret-customer")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            aside_log.note_refused(refused)
        aside_log.close()
    assert caplog.messages == [
        "1 record is refused, as the worker refuses it, reason=future_time, first churn-warnings[0]@7",
        "2 records are refused, as the worker refuses them, reason=future_time, first churn-warnings[0]@7",
    ]
