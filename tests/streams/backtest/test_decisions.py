"""What `rules diff` says of decisions, against decisions that follow by hand."""

from __future__ import annotations

from dataclasses import replace

from streams.backtest.decisions import DecisionComparison, compare_decisions
from streams.backtest.history import History
from streams.core.decision.plays import Play, PlayCost, Plays, Success
from streams.core.engine_io import EngineSettings
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import RuleSet
from tests.oracle.days import DAY
from tests.streams.backtest.planted import HORIZON, LEAVERS, PAUSERS, batch, silent

SETTINGS = EngineSettings(horizon_us=HORIZON)
CALL = Play("call", Success(0.5, "prior"), cost=PlayCost(communication=2.0))
MAIL = Play("mail", Success(0.1, "prior"), cost=PlayCost(communication=0.5))


def rules(*plays: Play, days: float = 5, play: str | None = None) -> RuleSet:
    return RuleSet([replace(silent(days), play=play)], DTYPES, Plays(plays))


def compared(old: RuleSet, new: RuleSet) -> DecisionComparison | None:
    return compare_decisions(History.of(batch(), 2 * DAY), old, new, SETTINGS, lambda: None)


def test_without_plays_there_is_nothing_to_compare() -> None:
    assert compared(rules(), rules(days=8)) is None


def test_another_play_moves_every_decision() -> None:
    found = compared(rules(CALL), rules(MAIL))
    assert found is not None
    # Without a model no probability is known, so nothing is decided; the play is chosen all the same.
    everybody = len({*LEAVERS, *PAUSERS})
    old, new = ("unknown", "call"), ("unknown", "mail")
    assert found.choices == [old, new]
    assert (found.old[old].warnings, found.new[new].warnings) == (everybody, everybody)
    assert (found.old[old].cost, found.new[new].cost) == (2.0 * everybody, 0.5 * everybody)
    assert found.moved == {(old, new): everybody}
    assert found.same == 0


def test_a_rule_that_plans_nothing_bars_and_the_rest_stays() -> None:
    found = compared(rules(CALL, days=5), rules(CALL, days=5, play="none"))
    assert found is not None
    barred = ("dont", None)
    assert found.new[barred].warnings == found.old["unknown", "call"].warnings
    again = compared(rules(CALL), rules(CALL, days=8))
    assert again is not None
    # At another threshold warnings open at other instants: none is in both.
    assert (again.same, again.moved) == (0, {})
    assert again.old["unknown", "call"].warnings > again.new["unknown", "call"].warnings == len(LEAVERS)
    same = compared(rules(CALL), rules(CALL))
    assert same is not None
    assert (same.same, same.moved) == (len({*LEAVERS, *PAUSERS}), {})
    assert same.as_dict()["by_verdict_and_play"][0]["old"] == same.as_dict()["by_verdict_and_play"][0]["new"]
