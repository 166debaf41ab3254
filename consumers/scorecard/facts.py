"""What a scorecard is made from, as columns: matured causes and warnings, who left, what the team found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from consumers.actions import Action
from streams.contract.instants import instant_us

CAUSE: Final = "churn.cause.matured"
WARNING: Final = "churn.warning.matured"
LAPSED: Final = "churn.customer.lapsed"
CLOSED: Final = "churn.customer.closed"
LIVES: Final = ("churn.customer.acquired", LAPSED, CLOSED, "churn.customer.returned")
"""Outcomes of customers, in the order in which those of one instant happen to one customer."""
OUTCOMES: Final = (CAUSE, WARNING, *LIVES)
GROUPS: Final = ("customer_class", "segment", "region", "origin")

CAUSE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "customer_id": pl.String(),
    "rule": pl.String(),
    "tier": pl.String(),
    "status": pl.String(),
    "warning_id": pl.String(),
    "opened_at": pl.Int64(),
    "already_lost": pl.Boolean(),
    "churned": pl.Boolean(),
}
WARNING_SCHEMA: Final[dict[str, pl.DataType]] = {
    "warning_id": pl.String(),
    "customer_id": pl.String(),
    "opened_at": pl.Int64(),
    "tier": pl.String(),
    "churned": pl.Boolean(),
    "treated": pl.Boolean(),
    "holdout": pl.Boolean(),
}
LOSS_SCHEMA: Final[dict[str, pl.DataType]] = {
    "customer_id": pl.String(),
    "at": pl.Int64(),
    "type": pl.String(),
    **{name: pl.String() for name in GROUPS},
    "value": pl.Float64(),
    "holdout": pl.Boolean(),
    "warned_id": pl.String(),
    "warned_tier": pl.String(),
    "lead_days": pl.Float64(),
    "first_loss": pl.Boolean(),
}
"""`first_loss`: the customer had not left before, without coming back in between."""
OPENED_SCHEMA: Final[dict[str, pl.DataType]] = {
    "customer_id": pl.String(),
    "warning_id": pl.String(),
    "rule": pl.String(),
    "tier": pl.String(),
    "opened_at": pl.Int64(),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is known; instants in microseconds, and each outcome once."""

    causes: pl.DataFrame
    """As `CAUSE_SCHEMA`, one row per matured cause."""
    warnings: pl.DataFrame
    """As `WARNING_SCHEMA`, one row per matured warning."""
    losses: pl.DataFrame
    """As `LOSS_SCHEMA`, one row per lapse or closure."""
    actions: tuple[Action, ...]
    """All, those that were taken back too."""
    opened_causes: pl.DataFrame | None
    """As `OPENED_SCHEMA`, one row per cause of a warning's step; `None` where steps are not known."""
    opened_warnings: pl.DataFrame | None
    """The same per warning, with the tier of its opening and no rule."""
    known_to: int | None
    """The newest event time of all outcomes and steps."""


def facts_of(
    outcomes: Iterable[Mapping[str, Any]],
    actions: Iterable[Action] = (),
    steps: Iterable[Mapping[str, Any]] | None = None,
) -> Facts:
    """Return what the CloudEvents of outcomes say, with those of warnings' `steps` where they are known."""
    seen: set[str] = set()
    known_to: int | None = None
    causes, warnings, lives = [], [], []
    for event in outcomes:
        if event["id"] in seen:
            continue
        seen.add(event["id"])
        kind, data = event["type"], event["data"]
        at = instant_us(event["time"])
        known_to = max(at, known_to or at)
        if kind == CAUSE:
            causes.append(_picked(data, CAUSE_SCHEMA))
        elif kind == WARNING:
            warnings.append(_picked(data, WARNING_SCHEMA))
        elif kind in LIVES:
            lives.append((data["customer_id"], at, LIVES.index(kind), data))
    opened: set[tuple[Any, ...]] = set()
    openings: dict[str, tuple[Any, ...]] = {}
    for event in steps or ():
        data = event["data"]
        at = instant_us(event["time"])
        known_to = max(at, known_to or at)
        warning, customer = data["warning_id"], data["customer_id"]
        for cause in data["causes"]:
            opened.add((customer, warning, cause["rule"], cause["tier"], instant_us(cause["opened_at"])))
        if data["step"] == 1:
            openings[warning] = (customer, warning, None, data["tier"], instant_us(data["opened_at"]))
    return Facts(
        causes=pl.DataFrame(causes, schema=CAUSE_SCHEMA, orient="row"),
        warnings=pl.DataFrame(warnings, schema=WARNING_SCHEMA, orient="row").unique(
            "warning_id", keep="first", maintain_order=True
        ),
        losses=_losses(lives),
        actions=tuple(actions),
        opened_causes=None if steps is None else _opened(opened),
        opened_warnings=None if steps is None else _opened(openings.values()),
        known_to=known_to,
    )


def _picked(data: Mapping[str, Any], schema: Mapping[str, object]) -> tuple[Any, ...]:
    return tuple(instant_us(data[name]) if name == "opened_at" else data[name] for name in schema)


def _opened(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=OPENED_SCHEMA, orient="row")


def _losses(lives: list[tuple[str, int, int, Mapping[str, Any]]]) -> pl.DataFrame:
    """Return the lapses and closures, each with whether the customer was there before it."""
    rows: list[tuple[Any, ...]] = []
    gone: set[str] = set()
    for customer, at, rank, data in sorted(lives, key=lambda each: each[:3]):
        kind = LIVES[rank]
        if kind not in (LAPSED, CLOSED):
            gone.discard(customer)
            continue
        warned = data["warned"] or {}
        of_warning = (warned.get("warning_id"), warned.get("tier"), warned.get("lead_days"))
        groups = (data[name] for name in GROUPS)
        first = customer not in gone
        rows.append((customer, at, kind, *groups, data.get("value"), data["holdout"], *of_warning, first))
        gone.add(customer)
    return pl.DataFrame(rows, schema=LOSS_SCHEMA, orient="row")
