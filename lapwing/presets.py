"""The mappings that a command reads files by: those of a file, of the setting `inputs`, or of a preset."""

from __future__ import annotations

from pathlib import Path

import click

from lapwing.inputs import read_inputs
from lapwing.settings.settings import Settings
from streams.imports.preset import preset as content_of
from streams.inputs.load import Inputs, parse_inputs


def inputs_of(settings: Settings, path: Path | None = None, preset: str | None = None) -> Inputs:
    """Return the inputs of a file, of a preset, or else of the settings; raise where there are none."""
    if path is not None and preset is not None:
        msg = "--map and --preset exclude each other"
        raise click.UsageError(msg)
    if preset is not None:
        return parse_inputs(f"preset {preset}", content_of(preset))
    inputs = read_inputs(settings, path)
    if inputs is None:
        msg = "give --map FILE or --preset NAME: no file of inputs is set"
        raise click.UsageError(msg)
    return inputs
