"""Warnings that the engine made, found again in the database by filters and by the beginning of an id."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from consumers.database.database import Database
from consumers.database.warnings import WarningStepRow
from consumers.stored_warnings import WarningFilter, find_warning, find_warnings
from streams.errors import StoreError
from tests.consumers.engine_warnings import events, replayed, time
from tests.consumers.stored import store_records
from tests.consumers.warning_events import records

PROFILES = {
    "c1": {"customer_class": "key", "segment": "wholesale", "region": "east", "account_owner": "ann"},
    "c2": {"customer_class": "small", "segment": "retail", "region": "east"},
    "c3": {"customer_class": "key"},
}
LATER = {"c1": 0, "c2": 3, "c3": 12}
"""Days by which each customer is behind the first: the last one's warning is still low at the end."""


@functools.cache
def shop() -> tuple[bytes, ...]:
    lines: list[dict[str, Any]] = []
    for customer, days in LATER.items():
        for line in events():
            if line["customer_id"] != "c1":
                lines.append(line)
                continue
            moved = datetime.fromisoformat(line["occurred_at"]) - datetime.fromisoformat(time(0))
            at = time(moved.total_seconds() / 86_400 + days)
            profile = PROFILES[customer] if line["type"] == "profile" else {}
            lines.append(
                {**line, "customer_class": None, **profile, "customer_id": customer, "occurred_at": at}
            )
    # c1 orders again, and so its warning is resolved at the end.
    back = {"type": "order", "amount": 20, "customer_id": "c1"}
    lines += [
        {**back, "event_id": f"b{n}", "order_id": f"b{n}", "occurred_at": time(80 + n / 10)} for n in range(9)
    ]
    return tuple(replayed(lines))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    opened.prepare()
    store_records(opened, records(list(shop())))
    yield opened
    opened.close()


def newest() -> dict[str, dict[str, Any]]:
    """The slow twin: each warning's newest step, straight from what the engine wrote."""
    found: dict[str, dict[str, Any]] = {}
    for content in shop():
        data = json.loads(content)["data"]
        found[data["warning_id"]] = data
    return found


def customers(database: Database, **wanted: Any) -> list[str]:
    return [each.data["customer_id"] for each in find_warnings(database, WarningFilter(**wanted))]


def test_open_warnings_come_by_tier_and_opening(database: Database) -> None:
    found = find_warnings(database, WarningFilter())
    expected = [data for data in newest().values() if data["state"] == "open"]
    order = {"high": 0, "medium": 1, "low": 2}
    expected.sort(key=lambda data: (order[data["tier"]], data["opened_at"], data["warning_id"]))
    assert [dict(each.data) for each in found] == expected
    assert len(expected) >= 2
    assert customers(database, states=("resolved",)) == ["c1"]
    assert sorted(set(customers(database, states=()))) == ["c1", "c2", "c3"]


words = st.sampled_from(
    [
        "high",
        "medium",
        "low",
        "c1",
        "c2",
        "key",
        "small",
        "wholesale",
        "retail",
        "east",
        "ann",
        "fewer-orders",
        "no-order",
    ]
)


@pytest.mark.parametrize("state", ["open", "resolved", None])
@given(
    st.dictionaries(
        st.sampled_from(
            ["tiers", "customers", "rules", "reasons", "classes", "segments", "regions", "owners"]
        ),
        st.lists(words | st.just("silence"), min_size=1, max_size=2),
        max_size=3,
    )
)
def test_every_filter_finds_what_a_loop_finds(state: str | None, wanted: Any) -> None:
    database = stored()
    fields = {"tiers": "tier", "customers": "customer_id", "classes": "customer_class", "segments": "segment"}
    fields |= {"regions": "region", "owners": "account_owner"}

    def matches(data: dict[str, Any]) -> bool:
        for name, listed in wanted.items():
            if name in fields:
                here = {data[fields[name]]}
            else:
                here = {cause["rule" if name == "rules" else "reason"] for cause in data["causes"]}
            if not here & set(listed):
                return False
        return state is None or data["state"] == state

    states = () if state is None else (state,)
    found = {each.id for each in find_warnings(database, WarningFilter(states=states, **wanted))}
    assert found == {name for name, data in newest().items() if matches(data)}


@functools.cache
def stored() -> Database:
    database = Database("sqlite://")
    database.prepare()
    store_records(database, records(list(shop())))
    return database


def test_since_is_about_the_opening_and_includes_its_instant(database: Database) -> None:
    opened = sorted(data["opened_at"] for data in newest().values())
    for text in opened:
        found = find_warnings(database, WarningFilter(states=(), since=datetime.fromisoformat(text)))
        assert sorted(each.data["opened_at"] for each in found) == [at for at in opened if at >= text]


def test_what_is_held_out_is_found_only_when_it_is_asked_for(database: Database) -> None:
    with database.writing() as connection:
        for step, data in connection.execute(select(WarningStepRow.id, WarningStepRow.data)).all():
            held_out = update(WarningStepRow).where(WarningStepRow.id == step)
            connection.execute(held_out.values(data={**data, "holdout": True}))
    assert find_warnings(database, WarningFilter(states=())) == []
    assert len(find_warnings(database, WarningFilter(states=(), holdout=True))) == len(newest())


def test_a_warning_is_found_by_the_beginning_of_its_id(database: Database) -> None:
    for wanted, data in newest().items():
        length = next(n for n in range(1, 37) if sum(name.startswith(wanted[:n]) for name in newest()) == 1)
        history = find_warning(database, wanted[:length])
        assert history.warning.data == data
        assert [step["step"] for step in history.steps] == list(range(1, data["step"] + 1))
        assert find_warning(database, wanted).warning.id == wanted


@pytest.mark.parametrize("wanted", ["", "zzz", "%", "_"])
def test_an_id_that_names_none_is_refused(database: Database, wanted: str) -> None:
    with pytest.raises(StoreError, match="there is no warning"):
        find_warning(database, wanted)


def test_a_beginning_of_several_names_them(database: Database) -> None:
    with database.writing() as connection:
        for table, column in (("warnings", "id"), ("warning_steps", "warning_id")):
            connection.exec_driver_sql(f"UPDATE {table} SET {column} = 'x' || {column}")
    with pytest.raises(StoreError, match="'x' begins several warnings: x"):
        find_warning(database, "x")
