"""`lapwing topics`: create and check topics; print the contract."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import PATH, settings_options


@click.command()
@settings_options("broker", "app")
@click.option(
    "--partitions",
    type=click.IntRange(1),
    help="Partitions of new topics; by default as many as the others have, or 6.",
)
@click.option(
    "--replication", type=click.IntRange(1), default=1, show_default=True, help="Copies of each record."
)
@click.option("--check", is_flag=True, help="Create nothing; exit 1 where topics are missing or do not fit.")
@click.option("--asyncapi", is_flag=True, help="Print the contract as an AsyncAPI document (JSON).")
@click.option(
    "--schemas",
    type=PATH,
    help="Write the contract's JSON Schemas to this folder.",
)
@click.option(
    "--acls",
    metavar="PRINCIPAL",
    help="Print Kafka's commands that give each process the least rights it needs, as PRINCIPAL with the "
    "process in place of {}: `User:lapwing-{}`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(**given: Any) -> None:
    """Create the topics that are missing, or check them, or print the contract (which needs no broker)."""
    from lapwing.commands.topics import run

    run(**given)
