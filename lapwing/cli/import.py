"""`lapwing import`: your own files and topics become events."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import PATH, settings_options


@click.command(name="import")
@click.argument("files", nargs=-1, type=PATH)
@click.option(
    "--to",
    metavar="FILE|FOLDER|kafka",
    help="Where the events go: a file (.jsonl, .jsonl.gz or .jsonl.zst), a folder (a file for each topic), "
    "or `kafka`, the topics of the broker.",
)
@click.option(
    "--map", "map_path", type=PATH, help="The file of inputs; by default that of the setting `inputs`."
)
@click.option("--preset", help="A mapping that comes with Lapwing; `lapwing inputs preset` lists them.")
@click.option(
    "--source",
    help="The source that reads the files, by default the one whose pattern fits; with --follow the only one "
    "whose topic is read, by default all of them.",
)
@click.option(
    "--follow",
    is_flag=True,
    help="Read the topics of sources instead of files, as they grow, and write to the contract's topics.",
)
@click.option(
    "--to-end", is_flag=True, help="With --follow: end once all that the topics hold has been read."
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on where an import was interrupted; it begins where there is nothing to go on with.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@settings_options(
    *("inputs", "broker", "orders", "logins", "complaints", "profiles", "app", "max_skew"),
    *("session_timeout", "metrics_listen", "schema_registry_url"),
)
def command(**given: Any) -> None:
    """Turn your own FILES (CSV, workbooks, Parquet, JSON) into events by a mapping.

    What cannot be mapped, or is not what the contract says, is refused and shown with its line; all else is
    imported. The events are written in the order of their time, whatever the order of the files.

    With --follow topics are read instead, until Ctrl-C or SIGTERM, and what is refused goes to the topic of
    refusals with its own bytes. A record is committed once its events are on their topics, under their
    customers: after a crash some come twice, with the same ids, and count once. Several at once share the
    partitions.
    """
    from lapwing.commands.import_files import run

    run(**given)
