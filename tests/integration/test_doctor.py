"""`lapwing doctor` and `lapwing topics` on a broker: what one misses the other makes."""

import json
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from consumers.broker.client import Cluster, Places, Producer, Subscription
from lapwing.cli import doctor, topics
from lapwing.doctor.installation import Installation
from lapwing.operations import sink_lag
from lapwing.settings.settings import load_settings
from streams.contract.rejected import RefusalReason, rejected_headers
from streams.core.events.topics import Topic
from tests.integration.workers import Sent, produce


@pytest.fixture
def installation(broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder whose settings name topics that no other test uses."""
    monkeypatch.chdir(tmp_path)
    names = [f'{topic.label} = "doctor-{topic.label}"' for topic in Topic]
    names += ['warnings_topic = "doctor-warnings"', 'control_topic = "doctor-control"', 'app = "doctor"']
    names.append('audit_topic = "doctor-audit"')
    (tmp_path / "lapwing.toml").write_text("\n".join([f'broker = "{broker}"', *names]))


def checks() -> dict[str, tuple[str, str]]:
    result = CliRunner().invoke(doctor.command, ["--json"], catch_exceptions=False)
    return {
        check["check"]: (check["outcome"], check["detail"]) for check in json.loads(result.output)["checks"]
    }


@pytest.mark.usefixtures("installation")
def test_the_doctor_finds_topics_missing_until_they_are_made(broker: str) -> None:
    before = checks()
    assert before["broker"][0] == "ok"
    assert before["broker"][1].startswith(f"{broker} answers")
    assert before["topics"][0] == "failed"
    assert "doctor-orders: missing" in before["topics"][1]
    result = CliRunner().invoke(topics.command, ["--partitions", "2"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert checks()["topics"] == ("ok", "all that are needed are there and fit together")


@pytest.mark.usefixtures("installation")
def test_the_doctor_sees_how_far_the_group_is_behind(broker: str) -> None:
    made = CliRunner().invoke(topics.command, ["--partitions", "2"], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    produce(broker, [Sent("doctor-orders", b"k", b"garbage", number % 2) for number in range(10)])
    member = Subscription(Cluster(broker), "doctor-orders", group="doctor", session_timeout_ms=6_000)
    read = 0
    while read < 10:
        read += len(member.poll(1.0))
    member.commit({("doctor-orders", 0): 5, ("doctor-orders", 1): 2})
    member.close()
    assert checks()["lag"] == ("ok", "3 records are not in a saved state yet")


@pytest.mark.usefixtures("installation")
def test_the_doctor_reads_the_newest_refusals(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = CliRunner().invoke(topics.command, ["--partitions", "2"], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    monkeypatch.setattr("lapwing.doctor.broker.REJECTED", 3)
    cluster = Cluster(broker)
    with closing(Producer(cluster)) as producer:
        for number in range(12):
            reason = RefusalReason.NOT_JSON if number < 4 else RefusalReason.FUTURE_TIME
            headers = rejected_headers(reason, "why", "doctor-orders", number % 2, number)
            producer.send("doctor.rejected", None, b"x", headers=headers, partition=number % 2)
        producer.flush()
    outcome, detail = checks()["records refused"]
    assert (outcome, detail.partition(";")[0]) == ("warning", "6 in the last day: 6 future_time")


@pytest.mark.usefixtures("installation")
def test_the_doctor_sees_what_the_sink_has_yet_to_store(broker: str) -> None:
    made = CliRunner().invoke(topics.command, ["--partitions", "2"], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    before = checks()
    assert before["sink"] == ("skipped", "no sink has stored anything yet")
    assert before["copies of topics"][0] == "warning"
    assert before["versions"][0] == "ok"
    old = int(time.time() * 1000) - 3_600_000
    with closing(Producer(Cluster(broker))) as producer:
        for number in range(6):
            producer.send("doctor-warnings", b"k", b"garbage", old, partition=number % 2)
        producer.flush()
    member = Subscription(Cluster(broker), "doctor-warnings", group="doctor-sink", session_timeout_ms=6_000)
    read = 0
    while read < 6:
        read += len(member.poll(1.0))
    member.commit({("doctor-warnings", 0): 3, ("doctor-warnings", 1): 1})
    outcome, text = checks()["sink"]
    assert outcome == "warning"
    assert text.startswith("2 records of doctor-warnings are not stored, the oldest for 60m: ")
    assert sink_lag(Installation(load_settings()), ["doctor-warnings", "others"]) == {"doctor-warnings": 2}
    member.commit({("doctor-warnings", 1): 3})
    member.close()
    assert sink_lag(Installation(load_settings()), ["doctor-warnings"]) == {"doctor-warnings": 0}
    assert checks()["sink"] == ("ok", "all that the topics hold is stored")


@pytest.mark.usefixtures("installation")
def test_ends_and_newest_records_of_several_topics_are_read_in_one_pass(broker: str) -> None:
    made = CliRunner().invoke(topics.command, ["--partitions", "2"], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    around = Installation(load_settings())
    names = {"doctor-orders", "doctor-logins", "doctor-profiles"}
    with closing(Places(around.cluster, names)) as places:
        before = places.ends(5.0)
    assert before.keys() == {(name, number) for name in names for number in range(2)}
    future = int(time.time() * 1000) + 600_000
    sent = [("doctor-orders", 0, 5), ("doctor-orders", 1, 2), ("doctor-logins", 1, 3)]
    with closing(Producer(Cluster(broker))) as producer:
        for topic, partition, count in sent:
            for number in range(count):
                value = f"{topic}{partition}{number}".encode()
                producer.send(topic, b"k", value, future + number, partition=partition)
        producer.flush()
    with closing(Places(around.cluster, names)) as places:
        ends = places.ends(5.0)
        assert {at: ends[at] - before[at] for at in ends if ends[at] > before[at]} == {
            (topic, partition): count for topic, partition, count in sent
        }
        newest = places.newest(5.0)
        first = places.first_from({(topic, number): before[topic, number] for topic, number, _ in sent}, 5.0)
    of_us = {
        (topic, number): (newest[topic, number].value, first[topic, number].value)
        for topic, number, _ in sent
    }
    assert of_us == {
        (topic, number): (f"{topic}{number}{count - 1}".encode(), f"{topic}{number}0".encode())
        for topic, number, count in sent
    }
    begun = time.monotonic()
    outcome, text = checks()["clocks"]
    assert time.monotonic() - begun < 30
    assert outcome == "warning"
    assert "in the future: keep all clocks by NTP" in text
