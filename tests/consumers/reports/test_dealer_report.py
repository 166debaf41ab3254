"""The dealer report of 2017, put in as records: what it mixed up can be seen, or cannot be written.

Its base was 1996 + 1615 + 517 = 4128 by origin, its text 3611 = 2009 kept + 1602 lost; the kept were 52, 42
and 6 % by origin, the lost 25, 56 and 19 %, and the 56 % was then called a rate. Of seven months six had a
figure. 100 of the lost were called: 41 calls failed, 19 meant to return, 17 had gone to another workshop, 12
to another branch, 11 had moved; how many came back stood beside no base.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from consumers.database.database import Database
from consumers.reports.complaints import Limits
from consumers.reports.document import MISSING, Document
from consumers.reports.knowledge import Knowledge
from consumers.reports.pages.whole import document
from consumers.reports.period import Period
from consumers.reports.report import Report, Terms, make_report
from consumers.reports.views import View
from consumers.reports.words import Words
from consumers.sink.kinds import CENSUS
from lapwing.cli import lapwing
from streams.contract.census import census_key, encode_census
from streams.core.outcomes.outcome import CensusCell, CensusEvent, CensusSummary
from streams.share import Share
from tests.consumers.reports.lost_shop import STORED, put
from tests.consumers.stored import empty_database
from tests.lapwing.stored_replay import replayed, reported
from tests.lapwing.stored_replay import stored as stored_as_the_sink_does
from tests.oracle.report import Line

Cell = tuple[int, int, int]
"""Original, kept and lost."""

ORIGINS: Final = ("own sale", "sold elsewhere", "other brand")
KEPT: Final = (1045, 844, 120)
"""52, 42 and 6 % of 2009."""
LOST: Final = (400, 897, 305)
"""25, 56 and 19 % of 1602."""
BASE: Final = (1996, 1615, 517)
ZONE: Final = "Asia/Shanghai"
JULY: Final = Period.parse("2017-07", ZONE)
RATES: Final = (0.135, 0.097, 0.053, 0.025, 0.065, None, 0.0)
"""Of January to July; for one label there was no figure."""
TERMS: Final = Terms({}, {}, {}, 20, Limits(timedelta(days=1), timedelta(days=7)))
SUMS: Final = {
    "orders": 0,
    "spend": 0.0,
    "logins": 0,
    "complaints": 0,
    "answers": 0,
    "satisfaction": 0,
}


def census(month: Period, cells: Mapping[str, Cell], *, first: bool = False) -> list[CensusEvent]:
    """Return the census at the end of a month, of one partition."""
    at, since = month.end_us, None if first else month.begin_us
    found: list[CensusEvent] = []

    def add(by: str, cell: dict[str, str | None], counts: Cell) -> None:
        original, kept, lost = counts
        found.append(
            CensusCell(
                id=f"{at}-{by}-{len(found)}",
                at=at,
                partition=0,
                by=by,
                cell=cell,
                since=since,
                quiet=False,
                original=None if first else original,
                kept=None if first else kept,
                lost=None if first else lost,
                acquired=kept if first else 0,
                returned=0,
                active=kept,
                value_original=None if first else 0.0,
                value_original_n=None if first else 0,
                value_lost=None if first else 0.0,
                value_lost_n=None if first else 0,
                scored=0,
                expected=0.0,
                sums=SUMS,
            )
        )

    total = (0, 0, 0)
    for origin, counts in cells.items():
        add("profile", dict.fromkeys(("customer_class", "segment", "region")) | {"origin": origin}, counts)
        total = (total[0] + counts[0], total[1] + counts[1], total[2] + counts[2])
    add("cohort", {"cohort": "2016-12"}, total)
    add("channel", {"channel": None}, total)
    summary = CensusSummary(f"{at}-s", at, 0, since, False, total[0], total[1], len(found))
    return [*found, summary]


def stored(events: list[CensusEvent]) -> Database:
    database = empty_database()
    put(database, CENSUS, [(census_key(each), encode_census(each, "dealer")) for each in events], STORED)
    return database


def made(database: Database) -> Report:
    known = Knowledge(ZONE, timedelta(days=90), timedelta(days=90))
    return make_report(database, JULY, known, TERMS, wanted=("retention", "trend", "base", "groups"))


def written(report: Report) -> Document:
    return document(report, View.ALL, Words("en", ZONE))


def dealer(originals: tuple[int, int, int]) -> dict[str, Cell]:
    return dict(zip(ORIGINS, zip(originals, KEPT, LOST, strict=True), strict=True))


def test_two_bases_in_one_report_are_a_check_that_fails() -> None:
    """The base of the table, 4128, with the 2009 kept and the 1602 lost of the text."""
    report = made(stored(census(JULY, dealer(BASE))))
    assert "kept + lost = original: 3,611 ≠ 4,128" in report.failed
    found = written(report)
    assert "failed: do not rely on this report" in found.answer[0]
    assert any("3,611 ≠ 4,128" in line for line in found.basis)
    # By origin it is seen where: 1741 customers sold elsewhere were kept or lost, of 1615.
    assert any("1,741 ≠ 1,615" in text for text in report.failed)


def test_the_rate_is_that_of_the_base_that_was_kept_and_lost() -> None:
    """Not the 38.8 % of 4128."""
    originals = tuple(kept + lost for kept, lost in zip(KEPT, LOST, strict=True))
    report = made(stored(census(JULY, dealer((originals[0], originals[1], originals[2])))))
    assert report.failed == ()
    row = written(report).table("retention").rows[0]
    assert row[1:6] == [3611, 2009, 1602, Share(2009, 3611), Share(1602, 3611)]
    assert Share(1602, 3611).value == pytest.approx(0.4436, abs=5e-5)
    assert any("1,602 were lost (44.4%)" in line for line in written(report).answer)


def test_the_share_of_the_lost_is_not_the_rate_within_the_group() -> None:
    report = made(stored(census(JULY, dealer((1445, 1741, 425)))))
    table = written(report).table("origin")
    assert [each.title for each in table.columns[3:]] == ["Share of all the lost", "Rate within the group"]
    rows = {row[0]: row[3:] for row in table.rows}
    assert rows["sold elsewhere"] == [Share(897, 1602), Share(897, 1741)]
    assert [round(100 * n / 1602) for n in LOST] == [25, 56, 19]
    assert sum(share.part for share, _ in rows.values() if isinstance(share, Share)) == 1602


def test_the_base_by_origin_has_each_total_under_its_own_name() -> None:
    report = made(stored(census(JULY, dealer((1445, 1741, 425)))))
    table = written(report).table("base")
    assert table.total is not None
    assert [each.title for each in table.columns[1:4]] == ["Active at the beginning", "Kept", "Lost"]
    assert list(table.total[1:4]) == [3611, 2009, 1602]


def test_seven_months_with_six_figures_have_one_missing_and_an_average_that_says_of_how_many() -> None:
    months = [Period.parse(f"2017-{number:02}", ZONE) for number in range(1, 8)]
    events: list[CensusEvent] = []
    base = 4000
    for place, (month, rate) in enumerate(zip(months, RATES, strict=True)):
        if rate is None:
            continue
        lost = round(base * rate)
        events += census(month, {"own sale": (base, base - lost, lost)}, first=place == 0)
    found = written(made(stored(events)))
    rows = {str(row[0])[:7]: row for row in found.table("trend").rows}
    assert len(rows) == 7
    # The first month holds a backlog and no rate; June is missing; no loss in July is a 0.
    assert (rows["2017-01"][4], rows["2017-06"][4]) == (MISSING, MISSING)
    assert rows["2017-07"][4] == Share(0, 4000)
    assert [rows[f"2017-{n:02}"][4] for n in (2, 3, 4, 5)] == [Share(n, 4000) for n in (388, 212, 100, 260)]
    assert rows["2017-07"][7:] == [Share(260, 8000), 2]
    tile = next(s for s in found.sections if s.key == "trend").tiles[0]
    assert (tile.figure, tile.note) == ("4.8%", "mean of 5 months")
    remarks = next(s for s in found.sections if s.key == "trend").remarks
    assert any("Jun 2017: no census was taken at its end" in remark for remark in remarks)
    assert any("Jan 2017: the first census: a backlog" in remark for remark in remarks)


HALF: Final = "2017-01-01..2017-06-30"
ASKED: Final = {
    "not_reached": 41,
    "will_return": 19,
    "uses_competitor": 17,
    "other_branch": 12,
    "moved_away": 11,
}
"""What came of 100 calls."""
BACK: Final = {"will_return": 12, "not_reached": 5}
"""So many of them ordered again."""
LONG_GONE: Final = 20
RULE: Final = """\
version: 1
rules:
  - {id: never, title: Never, when: orders_total > 999, tier: low, reason: silence, message: never}
