from pathlib import Path

import pytest

from lapwing.settings.page import written
from lapwing.settings.settings import FROM_ENVIRONMENT, SECRETS, FlagError, Settings, load_settings
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.duration import UNITS, format_duration
from streams.errors import SettingsError
from streams.kafka.security import SECURITY_KEYS

DURATIONS = (
    "flapping_period",
    "notify_period",
    "checkpoint_every",
    "sweep_every",
    "reorder",
    "repeat_window",
    "max_skew",
    "horizon",
    "value_horizon",
    "decide_every",
    "learn_within",
    "session_timeout",
    "snooze_for",
    "desk_session_lasts",
    "desk_session_idle",
    "expire_after",
    "segment_grace",
    "answer_within",
    "solve_within",
    "schema_registry_wait",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={f"LAPWING_{name}": value for name, value in environ.items()})
    return str(caught.value)


def test_defaults_are_those_of_the_design() -> None:
    settings = load_settings(environ={})
    durations = {name: format_duration(getattr(settings, name)) for name in DURATIONS}
    assert durations == {
        "flapping_period": "30d",
        "notify_period": "1w",
        "checkpoint_every": "30s",
        "sweep_every": "1d",
        "reorder": "250ms",
        "repeat_window": "2d",
        "max_skew": "1h",
        "horizon": "90d",
        "value_horizon": "365d",
        "decide_every": "1w",
        "learn_within": "0",
        "session_timeout": "45s",
        "snooze_for": "1d",
        "desk_session_lasts": "12h",
        "desk_session_idle": "4h",
        "expire_after": "0",
        "segment_grace": "1d",
        "answer_within": "1d",
        "solve_within": "1w",
        "schema_registry_wait": "15m",
    }
    assert (settings.complaint_prior_orders, settings.complaint_prior_rate) == (5, 0.02)
    assert (settings.time_zone, settings.quiet_after, settings.min_positives) == ("UTC", {}, 50)
    assert settings.topics == {topic: topic.label for topic in Topic}
    assert {settings.source(name) for name in Settings.model_fields} == {"default"}


def test_every_default_would_be_taken_if_it_were_written() -> None:
    def as_written(value: object, name: str) -> object:
        if isinstance(value, dict):
            return {k: v if isinstance(v, float) else format_duration(v) for k, v in value.items()}
        return format_duration(value) if isinstance(value, int) and name in DURATIONS else value

    settings = load_settings(environ={})
    same = {name: as_written(getattr(settings, name), name) for name in Settings.model_fields}
    assert Settings.model_validate(same).model_dump() == settings.model_dump()


def test_the_later_source_wins_and_is_named(folder: Path) -> None:
    (folder / "lapwing.toml").write_text('app = "file"\nbroker = "file:1"\norders = "file"\n')
    settings = load_settings(
        overrides={"app": "flag", "rules": None},
        environ={"LAPWING_APP": "variable", "LAPWING_BROKER": "variable:2", "LAPWING_RULES": "", "HOME": "x"},
    )
    assert (settings.app, settings.broker, settings.orders) == ("flag", "variable:2", "file")
    sources = [settings.source(name) for name in ("app", "broker", "orders", "rules")]
    assert sources == ["--app", "LAPWING_BROKER", "lapwing.toml: orders", "default"]


def test_the_file_may_be_named_by_argument_or_variable(folder: Path) -> None:
    (folder / "a.toml").write_text('app = "a"')
    (folder / "b.toml").write_text('app = "b"')
    environ = {"LAPWING_CONFIG": "a.toml"}
    assert load_settings(environ=environ).app == "a"
    assert load_settings(Path("b.toml"), environ=environ).app == "b"


def test_an_interval_may_be_given_for_each_tier_or_for_all() -> None:
    settings = load_settings(
        environ={"LAPWING_ACKNOWLEDGE_WITHIN": "high=4h,low=2d", "LAPWING_ACKNOWLEDGE_FOR": "3d"}
    )
    assert settings.acknowledge_within == {"high": 4 * UNITS["h"], "low": 2 * UNITS["d"]}
    assert settings.acknowledge_for == dict.fromkeys(("high", "medium", "low"), 3 * UNITS["d"])


