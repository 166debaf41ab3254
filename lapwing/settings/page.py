"""Settings as people read them: a value as it is written, secrets masked, and the page docs/settings.md.

`python -m lapwing.settings.page` prints the page (`make settings-docs`).
"""

from __future__ import annotations

import inspect
from typing import Final

import click
from pydantic import SecretStr

from lapwing.settings.settings import Settings, is_duration
from streams.duration import format_duration
from streams.redact import MASK, masked

ADDRESSES: Final = frozenset({"checkpoints", "database"})
"""Settings whose values may hold a password."""

PAGE: Final = """\
# Settings

<!-- Made from the fields in lapwing/settings/ by `make settings-docs`. -->

One list for all commands. A value comes from the settings file, then from a variable, then from a flag;
the later wins. `lapwing doctor` prints every value in force and where it came from.

- **File:** `lapwing.toml` in the working folder, or the one that `--config` or `LAPWING_CONFIG` names:
  `broker = "127.0.0.1:9092"`; `quiet_after` is a table, `notify_urls` a list.
- **Variable:** the name in capitals after `LAPWING_`: `LAPWING_BROKER=127.0.0.1:9092`. An empty one counts as
  not given; one with a name that is no setting is an error.
- **File of its own:** `LAPWING_SASL_PASSWORD_FILE=/run/secrets/kafka` names a file with the value, for any
  setting; line ends at its end do not count. A variable beside its `_FILE` is an error, and so is an empty
  file. A secret's file that every user may read is warned of. `lapwing doctor` names the file, never the
  value.
- **Flag:** the name with dashes: `--broker 127.0.0.1:9092`. A command has flags for the settings that it is
  given most often; `--help` names them.

A duration is a whole number with a unit, `250ms`, `30s`, `10m`, `12h`, `2d`, `1w`, or several of these, the
larger first (`1d12h`).
"""
GROUP: Final = """
## {heading}

| setting | default | meaning |
|---|---|---|
{rows}
"""


def written(name: str, value: object) -> str:
    """Return `value` of setting `name` as it would be written in a variable; a secret is masked."""
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, tuple):
        return " ".join(written(name, each) for each in value)
    if isinstance(value, dict):
        return ",".join(
            f"{key}={each:g}" if isinstance(each, float) else f"{key}={format_duration(each)}"
            for key, each in value.items()
        )
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and is_duration(name):
        return format_duration(value)
    return masked(str(value)) if name in ADDRESSES else str(value)


def page() -> str:
    """Return docs/settings.md."""
    groups = [
        GROUP.format(heading=vars(group)["heading"], rows="\n".join(map(_row, _fields(group))))
        for group in reversed(Settings.__mro__)
        if "heading" in vars(group)
    ]
    return PAGE + "".join(groups)


def _fields(group: type) -> list[str]:
    """Return the settings that a class declares itself."""
    return [name for name in inspect.get_annotations(group) if name in Settings.model_fields]


def _row(name: str) -> str:
    field = Settings.model_fields[name]
    default = written(name, field.default)
    return f"| `{name}` | {f'`{default}`' if default else ''} | {field.description} |"


if __name__ == "__main__":
    click.echo(page(), nl=False)
