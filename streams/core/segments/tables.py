"""What is kept of segments: a partition's counts as tables, and the judge's warnings as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

import polars as pl

from streams.core.segments.counts import BOUGHT, SegmentCounts
from streams.core.segments.engine import SegmentEngine
from streams.core.steps import Cause, Tier
from streams.core.warnings.causes import CausePhase, CauseState
from streams.core.warnings.episodes import OpenWarning

FORMAT: Final = 1
"""Version of the judge's state."""

_COMPLAINED: Final[dict[str, Any]] = {
    "category": pl.String,
    "day": pl.Int32,
    "customer": pl.Int32,
    "amount": pl.Int64,
}
_LATE: Final[dict[str, Any]] = {
    "day": pl.Int32,
    "customer": pl.Int32,
    "category": pl.String,
    "counts": pl.List(pl.Int64),
}


def take_counts(counts: SegmentCounts | None, known: int) -> Callable[[], dict[str, pl.DataFrame]]:
    """Take what is counted of the first `known` customers now; return what makes tables of it."""
    if counts is None:
        return dict
    since = counts.since
    bought = {name: column[:known].copy() for name, column in _bought(counts, known).items()}
    complained = [(name, *cells) for name, log in counts.complained.items() for cells in log.items()]
    late = [(day, customer, None, row) for day, customer, row in counts.late]
    categories = [(day, None, category, row) for day, category, row in counts.late_categories]

    def made() -> dict[str, pl.DataFrame]:
        rows = [
            (name, day, customer, amount)
            for name, day, customers, amounts in complained
            for customer, amount in zip(customers.tolist(), amounts.tolist(), strict=True)
        ]
        return {
            "segments": pl.DataFrame({"since": pl.Series([since], dtype=pl.Int32)}),
            "segment_customers": pl.DataFrame(bought),
            "segment_complaints": pl.DataFrame(rows, schema=_COMPLAINED, orient="row"),
            "segment_late": pl.DataFrame([*late, *categories], schema=_LATE, orient="row"),
        }

    return made


def restore_counts(counts: SegmentCounts | None, state: Mapping[str, pl.DataFrame]) -> None:
    """Go on from the tables, where there are any: counting may have been switched on since."""
    if counts is None or "segments" not in state:
        return
    counts.since = state["segments"]["since"][0]
    frame = state["segment_customers"]
    counts.grow(len(frame))
    for name in BOUGHT:
        counts.bought[name][: len(frame)] = frame[name].to_numpy()
        counts.bought_at[name][: len(frame)] = frame[f"{name}_at"].to_numpy()
    for (category, day), cells in (
        state["segment_complaints"].partition_by("category", "day", as_dict=True).items()
    ):
        counts.complained[category].add(day, cells["customer"].to_numpy(), cells["amount"].to_numpy())
    for day, customer, category, row in state["segment_late"].iter_rows():
        if category is None:
            counts.late.append((day, customer, tuple(row)))
        else:
            counts.late_categories.append((day, category, tuple(row)))


def _bought(counts: SegmentCounts, known: int) -> dict[str, Any]:
    counts.grow(known)
    return {name: counts.bought[name] for name in BOUGHT} | {
        f"{name}_at": counts.bought_at[name] for name in BOUGHT
    }


def judge_state(engine: SegmentEngine) -> dict[str, Any]:
    """Return what the engine has judged and the causes and warnings, as plain values.

    The counts are not in it: they come from the sums, read again.
    """
    return {
        "format": FORMAT,
        "judged": engine.judged,
        "groups": {name: _group(engine, name) for name in engine.groups},
    }


def _group(engine: SegmentEngine, name: str) -> dict[str, Any]:
    group = engine.groups[name]
    episodes, names = group.episodes, [rule.id for rule in group.rules.rules]
    return {
        "lives": [
            [
                names[rule],
                group.values[row],
                int(cause.phase),
                cause.since,
                cause.opened_at,
                cause.clearing_since,
            ]
            for rule, row, cause in episodes.causes
        ],
        "open": [
            {
                "value": group.values[row],
                "id": warning.id,
                "opened_at": warning.opened_at,
                "number": warning.number,
                "tier": int(warning.tier),
                "causes": [asdict(cause) for _, cause in sorted(warning.causes.items())],
            }
            for row, warning in sorted(episodes.open.items())
        ],
        "newest": [[group.values[row], *newest] for row, newest in sorted(episodes.newest.items())],
    }


def restore_judge(engine: SegmentEngine, state: Mapping[str, Any]) -> None:
    """Let a new engine go on from `judge_state`; `adopt` then withdraws what its rules no longer have."""
    if state["format"] != FORMAT:
        msg = f"the judge's state has format {state['format']!r}, not {FORMAT!r}"
        raise ValueError(msg)
    engine.resume(state["judged"])
    for name, kept in state["groups"].items():
        group = engine.groups[name]
        episodes = group.episodes
        places = {rule.id: place for place, rule in enumerate(group.rules.rules)}
        for rule, value, phase, since, opened_at, clearing_since in kept["lives"]:
            if rule in places:
                cause = CauseState(CausePhase(phase), since, opened_at, clearing_since)
                episodes.causes.put(places[rule], group.row(value), cause)
        for each in kept["open"]:
            causes = [Cause(**(cause | {"tier": Tier(cause["tier"])})) for cause in each["causes"]]
            warning = OpenWarning(each["id"], each["opened_at"], each["number"], Tier(each["tier"]))
            warning.causes = {places[cause.rule]: cause for cause in causes if cause.rule in places}
            warning.orphans = tuple(cause for cause in causes if cause.rule not in places)
            episodes.keep_open(group.row(each["value"]), warning)
        for value, at, again in kept["newest"]:
            episodes.newest[group.row(value)] = (at, again)
