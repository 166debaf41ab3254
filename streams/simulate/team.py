"""The team that works the queue of warnings: whom it calls on a day, and who is left for later."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from streams.core.decision.decision import Decision, Verdict
from streams.core.decision.plays import Play, Plays
from streams.core.engine_io import Output
from streams.core.outcomes.outcome import CustomerDays
from streams.core.steps import Step, StepKind, Tier

ENDS = frozenset({StepKind.RESOLVED, StepKind.WITHDRAWN, StepKind.EXPIRED})


@dataclass(slots=True)
class QueuedWarning:
    """An open warning as the team sees it."""

    customer_id: str
    warning_id: str
    opened_at: int
    tier: Tier
    decision: Decision | None
    """The newest: that of a step, or of a sweep since."""
    holdout: bool
    attended: bool = False

    @property
    def cost(self) -> dict[str, float]:
        """Return what its play costs, by item, as far as it is known."""
        found = {} if self.decision is None else self.decision.arithmetic().cost
        return {item: amount for item, amount in found.items() if amount is not None}


class Team:
    """The open warnings of a shop, and what the team spent on each play in a month."""

    def __init__(self, capacity: int, plays: Plays) -> None:
        self._capacity = capacity
        self._plays = plays
        self._open: dict[str, QueuedWarning] = {}
        self._spent: defaultdict[tuple[str, str], float] = defaultdict(float)
        """By play and month."""

    def take(self, output: Output) -> None:
        """Take in what an engine put out, in the order of time."""
        news: list[Step | CustomerDays] = sorted([*output.steps, *output.customer_days], key=lambda n: n.at)
        for new in news:
            if isinstance(new, CustomerDays):
                queued = self._open.get(new.customer_id)
                if queued is not None and queued.warning_id == new.warning_id:
                    queued.decision = new.decision
            elif new.kind in ENDS:
                self._open.pop(new.customer_id, None)
            else:
                self._step(new)

    def _step(self, step: Step) -> None:
        queued = self._open.get(step.customer_id)
        if queued is None or queued.warning_id != step.warning_id:
            self._open[step.customer_id] = QueuedWarning(
                step.customer_id, step.warning_id, step.at, step.tier, step.decision, step.holdout
            )
        else:
            queued.tier, queued.decision = step.tier, step.decision

    def queue(self) -> list[QueuedWarning]:
        """Return whom to call, the most worthwhile first.

        First those whose rescue is worth it, by the newest net; then those of whom it is not known, by tier
        and value at risk. Nobody who is held out or was called since the warning opened is among them.
        """
        waiting = [
            (each, each.decision)
            for each in self._open.values()
            if each.decision is not None and not each.holdout and not each.attended
        ]

        def place(of: tuple[QueuedWarning, Decision]) -> tuple[bool, float, float, int, str]:
            queued, decision = of
            last = (queued.opened_at, queued.customer_id)
            if decision.verdict is Verdict.RESCUE:
                net = decision.arithmetic().net
                return False, 0.0, math.inf if net is None else -net, *last
            at_risk = decision.value_at_risk
            return True, -float(queued.tier), math.inf if at_risk is None else -at_risk, *last

        known = [each for each in waiting if each[1].verdict is not Verdict.DONT]
        return [queued for queued, _ in sorted(known, key=place)]

    def work(self, month: str) -> Iterator[tuple[QueuedWarning, Play]]:
        """Yield whom the team calls on a day of a month, and by which play."""
        called = 0
        for queued in self.queue():
            if called == self._capacity:
                return
            name = None if queued.decision is None else queued.decision.play
            play = self._plays.by_id.get(name or "")
            if play is None:
                continue
            cost = sum(queued.cost.values())
            if play.budget_month is not None and self._spent[play.id, month] + cost > play.budget_month:
                continue
            self._spent[play.id, month] += cost
            queued.attended = True
            called += 1
            yield queued, play
