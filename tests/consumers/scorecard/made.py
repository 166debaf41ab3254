"""Outcomes and steps that the engine made of generated histories, and verdicts of a team on its warnings."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from consumers.actions import Action
from streams.backtest.report import Backtest, backtest
from streams.contract.outcomes import encode_outcome
from streams.contract.warnings import encode_step
from streams.core.engine import Engine
from streams.core.events.topics import Topic
from streams.core.outcomes.outcome import Outcome
from streams.core.steps import Step
from streams.offline.replay import replay
from tests.oracle.days import DAY
from tests.oracle.drive import engine_settings
from tests.oracle.engine import OracleSettings
from tests.oracle.histories import TOPICS, as_batch, random_history
from tests.oracle.histories import History as Generated
from tests.streams.backtest.histories import HORIZON, TEAM, compiled, history_of, rules_of

ACTORS = ("ann", "bob", None)
RESULTS = ("false_alarm", "moved_away", "reached", None, "false_alarm", "need_gone")


@dataclass(frozen=True)
class Made:
    """What a replay writes of a history, as JSON lines, the team's actions, and the backtest of the same."""

    outcomes: list[bytes]
    steps: list[bytes]
    actions: list[Action]
    backtest: Backtest


def events(lines: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def generated(seed: int) -> Generated:
    made = random_history(seed, size=400, days=120, topics=(*TOPICS, Topic.CLOSURES))
    arrivals = [
        replace(event, customer_id=f"{event.customer_id}-{sum(event.event_id.encode()) % 5}")
        for event in made.arrivals
    ]
    return Generated(made.zone, tuple(sorted(arrivals, key=lambda e: e.order)))


def made(seed: int) -> Made:
    history = generated(seed)
    settings = replace(
        engine_settings(OracleSettings(zone=history.zone)),
        horizon_us=HORIZON,
        active_within_us=12 * DAY,
        outcomes=True,
    )
    rules = compiled(rules_of("collapse"))
    batch = as_batch(history.arrivals)
    batch = batch.take(batch.order())
    steps: list[Step] = []
    outcomes: list[Outcome] = []
    judged = history_of(history.arrivals)
    replay(
        batch,
        [Engine(settings, rules)],
        until=judged.end,
        on_steps=steps.extend,
        on_outcomes=outcomes.extend,
    )
    return Made(
        [encode_outcome(each, "lapwing") for each in outcomes],
        [encode_step(each, "lapwing") for each in steps],
        actions_on([each for each in steps if each.number == 1]),
        backtest(judged, rules, settings, None, TEAM),
    )


def actions_on(opened: list[Step]) -> list[Action]:
    """Return a team's actions: verdicts, changes of mind, and corrections of some of them."""
    found: list[Action] = []
    for number, step in enumerate(opened):
        for turn in range(number % 3):
            place = number + 2 * turn
            found.append(
                Action(
                    event_id=f"a{number}-{turn}",
                    customer_id=step.customer_id,
                    at=step.at + turn * DAY,
                    kind="confirm" if place % 4 == 0 else "contact",
                    warning_id=None if turn == 2 else step.warning_id,
                    result=RESULTS[place % len(RESULTS)],
                    actor=ACTORS[place % len(ACTORS)],
                    corrects=f"a{number}-0" if turn and number % 4 else None,
                )
            )
    return found
