"""`lapwing erase`: erase customers."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import DurationParam, settings_options


@click.command()
@click.argument("customers", nargs=-1, metavar="CUSTOMER...")
@settings_options("broker", "app", "checkpoints", "database")
@click.option("--wait", is_flag=True, help="Wait until no checkpoint has the customers any more.")
@click.option(
    "--within",
    type=DurationParam(),
    default="10m",
    show_default=True,
    help="How long to wait at the most.",
)
@click.option("--check", is_flag=True, help="Erase nothing: report what is still there of the customers.")
@click.option(
    "--list", "listed", is_flag=True, help="Erase nothing: print all erasures for `lapwing replay`."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON; it names no customer.")
def command(**given: Any) -> None:
    """Erase customers: what is stored of them, and what the workers know.

    Their rows in the database are deleted, compacted topics forget them, and all workers are asked to take
    them out of their states and checkpoints; an open warning is withdrawn. What remains is a hash of the id
    that nobody can read without LAPWING_ERASURE_KEY: by it, older events of the customer do not count when
    they are read again. The report lists the topics whose records only expire, and when. Whatever a customer
    does afterwards begins a new one. The exit code is 1 where something could not be erased or, with --wait
    or --check, is still there.
    """
    from lapwing.commands.erase import run

    run(**given)
