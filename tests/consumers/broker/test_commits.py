from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from consumers.broker.commits import Commits
from consumers.broker.errors import BrokerAway, GroupChanged
from consumers.broker.records import Record


class Group:
    """A group whose commits may fail."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.committed: list[dict[tuple[str, int], int]] = []

    def poll(self, timeout_s: float) -> Sequence[Record]:
        return []

    def at_end(self) -> bool:
        return True

    def lags(self) -> Mapping[str, int]:
        return {}

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        if self.errors:
            raise self.errors.pop()
        self.committed.append(dict(offsets))


def record(partition: int, offset: int) -> Record:
    return Record("t", partition, offset, 0, None, None)


def test_the_offset_after_the_last_record_of_each_partition_is_committed_once() -> None:
    group = Group()
    commits = Commits(group)
    commits.commit()
    commits.done([record(0, 3), record(1, 7), record(0, 4)])
    assert commits
    commits.commit()
    commits.commit()
    assert not commits
    assert group.committed == [{("t", 0): 5, ("t", 1): 8}]


@pytest.mark.parametrize(
    ("error", "again"), [(BrokerAway("away"), [{("t", 0): 4}]), (GroupChanged("moved"), [])]
)
def test_what_fails_is_tried_again_unless_the_partitions_may_be_somebody_elses(
    error: Exception, again: list[dict[tuple[str, int], int]]
) -> None:
    group = Group()
    group.errors = [error]
    commits = Commits(group)
    commits.done([record(0, 3)])
    commits.commit()
    assert group.committed == []
    commits.commit()
    assert group.committed == again
