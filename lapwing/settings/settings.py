"""Every setting of Lapwing in one list, and where each value in force came from.

A TOML file, then `LAPWING_*` variables and the files that they name, then flags, the later winning. The
sources are merged here rather than by `pydantic_settings`, because `lapwing doctor` and every error message
must name the source of a value.
"""

from __future__ import annotations

import logging
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)

from lapwing.settings.broker import BrokerSettings
from lapwing.settings.decision import DecisionSettings
from lapwing.settings.delivery import DeliverySettings
from lapwing.settings.desk import DeskSettings
from lapwing.settings.events import EventSettings
from lapwing.settings.ingest import IngestSettings
from lapwing.settings.inputs import INPUTS_FILE, InputsSettings
from lapwing.settings.model import ModelSettings
from lapwing.settings.monitoring import MonitoringSettings
from lapwing.settings.topics import TopicSettings
from lapwing.settings.value_files import SUFFIX, is_open_to_others, read_value
from lapwing.settings.values import (
    PREFIX,
    Duration,
    closest,
    database_url,
    duration,
    long_secret,
    meant,
    place,
)
from lapwing.settings.warnings import WarningSettings
from streams.contract.mistakes import mistake_text
from streams.core.events.calendar import DAY
from streams.duration import UNITS, format_duration, parse_duration
from streams.errors import SettingsError
from streams.redact import MASK
from streams.telemetry.logs import LogFormat, LogLevel

CONFIG_VARIABLE: Final = "LAPWING_CONFIG"
CONFIG_FILE: Final = Path("lapwing.toml")
DEFAULT: Final = "default"

log = logging.getLogger(__name__)


class FlagError(SettingsError):
    """A setting is wrong as it was given on the command line."""


class Settings(
    IngestSettings,
    DeskSettings,
    DeliverySettings,
    DecisionSettings,
    WarningSettings,
    ModelSettings,
    EventSettings,
    InputsSettings,
    MonitoringSettings,
    TopicSettings,
    BrokerSettings,
):
    """All settings; durations are whole microseconds here and written `250ms`, `30s`, `10m`, `12h`, `2d`."""

    heading: ClassVar[str] = "States, rules, database and logs"
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    erasure_key: Annotated[SecretStr, AfterValidator(long_secret)] | None = Field(
        None,
        description="What the ids of erased customers are hashed with, 16 characters or more; read from the "
        "environment only. Erasing needs it, and from then on all workers and the sink.",
    )
    checkpoints: Annotated[str, AfterValidator(place)] = Field(
        "var/checkpoints",
        description="Where workers keep their states: a directory, or any URL that `fsspec` knows. Workers "
        "on several machines need a place that all of them reach. With `none` a worker that starts rebuilds "
        "its state from the beginning of the topics.",
    )
    checkpoint_every: Annotated[Duration, Field(ge=UNITS["s"])] = Field(
        parse_duration("30s"),
        description="How often a worker saves its states; after a crash, what came since then is read again.",
    )
    rules: Path = Field(Path("warning_rules"), description="The rule file, or the folder of rule files.")
    database: Annotated[str, AfterValidator(database_url)] = Field(
        "sqlite:///lapwing.db", description="The database that `lapwing sink` and `lapwing notify` use."
    )
    stored_samples: int = Field(
        50_000,
        ge=1,
        description="How many labelled samples `lapwing sink` keeps, drawn at random from all that it has "
        "read.",
    )
    log_format: LogFormat = Field(
        "text", description="How the log on stderr is written: `text`, or `json`, one object per line."
    )
    log_level: LogLevel = Field(
        "info",
        description="From which level on Lapwing logs: `debug`, `info`, `warning` or `error`. Libraries log "
        "warnings and errors only.",
    )

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)
    _files: dict[str, Path] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> Settings:
        own = (self.warnings_topic, self.control_topic, self.audit_topic, f"{self.app}.rejected")
        segments = (self.segment_warnings_topic, f"{self.app}.segment-days")
        outcomes = (self.outcomes_topic, self.census_topic, self.scores_topic, f"{self.app}.customer-days")
        learning = (self.samples_topic, self.models_topic, self.erasures_topic)
        names = [*self.topics.values(), *own, self.silences_topic, *segments, *outcomes, *learning]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"two topics have the name {twice[0]!r}: give each its own"
            raise ValueError(msg)
        self._check_forgetting()
        return self

    def _check_forgetting(self) -> None:
        """Raise `ValueError` where a customer would be forgotten on whom something still depends."""
        if not self.forget_after:
            return
        from streams.core.features.customers import KEPT_DAYS  # Polars is slow to import

        lapsed = (self.active_within or self.horizon) + KEPT_DAYS * DAY
        least = self.horizon + max(lapsed, self.learn_within or 2 * self.horizon)
        if self.forget_after < least:
            found, needed = format_duration(self.forget_after), format_duration(least)
            msg = (
                f"forget_after is {found} and must be {needed} at least: the horizon and, whichever is "
                f"longer, learn_within or active_within and {KEPT_DAYS} days"
            )
            raise ValueError(msg)

    @property
    def inputs_file(self) -> Path | None:
        """Return the file of inputs: the one that is set, else the one beside the rules, if any."""
        if self.inputs is not None:
            return self.inputs
        beside = (self.rules if self.rules.is_dir() else self.rules.parent) / INPUTS_FILE
        return beside if beside.is_file() else None

    def source(self, name: str) -> str:
        """Return where the value of setting `name` came from: `default`, a file, a variable or a flag."""
        return self._sources.get(name, DEFAULT)

    def file(self, name: str) -> Path | None:
        """Return the file of its own that the value of setting `name` came from."""
        return self._files.get(name)

    def exposed_files(self) -> dict[str, Path]:
        """Return by setting the files with secrets that every user of this machine may read."""
        files = {name: path for name, path in self._files.items() if name in SECRETS}
        return {name: path for name, path in files.items() if is_open_to_others(path)}


