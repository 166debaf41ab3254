"""Matured warnings as a frame, from what an engine put out."""

from __future__ import annotations

import pytest

from consumers.effects.matured import SCHEMA, matured_frame
from streams.contract.instants import read_instant, to_us
from tests.consumers.effects.helped import data_of, helped

pytestmark = pytest.mark.timeout(400)  # a whole shop, on a machine that does much else


def test_each_warning_is_a_row_with_what_its_outcome_says() -> None:
    found = data_of(helped())
    frame = matured_frame([*found, *found[:5]])
    assert frame.schema == SCHEMA
    assert frame.height == len(found) > 500
    for row, data in zip(frame.iter_rows(named=True), found, strict=True):
        decision = data["decision"]
        assert {name: row[name] for name in ("customer_id", "warning_id", "tier", "churned", "treated")} == {
            name: data[name] for name in ("customer_id", "warning_id", "tier", "churned", "treated")
        }
        assert row["opened_at"] == to_us(read_instant(data["opened_at"]))
        assert (row["play"], row["verdict"], row["value"]) == (
            decision["play"],
            decision["verdict"],
            decision["value"],
        )
        costs = list(decision["cost"].values())
        assert row["planned_cost"] == (None if None in costs else sum(costs))
        assert row["unreached"] == (data["treated"] and data["results"] == ["not_reached"])
    assert 0 < frame["unreached"].sum() < frame["treated"].sum()


def test_an_outcome_of_before_lots_and_one_without_a_decision_are_read() -> None:
    data = data_of(helped())[0]
    older = {name: value for name, value in data.items() if name not in ("lot", "experiment")}
    row = matured_frame([older | {"decision": None}]).row(0, named=True)
    assert [row[name] for name in ("lot", "experiment", "play", "verdict", "value", "planned_cost")] == [
        None
    ] * 6
    assert matured_frame([]).schema == SCHEMA
