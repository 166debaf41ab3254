"""What each process is to be allowed: the least, as docs/security.md has it and as Kafka's tool takes it."""

from __future__ import annotations

import re
import shlex

from lapwing.access_plan import PROCESSES, Operation, Resource, Right, commands, rights
from lapwing.settings.settings import Settings, load_settings
from lapwing.topic_plan import planned
from streams.core.events.topics import Topic
from tests.paths import ROOT

EVERYTHING = {"LAPWING_LEARNER": "shared", "LAPWING_SCORE_STEP": "0.01"}


def everything() -> Settings:
    return load_settings(environ=EVERYTHING)


def table(settings: Settings) -> str:
    """Return the table of docs/security.md."""
    columns = (
        ("reads", Resource.TOPIC, Operation.READ),
        ("writes", Resource.TOPIC, Operation.WRITE),
        ("group", Resource.GROUP, None),
    )
    lines = [f"| process | {' | '.join(name for name, *_ in columns)} |", "|---" * (len(columns) + 1) + "|"]
    for process, each in rights(settings).items():
        cells = [
            " ".join(f"`{r.name}`" for r in each if r.resource is of and operation in (None, r.operation))
            for _, of, operation in columns
        ]
        lines.append(f"| {process} | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_the_page_has_the_rights_as_they_are() -> None:
    expected = table(everything())
    assert expected in (ROOT / "docs" / "security.md").read_text(), expected


def test_every_topic_is_somebody_s() -> None:
    names = {spec.name for spec in planned(everything())}
    given = {r.name for each in rights(everything()).values() for r in each if r.resource is Resource.TOPIC}
    assert given == names


def test_topics_that_are_mapped_are_read_and_never_made_or_written() -> None:
    found = rights(everything(), {"shop.sales": (Topic.ORDERS,), "shop.tickets": (Topic.COMPLAINTS,)})
    own = {process: {r.operation for r in each if r.name == "shop.sales"} for process, each in found.items()}
    assert own["worker"] == {Operation.READ}
    assert Operation.READ in own["doctor"]
    assert Operation.CREATE not in own["topics"]
    assert own["sink"] == set()
    assert Right(Resource.TOPIC, "shop.tickets", Operation.READ) in found["sink"]
    assert not any(Operation.WRITE in operations for operations in own.values())


def test_an_importer_reads_what_it_follows_and_writes_what_that_becomes() -> None:
    followed = {"shop.sales": (Topic.ORDERS, Topic.CLOSURES)}
    found = rights(everything(), followed=followed)
    assert {(right.name, right.operation) for right in found["importer"]} == {
        ("shop.sales", Operation.READ),
        ("orders", Operation.WRITE),
        ("closures", Operation.WRITE),
        ("lapwing.rejected", Operation.WRITE),
        ("lapwing-import", Operation.READ),
    }
    for process in ("desk", "doctor"):
        own = {(r.name, r.operation) for r in set(found[process]) - set(rights(everything())[process])}
        assert own == {("shop.sales", Operation.READ), ("lapwing-import", Operation.DESCRIBE)}
    assert all(found[name] == rights(everything())[name] for name in ("worker", "sink", "topics", "erase"))
    lines = commands(everything(), dict.fromkeys(PROCESSES, "User:x"), None, followed)
    assert any(line.endswith("--operation Read --topic shop.sales") for line in lines)


def test_nobody_may_write_what_others_are_trusted_for() -> None:
    writers: dict[str, set[str]] = {}
    for process, each in rights(everything()).items():
        for right in each:
            if right.operation is Operation.WRITE:
                writers.setdefault(right.name, set()).add(process)
    assert writers["churn-warnings"] == {"worker"}
    assert writers["lapwing-models"] == {"learner", "model"}
    assert writers["lapwing.erasures"] == {"erase", "topics"}
    assert writers["actions"] == {"act", "desk", "intake", "importer"}
    assert writers["lapwing-silences"] == {"desk", "silence", "erase"}
    for topic in ("orders", "logins", "complaints", "closures", "feedback"):
        assert writers[topic] == {"intake", "importer"}
    assert rights(everything())["notifier"] == ()


def test_what_is_switched_off_needs_no_right() -> None:
    plain = load_settings(environ={"LAPWING_MODEL_ENABLED": "false"})
    names = {right.name for right in rights(plain)["worker"]}
    assert not names & {"churn-scores", "lapwing-models", "lapwing-samples"}


def test_no_right_is_given_that_another_one_implies() -> None:
    for each in rights(everything()).values():
        strong = {(r.resource, r.name) for r in each if r.operation in (Operation.READ, Operation.WRITE)}
        assert not [r for r in each if r.operation is Operation.DESCRIBE and (r.resource, r.name) in strong]


def test_kafka_s_own_tool_takes_the_lines() -> None:
    lines = commands(everything(), {process: f"User:the {process}" for process in PROCESSES})
    assert len(lines) == sum(map(len, rights(everything()).values()))
    words = shlex.split(lines[0])
    assert words[:4] == ["kafka-acls.sh", "--bootstrap-server", "127.0.0.1:9092", "--add"]
    assert words[4:6] == ["--allow-principal", "User:the worker"]
    assert re.fullmatch(r"Read|Write", words[7])
    assert Right(Resource(words[8].removeprefix("--")), words[9], Operation(words[7]))


def test_the_tests_that_the_page_names_are_there() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    named = re.findall(r"`(tests/[\w/.]+)`", text)
    assert len(named) >= 5
    assert [name for name in named if not (ROOT / name).exists()] == []
