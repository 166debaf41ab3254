from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from consumers.database.outcomes import OutcomeRow
from consumers.reports.knowledge import Knowledge, known_to
from tests.consumers.desk.stored_shop import by_topic, lines
from tests.consumers.shop_records import KINDS, NOW
from tests.consumers.stored import empty_database, store_records

LATER = NOW + timedelta(days=3)
DAY = timedelta(days=1)


def knowledge(as_of: datetime | None = None) -> Knowledge:
    return Knowledge("UTC", 30 * DAY, 30 * DAY, as_of)


def test_what_was_stored_later_is_not_known() -> None:
    database = empty_database()
    found = by_topic()
    store_records(database, found["churn-outcomes"], NOW, KINDS["churn-outcomes"])
    store_records(database, found["churn-census"], LATER, KINDS["churn-census"])
    newest = {
        topic: max(datetime.fromisoformat(line["time"]) for line in lines(topic) if wanted(line["type"]))
        for topic in ("churn-outcomes", "churn-census")
    }
    query = select(OutcomeRow.id)
    with database.reading() as connection:
        assert known_to(connection, knowledge()) == max(newest.values())
        assert known_to(connection, knowledge(NOW)) == newest["churn-outcomes"]
        assert known_to(connection, knowledge(NOW - DAY)) is None
        for as_of, n in ((None, 1), (NOW, 1), (NOW - DAY, 0)):
            then = knowledge(as_of)
            rows = connection.execute(then.known(query, OutcomeRow.stored_at)).all()
            assert len(rows) == n * len(lines("churn-outcomes"))
            assert len(connection.execute(query.where(then.by_then(OutcomeRow.stored_at))).all()) == len(rows)


def test_of_an_empty_store_nothing_is_known() -> None:
    with empty_database().reading() as connection:
        assert known_to(connection, Knowledge("UTC", DAY, DAY, datetime(2024, 1, 1, tzinfo=UTC))) is None


def wanted(kind: str) -> bool:
    return kind in ("churn.census.summary",) or not kind.startswith("churn.census")
