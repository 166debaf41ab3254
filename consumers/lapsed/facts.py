"""What the win-back list is made from: each customer's last leaving, last warning, and what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consumers.actions import Action, standing
from consumers.scorecard.facts import CLOSED, LAPSED, LIVES, WARNING
from streams.contract.instants import instant_us

Data = Mapping[str, Any]


@dataclass(slots=True)
class Departure:
    """A customer's last leaving: by silence, by a closure, or by a closure after a silence."""

    at: int
    """Of the first of these."""
    data: Data
    """Of the first of these."""
    closure: Data | None = None
    newest: Data = field(default_factory=dict)
    """Of the last of these."""


@dataclass(slots=True)
class LastWarning:
    """The newest step of a customer's last warning, and what became of it."""

    warning_id: str
    opened_at: int
    step: Data | None = None
    """`data` of the newest step; `None` where steps are not known."""
    matured: Data | None = None


@dataclass(frozen=True, slots=True)
class LapsedFacts:
    """By customer, who is gone; instants in microseconds."""

    departures: Mapping[str, Departure]
    warnings: Mapping[str, LastWarning]
    actions: Mapping[str, tuple[Action, ...]]
    """Those that stand, in order."""
    known_to: int | None


def departures_of(events: Iterable[Mapping[str, Any]]) -> dict[str, Departure]:
    """Return who of the customers of outcomes is gone: who left and has not come back since."""
    lives = sorted(
        (event for event in events if event["type"] in LIVES),
        key=_in_order,
    )
    gone: dict[str, Departure] = {}
    for event in lives:
        kind, data = event["type"], event["data"]
        customer = data["customer_id"]
        if kind not in (LAPSED, CLOSED):
            gone.pop(customer, None)
            continue
        departure = gone.setdefault(customer, Departure(instant_us(event["time"]), data))
        departure.newest = data
        if kind == CLOSED:
            departure.closure = data
    return gone


def _in_order(event: Mapping[str, Any]) -> tuple[str, int, int]:
    return event["data"]["customer_id"], instant_us(event["time"]), LIVES.index(event["type"])


def facts_of(
    outcomes: Iterable[Mapping[str, Any]],
    actions: Iterable[Action] = (),
    steps: Iterable[Mapping[str, Any]] = (),
    known_to: int | None = None,
) -> LapsedFacts:
    """Return what CloudEvents of outcomes and steps, and actions, say of the customers who are gone.

    `known_to` is an instant up to which things are known, if these do not reach as far.
    """
    times = [known_to] if known_to is not None else []
    kept = []
    for event in outcomes:
        times.append(instant_us(event["time"]))
        if event["type"] in (WARNING, *LIVES):
            kept.append(event)
    outcomes = kept
    departures = departures_of(outcomes)
    matured = {event["data"]["warning_id"]: event["data"] for event in outcomes if event["type"] == WARNING}
    warnings: dict[str, LastWarning] = {}
    for event in steps:
        data = event["data"]
        times.append(instant_us(event["time"]))
        if (customer := data["customer_id"]) in departures:
            _take_step(warnings, customer, data)
    for customer, departure in departures.items():
        for data in (departure.data, departure.newest):
            if (warned := data["warned"]) is not None:
                _take(warnings, customer, warned["warning_id"], instant_us(warned["opened_at"]))
    for data in matured.values():
        if data["customer_id"] in departures:
            _take(warnings, data["customer_id"], data["warning_id"], instant_us(data["opened_at"]))
    for warning in warnings.values():
        warning.matured = matured.get(warning.warning_id)
    done: dict[str, list[Action]] = {}
    for action in standing(actions):
        if action.customer_id in departures:
            done.setdefault(action.customer_id, []).append(action)
    return LapsedFacts(
        departures,
        warnings,
        {customer: tuple(own) for customer, own in done.items()},
        max(times, default=None),
    )


def _take(warnings: dict[str, LastWarning], customer: str, warning_id: str, opened_at: int) -> LastWarning:
    """Return the customer's last warning, which is this one where none opened later."""
    known = warnings.get(customer)
    if known is None or known.opened_at < opened_at:
        known = warnings[customer] = LastWarning(warning_id, opened_at)
    return known


def _take_step(warnings: dict[str, LastWarning], customer: str, data: Data) -> None:
    known = _take(warnings, customer, data["warning_id"], instant_us(data["opened_at"]))
    if known.warning_id == data["warning_id"] and (known.step is None or known.step["step"] < data["step"]):
        known.step = data
