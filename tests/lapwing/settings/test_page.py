import pytest

from lapwing.settings.page import page, written
from lapwing.settings.settings import Settings, is_duration, load_settings
from streams.redact import MASK
from tests.paths import ROOT

PAGE = ROOT / "docs" / "settings.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run `make settings-docs`"


def test_every_setting_is_there_once() -> None:
    rows = [line.split("`")[1] for line in page().splitlines() if line.startswith("| `")]
    assert rows == list(Settings.model_fields)


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_duration_is_written_with_a_unit() -> None:
    durations = {name for name in Settings.model_fields if is_duration(name)}
    assert durations == {
        "checkpoint_every", "sweep_every", "reorder", "repeat_window", "max_skew", "horizon", "decide_every",
        "session_timeout", "snooze_for", "expire_after", "notify_period", "flapping_period",
        "segment_grace", "learn_within", "active_within", "value_horizon", "desk_session_lasts",
        "desk_session_idle", "answer_within", "solve_within", "forget_after",
        "schema_registry_wait",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "shown"),
    [
        ("LAPWING_SWEEP_EVERY=24h", "1d"),
        ("LAPWING_QUIET_AFTER=orders=48h logins=90m", "orders=2d,logins=1h30m"),
        ("LAPWING_MODEL_ENABLED=no", "false"),
        ("LAPWING_COMPLAINT_PRIOR_ORDERS=3", "3.0"),
        ("LAPWING_MARGIN=key=0.4 unknown=0.3", "key=0.4,unknown=0.3"),
        ("LAPWING_HOLDOUT_SHARE=high=0.2 low=0.05", "high=0.2,low=0.05"),
        ("LAPWING_HOLDOUT_SHARE=0.1", "high=0.1,medium=0.1,low=0.1"),
        ("LAPWING_HOLDOUT_EXEMPT=key,small", "key small"),
        ("LAPWING_HOLDOUT_EXEMPT=none", ""),
        ("LAPWING_MARGIN=0.25", "key=0.25,ordinary=0.25,small=0.25,problem=0.25,unknown=0.25"),
        ("LAPWING_RULES=/a/b", "/a/b"),
        ("LAPWING_SASL_PASSWORD=hunter2", MASK),
        ("LAPWING_NOTIFY_URLS=json://hunter2 json://hunter2", f"{MASK} {MASK}"),
        ("LAPWING_DATABASE=postgresql://me:hunter2@db/x", f"postgresql://me:{MASK}@db/x"),
        ("LAPWING_DATABASE=postgresql://me:hunter@2@db/x", f"postgresql://me:{MASK}@db/x"),
        (
            "LAPWING_DATABASE=postgresql:///x?password=hunter2&host=db",
            f"postgresql:///x?password={MASK}&host=db",
        ),
        ("LAPWING_DATABASE=sqlite:///a/b.db", "sqlite:///a/b.db"),
        ("LAPWING_CHECKPOINTS=ftp://me:hunter2@host/states", f"ftp://me:{MASK}@host/states"),
    ],
)
def test_a_value_is_shown_as_it_is_written_and_a_secret_is_not(variable: str, shown: str) -> None:
    name, _, value = variable.partition("=")
    settings = load_settings(environ={name: value})
    field = name.removeprefix("LAPWING_").lower()
    assert written(field, getattr(settings, field)) == shown


def test_what_is_shown_reads_back_as_the_same() -> None:
    settings = load_settings(environ={})
    again = {
        f"LAPWING_{name.upper()}": written(name, getattr(settings, name)) for name in Settings.model_fields
    }
    assert load_settings(environ=again).model_dump() == settings.model_dump()