def test_tables_and_lists_have_a_form_for_variables(folder: Path) -> None:
    settings = load_settings(
        environ={"LAPWING_QUIET_AFTER": "orders=2d, logins=12h", "LAPWING_NOTIFY_URLS": "json://a mailto://b"}
    )
    assert settings.quiet_after == {"orders": 2 * UNITS["d"], "logins": 12 * UNITS["h"]}
    assert [url.get_secret_value() for url in settings.notify_urls] == ["json://a", "mailto://b"]
    (folder / "lapwing.toml").write_text(
        'notify_urls = ["json://a", "mailto://b"]\n[quiet_after]\norders = "2d"\n'
    )
    settings = load_settings(environ={})
    assert settings.quiet_after == {"orders": 2 * UNITS["d"]}
    assert len(settings.notify_urls) == 2


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("BROKR", "a:1", "LAPWING_BROKR is no setting; did you mean LAPWING_BROKER?"),
        ("WARNING_TOPIC", "w", "LAPWING_WARNING_TOPIC is no setting; did you mean LAPWING_WARNINGS_TOPIC?"),
        ("SECURITY_PROTOCOL", "sasl-ssl", "or 'SASL_SSL'; did you mean SASL_SSL?"),
        ("SASL_MECHANISM", "scram_sha_256", "did you mean SCRAM-SHA-256?"),
        ("QUIET_AFTER", "order=2d", "; did you mean orders?"),
        ("ACKNOWLEDGE_WITHIN", "hi=4h", "; did you mean high?"),
        ("REORDER", "3 dayz", "LAPWING_REORDER: '3 dayz' is not a duration; did you mean 3d?"),
        (
            "QUIET_AFTER",
            "orders=2days",
            "orders: '2days' is not a duration; did you mean 2d?",
        ),
        ("BROKER", "localhost", "LAPWING_BROKER: 'localhost' is not an address: write host:port"),
        ("BROKER", "a:0", "LAPWING_BROKER: 'a:0' is not an address"),
        ("BROKER", "kafka://a:1", "LAPWING_BROKER: 'kafka://a:1' is not an address"),
        ("APP", "two words", "LAPWING_APP: 'two words' is not a name Kafka takes"),
        ("SWEEP_EVERY", "1", "LAPWING_SWEEP_EVERY: '1' is not a duration: write a whole number and a unit"),
        ("SWEEP_EVERY", "0", "LAPWING_SWEEP_EVERY: '0': input should be greater than 0"),
        ("SWEEP_EVERY", "7h", "LAPWING_SWEEP_EVERY: sweeps must be whole days apart"),
        ("SWEEP_EVERY", "1s", "LAPWING_SWEEP_EVERY: sweeps must be whole days apart"),
        ("ACTIVITY", "orders,complaints", "LAPWING_ACTIVITY.1: 'complaints': input should be 'orders' or"),
        ("ACTIVITY", ",", "LAPWING_ACTIVITY: name at least one"),
        ("HORIZON", "36h", "LAPWING_HORIZON: only whole days can be counted"),
        ("TIME_ZONE", "Europe/Lodnon", "'Europe/Lodnon' is no time zone; did you mean Europe/London?"),
        ("TIME_ZONE", "../etc", "LAPWING_TIME_ZONE: '../etc' is no time zone"),
        (
            "COMPLAINT_PRIOR_RATE",
            "nan",
            "LAPWING_COMPLAINT_PRIOR_RATE: 'nan': input should be a finite number",
        ),
        ("COMPLAINT_PRIOR_RATE", "1.1", "LAPWING_COMPLAINT_PRIOR_RATE: '1.1': input should be less than"),
        ("MIN_POSITIVES", "few", "LAPWING_MIN_POSITIVES: 'few': input should be a valid integer"),
        ("MODEL_ENABLED", "maybe", "LAPWING_MODEL_ENABLED: 'maybe': input should be a valid boolean"),
        ("QUIET_AFTER", "orders", "LAPWING_QUIET_AFTER: 'orders' is not a list of NAME=VALUE"),
        ("QUIET_AFTER", "order=2d", "LAPWING_QUIET_AFTER.order: 'order': input should be 'actions', "),
        ("QUIET_AFTER", "orders=2", "LAPWING_QUIET_AFTER.orders: '2' is not a duration"),
        ("ACKNOWLEDGE_WITHIN", "urgent=4h", "LAPWING_ACKNOWLEDGE_WITHIN.urgent: 'urgent': input should be"),
        ("ACKNOWLEDGE_FOR", "0", "LAPWING_ACKNOWLEDGE_FOR.high: '0': input should be greater than 0"),
        ("FORGET_AFTER", "269d", "forget_after is 269d and must be 270d at least: the horizon and,"),
        ("LOGINS", "orders", "two topics have the name 'orders'"),
        ("WARNINGS_TOPIC", "lapwing.rejected", "two topics have the name 'lapwing.rejected'"),
        (
            "SECURITY_PROTOCOL",
            "SASL_SSL",
            "SASL_SSL needs sasl_mechanism, sasl_username and LAPWING_SASL_PASSWORD",
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_source_and_the_mend(name: str, value: str, says: str) -> None:
    assert says in refused(**{name: value})


@pytest.mark.parametrize("value", ["1m", "6h", "24h", "2d", "1w"])
def test_sweeps_may_be_whole_days_apart_or_divide_a_day(value: str) -> None:
    assert load_settings(environ={"LAPWING_SWEEP_EVERY": value}).sweep_every > 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("logins", ("logins",)),
        ("orders", ("orders",)),
        ("logins,orders", ("orders", "logins")),
        ("orders logins orders", ("orders", "logins")),
    ],
)
def test_activity_is_orders_logins_or_both(value: str, expected: tuple[str, ...]) -> None:
    assert load_settings(environ={"LAPWING_ACTIVITY": value}).activity == expected


