"""The first online model in a shop whose law is known: near what is possible, calibrated, and hard to spoil.

`best` is what the true probabilities themselves would score on the same decisions.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from streams.core.model.logistic import KNOTS
from tests.quality.scenario import Columns, Outcome, recency_and_complaints, run


@cache
def plain() -> Outcome:
    return run()


def measures(outcome: Outcome) -> tuple[float, float, float, float]:
    """Return AUC, log loss, the base rate's log loss and the calibration error."""
    quality = outcome.quality
    values = (quality.auc(), quality.log_loss(), quality.base_log_loss(), quality.calibration_error())
    found = [v for v in values if v is not None]
    assert len(found) == 4
    return found[0], found[1], found[2], found[3]


def best_log_loss(outcome: Outcome) -> float:
    loss = outcome.best.log_loss()
    assert loss is not None
    return loss


def test_it_ranks_and_rates_nearly_as_well_as_the_law_itself() -> None:
    auc, log_loss, base, calibration_error = measures(plain())
    assert len(plain().quality) > 10_000
    assert auc > 0.81
    assert log_loss < 0.8 * base
    assert log_loss - best_log_loss(plain()) < 0.01
    assert calibration_error < 0.02


def test_it_names_the_causes_that_the_law_knows() -> None:
    model = plain().model
    rises = {i.feature: w[KNOTS // 2] - w[0] for i, w in zip(model.inputs, model.weight, strict=True)}
    strongest = sorted(rises, key=lambda name: -rises[name])[:5]
    assert {"overdue", "days_since_order", "complaints_90d", "complaint_rate_90d"} <= set(strongest)


def test_every_probability_given_is_judged_once_its_outcome_is_known() -> None:
    outcome = plain()
    assert outcome.learner.churned + outcome.learner.kept > len(outcome.quality)
    horizon_share = outcome.given - len(outcome.quality)
    assert 0 < horizon_share < 0.1 * outcome.given


def test_without_a_signal_it_claims_none() -> None:
    outcome = run(lambda columns, _day: np.full(len(columns["overdue"]), -1.2))
    auc, log_loss, base, calibration_error = measures(outcome)
    summary = outcome.quality.summary()
    assert 0.47 < auc < 0.53
    # What 370 weights find in chance: 0.0046 to 0.0054 and 0.020 to 0.026 with three seeds.
    assert log_loss < base + 0.006
    assert calibration_error < 0.03
    assert abs(summary["mean_probability"] - summary["base_rate"]) < 0.01


def test_with_most_values_missing_it_still_ranks_and_stays_calibrated() -> None:
    def hide(columns: Columns, rng: np.random.Generator) -> None:
        for column in columns.values():
            column[rng.random(len(column)) < 0.6] = np.nan

    auc, log_loss, base, calibration_error = measures(run(spoil=hide))
    assert auc > 0.70
    assert log_loss < 0.9 * base
    assert calibration_error < 0.02


def test_planted_nonsense_never_poisons_it() -> None:
    def plant(columns: Columns, rng: np.random.Generator) -> None:
        for column in columns.values():
            lot: NDArray[np.float64] = rng.random(len(column))
            column[lot < 0.004] = np.nan
            column[(lot >= 0.004) & (lot < 0.006)] = np.inf
            column[(lot >= 0.006) & (lot < 0.008)] = -np.inf
            column[(lot >= 0.008) & (lot < 0.0085)] = 1e300

    outcome = run(spoil=plant)
    auc, log_loss, base, calibration_error = measures(outcome)
    assert len(outcome.quality) > 10_000
    assert auc > 0.79
    assert log_loss < 0.8 * base
    assert calibration_error < 0.02
    model = outcome.model
    assert np.isfinite([*model.weight.ravel(), model.bias]).all()


def test_where_few_leave_it_does_not_cry_wolf() -> None:
    outcome = run(lambda columns, day: recency_and_complaints(columns, day) - 2.5, days=400)
    auc, log_loss, base, calibration_error = measures(outcome)
    summary = outcome.quality.summary()
    assert summary["base_rate"] < 0.05
    assert abs(summary["mean_probability"] - summary["base_rate"]) < 0.01
    assert auc > 0.84
    assert log_loss - best_log_loss(outcome) < 0.01
    assert log_loss < 0.8 * base
    assert calibration_error < 0.01


def test_it_follows_a_business_that_changes() -> None:
    outcome = run(
        lambda columns, day: recency_and_complaints(columns, day) + (1.2 if day > 150 else 0.0),
        days=380,
        judge_from=260,
    )
    auc, log_loss, _, calibration_error = measures(outcome)
    assert auc > 0.79
    # The base rate rose from 0.23 to 0.41, and what is learned again is older: the mean is 0.07 to 0.08 too
    # low with three seeds. In the engine the level follows (`test_it_follows_the_forecast_that_sees_today`).
    assert log_loss - best_log_loss(outcome) < 0.025
    assert calibration_error < 0.085


def test_a_small_shop_gets_probabilities_worth_having() -> None:
    auc, log_loss, base, calibration_error = measures(run(customers=300))
    assert auc > 0.77
    assert log_loss < 0.85 * base
    assert calibration_error < 0.04
