"""The audit log: for operators, by what it is filtered by, and whole in a file."""

import csv
import io
import json
import re
from datetime import timedelta

import pytest

from consumers.database.database import Database
from consumers.desk.desk import Desk
from consumers.desk.pages import audit
from consumers.desk.people.audit import EARLIER, AuditFilter, AuditLog
from tests.consumers.desk.desks import NOW, STAFF, Staff, browser, desk_over
from tests.paths import ROOT

HOSTILE = '<script>alert("x")</script>'
_VIC, ANN, _BOB, OLGA = STAFF


@pytest.fixture
def database(either_database: Database) -> Database:
    return either_database


@pytest.fixture
def desk(database: Database) -> Desk:
    times = iter(NOW + timedelta(days=number) for number in range(-3, 9))
    log = AuditLog(database, lambda: next(times))
    log.write(None, "session.refuse", by="token", address="192.0.2.1", name=None)
    log.write(ANN, "action.snooze", HOSTILE, kind="snooze", note=HOSTILE)
    log.write(OLGA, "something new", "=HYPERLINK(1)", why="=1+1")
    log.write(ANN, "export.queue")
    return desk_over(database, staff=Staff())


def test_operators_see_who_did_what_and_nothing_of_it_runs(desk: Desk) -> None:
    text = browser(desk, as_="olga").get("/audit").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
    assert '/customers/%3Cscript%3Ealert%28%22x%22%29%3C%2Fscript%3E"' in text
    table = text.partition("<tbody>")[2]
    assert table.index("exported") < table.index("something new") < table.index(">snooze")
    assert "failed to sign in" in text
    assert browser(desk, as_="ann").get("/audit").status_code == 403
    assert browser(desk, as_="ann").get("/audit.csv").status_code == 403
    chinese = browser(desk, {"Accept-Language": "zh"}, as_="olga").get("/audit").text
    assert "审计日志" in chinese


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [4, 3, 2, 1]),
        ("person=ann", [4, 2]),
        ("what=session.refuse", [1]),
        ("customer=%3DHYPERLINK(1)", [3]),
        ("since=2011-03-19", [4, 3]),
        ("until=2011-03-18", [2, 1]),
        ("since=2011-03-18&until=2011-03-18", [2]),
        ("person=nobody", []),
    ],
)
def test_filters_choose_and_files_have_the_same(desk: Desk, query: str, numbers: list[int]) -> None:
    client = browser(desk, as_="olga")
    before = len(desk.audit.page(AuditFilter(), 100))
    assert before == 4
    lines = [json.loads(line) for line in client.get(f"/audit.jsonl?{query}").text.splitlines()]
    found = [each["seq"] for each in lines if each["seq"] <= before]
    assert found == numbers
    rows = list(csv.reader(io.StringIO(client.get(f"/audit.csv?{query}").text.removeprefix("\ufeff"))))
    assert [int(row[0]) for row in rows[1:] if int(row[0]) <= before] == numbers
    assert not any(cell.startswith("=") for row in rows for cell in row)
    done = desk.audit.page(AuditFilter(what="export.audit", person="olga"), 9)
    assert [each.detail["format"] for each in done] == ["csv", "jsonl"]


def test_further_pages_go_on_where_one_ends(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 3)
    client = browser(desk, as_="olga")
    first = client.get("/audit?customer=").text
    assert "before=2" in first
    assert "failed to sign in" not in first.partition("<tbody>")[2]
    second = client.get("/audit?before=2").text.partition("<tbody>")[2]
    assert "failed to sign in" in second
    assert "exported" not in second


@pytest.mark.parametrize(
    "query", ["since=yesterday", "until=2011-02-30", "before=x", "since=9999-12-31&until=9999-12-31"]
)
def test_what_is_no_day_is_refused(desk: Desk, query: str) -> None:
    assert browser(desk, as_="olga").get(f"/audit?{query}").status_code == 422


def test_an_empty_log_says_what_it_is_for(database: Database) -> None:
    text = browser(desk_over(database)).get("/audit?person=x").text
    assert "Nobody did such a thing" in text
    assert 'href="/audit"' in text


def test_whatever_the_desk_writes_down_has_words(database: Database) -> None:
    """A kind is a noun and a verb, as the source has it."""
    texts = [path.read_text() for path in (ROOT / "consumers" / "desk").rglob("*.py")]
    written = {
        kind for text in texts for kind in re.findall(r'audit\.write,?\(?\s*\w[\w.]*, "([^"]+)"', text)
    }
    assert len(written) >= 8
    assert written <= audit.WORDS.keys()
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+", kind) for kind in {*written, *EARLIER.values()})
