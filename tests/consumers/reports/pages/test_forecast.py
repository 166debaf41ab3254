from __future__ import annotations

import pytest

from consumers.reports.document import MISSING, NOT_ENOUGH, Estimate, Section
from consumers.reports.forecast import Forecast, ForecastFacts, forecast
from consumers.reports.pages.forecast import section
from consumers.reports.words import Words
from tests.consumers.reports.test_forecast import MONTH, census, facts


def made(count: int) -> Forecast:
    return forecast(facts([census(i, 190 + 5 * i, 200.0, MONTH) for i in range(count)], now=count + 1), MONTH)


def tables(found: Section) -> dict[str, list[list[object]]]:
    return {table.key: [list(row) for row in table.rows] for table in found.tables}


def test_the_tables_have_the_figures_of_the_forecast() -> None:
    part = made(9)
    found = tables(section(part, Words()))
    assert part.all is not None
    assert part.all.interval is not None
    first = found["forecast"][0]
    estimate = Estimate(part.all.interval.middle, part.all.interval.low, part.all.interval.high)
    assert first[1:] == [1_000, 1_000, 200.0, 0.2, estimate, 9]
    past = found["past_forecasts"]
    assert len(past) == 9
    assert [row[4] is NOT_ENOUGH for row in past] == [True] * 6 + [False] * 3
    assert [row[5] for row in past] == [each.fact.share for each in part.past]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_plot_shows_every_census(language: str) -> None:
    found = section(made(9), Words(language))
    drawn = found.plots[0].draw(600)
    assert drawn.count("<circle") == 9 + 9 + 3


def test_too_few_censuses_are_said_and_no_interval_is_shown() -> None:
    found = section(made(4), Words())
    assert tables(found)["forecast"][0][5] is NOT_ENOUGH
    assert "2 more censuses have to mature, 6 are needed" in found.remarks[0]
    assert "还需 2 次普查到期" in section(made(4), Words("zh")).remarks[0]


def test_a_store_without_a_census_says_so() -> None:
    found = section(forecast(ForecastFacts(None, None, ()), MONTH), Words())
    assert tables(found) == {"forecast": []}
    assert found.tiles == []
    assert "no complete census yet" in found.remarks[0]


def test_nobody_scored_is_missing_and_not_zero() -> None:
    part = forecast(facts([], now=3), MONTH)
    assert part.all is not None
    bare = forecast(
        ForecastFacts(part.now, type(part.all.before)(active=10, scored=0, expected=0.0), ()), MONTH
    )
    found = section(bare, Words())
    assert tables(found)["forecast"][0][4] is MISSING
    assert "10 active customers have no probability" in found.remarks[1]
