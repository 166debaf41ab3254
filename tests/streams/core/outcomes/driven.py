"""An engine driven for its outcomes, as plain dicts like the twin's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from streams.contract.customer_days import encode_customer_days, parse_customer_days
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.erasures import Erasure
from streams.core.events.batch import ActionRecord, Batch, LabelsRecord
from streams.core.events.topics import Topic
from streams.core.outcomes.outcome import CensusCell, CensusEvent, CensusMatured, CustomerDays, Outcome
from streams.core.rules.rule_set import RuleSet
from streams.core.state_tables import restore, tables
from tests.oracle.drive import engine_settings, erased
from tests.oracle.engine import OracleSettings
from tests.oracle.histories import History
from tests.oracle.history import Event
from tests.oracle.outcomes import TwinTerms


def new_engine(options: OracleSettings, terms: TwinTerms, rules: RuleSet) -> Engine:
    """Return an engine of the twin's settings that puts out outcomes."""
    settings = replace(
        engine_settings(options),
        horizon_us=terms.horizon,
        active_within_us=terms.active_within,
        activity=terms.activity,
        outcomes=True,
        customer_days=True,
    )
    return Engine(settings, rules)


def drive_outcomes(
    options: OracleSettings,
    terms: TwinTerms,
    rules: RuleSet,
    batches: Sequence[Batch],
    until: int,
    *,
    restarts: bool = False,
    erasures: Mapping[int, Erasure] | None = None,
) -> tuple[list[Outcome], list[CensusEvent], list[CustomerDays]]:
    """Run an engine over batches, each taken by a new one with the state before if `restarts`.

    `erasures` are adopted after that many batches.
    """
    engine = new_engine(options, terms, rules)
    outputs: list[Output] = []
    for number, batch in enumerate(batches):
        if erasures and number in erasures:
            engine, output = erased(engine, erasures[number])
            outputs.append(output)
        outputs.append(engine.step(batch))
        if restarts:
            saved = tables(engine)
            engine = new_engine(options, terms, rules)
            restore(engine, saved)
            again = tables(engine)
            assert all(again[name].equals(frame) for name, frame in saved.items())
    outputs += [engine.flush(idle=False), engine.advance(until)]
    return (
        [outcome for output in outputs for outcome in output.outcomes],
        [event for output in outputs for event in output.census],
        [days for output in outputs for days in output.customer_days],
    )


def with_words(history: History) -> History:
    """Return a history whose orders name channels and whose actions treat, by what their ids are."""
    acts: dict[str, list[str]] = {}
    made = []
    for event in history.arrivals:
        made.append(_with_words(event, acts.setdefault(event.customer_id, [])))
        if event.topic == Topic.ACTIONS:
            acts[event.customer_id].append(event.event_id)
    return History(history.zone, tuple(made))


def _with_words(event: Event, acts: Sequence[str]) -> Event:
    number = sum(event.event_id.encode())
    if event.topic == Topic.ORDERS:
        channel = (None, "web", "shop")[number % 3]
        return replace(event, record=LabelsRecord(channel, None) if channel else None)
    if event.topic == Topic.ACTIONS and number % 3:
        kind, result = ("contact", "offer")[number % 2], (None, "not_reached", "wrong_contact")[number % 3]
        actor = ("ann", None)[number % 5 == 0]
        corrects = acts[-1 - number % min(len(acts), 2)] if acts and number % 7 < 4 else None
        record = ActionRecord("no-such-warning", kind, result, actor=actor, corrects=corrects)
        return replace(event, record=record)
    return event


def plain_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as the twin puts it."""
    facts = outcome.facts._asdict()
    assert facts.pop("holdout") is False
    details = asdict(outcome.details)
    for name in ("value", "play", "decision", "churn_probability", "version", "status", "lot", "experiment"):
        details.pop(name, None)
    if outcome.kind == "cause.matured":
        details.pop("tier")
    own: dict[str, Any] = {
        "kind": str(outcome.kind),
        "customer": outcome.customer_id,
        "at": outcome.at,
        "late": outcome.late,
    }
    return own | details | facts


def plain_census(event: CensusEvent) -> dict[str, Any]:
    """Return a census's cell, summary or maturity as the twin puts it."""
    plain: dict[str, Any] = {
        name: value for name, value in asdict(event).items() if name not in ("id", "partition")
    }
    if isinstance(event, CensusCell):
        for name in (
            "value_original",
            "value_original_n",
            "value_lost",
            "value_lost_n",
            "scored",
            "expected",
        ):
            plain.pop(name)
        sums: dict[str, Any] = plain.pop("sums")
        return {"kind": "taken"} | plain | sums | {"cell": tuple(event.cell.values())}
    if isinstance(event, CensusMatured):
        for name in ("scored", "expected", "untreated_scored", "untreated_expected"):
            plain.pop(name)
        return {"kind": "matured"} | plain | {"cell": tuple(event.cell.values())}
    return {"kind": "summary"} | {n: plain[n] for n in ("at", "customers", "active", "cells")}


def plain_days(days: CustomerDays) -> dict[str, Any]:
    """Return a customer's days as the twin puts them."""
    event = json.loads(encode_customer_days(days, "shop"))
    own = event["data"]
    assert parse_customer_days(json.dumps(event).encode()).subject == days.customer_id
    return {
        "at": days.at,
        "customer": days.customer_id,
        "warning_id": days.warning_id,
        "first": own["first_day"],
        "days": [list(day.values()) for day in own["days"]],
    }
