"""What a report says of warnings, of what the team did, and of complaints, counted from raw lines.

Warnings are taken as given: the lines that a replay wrote. What became of their customers, what was done
about them and why they left is counted from the events (`tests.oracle.report`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, Final

from tests.oracle.days import DAY, instant
from tests.oracle.report import Line, Recount, in_order

NO_REASONS: Final = {"unknown", "not_reached"}
AGREED: Final = {"accepted", "will_return", "returned"}
ENDED: Final = ("resolved", "withdrawn", "expired")


class Team:
    """Counts of what was warned of, done and found out."""

    def __init__(self, recount: Recount, steps: Iterable[Line]) -> None:
        """Keep the warnings by customer, and the actions that nobody took back."""
        self.recount = recount
        self.horizon = recount.terms.horizon
        self.warnings: dict[str, list[Line]] = {}
        """By id, the steps in order."""
        for step in steps:
            self.warnings.setdefault(step["data"]["warning_id"], []).append(step)
        self.actions = {customer: self._standing(customer) for customer in recount.of}

    def _standing(self, customer: str) -> list[tuple[int, Line]]:
        kept: list[tuple[int, Line]] = []
        for at, line in self.recount.of[customer]:
            if line["type"] != "action":
                continue
            kept = [
                (when, other)
                for when, other in kept
                if line.get("corrects") != other["event_id"] or line.get("actor") != other.get("actor")
            ]
            kept.append((at, line))
        return kept

    def contacts(self, customer: str, first: int, last: int) -> list[Line]:
        """Return the contacts and offers to a customer from an instant to another, both included."""
        return [
            line
            for at, line in self.actions.get(customer, ())
            if first <= at <= last
            and line["kind"] in ("contact", "offer")
            and line.get("result") != "wrong_contact"
        ]

    def opened(self, begin: int, end: int) -> list[tuple[int, Line]]:
        """Return the first steps of the warnings that opened in [begin, end)."""
        return [
            (at, steps[0])
            for steps in self.warnings.values()
            if begin <= (at := instant(steps[0]["time"])) < end
        ]

    def is_matured(self, at: int) -> bool:
        """Say whether a sweep came later than a horizon after an opening."""
        return self.recount.sweep_from(at + self.horizon + 1) <= self.recount.terms.until

    def funnel(self, begin: int, end: int) -> dict[str, int]:
        """Return the steps from the warnings of a period to the customers who stayed."""
        found: Counter[str] = Counter()
        for at, step in self.opened(begin, end):
            data = step["data"]
            found["warned"] += 1
            if data["decision"]["verdict"] != "rescue" or data["holdout"]:
                continue
            found["worth_rescuing"] += 1
            tried = self.contacts(data["customer_id"], at + 1, at + self.horizon)
            if not tried:
                continue
            found["contacted"] += 1
            if all(line.get("result") in (None, "not_reached") for line in tried):
                continue
            found["reached"] += 1
            if not any(line.get("result") in AGREED for line in tried):
                continue
            found["accepted"] += 1
            if self.is_matured(at):
                found["stayed"] += not self.recount.churned(data["customer_id"], at)
            else:
                found["not_known"] += 1
        return dict(found)

    def won_back(self, begin: int, end: int) -> dict[str, int]:
        """Return the steps from those who lapsed in a period to those who returned."""
        found: Counter[str] = Counter()
        first: dict[str, int] = {}
        for customer, kind, at, _ in self.recount.losses(begin, end):
            if kind == "lapsed":
                first.setdefault(customer, at)
        for customer, at in first.items():
            found["lapsed"] += 1
            back = self._returned(customer, at)
            tried = self.contacts(customer, at, back)
            if not tried:
                continue
            found["contacted"] += 1
            if all(line.get("result") in (None, "not_reached") for line in tried):
                continue
            found["reached"] += 1
            if any(line.get("result") in AGREED for line in tried):
                found["means_to_return"] += 1
                found["returned"] += back < 2**62
        return dict(found)

    def _returned(self, customer: str, left: int) -> int:
        came = [at for kind, at, _ in self.recount.life(customer) if kind == "returned" and at >= left]
        return min(came, default=2**62)

    def warned(self, customer: str, at: int) -> Line | None:
        """Return the first step of the warning open at a loss, or else of the last of the horizon before."""
        found = None
        for steps in self.warnings.values():
            opened = instant(steps[0]["time"])
            if steps[0]["data"]["customer_id"] != customer or opened >= at:
                continue
            ended = [instant(s["time"]) for s in steps if s["type"].rpartition(".")[2] in ENDED]
            is_open = not ended or ended[0] >= at
            if is_open or opened >= at - self.horizon:
                found = steps[0] if found is None or opened > instant(found["time"]) else found
        return found

    def reasons(self, begin: int, end: int) -> dict[str, Any]:
        """Return of how many of the lost each source names a reason, and of how many nobody does."""
        left: dict[str, int] = {}
        for customer, kind, at, _ in self.recount.losses(begin, end):
            if kind != "closed_after_lapse":
                left[customer] = at
        found: Counter[str] = Counter(lost=len(left))
        codes = {name: Counter[str]() for name in ("suggested", "confirmed", "stated")}
        for customer, at in left.items():
            warning, back = self.warned(customer, at), self._returned(customer, at)
            steps = [] if warning is None else self.warnings[warning["data"]["warning_id"]]
            own = {
                "suggested": {
                    cause["reason"]
                    for step in steps
                    if instant(step["time"]) <= at
                    for cause in step["data"]["causes"]
                },
                "confirmed": set[str](),
                "stated": set[str](),
            }
            since = at if warning is None else instant(warning["time"])
            asked = [
                line
                for when, line in self.actions[customer]
                if since <= when <= back
                and line["kind"] in ("confirm", "contact", "offer")
                and line.get("result") != "wrong_contact"
            ]
            own["confirmed"] = {code for line in asked for code in line.get("reasons", ())} - NO_REASONS
            said = [
                line.get("reason")
                for when, line in self.recount.of[customer]
                if line["type"] == "closure" and at <= when <= back
            ]
            own["stated"] = {reason for reason in said if reason} - NO_REASONS
            for name, names in own.items():
                found[name] += bool(names)
                codes[name].update(names)
            if own["confirmed"] or own["stated"]:
                found["known"] += 1
            elif any(map(_answered, asked)) or "unknown" in said:
                found["unknown"] += 1
            else:
                found["not_reached" if asked else "not_asked"] += 1
        return {**found, "codes": {name: dict(counted) for name, counted in codes.items()}}

    def alarms(self, begin: int, end: int) -> dict[str, Any]:
        """Return of matured warnings and causes, by tier and rule, after how many the customer left."""
        tiers: dict[str | None, list[bool]] = {}
        for at, step in self.opened(begin, end):
            if self.is_matured(at):
                churned = self.recount.churned(step["data"]["customer_id"], at)
                for tier in (None, step["data"]["tier"]):
                    tiers.setdefault(tier, []).append(churned)
        rules: dict[tuple[str, str], list[bool]] = {}
        seen = set()
        for steps in self.warnings.values():
            customer = steps[0]["data"]["customer_id"]
            for step in steps:
                for cause in step["data"]["causes"]:
                    at = instant(cause["opened_at"])
                    key = (customer, cause["rule"], at)
                    if begin <= at < end and key not in seen and self.is_matured(at):
                        seen.add(key)
                        judged = rules.setdefault((cause["rule"], cause["tier"]), [])
                        judged.append(self.recount.churned(customer, at))
        losses = [
            (customer, at)
            for customer, kind, at, _ in self.recount.losses(begin, end)
            if kind != "closed_after_lapse"
        ]
        return {
            "tiers": {tier: (sum(own), len(own)) for tier, own in tiers.items()},
            "rules": {rule: (sum(own), len(own)) for rule, own in rules.items()},
            "losses": len(losses),
            "missed": sum(self.warned(*loss) is None for loss in losses),
        }


def _answered(action: Line) -> bool:
    reasons = action.get("reasons", ())
    silent = action.get("result") == "not_reached" or ("not_reached" in reasons and "unknown" not in reasons)
    return not silent


def handling(
    lines: Iterable[Line], begin: int, end: int, now: int, answer_within: int, solve_within: int
) -> dict[str, Any]:
    """Return how the complaints of a period were handled: times in days, and what came too late."""
    lives: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for at, line in in_order(lines):
        if line["type"] == "complaint":
            key = (line["customer_id"], line["complaint_id"])
            lives.setdefault(key, []).append((at, line.get("status", "opened")))
    answers: list[float] = []
    solutions: list[float] = []
    late_answers = late_solutions = n = 0
    for events in lives.values():
        openings = [at for at, status in events if status in ("opened", "reopened")]
        if not openings or not begin <= openings[0] < end:
            continue
        n += 1
        opened = openings[0]
        answered = _first(events, "answered", opened)
        solved = _first(events, "resolved", opened)
        if answered is not None and (solved is None or answered <= solved):
            answers.append((answered - opened) / DAY)
        reacted = min((at for at in (answered, solved) if at is not None), default=now)
        late_answers += reacted > opened + answer_within
        stands = events[-1][0] if _is_solved(events) else None
        if stands is not None:
            stands = max(at for at, status in events if status == "resolved")
            solutions.append((stands - opened) / DAY)
        late_solutions += (now if stands is None else stands) > opened + solve_within
    return {
        "n": n,
        "answers": len(answers),
        "answer_median": median(answers) if answers else None,
        "late_answers": late_answers,
        "solutions": len(solutions),
        "solution_median": median(solutions) if solutions else None,
        "late_solutions": late_solutions,
    }


def _first(events: Sequence[tuple[int, str]], status: str, since: int) -> int | None:
    return next((at for at, own in events if own == status and at >= since), None)


def _is_solved(events: Sequence[tuple[int, str]]) -> bool:
    """Say whether the last word but answers is that it is resolved."""
    words = [status for _, status in events if status != "answered"]
    return bool(words) and words[-1] == "resolved"
