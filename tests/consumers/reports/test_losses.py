"""The losses that several parts of a report count; how each is found: `test_reasons`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from consumers.reports.losses import LossReader, read_losses
from streams.errors import StoreError
from tests.consumers.reports.lost_shop import lost_shop, stored_shop
from tests.consumers.stored import empty_database

BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=31)


SEED = 1


def test_losses_are_read_once_whichever_part_asks() -> None:
    database = stored_shop(SEED)
    reader = LossReader(lost_shop(SEED).knowledge)
    with database.reading() as connection:
        found = reader.between(connection, BEGIN, END)
        assert len(found)
        assert found.equals(read_losses(connection, BEGIN, END, lost_shop(SEED).knowledge))
        assert reader.between(connection, BEGIN - timedelta(days=31), BEGIN) is not found
    with database.reading() as connection:
        assert reader.between(connection, BEGIN, END) is found


def test_a_reading_that_fails_fails_for_all_who_ask() -> None:
    reader = LossReader(lost_shop(SEED).knowledge)
    database = empty_database()
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE outcomes")
    for _ in range(2):
        with pytest.raises(StoreError), database.reading() as connection:
            reader.between(connection, BEGIN, END)
