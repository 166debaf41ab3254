"""All checks, in the order in which one depends on another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from lapwing.doctor.broker import broker, lag, refused_records, silences, topics_fit
from lapwing.doctor.check import CheckResult, made
from lapwing.doctor.cluster import copies, retention, rights
from lapwing.doctor.erasures import erasures
from lapwing.doctor.importer import importer
from lapwing.doctor.inputs import inputs
from lapwing.doctor.installation import Installation
from lapwing.doctor.machine import certificates, clocks, disk, files
from lapwing.doctor.model import model
from lapwing.doctor.readers import census_zone, outbox, sink
from lapwing.doctor.rules import refused_files, rule_files, rules_of_partitions
from lapwing.doctor.schema_registry import schema_registry
from lapwing.doctor.secret_files import secret_files
from lapwing.doctor.stores import channels, checkpoints, database
from lapwing.doctor.versions import versions
from lapwing.doctor.webhooks import webhooks

CHECKS: Final[dict[str, Callable[[Installation], str]]] = {
    "secret files": secret_files,
    "rules": rule_files,
    "broker": broker,
    "topics": topics_fit,
    "copies of topics": copies,
    "rights on topics": rights,
    "inputs": inputs,
    "schema registry": schema_registry,
    "importer": importer,
    "rules in force": rules_of_partitions,
    "rule files refused": refused_files,
    "records refused": refused_records,
    "checkpoints": checkpoints,
    "model": model,
    "lag": lag,
    "retention": retention,
    "database": database,
    "sink": sink,
    "time zone": census_zone,
    "erasures": erasures,
    "channels": channels,
    "notices to send": outbox,
    "silences": silences,
    "webhooks": webhooks,
    "versions": versions,
    "file rights": files,
    "disk space": disk,
    "clocks": clocks,
    "certificates": certificates,
}


def examine(installation: Installation) -> list[CheckResult]:
    """Return what came of every check."""
    return [made(name, partial(check, installation)) for name, check in CHECKS.items()]
