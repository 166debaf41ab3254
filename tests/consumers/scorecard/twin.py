"""The scorecard by its definitions, counted over the raw lines one by one: slow, and the specification."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from statistics import quantiles
from typing import Any

from consumers.actions import Action

LEAVING = {"moved_away", "other_branch", "uses_competitor", "need_gone"}
DAY = 86_400_000_000
Line = dict[str, Any]


def us(time: str) -> int:
    at = datetime.fromisoformat(time)
    return round(at.timestamp()) * 1_000_000 if not at.microsecond else int(at.timestamp() * 1_000_000 + 0.5)


class Twin:
    """What became of warnings and causes, from the lines of a replay."""

    def __init__(
        self,
        outcomes: Sequence[bytes],
        steps: Sequence[bytes],
        actions: Sequence[Action],
        horizon: int,
        since: int | None,
        until: int | None,
    ) -> None:
        self.outcomes = [json.loads(line) for line in outcomes]
        self.steps = [json.loads(line) for line in steps]
        self.actions = sorted(actions, key=lambda a: (a.at, a.event_id))
        self.horizon = horizon
        self.since, self.until = since, until
        self.end = max(us(e["time"]) for e in [*self.outcomes, *self.steps])

    def inside(self, at: int) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def of(self, kind: str) -> list[Line]:
        return [e for e in self.outcomes if e["type"] == kind]

    def causes(self) -> list[Line]:
        return [e["data"] for e in self.of("churn.cause.matured")]

    def losses(self) -> list[Line]:
        """Return lapses and closures in the period, but closures of customers who had lapsed already."""
        found = []
        for event in [*self.of("churn.customer.lapsed"), *self.of("churn.customer.closed")]:
            at = us(event["time"])
            before = [
                (us(e["time"]), self.rank(e), e["type"])
                for e in self.outcomes
                if e["subject"] == event["subject"]
                and e["type"].startswith("churn.customer.")
                and (us(e["time"]), self.rank(e)) < (at, self.rank(event))
            ]
            last = max(before)[2] if before else ""
            if self.inside(at) and not last.endswith(("lapsed", "closed")):
                found.append({"at": at, **event["data"]})
        return found

    @staticmethod
    def rank(event: Line) -> int:
        return ["acquired", "lapsed", "closed", "returned"].index(event["type"].rpartition(".")[2])

    def settled(self) -> list[Line]:
        return [loss for loss in self.losses() if loss["at"] + self.horizon < self.end]

    def saw(self, cause: Line, loss: Line) -> bool:
        opened = us(cause["opened_at"])
        if cause["customer_id"] != loss["customer_id"]:
            return False
        recent = loss["at"] - self.horizon <= opened < loss["at"]
        warned = loss["warned"]
        named = warned is not None and cause["warning_id"] == warned["warning_id"] and opened <= loss["at"]
        return recent or named

    def verdict(self, warning: str | None) -> str | None:
        word = None
        for action in self.actions:
            if action.warning_id != warning or warning is None or self.taken_back(action):
                continue
            if action.result == "false_alarm":
                word = "false_alarm"
            elif action.kind == "confirm" or action.result in LEAVING:
                word = "right"
        return word

    def taken_back(self, action: Action) -> bool:
        return any(
            other.corrects == action.event_id
            and (other.customer_id, other.actor) == (action.customer_id, action.actor)
            and (other.at, other.event_id) > (action.at, action.event_id)
            for other in self.actions
        )

    def precision(self, rows: Sequence[Line]) -> tuple[int, int]:
        return sum(row["churned"] for row in rows), len(rows)

    def verdicts(self, rows: Sequence[Line]) -> tuple[int, int, int, int]:
        words = [(self.verdict(row["warning_id"]), row["churned"]) for row in rows]
        return (
            sum(word == "right" for word, _ in words),
            sum(word == "false_alarm" for word, _ in words),
            sum(word == "right" and churned for word, churned in words),
            sum(word == "false_alarm" and not churned for word, churned in words),
        )

    def rule(self, rule: str, tier: str) -> Line:
        def own(cause: Line) -> bool:
            return bool(cause["rule"] == rule and cause["tier"] == tier)

        every = [cause for cause in self.causes() if own(cause)]
        rows = [cause for cause in every if self.inside(us(cause["opened_at"]))]
        opened = {
            (e["subject"], cause["opened_at"])
            for e in self.steps
            for cause in e["data"]["causes"]
            if own(cause) and self.inside(us(cause["opened_at"]))
        }
        status = max(every, key=lambda c: us(c["opened_at"]))["status"] if every else "active"
        waiting = opened - {(c["customer_id"], c["opened_at"]) for c in every}
        seen, alone, leads = 0, 0, []
        for loss in self.settled():
            mine = [cause for cause in every if self.saw(cause, loss)]
            if mine:
                seen += 1
                leads.append(max(loss["at"] - us(c["opened_at"]) for c in mine) / DAY)
                alone += not any(
                    c["rule"] != rule and c["status"] == "active" and self.saw(c, loss) for c in self.causes()
                )
        return {
            "status": status,
            "precision": self.precision(rows),
            "not_lost": self.precision([row for row in rows if not row["already_lost"]]),
            "not_matured": len(waiting) if status == "active" else None,
            "recall": (seen, len(self.settled())),
            "leads": spread(leads),
            "alone": (alone, seen),
            "verdicts": self.verdicts(rows),
        }

    def warning(self, tier: str | None) -> Line:
        every = {e["data"]["warning_id"]: e["data"] for e in self.of("churn.warning.matured")}
        rows = [
            row for row in every.values() if self.inside(us(row["opened_at"])) and tier in (None, row["tier"])
        ]
        lost = {(c["warning_id"], c["opened_at"]) for c in self.causes() if c["already_lost"]}
        opened = {
            e["data"]["warning_id"]
            for e in self.steps
            if e["data"]["step"] == 1
            and tier in (None, e["data"]["tier"])
            and self.inside(us(e["data"]["opened_at"]))
        }
        warned = [
            loss["warned"]
            for loss in self.settled()
            if loss["warned"] and tier in (None, loss["warned"]["tier"])
        ]
        return {
            "precision": self.precision(rows),
            "not_lost": self.precision([r for r in rows if (r["warning_id"], r["opened_at"]) not in lost]),
            "not_matured": len(opened - every.keys()),
            "recall": (len(warned), len(self.settled())),
            "leads": spread([each["lead_days"] for each in warned]),
            "verdicts": self.verdicts(rows),
            "untreated": self.precision([row for row in rows if not row["treated"]]),
            "held_out": self.precision([row for row in rows if row["holdout"]]),
        }

    def missed(self, group: Callable[[Line], object]) -> dict[object, tuple[int, int]]:
        """Return by group how many of its losses were not warned of, and how many it has."""
        found: dict[object, tuple[int, int]] = {}
        for loss in self.losses():
            missed, lost = found.get(group(loss), (0, 0))
            found[group(loss)] = missed + (loss["warned"] is None), lost + 1
        return found


def spread(values: Sequence[float]) -> tuple[float, float, float] | None:
    if len(values) < 2:
        return (values[0],) * 3 if values else None
    low, median, high = quantiles(values, n=4, method="inclusive")
    return low, median, high
