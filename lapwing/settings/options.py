"""Flags made from the settings list, so that a flag, its help and its setting cannot differ."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from lapwing.settings.settings import FlagError, Settings, is_duration, load_settings
from lapwing.settings.values import CLASSES, duration
from streams.telemetry.logs import LEVELS, configure

PATH: Final = click.Path(path_type=Path, readable=False)
"""A file or folder. That it cannot be read is found by reading it, and is no usage error."""
ENGINE_SETTINGS: Final = (
    *("app", "time_zone", "sweep_every", "horizon", "activity", "model_enabled", "model_attributes"),
    *("value_horizon", "value_prior_orders", "margin", "referral", "labour_rate"),
    *("holdout_share", "holdout_salt", "holdout_exempt"),
)
"""The settings that have a flag wherever the engine runs over a history: its decisions depend on them."""
LOG_SETTINGS: Final = ("log_format", "log_level")
RUNNING_ON: Final = {
    "worker": "worker",
    "learn": "learner",
    "sink": "sink",
    "notify": "notifier",
    "desk": "desk",
    "import": "importer",
    "ingest": "intake",
}
"""The commands that run on until they are stopped, and what their process is called in logs and metrics."""
FILE: Final = click.Path(path_type=Path, readable=False, dir_okay=False)
FOLDER: Final = click.Path(path_type=Path, readable=False, file_okay=False)


def settings_options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command `--config` and a flag for each setting in `names`; it is called with `settings`.

    Its log is as the settings say, for which each command has flags too.
    """
    flagged = (*names, *LOG_SETTINGS)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, config: Path | None, **given: Any) -> Any:
            flags = {name: given.pop(name) for name in flagged}
            try:
                settings = load_settings(config, flags)
            except FlagError as error:
                raise click.UsageError(str(error)) from error
            _configure_log(settings)
            return function(*args, settings=settings, **given)

        decorated: Callable[..., Any] = call
        for name in reversed(flagged):
            field = Settings.model_fields[name]
            flag = "--" + name.replace("_", "-")
            if field.annotation is bool:
                flag += f"/--no-{flag.removeprefix('--')}"
            metavar = "DURATION" if is_duration(name) else None
            option = click.option(flag, name, default=None, metavar=metavar, help=field.description)
            decorated = option(decorated)
        return click.option(
            "--config",
            type=PATH,
            default=None,
            help="The settings file, TOML; `lapwing.toml` where there is one.",
        )(decorated)

    return decorate


def _configure_log(settings: Settings) -> None:
    """Configure the log of the command that is called; one that ends by itself logs only what is wrong."""
    context = click.get_current_context(silent=True)
    command = (context.info_name if context is not None else None) or "lapwing"
    # `import` ends by itself where it reads files.
    is_of_files = command == "import" and context is not None and not context.params.get("follow")
    runs_on = command in RUNNING_ON and not is_of_files
    level = settings.log_level
    if not (runs_on or settings.source("log_level").startswith("--")):
        level = max(level, "warning", key=LEVELS.index)
    configure(RUNNING_ON[command] if runs_on else command, settings.log_format, level, runs_on=runs_on)


def class_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command `--class`, for one or more of the classes of customers that the contract has."""
    help_text = f"{text}; may be given several times."
    return click.option("--class", multiple=True, type=click.Choice(CLASSES), help=help_text)


class NumberParam(click.FloatRange):
    """A number of a range; infinity and what is no number are refused, which click lets through."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number, or refuse the text."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no finite number", param, ctx)
        return number


class InstantParam(click.ParamType):
    """An RFC 3339 time as microseconds since the epoch."""

    name = "time"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the instant, or refuse the text."""
        from streams.contract.instants import read_instant, to_us  # NumPy, which help needs not

        if isinstance(value, int):
            return value
        try:
            return to_us(read_instant(value))
        except ValueError as error:
            wrong = str(error) or "it should lie between 1970 and 9999"
            self.fail(f"{value!r} is no RFC 3339 time with offset: {wrong}", param, ctx)


class DurationParam(click.ParamType):
    """A duration such as `3d`, as microseconds."""

    name = "duration"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the microseconds, or refuse the text."""
        if isinstance(value, int):
            return value
        try:
            return duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class ItemParam(click.ParamType):
    """An item and its amount, such as `gift=20`."""

    name = "item"

    def convert(
        self, value: str | tuple[str, float], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        """Return the item and the amount, or refuse the text."""
        if isinstance(value, tuple):
            return value
        item, is_there, amount = value.partition("=")
        try:
            cost = float(amount if is_there else "nothing")
        except ValueError:
            self.fail(f"{value!r} is no item with its amount, such as gift=20", param, ctx)
        if not 0 <= cost < math.inf:
            self.fail(f"{value!r}: an item costs 0 or more", param, ctx)
        return item.strip(), cost
