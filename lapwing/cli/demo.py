"""`lapwing demo`: the whole system on an embedded broker."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import PATH, NumberParam


@click.command()
@click.option(
    "--data",
    type=PATH,
    help="Play this file of events instead of the shop.",
)
@click.option("--customers", type=click.IntRange(1, 100_000), default=3_000, show_default=True)
@click.option("--days", type=click.IntRange(1, 3_660), default=730, show_default=True)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same shop."
)
@click.option(
    "--speed",
    type=NumberParam(0, min_open=True),
    help="Simulated days a second; by default as many as let the stream take a minute.",
)
@click.option("--serve", is_flag=True, help="Keep all of it up at the end, until Ctrl-C.")
@click.option(
    "--dir",
    "folder",
    type=PATH,
    help="Keep everything of the run in this folder; by default a temporary one.",
)
@click.option(
    "--port", type=click.IntRange(1, 65_535), help="The embedded broker's port; a free one by default."
)
@click.option("--broker", metavar="HOST:PORT", help="Use this Kafka broker instead of the embedded one.")
@click.option(
    "--rules",
    type=PATH,
    help="A rule file or folder; `warning_rules` by default.",
)
def command(**given: Any) -> None:
    """Run the whole system on this machine and watch warnings come.

    An embedded Kafka-compatible broker, the worker, the sink on SQLite, the desk, and a simulated shop (or a
    file of events) as a live stream. At the end: which leavers were warned of and how early, and which
    warnings were false. Ends by itself within two minutes.
    """
    from lapwing.commands.demo import run

    run(**given)
