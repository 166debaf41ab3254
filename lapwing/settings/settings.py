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
from typing import Annotated, Any, Final, Literal

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

from lapwing.settings.delivery import DeliverySettings
from lapwing.settings.desk import DeskSettings
from lapwing.settings.ingest import IngestSettings
from lapwing.settings.inputs import INPUTS_FILE, InputsSettings
from lapwing.settings.monitoring import MonitoringSettings
from lapwing.settings.value_files import SUFFIX, is_open_to_others, read_value
from lapwing.settings.values import (
    TIERS,
    ByClass,
    ByTier,
    CustomerClass,
    Duration,
    Label,
    Positive,
    ShareByTier,
    TopicName,
    broker_addresses,
    class_words,
    closest,
    currency_word,
    database_url,
    duration,
    each_once,
    is_safe_address,
    labels,
    long_secret,
    meant,
    pairs,
    place,
    sweep_interval,
    web_address,
    whole_days,
    words,
    zone_name,
)
from streams.contract.mistakes import mistake_text
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.duration import UNITS, format_duration, parse_duration
from streams.errors import SettingsError
from streams.redact import MASK
from streams.telemetry.logs import LogFormat, LogLevel

PREFIX: Final = "LAPWING_"
CONFIG_VARIABLE: Final = "LAPWING_CONFIG"
CONFIG_FILE: Final = Path("lapwing.toml")
DEFAULT: Final = "default"

log = logging.getLogger(__name__)


class FlagError(SettingsError):
    """A setting is wrong as it was given on the command line."""


