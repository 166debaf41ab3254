"""Who is champion: by log loss over weeks, with a margin, and not by chance."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.core.model.logistic import sigmoid
from streams.learning.candidates import LEAST_WEEKS, MARGIN, WEEK, Contest, Promotion, settings_of_candidates
from streams.learning.learner import LearnerSettings

NAMES = ("first", "second", "third")
ONES = np.ones(300)


def week_of(
    rng: np.random.Generator, errors: tuple[float, ...]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the log odds of candidates that are off by noise of so many log odds, and the outcomes."""
    true = rng.normal(-0.5, 1.5, 300)
    logits = np.array([true + rng.normal(0, error, 300) if error else true for error in errors])
    return logits, rng.random(300) < sigmoid(true)


def run(weeks: int, errors: tuple[float, ...], seed: int, contest: Contest | None = None) -> list[Promotion]:
    contest = contest or Contest(NAMES)
    rng = np.random.default_rng(seed)
    made = [contest.judge(number * WEEK, *week_of(rng, errors)[:2], weight=ONES) for number in range(weeks)]
    return [each for each in made if each is not None]


@pytest.mark.parametrize("seed", range(10))
def test_a_better_challenger_is_promoted_once(seed: int) -> None:
    contest = Contest(NAMES)
    (made,) = run(40, (1.2, 0.2, 1.0), seed, contest)
    assert (made.before, made.champion, contest.champion) == ("first", "second", "second")
    assert LEAST_WEEKS <= made.weeks <= 20
    assert made.loss_before - made.loss >= MARGIN


@pytest.mark.parametrize("seed", range(20))
def test_among_equals_the_champion_stays(seed: int) -> None:
    assert run(60, (0.5, 0.5, 0.5), seed) == []


@pytest.mark.parametrize("seed", range(10))
def test_a_worse_challenger_is_not_promoted(seed: int) -> None:
    assert run(40, (0.2, 1.0, 1.2), seed) == []


def test_what_was_long_ago_does_not_count() -> None:
    contest, rng = Contest(NAMES), np.random.default_rng(3)
    run(30, (0.2, 1.2, 1.2), 3, contest)
    made = []
    for number in range(30, 80):
        made.append(contest.judge(number * WEEK, *week_of(rng, (1.2, 0.2, 1.2)), weight=ONES))
    assert [each.champion for each in made if each is not None] == ["second"]


def test_a_weight_counts_a_sample_as_often() -> None:
    rng = np.random.default_rng(1)
    one, other = Contest(NAMES), Contest(NAMES)
    for number in range(3):
        logits, y = week_of(rng, (1.0, 0.5, 0.2))
        weight = rng.integers(1, 4, 300)
        one.judge(number * WEEK, logits, y, weight.astype(np.float64))
        rows = np.repeat(np.arange(300), weight)
        other.judge(number * WEEK, logits[:, rows], y[rows], np.ones(len(rows)))
    assert one.losses() == pytest.approx(other.losses())


def test_a_partition_that_is_behind_counts_in_the_week_of_now() -> None:
    contest, rng = Contest(NAMES), np.random.default_rng(1)
    for number in (5, 6, 3, 6, 7):
        contest.judge(number * WEEK, *week_of(rng, (1.0, 0.5, 0.2)), weight=ONES)
    assert (contest.weeks, contest.samples) == (3, 1500)


@pytest.mark.parametrize("cut", [0, 5, 12, 30])
def test_a_restored_contest_goes_on(cut: int) -> None:
    rng = np.random.default_rng(2)
    weeks = [week_of(rng, (1.2, 0.2, 1.0)) for _ in range(40)]
    whole, first, second = Contest(NAMES), Contest(NAMES), Contest(NAMES)
    made = [whole.judge(n * WEEK, *each, weight=ONES) for n, each in enumerate(weeks)]
    found = [first.judge(n * WEEK, *each, weight=ONES) for n, each in enumerate(weeks[:cut])]
    second.restore(json.loads(json.dumps(first.state())))
    found += [second.judge((cut + n) * WEEK, *each, weight=ONES) for n, each in enumerate(weeks[cut:])]
    assert found == made
    assert second.state() == whole.state()


def test_candidates_differ_and_the_first_is_the_own_one() -> None:
    own = LearnerSettings(min_churned=7)
    every = settings_of_candidates(own)
    assert next(iter(every.values())) == own
    assert len(set(map(repr, every.values()))) == len(every) >= 2
    assert {each.min_churned for each in every.values()} == {7}
