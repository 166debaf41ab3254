"""Columns of a query hold what its rows do, on either database and over more than one array."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import JSON, Select, select

from consumers.database.base import UtcDateTime
from consumers.database.database import Database
from consumers.database.events import ActionRow
from consumers.database.outcomes import OutcomeRow
from consumers.reports import columns as module
from consumers.reports.columns import among, instants, parsed, read_columns
from streams.contract.instants import instant_us, to_us
from tests.consumers.shop_records import KINDS, NOW, shop_records
from tests.consumers.stored import store_records

DATA = OutcomeRow.data
OUTCOMES: Select[Any] = select(
    OutcomeRow.seq,
    OutcomeRow.customer_id,
    OutcomeRow.time,
    OutcomeRow.opened_at,
    OutcomeRow.churned,
    DATA["value"].as_float(),
    DATA["warned", "tier"].as_string(),
    DATA["holdout"].as_boolean(),
    DATA["results"],
    DATA,
)
ACTIONS: Select[Any] = select(ActionRow.seq, ActionRow.time, ActionRow.reasons, ActionRow.cost)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as made:
        made.prepare()
        for topic, kind in KINDS.items():
            store_records(made, [each for each in shop_records() if each.topic == topic], NOW, kind)
        yield made


def rows_of(database: Database, query: Select[Any]) -> list[tuple[Any, ...]]:
    """Return what the rows of a query hold, one by one."""
    plain = [to_us if isinstance(each.type, UtcDateTime) else None for each in query.selected_columns]
    with database.reading() as connection:
        rows = connection.execute(query).all()
    return [
        tuple(v if read is None or v is None else read(v) for v, read in zip(row, plain, strict=True))
        for row in rows
    ]


def by_columns(database: Database, query: Select[Any]) -> list[tuple[Any, ...]]:
    with database.reading() as connection:
        found = read_columns(connection, query)
    places = [place for place, each in enumerate(query.selected_columns) if isinstance(each.type, JSON)]
    for place in places:
        found[place] = parsed(found[place])
    return list(zip(*found, strict=True))


@pytest.mark.parametrize("in_an_array", [7, 50_000])
@pytest.mark.parametrize("query", [OUTCOMES, ACTIONS], ids=["outcomes", "actions"])
def test_columns_hold_what_the_rows_do(
    database: Database, monkeypatch: pytest.MonkeyPatch, query: Select[Any], in_an_array: int
) -> None:
    monkeypatch.setattr(module, "IN_AN_ARRAY", in_an_array)
    expected = rows_of(database, query)
    assert expected
    assert sorted(by_columns(database, query), key=lambda row: row[0]) == sorted(
        expected, key=lambda row: row[0]
    )


def test_no_rows_are_empty_columns(database: Database) -> None:
    with database.reading() as connection:
        assert read_columns(connection, ACTIONS.where(ActionRow.seq < 0)) == [[], [], [], []]


@pytest.mark.parametrize("at_once", [3, 50_000])
def test_of_many_ids_each_row_is_found_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(module, "IDS_AT_ONCE", {"sqlite": at_once, "postgresql": at_once})
    everybody = sorted({row[1] for row in rows_of(database, OUTCOMES)})
    wanted = {*everybody[::2], "nobody"}
    found = []
    with database.reading() as connection:
        for theirs in among(connection, OutcomeRow.customer_id, wanted):
            found += read_columns(connection, select(OutcomeRow.seq, OutcomeRow.customer_id).where(theirs))[0]
        assert not list(among(connection, OutcomeRow.customer_id, ()))
    assert sorted(found) == sorted(row[0] for row in rows_of(database, OUTCOMES) if row[1] in wanted)
    assert 0 < len(found) < len(rows_of(database, OUTCOMES))


def test_texts_of_instants_and_of_json_are_read_once_each() -> None:
    text = "2024-03-01T00:00:00Z"
    assert instants([text, None, text]) == [instant_us(text), None, instant_us(text)]
    both: list[dict[str, int]] = parsed(['{"mail": 2}', '{"mail": 2}'])
    assert both == [{"mail": 2}, {"mail": 2}]
    assert both[0] is both[1]
