"""The win-back list: customers who are gone, those worth most first.

The meanings stand in `docs/scorecard.md`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from consumers.actions import CONTACTS, Action
from consumers.lapsed.facts import Departure, LapsedFacts, LastWarning
from streams.contract.instants import format_instant, instant_us

DAY_US: Final = 86_400_000_000
NO_REASONS: Final = frozenset({"unknown", "not_reached"})
"""Codes that are no reasons."""


class ReasonSource(StrEnum):
    """Who says why a customer left."""

    TEAM = "team"
    """Confirmed in an action."""
    CUSTOMER = "customer"
    """Stated with the closure."""
    WARNING = "warning"
    """Suggested by the causes of the last warning."""


class LeftOut(StrEnum):
    """Why a customer who is gone is not on the list."""

    DO_NOT_CONTACT = "do_not_contact"
    HELD_OUT = "held_out"


@dataclass(frozen=True, slots=True)
class WinBackFilter:
    """Which customers: of every collection that is not empty one word must match."""

    classes: Collection[str] = ()
    segments: Collection[str] = ()
    regions: Collection[str] = ()
    owners: Collection[str] = ()
    min_value: float | None = None
    since: int | None = None
    until: int | None = None
    """Left in [since, until)."""
    holdout: bool = False
    """Whether to list held-out customers too."""
    exempt: Collection[str] = ()
    """Classes that are never held out, whatever their customers' number."""


@dataclass(frozen=True, slots=True)
class PastWarning:
    """A customer's last warning, and what came of it."""

    warning_id: str
    opened_at: int
    tier: str | None
    state: str | None
    rules: tuple[str, ...]
    verdict: str | None
    """Of its decision: `rescue`, `dont`, `unknown`."""
    play: str | None
    treated: bool | None
    churned: bool | None
    """`None` where it has not matured."""
    actions: int
    """Contacts and offers about it."""
    last_result: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return {**own, "opened_at": format_instant(self.opened_at), "rules": list(self.rules)}


