"""`lapwing model list|show|promote|rollback`: the models of the shared learner, and which is in force."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final

import click

from consumers.broker.client import Cluster, Producer, Subscription
from consumers.broker.records import Record
from consumers.models import before, named, read_models
from lapwing.settings.settings import Settings
from lapwing.terminal.text import printable
from streams.contract.instants import format_instant, to_us
from streams.contract.models import PIN, ModelLog, PublishedModel, encode_choice
from streams.contract.warnings import encode_notice
from streams.core.steps import OperationsNotice
from streams.errors import ContractError

PINNED: Final = "model.pinned"
ROLLED_BACK: Final = "model.rolled_back"
UNPINNED: Final = "model.unpinned"
"""Kinds of notices on the control topic."""
WEIGHTIEST: Final = 12
"""Inputs that `show` prints."""


def list_models(settings: Settings, as_json: bool) -> None:
    """List the models, the newest first."""
    models = _read(settings)
    rows = [_row(each, models) for each in models.newest()]
    if as_json:
        click.echo(json.dumps({"in_force": models.in_force, "pinned": models.pinned, "models": rows}))
        return
    for row in rows:
        marks = ", ".join(name for name in ("in force", "pinned", "champion") if row[name.replace(" ", "_")])
        measured = f"AUC {_number(row['auc'])}  log loss {_number(row['log_loss'])}  n {row['samples']:,}"
        state = "" if row["ready"] else "  not ready"
        click.echo(
            f"{row['version']:<26} {row['at']}  {row['candidate']:<8} {measured}{state}  {marks}".rstrip()
        )
    if not rows:
        click.echo("no models")


def show(settings: Settings, version: str | None, as_json: bool) -> None:
    """Show a model."""
    models = _read(settings)
    model = models.model() if version is None else named(models, version)
    if model is None:
        msg = "no model is in force"
        raise ContractError(msg)
    row = _row(model, models)
    weights = [
        {"input": name, "spread": max(each[:-1]) - min(each[:-1])}
        for name, each in zip(model.inputs, model.weight, strict=True)
    ]
    weights.sort(key=lambda each: -float(str(each["spread"])))
    if as_json:
        click.echo(json.dumps({**json.loads(model.model_dump_json()), **row, "importance": weights}))
        return
    for name, value in row.items():
        click.echo(f"{name.replace('_', ' '):<16} {value}")
    click.echo(f"{'hash':<16} {model.hash}")
    click.echo(f"{'samples offset':<16} {model.samples_offset}")
    prequential = model.metrics.get("prequential")
    for each in prequential.get("reliability", []) if isinstance(prequential, dict) else []:  # type: ignore[union-attr]  # JSON
        click.echo(
            f"{'given ' + format(each['from'], '.1f'):<16} mean {each['mean_probability']:.3f}, "  # type: ignore[index,call-overload]  # JSON
            f"churned {each['churned'] / each['samples']:.3f} of {each['samples']:,}"  # type: ignore[index,call-overload,operator]  # JSON
        )
    click.echo("widest range of log odds by input:")
    for weight in weights[:WEIGHTIEST]:
        click.echo(f"  {weight['input']:<34} {weight['spread']:.3f}")


def promote(settings: Settings, version: str | None, by: str, reason: str, as_json: bool) -> None:
    """Put a model in force and keep it, or let the learner's champion be in force again."""

    def wanted(models: ModelLog) -> tuple[str | None, str]:
        if version is not None:
            return named(models, version).version, PINNED
        if models.pinned is None:
            msg = "no model is pinned: the learner's champion is in force"
            raise ContractError(msg)
        return None, UNPINNED

    _choose(settings, wanted, by, reason, as_json)


def rollback(settings: Settings, by: str, reason: str, as_json: bool) -> None:
    """Go back to the model that was in force before."""
    _choose(settings, lambda models: (before(models).version, ROLLED_BACK), by, reason, as_json)


def _choose(
    settings: Settings,
    wanted: Callable[[ModelLog], tuple[str | None, str]],
    by: str,
    reason: str,
    as_json: bool,
) -> None:
    """Write a choice, and what it is to the control topic."""
    models, app = _read(settings), settings.app
    version, kind = wanted(models)
    now = to_us(datetime.now(UTC))
    was = models.in_force
    then = (
        version if version is not None else models.champion.version if models.champion is not None else None
    )
    value = encode_choice(app, version, was, now, by, reason)
    models.take(PIN, value)  # what no reader would take is not written
    notice = OperationsNotice(
        kind, now, None, {"version": then, "version_before": was, "by": by, "reason": reason}
    )
    with closing(Producer(Cluster(settings.broker, settings.kafka_security))) as producer:
        producer.send(settings.models_topic, PIN, value)
        producer.flush()
        producer.send(settings.control_topic, None, encode_notice(notice, app))
        producer.flush()
    made = {"kind": kind, "version": then, "version_before": was, "at": format_instant(now), "by": by}
    click.echo(json.dumps(made) if as_json else f"in force: {then} (before: {was}); workers adopt it now")


def _read(settings: Settings) -> ModelLog:
    def on_unreadable(record: Record, why: str) -> None:
        click.echo(printable(f"{record.topic}[{record.partition}]@{record.offset}: {why}"), err=True)

    cluster = Cluster(settings.broker, settings.kafka_security)
    with closing(Subscription(cluster, settings.models_topic, group=None)) as subscription:
        return read_models(subscription, settings.app, on_unreadable)


def _row(model: PublishedModel, models: ModelLog) -> dict[str, Any]:
    metrics: Any = model.metrics.get("prequential")
    measured = metrics if isinstance(metrics, dict) else {}
    return {
        "version": model.version,
        "candidate": model.candidate,
        "at": format_instant(to_us(model.at)),
        "learned": model.learned,
        "learned_churned": model.learned_churned,
        "ready": model.ready,
        **{name: model.metrics.get(name, 0) for name in ("weighted", "treated", "excluded")},
        "samples": measured.get("samples") or 0,
        "base_rate": measured.get("base_rate"),
        "auc": measured.get("auc"),
        "log_loss": measured.get("log_loss"),
        "calibration_error": measured.get("calibration_error"),
        "in_force": model.version == models.in_force,
        "pinned": model.version == models.pinned,
        "champion": models.champion is not None and model.version == models.champion.version,
    }


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, int | float) else "unknown"
