"""Measures against their definitions, written out decision by decision."""

import math
from itertools import product

import numpy as np
import pytest

from streams.quality.measures import BINS, TOP, Bools, Floats, measure, reliability


def case(seed: int, size: int = 60, *, weighted: bool = True) -> tuple[Floats, Bools, Floats]:
    dice = np.random.default_rng(seed)
    p = np.round(dice.random(size), 1 + seed % 3)  # with ties, and exact zeros and ones
    y = dice.random(size) < p * 0.8 + 0.1
    weight = dice.integers(1, 5, size) / 2 if weighted else np.ones(size)
    return p, y, weight


def slow_auc(p: Floats, y: Bools, weight: Floats) -> float:
    won = pairs = 0.0
    for i, j in product(range(len(p)), repeat=2):
        if y[i] and not y[j]:
            pairs += weight[i] * weight[j]
            won += weight[i] * weight[j] * (1.0 if p[i] > p[j] else 0.5 if p[i] == p[j] else 0.0)
    return float(won / pairs)


def slow_average_precision(p: Floats, y: Bools, weight: Floats) -> float:
    total = 0.0
    for i in range(len(p)):
        if y[i]:
            above = [j for j in range(len(p)) if p[j] >= p[i]]
            hits = sum(weight[j] for j in above if y[j])
            total += weight[i] * hits / sum(weight[j] for j in above)
    return total / float(sum(w for w, churned in zip(weight, y, strict=True) if churned))


def slow_lift(p: Floats, y: Bools, weight: Floats) -> float:
    room, found = TOP * sum(weight), 0.0
    for value in sorted(set(p.tolist()), reverse=True):
        tied = [i for i in range(len(p)) if p[i] == value]
        size = sum(weight[i] for i in tied)
        taken = min(room, size)
        found += taken / size * sum(weight[i] for i in tied if y[i])
        room -= taken
    return found / (TOP * sum(weight)) / float(sum(weight[y]) / sum(weight))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_every_measure_is_its_definition(seed: int, weighted: bool) -> None:
    p, y, weight = case(seed, weighted=weighted)
    found = measure(p, y, weight)
    total = sum(weight)
    rate = sum(w for w, churned in zip(weight, y, strict=True) if churned) / total
    losses = [
        -w * math.log(q if churned else 1 - q)
        for q, churned, w in zip(np.clip(p, 1e-15, 1 - 1e-15), y, weight, strict=True)
    ]
    squares = [w * (q - churned) ** 2 for q, churned, w in zip(p, y, weight, strict=True)]
    assert (found.n, found.churned, found.weight) == (len(p), int(sum(y)), total)
    assert found.base_rate == pytest.approx(rate)
    assert found.mean_probability == pytest.approx(sum(p * weight) / total)
    assert found.auc == pytest.approx(slow_auc(p, y, weight))
    assert found.average_precision == pytest.approx(slow_average_precision(p, y, weight))
    assert found.lift == pytest.approx(slow_lift(p, y, weight))
    assert found.log_loss == pytest.approx(sum(losses) / total, rel=1e-9)
    assert found.base_log_loss == pytest.approx(-rate * math.log(rate) - (1 - rate) * math.log(1 - rate))
    assert found.brier == pytest.approx(sum(squares) / total)


@pytest.mark.parametrize("seed", range(4))
def test_bins_hold_equally_many_and_give_the_calibration_error(seed: int) -> None:
    p, y, weight = case(seed, size=57)
    bins = reliability(p, y, weight)
    ordered = sorted(range(len(p)), key=lambda i: (p[i], i))
    begin, off = 0, 0.0
    for place, each in enumerate(bins):
        size = len(p) // BINS + (place < len(p) % BINS)
        rows = ordered[begin : begin + size]
        begin += size
        of = sum(weight[rows])
        assert each.n == size
        assert (each.low, each.high) == (p[rows[0]], p[rows[-1]])
        assert each.churned == sum(y[rows])
        assert each.rate == pytest.approx(sum(weight[i] for i in rows if y[i]) / of)
        assert each.mean_probability == pytest.approx(sum(weight[i] * p[i] for i in rows) / of)
        off += of * abs(each.mean_probability - each.rate)
    assert begin == len(p)
    assert measure(p, y, weight).calibration_error == pytest.approx(off / sum(weight))


def test_a_weight_of_two_is_the_same_decision_twice() -> None:
    p, y, _ = case(3)
    weight = np.ones(len(p))
    weight[:20] = 2.0
    once = measure(p, y, weight)
    twice = measure(np.concatenate([p, p[:20]]), np.concatenate([y, y[:20]]), np.ones(len(p) + 20))
    for name in ("auc", "average_precision", "lift", "log_loss", "brier", "base_rate"):
        assert getattr(once, name) == pytest.approx(getattr(twice, name)), name


@pytest.mark.parametrize("churned", [False, True])
def test_what_needs_both_outcomes_is_unknown_without(churned: bool) -> None:
    found = measure(np.array([0.2, 0.4]), np.array([churned, churned]), np.ones(2))
    assert found.auc is None
    assert (found.average_precision is None) is not churned
    assert found.brier is not None
    nothing = measure(np.empty(0), np.empty(0, dtype=np.bool_), np.empty(0))
    assert (nothing.n, nothing.base_rate, nothing.auc, nothing.log_loss) == (0, None, None, None)
