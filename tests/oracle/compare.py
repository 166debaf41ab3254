"""Differences between what an engine put out and what the twin says, as lines that a person can read."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import polars as pl

from streams.core.events.batch import MILLION
from streams.core.events.topics import Topic
from streams.core.steps import TRAITS, Cause, Step
from tests.oracle.attention import told
from tests.oracle.conditions import SCHEMA
from tests.oracle.engine import TwinStep
from tests.oracle.history import READS, Event, Value

TOLERANCE: Final = 1e-9
"""Relative: the order in which floats are added may differ, nothing else may."""

OF_MODELS: Final = frozenset(
    {"churn_probability", "churn_lift", "churn_rank", "p_alive", "p_silent", "value", "value_at_risk"}
)
"""Features that the twin does not recount."""

Rows = Mapping[tuple[int, str], Mapping[str, Value]]
"""Feature rows by instant and customer."""


def when(at: int) -> str:
    """Return an instant as a person reads it."""
    return datetime.fromtimestamp(at // MILLION, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{at % MILLION:06}Z"


def same(a: Value, b: Value) -> bool:
    """Say whether two values agree: missing only with missing, counts and texts exactly."""
    if isinstance(a, float) or isinstance(b, float):
        numbers = isinstance(a, int | float) and isinstance(b, int | float)
        return numbers and math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)  # type: ignore[arg-type]
    return a == b


def compare_row(row: Mapping[str, Value], expected: Mapping[str, Value], place: str) -> list[str]:
    """Return a line for each feature that differs."""
    return [
        f"{place} {name}: engine {row.get(name, 'has no column')}, twin {value}"
        for name, value in expected.items()
        if name not in row or not same(row[name], value)
    ]


def compare_types(frame: pl.DataFrame) -> list[str]:
    """Return a line for each column that is missing, unknown or of another type than the catalogue's."""
    lines = [f"no column {name}" for name in SCHEMA if name not in frame.columns]
    known = {"customer_id", "at", *SCHEMA, *OF_MODELS}
    lines += [f"column {name} is not in the catalogue" for name in frame.columns if name not in known]
    for name in set(SCHEMA) & set(frame.columns):
        dtype = frame.schema[name]
        text = SCHEMA[name] == pl.String and dtype in (pl.Categorical, pl.Enum)
        if dtype != SCHEMA[name] and not text:
            lines.append(f"column {name} is {dtype}, not {SCHEMA[name]}")
    return lines


def compare_features(
    frames: Iterable[tuple[int, pl.DataFrame]], expected: Rows, only: Collection[str] | None = None
) -> list[str]:
    """Return the differences of the sweeps' frames from the twin's rows; `only` these customers."""
    lines: list[str] = []
    left = dict(expected)
    last: int | None = None
    for at, frame in frames:
        if last is not None and at <= last:
            lines.append(f"sweep {when(at)} came after the sweep {when(last)}")
        last = at
        lines += compare_types(frame)
        for row in frame.iter_rows(named=True):
            customer = row["customer_id"]
            if only is not None and customer not in only:
                continue
            place = f"{when(at)} {customer}"
            twin = left.pop((at, customer), None)
            if twin is None:
                lines.append(f"{place}: the engine has a row twice or one that the twin has not")
            else:
                lines += compare_row(row, twin, place)
    lines += [f"{when(at)} {customer}: the engine has no row" for at, customer in left]
    return lines


def compare_steps(steps: Sequence[Step], expected: Sequence[TwinStep]) -> list[str]:
    """Return the differences of the engine's steps from the twin's, customer by customer."""
    lines = [
        f"step at {when(b.at)} was put out after one at {when(a.at)}"
        for a, b in pairwise(steps)
        if b.at < a.at
    ]
    mine: dict[str, list[Step]] = defaultdict(list)
    theirs: dict[str, list[TwinStep]] = defaultdict(list)
    for step in steps:
        mine[step.customer_id].append(step)
    for made in expected:
        theirs[made.customer_id].append(made)
    for customer in sorted({*mine, *theirs}):
        lines += compare_customer(mine[customer], theirs[customer])
    return lines + compare_ids(mine, theirs)


