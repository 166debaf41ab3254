from __future__ import annotations

from collections.abc import Collection, Mapping

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
    max_skew_ms=3_600_000,
)


class Broker:
    def __init__(self, found: Mapping[str, int]) -> None:
        self.found = dict(found)
        self.made: dict[str, Mapping[str, str]] = {}
        self.knows_bounds = True

    def partitions(self) -> dict[str, int]:
        return dict(self.found)

    def create(self, topic: str, partitions: int, replication: int, config: Mapping[str, str]) -> bool:
        assert replication == 2
        if not self.knows_bounds and "message.timestamp.after.max.ms" in config:
            msg = "unknown topic config name"
            raise BrokerError(msg) from InvalidConfigurationError()
        self.found[topic] = partitions
        self.made[topic] = config
        return True

    def configs(self, names: Collection[str]) -> dict[str, dict[str, str]]:
        return {name: dict(self.made[name]) for name in names}


class InvalidConfigurationError(Exception):
    """As kafka-python calls it."""


def mends(found: Mapping[str, int], **configs: Mapping[str, str]) -> dict[str, str]:
    named = {name.replace("_", "-"): config for name, config in configs.items()}
    return {finding.topic: finding.remedy for finding in check(TOPICS, found, named) if finding.remedy}


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
    assert broker.made["lapwing-silences"] == {"cleanup.policy": "compact"}
    assert broker.made["profiles"]["cleanup.policy"] == "compact"
    assert broker.made["orders"] == {"cleanup.policy": "delete", "message.timestamp.after.max.ms": "3600000"}
    assert broker.made["churn-warnings"]["retention.ms"] == "-1"
    assert int(broker.made["lapwing.rejected"]["max.message.bytes"]) > 1_048_588
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


def test_what_was_made_fits() -> None:
    broker = Broker({})
    create(broker, TOPICS, 4, 2)
    assert [
        each for each in check(TOPICS, broker.partitions(), broker.configs(broker.found)) if each.remedy
    ] == []


def test_a_broker_that_cannot_bound_timestamps_makes_the_topics_without() -> None:
    broker = Broker({})
    broker.knows_bounds = False
    create(broker, TOPICS, 4, 2)
    assert broker.made["orders"] == {"cleanup.policy": "delete"}
    assert set(broker.found) == {topic.name for topic in TOPICS}


def test_settings_that_lose_what_is_needed_are_named() -> None:
    compacted = mends(ALL, orders={"cleanup.policy": "compact"})["orders"]
    assert compacted.startswith("cleanup.policy is compact and must be delete")
    both = {"cleanup.policy": "compact,delete"}
    assert list(mends(ALL | {"profiles": 4}, orders=both, profiles=both)) == ["orders", "profiles"]
    week = {"cleanup.policy": "delete", "retention.ms": "604800000", "retention.bytes": "-1"}
    assert "retention.ms is 604800000 and must be" in mends(ALL, churn_warnings=week)["churn-warnings"]
    assert "retention.ms" in mends(ALL, lapwing_control={"retention.ms": "1000"})["lapwing-control"]
    full = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "1000000"}
    assert "retention.bytes is 1000000 and must be -1" in mends(ALL, churn_warnings=full)["churn-warnings"]
    small = {"retention.ms": "-1", "max.message.bytes": "1000"}
    findings = check(TOPICS, ALL, {"lapwing.rejected": small})
    (fix,) = (finding.remedy for finding in findings if finding.remedy)
    assert fix.startswith("max.message.bytes is 1000 and must be at least 2097152")


def test_settings_that_keep_more_than_is_needed_fit() -> None:
    forever = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
    assert mends(ALL, churn_warnings=forever, lapwing_control=forever, orders=forever) == {}
    assert mends(ALL, orders={"retention.ms": "604800000", "retention.bytes": "5"}) == {}


@pytest.mark.parametrize(
    ("retention", "fits"), [("1000", False), ("86399999", False), ("86400000", True), ("-1", True)]
)
def test_an_input_topic_keeps_events_for_a_day_at_least(retention: str, fits: bool) -> None:
    found = {**ALL, "actions": 4, "profiles": 4}
    kept = {"cleanup.policy": "delete", "retention.ms": retention}
    expected = (
        f"retention.ms is {retention} and must be at least 86400000: else records are deleted that are needed"
    )
    remedies = mends(found, orders=kept, actions=kept, profiles={**kept, "cleanup.policy": "compact"})
    assert remedies == ({} if fits else {"orders": expected, "actions": expected})


def test_input_topics_are_made_with_the_retention_of_the_broker() -> None:
    broker = Broker({})
    create(broker, TOPICS, 4, 2)
    assert "retention.ms" not in broker.made["orders"]


MAPPED = plan(
    required=["logins"],
    optional=["orders"],
    compacted=[],
    warnings="churn-warnings",
    control="lapwing-control",
    audit="lapwing-audit",
    rejected="lapwing.rejected",
    silences="lapwing-silences",
    mapped=["shop.sales"],
)


def test_a_business_s_own_topic_is_never_made_and_says_how_many_partitions_ours_have() -> None:
    broker = Broker({"shop.sales": 5})
    made = create(broker, MAPPED, None, 2)
    assert [spec.name for spec, is_new in made if not is_new] == ["shop.sales"]
    assert broker.found["logins"] == broker.found["churn-warnings"] == 5
    absent = Broker({})
    create(absent, MAPPED, 3, 2)
    assert "shop.sales" not in absent.found


def test_a_business_s_own_topic_that_is_missing_or_does_not_fit_is_told_with_the_mend() -> None:
    others = {"logins": 4, "churn-warnings": 4}
    remedies = {each.topic: each.remedy for each in check(MAPPED, others)}
    assert "the file of inputs names it" in (remedies["shop.sales"] or "")
    remedies = {each.topic: each.remedy for each in check(MAPPED, others | {"shop.sales": 2})}
    assert "lapwing import --follow" in (remedies["shop.sales"] or "")
    assert {each.topic for each in check(MAPPED, others) if each.remedy} >= {"shop.sales"}
