"""What the desk shows of the broker and the workers: from records as workers and learners write them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consumers.broker.records import Record
from consumers.broker.topics import TopicState
from consumers.desk.installation import InstallationState
from consumers.desk.pages.operations import CHECKS, OUTCOMES, REASONS
from lapwing.doctor.check import CheckOutcome
from lapwing.doctor.examine import CHECKS as DOCTORS
from lapwing.doctor.installation import Installation
from lapwing.lag import Offsets, Unread
from lapwing.operations import Operations
from lapwing.settings.settings import Settings, load_settings
from streams.contract.models import CHAMPION, PIN, encode_choice
from streams.contract.rejected import RefusalReason, rejected_headers
from streams.contract.warnings import encode_notice
from streams.core.steps import OperationsNotice
from streams.errors import BrokerError
from streams.learning.shared import SharedLearner
from tests.lapwing.doctor.test_examine import RULE
from tests.streams.learning.test_shared import batch_of

T0 = 1_700_000_000_000_000
DAY_US = 86_400_000_000
STORED = ("actions", "churn-warnings")
QUIET, BACK = "source.quiet", "source.back"


class Made(Installation):
    """An installation whose broker has these records."""

    def __init__(self, settings: Settings, topics: Mapping[str, Sequence[Record]] | None) -> None:
        super().__init__(settings)
        self._made = topics

    def ask_topics(self) -> Mapping[str, int]:
        if self._made is None:
            msg = "Kafka cannot be reached"
            raise BrokerError(msg)
        return dict.fromkeys(self._made, 1)

    def ask_states(self) -> Mapping[str, TopicState]:
        return {name: TopicState(1, 3) for name in self._made or {}}

    def ask_version(self) -> str:
        return "4.1"

    def ask_configs(self, names: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        return {}

    def ask_offsets(self) -> Offsets:
        return Offsets({}, {})

    def ask_unstored(self) -> Mapping[str, Unread]:
        return {"actions": Unread(), "churn-warnings": Unread(3, datetime.now(UTC)), "other": Unread()}

    def newest(self, topics: Collection[str]) -> Sequence[Record]:
        return ()

    def read(self, topic: str, newest: int | None = None) -> Sequence[Record]:
        self.need_topic(topic)
        return (self._made or {})[topic]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.yaml").write_text(RULE)
    (tmp_path / "lapwing.toml").write_text(
        'broker = "127.0.0.1:1"\nrules = "rules.yaml"\nlearner = "shared"\n'
    )


def state(topics: Mapping[str, Sequence[Record]] | None) -> InstallationState:
    return Operations(load_settings(), STORED, lambda settings: Made(settings, topics)).examine()


def notice(kind: str, at: int, partition: int | None, **detail: str | float | None) -> Record:
    value = encode_notice(OperationsNotice(kind, at, partition, dict(detail)), "lapwing")
    return Record("lapwing-control", 0, 0, at // 1000, None, value)


def test_without_a_broker_the_findings_say_so_and_the_rest_is_not_known() -> None:
    found = state(None)
    assert found.error == "Kafka cannot be reached"
    outcomes = {each.check: each.outcome for each in found.findings}
    assert (outcomes["broker"], outcomes["rules"], outcomes["topics"]) == ("failed", "ok", "skipped")
    assert (found.refusals, found.sink_lag, found.quiet, found.models) == (None, None, (), ())


def test_what_the_sink_has_yet_to_store_is_there_by_topic() -> None:
    assert state({}).sink_lag == {"actions": 0, "churn-warnings": 3}


def test_a_source_is_quiet_until_it_is_back_in_that_partition() -> None:
    records = [
        notice(QUIET, T0, 0, topic="orders", newest="2023-11-01T00:00:00Z"),
        notice(QUIET, T0, 0, topic="orders", newest="2023-11-01T00:00:00Z"),  # again, after a crash
        notice(QUIET, T0, 1, topic="orders", newest=None),
        notice(QUIET, T0, 1, topic="logins", newest=None),
        notice(BACK, T0 + DAY_US, 1, topic="orders", newest="2023-11-02T00:00:00Z"),
        Record("lapwing-control", 0, 9, 0, None, b"not a notice"),
    ]
    found = state({"lapwing-control": records})
    assert [(each.topic, each.partition, each.newest) for each in found.quiet] == [
        ("logins", 1, None),
        ("orders", 0, "2023-11-01T00:00:00Z"),
    ]
    assert found.quiet[1].since == datetime.fromtimestamp(T0 / 1e6, UTC)


def test_changes_of_models_come_in_the_order_of_time_without_every_partitions_adoption() -> None:
    records = [
        notice(
            "model.pinned", T0 + DAY_US, None, version="2-0a", version_before="1-0a", by="ann", reason="x"
        ),
        notice("model.promoted", T0, None, candidate="slow", candidate_before="fast"),
        notice("model.adopted", T0, 3, version="2-0a", version_before=None, worker="one"),
    ]
    found = state({"lapwing-control": records})
    assert [(each.kind, each.detail.get("by")) for each in found.changes] == [
        ("model.promoted", None),
        ("model.pinned", "ann"),
    ]


def test_refusals_of_the_last_day_are_counted_by_reason() -> None:
    now = datetime.now(UTC)

    def refused(reason: RefusalReason, age: timedelta) -> Record:
        at = int((now - age).timestamp() * 1000)
        headers = rejected_headers(reason, "amount: it is <b>", "orders", 0, 7)
        return Record("lapwing.rejected", 0, 0, at, b"c", b"{}", tuple(headers))

    reasons = [RefusalReason.OUT_OF_RANGE, RefusalReason.NOT_JSON, RefusalReason.OUT_OF_RANGE]
    records = [refused(reason, timedelta(hours=1)) for reason in reasons]
    strange = Record("lapwing.rejected", 0, 0, int(now.timestamp() * 1000), None, b"")
    records += [refused(RefusalReason.NOT_JSON, timedelta(days=2)), strange]
    found = state({"lapwing.rejected": records}).refusals
    assert found is not None
    assert (dict(found.by_reason), found.others) == ({"out_of_range": 2, "not_json": 1}, 1)
    assert found.newest == "orders[0]@7: amount: it is <b>"
    none = state({"lapwing.rejected": []})
    assert none.refusals is not None
    assert not none.refusals.by_reason


def test_everything_that_doctor_and_workers_say_has_words() -> None:
    assert CHECKS.keys() == DOCTORS.keys()
    assert OUTCOMES.keys() == {each.value for each in CheckOutcome}
    assert REASONS.keys() == {each.value for each in RefusalReason}


def test_the_models_of_the_shared_learner_are_there_with_the_one_in_force() -> None:
    learner = SharedLearner()
    for day in range(1, 4):
        learner.take(batch_of(60, seed=day, at=day * DAY_US), day)
    versions = []
    records = []
    for day in (3, 4):
        learner.take(batch_of(60, seed=day, at=day * DAY_US), day + 10)
        made = learner.records("lapwing").items()
        records += [Record("lapwing-models", 0, 0, 0, key.encode(), value) for key, value in made]
        versions.append(learner.model().version)
    choice = encode_choice("lapwing", versions[0], versions[1], 5 * DAY_US, "ann", "")
    records += [
        Record("lapwing-models", 0, 0, 0, CHAMPION, encode_choice("lapwing", versions[1], None, 0, "l", "")),
        Record("lapwing-models", 0, 0, 0, PIN, choice),
        Record("lapwing-models", 0, 0, 0, b"x", b"not a model"),
    ]
    found = state({"lapwing-models": records}).models
    assert found[0].at >= found[-1].at
    assert {each.version for each in found if each.in_force} == {versions[0]}
    assert {each.version for each in found if each.pinned} == {versions[0]}
