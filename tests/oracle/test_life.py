"""The twin of warnings' lives, against DESIGN 5's table told line by line."""

from __future__ import annotations

from streams.core.steps import StepKind, Tier
from tests.oracle.life import FALSE, MISSING, TRUE, Held, LifeStep, Terms, Verdict, live

DAYS = 1  # the table knows no units: one tick is a day here
T, F, M = Verdict(TRUE, FALSE), Verdict(FALSE, TRUE), Verdict(MISSING, MISSING)
BETWEEN = Verdict(FALSE, FALSE)
"""Neither `when` nor `clear`: the band between two thresholds."""


def one(terms: Terms, *verdicts: Verdict, start: int = 0) -> list[LifeStep]:
    """Return the steps of one rule judged at one tick after the other."""
    return live({"a": terms}, [(start + i, {"a": verdict}) for i, verdict in enumerate(verdicts)])


def told(steps: list[LifeStep]) -> list[tuple[str, int]]:
    return [(str(step.kind), step.at) for step in steps]


def test_a_rule_without_terms_opens_and_closes_at_once() -> None:
    steps = one(Terms(), F, T, T, F)
    assert told(steps) == [("opened", 1), ("resolved", 3)]
    assert [(s.warning, s.number, s.opened_at) for s in steps] == [(1, 1, 1), (1, 2, 1)]
    assert steps[1].causes == {"a": Held(since=1, opened_at=1)}


def test_for_counts_from_the_first_true_to_the_instant_it_is_reached() -> None:
    steps = one(Terms(for_us=2), T, T, T)
    assert told(steps) == [("opened", 2)]
    assert steps[0].causes == {"a": Held(since=0, opened_at=2)}


def test_false_while_pending_begins_anew_and_missing_neither_ends_nor_opens() -> None:
    assert told(one(Terms(for_us=2), T, T, F, T, T, T)) == [("opened", 5)]
    assert told(one(Terms(for_us=2), T, M, M, T)) == [("opened", 3)]
    assert told(one(Terms(for_us=2), T, M, M, BETWEEN)) == []


def test_missing_does_not_open_an_idle_rule() -> None:
    assert told(one(Terms(), M, M)) == []


def test_keep_open_for_counts_from_the_first_clear() -> None:
    assert told(one(Terms(keep_open_for_us=2), T, F, F, F)) == [("opened", 0), ("resolved", 3)]
    assert told(one(Terms(keep_open_for_us=2), T, F, F, T, F, F, F)) == [("opened", 0), ("resolved", 6)]


def test_only_clear_false_ends_clearing() -> None:
    # missing changes nothing: clearing since 1 goes on, and is reached at the next clear
    assert told(one(Terms(keep_open_for_us=2), T, F, M, M, F)) == [("opened", 0), ("resolved", 4)]
    assert told(one(Terms(keep_open_for_us=2), T, F, BETWEEN, F, F)) == [("opened", 0)]


def test_between_the_thresholds_a_warning_stays_open() -> None:
    assert told(one(Terms(), T, BETWEEN, BETWEEN)) == [("opened", 0)]


def test_the_cooldown_ends_at_its_end_and_pending_does_not_begin_before() -> None:
    # closed at 1, cooldown 3: true again from 2, pending only since 4
    steps = one(Terms(cooldown_us=3), T, F, T, T, T)
    assert told(steps) == [("opened", 0), ("resolved", 1), ("opened", 4)]
    assert steps[2].causes == {"a": Held(since=4, opened_at=4)}
    assert (steps[2].warning, steps[2].number) == (2, 1)


def test_a_rule_that_closed_does_not_reopen_in_the_same_evaluation_but_in_the_next_of_the_instant() -> None:
    both = Verdict(TRUE, TRUE)
    steps = live({"a": Terms()}, [(0, {"a": T}), (1, {"a": both}), (1, {"a": T})])
    assert told(steps) == [("opened", 0), ("resolved", 1), ("opened", 1)]


def test_a_late_event_dated_before_the_opening_withdraws_at_once_and_without_cooldown() -> None:
    terms = Terms(keep_open_for_us=5, cooldown_us=9)
    steps = one(terms, T, Verdict(FALSE, FALSE, turned_by=-3), T)
    assert told(steps) == [("opened", 0), ("withdrawn", 1), ("opened", 2)]


def test_a_late_event_dated_at_or_after_the_opening_only_clears() -> None:
    terms = Terms(keep_open_for_us=1)
    assert told(one(terms, F, T, Verdict(FALSE, TRUE, turned_by=1), F)) == [("opened", 1), ("resolved", 3)]


def two(*evaluations: tuple[Verdict, Verdict]) -> list[LifeStep]:
    """Return the steps of a low rule `a` and a high rule `b`."""
    terms = {"a": Terms(Tier.LOW), "b": Terms(Tier.HIGH)}
    return live(terms, [(i, {"a": a, "b": b}) for i, (a, b) in enumerate(evaluations)])


def test_a_second_cause_that_is_more_urgent_escalates() -> None:
    steps = two((T, F), (T, T))
    assert told(steps) == [("opened", 0), ("escalated", 1)]
    assert (steps[1].tier, set(steps[1].causes), steps[1].number) == (Tier.HIGH, {"a", "b"}, 2)


def test_a_second_cause_that_is_not_more_urgent_updates_and_so_does_one_that_leaves() -> None:
    steps = two((F, T), (T, T), (T, F), (F, F))
    assert told(steps) == [("opened", 0), ("updated", 1), ("updated", 2), ("resolved", 3)]
    assert [step.tier for step in steps] == [Tier.HIGH, Tier.HIGH, Tier.LOW, Tier.LOW]
    assert set(steps[3].causes) == {"a"}


def test_causes_that_change_places_are_one_step_of_the_same_warning() -> None:
    steps = two((T, F), (F, T), (T, F))
    assert told(steps) == [("opened", 0), ("escalated", 1), ("updated", 2)]
    assert {step.warning for step in steps} == {1}


def test_a_step_whose_last_causes_were_all_withdrawn_is_withdrawn_and_else_resolved() -> None:
    withdrawn = Verdict(FALSE, TRUE, turned_by=-1)
    assert two((T, T), (withdrawn, withdrawn))[1].kind == StepKind.WITHDRAWN
    assert two((T, T), (withdrawn, F))[1].kind == StepKind.RESOLVED
    assert told(two((T, T), (withdrawn, T), (F, F))) == [("opened", 0), ("updated", 1), ("resolved", 2)]
