"""The whole report as a document: what comes first, what a view shows, and a check that failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.reports.knowledge import Knowledge
from consumers.reports.pages.whole import MOST_TILES, SECTIONS, TITLES, document
from consumers.reports.period import Period
from consumers.reports.report import MAKERS, Part, Report
from consumers.reports.views import PARTS, SEEN, View
from consumers.reports.words import Words
from tests.consumers.reports.pages.test_forecast import made

MONTH = timedelta(days=30)
APRIL = Period.parse("2024-04", "UTC")
OVER = datetime(2024, 5, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Broken:
    """A part whose figures contradict each other."""

    failed: tuple[str, ...] = ("kept + lost = original",)
    figures: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return self.figures


def report(known_to: datetime | None = OVER, as_of: datetime | None = None, **parts: Part) -> Report:
    known = Knowledge("UTC", MONTH, MONTH, as_of=as_of)
    return Report(APRIL, known, known_to, {"forecast": made(9), **parts})


def test_there_is_a_section_for_parts_only_and_a_title_for_every_view() -> None:
    assert SECTIONS.keys() == MAKERS.keys() == set(PARTS)
    assert TITLES.keys() == set(View)


@pytest.mark.parametrize("view", list(View))
def test_a_view_shows_its_parts_in_its_order(view: View) -> None:
    found = document(report(), view, Words())
    assert [section.key for section in found.sections] == (["forecast"] if "forecast" in SEEN[view] else [])
    assert len(found.tiles) <= MOST_TILES
    assert {tile.section for tile in found.tiles} <= {section.key for section in found.sections}
    assert bool(found.tiles) == bool(found.sections)


def test_the_answer_has_the_forecast_in_both_languages() -> None:
    [english] = document(report(), View.ALL, Words()).answer
    assert english == (
        "Of 1,000 customers who were active on 27 Oct 2024, 200 are expected to leave within 30 days; going "
        "by how past forecasts came out, it is 179 to 245 in 95 of 100."
    )
    [chinese] = document(report(), View.ALL, Words("zh")).answer
    assert chinese == (
        "2024年10月27日的 1,000 位活跃客户中，预计 30 天内流失 200 位；"
        "按以往预测的结果，100 次中有 95 次会是 179 至 245 位。"
    )


@pytest.mark.parametrize(
    ("known_to", "as_of", "says"),
    [
        (None, None, "Nothing is known yet of what became of customers."),
        (datetime(2024, 4, 20, tzinfo=UTC), None, "the period has not ended by then"),
        (OVER, None, "What became of customers is known up to 2 May 2024, 00:00."),
        (OVER, OVER, "Made from what was stored by 2 May 2024, 00:00."),
        (OVER, None, "Made from all that is stored."),
    ],
)
def test_it_says_what_it_is_made_from(known_to: datetime | None, as_of: datetime | None, says: str) -> None:
    assert any(says in line for line in document(report(known_to, as_of), View.ALL, Words()).basis)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_check_that_failed_is_read_before_everything(language: str) -> None:
    found = document(report(check=Broken()), View.ALL, Words(language))
    first = {"en": "1 check of the figures failed", "zh": "有 1 项数据核对未通过"}[language]
    assert found.answer[0].startswith(first)
    assert {"en": "kept + lost = original", "zh": "留存 + 流失 = 期初客户"}[language] in found.basis[-1]


def test_a_period_that_lies_ahead_has_no_figures_on_the_cover_and_one_that_goes_on_says_so() -> None:
    for known_to in (None, APRIL.begin_at):
        ahead = document(report(known_to), View.ALL, Words())
        assert ahead.answer == ["Nothing is known of this period yet."]
        assert ahead.tiles == ()
    going_on = document(report(datetime(2024, 4, 20, tzinfo=UTC)), View.ALL, Words())
    assert going_on.answer[0] == "This period is not over for the database: its figures are not final."
    assert going_on.tiles
    assert "not over" not in " ".join(document(report(), View.ALL, Words()).answer)


def test_a_check_with_its_figures_is_read_in_the_language() -> None:
    failed = Broken(("kept + lost = original: 58 ≠ 51",))
    found = document(report(another=failed), View.ALL, Words("zh"))
    assert "留存 + 流失 = 期初客户: 58 ≠ 51" in found.basis[-1]
