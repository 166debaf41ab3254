"""Rule files and written warnings, read apart from the readers that are tested."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from streams.core.steps import (
    TRAITS,
    Acknowledgement,
    AcknowledgementState,
    Cause,
    Step,
    StepKind,
    Tier,
    Traits,
)
from tests.oracle.conditions import OracleRule
from tests.oracle.days import DAY, HOUR, SECOND, instant
from tests.oracle.life import Terms

UNITS: Final = {"s": SECOND, "m": 60 * SECOND, "h": HOUR, "d": DAY, "w": 7 * DAY}


def interval(text: str | None) -> int:
    """Return the microseconds of an interval such as `2d` or `1h 30m`; 0 where none is given."""
    return sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)\s*([smhdw])", text or ""))


def read_rules(folder: Path) -> list[OracleRule]:
    """Return the active rules of a folder of rule files."""
    said = [rule for path in sorted(folder.glob("*.yaml")) for rule in YAML(typ="safe").load(path)["rules"]]
    return [rule_of(rule) for rule in said if rule.get("status", "active") == "active"]


def rule_of(said: dict[str, Any]) -> OracleRule:
    """Return the rule that a mapping of a rule file says."""
    return OracleRule(
        id=said["id"],
        when=said["when"],
        clear=said.get("clear"),
        only=said.get("only"),
        terms=Terms(
            tier=Tier[said["tier"].upper()],
            for_us=interval(said.get("for")),
            keep_open_for_us=interval(said.get("keep_open_for")),
            cooldown_us=interval(said.get("cooldown")),
        ),
    )


def read_steps(path: Path, customers: Collection[str]) -> list[Step]:
    """Return the steps of these customers in a file of CloudEvents, one a line."""
    said = (json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line)
    return [step_of(event) for event in said if event["subject"] in customers]


def step_of(event: dict[str, Any]) -> Step:
    """Return the step that a CloudEvent tells."""
    data = event["data"]
    return Step(
        kind=StepKind(event["type"].removeprefix("churn.warning.")),
        customer_id=event["subject"],
        at=instant(event["time"]),
        warning_id=data["warning_id"],
        number=data["step"],
        tier=Tier[data["tier"].upper()],
        opened_at=instant(data["opened_at"]),
        causes=tuple(cause_of(cause) for cause in data["causes"]),
        churn_probability=data["churn_probability"],
        horizon_days=data["horizon_days"],
        model_version=data["model_version"],
        reasons=(),
        rule_set=data["rule_set"],
        acknowledgement=attention_of(data["attention"]),
        traits=Traits(*(data.get(name) for name in TRAITS)),
    )


def attention_of(said: dict[str, Any] | None) -> Acknowledgement | None:
    """Return who has the warning in hand."""
    if said is None:
        return None
    until, deadline = (None if said[n] is None else instant(said[n]) for n in ("until", "deadline"))
    state, since = AcknowledgementState(said["state"]), instant(said["since"])
    return Acknowledgement(state, said["step"], since, said["by"], until, deadline, said["level"])


def cause_of(said: dict[str, Any]) -> Cause:
    """Return the cause that a warning names."""
    return Cause(
        rule=said["rule"],
        version=said["version"],
        title=said["title"],
        tier=Tier[said["tier"].upper()],
        reason=said["reason"],
        owner=said["owner"],
        play=said["play"],
        since=instant(said["since"]),
        opened_at=instant(said["opened_at"]),
        message=said["message"],
        values=said["values"],
        inhibited_by=said.get("inhibited_by"),
    )