@dataclass(frozen=True, slots=True)
class WinBackCustomer:
    """A customer who is gone."""

    customer_id: str
    left_at: int
    closed: bool
    """The customer left expressly, at once or after a silence."""
    away_since: int | None
    """The last activity that is known."""
    days_away: float | None
    value: float | None
    customer_class: str | None
    segment: str | None
    region: str | None
    account_owner: str | None
    reasons: tuple[str, ...]
    reasons_from: ReasonSource | None
    churn_type: str | None
    last_warning: PastWarning | None
    attempts: int
    """Contacts and offers since the customer left."""
    last_attempt_result: str | None
    holdout: bool

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return {
            **own,
            "left_at": format_instant(self.left_at),
            "away_since": None if self.away_since is None else format_instant(self.away_since),
            "reasons": list(self.reasons),
            "last_warning": None if self.last_warning is None else self.last_warning.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class WinBackList:
    """The customers that match a filter, and how many were left out, by why."""

    customers: tuple[WinBackCustomer, ...]
    """Those worth most first; where the value is not known, last."""
    left_out: dict[str, int]
    gone: int
    """All who are gone, matching or not."""
    known_to: int | None

    def as_dict(self, most: int | None = None) -> dict[str, Any]:
        """Return it as plain JSON values, of the customers as many as are asked for."""
        return {
            "known_to": None if self.known_to is None else format_instant(self.known_to),
            "gone": self.gone,
            "left_out": self.left_out,
            "matching": len(self.customers),
            "customers": [each.as_dict() for each in self.customers[:most]],
        }


@dataclass(frozen=True, slots=True)
class Departed:
    """All customers who are gone, before anybody chooses among them."""

    customers: tuple[tuple[WinBackCustomer, bool], ...]
    """In the order of the list, each with whether nobody may contact them."""
    known_to: int | None


def departed(facts: LapsedFacts, at: int | None = None) -> Departed:
    """Return who is gone; they are away until `at`, by default what is known."""
    now = at if at is not None else facts.known_to
    found = []
    for customer_id, departure in facts.departures.items():
        warning = facts.warnings.get(customer_id)
        customer = _customer(customer_id, departure, warning, facts.actions.get(customer_id, ()), now)
        found.append((customer, _is_barred(departure, warning)))
    found.sort(key=lambda pair: _order(pair[0]))
    return Departed(tuple(found), facts.known_to)


def _order(each: WinBackCustomer) -> tuple[bool, float, int, str]:
    return (each.value is None, -(each.value or 0), -each.left_at, each.customer_id)


def chosen(gone: Departed, wanted: WinBackFilter) -> WinBackList:
    """Return who of those who are gone matches."""
    found: list[WinBackCustomer] = []
    left_out: Counter[str] = Counter({why.value: 0 for why in LeftOut})
    for customer, is_barred in gone.customers:
        if not _matches(customer, wanted):
            continue
        if is_barred:
            left_out[LeftOut.DO_NOT_CONTACT] += 1
        elif customer.holdout and not wanted.holdout and customer.customer_class not in wanted.exempt:
            left_out[LeftOut.HELD_OUT] += 1
        else:
            found.append(customer)
    return WinBackList(tuple(found), dict(left_out), len(gone.customers), gone.known_to)


def win_back_list(facts: LapsedFacts, wanted: WinBackFilter, at: int | None = None) -> WinBackList:
    """Return who of those who are gone matches; they are away until `at`, by default what is known."""
    return chosen(departed(facts, at), wanted)


def _customer(
    customer_id: str,
    departure: Departure,
    warning: LastWarning | None,
    actions: Sequence[Action],
    now: int | None,
) -> WinBackCustomer:
    data = departure.newest
    step = warning.step if warning is not None and warning.step is not None else {}
    last = departure.data.get("silent_since") or data["last_order_at"]
    away_since = None if last is None else instant_us(last)
    attempts = [each for each in actions if each.kind in CONTACTS and each.at >= departure.at]
    reasons, source = _reasons(departure, warning, actions)
    return WinBackCustomer(
        customer_id=customer_id,
        left_at=departure.at,
        closed=departure.closure is not None,
        away_since=away_since,
        days_away=None if away_since is None or now is None else (now - away_since) / DAY_US,
        value=_value(departure, step),
        customer_class=data["customer_class"],
        segment=data["segment"],
        region=data["region"],
        account_owner=data.get("account_owner") or step.get("account_owner"),
        reasons=reasons,
        reasons_from=source,
        churn_type=departure.closure["churn_type"] if departure.closure else None,
        last_warning=None if warning is None else _past(warning, actions, departure),
        attempts=len(attempts),
        last_attempt_result=next((each.result for each in reversed(attempts) if each.result), None),
        holdout=bool(data["holdout"] or step.get("holdout")),
    )


def _value(departure: Departure, step: Any) -> float | None:
    """Return the value at the lapse; of one who closed at once, that of the last warning's newest step."""
    at_lapse = departure.data.get("value")
    value = at_lapse if at_lapse is not None else (step.get("decision") or {}).get("value")
    return None if value is None else float(value)


def _past(warning: LastWarning, actions: Sequence[Action], departure: Departure) -> PastWarning:
    step, matured = warning.step or {}, warning.matured or {}
    warned = departure.data["warned"] or {}
    named = warned if warned.get("warning_id") == warning.warning_id else {}
    decision = step.get("decision") or matured.get("decision") or {}
    own = [each for each in actions if each.warning_id == warning.warning_id and each.kind in CONTACTS]
    rules = [cause["rule"] for cause in step.get("causes", ())]
    return PastWarning(
        warning_id=warning.warning_id,
        opened_at=warning.opened_at,
        tier=step.get("tier") or named.get("tier") or matured.get("tier"),
        state=step.get("state"),
        rules=tuple(rules or named.get("rules") or matured.get("rules", ())),
        verdict=decision.get("verdict"),
        play=step.get("play") or matured.get("play"),
        treated=matured.get("treated"),
        churned=matured.get("churned"),
        actions=len(own),
        last_result=next((each.result for each in reversed(own) if each.result), None),
    )


def _reasons(
    departure: Departure, warning: LastWarning | None, actions: Sequence[Action]
) -> tuple[tuple[str, ...], ReasonSource | None]:
    """Return why the customer left: what the team found, else what was stated, else what was suggested."""
    begin = min(departure.at, warning.opened_at if warning is not None else departure.at)
    for action in reversed(actions):
        found = tuple(code for code in action.reasons if code not in NO_REASONS)
        if found and action.at >= begin:
            return found, ReasonSource.TEAM
    if departure.closure is not None and (stated := departure.closure["reason"]):
        return (stated,), ReasonSource.CUSTOMER
    if warning is not None and warning.step is not None:
        suggested = tuple(dict.fromkeys(cause["reason"] for cause in warning.step["causes"]))
        return suggested, ReasonSource.WARNING
    return (), None


def _is_barred(departure: Departure, warning: LastWarning | None) -> bool:
    """Return whether the customer must not be contacted, as the newest outcome or step says."""
    step = warning.step if warning is not None and warning.step is not None else {}
    decision = step.get("decision") or {}
    return bool(
        departure.newest.get("do_not_contact")
        or step.get("do_not_contact")
        or decision.get("why") == "do_not_contact"
    )


def _matches(customer: WinBackCustomer, wanted: WinBackFilter) -> bool:
    words: list[tuple[Collection[str], str | None]] = [
        (wanted.classes, customer.customer_class),
        (wanted.segments, customer.segment),
        (wanted.regions, customer.region),
        (wanted.owners, customer.account_owner),
    ]
    return (
        all(not given or word in given for given, word in words)
        and (wanted.min_value is None or (customer.value is not None and customer.value >= wanted.min_value))
        and (wanted.since is None or customer.left_at >= wanted.since)
        and (wanted.until is None or customer.left_at < wanted.until)
    )
