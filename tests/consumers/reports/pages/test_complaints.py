from __future__ import annotations

import pytest

from consumers.reports.complaints import Complaints, Limits, complaints, read_complaints
from consumers.reports.document import HIDDEN, MISSING
from consumers.reports.pages.complaints import section
from consumers.reports.period import Period
from consumers.reports.words import Words
from tests.consumers.reports.pages.shown import is_shown, rows, table
from tests.consumers.reports.test_complaints import KNOWLEDGE, LIMITS, events, stored
from tests.consumers.stored import empty_database

PERIOD = Period.parse("2025", "UTC")


def made(limits: Limits = LIMITS, count: int = 400) -> Complaints:
    database = empty_database()
    stored(events(1, count), database)
    with database.reading() as connection:
        return complaints(read_complaints(connection, PERIOD, KNOWLEDGE), PERIOD, limits)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tables_have_the_figures_of_each_category(language: str) -> None:
    part = made()
    found = section(part, Words(language))
    total = table(found, "complaints").total
    assert total is not None
    shown = [*(each for each, _ in part.categories), part.all]
    for row, each in zip([*rows(found, "complaints"), list(total)], shown, strict=True):
        assert row[1:5] == [each.n, each.answer.days.count, each.answer.days.median, each.answer.late]
        assert row[6:9] == [each.solution.days.median, each.solution.late, each.solution.open]
    ratings = table(found, "complaint_ratings").total
    assert ratings is not None
    assert list(ratings)[1:] == [part.all.rated, part.all.satisfied, part.all.satisfaction]
    assert found.definitions[0].exclusions[0][1] == part.all.answer.not_due
    is_shown(found, language)


def test_without_limits_nothing_is_late_and_that_is_said() -> None:
    found = section(made(Limits(None, None)), Words())
    assert all(row[4] is MISSING and row[7] is MISSING for row in rows(found, "complaints"))
    assert "No limits are set, so nothing counts as too late." in found.remarks
    assert found.plots == []


def test_a_small_category_is_hidden() -> None:
    found = section(made(count=9), Words())
    assert any(row[1:] == [HIDDEN] * 9 for row in rows(found, "complaints"))
    is_shown(found, "en")
