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


class _Leavings:
    """The leavings of each customer since the last return, from outcomes in any order.

    Of all others nothing is kept: a history is much larger than what is known of those who are gone.
    """

    def __init__(self) -> None:
        self._back: dict[str, tuple[int, int]] = {}
        """By customer, the last activity's outcome."""
        self._since: dict[str, list[tuple[tuple[int, int], str, Data]]] = {}

    def take(self, kind: str, at: int, data: Data) -> None:
        """Take in an outcome of a customer's life."""
        customer, place = data["customer_id"], (at, LIVES.index(kind))
        back = self._back.get(customer)
        if kind in (LAPSED, CLOSED):
            if back is None or back < place:
                self._since.setdefault(customer, []).append((place, kind, data))
        elif back is None or back < place:
            self._back[customer] = place
            if customer in self._since:
                later = [each for each in self._since.pop(customer) if each[0] > place]
                if later:
                    self._since[customer] = later

    def departures(self) -> dict[str, Departure]:
        """Return who is gone: who left and has not come back since."""
        gone: dict[str, Departure] = {}
        for customer in sorted(self._since):
            for (at, _), kind, data in sorted(self._since[customer], key=lambda each: each[0]):
                departure = gone.setdefault(customer, Departure(at, data))
                departure.newest = data
                if kind == CLOSED:
                    departure.closure = data
        return gone


class _LastMatured:
    """Of each customer the matured warning that opened last, several where they opened at once."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[int, dict[str, Data]]] = {}

    def take(self, data: Data) -> None:
        """Take in a matured warning."""
        customer, opened_at = data["customer_id"], instant_us(data["opened_at"])
        known_at, known = self._of.get(customer, (opened_at, {}))
        if opened_at > known_at:
            known_at, known = opened_at, {}
        if opened_at == known_at:
            known[data["warning_id"]] = data
        self._of[customer] = (known_at, known)

    def of(self, customer: str) -> Mapping[str, Data]:
        """Return them by the warning's id."""
        return self._of.get(customer, (0, {}))[1]


def facts_of(
    outcomes: Iterable[Mapping[str, Any]],
    actions: Iterable[Action] = (),
    steps: Iterable[Mapping[str, Any]] = (),
    known_to: int | None = None,
) -> LapsedFacts:
    """Return what CloudEvents of outcomes and steps, and actions, say of the customers who are gone.

    `known_to` is an instant up to which things are known, if these do not reach as far.
    """
    leavings, matured = _Leavings(), _LastMatured()
    for event in outcomes:
        at = instant_us(event["time"])
        known_to = at if known_to is None else max(at, known_to)
        if event["type"] in LIVES:
            leavings.take(event["type"], at, event["data"])
        elif event["type"] == WARNING:
            matured.take(event["data"])
    departures = leavings.departures()
    warnings: dict[str, LastWarning] = {}
    for event in steps:
        data = event["data"]
        at = instant_us(event["time"])
        known_to = at if known_to is None else max(at, known_to)
        if (customer := data["customer_id"]) in departures:
            _take_step(warnings, customer, data)
    for customer, departure in departures.items():
        for data in (departure.data, departure.newest):
            if (warned := data["warned"]) is not None:
                _take(warnings, customer, warned["warning_id"], instant_us(warned["opened_at"]))
        for data in matured.of(customer).values():
            _take(warnings, customer, data["warning_id"], instant_us(data["opened_at"]))
    for customer, warning in warnings.items():
        warning.matured = matured.of(customer).get(warning.warning_id)
    done: dict[str, list[Action]] = {}
    for action in standing(actions):
        if action.customer_id in departures:
            done.setdefault(action.customer_id, []).append(action)
    return LapsedFacts(
        departures,
        warnings,
        {customer: tuple(own) for customer, own in done.items()},
        known_to,
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
