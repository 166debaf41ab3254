"""Whom the team calls on a day, and in which order."""

from __future__ import annotations

from streams.core.decision.decision import Decision, DecisionBasis
from streams.core.decision.plays import Play, PlayCost, Plays, Success
from streams.core.engine_io import Output
from streams.core.outcomes.outcome import CustomerDays
from streams.core.steps import Step, StepKind, Tier
from streams.simulate.team import Team

PLAYS = Plays([Play("call", Success(0.5, "prior"), cost=PlayCost(gift=2.0), budget_month=5.0)])


def decision(value: float | None, play: str = "call") -> Decision:
    """Return one whose gain is a quarter of the value, and which costs 2."""
    return Decision(DecisionBasis(play, True, success=0.5, gift=2.0), 0.5, value, None)


def step(
    customer: str,
    made: Decision | None,
    *,
    at: int = 1,
    kind: StepKind = StepKind.OPENED,
    tier: Tier = Tier.HIGH,
    holdout: bool = False,
) -> Step:
    return Step(
        kind, customer, at, f"w-{customer}", 1, tier, 1, (), 0.5, 90, None, (), "r", None, decision=made,
        holdout=holdout,
    )  # fmt: skip


def days(customer: str, made: Decision | None, at: int) -> CustomerDays:
    return CustomerDays("d", at, customer, f"w-{customer}", 0, 0, (), 0.5, None, made)


def queue(team: Team) -> list[str]:
    return [each.customer_id for each in team.queue()]


def test_the_queue_is_by_net_and_then_the_unknown_by_tier_and_value_at_risk() -> None:
    team = Team(9, PLAYS)
    opened = [
        step("small", decision(20.0)),
        step("later", decision(40.0), at=7),
        step("large", decision(40.0), at=5),
        step("not-worth", decision(4.0)),
        step("held-out", decision(90.0), holdout=True),
        step("unknown-low", decision(None), tier=Tier.LOW),
        step("unknown-high", decision(None)),
        step("before-decisions", None),
    ]
    team.take(Output(steps=opened))
    assert queue(team) == ["large", "later", "small", "unknown-high", "unknown-low"]


def test_the_newest_decision_counts_and_what_has_ended_is_gone() -> None:
    team = Team(9, PLAYS)
    team.take(Output(steps=[step("a", decision(20.0)), step("b", decision(40.0)), step("c", decision(60.0))]))
    assert queue(team) == ["c", "b", "a"]
    output = Output(steps=[step("c", decision(60.0), at=3, kind=StepKind.RESOLVED)])
    output.customer_days = [days("a", decision(100.0), 2), days("c", decision(100.0), 3)]
    team.take(output)
    assert queue(team) == ["a", "b"]
    team.take(Output(steps=[step("b", decision(200.0), at=9, kind=StepKind.ESCALATED)]))
    assert queue(team) == ["b", "a"]


def test_capacity_and_budget_end_the_day_and_nobody_is_called_twice() -> None:
    team = Team(1, PLAYS)
    opened = [step("a", decision(90.0)), step("b", decision(60.0)), step("c", decision(40.0, "letter"))]
    team.take(Output(steps=[*opened, step("d", decision(20.0))]))

    def called(month: str) -> list[tuple[str, str]]:
        return [(queued.customer_id, play.id) for queued, play in team.work(month)]

    assert called("2024-01") == [("a", "call")]
    assert called("2024-01") == [("b", "call")]
    assert called("2024-01") == []  # a third costs more than the month's budget, and `c` has no known play
    assert called("2024-02") == [("d", "call")]
    assert queue(team) == ["c"]
