"""`lapwing topics`: create and check topics; print the contract."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from consumers.broker import topics
from consumers.broker.client import Admin, Cluster, Producer, Subscription
from consumers.erasure import mark_key
from lapwing.access_plan import PROCESSES, commands
from lapwing.mapped_topics import followed_topics, mapped_topics
from lapwing.settings.settings import Settings
from lapwing.terminal.output import OutputError, whole_file
from lapwing.topic_plan import planned
from lapwing.wiring import erasure_key
from streams import __version__
from streams.errors import BrokerError


def run(
    settings: Settings,
    partitions: int | None,
    replication: int,
    check: bool,
    asyncapi: bool,
    schemas: Path | None,
    acls: str | None,
    as_json: bool,
) -> None:
    """Create the topics that are missing, or check them, or print the contract (which needs no broker)."""
    if acls is not None:
        _print_commands(settings, acls)
        return
    if asyncapi or schemas:
        _print_contract(settings, asyncapi, schemas)
        return
    admin = Admin(Cluster(settings.broker, settings.kafka_security))
    try:
        wanted = planned(settings, mapped_topics(settings))
        made = [] if check else topics.create(admin, wanted, partitions, replication)
        there = admin.partitions()
        configs = admin.configs({topic.name for topic in wanted} & there.keys())
        findings = topics.check(wanted, there, configs)
    finally:
        admin.close()
    if not check and settings.erasures_topic in there:
        _mark_key(settings)
    created = {topic.name for topic, is_new in made if is_new}
    if as_json:
        rows = [{**asdict(finding), "created": finding.topic in created} for finding in findings]
        click.echo(json.dumps(rows))
    else:
        for finding in findings:
            what = "created" if finding.topic in created else "there"
            note = finding.remedy or (
                f"{finding.partitions} partitions, {what}" if finding.partitions else "optional"
            )
            click.echo(f"{finding.topic:<24} {note}")
    bad = sum(finding.remedy is not None for finding in findings)
    if bad:
        msg = f"{bad} of {len(findings)} topics are missing or do not fit together"
        raise BrokerError(msg)


def _mark_key(settings: Settings) -> None:
    """Let the topic of erasures say which key is in use, so that nobody can stop workers by another one."""
    key = erasure_key(settings)
    if key is None:
        return
    cluster = Cluster(settings.broker, settings.kafka_security)
    with (
        closing(Producer(cluster)) as producer,
        closing(Subscription(cluster, settings.erasures_topic, group=None)) as subscription,
    ):
        if mark_key(producer, subscription, settings.erasures_topic, key):
            click.echo(f"{settings.erasures_topic} has the key {key.id} from now on", err=True)


def _print_commands(settings: Settings, principal: str) -> None:
    if "{}" not in principal:
        msg = "--acls: write {} where the name of the process belongs, as in User:lapwing-{}"
        raise click.UsageError(msg)
    names = {process: principal.replace("{}", process) for process in PROCESSES}
    for line in commands(settings, names, mapped_topics(settings), followed_topics(settings)):
        click.echo(line)


def _print_contract(settings: Settings, asyncapi: bool, folder: Path | None) -> None:
    # Only here, since pydantic's schemas take a while to make.
    from streams.contract import schemas

    if folder:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{folder}: cannot be made: {error.strerror}"
            raise OutputError(msg) from error
        for name, schema in schemas.json_schemas().items():
            with whole_file(folder / f"{name}.schema.json") as part:
                part.write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
    if asyncapi:
        names = {topic.label: name for topic, name in settings.topics.items()} | {
            "warnings": settings.warnings_topic,
            "segment-warnings": settings.segment_warnings_topic,
            "outcomes": settings.outcomes_topic,
            "census": settings.census_topic,
            "customer-days": f"{settings.app}.customer-days",
            "scores": settings.scores_topic,
            "control": settings.control_topic,
            "audit": settings.audit_topic,
            "rejected": f"{settings.app}.rejected",
            "silences": settings.silences_topic,
            "samples": settings.samples_topic,
            "models": settings.models_topic,
        }
        click.echo(json.dumps(schemas.asyncapi(names, version=__version__), indent=2))