def compare_customer(steps: Sequence[Step], expected: Sequence[TwinStep]) -> list[str]:
    """Return the differences of one customer's steps, up to the first that differs."""
    for i in range(max(len(steps), len(expected))):
        if i >= len(expected):
            return [f"the engine has a step more: {show_step(steps[i])}"]
        if i >= len(steps):
            return [f"the engine lacks a step: {show_twin(expected[i])}"]
        engine, twin = show_step(steps[i]), show_twin(expected[i])
        if engine != twin:
            return [f"step {i + 1}:\n  engine {engine}\n  twin   {twin}"]
        lines = compare_traits(steps[i], expected[i]) + compare_causes(steps[i], expected[i])
        if lines:
            return lines
    return []


def compare_traits(step: Step, made: TwinStep) -> list[str]:
    """Return the differences of what the step says of the customer's groups."""
    told = {name: getattr(step.traits, name) for name in TRAITS}
    return compare_row(told, {name: made.row.get(name) for name in TRAITS}, f"{show_step(step)} traits")


def compare_causes(step: Step, made: TwinStep) -> list[str]:
    """Return the differences of the values in the causes that joined or left at this step."""
    lines: list[str] = []
    for cause in step.causes:
        if cause.rule in made.step.changed:
            expected = {name: made.row.get(name) for name in cause.values if name in READS}
            lines += compare_row(cause.values, expected, f"{show_step(step)} {cause.rule} values")
    return lines


def compare_ids(mine: Mapping[str, list[Step]], theirs: Mapping[str, list[TwinStep]]) -> list[str]:
    """Return a line for each warning id that stands for two warnings, or is not the one that it should be."""
    ids: dict[tuple[str, int], set[str]] = defaultdict(set)
    for customer, steps in mine.items():
        for step, made in zip(steps, theirs[customer], strict=False):
            ids[customer, made.step.warning].update((step.warning_id, made.step.id))
    lines = [
        f"{customer} warning {n} has the ids {found}"
        for (customer, n), found in ids.items()
        if len(found) > 1
    ]
    if len(set().union(*ids.values())) < len(ids):
        lines.append("one warning id stands for two warnings")
    return lines


def show_step(step: Step) -> str:
    """Return the engine's step as one line."""
    causes = ", ".join(sorted(show_cause(cause) for cause in step.causes))
    head = f"{when(step.at)} {step.customer_id} {step.kind} {step.number} {step.tier.label}"
    return f"{head} opened {when(step.opened_at)} [{causes}] {told(step.acknowledgement)}"


def show_cause(cause: Cause) -> str:
    """Return a cause as the twin writes it."""
    return f"{cause.rule} since {when(cause.since)} open {when(cause.opened_at)}"


def show_twin(made: TwinStep) -> str:
    """Return the twin's step as one line of the same form."""
    step = made.step
    causes = ", ".join(
        sorted(f"{rule} since {when(c.since)} open {when(c.opened_at)}" for rule, c in step.causes.items())
    )
    head = f"{when(step.at)} {made.customer_id} {step.kind} {step.number} {step.tier.label}"
    return f"{head} opened {when(step.opened_at)} [{causes}] {step.attention}"


def show_event(event: Event) -> str:
    """Return an event as one line of a printed history."""
    parts = [when(event.at), Topic(event.topic).label, event.customer_id, event.event_id]
    if event.topic in (Topic.ORDERS, Topic.COMPLAINTS):
        parts.append(f"status={event.status}")
    if event.amount:
        parts.append(f"amount={event.amount}")
    if event.complaint_id:
        parts.append(f"complaint={event.complaint_id} satisfaction={event.satisfaction}")
    if event.record is not None:
        parts.append(repr(event.record))
    return " ".join(parts)


def report(lines: Sequence[str], arrivals: Sequence[Event] = (), limit: int = 20) -> str:
    """Return the first differences and the history that shows them."""
    more = [f"... and {len(lines) - limit} more"] if len(lines) > limit else []
    history = [show_event(event) for event in arrivals[:200]]
    return "\n".join([*lines[:limit], *more, "records in the order of arrival:", *history])
