"""The log of actions: what settles, what can be corrected, who was treated."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.core.events.action_words import RESULTS
from streams.core.events.batch import ActionRecord
from streams.core.outcomes.action_log import MOST_ACTIONS, ActionLog, LoggedAction, is_treatment

KEEPS = 50


def logged(name: str, at: int, *, treats: bool = True, actor: str | None = "ann") -> LoggedAction:
    return LoggedAction(name, at, actor, treats, None)


def test_a_contact_or_an_offer_treats_whatever_came_of_it_but_of_the_wrong_person() -> None:
    for kind in ("contact", "offer"):
        treating = [result for result in RESULTS if is_treatment(ActionRecord(None, kind, result))]
        assert treating == [result for result in RESULTS if result != "wrong_contact"]
    assert not any(is_treatment(ActionRecord("w", kind)) for kind in ("assign", "acknowledge", "confirm"))


def test_the_newest_action_of_the_id_and_the_actor_is_struck_once() -> None:
    log = ActionLog(KEEPS)
    for action in (logged("a", 1), logged("a", 2), logged("a", 3, actor="ben")):
        assert log.add(0, action, action.at) == []
    assert log.strike(0, "a", "ann", 4) == logged("a", 2)
    assert log.strike(0, "a", "ann", 4) == logged("a", 1)
    assert log.strike(0, "a", "ann", 4) is None
    assert log.strike(1, "a", "ben", 4) is None
    assert log.treated(0, 9).tolist() == [0]
    log.strike(0, "a", "ben", 4)
    assert log.treated(0, 9).tolist() == []


def test_what_is_old_or_far_back_has_settled_and_still_counts() -> None:
    log = ActionLog(KEEPS)
    log.add(0, logged("old", 1), 1)
    assert log.strike(0, "old", "ann", KEEPS + 2) is None
    assert list(log.settle(KEEPS + 1)) == []
    assert list(log.settle(KEEPS + 2)) == [(0, logged("old", 1))]
    assert (log.actions, log.treated(1, 2).tolist()) == ({}, [0])
    names = [f"{i}" for i in range(MOST_ACTIONS + 3)]
    settled = [action for i, name in enumerate(names) for action in log.add(1, logged(name, i), i)]
    assert [action.event_id for action in settled] == names[:3]
    assert log.strike(1, "2", "ann", 40) is None
    assert log.strike(1, "3", "ann", 40) is not None
    assert len(log.of(1)) == MOST_ACTIONS - 1


@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(0, 3)), max_size=12),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_who_was_treated_is_recounted(moves: list[tuple[int, bool, int]], begin: int, end: int) -> None:
    log, left = ActionLog(KEEPS), dict[str, int]()
    for number, (at, treats, strikes) in enumerate(moves):
        log.add(7, logged(f"{number}", at, treats=treats), 30)
        if treats:
            left[f"{number}"] = at
        if strikes == 3:
            log.strike(7, f"{number // 2}", "ann", 30)
            left.pop(f"{number // 2}", None)
    treated = any(begin <= at < end for at in left.values())
    assert log.is_treated(7, begin, end) == treated
    assert log.treated(begin, end).tolist() == ([7] if treated else [])


def test_whether_anybody_was_treated_before_an_instant() -> None:
    log = ActionLog(100)
    assert not log.has_treatment_before(1_000)
    log.add(1, LoggedAction("assigned", 5, None, treats=False, result=None), 5)
    log.add(2, LoggedAction("called", 10, None, treats=True, result=None), 10)
    assert [log.has_treatment_before(at) for at in (10, 11)] == [False, True]
    assert list(log.settle(200))
    assert [log.has_treatment_before(at) for at in (10, 11)] == [False, True]
    log.add(3, LoggedAction("wrong", 220, None, treats=True, result=None), 220)
    log.strike(3, "wrong", None, 230)
    assert log.has_treatment_before(1_000)
