import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from river import metrics as river_metrics

from streams.core.model.prequential import Prequential

metrics: Any = river_metrics
"""River's metrics carry no annotations."""

pairs = st.lists(
    st.tuples(st.integers(1, 999).map(lambda n: n / 1000), st.booleans()), min_size=1, max_size=60
)


def prequential_of(p: list[float], y: list[bool]) -> Prequential:
    prequential = Prequential()
    prequential.add(np.array(p, dtype=np.float64), np.array(y, dtype=np.bool_))
    return prequential


def drawn(n: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    p = rng.beta(2, 3, n)
    return p, rng.random(n) < p


@given(pairs)
def test_auc_is_that_of_all_pairs(samples: list[tuple[float, bool]]) -> None:
    lost = [p for p, y in samples if y]
    kept = [p for p, y in samples if not y]
    auc = prequential_of([p for p, _ in samples], [y for _, y in samples]).auc()
    if not lost or not kept:
        assert auc is None
        return

    def logit(p: float) -> float:
        return math.log(p / (1 - p))

    near = sum(0 < abs(logit(a) - logit(b)) <= 1 / 40 for a in lost for b in kept)
    exact = sum((a > b) + (a == b) / 2 for a in lost for b in kept)
    assert auc == pytest.approx(exact / len(lost) / len(kept), abs=near / 2 / len(lost) / len(kept) + 1e-12)


@given(pairs)
def test_log_loss_is_rivers(samples: list[tuple[float, bool]]) -> None:
    reference = metrics.LogLoss()
    for p, y in samples:
        reference.update(y, p)
    loss = prequential_of([p for p, _ in samples], [y for _, y in samples]).log_loss()
    assert loss == pytest.approx(reference.get(), rel=1e-9)


def test_auc_agrees_with_river_on_a_large_sample() -> None:
    p, y = drawn(5000)
    reference = metrics.ROCAUC(n_thresholds=200)
    for given_, churned in zip(p.tolist(), y.tolist(), strict=True):
        reference.update(churned, given_)
    assert prequential_of(p.tolist(), y.tolist()).auc() == pytest.approx(reference.get(), abs=2e-3)


def test_base_log_loss_is_that_of_the_base_rate() -> None:
    prequential = prequential_of([0.3, 0.2, 0.9, 0.4], [True, False, False, False])
    expected = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert prequential.base_log_loss() == pytest.approx(expected)
    assert prequential_of([0.3], [True]).base_log_loss() == 0


def test_what_was_given_without_a_probability_is_not_judged() -> None:
    with_missing = prequential_of([0.3, math.nan, 0.8], [True, True, False])
    assert with_missing.state() == prequential_of([0.3, 0.8], [True, False]).state()


@given(pairs, st.integers(0, 100))
def test_a_weight_counts_a_sample_as_often(samples: list[tuple[float, bool]], seed: int) -> None:
    weight = np.random.default_rng(seed).integers(1, 5, len(samples))
    p, y = np.array([p for p, _ in samples]), np.array([y for _, y in samples])
    weighted = Prequential()
    weighted.add(p, y, weight.astype(np.float64))
    repeated = prequential_of(np.repeat(p, weight).tolist(), np.repeat(y, weight).tolist())
    assert len(weighted) == len(samples)
    one, other = weighted.summary(), repeated.summary()
    assert one.pop("samples") == len(samples)
    assert other.pop("samples") == weight.sum()
    reliability, expected = one.pop("reliability"), other.pop("reliability")
    assert one == pytest.approx(other)
    assert [pytest.approx(each) for each in expected] == reliability


def test_reliability_by_decile() -> None:
    summary = prequential_of([0.11, 0.19, 0.95, 1.0, 0.0], [False, True, True, True, False]).summary()
    assert summary["samples"] == 5
    assert summary["churned"] == 3
    assert [(r["from"], r["samples"], r["churned"]) for r in summary["reliability"]] == [
        (0.0, 1, 0),
        (0.1, 2, 1),
        (0.9, 2, 2),
    ]
    assert summary["reliability"][1]["mean_probability"] == pytest.approx(0.15)
    # Distances: 0; |0.30 - 1|; |1.95 - 2|; each a sum over its decile.
    assert summary["calibration_error"] == pytest.approx((0.70 + 0.05) / 5)


def test_certainty_costs_much_and_not_infinity() -> None:
    loss = prequential_of([0.0], [True]).log_loss()
    assert loss == pytest.approx(-math.log(1e-15))


def test_nothing_seen_says_nothing() -> None:
    summary = Prequential().summary()
    assert summary["samples"] == 0
    assert summary["reliability"] == []
    for name in ("base_rate", "mean_probability", "auc", "log_loss", "base_log_loss", "calibration_error"):
        assert summary[name] is None


@given(pairs, st.integers(0, 60))
def test_a_restored_state_goes_on_bit_for_bit(samples: list[tuple[float, bool]], cut: int) -> None:
    p, y = [p for p, _ in samples], [y for _, y in samples]
    whole = prequential_of(p[:cut], y[:cut])
    restored = Prequential()
    restored.restore(json.loads(json.dumps(whole.state())))
    for one in (whole, restored):
        one.add(np.array(p[cut:]), np.array(y[cut:], dtype=np.bool_))
    assert restored.state() == whole.state()
    assert restored.summary() == whole.summary()
