"""The route tree: which receivers get a notice, in which language, and at once or in a digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from streams.contract.silences import Recurring

CUSTOMER: Final = "customer"
SEGMENT: Final = "segment"
LABELS: Final = (
    *("tier", "class", "segment", "region", "owner", "rule", "reason", "decision"),
    *("kind", "dimension", "value"),
)
"""What a route may match on."""
LANGUAGES: Final = ("en", "zh")
DIGESTED: Final = ("medium", "low")
"""The tiers that wait for a digest; `high` is always sent at once."""

Labels = Mapping[str, frozenset[str]]
"""The words of a warning for each label; a label without a word is left out."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many messages a receiver gets in a period; those beyond are gathered into one."""

    messages: int
    per: timedelta


@dataclass(frozen=True, slots=True)
class Receiver:
    """A team: its channels, and the clock that its people live by."""

    name: str
    channels: tuple[str, ...]
    time_zone: str = "UTC"
    rate_limit: RateLimit | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree; what it does not set itself it has from the node above."""

    name: str
    """Its own and those of the nodes above, such as `all/key-customers`."""
    receiver: Receiver
    match: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each label, words of which a warning must have one."""
    continues: bool = False
    """Whether the routes after it are tried as well where it matches."""
    language: str = LANGUAGES[0]
    template: str | None = None
    """The name of the team's own templates; `None` for those that come with Lapwing."""
    digest: str | None = None
    """The local time of the daily digest, `HH:MM`; `None` where everything is sent at once."""
    quiet_hours: Recurring | None = None
    """In the time zone of its receiver."""
    escalate_to: tuple[Receiver, ...] = ()
    """Who gets the notice of a passed deadline: of the first the first one, then the next."""
    routes: tuple[Route, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Return whether the warning has one of the words for every label that is matched on."""
        return all(
            not labels.get(label, frozenset()).isdisjoint(words) for label, words in self.match.items()
        )

    def find(self, labels: Labels) -> tuple[Route, ...]:
        """Return the deepest routes that take a warning, as Alertmanager does.

        The first of the inner routes that matches takes it, and the next ones too while it `continues`. Where
        none matches, the route itself takes it.
        """
        if not self.matches(labels):
            return ()
        found: list[Route] = []
        for inner in self.routes:
            taken = inner.find(labels)
            found += taken
            if taken and not inner.continues:
                break
        return tuple(found) or (self,)

    def hours_of(self, receiver: Receiver) -> Recurring | None:
        """Return the quiet hours by the clock of a receiver."""
        if self.quiet_hours is None or self.quiet_hours.time_zone == receiver.time_zone:
            return self.quiet_hours
        return self.quiet_hours.model_copy(update={"time_zone": receiver.time_zone})

    def next_team(self, level: int) -> Receiver | None:
        """Return who gets the notice of the `level`-th passed deadline; the last one gets all after it."""
        if not self.escalate_to:
            return None
        return self.escalate_to[min(max(level, 1), len(self.escalate_to)) - 1]

    def gathers(self, tier: str) -> bool:
        """Return whether warnings of a tier wait for the daily digest."""
        return self.digest is not None and tier in DIGESTED

    def walk(self) -> Iterator[Route]:
        """Yield this route and all within it, in the order in which they are tried."""
        yield self
        for inner in self.routes:
            yield from inner.walk()


@dataclass(frozen=True, slots=True)
class ScheduledReport:
    """A report that a receiver gets after each day, week or month."""

    name: str
    receiver: Receiver
    every: str
    """`day`, `week` or `month`."""
    at: str
    """The receiver's local time on the day after the period, `HH:MM`."""
    view: str
    language: str
    zone: str
    """The business's, in which its days begin."""


@dataclass(frozen=True, slots=True)
class RouteTree:
    """The routes, all receivers by name, and the reports that they get."""

    root: Route
    receivers: Mapping[str, Receiver]
    reports: tuple[ScheduledReport, ...] = ()

    def find(self, labels: Labels) -> tuple[Route, ...]:
        """Return the routes that take a warning; at least the root does."""
        return self.root.find(labels) or (self.root,)


def everything_to(channels: Sequence[str]) -> RouteTree:
    """Return the tree that sends every notice at once to all channels."""
    receiver = Receiver("all", tuple(channels))
    return RouteTree(Route("all", receiver), {receiver.name: receiver})


def labels_of(data: Mapping[str, Any]) -> Labels:
    """Return the labels of a customer's warning, of `data` of its step's CloudEvent.

    Rules, reasons and owners are those of the causes that are shown. An `owner` looks after the customer, or
    answers for one of the rules.
    """
    causes = [cause for cause in data["causes"] if cause.get("inhibited_by") is None]
    decision = data.get("decision")
    verdict = decision.get("verdict") if isinstance(decision, Mapping) else decision
    words: dict[str, list[Any]] = {
        "kind": [CUSTOMER],
        "tier": [data["tier"]],
        "class": [data.get("customer_class")],
        "segment": [data.get("segment")],
        "region": [data.get("region")],
        "owner": [data.get("account_owner"), *(cause.get("owner") for cause in causes)],
        "rule": [cause["rule"] for cause in causes],
        "reason": [cause["reason"] for cause in causes],
        "decision": [verdict],
    }
    return _without_nothing(words)


def labels_of_segment(data: Mapping[str, Any]) -> Labels:
    """Return the labels of a segment's warning; a warning by region has that region, and so on."""
    causes = data["causes"]
    dimension, value = data["dimension"], data["value"]
    words: dict[str, list[Any]] = {
        "kind": [SEGMENT],
        "tier": [data["tier"]],
        "dimension": [dimension],
        "value": [value],
        "owner": [cause.get("owner") for cause in causes],
        "rule": [cause["rule"] for cause in causes],
        "reason": [cause["reason"] for cause in causes],
    }
    label = {"customer_class": "class"}.get(dimension, dimension)
    if label in ("class", "segment", "region"):
        words[label] = [value]
    return _without_nothing(words)


def _without_nothing(words: Mapping[str, Sequence[Any]]) -> Labels:
    found = {label: frozenset(str(word) for word in several if word) for label, several in words.items()}
    return {label: several for label, several in found.items() if several}
