"""`lapwing models`: the models of the shared learner, and which is in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from lapwing.settings.options import settings_options

_json = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


def _choice(function: Callable[..., Any]) -> Callable[..., Any]:
    function = click.option("--reason", required=True, help="Why.")(function)
    return click.option("--by", required=True, help="Who wants it.")(function)


@click.group("models")
def command() -> None:
    """List the models of the learner that all partitions share, and choose the one in force.

    Workers adopt a choice within seconds, each partition at a checkpoint. The control topic records it.
    """


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

    `lapwing models promote` without a version ends it.
    """
    from lapwing.commands.models import rollback

    rollback(**given)
