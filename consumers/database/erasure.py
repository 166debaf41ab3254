"""Deleting what is stored of a customer, in every table."""

from __future__ import annotations

import json
import re
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute

from consumers.database.aside import ErasureRow, SchemaVersionRow, UnreadableRow
from consumers.database.base import Base
from consumers.database.desk import SessionRow, ViewRow
from consumers.database.learning import AdoptionRow, SampleRow
from consumers.database.notices import ChannelRow, JudgingRow, SilenceRow
from consumers.database.outcomes import CensusRow
from consumers.database.schema import METADATA
from consumers.database.warnings import SegmentWarningRow, SegmentWarningStepRow

BY_CONTENT: Final[frozenset[type[Base]]] = frozenset({UnreadableRow, SilenceRow})
"""Tables without the customer's id in a column of its own: it may stand anywhere in their rows."""
WITHOUT_CUSTOMERS: Final[frozenset[type[Base]]] = frozenset(
    {
        *(AdoptionRow, CensusRow, ChannelRow, ErasureRow, JudgingRow, SampleRow, SchemaVersionRow),
        *(SegmentWarningRow, SegmentWarningStepRow, SessionRow, ViewRow),
    }
)
"""Tables that never name a customer."""


def erase_rows(connection: Connection, customer_id: str) -> dict[str, int]:
    """Delete a customer's rows in the connection's transaction; return how many of each table were found.

    Where the table is not named it had none. A silence that names other customers too is kept without this
    one; such a silence counts as well. `Database.purge` then removes the bytes that the file still has.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA secure_delete = ON"))  # what is deleted is overwritten by zeros
    counts: dict[str, int] = {}
    # Those that refer to others come first.
    for table in reversed(METADATA.sorted_tables):
        found = sum(
            connection.execute(delete(table).where(condition)).rowcount
            for condition in _conditions(table, customer_id)
        )
        counts[table.name] = found
    counts[UnreadableRow.__tablename__] = _erase_unreadable(connection, customer_id)
    counts[SilenceRow.__tablename__] = _erase_from_silences(connection, customer_id)
    return {table: found for table, found in counts.items() if found}


def _conditions(table: Table, customer_id: str) -> list[ColumnElement[bool]]:
    """Return what selects a customer's rows: by the column, and by rows that they refer to."""
    # Several statements, not one with OR: for that PostgreSQL would read the whole table.
    found: list[ColumnElement[bool]] = []
    if "customer_id" in table.c:
        found.append(table.c.customer_id == customer_id)
    for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
        for condition in _conditions(key.column.table, customer_id):
            found.append(key.parent.in_(select(key.column).where(condition)))
    return found


def _spellings(customer_id: str) -> list[str]:
    """Return the ways in which an id may stand in JSON and in the reason of a refusal."""
    plain = json.dumps(customer_id, ensure_ascii=False)[1:-1]
    lower = json.dumps(customer_id)[1:-1]
    upper = re.sub(r"\\u[0-9a-f]{4}", lambda code: "\\u" + code[0][2:].upper(), lower)
    in_text = customer_id.encode("ascii", "backslashreplace").decode()
    found = {customer_id, plain, lower, upper, in_text}
    return sorted(found | {spelling.replace("/", "\\/") for spelling in found})


def _names(customer_id: str) -> re.Pattern[str]:
    """Return the pattern of an id that is not a part of a longer one."""
    spellings = "|".join(re.escape(spelling) for spelling in _spellings(customer_id))
    return re.compile(rf"(?<![0-9A-Za-z])(?:{spellings})(?![0-9A-Za-z])")


def _erase_unreadable(connection: Connection, customer_id: str) -> int:
    """Delete the records put aside that hold the id in their bytes or in the reason."""
    names = _names(customer_id)
    somewhere = or_(
        *(
            condition
            for spelling in _spellings(customer_id)
            for condition in (
                _holds(connection, UnreadableRow.key, spelling.encode()),
                _holds(connection, UnreadableRow.value, spelling.encode()),
                UnreadableRow.detail.contains(spelling, autoescape=True),
            )
        )
    )
    query = select(UnreadableRow.seq, UnreadableRow.key, UnreadableRow.value, UnreadableRow.detail)
    found = [
        seq
        for seq, key, value, detail in connection.execute(query.where(somewhere))
        if any(names.search(part) for part in (_readable(key), _readable(value), detail))
    ]
    for begin in range(0, len(found), 500):
        some = UnreadableRow.seq.in_(found[begin : begin + 500])
        connection.execute(delete(UnreadableRow).where(some))
    return len(found)


def _holds(
    connection: Connection, column: InstrumentedAttribute[bytes | None], part: bytes
) -> ColumnElement[bool]:
    if connection.dialect.name == "sqlite":
        return func.instr(column, part) > 0
    return func.strpos(func.encode(column, "hex"), part.hex()) > 0


def _readable(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


def _erase_from_silences(connection: Connection, customer_id: str) -> int:
    """Take the id out of the silences that name others too, and delete those that name nobody else.

    A silence whose text holds the id is deleted.
    """
    names = _names(customer_id)
    found = 0
    for silence_id, content in connection.execute(select(SilenceRow.id, SilenceRow.content)).all():
        if not names.search(json.dumps(content, ensure_ascii=False)):
            continue
        matchers = content.get("matchers")
        customers = matchers.get("customers") if isinstance(matchers, dict) else None
        others = [each for each in customers or () if each != customer_id]
        kept = {**content, "matchers": {**(matchers or {}), "customers": others}}
        if others and not names.search(json.dumps(kept, ensure_ascii=False)):
            change = update(SilenceRow).where(SilenceRow.id == silence_id)
            connection.execute(change.values(content=kept))
        else:
            # Without customers it would silence everybody.
            connection.execute(delete(SilenceRow).where(SilenceRow.id == silence_id))
        found += 1
    return found
