"""`lapwing inputs preset`: mappings that come with Lapwing."""

from __future__ import annotations

import click

from streams.imports.preset import PRESETS, preset


def run(name: str | None) -> None:
    """Print the mapping NAME, or the names of all."""
    if name is not None:
        click.echo(preset(name).decode(), nl=False)
        return
    width = max(map(len, PRESETS))
    for each in PRESETS:
        what = preset(each).decode().splitlines()[0].removeprefix("# ")
        click.echo(f"{each:{width}}  {what}")
