"""Statuses, departures, maturing causes and warnings, and censuses as tables, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any, Final
from uuid import UUID

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.decision.decision import read_basis
from streams.core.decision.holdout import Lot
from streams.core.events.calendar import NEVER
from streams.core.features.customers import LAST_OF
from streams.core.outcomes.action_log import LoggedAction
from streams.core.outcomes.census import CellNames, CensusMembers, narrow, packed
from streams.core.outcomes.lapses import CustomerStatus
from streams.core.outcomes.maturity import (
    CAUSE_SCHEMA,
    WARNING_SCHEMA,
    Maturity,
    OpeningTuple,
    OpenRecord,
    copied,
)
from streams.core.outcomes.outcome import PrecedingWarning
from streams.core.outcomes.outcomes import Outcomes
from streams.core.outcomes.record_queue import RecordQueue
from streams.core.steps import Tier

Tables = dict[str, pl.DataFrame]
OUTCOME_TABLES: Final = (
    *("customer_status", "departures", "maturing_causes", "maturing_warnings", "open_warnings", "treated"),
    "actions",
    *("census", "census_names", "censuses", "census_members", "census_cells", "census_expected"),
)
"""What a state that was saved before there were outcomes does not have."""

_ACTIONS: Final = {
    "customer": pl.Int32,
    "event_id": pl.String,
    "at": pl.Int64,
    "actor": pl.String,
    "treats": pl.Boolean,
    "result": pl.String,
}
_ID: Final = ("warning_high", "warning_low")


def take_outcomes(outcomes: Outcomes, known: int) -> Callable[[], Tables]:
    """Take what outcomes know at this moment, and return what makes tables of it."""
    if not outcomes.settings.kept:
        msg = "an engine that keeps nothing of outcomes has no state that could be saved"
        raise ValueError(msg)
    statuses = outcomes.statuses.state(known)
    departures, departed_rules = outcomes.departures.state()
    maturity = outcomes.maturity
    causes, warnings = copied(maturity.causes), dict(copied(maturity.warnings))
    del warnings["open"]  # the table of open warnings says it
    rules, openings, words = (list(c.values) for c in (maturity.rules, maturity.openings, maturity.words))
    open_now = [(c, r.warning_id, r.opened_at, int(r.tier), r.rules) for c, r in maturity.open_now().items()]
    treated = sorted(outcomes.log.settled.items())
    acted = [(c, *astuple(a)) for c, own in sorted(outcomes.log.actions.items()) for a in own]
    names = [
        (family, number, json.dumps(name))
        for family, cells in outcomes.census.families.items()
        for number, name in enumerate(cells.names[1:], start=1)
    ]
    censuses = [
        replace(c, came=_copy(c.came), closed=_copy(c.closed), treated=_copy(c.treated))
        for c in outcomes.census.members
    ]
    at_rest = {"due_at": outcomes.census.due_at, "matured": outcomes.census.matured}

    def made() -> Tables:
        return {
            "customer_status": pl.DataFrame({"status": statuses}),
            "departures": _with_ids(departures, {"rules": [json.dumps(r) for r in departed_rules]}),
            "maturing_causes": _with_ids(causes, {"rule": [json.dumps(rule) for rule in rules]}),
            "maturing_warnings": _with_ids(
                warnings,
                {
                    "opening": [_opening_json(opening) for opening in openings],
                    "rules": [json.dumps(word) for word in words],
                    "results": [json.dumps(word) for word in words],
                },
            ),
            "open_warnings": pl.DataFrame(
                [(*row[:4], json.dumps(row[4])) for row in open_now],
                schema={
                    "customer": pl.Int32,
                    "warning_id": pl.String,
                    "opened_at": pl.Int64,
                    "tier": pl.Int8,
                    "rules": pl.String,
                },
                orient="row",
            ).sort("customer"),
            "treated": pl.DataFrame(treated, schema={"customer": pl.Int32, "at": pl.Int64}, orient="row"),
            "actions": pl.DataFrame(acted, schema=_ACTIONS, orient="row"),
            "census": pl.DataFrame({"json": [json.dumps(at_rest)]}),
            "census_names": pl.DataFrame(
                names, schema={"family": pl.String, "number": pl.Int32, "name": pl.String}, orient="row"
            ),
            **_census_tables(censuses),
        }

    return made


def _opening_json(opening: OpeningTuple) -> str:
    tier, rules, play, basis, lot, experiment = opening
    return json.dumps([tier, rules, play, None if basis is None else basis.as_json(), lot, experiment])


def _copy(column: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    return None if column is None else column.copy()


def _with_ids(columns: Mapping[str, NDArray[Any]], coded: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Return columns as a table, codes as the texts that they stand for and warnings by their ids."""
    made: dict[str, Any] = {}
    for name, values in columns.items():
        if name in coded:
            texts = np.array([*coded[name], ""], dtype=np.object_)[values]
            made[name] = pl.Series(texts.tolist(), dtype=pl.String)
        elif name not in _ID:
            made[name] = values
    halves = zip(columns[_ID[0]].tolist(), columns[_ID[1]].tolist(), strict=True)
    ids = [str(UUID(int=high << 64 | low)) if high or low else None for high, low in halves]
    made["warning_id"] = pl.Series(ids, dtype=pl.String)
    return pl.DataFrame(made)


