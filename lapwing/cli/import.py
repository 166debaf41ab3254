"""`lapwing import`: files of others become events, in event files or in Kafka."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import PATH, settings_options


@click.command(name="import")
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option(
    "--to",
    required=True,
    metavar="FILE|FOLDER|kafka",
    help="Where the events go: a file (.jsonl, .jsonl.gz or .jsonl.zst), a folder (a file for each topic), "
    "or `kafka`, the topics of the broker.",
)
@click.option(
    "--map", "map_path", type=PATH, help="The file of inputs; the setting `inputs` where not given."
)
@click.option("--preset", help="A mapping that comes with Lapwing; `lapwing inputs preset` lists them.")
@click.option("--source", help="The source that reads the files; by default the one whose pattern fits.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on where an import was interrupted; it begins where there is nothing to go on with.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@settings_options("inputs", "broker", "orders", "logins", "complaints", "profiles", "app", "max_skew")
def command(**given: Any) -> None:
    """Turn FILES of others (CSV, workbooks, Parquet, JSON) into events by a mapping.

    What cannot be mapped, or is not what the contract says, is refused and shown with its line; all else is
    imported. The events are written in the order of their time, whatever the order of the files.
    """
    from lapwing.commands.import_files import run

    run(**given)
