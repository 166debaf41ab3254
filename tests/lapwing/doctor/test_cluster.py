from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from consumers.broker.topics import TopicState
from lapwing.doctor.check import made
from lapwing.doctor.cluster import GROUP_KEPT, copies, retention, rights
from lapwing.doctor.installation import Installation
from lapwing.lag import Offsets
from lapwing.settings.settings import load_settings
from streams.errors import BrokerError

MINUTE_MS = 60_000


class Cluster(Installation):
    """An installation whose broker is made up."""

    def __init__(
        self,
        states: Mapping[str, TopicState] | None = None,
        configs: Mapping[str, Mapping[str, str]] | None = None,
        offsets: Offsets | None = None,
        away: bool = False,
    ) -> None:
        super().__init__(load_settings(environ={}))
        self._states = states or {}
        self._configs = configs or {}
        self._offsets = offsets or Offsets({}, {})
        self._away = away

    def ask_topics(self) -> Mapping[str, int]:
        if self._away:
            msg = "no broker answers"
            raise BrokerError(msg)
        return {name: state.partitions for name, state in self._states.items()}

    def ask_states(self) -> Mapping[str, TopicState]:
        return self._states

    def ask_configs(self, names: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        return {name: self._configs[name] for name in names if name in self._configs}

    def ask_offsets(self) -> Offsets:
        return self._offsets


GOOD = {name: TopicState(2, 3) for name in ("orders", "logins", "churn-warnings")}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(check: object, installation: Installation) -> tuple[str, str]:
    assert callable(check)
    result = made("it", lambda: str(check(installation)))
    return result.outcome.value, result.detail


@pytest.mark.parametrize(
    ("states", "least", "outcome", "words"),
    [
        (GOOD, "2", "ok", "every topic has 3 copies or more"),
        ({**GOOD, "orders": TopicState(2, 1)}, "1", "warning", "1 of 3 topics have one copy (orders): "),
        (
            {**GOOD, "orders": TopicState(2, 3, without_leader=(1,))},
            "2",
            "failed",
            "no broker leads orders[1]",
        ),
        (GOOD, "4", "failed", "ask for more copies in sync"),
        (GOOD, "3", "warning", "take nothing while one broker is down"),
        ({**GOOD, "logins": TopicState(2, 3, lacking_copies=(0,))}, "2", "warning", "copies of logins[0]"),
        ({"of-others": TopicState(1, 1)}, "1", "skipped", "none of the topics is there"),
    ],
)
def test_copies(states: Mapping[str, TopicState], least: str, outcome: str, words: str) -> None:
    cluster = Cluster(states, {name: {"min.insync.replicas": least} for name in states})
    result = found(copies, cluster)
    assert result[0] == outcome, result
    assert words in result[1]


@pytest.mark.parametrize(
    ("allowed", "outcome", "words"),
    [
        ({"READ", "WRITE"}, "ok", "3 topics may be read"),
        ({"ALL"}, "ok", "3 topics may be read"),
        ({"READ"}, "failed", "churn-warnings cannot be written as this client"),
        ({"DESCRIBE"}, "failed", "churn-warnings cannot be read, churn-warnings cannot be written, logins"),
        (None, "skipped", "the broker does not say"),
    ],
)
def test_rights(allowed: set[str] | None, outcome: str, words: str) -> None:
    given = None if allowed is None else frozenset(allowed)
    result = found(rights, Cluster({name: TopicState(2, 3, allowed=given) for name in GOOD}))
    assert result[0] == outcome, result
    assert words in result[1]


def test_retention(monkeypatch: pytest.MonkeyPatch) -> None:
    ages: dict[int, timedelta] = {}
    monkeypatch.setattr("lapwing.doctor.cluster.checkpoint_ages", lambda settings: ages)
    committed = {("orders", 0): 50}

    def of(begin: int, kept_minutes: int = -1, policy: str = "delete") -> tuple[str, str]:
        kept = str(kept_minutes * MINUTE_MS if kept_minutes > 0 else -1)
        config = {"retention.ms": kept, "cleanup.policy": policy}
        offsets = Offsets({("orders", 0): 90}, committed, begins={("orders", 0): begin})
        return found(retention, Cluster(GOOD, {"orders": config}, offsets))

    assert found(retention, Cluster(GOOD)) == ("skipped", "no worker has saved anything yet")
    assert of(50)[0] == "ok"
    lost = of(51)
    assert lost[0] == "failed"
    assert "orders[0] begins at 51, and the workers have come to 50" in lost[1]
    assert "lapwing worker --rebuild" in lost[1]
    ages[0] = timedelta(minutes=30)
    assert of(0, kept_minutes=60)[0] == "ok"
    assert of(0, kept_minutes=59) == (
        "warning",
        "records are kept too short: orders for 59m, while the oldest state was saved 30m ago: start the "
        "workers, and raise retention.ms, or they need a rebuild",
    )
    assert of(0, kept_minutes=59, policy="compact")[0] == "ok"
    ages[1] = GROUP_KEPT - timedelta(days=2)
    assert of(0)[0] == "ok"
    ages[1] += timedelta(seconds=1)
    assert "Kafka forgets the offsets" in of(0)[1]
