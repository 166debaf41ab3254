"""What each process must be allowed on the broker, by its settings: the least that it works with."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lapwing.follow import import_group
from lapwing.settings.settings import Settings
from lapwing.stored_inputs import is_stored
from lapwing.topic_plan import of_customers
from streams.core.events.topics import Topic


class Operation(StrEnum):
    """Of Kafka's operations those that are needed; `READ` and `WRITE` imply `DESCRIBE`."""

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"


class Resource(StrEnum):
    """What an operation is on."""

    TOPIC = "topic"
    GROUP = "group"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One entry of an access control list: allow this operation on that."""

    resource: Resource
    name: str
    operation: Operation


IMPLIES_DESCRIBE: Final = frozenset({Operation.READ, Operation.WRITE})
PROCESSES: Final = (
    *("worker", "learner", "sink", "notifier", "desk", "intake", "importer"),
    *("act", "silence", "model", "tail", "audit", "erase", "doctor", "topics"),
)
"""Who has rights of its own: what runs, then commands of operators."""


def _topics(operation: Operation, names: Iterable[str]) -> list[Right]:
    return [Right(Resource.TOPIC, name, operation) for name in names]


def _groups(operation: Operation, *names: str) -> list[Right]:
    return [Right(Resource.GROUP, name, operation) for name in names]


def rights(
    settings: Settings,
    mapped: Mapping[str, Collection[Topic]] | None = None,
    followed: Mapping[str, Collection[Topic]] | None = None,
) -> Mapping[str, tuple[Right, ...]]:
    """Return what each process needs, with the optional topics and those whose records are `mapped`.

    Each of these is with the topics of the contract that it brings events of. `followed` are the same of the
    topics that an importer reads.
    """
    mapped, followed = mapped or {}, followed or {}
    brought = {topic for each in followed.values() for topic in each}
    imported = [name for topic, name in settings.topics.items() if not brought or topic in brought]
    importing = [import_group(settings)] if followed else []
    read, write, describe = Operation.READ, Operation.WRITE, Operation.DESCRIBE
    app = settings.app
    inputs = list(dict.fromkeys([*settings.topics.values(), *mapped]))
    rejected, segment_days, customer_days = f"{app}.rejected", f"{app}.segment-days", f"{app}.customer-days"
    scores = [settings.scores_topic] if settings.score_step is not None else []
    models = [settings.models_topic] if settings.shares_learner else []
    samples = [settings.samples_topic] if settings.model_enabled else []
    own = [
        *(settings.warnings_topic, settings.control_topic, settings.audit_topic, rejected),
        *(settings.segment_warnings_topic, segment_days, settings.outcomes_topic, settings.census_topic),
        *(customer_days, *scores, *samples),
    ]
    stored = [
        *(settings.warnings_topic, settings.segment_warnings_topic, settings.outcomes_topic),
        *(settings.census_topic, customer_days, settings.complaints, settings.actions),
        *(settings.samples_topic, settings.audit_topic, settings.silences_topic),
        *(name for name, topics in mapped.items() if is_stored(topics)),
    ]
    shown = [settings.control_topic, settings.audit_topic, rejected, settings.silences_topic, *models]
    every = list(dict.fromkeys([*inputs, *own, *shown, settings.erasures_topic, settings.samples_topic]))
    every += [name for name in (settings.models_topic,) if name not in every]
    found = {
        "worker": [
            *_topics(read, [*inputs, settings.warnings_topic, rejected, segment_days, *models]),
            *_topics(read, [settings.segment_warnings_topic, settings.erasures_topic]),
            *_topics(write, own),
            *_groups(read, app, f"{app}-segments"),
        ],
        "learner": [
            *_topics(read, [settings.samples_topic, settings.models_topic]),
            *_topics(write, [settings.models_topic, settings.control_topic]),
            *_groups(read, f"{app}-learner"),
        ],
        "sink": [*_topics(read, [*stored, settings.erasures_topic]), *_groups(read, f"{app}-sink")],
        "notifier": [],
        "desk": [
            *_topics(write, [settings.actions, settings.silences_topic]),
            *_topics(read, [*inputs, *shown, *stored, settings.erasures_topic]),
            *_topics(describe, every),
            *_topics(Operation.DESCRIBE_CONFIGS, every),
            *_topics(read, followed),
            *_groups(describe, app, f"{app}-sink", *importing),
        ],
        "intake": _topics(write, [*settings.topics.values(), rejected]),
        "importer": [
            *_topics(read, followed),
            *_topics(write, [*imported, rejected]),
            *_groups(read, import_group(settings)),
        ],
        "act": _topics(write, [settings.actions]),
        "silence": [*_topics(read, [settings.silences_topic]), *_topics(write, [settings.silences_topic])],
        "model": [
            *_topics(read, [settings.models_topic]),
            *_topics(write, [settings.models_topic, settings.control_topic]),
        ],
        "tail": _topics(read, [settings.warnings_topic]),
        "audit": _topics(read, [settings.audit_topic]),
        "erase": [
            *_topics(read, [settings.erasures_topic, settings.silences_topic]),
            *_topics(write, [settings.erasures_topic, settings.silences_topic]),
            *_topics(write, [settings.topics[Topic.PROFILES], *scores]),
            *_topics(describe, of_customers(settings)),
            *_topics(Operation.DESCRIBE_CONFIGS, of_customers(settings)),
        ],
        "doctor": [
            *_topics(describe, every),
            *_topics(Operation.DESCRIBE_CONFIGS, every),
            *_topics(read, [*inputs, *shown, *stored, settings.erasures_topic]),
            *_topics(read, followed),
            *_groups(describe, app, f"{app}-sink", *importing),
        ],
        "topics": [
            *_topics(Operation.CREATE, [name for name in every if name not in mapped]),
            *_topics(read, [settings.erasures_topic]),
            *_topics(write, [settings.erasures_topic]),
            *_topics(describe, every),
            *_topics(Operation.DESCRIBE_CONFIGS, every),
        ],
    }
    return {process: _least(found[process]) for process in PROCESSES}


def _least(found: Iterable[Right]) -> tuple[Right, ...]:
    """Return the rights that no other one of them implies, in order."""
    given = set(found)
    stronger = {(each.resource, each.name) for each in given if each.operation in IMPLIES_DESCRIBE}
    return tuple(
        sorted(
            each
            for each in given
            if each.operation is not Operation.DESCRIBE or (each.resource, each.name) not in stronger
        )
    )


def commands(
    settings: Settings,
    principals: Mapping[str, str],
    mapped: Mapping[str, Collection[Topic]] | None = None,
    followed: Mapping[str, Collection[Topic]] | None = None,
) -> list[str]:
    """Return the lines of Kafka's own tool that give each process its rights; `principals` by process."""
    tool = f"kafka-acls.sh --bootstrap-server {settings.broker} --add"
    return [
        f"{tool} --allow-principal {shlex.quote(principals[process])} "
        f"--operation {right.operation} --{right.resource} {shlex.quote(right.name)}"
        for process, each in rights(settings, mapped, followed).items()
        for right in each
    ]
