"""`lapwing replay`: a history of events through the engine."""

from __future__ import annotations

from typing import Any

import click

from lapwing.cli.erasures import erasures_option
from lapwing.settings.options import ENGINE_SETTINGS, PATH, InstantParam, settings_options


@click.command(name="replay")
@click.argument("events", nargs=-1, required=True, type=PATH)
@settings_options("rules", "inputs", *ENGINE_SETTINGS)
@click.option(
    "--out",
    type=PATH,
    help="Where to write the warnings, a CloudEvent a line.",
)
@click.option(
    "--features",
    "features_path",
    type=PATH,
    help="Where to write the feature row of every customer at every sweep, Parquet.",
)
@click.option(
    "--outcomes",
    "outcomes_path",
    type=PATH,
    help="Where to write what became of customers, causes and warnings, a CloudEvent a line.",
)
@click.option(
    "--census",
    "census_path",
    type=PATH,
    help="Where to write the monthly census, a CloudEvent a line.",
)
@erasures_option
@click.option(
    "--until",
    type=InstantParam(),
    help="The last instant, RFC 3339, sweeps up to it included; by default the last event's, "
    "each partition's own where there are several.",
)
@click.option(
    "--partitions",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="Partitions of the topics, where a worker's result is to be reproduced.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(**given: Any) -> None:
    """Run the engine over EVENTS (.jsonl, .jsonl.gz, .jsonl.zst or .parquet) and write its warnings.

    A file whose name fits a source of --inputs is read by its mapping.
    """
    from lapwing.commands.replay import run

    run(**given)
