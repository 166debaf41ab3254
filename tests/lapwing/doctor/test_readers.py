from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.notify.outbox import Outbox
from consumers.sink import kinds
from lapwing.cli import lapwing
from lapwing.doctor.check import made
from lapwing.doctor.installation import Installation
from lapwing.doctor.readers import LATE, census_zone, outbox, sink
from lapwing.lag import Unread
from lapwing.settings.settings import load_settings
from tests.consumers.stored import store_records
from tests.consumers.stubs import NOW
from tests.consumers.warning_events import life, records

RULES = """\
version: 1
rules:
  - {id: silent, title: Silent, status: active, when: days_since_order > 60, tier: low, reason: silence}
"""


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.chdir(tmp_path)
    opened = Database(f"sqlite:///{tmp_path / 'lapwing.db'}")
    opened.prepare()
    yield opened
    opened.close()


def found(check: Callable[[Installation], str], **settings: str) -> tuple[str, str]:
    result = made("it", lambda: check(Installation(load_settings(overrides=settings, environ={}))))
    return result.outcome.value, result.detail


@pytest.mark.parametrize("check", [outbox, census_zone])
def test_without_a_database_nothing_is_checked(
    check: Callable[[Installation], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert found(check)[0] == "skipped"
    assert not list(tmp_path.iterdir())


def test_what_is_due_and_not_sent_is_found(database: Database) -> None:
    assert found(outbox) == ("ok", "nothing that is due waits")
    store_records(database, records([content for name in ("a", "b") for content in life(name)]))
    waiting = Outbox(database, "me")
    now = datetime.now(UTC)
    waiting.add_channels(["team"], now, from_now=False)
    waiting.fill(["team"], now - LATE + timedelta(minutes=1))
    assert found(outbox)[0] == "ok"
    with database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM outbox")
        connection.exec_driver_sql("UPDATE channels SET filled_to = 0")
    waiting.fill(["team"], now - timedelta(hours=3))
    outcome, text = found(outbox)
    assert outcome == "warning"
    assert "to team, the oldest for 3h wait to be sent: " in text
    waiting.disable("team", now)
    outcome, text = found(outbox)
    assert outcome == "warning"
    assert text == (
        "nothing is sent to team, whose receiver wants no more: put it right, then "
        "`lapwing notify --enable team`"
    )


def test_another_time_zone_than_the_workers_is_found(database: Database, tmp_path: Path) -> None:
    assert found(census_zone) == ("skipped", "no census is stored yet")
    (tmp_path / "rules.yaml").write_text(RULES)
    for words in (
        "simulate --customers 20 --days 70 --seed 1 --out e.jsonl",
        "replay e.jsonl --rules rules.yaml --time-zone Asia/Shanghai --out w.jsonl --census c.jsonl",
    ):
        result = CliRunner().invoke(lapwing, words.split(), catch_exceptions=False)
        assert result.exit_code == 0, result.output
    lines = (tmp_path / "c.jsonl").read_bytes().splitlines()
    taken = [Record("census", 0, n, 0, b"k", line, ()) for n, line in enumerate(lines)]
    assert store_records(database, taken, NOW, kinds.CENSUS).stored == len(lines) > 0
    assert found(census_zone, time_zone="Asia/Shanghai")[0] == "ok"
    assert found(census_zone, time_zone="Asia/Taipei")[0] == "ok"
    outcome, text = found(census_zone, time_zone="Europe/Vienna")
    assert outcome == "failed"
    newest = max(json.loads(line)["time"] for line in lines)
    assert text.startswith(f"the census of {newest[:10]} 16:00 UTC begins no month in Europe/Vienna: ")


class Behind(Installation):
    """An installation whose sink has yet to store something."""

    def __init__(self, found: Mapping[str, Unread] | None) -> None:
        super().__init__(load_settings(environ={}))
        self._found = found

    def ask_unstored(self) -> Mapping[str, Unread] | None:
        return self._found


@pytest.mark.parametrize(
    ("ages", "outcome", "words"),
    [
        ([], "ok", "all that the topics hold is stored"),
        ([10], "ok", "5 records are yet to be stored, the oldest is 10m old"),
        ([10, 16], "warning", "10 records of t0, t1 are not stored, the oldest for 16m: "),
    ],
)
def test_a_sink_that_does_not_keep_up_is_found(ages: list[int], outcome: str, words: str) -> None:
    now = datetime.now(UTC)
    behind = Behind(
        {f"t{n}": Unread(5, now - timedelta(minutes=age, seconds=1)) for n, age in enumerate(ages)}
        | {"stored": Unread()}
    )
    never = made("sink", lambda: sink(Behind(None)))
    assert (never.outcome.value, never.detail) == ("skipped", "no sink has stored anything yet")
    result = made("sink", lambda: sink(behind))
    assert (result.outcome.value, result.detail[: len(words)]) == (outcome, words)
