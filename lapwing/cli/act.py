"""`lapwing act`: acknowledge, snooze or expire a warning."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import DurationParam, InstantParam, settings_options
from streams.core.warnings.acknowledgement import ACTS


@click.command()
@click.argument("warning_id")
@click.argument("kind", type=click.Choice(tuple(ACTS)))
@settings_options("broker", "actions", "database")
@click.option("--by", required=True, help="Who does it; it stands on the warning.")
@click.option(
    "--for",
    "lasts",
    type=DurationParam(),
    help="How long it lasts, such as 3d; default: as in the worker's settings.",
)
@click.option(
    "--customer", help="The warning's customer; default: as the database that `lapwing sink` fills has it."
)
@click.option(
    "--at",
    type=InstantParam(),
    help="When it was done, RFC 3339; default: now, or where the newest warning stands, if a week ago.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the event that was sent.")
def command(**given: Any) -> None:
    """Acknowledge, snooze or expire the warning WARNING_ID, or the only one whose id begins so.

    An acknowledgement means that somebody takes care of it; after a while it lapses, and the team is
    reminded. A snooze puts the warning off. `expire` ends it. The action is an event on the topic of actions;
    the worker that reads it changes the warning, if that is still open.
    """
    from lapwing.commands.act import run

    run(**given)
