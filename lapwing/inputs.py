"""From the settings to the sources of inputs.yaml."""

from __future__ import annotations

from pathlib import Path

from lapwing.registry import rates_of, readers_of
from lapwing.settings.settings import Settings
from streams.errors import SettingsError
from streams.inputs.load import Inputs, load_inputs


def read_inputs(settings: Settings, path: Path | None = None) -> Inputs | None:
    """Return what the file of inputs says, `None` where there is no such file.

    Raises `RulebookRefused` with every mistake in it, and `SettingsError` where the setting names no file.
    """
    chosen = path or settings.inputs_file
    if chosen is None:
        return None
    if path is None and not chosen.is_file():
        msg = f"{chosen}: there is no such file; see the setting `inputs`"
        raise SettingsError(msg)
    return load_inputs(chosen, readers_of(settings), rates_of(settings))


def need_inputs(settings: Settings) -> Inputs:
    """Return what the file of inputs says, or raise as `read_inputs` does, also where there is none."""
    found = read_inputs(settings)
    if found is None:
        msg = "there is no inputs.yaml: write one beside the rules, or name it in the setting `inputs`"
        raise SettingsError(msg)
    return found
