"""`lapwing report` over the store of a simulated shop: files, figures of a past instant, exit codes."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]  # ships no type hints
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, update

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.database.outcomes import CensusRow
from lapwing.cli import lapwing
from tests.consumers.shop_records import KINDS, NOW, shop_records
from tests.consumers.stored import store_records
from tests.lapwing.test_cli import exit_code

BEFORE = NOW - timedelta(days=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database of which all but the newest half of the outcomes was stored a day earlier."""
    path = tmp_path_factory.mktemp("report") / "shop.db"
    with closing(Database(f"sqlite:///{path}")) as database:
        database.prepare()
        by_topic: dict[str, list[Record]] = defaultdict(list)
        for record in shop_records():
            by_topic[record.topic].append(record)
        for topic, records in by_topic.items():
            half = len(records) // 2
            store_records(database, records[:half], BEFORE, KINDS[topic])
        for topic, records in by_topic.items():
            store_records(database, records[len(records) // 2 :], NOW, KINDS[topic])
    return path


def report(store: Path, *words: str) -> Result:
    given = ["report", "--database", f"sqlite:///{store}", "--horizon", "30d", *words]
    return CliRunner().invoke(lapwing, given, catch_exceptions=False)


def figures(store: Path, *words: str) -> dict[str, object]:
    done = report(store, "--json", *words)
    assert done.exit_code == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_default_is_the_last_whole_month_that_the_store_knows(store: Path) -> None:
    found = figures(store)
    period = found["period"]
    assert isinstance(period, dict)
    assert period["key"] == "2024-04"
    assert "report: forecast (" in report(store, "--json").stderr


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["--period", "day", "--date", "2024-03-15"], "2024-03-15"),
        (["--period", "week", "--date", "2024-03-15"], "2024-W11"),
        (["--period", "quarter"], "2024-Q1"),
        (["--period", "year", "--date", "2024-03-15"], "2024"),
        (["--period", "2024-02"], "2024-02"),
        (["--period", "2024-02-05..2024-03-10"], "2024-02-05..2024-03-10"),
        (["--period", "2024-02-01..2024-02-29"], "2024-02"),
    ],
)
def test_any_period_can_be_asked_for(store: Path, words: list[str], key: str) -> None:
    period = figures(store, *words)["period"]
    assert isinstance(period, dict)
    assert period["key"] == key


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--period", "2024-13"], "--period: no period"),
        (["--period", "2024-03", "--date", "2024-03-05"], "--date goes with a kind of period"),
        (["--period", "2024-03-02..2024-03-01"], "--period: a period ends before it begins"),
        (["--period", "0001-01"], "a period lies between 1971 and 2200"),
        (["--period", "day", "--date", "0001-01-01"], "a period lies between 1971 and 2200"),
        (["--period", "month", "--date", "9999-12-31"], "a period lies between 1971 and 2200"),
        (["--period", "1969-03-01..1971-03-02"], "a period lies between 1971 and 2200"),
        (["--html", "a", "--pdf", "a"], "a is named twice"),
        (["--view", "board"], "'board' is not one of"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    store: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("report", "--database", f"sqlite:///{store}", *words) == 2
    assert says in capsys.readouterr().err


@pytest.mark.usefixtures("printing")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_all_formats_are_written_with_the_same_figures(store: Path, tmp_path: Path, language: str) -> None:
    page, pdf, xlsx = tmp_path / "r.html", tmp_path / "r.pdf", tmp_path / "r.xlsx"
    words = ("--html", page, "--pdf", pdf, "--xlsx", xlsx, "--csv", tmp_path / "tables" / "csv")
    done = report(store, "--language", language, "--tables", *map(str, words))
    assert done.exit_code == 0, done.stderr
    assert page.read_text().startswith("<!doctype html>")
    assert pdf.read_bytes().startswith(b"%PDF")
    book = openpyxl.load_workbook(io.BytesIO(xlsx.read_bytes()))
    files = sorted(each.name for each in (tmp_path / "tables" / "csv").iterdir())
    assert len(book.sheetnames) == 1 + len(files)
    assert "past_forecasts.csv" in files
    assert ("To keep in mind" if language == "en" else "请注意") in done.stdout
    assert "(13 of 51)" in done.stdout.replace(" / ", " of ")
    assert list(tmp_path.glob(".*.part")) == []


def test_a_report_of_a_past_instant_is_the_same_whatever_was_stored_since(store: Path) -> None:
    early = ("--period", "2024-03", "--as-of", BEFORE.isoformat())
    then = figures(store, *early)
    now = figures(store, "--period", "2024-03")
    assert then["as_of"] == "2025-05-31T00:00:00Z"
    assert then["parts"] != now["parts"]
    assert figures(store, *early) == then
    assert now == {**figures(store, "--period", "2024-03", "--as-of", NOW.isoformat()), "as_of": None}


def test_views_show_parts_of_the_same_figures(store: Path) -> None:
    whole = report(store, "--tables").stdout
    sales = report(store, "--tables", "--view", "sales").stdout
    assert sales.splitlines()[0] == "Customers kept and lost: for sales · April 2024"
    tables = [line for line in sales.splitlines() if line.startswith("  ")]
    assert [line for line in tables if line not in whole] == []


def test_no_database_is_a_failure_of_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("report", "--database", f"sqlite:///{tmp_path / 'none.db'}") == 1
    assert "there is no database" in capsys.readouterr().err


def test_an_empty_store_makes_a_report_that_says_that_nothing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    with closing(Database(f"sqlite:///{path}")) as database:
        database.prepare()
    done = report(path, "--tables", "--html", str(tmp_path / "r.html"))
    assert done.exit_code == 0
    assert "Nothing is known yet of what became of customers." in done.stdout
    last_month = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    assert f"· {last_month:%B %Y}" in done.stdout.splitlines()[0]


def test_figures_that_contradict_each_other_are_written_and_end_with_1(store: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(store.read_bytes())
    with closing(Database(f"sqlite:///{broken}")) as database, database.writing() as connection:
        taken = select(CensusRow.__table__).where(CensusRow.type == "churn.census.taken")
        for row in connection.execute(taken).all():
            if row.data["by"] == "profile" and row.data["kept"]:
                wrong = {**row.data, "kept": row.data["kept"] + 7}
                connection.execute(update(CensusRow).where(CensusRow.id == row.id).values(data=wrong))
    page = tmp_path / "r.html"
    done = report(broken, "--html", str(page))
    assert done.exit_code == 1
    assert "check that failed: kept + lost = original" in done.stderr
    assert "Check that failed: kept + lost = original" in page.read_text()
    assert "do not rely on this report" in done.stdout
