from __future__ import annotations

import pytest

from consumers.reports.document import MISSING, NOT_ENOUGH, Section
from consumers.reports.movement import Flows, MovementFacts, movement
from consumers.reports.pages.movement import section
from consumers.reports.words import Words
from streams.share import Share
from tests.consumers.reports.test_movement import month

LOST = [10, 30, 20, 40, 15, 35, 25, 45, 12, 33]


def made(lost: list[int], language: str = "en", opposite: bool = False) -> Section:
    months = tuple(month(number, each) for number, each in enumerate(lost))
    flows = tuple(Flows(complaints=100 - each if opposite else each, answers=0) for each in lost)
    return section(movement(MovementFacts(months, flows)), Words(language))


def test_it_says_what_moved_with_the_rate_and_what_against_it() -> None:
    assert list(made(LOST).tables[0].rows[0])[1:] == [Share(9, 9), "moved with it"]
    assert list(made(LOST, opposite=True).tables[0].rows[0])[1:] == [Share(0, 9), "moved against it"]


def test_what_was_never_rated_is_missing() -> None:
    by_month = made(LOST).tables[1]
    satisfaction = [column.key for column in by_month.columns].index("satisfaction")
    assert {row[satisfaction] for row in by_month.rows} == {MISSING}
    assert [row[1] for row in by_month.rows] == [Share(each, 1_000) for each in LOST]


def test_a_few_months_say_nothing() -> None:
    found = made(LOST[:4])
    assert list(found.tables[0].rows[0])[2] is NOT_ENOUGH
    assert found.remarks == ["Nothing is said below 8 changes from month to month."]
    assert made(LOST[:2]).plots == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_series_has_a_line_on_the_same_months(language: str) -> None:
    found = made(LOST, language)
    # Satisfaction is not known of any month, offers, orders and logins are 0.
    assert [plot.draw(600).count("<circle") for plot in found.plots] == [10] * 5
