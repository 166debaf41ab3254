"""`lapwing notify`: send opened and escalated warnings to the team's channels."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import DurationParam, settings_options


@click.command()
@settings_options("database")
@click.option(
    "--follow/--no-follow", default=True, help="Go on for ever, or stop when all that is due was tried."
)
@click.option("--from-now", is_flag=True, help="Send a new channel nothing of what is stored already.")
@click.option(
    "--give-up-after",
    type=DurationParam(),
    default="3d",
    show_default=True,
    help="How long a message is tried.",
)
@click.option("--retry-given-up", is_flag=True, help="Try again what was given up.")
@click.option("--json", "as_json", is_flag=True, help="Print the final counts as JSON.")
def command(**given: Any) -> None:
    """Send opened and escalated warnings from the database to the team's channels.

    The channels are Apprise URLs in LAPWING_NOTIFY_URLS (or `notify_urls` of the settings file), with spaces
    between them; `NAME=URL` gives one a name. Each step is sent once to each channel, and tried again while a
    receiver is down. Several notifiers may run side by side. What silences, quiet hours, flapping or too many
    notices of one customer mute is recorded in the table `notices`. Without --follow the exit code is 1
    where something is left unsent.
    """
    from lapwing.commands.notify import run

    run(**given)
