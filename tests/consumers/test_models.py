"""Which model is meant, and which was in force before."""

from __future__ import annotations

import pytest

from consumers.broker.records import Record
from consumers.models import before, named, read_models
from streams.contract.models import CHAMPION, PIN, ModelLog, encode_choice
from streams.core.events.calendar import DAY
from streams.errors import ContractError
from streams.learning.shared import SharedLearner
from tests.streams.learning.test_shared import batch_of

APP = "shop"


class Models:
    """A topic of these keys and values."""

    def __init__(self, records: list[tuple[bytes, bytes]]) -> None:
        self._left = [
            Record("shop-models", 0, n, 0, key, value, ()) for n, (key, value) in enumerate(records)
        ]

    def poll(self, timeout_s: float) -> list[Record]:
        found, self._left = self._left[:4], self._left[4:]
        return found

    def at_end(self) -> bool:
        return not self._left


@pytest.fixture(scope="module")
def published() -> list[tuple[str, dict[str, bytes]]]:
    """The champion's version and all records after each of four days."""
    learner, found = SharedLearner(), []
    for day in range(1, 5):
        learner.take(batch_of(100, seed=day, at=day * DAY), day)
        found.append((learner.model().version, learner.records(APP)))
    return found


def log_of(published: list[tuple[str, dict[str, bytes]]]) -> ModelLog:
    log = ModelLog(APP)
    for version, records in published:
        for key, value in records.items():
            log.take(key.encode(), value)
        log.take(CHAMPION, encode_choice(APP, version, None, DAY, "learner", ""))
    return log


def pin(log: ModelLog, version: str | None) -> None:
    log.take(PIN, encode_choice(APP, version, None, DAY, "ann", "why"))


def test_going_back_again_and_again_ends_at_the_oldest(published: list[tuple[str, dict[str, bytes]]]) -> None:
    log, versions = log_of(published), [version for version, _ in published]
    for version in reversed(versions[:-1]):
        assert before(log).version == version
        pin(log, version)
    with pytest.raises(ContractError, match=f"no champion that is older than {versions[0]}"):
        before(log)


def test_from_a_challenger_one_goes_back_to_the_champion(
    published: list[tuple[str, dict[str, bytes]]],
) -> None:
    log, (champion, records) = log_of(published), published[-1]
    challenger = next(version for version in records if version != champion)
    assert not log.models[challenger].champion
    pin(log, challenger)
    assert before(log).version == champion


def test_nothing_is_in_force_before_anything_was_published() -> None:
    with pytest.raises(ContractError, match="no model is in force"):
        before(ModelLog(APP))


def test_a_model_is_named_by_the_beginning_of_its_version(
    published: list[tuple[str, dict[str, bytes]]],
) -> None:
    log, version = log_of(published), published[1][0]
    assert named(log, version).version == version
    assert named(log, version[:8]).version == version
    with pytest.raises(ContractError, match="several models have"):
        named(log, "200-")
    with pytest.raises(ContractError, match="no model has"):
        named(log, "7-")


def test_what_is_none_of_ours_is_reported_and_passed_over(
    published: list[tuple[str, dict[str, bytes]]],
) -> None:
    records = [(key.encode(), value) for _, each in published for key, value in each.items()]
    records.insert(3, (b"pin", b"{}"))
    reported: list[int] = []
    log = read_models(Models(records), APP, lambda record, why: reported.append(record.offset))
    assert reported == [3]
    assert log.models == log_of(published).models
