"""`lapwing learn`: learn from the customers of all partitions and publish models."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import FILE, settings_options


@click.command()
@settings_options(
    "broker", "app", "checkpoints", "checkpoint_every", "session_timeout", "min_positives", "metrics_listen"
)
@click.option(
    "--stats",
    type=FILE,
    help="Append the figures that `/status` shows to this file every second, a JSON object a line.",
)
def command(**given: Any) -> None:
    """Learn from the customers of all partitions and publish models, which workers adopt.

    It needs the setting `learner = "shared"`, with which workers send what they learn from to the topic
    `<app>-samples`. Models stand on `<app>-models`; `lapwing model list` lists them. It runs until SIGTERM or
    Ctrl-C. Of several, one learns and the others wait to take its place.
    """
    from lapwing.commands.learn import run

    run(**given)
