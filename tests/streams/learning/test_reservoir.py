from __future__ import annotations

import numpy as np

from streams.core.model.logistic import INPUTS
from streams.learning.hats import Hats
from streams.learning.reservoir import Reservoir


def test_the_reservoir_is_uniform_while_it_remembers_and_bounded() -> None:
    counts = np.zeros(1000)
    for seed in range(60):
        reservoir, dice = Reservoir(1, 100, 10), np.random.default_rng(seed)
        x = np.arange(1000, dtype=np.float32)[:, np.newaxis]
        for start in range(0, 1000, 70):
            reservoir.put(
                x[start : start + 70],
                np.zeros(len(x[start : start + 70]), dtype=np.bool_),
                np.ones(len(x[start : start + 70])),
                dice,
                Hats.of(x[start : start + 70], INPUTS[:1]),
            )
        assert len(reservoir) == 100
        counts[reservoir.x[:, 0].astype(int)] += 1
    assert counts.sum() == 6000
    halves = counts[:500].sum(), counts[500:].sum()
    assert abs(halves[0] - halves[1]) < 400


def test_the_reservoir_forgets_what_is_old() -> None:
    reservoir, dice = Reservoir(1, 100, 2), np.random.default_rng(1)
    for value in range(20):
        x = np.full((100, 1), value, dtype=np.float32)
        reservoir.put(x, np.zeros(100, dtype=np.bool_), np.ones(100), dice, Hats.of(x, INPUTS[:1]))
    assert (reservoir.x[:, 0] < 10).sum() < 5
