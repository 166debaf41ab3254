"""Causes and open warnings as tables, and back: what a checkpoint holds of episodes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import polars as pl

from streams.core.decision.decision import Decision, DecisionBasis, read_basis
from streams.core.events.calendar import ALWAYS
from streams.core.steps import (
    TRAITS,
    Acknowledgement,
    AcknowledgementState,
    Cause,
    Reason,
    Scoring,
    Tier,
    Traits,
)
from streams.core.warnings.causes import CausePhase, CauseState
from streams.core.warnings.episodes import Episodes, OpenWarning

_CAUSE: Final = tuple(f.name for f in fields(Cause))
_CAUSES: Final = {
    "rule": pl.String,
    "customer": pl.Int32,
    "phase": pl.String,
    "since": pl.Int64,
    "opened_at": pl.Int64,
    "clearing_since": pl.Int64,
}
_WARNINGS: Final = {
    "customer": pl.Int32,
    "id": pl.String,
    "opened_at": pl.Int64,
    "number": pl.Int32,
    "tier": pl.String,
    "causes": pl.String,
    "expires_at": pl.Int64,
    "attention": pl.String,
    "churn_probability": pl.Float64,
    "model_version": pl.String,
    "reasons": pl.String,
    **dict.fromkeys(TRAITS, pl.String),
    "holdout": pl.Boolean,
    "decision_basis": pl.String,
    "value": pl.Float64,
    "order_day_spend": pl.Float64,
}
_OF_DECISION: Final = ("value", "order_day_spend")
_MADE: Final = (
    *("causes", "churn_probability", "model_version", "reasons", "decision_basis"),
    *(*TRAITS, *_OF_DECISION),
)
"""Columns whose texts are made after the engine goes on."""


def cause_columns(causes: Iterable[tuple[int, int, CauseState]]) -> list[list[int]]:
    """Return rule, customer, phase and instants as lists: a tuple for each of so many takes long."""
    columns: list[list[int]] = [[], [], [], [], [], []]
    rules, customers, phases, since, opened_at, clearing_since = columns
    for rule, customer, state in causes:
        rules.append(rule)
        customers.append(customer)
        phases.append(state.phase)
        since.append(state.since)
        opened_at.append(state.opened_at)
        clearing_since.append(state.clearing_since)
    return columns


def causes_table(names: Sequence[str], columns: Sequence[Sequence[int]]) -> pl.DataFrame:
    """Return the table of causes; `names` are the rules' ids by their places."""
    rules, customers, phases, *instants = columns
    words = {phase: phase.name.lower() for phase in CausePhase}
    values = [
        [names[rule] for rule in rules],
        customers,
        [words[CausePhase(phase)] for phase in phases],
        *instants,
    ]
    return pl.DataFrame(dict(zip(_CAUSES, values, strict=True)), schema=_CAUSES)


