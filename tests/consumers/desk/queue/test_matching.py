"""The words to filter by: counted as the rows have them, while the store grows."""

from __future__ import annotations

from collections import Counter

import pytest

from consumers.database.database import Database
from consumers.desk.people.person import Person, Role
from consumers.desk.queue.filter import QueueFilter
from consumers.desk.queue.order import Section
from consumers.desk.queue.row import QueueRow
from tests.consumers.desk.queue.test_board import board_at, filled, instants


def words_of(rows: list[QueueRow]) -> dict[str, Counter[str]]:
    return {
        "tier": Counter(row.tier for row in rows),
        "class": Counter(row.customer_class for row in rows if row.customer_class is not None),
        "segment": Counter(row.segment for row in rows if row.segment is not None),
        "region": Counter(row.region for row in rows if row.region is not None),
        "owner": Counter(row.account_owner for row in rows if row.account_owner is not None),
        "rule": Counter(rule for row in rows for rule in {cause.rule for cause in row.causes}),
        "reason": Counter(reason for row in rows for reason in {cause.reason for cause in row.causes}),
    }


@pytest.mark.parametrize("role", [Role.AGENT, Role.OPERATOR])
def test_each_word_has_as_many_warnings_as_there_are_rows_with_it(database: Database, role: Role) -> None:
    somebody, everything = Person("ann", role), QueueFilter(show=tuple(Section), all=True)
    board = board_at(database, max(instants()))
    seen = 0
    for now in sorted(instants()):
        filled(database, now)
        page = board.page(QueueFilter(), somebody)
        expected = words_of(board.every_row(everything, somebody))
        assert {name: dict(words) for name, words in page.words.items()} == expected
        assert all(count for words in page.words.values() for _word, count in words)
        seen = max(seen, len(expected["rule"]))
    assert seen > 1
