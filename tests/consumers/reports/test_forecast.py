from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]  # ships no type hints

from consumers.reports.forecast import (
    MIN_MATURED,
    Expectation,
    Fact,
    ForecastFacts,
    MaturedCensus,
    forecast,
    interval,
)

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30)


def logit(share: float) -> float:
    return math.log(share / (1 - share))


def census(
    number: int, churned: int, expected: float, horizon: timedelta, active: int = 1_000
) -> MaturedCensus:
    at = BEGIN + number * MONTH
    fact = Fact(Expectation(active, active, expected), churned)
    treated = Fact(Expectation(active // 2, active // 2, expected / 2), churned // 2 + 10)
    return MaturedCensus(at, at + horizon, fact, treated)


def facts(censuses: list[MaturedCensus], now: int, expected: float = 200.0) -> ForecastFacts:
    return ForecastFacts(BEGIN + now * MONTH, Expectation(1_000, 1_000, expected), tuple(censuses))


def test_without_overlap_it_is_students_prediction_interval() -> None:
    errors = [0.1, -0.2, 0.3, 0.05, -0.12, 0.2, 0.0]
    found = interval(0.3, [(BEGIN + i * MONTH, e) for i, e in enumerate(errors)], MONTH)
    assert found is not None
    n, mean, s = len(errors), float(np.mean(errors)), float(np.std(errors, ddof=1))
    half = stats.t.ppf(0.975, n - 1) * s * math.sqrt(1 + 1 / n)
    assert logit(found.low) == pytest.approx(logit(0.3) + mean - half)
    assert logit(found.middle) == pytest.approx(logit(0.3) + mean)
    assert logit(found.high) == pytest.approx(logit(0.3) + mean + half)


@pytest.mark.parametrize(("months", "n"), [(1, 6), (2, 8), (3, 6), (3, 12), (6, 12)])
def test_it_covers_at_its_rate_where_censuses_see_the_same_weeks(months: int, n: int) -> None:
    chance = np.random.default_rng(months * 100 + n)
    times = [BEGIN + i * MONTH for i in range(n)]
    shocks = chance.normal(0, 0.3, (1_500, n + 2 * months))
    errors = np.stack([shocks[:, i : i + months].mean(axis=1) for i in range(n + months)], axis=1)
    held = 0
    for row in errors.tolist():
        found = interval(0.2, list(zip(times, row, strict=False)), months * MONTH)
        assert found is not None
        # The newest census that has matured by then shares no week with the one that is forecast.
        held += logit(found.low) <= logit(0.2) + row[n - 1 + months] <= logit(found.high)
    assert 0.93 <= held / len(errors) <= 0.995


def test_the_variance_is_that_of_the_slow_twin() -> None:
    horizon = timedelta(days=75)
    errors = [(BEGIN + i * MONTH, e) for i, e in enumerate((0.3, 0.25, 0.1, -0.1, 0.0, 0.2, 0.35, 0.1))]
    found = interval(0.4, errors, horizon)
    assert found is not None
    n = len(errors)
    common = [[max(0.0, 1 - abs((a - b) / horizon)) for b, _ in errors] for a, _ in errors]
    row_means = [sum(row) / n for row in common]
    mean_of_all = sum(row_means) / n
    # M C with M = I - 11'/n takes from each entry the mean of its column, which is that of its row.
    m = [[common[i][j] - row_means[j] for j in range(n)] for i in range(n)]
    trace = sum(m[i][i] for i in range(n))
    freedom = trace**2 / sum(m[i][j] * m[j][i] for i in range(n) for j in range(n))
    mean = sum(e for _, e in errors) / n
    variance = sum((e - mean) ** 2 for _, e in errors) / trace
    half = stats.t.ppf(0.975, freedom) * math.sqrt(variance * (1 + mean_of_all))
    assert logit(found.high) - logit(found.middle) == pytest.approx(half)
    assert logit(found.middle) - logit(0.4) == pytest.approx(mean)


def test_a_forecast_learns_from_what_had_matured_by_then_only() -> None:
    horizon = 2 * MONTH
    given = [census(i, 150 + 7 * i, 200.0, horizon) for i in range(12)]
    made = forecast(facts(given, now=11), horizon)
    assert made.all is not None
    # At month 11 those of months 0 to 9 have matured.
    assert made.all.learnt_from == 10
    assert [each.prediction.learnt_from for each in made.past] == [0, 0, *range(1, 10)]
    alone = forecast(facts(given[:10], now=11), horizon)
    assert alone.all == made.all
    # Its own outcome is known since, and no part of what it was made from.
    assert made.outcome == given[11].all
    assert alone.outcome is None


def test_below_six_matured_there_is_no_interval_and_it_says_how_many_are_missing() -> None:
    made = forecast(facts([census(i, 200, 180.0, MONTH) for i in range(MIN_MATURED - 1)], now=9), MONTH)
    assert made.all is not None
    assert made.all.interval is None
    assert made.all.leaves is None
    assert made.missing == 1
    assert made.coverage.whole == 0
    assert made.as_dict()["all"]["expected"] == 200.0


def test_a_bias_of_the_past_moves_the_middle_and_not_the_expectation() -> None:
    given = [
        census(i, churned, 200.0, MONTH) for i, churned in enumerate((295, 300, 305, 298, 302, 299, 301))
    ]
    made = forecast(facts(given, now=8), MONTH)
    assert made.all is not None
    assert made.all.interval is not None
    assert made.all.before.expected == 200.0
    assert made.all.interval.middle == pytest.approx(0.3, abs=0.003)
    assert made.all.interval.low > 0.28
    assert made.untreated is not None
    assert made.untreated.interval is not None
    assert made.untreated.interval.middle > made.all.interval.middle


def test_coverage_counts_the_past_forecasts_that_had_an_interval() -> None:
    churned = [*[200, 210, 190, 205, 195, 202], 200, 600, 198]
    made = forecast(facts([census(i, c, 200.0, MONTH) for i, c in enumerate(churned)], now=10), MONTH)
    judged = [each.is_covered for each in made.past]
    assert judged == [None] * 6 + [True, False, True]
    assert (made.coverage.part, made.coverage.whole) == (2, 3)


def test_no_census_is_no_forecast() -> None:
    made = forecast(ForecastFacts(None, None, ()), MONTH)
    assert made.all is None
    assert made.past == ()
    assert made.as_dict()["all"] is None


@pytest.mark.parametrize("churned", [0, 1_000])
def test_where_nobody_or_everybody_left_the_error_is_finite(churned: int) -> None:
    error = census(0, churned, 200.0, MONTH).all.error
    assert error is not None
    assert math.isfinite(error)


def test_more_past_makes_it_narrower() -> None:
    chance = np.random.default_rng(3)
    churned = chance.normal(200, 15, 40).astype(int).tolist()
    widths = []
    for n in (6, 12, 24, 40):
        made = forecast(facts([census(i, c, 200.0, MONTH) for i, c in enumerate(churned[:n])], now=50), MONTH)
        assert made.all is not None
        assert made.all.interval is not None
        widths.append(made.all.interval.high - made.all.interval.low)
    assert all(before > after for before, after in pairwise(widths[::3]))