def is_duration(name: str) -> bool:
    """Return whether the setting is written with a unit of time."""
    metadata = Settings.model_fields[name].metadata
    return any(isinstance(m, BeforeValidator) and m.func is duration for m in metadata)


def load_settings(
    config: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings of the TOML file, the `LAPWING_*` variables and the flags (`None`: not given).

    The file is `config`, else the one `LAPWING_CONFIG` names, else `lapwing.toml` where there is one; an
    empty variable is one not given. `LAPWING_X_FILE` names a file with the value of X. Raises `SettingsError`
    with every mistake, each with its source.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    mistakes: list[str] = []

    def take(given: Mapping[str, object], source: Callable[[str], str], known: Sequence[str]) -> None:
        for name, value in given.items():
            if name in known:
                values[name], sources[name] = value, source(name)
            elif name in Settings.model_fields:
                mistakes.append(f"{source(name)} is a secret: set {PREFIX}{name.upper()} instead")
            else:
                close = closest(name, known)
                mistakes.append(
                    f"{source(name)} is no setting" + (f"; did you mean {source(close)}?" if close else "")
                )

    fields = list(Settings.model_fields)
    open_fields = [name for name in fields if name not in FROM_ENVIRONMENT]
    path = config or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    take(_read_toml(path), lambda name: f"{path or CONFIG_FILE}: {name}", open_fields)
    variables, files = _variables(environ)
    take(variables, _variable, fields)
    contents, more = _read_files(files, fields, variables)
    mistakes += more
    take(contents, lambda name: f"{_variable(name)}{SUFFIX}: {files[name]}", fields)
    flags = {name: value for name, value in (overrides or {}).items() if value is not None}
    take(flags, lambda name: "--" + name.replace("_", "-"), open_fields)
    read = {name: files[name] for name in contents if name not in flags}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        mistakes += [_mistake(item, sources, read) for item in error.errors(include_url=False)]
    if mistakes:
        of_flags = any(mistake.startswith("--") for mistake in mistakes)
        raise (FlagError if of_flags else SettingsError)("; ".join(mistakes))
    settings._sources.update(sources)
    settings._files.update(read)
    for name, exposed in settings.exposed_files().items():
        log.warning("%s%s: every user may read %s: take away the right", _variable(name), SUFFIX, exposed)
    return settings


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _variables(environ: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Path]]:
    """Return the values of the `LAPWING_*` variables by setting, and the files that others of them name."""
    given = {
        name.removeprefix(PREFIX): value
        for name, value in sorted(environ.items())
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE and value
    }
    files = {
        name.removesuffix(SUFFIX).lower(): Path(value)
        for name, value in given.items()
        if name.endswith(SUFFIX)
    }
    return {name.lower(): value for name, value in given.items() if not name.endswith(SUFFIX)}, files


def _read_files(
    files: Mapping[str, Path], known: Sequence[str], variables: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return the contents of the files by setting, and what is wrong with others."""
    contents: dict[str, str] = {}
    mistakes = []
    for name, path in files.items():
        variable = f"{_variable(name)}{SUFFIX}"
        if name not in known:
            close = closest(name, known)
            meant_one = f"; did you mean {_variable(close)}{SUFFIX}?" if close else ""
            mistakes.append(f"{variable} is no setting{meant_one}")
        elif name in variables:
            mistakes.append(f"{_variable(name)} and {variable} are both given: leave one out")
        else:
            try:
                contents[name] = read_value(variable, path)
            except SettingsError as error:
                mistakes.append(str(error))
    return contents, mistakes


def _read_toml(path: Path | None) -> dict[str, object]:
    if path is None and not CONFIG_FILE.exists():
        return {}
    path = path or CONFIG_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path}: the settings file cannot be read: {error.strerror}"
        raise SettingsError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path}: not a TOML file: {error}"
        raise SettingsError(msg) from error


def _mistake(item: Any, sources: Mapping[str, str], files: Mapping[str, Path]) -> str:
    """Return one line for one of pydantic's errors; the value is named, unless it is secret or of a file."""
    name, *inside = item["loc"] or ("",)
    text = mistake_text(item)
    hidden = name in SECRETS or name in files
    if item["type"] == "value_error":
        if name in files:
            text = text.replace(repr(item["input"]), MASK)
    else:
        text = text[0].lower() + text[1:]
        if not hidden:
            text = f"{item['input']!r}: {text}"
        if item["type"] == "literal_error" and not hidden:
            text += meant(str(item["input"]), re.findall(r"'([^']*)'", item["ctx"]["expected"]))
    place = ".".join([sources.get(name, name), *(str(part) for part in inside if part != "[key]")])
    return f"{place}: {text}" if place else text


FROM_ENVIRONMENT: Final = frozenset(
    {
        "sasl_password",
        "sasl_oauth_client_secret",
        "ssl_key_password",
        "schema_registry_password",
        "erasure_key",
        "webhook_secrets",
        "desk_oidc_client_secret",
        "ingest_secrets",
    }
)
"""Settings that neither a file nor a flag may give."""
SECRETS: Final = FROM_ENVIRONMENT | {"notify_urls", "webhook_urls", "database", "checkpoints"}
"""Settings whose values are never printed whole."""
