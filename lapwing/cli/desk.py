"""`lapwing desk`: the page on which a retention team works."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import settings_options


@click.command()
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
)
def command(**given: Any) -> None:
    """Serve the page on which a retention team works: the queue, customers, rules and what plays do.

    It reads the database that `lapwing sink` fills, and sends what people do to the topics of actions and
    silences. Runs until Ctrl-C or SIGTERM.
    """
    from lapwing.commands.desk import run

    run(**given)
