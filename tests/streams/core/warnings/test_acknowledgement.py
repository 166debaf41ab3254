"""People's actions and the passing of time: the engine against its twin, and timelines told line by line."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.steps import Acknowledgement, AcknowledgementState
from streams.core.warnings.episodes import Episodes, OpenWarning
from tests.oracle.acting import HASTE, acted_histories, with_actions
from tests.oracle.conditions import OracleRule
from tests.oracle.days import DAY
from tests.oracle.drive import compiled, drive
from tests.oracle.histories import History, SeededDraw, cut, delayed, random_history
from tests.oracle.sample_rules import ABSENT, GROUPS, RULES
from tests.oracle.test_engine_against_twin import COMPILED, PLAIN, QUIET, check, generated

IN_HASTE: Final = replace(PLAIN, patience=HASTE)


@generated
@given(acted_histories(RULES, IN_HASTE), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_the_engine_agrees_on_actions_however_they_are_cut(history: History, sizes: list[int]) -> None:
    check(history, RULES, IN_HASTE, lambda records: cut(records, sizes))


@generated
@given(acted_histories(GROUPS[1], PLAIN, late=True), st.integers(1, 9))
def test_the_engine_agrees_on_late_actions(history: History, size: int) -> None:
    check(history, GROUPS[1], PLAIN, lambda records: cut(records, [size]))


@generated
@given(
    acted_histories(GROUPS[4], replace(QUIET, patience=HASTE), size=12, days=40, late=True), st.integers(1, 6)
)
def test_the_engine_agrees_on_actions_when_every_batch_begins_from_a_saved_state(
    history: History, size: int
) -> None:
    options = replace(QUIET, patience=HASTE)
    check(history, GROUPS[4], options, lambda records: cut(records, [size]), restarts=True)


@generated
@given(acted_histories(ABSENT, IN_HASTE, size=8, days=10), st.integers(0, 60 * DAY))
def test_the_engine_agrees_on_what_time_does_after_the_last_event(history: History, after: int) -> None:
    check(history, ABSENT, IN_HASTE, until=max(event.at for event in history.arrivals) + after)


def acted(seed: int, rules: tuple[OracleRule, ...] = RULES, *, late: bool = False, days: int = 90) -> History:
    """Return the history of a seed, with many actions."""
    draw = SeededDraw(random.Random(seed))
    history = random_history(seed, size=60, days=days)
    for turn in range(4):
        history = with_actions(history, rules, IN_HASTE, 10, draw, turn)
    return History(history.zone, tuple(delayed(history.arrivals, draw))) if late else history


@pytest.mark.parametrize("seed", range(4))
def test_the_engine_agrees_on_longer_histories_with_actions(seed: int) -> None:
    history = acted(seed, late=seed % 2 == 1)
    check(history, RULES, IN_HASTE, lambda records: cut(records, [1, 7, 50]), restarts=seed > 1)


def test_the_engine_agrees_on_every_kind_of_step_and_of_attention() -> None:
    kinds: Counter[str] = Counter()
    ignored: Counter[str] = Counter()
    for seed in range(9):
        run = check(acted(seed, ABSENT), ABSENT, IN_HASTE)
        for made in run.steps:
            kinds.update((str(made.step.kind), made.step.attention.split(" ")[0]))
        ignored += run.ignored
    wanted = ("acknowledged", "snoozed", "expired", "lapsed", "overdue", "waiting", "escalated", "resolved")
    assert all(kinds[kind] >= 5 for kind in wanted), kinds
    assert all(ignored[reason] >= 3 for reason in ("unknown", "closed", "over", "uncorrected")), ignored


def test_a_difference_in_what_people_did_would_be_seen() -> None:
    history = acted(7)
    options = replace(IN_HASTE, zone=history.zone)
    whole = drive(options, COMPILED[RULES], cut(history.arrivals, [30])).steps
    slower = replace(options, patience=replace(HASTE, snooze_for=2 * DAY))
    assert drive(slower, COMPILED[RULES], cut(history.arrivals, [30])).steps != whole


def test_timers_of_before_are_given_up_once_they_are_most() -> None:
    episodes = Episodes("test", compiled(()))
    warnings = [OpenWarning(f"w{customer}", 0, expires_at=10_000) for customer in range(3)]
    for turn in range(3000):
        for customer, warning in enumerate(warnings):
            warning.acknowledgement = Acknowledgement(
                AcknowledgementState.SNOOZED, 1, 0, until=turn + customer
            )
            episodes.keep_open(customer, warning)
    assert len(episodes.timers) <= 2 * 3 + 1024 + 1
    assert [change.customer for change in episodes.pass_time(2999)] == [0]
    assert {change.customer for change in episodes.pass_time(3001)} == {1, 2}