def test_all_mistakes_are_told_at_once_in_one_line(folder: Path) -> None:
    (folder / "lapwing.toml").write_text('brokr = "a:1"\nreorder = "soon"\n')
    text = refused(MIN_POSITIVES="0")
    assert "lapwing.toml: brokr is no setting; did you mean lapwing.toml: broker?" in text
    assert "lapwing.toml: reorder: 'soon' is not a duration" in text
    assert "LAPWING_MIN_POSITIVES" in text
    assert "\n" not in text


def test_no_secret_is_told_in_an_error_or_shown() -> None:
    assert "hunter2" not in refused(DATABASE="lapwing:hunter2")
    settings = load_settings(
        environ={"LAPWING_SASL_PASSWORD": "hunter2", "LAPWING_NOTIFY_URLS": "json://hunter2"}
    )
    assert "hunter2" not in repr(settings)


def test_a_password_is_taken_from_the_environment_only(folder: Path) -> None:
    (folder / "lapwing.toml").write_text('sasl_password = "hunter2"')
    assert refused() == "lapwing.toml: sasl_password is a secret: set LAPWING_SASL_PASSWORD instead"


def test_the_file_of_inputs_is_the_one_that_is_set_or_lies_beside_the_rules(folder: Path) -> None:
    assert load_settings(environ={}).inputs_file is None
    (folder / "warning_rules").mkdir()
    beside = folder / "warning_rules" / "inputs.yaml"
    beside.write_text("version: 1\n")
    assert load_settings(environ={}).inputs_file == Path("warning_rules/inputs.yaml")
    (folder / "warning_rules" / "rules.yaml").write_text("rules: []\n")
    of_file = load_settings(environ={"LAPWING_RULES": "warning_rules/rules.yaml"})
    assert of_file.inputs_file == Path("warning_rules/inputs.yaml")
    assert load_settings(environ={"LAPWING_INPUTS": "mine.yaml"}).inputs_file == Path("mine.yaml")


def test_every_secret_is_known_as_one() -> None:
    typed = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert typed
    assert typed <= SECRETS
    assert typed >= FROM_ENVIRONMENT


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_any_setting_may_come_from_a_file_of_its_own(folder: Path, end: str) -> None:
    for name in Settings.model_fields:
        default = written(name, Settings.model_fields[name].default)
        path = secret_file(folder, "x" * 20 + end)
        if default:
            path.write_text(default + end)
        elif name not in FROM_ENVIRONMENT:
            continue
        settings = load_settings(environ={f"LAPWING_{name.upper()}_FILE": str(path)})
        value = getattr(settings, name)
        if name not in SECRETS:
            assert value == getattr(load_settings(environ={}), name)
        assert settings.source(name) == f"LAPWING_{name.upper()}_FILE: {path}"
    settings = load_settings(environ={"LAPWING_SASL_PASSWORD_FILE": str(secret_file(folder, f" a b {end}"))})
    assert settings.sasl_password is not None
    assert settings.sasl_password.get_secret_value() == " a b "


