"""The alert rules that are shipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml import YAML

from tests.paths import ROOT

FOLDER: Final = ROOT / "deploy" / "prometheus"


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule of alerts.yaml."""

    name: str
    expression: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def read_yaml(name: str) -> Any:
    return YAML(typ="safe").load(FOLDER / name)


def shipped() -> list[Alert]:
    """Return the alerts of alerts.yaml, in its order."""
    return [
        Alert(rule["alert"], rule["expr"], rule["labels"], rule["annotations"])
        for group in read_yaml("alerts.yaml")["groups"]
        for rule in group["rules"]
    ]
