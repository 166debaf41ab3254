"""The option `--erasures` of commands that run the engine over a history."""

from __future__ import annotations

import click

from lapwing.settings.options import PATH

erasures_option = click.option(
    "--erasures",
    "erasures_path",
    type=PATH,
    help="The customers who were erased, as `lapwing erase --list` prints them: older events do not count.",
)