class Settings(DeskSettings, DeliverySettings, MonitoringSettings, InputsSettings, IngestSettings):
    """All settings; durations are whole microseconds here and written `250ms`, `30s`, `10m`, `12h`, `2d`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    broker: Annotated[str, AfterValidator(broker_addresses)] = Field(
        "127.0.0.1:9092", description="Kafka's addresses, `host:port`, several with commas between them."
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="The protocol to the broker."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = Field(
        None, description="How Lapwing authenticates with a `SASL_` protocol."
    )
    sasl_username: str | None = Field(None, description="The user name for the broker.")
    sasl_password: SecretStr | None = Field(
        None, description="The password for the broker; read from the environment only."
    )
    ssl_cafile: Path | None = Field(
        None,
        description="The certificates that the broker's is checked against; the system's where not given.",
    )
    ssl_check_hostname: bool = Field(
        True, description="Whether the broker's certificate must name the host that is connected to."
    )
    ssl_certfile: Path | None = Field(
        None,
        description="Lapwing's own certificate in PEM format, where the broker asks for one; its key may be "
        "in the same file.",
    )
    ssl_keyfile: Path | None = Field(None, description="The key to that.")
    ssl_key_password: SecretStr | None = Field(
        None, description="The password of the key; read from the environment only."
    )
    sasl_oauth_token_url: Annotated[str, AfterValidator(web_address)] | None = Field(
        None,
        description="With `OAUTHBEARER`, the token endpoint where Lapwing gets its tokens by client "
        "credentials; reached by https, on this machine also by http.",
    )
    sasl_oauth_client_id: str | None = Field(None, description="By which the token endpoint knows Lapwing.")
    sasl_oauth_client_secret: SecretStr | None = Field(
        None, description="The secret to that; read from the environment only."
    )
    sasl_oauth_scope: str | None = Field(None, description="The scope that a token is asked for.")
    sasl_oauth_cafile: Path | None = Field(
        None,
        description="The certificates that the token endpoint's is checked against; the system's where not "
        "given.",
    )
    app: TopicName = Field(
        "lapwing",
        max_length=200,
        description="Names this installation: its consumer groups, its own topics and its warnings' source.",
    )
    actions: TopicName = Field(
        "actions", description="Topic of what the retention team did (optional topic)."
    )
    closures: TopicName = Field(
        "closures", description="Topic of customers who left expressly (optional topic)."
    )
    complaints: TopicName = Field("complaints", description="Topic of complaints.")
    feedback: TopicName = Field("feedback", description="Topic of survey answers (optional topic).")
    logins: TopicName = Field("logins", description="Topic of logins.")
    orders: TopicName = Field("orders", description="Topic of orders.")
    profiles: TopicName = Field(
        "profiles", description="Topic of customers' profiles (optional, compacted topic)."
    )
    warnings_topic: TopicName = Field("churn-warnings", description="Topic that warnings are sent to.")
    control_topic: TopicName = Field(
        "lapwing-control", description="Topic of notices to operations, such as a source that has gone quiet."
    )
    audit_topic: TopicName = Field(
        "lapwing-audit", description="Topic of every change of the rules that a partition runs."
    )
    segment_warnings_topic: TopicName = Field("segment-warnings", description="Topic of segments' warnings.")
    outcomes_topic: TopicName = Field(
        "churn-outcomes",
        description="Topic of what became of customers, causes and warnings (optional topic).",
    )
    census_topic: TopicName = Field(
        "churn-census", description="Topic of the monthly census (optional topic)."
    )
    scores_topic: TopicName = Field(
        "churn-scores", description="Topic of customers' scores (optional, compacted topic)."
    )
    score_step: float | None = Field(
        None,
        ge=0,
        le=1,
        description="A churn probability that has moved by more than this is sent to `scores_topic` at a "
        "sweep; without it none is.",
    )
    erasure_key: Annotated[SecretStr, AfterValidator(long_secret)] | None = Field(
        None,
        description="What the ids of erased customers are hashed with, 16 characters or more; read from the "
        "environment only. Erasing needs it, and from then on all workers and the sink.",
    )
    session_timeout: Annotated[Duration, Field(ge=UNITS["s"], le=30 * UNITS["m"])] = Field(
        parse_duration("45s"),
        description="How long a silent worker keeps its partitions; Kafka refuses less than 6s by default.",
    )
    checkpoints: Annotated[str, AfterValidator(place)] = Field(
        "var/checkpoints",
        description="Where workers keep their states: a directory, or any URL that `fsspec` knows. Workers "
        "on several machines need a place that all of them reach. With `none` a worker that starts rebuilds "
        "its state from the beginning of the topics.",
    )
    checkpoint_every: Annotated[Duration, Field(ge=UNITS["s"])] = Field(
        parse_duration("30s"),
        description="How often a worker saves its states; after a crash so much is read again.",
    )
    rules: Path = Field(Path("warning_rules"), description="The rule file, or the folder of rule files.")
    database: Annotated[str, AfterValidator(database_url)] = Field(
        "sqlite:///lapwing.db", description="The database that `lapwing sink` and `lapwing notify` use."
    )
    stored_samples: int = Field(
        50_000,
        ge=1,
        description="How many labelled samples `lapwing sink` keeps: a fair draw of all that it has read.",
    )
    time_zone: Annotated[str, AfterValidator(zone_name)] = Field(
        "UTC", description="The business's time zone: where its days begin and end."
    )
    sweep_every: Annotated[Positive, AfterValidator(sweep_interval)] = Field(
        parse_duration("1d"),
        description="How often every customer is judged, in event time, beginning at local midnight.",
    )
    reorder: Duration = Field(
        parse_duration("250ms"),
        description="Events this far apart in event time are put in order; a later one is late.",
    )
    repeat_window: Duration = Field(
        parse_duration("2d"),
        description="How long an `event_id` is remembered: the same id again within it is a repeat.",
    )
    forget_after: Duration = Field(
        0,
        description="A customer whose last event lies further back leaves the state, and is acquired anew by "
        "the next order; 0 for never.",
    )
    currency: Annotated[str, AfterValidator(currency_word)] | None = Field(
        None,
        description="The currency of all amounts: orders in another are refused. Where it is not set, a "
        "customer's first order that names one fixes the customer's.",
    )
    max_words: int = Field(
        10_000,
        ge=100,
        le=1_000_000,
        description="How many values a field of profiles or orders (`segment`, `channel`) may have in a "
        "partition; one beyond them counts as unknown.",
    )
    max_skew: Duration = Field(
        parse_duration("1h"),
        description="How far an event's time may lie after its record's own time, or after the clock of the "
        "worker that reads it, before it is rejected.",
    )
    quiet_after: Annotated[dict[Label, Positive], BeforeValidator(pairs)] = Field(
        {},
        description="For each topic, how far its newest event may lie back before its source counts as "
        "broken and its features as missing (`orders=2d,logins=12h`); none by default.",
    )
    acknowledge_for: ByTier = Field(
        dict.fromkeys(TIERS, parse_duration("7d")),
        description="When an acknowledgement of a warning lapses, by tier (`high=2d,low=2w`) or for all; a "
        "tier not named has a week.",
    )
    snooze_for: Positive = Field(parse_duration("1d"), description="How long a snooze without an end lasts.")
    acknowledge_within: ByTier = Field(
        {},
        description="By when somebody must acknowledge a warning before it escalates, by tier (`high=4h`) or "
        "for all; none by default.",
    )
    expire_after: Duration = Field(
        0, description="A warning that has been open for so long expires; 0 for never."
    )
    segment_grace: Annotated[Positive, AfterValidator(whole_days)] = Field(
        parse_duration("1d"), description="How long a day of segments waits for a partition that is idle."
    )
    complaint_prior_orders: float = Field(
        5.0,
        ge=0,
        description="The prior's weight in `complaint_rate_90d`, in orders; 0 gives the plain ratio.",
    )
    complaint_prior_rate: float = Field(
        0.02, ge=0, le=1, description="The prior's complaints an order in `complaint_rate_90d`."
    )
    value_horizon: Annotated[Positive, AfterValidator(whole_days)] = Field(
        parse_duration("365d"), description="Over which time a customer's `value` counts."
    )
    value_prior_orders: float = Field(
        3.0,
        ge=0,
        description="How many order days the population's mean spend of an order day weighs as much as, in "
        "`value`.",
    )
    margin: ByClass = Field(
        {},
        description="The margin as a share of spend, by customer class (`key=0.4,unknown=0.3`; `unknown` is "
        "who has none) or one for all; a class not named has 1, and its `value` is revenue.",
    )
    referral: float = Field(
        0.0,
        ge=0,
        le=100,
        description="What a customer brings in through others, as a share of their own value.",
    )
    labour_rate: float | None = Field(
        None,
        ge=0,
        description="What a minute of the team's work costs, in the currency of the orders: set it first, as "
        "a decision on a play with labour is `unknown` without it.",
    )
    holdout_share: ShareByTier = Field(
        {"high": 0.1, "medium": 0.1, "low": 0.0},
        description="The share of customers whose warnings are shown to nobody, to measure what plays do, by "
        "the tier at the opening (`high=0.1,medium=0.1`) or for all; a tier not named has none.",
    )
    holdout_salt: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        "lapwing", description="Another salt draws anew who is held out."
    )
    holdout_exempt: Annotated[tuple[CustomerClass, ...], BeforeValidator(class_words)] = Field(
        ("key",), description="Customer classes that are never held out; `none` for no class."
    )
    min_holdout: int = Field(
        20,
        ge=1,
        description="How many of the held out must have churned before `lapwing effects` claims that a play "
        "does anything.",
    )
    answer_within: Duration = Field(
        parse_duration("1d"),
        description="By when a complaint should have its first answer: reports count what came later; 0 for "
        "no limit.",
    )
    solve_within: Duration = Field(
        parse_duration("7d"), description="By when a complaint should be solved, the same."
    )
    model_enabled: bool = Field(True, description="Whether the model learns and scores.")
    learner: Literal["own", "shared"] = Field(
        "own",
        description="`own`: each partition has a model of its own, learned from its own customers; `shared`: "
        "`lapwing learn` learns from the customers of all partitions, for all of them.",
    )
    horizon: Annotated[Positive, AfterValidator(whole_days)] = Field(
        parse_duration("90d"), description="A customer without activity for this long has churned."
    )
    activity: Annotated[
        tuple[Literal["orders", "logins"], ...], BeforeValidator(labels), AfterValidator(each_once)
    ] = Field(
        ("orders",),
        description="What counts as a customer's activity: `orders`, `logins`, or both with a comma between.",
    )
    active_within: Duration = Field(
        0,
        description="A customer without activity for this long has lapsed, in outcomes and census; 0 for "
        "the horizon.",
    )
    decide_every: Positive = Field(
        parse_duration("7d"),
        description="How often each customer's features are frozen to learn from; rounded to whole sweeps.",
    )
    learn_within: Duration = Field(
        0,
        description="The model learns from customers whose last activity is not as old as this; 0 for twice "
        "the horizon.",
    )
    model_attributes: Annotated[
        tuple[Literal["customer_class", "segment", "region", "origin"], ...], BeforeValidator(class_words)
    ] = Field(
        (),
        description="Profile attributes that the model reads beside what customers did (`segment,origin`); "
        "`none` for none. `region` is protected in many places: name it only where you may. Age and sex are "
        "not in the contract.",
    )
    min_positives: int = Field(
        50, ge=1, description="Churned customers the model must have learned from before its score is used."
    )
    notify_urls: Annotated[tuple[SecretStr, ...], BeforeValidator(words)] = Field(
        (),
        description="The channels to send to: Apprise URLs with spaces between; `NAME=URL` gives one a name.",
    )

    log_format: LogFormat = Field(
        "text", description="How the log on stderr is written: `text`, or `json`, one object per line."
    )
    log_level: LogLevel = Field(
        "info",
        description="From which level on Lapwing logs: `debug`, `info`, `warning` or `error`. Libraries log "
        "warnings and errors only.",
    )

    routes: Path | None = Field(
        None,
        description="The file that says who gets which notices; by default `routes.yaml` beside the rules, "
        "where there is one. Without it every notice goes to every channel.",
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
        self._check_security()
        self._check_registry()
        self._check_forgetting()
        return self

    def _check_registry(self) -> None:
        """Raise `ValueError` where the schema registry's user lacks something."""
        if self.schema_registry_username is None:
            return
        if not (self.schema_registry_url and self.schema_registry_password):
            msg = (
                "a schema registry that asks for a password needs schema_registry_url, "
                f"schema_registry_username and {PREFIX}SCHEMA_REGISTRY_PASSWORD"
            )
            raise ValueError(msg)
        if not is_safe_address(self.schema_registry_url):
            msg = "schema_registry_url must be reached by https where it is sent a password"
            raise ValueError(msg)

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

    def _check_security(self) -> None:
        """Raise `ValueError` where an option of the broker's security lacks another one."""
        msg = None
        if not self.security_protocol.startswith("SASL"):
            pass
        elif self.sasl_mechanism == "OAUTHBEARER":
            url = self.sasl_oauth_token_url
            if not (url and self.sasl_oauth_client_id and self.sasl_oauth_client_secret):
                msg = (
                    "OAUTHBEARER needs sasl_oauth_token_url, sasl_oauth_client_id and "
                    f"{PREFIX}SASL_OAUTH_CLIENT_SECRET"
                )
            elif not is_safe_address(url):
                msg = "sasl_oauth_token_url must be reached by https"
        elif not (self.sasl_mechanism and self.sasl_username and self.sasl_password):
            msg = f"{self.security_protocol} needs sasl_mechanism, sasl_username and {PREFIX}SASL_PASSWORD"
        if self.ssl_keyfile and not self.ssl_certfile:
            msg = "ssl_keyfile needs ssl_certfile, the certificate to the key"
        if msg is not None:
            raise ValueError(msg)

    @property
    def topics(self) -> dict[Topic, str]:
        """Return the name on the broker of every inbound topic."""
        return {topic: getattr(self, topic.label) for topic in Topic}

    @property
    def inputs_file(self) -> Path | None:
        """Return the file of foreign records: the one that is set, else the one beside the rules, if any."""
        if self.inputs is not None:
            return self.inputs
        beside = (self.rules if self.rules.is_dir() else self.rules.parent) / INPUTS_FILE
        return beside if beside.is_file() else None

    @property
    def shares_learner(self) -> bool:
        """Return whether all partitions share a learner."""
        return self.model_enabled and self.learner == "shared"

    @property
    def samples_topic(self) -> str:
        """Return the name of the topic of what a shared learner learns from."""
        return f"{self.app}-samples"

    @property
    def models_topic(self) -> str:
        """Return the name of the topic of a shared learner's models."""
        return f"{self.app}-models"

    @property
    def erasures_topic(self) -> str:
        """Return the name of the topic of the hashes of erased customers."""
        return f"{self.app}.erasures"

    @property
    def kafka_security(self) -> dict[str, str | bool]:
        """Return how to connect to the broker, as `streams.kafka.security` names it."""
        given: dict[str, object] = {
            "security_protocol": self.security_protocol,
            "ssl_cafile": self.ssl_cafile,
            "ssl_certfile": self.ssl_certfile,
            "ssl_keyfile": self.ssl_keyfile,
            "ssl_password": self.ssl_key_password,
        }
        if self.security_protocol.startswith("SASL"):
            given["sasl_mechanism"] = self.sasl_mechanism
        if self.sasl_mechanism == "OAUTHBEARER":
            names = ("token_url", "client_id", "client_secret", "scope", "cafile")
            given |= {f"sasl_oauth_{name}": getattr(self, f"sasl_oauth_{name}") for name in names}
        else:
            given["sasl_plain_username"] = self.sasl_username
            given["sasl_plain_password"] = self.sasl_password
        found: dict[str, str | bool] = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in given.items()
            if value is not None
        }
        return found if self.ssl_check_hostname else found | {"ssl_check_hostname": False}

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
            mistakes.append(f"{_variable(name)} and {variable} are both given: leave one away")
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
