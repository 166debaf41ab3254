"""Causes and open warnings as tables, and back: what a checkpoint holds of episodes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from typing import Any, Final

import polars as pl

from streams.core.episodes import Episodes, Life, OpenWarning, Phase
from streams.core.steps import Cause, Tier

_CAUSE: Final = tuple(f.name for f in fields(Cause))
_LIVES: Final = {
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
}


def life_columns(lives: Iterable[tuple[int, int, Life]]) -> list[list[int]]:
    """Return rule, customer, phase and instants as lists: a tuple for each of so many takes long."""
    columns: list[list[int]] = [[], [], [], [], [], []]
    rules, customers, phases, since, opened_at, clearing_since = columns
    for rule, customer, life in lives:
        rules.append(rule)
        customers.append(customer)
        phases.append(life.phase)
        since.append(life.since)
        opened_at.append(life.opened_at)
        clearing_since.append(life.clearing_since)
    return columns


def lives_table(names: Sequence[str], columns: Sequence[Sequence[int]]) -> pl.DataFrame:
    """Return the table of lives; `names` are the rules' ids by their places."""
    rules, customers, phases, *instants = columns
    words = {phase: phase.name.lower() for phase in Phase}
    said = [[names[rule] for rule in rules], customers, [words[Phase(phase)] for phase in phases], *instants]
    return pl.DataFrame(dict(zip(_LIVES, said, strict=True)), schema=_LIVES)


def warning_columns(
    warnings: Iterable[tuple[int, OpenWarning]],
) -> tuple[list[list[Any]], list[int], list[Cause]]:
    """Return customer, id, opening, number, tier and count of causes as lists, and all rules and causes."""
    columns: list[list[Any]] = [[], [], [], [], [], []]
    customers, ids, opened_at, numbers, tiers, counts = columns
    rules: list[int] = []
    causes: list[Cause] = []
    for customer, warning in warnings:
        customers.append(customer)
        ids.append(warning.id)
        opened_at.append(warning.opened_at)
        numbers.append(warning.number)
        tiers.append(warning.tier)
        counts.append(len(warning.causes))
        rules.extend(warning.causes.keys())
        causes.extend(warning.causes.values())
    return columns, rules, causes


def warnings_table(
    names: Sequence[str], columns: Sequence[Sequence[Any]], rules: Sequence[int], causes: Sequence[Cause]
) -> pl.DataFrame:
    """Return the table of open warnings; `names` are the rules' ids by their places."""
    *facts, tiers, counts = columns
    held = zip(rules, causes, strict=True)
    texts = []
    for count in counts:
        own = {names[rule]: {n: getattr(cause, n) for n in _CAUSE} for rule, cause in islice(held, count)}
        texts.append(json.dumps(own, sort_keys=True))
    said = [*facts, [tier.label for tier in tiers], texts]
    return pl.DataFrame(dict(zip(_WARNINGS, said, strict=True)), schema=_WARNINGS).sort("customer")


def restore_episodes(episodes: Episodes, state: Mapping[str, pl.DataFrame], once: Mapping[str, Any]) -> None:
    """Put lives and warnings of rules that there still are into `episodes`."""
    places = {rule.id: place for place, rule in enumerate(episodes.rules.rules)}
    for rule, customer, phase, since, opened_at, clearing_since in state["lives"].iter_rows():
        if rule in places:
            life = Life(Phase[phase.upper()], since, opened_at, clearing_since)
            episodes.put(places[rule], customer, life)
    for customer, warning_id, opened_at, number, tier, causes in state["warnings"].iter_rows():
        held = json.loads(causes)
        warning = OpenWarning(warning_id, opened_at, number, Tier[tier.upper()])
        warning.causes = {places[r]: _cause(c) for r, c in held.items() if r in places}
        warning.orphans = tuple(_cause(c) for r, c in held.items() if r not in places)
        episodes.open[customer] = warning
    for customer, at, again in state["openings"].iter_rows():
        episodes.newest[customer] = (at, again)
    for rule, opened in once["opened"].items():
        if rule in places:
            episodes.opened[places[rule]] = opened


def _cause(values: dict[str, Any]) -> Cause:
    return Cause(**{k: v for k, v in values.items() if k in _CAUSE} | {"tier": Tier(values["tier"])})
