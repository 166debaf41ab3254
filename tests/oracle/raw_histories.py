"""Raw lines of shops as a stranger brings them: orders at midnight, repeats, closures, changing profiles."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.oracle.days import DAY, EPOCH, HOUR, instant, local_day, midnight
from tests.oracle.report import Line
from tests.paths import ROOT

EXAMPLE: Final = ROOT / "examples" / "online_retail_ii.jsonl.gz"
CLASSES: Final = (None, "key", "ordinary", "ordinary", "small", "problem")
ORIGINS: Final = (None, "own", "own", "elsewhere", "rare")


def text_of(at: int) -> str:
    """Return an instant as RFC 3339."""
    return (EPOCH + timedelta(microseconds=at)).isoformat()


def wholesaler(one_in: int, until: str) -> list[Line]:
    """Return the orders of some customers of the real example, up to an instant."""
    found = []
    with gzip.open(EXAMPLE, "rt") as file:
        for line in map(json.loads, file):
            if line["type"] == "order" and int(line["customer_id"]) % one_in == 0:
                if line["occurred_at"] >= until:
                    break
                found.append(line)
    return found


def weekly_buyers(seed: int, customers: int, first: date, days: int, zone: ZoneInfo) -> Iterator[Line]:
    """Yield the orders and logins of customers with a pace and pauses, some of them at midnight."""
    rng = random.Random(seed)
    number = 0
    for customer in range(customers):
        day = float(0 if rng.random() < 0.4 else rng.randrange(days))
        pace = rng.choice((2, 4, 7, 12))
        while day < days:
            number += 1
            at = midnight(first.toordinal() + int(day), zone) + rng.choice(
                (0, 1, HOUR, rng.randrange(23 * HOUR))
            )
            about = {"customer_id": f"h{customer:03}", "occurred_at": text_of(at)}
            yield {"type": "login", "event_id": f"l{number}", **about}
            if rng.random() < 0.7:
                amount = round(rng.uniform(2, 80), 2)
                yield {
                    "type": "order",
                    "event_id": f"o{number}",
                    "order_id": f"{number}",
                    "amount": amount,
                    **about,
                }
            day += rng.choice((30, 60, 150)) if rng.random() < 0.08 else 1 + rng.expovariate(1 / pace)


class Spice:
    """Adds to orders and logins what real shops have beside them."""

    def __init__(self, seed: int, lines: Iterable[Line], zone: ZoneInfo) -> None:
        """Take the lines; `lines` are then those with all that was added."""
        self._rng, self._zone = random.Random(seed), zone
        given = list(lines)
        self._end = max(instant(line["occurred_at"]) for line in given)
        self.lines: list[Line] = []
        own: dict[str, list[Line]] = {}
        for line in given:
            own.setdefault(line["customer_id"], []).append(line)
        for customer, theirs in own.items():
            channel = self._rng.choice(("web", "app", "shop", None))
            if self._rng.random() < 0.8:
                self._profile(
                    customer, instant(theirs[0]["occurred_at"]) + self._rng.choice((-DAY, 0, 1, 5 * DAY))
                )
            for line in theirs:
                self._take(line, channel)
        self._rng.shuffle(self.lines)

    def _take(self, line: Line, channel: str | None) -> None:
        rng, customer = self._rng, line["customer_id"]
        line = dict(line)
        if line["type"] == "order":
            line["channel"] = rng.choice((channel, channel, "web"))
            line["currency"] = "EUR" if rng.random() > 0.02 else "USD"
            if rng.random() < 0.03:
                line["status"] = rng.choice(("cancelled", "returned"))
            if rng.random() < 0.05:
                day = local_day(instant(line["occurred_at"]), self._zone)
                line["occurred_at"] = text_of(midnight(day, self._zone))
        at = instant(line["occurred_at"])
        self.lines.append({name: value for name, value in line.items() if value is not None})
        for chance, later in ((0.02, 0), (0.02, DAY)):  # repeats, one of them with another time
            if rng.random() < chance:
                self._add(line, at + later)
        if rng.random() < 0.02:
            closed = at + rng.choice((0, 1, HOUR, 2 * DAY, 40 * DAY, 100 * DAY))
            reason = rng.choice(("price_too_high", "moved_away", "unknown", None))
            self.add("closure", closed, customer, reason=reason)
        elif rng.random() < 0.03:
            self._profile(customer, at + rng.choice((0, 1, DAY)))
        if rng.random() < 0.08:
            self._complain(customer, at + rng.randrange(3 * DAY))

    def _profile(self, customer: str, at: int) -> None:
        rng = self._rng
        self.add(
            "profile",
            at,
            customer,
            customer_class=rng.choice(CLASSES),
            segment=rng.choice((None, "s1", "s2", "s3")),
            region=rng.choice(("north", "south")),
            origin=rng.choice(ORIGINS),
            do_not_contact=rng.random() < 0.1,
        )

    def _complain(self, customer: str, at: int) -> None:
        rng, complaint = self._rng, f"k{len(self.lines)}"
        for status, chance in (("opened", 1.0), ("answered", 0.7), ("resolved", 0.7), ("reopened", 0.2)):
            if rng.random() < chance:
                rating = rng.choice((None, 1, 3, 4, 5)) if status == "resolved" else None
                about = {"complaint_id": complaint, "status": status, "satisfaction": rating}
                self.add(
                    "complaint", at, customer, category=rng.choice(("product", "service", None)), **about
                )
            at += rng.randrange(1, 4 * DAY)

    def add(self, kind: str, at: int, customer: str, **more: Any) -> None:
        """Add an event, unless it would lie after all others."""
        number = f"x{len(self.lines)}"
        self._add({"type": kind, "event_id": number, "customer_id": customer, **more}, at)

    def _add(self, line: Line, at: int) -> None:
        if at <= self._end:
            known = {name: value for name, value in line.items() if value is not None}
            self.lines.append({**known, "occurred_at": text_of(at)})

    def act(self, steps: Iterable[Line], losses: Iterable[tuple[str, int]]) -> None:
        """Add what a team does about warnings that opened and customers who left, some of it taken back."""
        rng = self._rng
        about = [
            (step["data"]["customer_id"], step["data"]["warning_id"], instant(step["time"]))
            for step in steps
            if step["type"] == "churn.warning.opened"
        ]
        about += [(customer, None, at) for customer, at in losses]
        for customer, warning, opened in about:
            at = opened
            for number in range(rng.choice((0, 1, 1, 2, 3))):
                at += rng.randrange(1, 20 * DAY)
                kind = rng.choice(("contact", "contact", "offer", "confirm"))
                results = (
                    None,
                    "reached",
                    "accepted",
                    "will_return",
                    "not_reached",
                    "wrong_contact",
                    "moved_away",
                )
                codes = ("price_too_high", "delivery", "unknown", "not_reached")
                actor = rng.choice(("ann", "bob"))
                event = f"a{len(self.lines)}"
                action = {
                    "type": "action",
                    "event_id": event,
                    "customer_id": customer,
                    "actor": actor,
                    "kind": kind,
                }
                if warning is not None:
                    action["warning_id"] = warning
                done = {"result": rng.choice(results), "reasons": rng.sample(codes, rng.choice((0, 0, 1, 2)))}
                self._add({**action, **done}, at)
                if rng.random() < 0.2:
                    back = {"event_id": f"{event}-{number}", "corrects": event, "result": "reached"}
                    self._add({**action, **back}, at + rng.randrange(HOUR))
