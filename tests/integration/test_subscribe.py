"""Readers of the warnings topic: those of docs/subscribe.md, one in JavaScript, and a group's members."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from consumers import WarningStream
from consumers.broker.client import Admin, Cluster, Producer, Subscription
from lapwing.cli import topics
from scripts import npm
from scripts.debian import Missing
from streams.contract.warnings import parse_warning
from streams.errors import ContractError
from tests.consumers.warning_events import attended_life, life
from tests.integration.test_consumers_broker import committed, invoke
from tests.paths import ROOT

WITHIN_S = 60.0
PAGE = (ROOT / "docs" / "subscribe.md").read_text()
SHORT, PLAIN = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ADDRESS = "127.0.0.1:9092"


@pytest.fixture
def topic(broker: str) -> str:
    name = f"s-{uuid4().hex[:8]}"
    admin = Admin(Cluster(broker))
    for each in (name, f"{name}-crm.rejected"):
        admin.create(each, 3, 1, {})
    admin.close()
    return name


def lives(customers: int) -> list[bytes]:
    """Return the steps of customers of whom two of three have an open warning."""
    return [
        content
        for n in range(customers)
        for content in (life(f"c{n}"), life(f"c{n}")[:3], attended_life(f"c{n}"))[n % 3]
    ]


def send(broker: str, topic: str, contents: list[bytes]) -> None:
    producer = Producer(Cluster(broker))
    for content in contents:
        try:
            key = parse_warning(content).subject.encode()
        except ContractError:
            key = b"k"
        producer.send(topic, key, content)
    producer.flush()
    producer.close()


def held_out(contents: list[bytes]) -> list[bytes]:
    return [content.replace(b'"holdout":false', b'"holdout":true') for content in contents]


def everything(broker: str, topic: str, count: int) -> list[tuple[bytes | None, dict[str, bytes]]]:
    """Return value and headers of the records of a topic once there are so many."""
    reader = Subscription(Cluster(broker), topic, group=None)
    found: list[tuple[bytes | None, dict[str, bytes]]] = []
    until = time.monotonic() + WITHIN_S
    while len(found) < count and time.monotonic() < until:
        found += [(record.value, dict(record.headers)) for record in reader.poll(0.5)]
    reader.close()
    return found


@contextmanager
def program(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


def on(broker: str, topic: str, code: str) -> str:
    """Return an example of the page for this broker, topic and a group of its own."""
    assert code.count(ADDRESS) == 1
    code = code.replace(ADDRESS, broker)
    if code is SHORT or "WarningStream" in code:
        return code.replace('group="crm"', f'group="{topic}-crm", topic="{topic}", session_timeout_s=6')
    code = code.replace('"churn-warnings", "crm"', f'"{topic}", "{topic}-crm"')
    return code.replace("group_id=GROUP,", "group_id=GROUP, session_timeout_ms=6000,")


def test_the_example_has_fifteen_lines_of_code() -> None:
    assert len([line for line in SHORT.splitlines() if line.strip()]) <= 15


@pytest.mark.parametrize("code", [SHORT, PLAIN], ids=["stream", "plain"])
def test_the_examples_of_the_page_run_as_they_stand(broker: str, topic: str, code: str) -> None:
    contents = [
        *life("c1"),
        b"nonsense",
        *held_out(life("c2")),
        life("c1")[1],
        *life("x1")[:1],
        *life("c3")[:2],
    ]
    send(broker, topic, contents)
    places = f"{topic}-crm.rejected"
    with program(on(broker, topic, code)) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        wait_for(lambda: committed(broker, f"{topic}-crm", topic) == len(contents))
        process.terminate()
        out, err = process.communicate(timeout=WITHIN_S)
    assert sorted(lines) == sorted(
        [
            "c1: medium, Title of order-collapse\n",
            "c1: medium, Title of a, Title of b\n",
            "c1: high, Title of a, Title of c\n",
            "c1: resolved\n",
            "c3: medium, Title of order-collapse\n",
            "c3: medium, Title of a, Title of b\n",
        ]
    )
    assert out == ""
    if "WarningStream" in code:
        assert process.returncode == 0, err
        assert "Traceback" not in err
    aside = everything(broker, places, 2)
    assert sorted(value or b"" for value, _ in aside) == sorted([b"nonsense", life("x1")[0]])
    details = {value: headers["lapwing-detail"] for value, headers in aside}
    assert details[life("x1")[0]] == b"not a customer of ours"


def test_the_open_set_is_whole_after_a_restart(broker: str, topic: str) -> None:
    contents = lives(60)
    send(broker, topic, contents)
    group = {"group": f"{topic}-crm", "topic": topic, "session_timeout_s": 6.0, "follow": False}
    last = {event.subject: event for event in map(parse_warning, contents)}
    opened = {customer: event for customer, event in last.items() if event.data.state == "open"}
    handled: set[str] = set()
    # On a slow machine a member may lose its session before it has committed: then steps come again.
    while committed(broker, f"{topic}-crm", topic) < len(contents):
        with WarningStream(broker, **group) as stream:  # type: ignore[arg-type]  # of several types
            stream.run(lambda step: handled.add(step.id))
            assert dict(stream.open) == opened
    assert handled == {parse_warning(content).id for content in contents}
    send(broker, topic, life("c0")[:1] + life("new"))
    again: list[str] = []
    with WarningStream(broker, **group) as stream:  # type: ignore[arg-type]  # of several types
        stream.run(lambda step: again.append(step.id))
        assert dict(stream.open) == opened
    # The step of c0 was handled before.
    assert again == [parse_warning(content).id for content in life("new")]


MEMBER = """
import sys
from consumers import WarningStream

