"""`lapwing desk`: the page on which a retention team works."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import settings_options


@click.group("desk", invoke_without_command=True)
@settings_options(
    "broker",
    "app",
    "actions",
    "silences_topic",
    "database",
    "rules",
    "time_zone",
    "horizon",
    "currency",
    "desk_url",
    "desk_listen",
    "desk_capacity",
    "desk_people",
    "metrics_listen",
)
def command(**given: Any) -> None:
    """Serve the page on which a retention team works: the queue, customers, rules and what plays do.

    It reads the database that `lapwing sink` fills, and sends what people do to the topics of actions and
    silences. Runs until Ctrl-C or SIGTERM.
    """
    context = click.get_current_context(silent=True)
    if context is None or context.invoked_subcommand is None:
        from lapwing.commands.desk import run

        run(**given)


@command.command("token")
@click.argument("name")
def token_command(**given: Any) -> None:
    """Make a token with which NAME signs in; prints it, and the line for the people file.

    Nobody can find out the token from that line: it is shown this once.
    """
    from lapwing.commands.desk_token import run

    run(**given)
