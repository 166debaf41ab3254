"""`lapwing tail`: print warnings from the topic as they come."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import settings_options


@click.command()
@settings_options("broker", "warnings_topic", "segment_warnings_topic")
@click.option("--segments", is_flag=True, help="Print the warnings of segments, not those of customers.")
@click.option("--from-beginning", is_flag=True, help="Print what is in the topic already, too.")
@click.option("--follow/--no-follow", default=True, help="Keep running, or stop at the end of the topic.")
@click.option("--holdout", is_flag=True, help="Also those that are held out for measuring.")
@click.option("--json", "as_json", is_flag=True, help="Print the events themselves, one a line.")
def command(**given: Any) -> None:
    """Print warnings from the topic as they come: time, tier, what happened, customer, why."""
    from lapwing.commands.tail import run

    run(**given)