def _census_tables(censuses: Sequence[CensusMembers]) -> Tables:
    members, cells, expected = [], [], []
    for census in censuses:
        count = len(census.customers)
        nan = np.full(count, np.nan)
        members.append(
            {
                "at": np.full(count, census.at),
                "customer": census.customers,
                "combination": census.combination.astype(np.int32),
                "probability": nan.astype(np.float32) if census.probability is None else census.probability,
                "value": nan if census.value is None else census.value,
                **{
                    name: pl.Series([None] * count, dtype=pl.Boolean) if column is None else column
                    for name, column in (
                        ("came", census.came),
                        ("closed", census.closed),
                        ("treated", census.treated),
                    )
                },
            }
        )
        size = len(census.cells)
        cells.append(
            {
                "at": np.full(size, census.at),
                "profile": census.cells[:, 0],
                "cohort": census.cells[:, 1],
                "channel": census.cells[:, 2],
            }
        )
        scored = census.expected if census.expected is not None else np.empty((0, 4))
        expected.append(
            {
                "at": np.full(len(scored), census.at),
                "family": scored[:, 0],
                "cell": scored[:, 1],
                "scored": scored[:, 2],
                "expected": scored[:, 3],
            }
        )
    begun = [
        (c.at, c.day, c.came is not None, c.probability is not None, c.value is not None) for c in censuses
    ]
    schema = {
        "at": pl.Int64,
        "day": pl.Int64,
        "judged": pl.Boolean,
        "scored": pl.Boolean,
        "valued": pl.Boolean,
    }
    return {
        "censuses": pl.DataFrame(begun, schema=schema, orient="row"),
        "census_members": _all(members),
        "census_cells": _all(cells),
        "census_expected": _all(expected),
    }


def _all(parts: Sequence[dict[str, Any]]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(part) for part in parts]) if parts else pl.DataFrame()


def restore_outcomes(outcomes: Outcomes, state: Mapping[str, pl.DataFrame], now: int) -> None:
    """Let new outcomes go on from tables, or from the last midnight, `now`, where the state knows of none."""
    if "customer_status" not in state:
        _begin(outcomes, state, now)
        return
    outcomes.statuses.restore(state["customer_status"]["status"].to_numpy())
    for row in state["departures"].iter_rows(named=True):
        warning = PrecedingWarning(
            row["warning_id"], row["opened_at"], Tier(row["tier"]), tuple(json.loads(row["rules"])), 0.0
        )
        outcomes.departures.put(row["customer"], warning, row["left_at"])
    _restore_maturity(outcomes.maturity, state)
    actions: dict[int, list[LoggedAction]] = {}
    # A state of before actions could be corrected knows of those that have settled only.
    for customer, *values in state["actions"].iter_rows() if "actions" in state else ():
        actions.setdefault(customer, []).append(LoggedAction(*values))
    outcomes.log.restore(actions, dict(state["treated"].iter_rows()))
    _restore_census(outcomes, state)


