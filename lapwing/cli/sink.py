"""`lapwing sink`: store what the topics say in a database."""

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
    "outcomes_topic",
    "census_topic",
    "audit_topic",
    "silences_topic",
    "complaints",
    "actions",
    "database",
    "stored_samples",
    "max_skew",
    "session_timeout",
    "metrics_listen",
)
@click.option("--follow/--no-follow", default=True, help="Keep running, or stop at the end of the topics.")
@click.option("--json", "as_json", is_flag=True, help="Print the final counts as JSON.")
def command(**given: Any) -> None:
    """Store warnings and all that reports need in a database, each record once.

    Stored are warnings of customers and segments, outcomes, the census, customers' days, complaints, actions,
    labelled samples, changes of rules and silences; a topic that is missing is stored from the moment it is
    there. Whatever is repeated or interrupted, nothing is stored twice. Runs until Ctrl-C or SIGTERM. Several
    at once share the topics' partitions.
    """
    from lapwing.commands.sink import run

    run(**given)
