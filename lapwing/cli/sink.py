"""`lapwing sink`: store warnings in a database."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import settings_options


@click.command()
@settings_options(
    "broker",
    "app",
    "warnings_topic",
    "segment_warnings_topic",
    "silences_topic",
    "database",
    "session_timeout",
)
@click.option("--follow/--no-follow", default=True, help="Go on for ever, or stop at the topics' end.")
@click.option("--json", "as_json", is_flag=True, help="Print the final counts as JSON.")
def command(**given: Any) -> None:
    """Store warnings, and silences, in a database, each step once, whatever is repeated or interrupted.

    Warnings of segments too, where their topic is there; the counts are of both. Runs until Ctrl-C or
    SIGTERM. Several at once share the topics' partitions.
    """
    from lapwing.commands.sink import run

    run(**given)
