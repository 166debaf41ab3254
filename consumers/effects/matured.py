"""Matured warnings as a frame: what effects need to know of each, one row per warning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import polars as pl

from streams.contract.instants import read_instant, to_us

TYPE: Final = "churn.warning.matured"
NOT_REACHED: Final = "not_reached"
SCHEMA: Final[dict[str, pl.DataType]] = {
    "customer_id": pl.String(),
    "warning_id": pl.String(),
    "opened_at": pl.Int64(),
    "tier": pl.String(),
    "play": pl.String(),
    "verdict": pl.String(),
    "lot": pl.String(),
    "holdout": pl.Boolean(),
    "experiment": pl.String(),
    "churned": pl.Boolean(),
    "treated": pl.Boolean(),
    "unreached": pl.Boolean(),
    "value": pl.Float64(),
    "planned_cost": pl.Float64(),
}
"""`unreached`: contacted, and all that came of it is that nobody was reached. `opened_at` in microseconds."""


def matured_frame(found: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Return the frame of the `data` of `churn.warning.matured`, each warning once."""
    rows = [_row(data) for data in found]
    made = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return made.unique("warning_id", keep="first", maintain_order=True)


def _row(data: Mapping[str, Any]) -> tuple[Any, ...]:
    decision = data["decision"] or {}
    cost = decision.get("cost") or {}
    known = bool(decision) and None not in cost.values()
    return (
        data["customer_id"],
        data["warning_id"],
        to_us(read_instant(data["opened_at"])),
        data["tier"],
        decision.get("play"),
        decision.get("verdict"),
        data.get("lot"),
        data["holdout"],
        data.get("experiment"),
        data["churned"],
        data["treated"],
        data["treated"] and set(data["results"]) == {NOT_REACHED},
        decision.get("value"),
        float(sum(cost.values())) if known else None,
    )
