from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from consumers.broker.commits import AGAIN_S, Commits
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


@pytest.mark.parametrize("error", [BrokerAway("away"), GroupChanged("comes together again")])
def test_what_fails_is_tried_again(error: Exception) -> None:
    group = Group()
    group.errors = [error, error]
    commits = Commits(group)
    commits.done([record(0, 3)])
    for _ in range(2):
        commits.commit()
        assert group.committed == []
    commits.commit()
    commits.commit()
    assert group.committed == [{("t", 0): 4}]


def test_what_other_members_have_now_is_not_committed() -> None:
    group = Group()
    commits = Commits(group)
    commits.done([record(0, 3), record(1, 7)])
    commits.leave(0)
    commits.commit()
    assert group.committed == [{("t", 1): 8}]


def test_after_all_of_it_is_with_others_the_next_change_has_its_own_time() -> None:
    group, now = Group(), [0.0]
    commits = Commits(group, lambda: now[0])
    group.errors = [GroupChanged("moved")] * 2
    commits.done([record(0, 3)])
    commits.commit()
    commits.leave(0)
    now[0] = AGAIN_S * 2
    commits.done([record(1, 8)])
    commits.commit()
    commits.commit()
    assert group.committed == [{("t", 1): 9}]


def test_what_the_group_does_not_take_for_long_is_somebody_elses() -> None:
    group, now = Group(), [0.0]
    commits = Commits(group, lambda: now[0])
    commits.done([record(0, 3)])
    group.errors = [GroupChanged("moved")] * 3
    for now[0] in (0.0, AGAIN_S, AGAIN_S + 1.0):
        assert commits
        commits.commit()
    assert not commits
    # And the next change of the group has its own time.
    commits.done([record(1, 8)])
    group.errors = [GroupChanged("moved")]
    commits.commit()
    assert commits
    commits.commit()
    assert group.committed == [{("t", 1): 9}]