"""


def lines_of_the_asked() -> list[Line]:
    """Return who ordered, fell silent, was called and came back, and who was lost long before."""
    found: list[Line] = []

    def add(event: str, customer: str, at: str, **more: Any) -> None:
        about = {"event_id": f"e{len(found)}", "customer_id": customer, "occurred_at": f"{at}T10:00:00+08:00"}
        found.append({"type": event, **about, **more})

    def order(customer: str, at: str) -> None:
        add("order", customer, at, order_id=f"o{len(found)}", amount=100)

    for number in range(LONG_GONE):
        order(f"old{number}", "2016-01-05")
    for result, n in ASKED.items():
        for number in range(n):
            customer = f"{result}{number}"
            order(customer, "2017-01-10")
            reasons = {"moved_away": ["moved_away"], "not_reached": ["not_reached"]}.get(result, [])
            if result == "uses_competitor" and number < 12:
                reasons = ["price_too_high"]
            add("action", customer, "2017-05-10", kind="contact", result=result, reasons=reasons, actor="ann")
            if number < BACK.get(result, 0):
                order(customer, "2017-06-05")
    return found


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, ...]]:
    folder = tmp_path_factory.mktemp("dealer")
    (folder / "never.yaml").write_text(RULE)
    words = ("--rules", str(folder / "never.yaml"), "--horizon", "90d", "--time-zone", ZONE)
    lines = lines_of_the_asked()
    topics = replayed(folder, lines, "2017-07-01T00:00:00+08:00", *words, "--no-model-enabled")
    return stored_as_the_sink_does(folder, lines, topics), words


def test_who_came_back_is_counted_of_those_who_left_and_of_each_step_before(
    asked: tuple[Path, tuple[str, ...]],
) -> None:
    store, words = asked
    parts = reported(store, HALF, *words)["parts"]
    funnel = parts["funnels"]["lapsed"]
    steps = {each["step"]: each for each in funnel["steps"]}
    assert {name: each["n"] for name, each in steps.items()} == {
        "lapsed": 100,
        "contacted": 100,
        "reached": 59,
        "means_to_return": 19,
        "returned": 12,
    }
    back = steps["returned"]
    assert [(back[of]["part"], back[of]["whole"]) for of in ("of_step_before", "of_first")] == [
        (12, 19),
        (12, 100),
    ]
    assert (funnel["beside"]["not_reached"], funnel["beside"]["returned_in_all"]) == (41, 17)
    # Who was lost more than a year before stands apart.
    assert parts["retention"]["lost_longer_ago"]["longer_than_a_year"] == LONG_GONE


def test_a_failed_call_is_a_result_and_no_reason(asked: tuple[Path, tuple[str, ...]]) -> None:
    store, words = asked
    found = reported(store, HALF, *words)["parts"]["reasons"]
    results = {each["result"]: each for each in found["results"]}
    assert {name: each["n"] for name, each in results.items()} == ASKED
    assert found["contacts"] == sum(ASKED.values()) == 100
    assert results["uses_competitor"]["reasons"] == {"price_too_high": 12}
    assert results["moved_away"]["reasons"] == {"moved_away": 11}
    assert (found["lost"], found["known"], found["not_reached"], found["unknown"]) == (100, 23, 41, 36)
    codes = {part["code"] for group in found["groups"] for part in [group, *group["parts"]]}
    assert codes == {"price", "price_too_high", "customer_change", "moved_away"}


@pytest.mark.parametrize(
    ("language", "shown"), [("en", ("not reached", "41 of 100")), ("zh", ("未联系上", "41 / 100"))]
)
def test_readers_see_it_with_its_numbers(
    asked: tuple[Path, tuple[str, ...]], language: str, shown: tuple[str, ...]
) -> None:
    store, words = asked
    given = ["report", "--database", f"sqlite:///{store}", "--period", HALF, "--tables", *words]
    text = CliRunner().invoke(lapwing, [*given, "--language", language], catch_exceptions=False).stdout
    for each in shown:
        assert each in text