def secret_file(folder: Path, content: str, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_text(content)
    path.chmod(mode)
    return path


def test_a_file_of_its_own_wins_over_the_settings_file_and_a_flag_over_it(folder: Path) -> None:
    (folder / "lapwing.toml").write_text('app = "toml"\n')
    environ = {"LAPWING_APP_FILE": str(secret_file(folder, "file")), "LAPWING_APP": ""}
    assert load_settings(environ=environ).app == "file"
    settings = load_settings(overrides={"app": "flag"}, environ=environ)
    assert (settings.app, settings.source("app"), settings.file("app")) == ("flag", "--app", None)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "{path} is empty"),
        (b"\n", "{path} is empty"),
        (b"\xff", "{path} cannot be read: it is not UTF-8"),
        (b"x" * 70_000, "{path} is larger than 64 KiB"),
        (None, "{path} cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_holds_no_value_is_refused(folder: Path, content: bytes | None, says: str) -> None:
    path = folder / "secret"
    if content is not None:
        path.write_bytes(content)
    assert refused(SASL_PASSWORD_FILE=str(path)) == f"LAPWING_SASL_PASSWORD_FILE: {says.format(path=path)}"


def test_mistakes_with_files_are_named_and_no_secret_is(folder: Path) -> None:
    path = secret_file(folder, "hunter2")
    both = refused(SASL_PASSWORD="hunter3", SASL_PASSWORD_FILE=str(path))
    assert both == "LAPWING_SASL_PASSWORD and LAPWING_SASL_PASSWORD_FILE are both given: leave one out"
    misspelled = refused(SASL_PASWORD_FILE=str(path))
    assert misspelled == ("LAPWING_SASL_PASWORD_FILE is no setting; did you mean LAPWING_SASL_PASSWORD_FILE?")
    given_itself = refused(SASL_PASSWORD_FILE="hunter2")
    assert given_itself == (
        "LAPWING_SASL_PASSWORD_FILE: the file that it names cannot be read: No such file or directory"
    )
    path.write_text("hunter 2")
    for name in ("broker", "app", "reorder", "time_zone", "holdout_share", "database", "security_protocol"):
        text = refused(**{f"{name.upper()}_FILE": str(path)})
        assert f"LAPWING_{name.upper()}_FILE: {path}" in text
        assert "hunter" not in text


def test_a_secret_s_file_that_every_user_may_read_is_warned_of(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = secret_file(folder, "hunter2", 0o644)
    settings = load_settings(environ={"LAPWING_SASL_PASSWORD_FILE": str(path)})
    assert settings.exposed_files() == {"sasl_password": path}
    assert f"LAPWING_SASL_PASSWORD_FILE: every user may read {path}" in caplog.text
    assert "hunter2" not in caplog.text
    caplog.clear()
    path.chmod(0o640)
    assert not load_settings(environ={"LAPWING_SASL_PASSWORD_FILE": str(path)}).exposed_files()
    path.chmod(0o644)
    assert not load_settings(environ={"LAPWING_APP_FILE": str(path)}).exposed_files()
    assert not caplog.text


def test_security_is_handed_on_as_the_drivers_options() -> None:
    assert load_settings(environ={}).kafka_security == {"security_protocol": "PLAINTEXT"}
    settings = load_settings(
        environ={
            "LAPWING_SECURITY_PROTOCOL": "SASL_SSL",
            "LAPWING_SASL_MECHANISM": "SCRAM-SHA-512",
            "LAPWING_SASL_USERNAME": "lapwing",
            "LAPWING_SASL_PASSWORD": "hunter2",
            "LAPWING_SSL_CAFILE": "ca.pem",
        }
    )
    assert settings.kafka_security == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "lapwing",
        "sasl_plain_password": "hunter2",
        "ssl_cafile": "ca.pem",
    }


def test_tokens_and_certificates_are_handed_on_too() -> None:
    environ = {
        "LAPWING_SECURITY_PROTOCOL": "SASL_SSL",
        "LAPWING_SASL_MECHANISM": "OAUTHBEARER",
        "LAPWING_SASL_OAUTH_TOKEN_URL": "https://id.example/token",
        "LAPWING_SASL_OAUTH_CLIENT_ID": "lapwing",
        "LAPWING_SASL_OAUTH_CLIENT_SECRET": "hunter2",
        "LAPWING_SASL_OAUTH_SCOPE": "kafka",
        "LAPWING_SASL_OAUTH_CAFILE": "id.pem",
        "LAPWING_SSL_CERTFILE": "own.pem",
        "LAPWING_SSL_KEYFILE": "key.pem",
        "LAPWING_SSL_KEY_PASSWORD": "hunter3",
        "LAPWING_SSL_CHECK_HOSTNAME": "false",
    }
    security = load_settings(environ=environ).kafka_security
    assert security == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "OAUTHBEARER",
        "sasl_oauth_token_url": "https://id.example/token",
        "sasl_oauth_client_id": "lapwing",
        "sasl_oauth_client_secret": "hunter2",
        "sasl_oauth_scope": "kafka",
        "sasl_oauth_cafile": "id.pem",
        "ssl_certfile": "own.pem",
        "ssl_keyfile": "key.pem",
        "ssl_password": "hunter3",
        "ssl_check_hostname": False,
    }
    assert security.keys() <= SECURITY_KEYS
    assert "hunter" not in repr(load_settings(environ=environ))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "OAUTHBEARER"},
            "OAUTHBEARER needs sasl_oauth_token_url, sasl_oauth_client_id and LAPWING_SASL_OAUTH_",
        ),
        (
            {
                "SECURITY_PROTOCOL": "SASL_SSL",
                "SASL_MECHANISM": "OAUTHBEARER",
                "SASL_OAUTH_TOKEN_URL": "http://id.example/token",
                "SASL_OAUTH_CLIENT_ID": "lapwing",
                "SASL_OAUTH_CLIENT_SECRET": "hunter2",
            },
            "sasl_oauth_token_url must be reached by https",
        ),
        ({"SSL_KEYFILE": "key.pem"}, "ssl_keyfile needs ssl_certfile"),
    ],
)
def test_security_that_lacks_something_is_refused(given: dict[str, str], says: str) -> None:
    text = refused(**given)
    assert says in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"broker", "lapwing.toml: not a TOML file"), (b"\xff", "lapwing.toml: not a TOML file")],
)
def test_a_broken_file_is_named(folder: Path, content: bytes, says: str) -> None:
    (folder / "lapwing.toml").write_bytes(content)
    assert says in refused()


