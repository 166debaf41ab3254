"""`lapwing doctor` and `lapwing topics` on a broker: what one misses the other makes."""

import json
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from consumers.broker.client import Cluster, Producer, Subscription
from lapwing.cli import doctor, topics
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
    member.commit({("doctor-warnings", 1): 3})
    member.close()
    assert checks()["sink"] == ("ok", "all that the topics hold is stored")
