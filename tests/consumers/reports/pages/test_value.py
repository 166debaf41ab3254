from __future__ import annotations

import pytest

from consumers.reports.document import MISSING, Section
from consumers.reports.forecast import ForecastFacts, forecast
from consumers.reports.losses import Loss
from consumers.reports.open_warnings import OpenWarnings
from consumers.reports.pages.value import section
from consumers.reports.period import Period
from consumers.reports.value import ValueFacts, value_figures
from consumers.reports.words import Words
from tests.consumers.reports.test_forecast import MONTH, census, facts
from tests.consumers.reports.test_movement import month

PERIOD = Period.parse("2024-03", "UTC")


def loss(number: int, value: float | None, kind: str = "churn.customer.lapsed") -> Loss:
    return Loss(
        customer_id=f"c{number}",
        at=0,
        type=kind,
        customer_class=None,
        segment=None,
        region=None,
        origin=None,
        value=value,
        holdout=False,
        warned_id=None,
        warned_at=None,
        warned_tier=None,
        lead_days=None,
        reason=None,
    )


def made(**changes: object) -> Section:
    given = {
        "losses": (loss(1, 120.0), loss(2, None), loss(3, None, "churn.customer.closed")),
        "open": (
            OpenWarnings("high", 1, 100.0, 1),
            OpenWarnings("low", 1, 0.0, 0),
        ),
        "months": (month(0, 30),),
        "forecast": forecast(facts([census(i, 200, 200.0, MONTH) for i in range(8)], now=10), MONTH),
    }
    return section(value_figures(ValueFacts(**{**given, **changes}), PERIOD), Words(currency="EUR"))  # type: ignore[arg-type]


def test_a_closure_and_an_unknown_value_are_missing_and_no_zero() -> None:
    found = made()
    lapsed, closed = found.tables[0].rows[:2]
    assert list(lapsed)[1:] == [2, 1, 120.0, 120.0]
    assert list(closed)[1:] == [1, 0, MISSING, MISSING]
    assert "A closure does not know" in found.remarks[0]


def test_open_warnings_stand_by_tier_with_their_total() -> None:
    table = made().tables[1]
    assert [list(row) for row in table.rows] == [
        ["high", 1, 1, 100.0],
        ["medium", 0, 0, MISSING],
        ["low", 1, 0, MISSING],
    ]
    assert table.total is not None
    assert list(table.total) == ["All", 2, 1, 100.0]
    assert made().definitions[0].exclusions == [("open warnings without value or probability", 1)]


def test_without_a_forecast_or_a_value_of_the_lost_there_is_no_tile_of_what_leaves() -> None:
    assert len(made().tiles) == 2
    bare = made(forecast=forecast(ForecastFacts(None, None, ()), MONTH), months=(), losses=(), open=())
    assert len(bare.tiles) == 2
    assert len(bare.tables[0].rows) == 4


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_is_written_in_each_language(language: str) -> None:
    figures = value_figures(ValueFacts((), (), (month(0, 30),), forecast(facts([], now=3), MONTH)), PERIOD)
    found = section(figures, Words(language))
    assert found.title == {"en": "Value lost and at risk", "zh": "流失与风险价值"}[language]
