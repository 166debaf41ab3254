"""`lapwing inputs try`: records before and after a mapping."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import FILE, settings_options


@click.command("try")
@click.argument("source")
@click.argument("file", required=False, type=FILE)
@settings_options("inputs", "broker", "currency")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=10, show_default=True, help="How many records."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a record, and one at the end.")
def command(**given: Any) -> None:
    """Show records of SOURCE before and after: the events that they become, or why they are refused.

    They come from FILE, or are the newest ones of the source's topic, which are read without a group.
    Nothing is written anywhere.
    """
    from lapwing.commands.inputs.trial import run

    run(**given)
