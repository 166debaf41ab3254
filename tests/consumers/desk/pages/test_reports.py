"""Reports at the desk: the figures of `lapwing report`, for any period and view, as pages and as files."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest

from consumers.database.database import Database
from consumers.desk.desk import Desk
from consumers.desk.pages.reports import FORMAT_NAMES, KINDS, STYLESHEET, VERSION
from consumers.desk.people.audit import AuditFilter
from consumers.desk.reports.reports import MOST_PERIODS
from consumers.reports.period import Period, PeriodKind
from consumers.reports.views import SEEN, View
from tests.consumers.desk.desks import Staff, browser
from tests.consumers.desk.stored_shop import HORIZON_US, last_instant, lines, patient_desk, store_shop


@pytest.fixture
def desk(database: Database) -> Desk:
    store_shop(database)
    return patient_desk(database, last_instant() + timedelta(days=1))


def test_the_page_shows_the_last_whole_month_with_the_figures_of_the_command(desk: Desk) -> None:
    text = browser(desk).get("/reports").text
    april = Period.parse("2024-04", "UTC")
    report = desk.reports.reporter.report(april)
    written = desk.reports.reporter.written(report, View.ALL, "en")
    assert "April 2024" in text
    for section in written.sections:
        assert f'id="{section.key}"' in text
    for tile in written.tiles:
        assert f"<b>{tile.figure}</b>" in text
    assert report.knowledge.horizon == timedelta(microseconds=HORIZON_US)
    assert text.count("<main") == 1
    assert "<script>" not in text
    assert " style=" not in text  # the desk allows none


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?period=2024-W14", "week 14 of 2024"),
        ("?period=quarter", "1st quarter 2024"),
        ("?period=2024-04-03", "3 April 2024"),
        ("?since=2024-03-05&until=2024-04-20", "5 Mar"),
        ("?since=2024-03-01&until=2024-03-31", "March 2024"),
        ("?since=&until=&period=year", "2023"),
    ],
)
def test_any_period_can_be_looked_at(desk: Desk, query: str, shown: str) -> None:
    answer = browser(desk).get(f"/reports{query}")
    assert answer.status_code == 200
    assert shown in answer.text


@pytest.mark.parametrize(
    "query",
    ["?period=2024-13", "?view=board", "?since=x&until=2024-03-31", "?since=2024-04-02&until=2024-04-01"],
)
def test_what_is_no_period_or_view_is_refused(desk: Desk, query: str) -> None:
    assert browser(desk).get(f"/reports{query}").status_code == 422


@pytest.mark.parametrize("view", list(View))
def test_a_view_has_its_parts_and_links_to_the_others(desk: Desk, view: View) -> None:
    text = browser(desk).get(f"/reports?period=2024-04&view={view}").text
    found = re.findall(r'<section class="part" id="([a-z_]+)"', text)
    assert [key for key in found if key != "cautions"] == [
        section.key
        for section in desk.reports.reporter.written(
            desk.reports.reporter.report(Period.parse("2024-04", "UTC")), view, "en"
        ).sections
    ]
    assert len(SEEN[view]) >= len(found) - 1
    for other in View:
        assert f"/reports?period=2024-04&amp;view={other}" in text
    assert "/reports?period=2024-03&amp;view=" in text
    assert "/reports?period=2024-05&amp;view=" in text


@pytest.mark.usefixtures("printing")
def test_it_can_be_kept_in_every_format_and_that_is_in_the_audit_log(desk: Desk) -> None:
    client = browser(desk)
    for name in FORMAT_NAMES:
        answer = client.get(f"/reports/file.{name}?period=2024-04&view=sales")
        assert answer.status_code == 200, name
        kept = "all" if name == "json" else "sales"
        assert answer.headers["content-disposition"] == (
            f'attachment; filename="lapwing-2024-04-{kept}.{name}"'
        )
        if name == "json":
            assert json.loads(answer.content)["period"]["key"] == "2024-04"
        if name == "zip":
            assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
        if name == "pdf":
            assert answer.content.startswith(b"%PDF")
    assert client.get("/reports/file.exe?period=2024-04").status_code == 404
    written = [entry for entry in desk.audit.all(AuditFilter()) if entry.what == "export.report"]
    assert len(written) == len(FORMAT_NAMES)


def test_nobody_is_named_in_a_report(desk: Desk) -> None:
    client = browser(desk)
    ids = {line["data"]["customer_id"] for line in lines("churn-warnings")}
    assert len(ids) > 3
    for name in ("html", "json"):
        text = client.get(f"/reports/file.{name}?period=2024-04").text
        assert [each for each in ids if re.search(rf"\b{re.escape(each)}\b", text)] == []


def test_it_is_in_chinese_for_who_reads_that(desk: Desk) -> None:
    text = browser(desk, {"Accept-Language": "zh"}).get("/reports?period=2024-04").text
    assert "客户留存与流失" in text
    assert "2024年4月" in text
    assert "保存为" in text


def test_everybody_who_has_signed_in_may_read_it_and_nobody_else(database: Database) -> None:
    store_shop(database)
    desk = patient_desk(database, staff=Staff())
    assert browser(desk, as_="vic").get("/reports?period=2024-04").status_code == 200
    stranger = browser(desk).get("/reports?period=2024-04", follow_redirects=False)
    assert stranger.status_code == 303


def test_the_look_is_that_of_the_file_and_its_address_changes_with_it(desk: Desk) -> None:
    client = browser(desk)
    assert f"/reports/style.css?v={VERSION}" in client.get("/reports").text
    answer = client.get(f"/reports/style.css?v={VERSION}")
    assert answer.text == STYLESHEET
    assert "immutable" in answer.headers["cache-control"]
    assert "no-store" in client.get("/reports/style.css").headers["cache-control"]
    assert not re.search(r"(?m)^(body|html|\*|main|section|table)\b", STYLESHEET)


def test_only_so_many_reports_are_kept(desk: Desk) -> None:
    desk.reports.wait_s = 0
    first = Period.parse("2020-01-01", "UTC")
    period = first
    for _ in range(MOST_PERIODS + 3):
        desk.reports.period(period)
        period = period.after()
    assert len(desk.reports._periods) == MOST_PERIODS
    assert (first.key, None, None) not in desk.reports._periods


def test_before_anything_is_stored_the_page_says_so(database: Database) -> None:
    text = browser(patient_desk(database)).get("/reports").text
    assert "Nothing is known yet of what became of customers." in text


def test_every_kind_of_period_can_be_chosen() -> None:
    assert {*KINDS, PeriodKind.SPAN} == set(PeriodKind)
