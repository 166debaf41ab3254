"""`lapwing model`: how good the model is; the models of the shared learner, and which is in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from lapwing.cli.history import page_options
from lapwing.settings.options import ENGINE_SETTINGS, FILE, PATH, InstantParam, settings_options

_json = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


def _choice(function: Callable[..., Any]) -> Callable[..., Any]:
    function = click.option("--reason", required=True, help="Why.")(function)
    return click.option("--by", required=True, help="Who wants it.")(function)


@click.group("model")
def command() -> None:
    """Report how good the model is; list the models of a shared learner and choose the one in force.

    `report` works on event files. The others are for the learner that all partitions share (`lapwing learn`):
    workers adopt a choice within seconds, each partition at a checkpoint, and the control topic records it.
    """


@command.command("report")
@click.argument("events", nargs=-1, required=True, type=PATH)
@settings_options("rules", "inputs", *ENGINE_SETTINGS)
@click.option(
    "--until",
    type=InstantParam(),
    help="The last instant, RFC 3339; by default the last event's.",
)
@click.option(
    "--partitions",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="Partitions of the topics, each with a model of its own.",
)
@click.option(
    "--groups",
    "groups_path",
    type=FILE,
    help="A CSV or Parquet file with `customer_id` and columns to group by that Lapwing does not know, "
    "such as age or sex. Only this report reads it.",
)
@click.option(
    "--least-customers",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Hide groups of fewer customers.",
)
@page_options
def report_command(**given: Any) -> None:
    """Run the engine over EVENTS and report how good the model's probabilities were.

    Each probability is compared with what became of the customer, and the model learns from it only then. It
    prints measures in all, by month and by group of customers, calibration, what the model goes by, what has
    drifted, and the warning rate of each group. docs/model.md defines every figure.
    """
    from lapwing.commands.model_report import run

    run(**given)


@command.command("list")
@settings_options("broker", "app")
@_json
def list_command(**given: Any) -> None:
    """List the models, the newest first, with how good their candidate was when they were published."""
    from lapwing.commands.models import list_models

    list_models(**given)


@command.command("show")
@settings_options("broker", "app")
@click.argument("version", required=False)
@_json
def show_command(**given: Any) -> None:
    """Show a model, by default the one in force: what it has learned, how good it is, what weighs most.

    The beginning of a version will do where no other version begins so.
    """
    from lapwing.commands.models import show

    show(**given)


@command.command("promote")
@settings_options("broker", "app", "control_topic")
@click.argument("version", required=False)
@_choice
@_json
def promote_command(**given: Any) -> None:
    """Put a model in force and keep it there, whatever the learner publishes.

    Without VERSION the learner's champion is in force again, from now on.
    """
    from lapwing.commands.models import promote

    promote(**given)


@command.command("rollback")
@settings_options("broker", "app", "control_topic")
@_choice
@_json
def rollback_command(**given: Any) -> None:
    """Go back to the model that was in force before, and keep it: customers get the scores of then.

    `lapwing model promote` without a version ends it.
    """
    from lapwing.commands.models import rollback

    rollback(**given)