def _begin(outcomes: Outcomes, state: Mapping[str, pl.DataFrame], now: int) -> None:
    """Take the statuses of customers from a state that was saved before there were outcomes.

    Nobody is acquired or lapses anew; causes and warnings that opened before do not mature.
    """
    frame = state["customers"]
    known = len(frame)
    topics = outcomes.settings.activity
    last = np.max([frame[LAST_OF[topic]].to_numpy() for topic in topics], axis=0, initial=NEVER)
    closed_at = frame["closed_at"].to_numpy()
    status = np.where(
        last == NEVER,
        CustomerStatus.NEW,
        np.where(
            closed_at > last,
            CustomerStatus.CLOSED,
            np.where(
                last > now - outcomes.settings.active_within_us, CustomerStatus.ACTIVE, CustomerStatus.LAPSED
            ),
        ),
    )
    outcomes.statuses.restore(status.astype(np.int8))
    if known:
        outcomes.begin(now)


def _restore_maturity(maturity: Maturity, state: Mapping[str, pl.DataFrame]) -> None:
    def rule(text: str) -> int:
        return maturity.rules.code(tuple(json.loads(text)))

    def opening(text: str) -> int:
        # Saved before there were lots, the last two are not there.
        tier, rules, play, basis, lot, experiment = (*json.loads(text), None, None)[:6]
        opened: OpeningTuple = (
            *(tier, tuple(rules), play, None if basis is None else read_basis(basis)),
            *(None if lot is None else Lot(lot), experiment),
        )
        return maturity.openings.code(opened)

    def words(text: str) -> int:
        return maturity.words.code(tuple(json.loads(text)))

    _restore_queue(maturity.causes, state["maturing_causes"], CAUSE_SCHEMA, {"rule": rule})
    _restore_queue(
        maturity.warnings,
        state["maturing_warnings"],
        WARNING_SCHEMA,
        {"opening": opening, "rules": words, "results": words},
    )
    maturity.restore_waiting()
    for customer, warning_id, opened_at, tier, rules in state["open_warnings"].iter_rows():
        record = OpenRecord(warning_id, opened_at, Tier(tier), tuple(json.loads(rules)))
        maturity.restore_open(customer, record)


def _restore_queue(
    queue: RecordQueue,
    frame: pl.DataFrame,
    schema: Mapping[str, type[np.generic]],
    codes: Mapping[str, Callable[[str], int]],
) -> None:
    numbers = [UUID(i).int if i is not None else 0 for i in frame["warning_id"].to_list()]
    columns: dict[str, NDArray[Any]] = {
        "warning_high": np.array([n >> 64 for n in numbers], dtype=np.uint64),
        "warning_low": np.array([n & 2**64 - 1 for n in numbers], dtype=np.uint64),
    }
    for name in schema:
        if name in codes:
            columns[name] = np.array([codes[name](text) for text in frame[name].to_list()], dtype=np.int32)
        elif name not in frame.columns and name not in columns:  # saved before there were decisions
            columns[name] = np.full(len(frame), np.nan if schema[name] is np.float64 else 0).astype(
                schema[name]
            )
        elif name not in columns:
            columns[name] = frame[name].to_numpy()
    queue.restore(frame["customer"].to_numpy(), columns)


def _restore_census(outcomes: Outcomes, state: Mapping[str, pl.DataFrame]) -> None:
    census = outcomes.census
    at_rest = json.loads(state["census"]["json"][0])
    census.due_at, census.matured = at_rest["due_at"], at_rest["matured"]
    for family in census.families:
        named = state["census_names"].filter(pl.col("family") == family).sort("number")
        census.families[family] = CellNames([tuple(json.loads(name)) for name in named["name"].to_list()])
    for at, day, judged, scored, valued in state["censuses"].iter_rows():
        rows, cells, expected = (
            state[name].filter(pl.col("at") == at)
            for name in ("census_members", "census_cells", "census_expected")
        )
        numbers = expected.select("family", "cell", "scored", "expected").to_numpy()

        def column(name: str, rows: pl.DataFrame = rows) -> NDArray[Any]:
            values: NDArray[Any] = rows[name].to_numpy().copy()
            return values

        census.members.append(
            CensusMembers(
                at,
                day,
                packed(column("customer")),
                narrow(column("combination")),
                cells.select("profile", "cohort", "channel").to_numpy().reshape(len(cells), 3),
                column("probability") if scored else None,
                column("value") if valued else None,
                numbers.astype(np.float64).reshape(len(expected), 4),
                *(
                    column(name).astype(np.bool_) if judged else None
                    for name in ("came", "closed", "treated")
                ),
            )
        )