broker, topic, out = sys.argv[1:]
with WarningStream(broker, group=topic + "-crm", topic=topic, session_timeout_s=6) as stream:
    for step in stream:
        with open(out, "a") as file:
            file.write(step.id + "\\n")
"""


def test_members_that_die_and_join_lose_no_step_and_keep_each_customers_order(
    broker: str, topic: str, tmp_path: Path
) -> None:
    contents = lives(300)
    out = tmp_path / "handled"

    def handled() -> list[str]:
        return out.read_text().splitlines() if out.exists() else []

    send(broker, topic, contents[:500])
    with program(MEMBER, broker, topic, str(out)) as first:
        wait_for(lambda: len(handled()) > 100)
        first.kill()
        send(broker, topic, contents[500:])
        with program(MEMBER, broker, topic, str(out)), program(MEMBER, broker, topic, str(out)) as third:
            wait_for(lambda: len(set(handled())) == len(contents))
            wait_for(lambda: committed(broker, f"{topic}-crm", topic) == len(contents))
            third.send_signal(signal.SIGTERM)
            _, err = third.communicate(timeout=WITHIN_S)
            assert third.returncode == 0, err
    assert set(handled()) == {parse_warning(content).id for content in contents}
    by_warning: dict[str, list[int]] = {}
    for step in dict.fromkeys(handled()):
        warning, _, number = step.rpartition("/")
        by_warning.setdefault(warning, []).append(int(number))
    assert all(numbers == sorted(numbers) for numbers in by_warning.values())


def test_a_topic_for_what_is_put_aside_is_made(broker: str, topic: str) -> None:
    send(broker, topic, [b"nonsense", *life("c1")])
    group = f"{topic}-other"
    with WarningStream(broker, group, topic=topic, session_timeout_s=6, follow=False) as stream:
        assert stream.run(lambda step: None) == 4
    [(value, headers)] = everything(broker, f"{group}.rejected", 1)
    assert (value, headers["lapwing-reason"]) == (b"nonsense", b"unreadable")


@pytest.mark.kafka
def test_a_reader_in_javascript_written_from_the_published_schema_finds_the_same_open_warnings(
    broker: str, topic: str, tmp_path: Path
) -> None:
    try:
        reader = npm.installed(ROOT / "tests" / "integration" / "subscriber")
    except Missing as reason:
        pytest.skip(f"no JavaScript: {reason}")
    invoke(topics.command, "--schemas", str(tmp_path))
    wrong = [
        life("w1")[0].replace(b'"tier":"medium"', b'"tier":"urgent"'),
        life("w2")[0].replace(b'"holdout":false', b'"holdout":"no"'),
        b"nonsense",
    ]
    more = life("c1")[0].replace(b'"specversion"', b'"traceparent":"00-1","specversion"')
    contents = [more, *lives(90)[1:], *held_out(life("h1")[:2])]
    send(broker, topic, [*contents, *wrong])
    command = ["node", "open_set.mjs", broker, topic, f"{topic}-js", str(tmp_path / "warnings.schema.json")]
    done = subprocess.run(command, cwd=reader, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    aside: list[tuple[int, int]] = []
    with WarningStream(
        broker,
        topic=topic,
        follow=False,
        on_rejected=lambda each: aside.append((each.record.partition, each.record.offset)),
    ) as stream:
        stream.run(lambda step: None)
        opened = {customer: step.id for customer, step in stream.open.items()}
    assert found["records"] == len(contents) + len(wrong)
    assert [(each["partition"], each["offset"]) for each in found["invalid"]] == sorted(aside)
    assert len(aside) == len(wrong)
    assert len(opened) > 30
    assert found["open"] == opened
