"""Stores of shops with a team that answers, corrects itself and wins back, and the lines that they hold."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any

from consumers.actions import Action
from consumers.database.database import Database
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from consumers.sink.kinds import OUTCOMES, WARNINGS
from streams.contract.instants import EPOCH, MICROSECOND
from streams.core.events.action_words import RESULTS
from tests.consumers.effects.helped import HORIZON as HELPED_HORIZON
from tests.consumers.effects.helped import helped
from tests.consumers.scorecard import made as random_shop
from tests.consumers.scorecard.stored import ACTIONS, NOW, action_event, event_key, put
from tests.consumers.scorecard.twin import us
from tests.streams.backtest.histories import HORIZON as RANDOM_HORIZON

DAY = 86_400_000_000
CODES = ("price_too_high", "delivery", "silence", "moved_away", "strange", "unknown", "not_reached")
GROUP_OF = {
    "price_too_high": "price",
    "delivery": "product_service",
    "silence": "behaviour",
    "moved_away": "customer_change",
    "price": "price",
}
Line = dict[str, Any]


@dataclass(frozen=True)
class Shop:
    """What the topics of a shop hold, as lines, and periods to look at."""

    outcomes: list[bytes]
    steps: list[bytes]
    actions: list[Action]
    horizon: int
    zone: str
    periods: tuple[Period, ...]

    @property
    def knowledge(self) -> Knowledge:
        """All that is stored."""
        span = timedelta(microseconds=self.horizon)
        return Knowledge(self.zone, span, span)

    @cached_property
    def outcome_lines(self) -> list[Line]:
        """The outcomes decoded."""
        return [json.loads(line) for line in self.outcomes]

    @cached_property
    def step_lines(self) -> list[Line]:
        """The steps decoded."""
        return [json.loads(line) for line in self.steps]

    @cached_property
    def standing(self) -> list[Action]:
        """The actions that nobody took back, one by one."""
        ordered = sorted(self.actions, key=lambda a: (a.at, a.event_id))
        return [
            action
            for place, action in enumerate(ordered)
            if not any(
                later.corrects == action.event_id
                and (later.customer_id, later.actor) == (action.customer_id, action.actor)
                for later in ordered[place + 1 :]
            )
        ]

    def store(self, database: Database) -> None:
        """Store all as the sink does."""
        put(database, OUTCOMES, [(event_key(line), line) for line in self.outcomes], NOW)
        put(database, WARNINGS, [(event_key(line), line) for line in self.steps], NOW)
        put(database, ACTIONS, [(a.customer_id.encode(), action_event(a)) for a in self.actions], NOW)


def team(seed: int, outcomes: list[bytes], steps: list[bytes], count: int) -> list[Action]:
    """Return what a team does, at random: most of it about warnings and customers who lapsed."""
    chance = random.Random(seed)
    about: list[tuple[str, str | None, int]] = []
    for line in map(json.loads, steps):
        about.append((line["subject"], line["data"]["warning_id"], us(line["time"])))
    for line in map(json.loads, outcomes):
        if line["type"] in ("churn.customer.lapsed", "churn.customer.closed"):
            about += [(line["subject"], None, us(line["time"]))] * 2
    done: list[Action] = []
    for number in range(count):
        customer, warning, at = chance.choice(about)
        before = [each for each in done if each.customer_id == customer]
        taken_back = chance.choice(before) if before and chance.random() < 0.3 else None
        later = chance.choice((0, chance.randrange(3 * DAY), chance.randrange(40 * DAY)))
        done.append(
            Action(
                event_id=f"t{number}",
                customer_id=customer,
                at=at + later,
                kind=chance.choice(("contact", "contact", "offer", "confirm", "assign", "acknowledge"))
                if warning
                else chance.choice(("contact", "offer", "confirm")),
                warning_id=warning if chance.random() < 0.8 else None,
                result=chance.choice((None, *RESULTS, "reached", "accepted", "will_return", "not_reached")),
                actor=chance.choice(("ann", "bob", None)) if taken_back is None else taken_back.actor,
                reasons=tuple(chance.sample(CODES, chance.choice((0, 0, 1, 2)))),
                corrects=None if taken_back is None else taken_back.event_id,
            )
        )
    return [
        each
        for each in done
        if each.warning_id is not None or each.kind not in ("acknowledge", "snooze", "expire")
    ]


@cache
def helped_shop(seed: int) -> Shop:
    """Return a shop whose warnings have decisions, a holdout and a team."""
    ran = helped(seed, 250, 240)
    own = [
        Action(
            event_id=line["event_id"],
            customer_id=line["customer_id"],
            at=us(line["occurred_at"]),
            kind=line["kind"],
            warning_id=line["warning_id"],
            play=line["play"],
            result=line["result"],
            actor=line["actor"],
            cost={item: amount for item, amount in line["cost"].items() if amount is not None},
        )
        for line in ran.event_lines
        if line["type"] == "action"
    ]
    periods = ("2024-04", "2024-05", "2024-04-10..2024-07-20", "2024", "2023")
    return Shop(
        ran.outcomes,
        ran.warnings,
        own + team(seed, ran.outcomes, ran.warnings, 400),
        HELPED_HORIZON,
        "UTC",
        tuple(Period.parse(text, "UTC") for text in periods),
    )


@cache
def closing_shop(seed: int) -> Shop:
    """Return a random history with closures and many rules; nothing is known of its plays."""
    given = random_shop.made(seed)
    zone = random_shop.generated(seed).zone.key
    times = sorted(us(json.loads(line)["time"]) for line in given.outcomes)
    first, last = (times[len(times) * part // 4] for part in (1, 3))
    days = [(EPOCH + at * MICROSECOND).date() for at in (first, last)]
    middle = days[0] + (days[1] - days[0]) / 2
    spans = (
        Period.between(days[0], days[1], zone),
        Period.between(days[0], middle, zone),
        Period.between(middle, days[1], zone),
    )
    return Shop(
        given.outcomes,
        given.steps,
        given.actions + team(seed, given.outcomes, given.steps, 400),
        RANDOM_HORIZON,
        zone,
        spans,
    )


def by_their_day(outcomes: Iterable[bytes]) -> list[bytes]:
    """Return outcomes with each lapse an instant earlier: it belongs to the day that its sweep ends."""
    found = []
    for line in outcomes:
        event = json.loads(line)
        if event["type"] == "churn.customer.lapsed":
            at = datetime.fromisoformat(event["time"]) - timedelta(microseconds=1)
            line = json.dumps(event | {"time": at.isoformat()}).encode()
        found.append(line)
    return found
