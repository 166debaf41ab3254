from __future__ import annotations

from collections.abc import Mapping

import pytest

from consumers.broker.topics import PARTITIONS, TopicFinding, check, create, plan
from streams.errors import BrokerError

TOPICS = plan(
    required=["orders", "logins"],
    optional=["profiles", "actions"],
    compacted=["profiles"],
    warnings="churn-warnings",
    control="lapwing-control",
    audit="lapwing-audit",
    rejected="lapwing.rejected",
    silences="lapwing-silences",
)


class Broker:
    def __init__(self, found: Mapping[str, int]) -> None:
        self.found = dict(found)
        self.configs: dict[str, Mapping[str, str]] = {}

    def partitions(self) -> dict[str, int]:
        return dict(self.found)

    def create(self, topic: str, partitions: int, replication: int, config: Mapping[str, str]) -> bool:
        assert replication == 2
        self.found[topic] = partitions
        self.configs[topic] = config
        return True


def mends(found: Mapping[str, int]) -> dict[str, str]:
    return {finding.topic: finding.mend for finding in check(TOPICS, found) if finding.mend}


ALL = dict.fromkeys(["orders", "logins", "churn-warnings", "lapwing.rejected"], 4) | dict.fromkeys(
    ["lapwing-control", "lapwing-audit"], 1
)


def test_what_fits_has_nothing_to_mend() -> None:
    assert mends(ALL) == {}
    assert mends(ALL | {"lapwing.rejected": 1, "profiles": 4}) == {}
    assert TopicFinding("actions", None, None) in check(TOPICS, ALL)


def test_a_topic_with_another_number_of_partitions_is_told_with_the_mend() -> None:
    assert list(mends(ALL | {"logins": 12})) == ["logins"]
    assert "has 12 partitions where others have 4" in mends(ALL | {"logins": 12})["logins"]
    assert list(mends(ALL | {"profiles": 1})) == ["profiles"]
    assert list(mends(ALL | {"churn-warnings": 1})) == ["churn-warnings"]


def test_missing_topics_are_told_unless_they_are_optional() -> None:
    assert mends({}) == dict.fromkeys(
        ["orders", "logins", "churn-warnings", "lapwing-control", "lapwing-audit", "lapwing.rejected"],
        "missing: run `lapwing topics`",
    )


def test_all_are_made_with_what_each_needs() -> None:
    broker = Broker({})
    made = create(broker, TOPICS, 4, 2)
    assert all(is_new for _, is_new in made)
    assert broker.found == ALL | {"profiles": 4, "actions": 4, "lapwing-silences": 1}
    assert broker.configs["lapwing-silences"] == {"cleanup.policy": "compact"}
    assert broker.configs["profiles"] == {"cleanup.policy": "compact"}
    assert broker.configs["orders"] == {}
    assert broker.configs["churn-warnings"]["retention.ms"] == "-1"
    assert int(broker.configs["lapwing.rejected"]["max.message.bytes"]) > 1_048_588
    assert mends(broker.found) == {}


@pytest.mark.parametrize("partitions", [None, 3])
def test_missing_ones_are_made_like_those_that_are_there(partitions: int | None) -> None:
    broker = Broker({"orders": 3, "logins": 3})
    made = create(broker, TOPICS, partitions, 2)
    assert [topic.name for topic, is_new in made if not is_new] == ["orders", "logins"]
    assert broker.found["actions"] == 3
    assert create(Broker({}), TOPICS, None, 2)
    assert mends(broker.found) == {}


def test_without_a_word_there_are_six() -> None:
    broker = Broker({})
    create(broker, TOPICS, None, 2)
    assert broker.found["orders"] == PARTITIONS


def test_ones_that_would_not_fit_are_not_made() -> None:
    broker = Broker({"orders": 3})
    with pytest.raises(BrokerError, match="with 3 partitions: new ones with 4 would not fit"):
        create(broker, TOPICS, 4, 2)
    assert broker.found == {"orders": 3}