def test_a_file_that_was_asked_for_must_be_there() -> None:
    assert (
        refused(CONFIG="absent.toml")
        == "absent.toml: the settings file cannot be read: No such file or directory"
    )


def test_an_unknown_key_of_a_file_is_compared_by_its_name_and_not_by_the_files(tmp_path: Path) -> None:
    path = tmp_path / "a-long-name-that-all-keys-share.toml"
    path.write_text('time-zone = "UTC"\nzzz = 1\nBroker = "a:1"\n[kafka]\nbroker = "a:1"\n')
    with pytest.raises(SettingsError) as caught:
        load_settings(path, environ={})
    assert str(caught.value).split("; ") == [
        f"{path}: time-zone is no setting",
        f"did you mean {path}: time_zone?",
        f"{path}: zzz is no setting",
        f"{path}: Broker is no setting",
        f"did you mean {path}: broker?",
        f"{path}: kafka is no setting",
    ]


def test_a_mistake_in_a_flag_is_a_usage_error_and_others_are_not(tmp_path: Path) -> None:
    for flags, environ, kind in (
        ({"reorder": "soon"}, {}, FlagError),
        ({"reorder": "soon"}, {"LAPWING_APP": "a b"}, FlagError),
        ({"reorder": "1s"}, {"LAPWING_APP": "a b"}, SettingsError),
    ):
        with pytest.raises(SettingsError) as caught:
            load_settings(overrides=flags, environ=environ)
        assert type(caught.value) is kind


def test_customers_may_be_forgotten_once_nothing_depends_on_them() -> None:
    assert load_settings(environ={}).forget_after == 0
    assert load_settings(environ={"LAPWING_FORGET_AFTER": "270d"}).forget_after == 270 * DAY
    short = {"LAPWING_HORIZON": "30d", "LAPWING_ACTIVE_WITHIN": "10d", "LAPWING_FORGET_AFTER": "130d"}
    assert load_settings(environ=short).forget_after == 130 * DAY
    with pytest.raises(SettingsError, match="must be 131d at least"):
        load_settings(environ=short | {"LAPWING_LEARN_WITHIN": "101d"})
