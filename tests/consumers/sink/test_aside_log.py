from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.database.database import Database
from consumers.sink.aside_log import PutAsideLog
from consumers.sink.reading import read_records
from consumers.sink.sink import Sink
from consumers.sink.store import SinkCounts, write
from streams.contract.warnings import parse_warning
from tests.consumers.stubs import NOW, Clock, Topic, Waits
from tests.consumers.warning_events import life, records, value

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
        counts = Sink(topic, database, Waits(), clock=Clock(), aside_log=aside_log).run(follow=False)
        assert counts == SinkCounts(records=4502, steps=2, unreadable=4500)
        # The end of the run logs the rest; read again it is news after a minute.
        assert caplog.messages == [
            "1 record is put aside in `unreadable`, reason=empty, first churn-warnings[0]@1",
            "1 record is put aside in `unreadable`, reason=invalid, first churn-warnings[0]@2",
            "499 records are put aside in `unreadable`, reason=empty, first churn-warnings[0]@10",
            "3999 records are put aside in `unreadable`, reason=invalid, first churn-warnings[0]@3",
        ]
        caplog.clear()
        write(database, read_records(records(BAD), NOW, parse_warning), on_aside=aside_log.note)
        at[0] = 59.0
        aside_log.look()
        assert caplog.messages == []
        at[0] = 60.0
        aside_log.look()
        assert len(caplog.messages) == 2
    assert "secret-customer" not in caplog.text