def warnings_now(episodes: Episodes, names: Sequence[str]) -> Callable[[], pl.DataFrame]:
    """Copy the open warnings and return what makes a table of them; `names` are the rules'.

    Only what may change is copied here, while the engine stands still; texts are made by the second call.
    Causes go into one list, for a list or a tuple for each of so many warnings would take long.
    """
    taken: dict[str, list[Any]] = {name: [] for name in _WARNINGS if name not in _MADE}
    scorings: list[Scoring] = []
    counts: list[int] = []
    rules: list[int] = []
    causes: list[Cause] = []
    append = {name: column.append for name, column in taken.items()}
    for customer, warning in episodes.open.items():
        append["customer"](customer)
        append["id"](warning.id)
        append["opened_at"](warning.opened_at)
        append["number"](warning.number)
        append["tier"](warning.tier)
        append["expires_at"](warning.expires_at)
        append["attention"](warning.acknowledgement)
        append["holdout"](warning.holdout)
        scorings.append(warning.scoring)
        counts.append(len(warning.causes))
        rules.extend(warning.causes.keys())
        causes.extend(warning.causes.values())

    def made() -> pl.DataFrame:
        by_place = zip(rules, causes, strict=True)
        columns = taken | {
            "tier": [tier.label for tier in taken["tier"]],
            "causes": [_causes_json(names, islice(by_place, count)) for count in counts],
            "expires_at": [None if at == ALWAYS else at for at in taken["expires_at"]],
            "attention": [None if a is None else json.dumps(asdict(a)) for a in taken["attention"]],
            "churn_probability": [scoring.probability for scoring in scorings],
            "model_version": [scoring.model_version for scoring in scorings],
            "reasons": [
                json.dumps([[r.feature, r.contribution, r.value, r.group, r.text] for r in scoring.reasons])
                for scoring in scorings
            ],
            **{name: [getattr(scoring.traits, name) for scoring in scorings] for name in TRAITS},
            "decision_basis": [_basis_text(s.decision.basis) if s.decision else None for s in scorings],
            **{
                name: [getattr(s.decision, name) if s.decision else None for s in scorings]
                for name in _OF_DECISION
            },
        }
        return pl.DataFrame({name: columns[name] for name in _WARNINGS}, schema=_WARNINGS).sort("customer")

    return made


@lru_cache(maxsize=4096)
def _basis_text(basis: DecisionBasis) -> str:
    return basis.as_json()


def _causes_json(names: Sequence[str], causes: Iterable[tuple[int, Cause]]) -> str:
    own = {names[rule]: {name: getattr(cause, name) for name in _CAUSE} for rule, cause in causes}
    return json.dumps({rule: own[rule] for rule in sorted(own)})  # values in their order, that of the wire


def restore_episodes(episodes: Episodes, state: Mapping[str, pl.DataFrame], once: Mapping[str, Any]) -> None:
    """Put causes and warnings of rules that there still are into `episodes`."""
    places = {rule.id: place for place, rule in enumerate(episodes.rules.rules)}
    for rule, customer, phase, since, opened_at, clearing_since in state["lives"].iter_rows():
        if rule in places:
            cause = CauseState(CausePhase[phase.upper()], since, opened_at, clearing_since)
            episodes.causes.put(places[rule], customer, cause)
    for row in state["warnings"].iter_rows(named=True):
        episodes.keep_open(row["customer"], _warning(row, places))
    newest = {customer: (at, again) for customer, at, again in state["openings"].iter_rows()}
    episodes.resume(newest, once["opened"])


def _warning(row: Mapping[str, Any], places: Mapping[str, int]) -> OpenWarning:
    causes = json.loads(row["causes"])
    # A state of format 1 has none of what follows.
    acknowledgement, expires_at = row.get("attention"), row.get("expires_at")
    reasons = tuple(Reason(*reason) for reason in json.loads(row.get("reasons") or "[]"))
    traits = Traits(*(row.get(name) for name in TRAITS))
    probability, basis = row.get("churn_probability"), row.get("decision_basis")
    decision = None
    if basis is not None:
        decision = Decision(read_basis(basis), probability, row["value"], row["order_day_spend"])
    return OpenWarning(
        row["id"],
        row["opened_at"],
        row["number"],
        Tier[row["tier"].upper()],
        causes={places[r]: _cause(c) for r, c in causes.items() if r in places},
        orphans=tuple(_cause(c) for r, c in causes.items() if r not in places),
        acknowledgement=None if acknowledgement is None else _acknowledgement(json.loads(acknowledgement)),
        expires_at=ALWAYS if expires_at is None else expires_at,
        scoring=Scoring(probability, row.get("model_version"), reasons, traits, decision),
        holdout=bool(row.get("holdout")),
    )


def _cause(values: dict[str, Any]) -> Cause:
    return Cause(**{k: v for k, v in values.items() if k in _CAUSE} | {"tier": Tier(values["tier"])})


def _acknowledgement(values: dict[str, Any]) -> Acknowledgement:
    return Acknowledgement(**values | {"state": AcknowledgementState(values["state"])})
