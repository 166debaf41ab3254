"""A shop whose team does all that a team can do about its warnings, through the engine; seeded."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from consumers.broker.records import Record
from streams.contract.customer_days import encode_customer_days
from streams.contract.decode import decode_lines
from streams.contract.instants import format_instant
from streams.contract.warnings import encode_step
from streams.core.decision.holdout import HoldoutTerms
from streams.core.decision.plays import Play, PlayCost, Plays, Success
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.events.calendar import DAY
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import Tier
from streams.core.warnings.acknowledgement import AcknowledgementTerms
from streams.rulebook.cases.run import stated
from streams.simulate.records import frame_of, json_lines
from streams.simulate.seasons import midnights, seasons
from streams.simulate.shop import Shop
from streams.simulate.timeline import CustomerTimeline

APP: Final = "shop"
PEOPLE: Final = ("ann", "bob", "cem")
BUDGETS: Final = {"call": 15.0, "letter": 30.0}
PLAYS: Final = Plays(
    [
        Play("call", Success(0.4, "prior"), reasons=("silence",), cost=PlayCost(communication=1.5)),
        Play("letter", Success(0.2, "prior"), reasons=("silence",), cost=PlayCost(gift=2.0, discount=0.05)),
        Play("visit", Success(0.3, "prior"), reasons=("activity_decline",), cost=PlayCost(gift=25.0)),
    ]
)
RULES: Final = (
    Rule(
        "silent",
        "orders_total >= 2 AND days_since_order >= 12 AND logins_total % 3 = 0",
        Tier.MEDIUM,
        "silence",
        play="call",
        clear="days_since_order < 2",
    ),
    Rule(
        "long-silent",
        "orders_total >= 2 AND days_since_order >= 25",
        Tier.HIGH,
        "silence",
        play="letter",
        clear="days_since_order < 2",
    ),
    Rule(
        "fewer",
        "orders_prev_30d >= 2 AND order_trend < 0.7",
        Tier.LOW,
        "activity_decline",
        play="visit",
        clear="order_trend > 1",
    ),
    Rule("drifts", "orders_total >= 1 AND logins_30d <= 2", Tier.LOW, "drift", clear="logins_30d > 3"),
    Rule(
        "gone",
        "orders_total >= 1 AND days_since_login >= 20",
        Tier.MEDIUM,
        "drift",
        clear="days_since_login < 3",
    ),
    Rule("angry", "complaints_30d >= 1", Tier.MEDIUM, "complaint", play="none", clear="complaints_30d = 0"),
)


@dataclass
class _Team:
    """Does something about some open warnings each day."""

    draw: random.Random
    open: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Customer and tier, by warning."""
    done: list[dict[str, Any]] = field(default_factory=list)

    def take(self, output: Output) -> None:
        for step in output.steps:
            if step.kind.value in ("resolved", "withdrawn", "expired"):
                self.open.pop(step.warning_id, None)
            else:
                self.open[step.warning_id] = (step.customer_id, step.tier.label)

    def work(self, begin: datetime) -> Iterator[dict[str, Any]]:
        for warning_id in sorted(self.open):
            if self.draw.random() > 0.12:
                continue
            customer, _tier = self.open[warning_id]
            yield self._action(
                warning_id, customer, begin + timedelta(seconds=self.draw.randrange(30_000, 80_000))
            )

    def _action(self, warning_id: str, customer: str, at: datetime) -> dict[str, Any]:
        kind = self.draw.choices(
            ("acknowledge", "snooze", "contact", "offer", "assign", "unassign", "expire", "correct"),
            (30, 15, 15, 8, 15, 4, 3, 20),
        )[0]
        action: dict[str, Any] = {
            "type": "action",
            "event_id": f"a{len(self.done):06d}",
            "customer_id": customer,
            "occurred_at": at.isoformat(),
            "warning_id": warning_id,
            "kind": kind,
            "actor": self.draw.choice(PEOPLE),
        }
        if kind == "snooze":
            action["until"] = format_instant(int((at + timedelta(days=3)).timestamp()) * 1_000_000)
        if kind in ("contact", "offer"):
            action |= {
                "play": self.draw.choice(("call", "letter")),
                "result": "reached",
                "cost": {"gift": 1.25},
            }
            if self.draw.random() < 0.3:
                del action["warning_id"]
        if kind == "assign" and self.draw.random() < 0.5:
            action["assignee"] = self.draw.choice(PEOPLE)
        if kind == "correct":
            earlier = [each for each in self.done if each["customer_id"] == customer]
            if not earlier:
                action["kind"] = "acknowledge"
            else:
                named = self.draw.choice(earlier)
                action |= {"corrects": named["event_id"], "actor": named["actor"]}
        self.done.append(action)
        return action


def _record(topic: str, offset: int, key: str, value: bytes, at_us: int) -> Record:
    return Record(topic, 0, offset, at_us // 1000, key.encode(), value)


@functools.cache
def acted_records(customers: int = 45, days: int = 110, seed: int = 7) -> tuple[Record, ...]:
    """Return the records of warnings, customer days and actions; those of one topic in its order."""
    settings = EngineSettings(
        app=APP,
        horizon_us=30 * DAY,
        holdout=HoldoutTerms({Tier.HIGH: 0.2, Tier.MEDIUM: 0.2}, "s"),
        customer_days=True,
        acknowledgement=AcknowledgementTerms(acknowledge_within={Tier.HIGH: 2 * DAY}),
    )
    engine = Engine(settings, RuleSet(RULES, DTYPES, PLAYS))
    engine.scorer.use(stated(0.5))
    shop = Shop(customers=customers, days=days, seed=seed, start=date(2024, 1, 1))
    ends = midnights(shop.start, shop.days, ZoneInfo(shop.time_zone))
    timeline = CustomerTimeline(shop.population, ends, seasons(shop.start, shop.days), shop.seed)
    team = _Team(random.Random(seed))
    outputs: list[Output] = []
    for day, events in enumerate(timeline):
        begin = datetime.fromtimestamp(int(ends[day]) / 1_000_000, UTC)
        frame: pl.DataFrame = frame_of(events, shop.population)
        lines = json_lines(frame, with_type=True).cast(pl.Binary).to_list()
        lines += [json.dumps(action).encode() for action in team.work(begin)]
        made = [
            engine.step(decode_lines(lines, latest_us=None).batch),
            engine.flush(idle=False),
            engine.advance(int(ends[day + 1])),
        ]
        for output in made:
            team.take(output)
        outputs += made
    records: list[Record] = []
    offsets: dict[str, int] = {}

    def add(topic: str, key: str, value: bytes, at: int) -> None:
        offset = offsets[topic] = offsets.get(topic, -1) + 1
        records.append(_record(topic, offset, key, value, at))

    for output in outputs:
        for step in output.steps:
            add("churn-warnings", step.customer_id, encode_step(step, APP), step.at)
        for each in output.customer_days:
            add("shop.customer-days", each.customer_id, encode_customer_days(each, APP), each.at)
    for action in team.done:
        event = {name: value for name, value in action.items() if name != "type"}
        at = int(datetime.fromisoformat(action["occurred_at"]).timestamp() * 1_000_000)
        add("actions", action["customer_id"], json.dumps(event).encode(), at)
    return tuple(records)
