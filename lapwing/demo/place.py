"""The folder of one run of the demo, and the settings that all of its processes read there."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import lapwing
from lapwing.demo.broker import SESSION_TIMEOUT_S
from lapwing.settings.settings import Settings, load_settings
from lapwing.settings.value_files import SUFFIX
from lapwing.settings.values import PREFIX
from streams.core.events.topics import Topic
from streams.errors import DemoError

CONNECTION: Final = (
    "security_protocol",
    *("sasl_mechanism", "sasl_username", "sasl_oauth_token_url", "sasl_oauth_client_id"),
    *("sasl_oauth_scope", "sasl_oauth_cafile"),
    *("ssl_cafile", "ssl_check_hostname", "ssl_certfile", "ssl_keyfile"),
)
"""The user's settings that the run keeps where the broker is the user's own."""
SECRETS_OF_CONNECTION: Final = frozenset(
    f"{PREFIX}{name}{suffix}"
    for name in ("SASL_PASSWORD", "SASL_OAUTH_CLIENT_SECRET", "SSL_KEY_PASSWORD")
    for suffix in ("", SUFFIX)
)
"""Variables of the user's that the run's processes are given."""
LEAST_FREE: Final = 200_000_000
"""Bytes that a run may need for its database and logs."""


@dataclass(frozen=True, slots=True)
class DemoFolders:
    """Where a run keeps everything."""

    folder: Path
    config: Path
    """A settings file: any `lapwing` command with `--config` takes part in the run."""
    database: Path
    stats: Path
    settings: Settings
    environment: dict[str, str]
    """For the run's processes: the user's, but without settings that would overrule the file."""


def make_folder(wanted: Path | None) -> Path:
    """Return the folder, made where there is none; it must be one that can be written to and has space."""
    try:
        if wanted is None:
            folder = Path(tempfile.mkdtemp(prefix="lapwing-demo-"))
        else:
            folder = wanted.resolve()
            folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free
    except OSError as error:
        msg = f"{wanted or tempfile.gettempdir()}: the demo cannot write there: {error.strerror or error}"
        raise DemoError(msg) from error
    if free < LEAST_FREE:
        msg = f"{folder}: only {free / 1e6:.0f} MB are free, the demo needs {LEAST_FREE / 1e6:.0f}: try --dir"
        raise DemoError(msg)
    if (folder / "lapwing.db").exists():
        msg = f"{folder}: holds an earlier run: choose another --dir, or none for a fresh one"
        raise DemoError(msg)
    return folder


def find_rules(wanted: Path | None) -> Path:
    """Return the rules: those asked for, those of the working folder, or those that come with Lapwing."""
    choices = (
        [wanted] if wanted else [Path("warning_rules"), Path(lapwing.__file__).parents[1] / "warning_rules"]
    )
    for path in choices:
        if path.exists():
            return path.resolve()
    msg = f"{choices[0]}: there are no rules: name a rule file or folder with --rules"
    raise DemoError(msg)


def users_broker(address: str) -> dict[str, object]:
    """Return how to get into the user's own broker, and names of topics that nothing else there uses."""
    own = load_settings(overrides={"broker": address})
    given = {name: getattr(own, name) for name in CONNECTION}
    app = f"lapwing-demo-{uuid.uuid4().hex[:8]}"
    return {
        "app": app,
        **{name: value for name, value in given.items() if value is not None},
        **{topic.label: f"{app}.{topic.label}" for topic in Topic},
        "warnings_topic": f"{app}.churn-warnings",
        "segment_warnings_topic": f"{app}.segment-warnings",
        "outcomes_topic": f"{app}.churn-outcomes",
        "census_topic": f"{app}.churn-census",
        "control_topic": f"{app}.control",
        "audit_topic": f"{app}.audit",
        "silences_topic": f"{app}.silences",
    }


def embedded_broker() -> dict[str, object]:
    """Return the settings that the embedded broker needs."""
    return {"session_timeout": f"{SESSION_TIMEOUT_S:.0f}s"}


def lay_out(
    folder: Path, rules: Path, address: str, reorder_us: int, more: Mapping[str, object]
) -> DemoFolders:
    """Write the run's settings file, with `more` settings for its broker, and return the place."""
    values: dict[str, object] = {
        "broker": address,
        "database": f"sqlite:///{folder / 'lapwing.db'}",
        "reorder": f"{reorder_us}us",
        "rules": rules,
        "labour_rate": "0.5",  # so that plays with labour are decided
        "holdout_share": "0",  # the demo shows every warning and what came of it
        **more,
    }
    config = folder / "lapwing.toml"
    lines = [f"{name} = {_quoted(str(value))}" for name, value in values.items()]
    config.write_text(
        "# The settings of this run of `lapwing demo`.\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(PREFIX) or name in SECRETS_OF_CONNECTION
    }
    return DemoFolders(
        folder=folder,
        config=config,
        database=folder / "lapwing.db",
        stats=folder / "worker-stats.jsonl",
        settings=load_settings(config, environ=kept),
        environment=kept,
    )


def _quoted(text: str) -> str:
    """Return text as a TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
