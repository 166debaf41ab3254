"""The published schemas: as made, true of what is accepted, and of some use against what is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from lapwing.cli.rules import command
from lapwing.commands.rules.schema import SCHEMAS as MODELS
from lapwing.commands.rules.schema import as_text
from streams.rulebook.files import rule_files
from streams.rulebook.reader import json_schema
from tests.paths import ROOT

RULEBOOK = ROOT / "tests" / "streams" / "rulebook"

RULES = ROOT / "warning_rules"
RULES_FILE, CASES_FILE, PLAYS_FILE, REASONS_FILE, ROUTES_FILE, PEOPLE_FILE, INPUTS_FILE = MODELS
SCHEMAS = {name: json_schema(model) for name, model in MODELS.items()}


KINDS: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "number": (int, float), "integer": int,
    "null": type(None), "boolean": bool,
}  # fmt: skip


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Judge by the few keywords of JSON Schema that are used here; any other is an error."""
    return _fits(value, schema, schema.get("$defs", {}))


def _fits(value: Any, schema: dict[str, Any], parts: dict[str, Any]) -> bool:
    for word, given in schema.items():
        match word:
            case "type":
                good = isinstance(value, KINDS[given]) and (
                    given in ("boolean",) or not isinstance(value, bool)
                )
            case "const":
                good = value == given
            case "enum":
                good = value in given
            case "$ref":
                good = _fits(value, parts[given.removeprefix("#/$defs/")], parts)
            case "anyOf":
                good = any(_fits(value, each, parts) for each in given)
            case "pattern":
                good = not isinstance(value, str) or re.search(given, value) is not None
            case "minLength":
                good = not isinstance(value, str) or len(value) >= given
            case "maxLength":
                good = not isinstance(value, str) or len(value) <= given
            case "minimum":
                good = not isinstance(value, int | float) or value >= given
            case "maximum":
                good = not isinstance(value, int | float) or value <= given
            case "minItems":
                good = not isinstance(value, list) or len(value) >= given
            case "maxItems":
                good = not isinstance(value, list) or len(value) <= given
            case "items":
                good = not isinstance(value, list) or all(_fits(each, given, parts) for each in value)
            case "required":
                good = not isinstance(value, dict) or set(given) <= set(value)
            case "properties":
                entries = value if isinstance(value, dict) else {}
                good = all(
                    _fits(entries[name], each, parts) for name, each in given.items() if name in entries
                )
            case "additionalProperties":
                entries = value if isinstance(value, dict) else {}
                others = [each for name, each in entries.items() if name not in schema.get("properties", {})]
                good = not others if given is False else all(_fits(each, given, parts) for each in others)
            case _:
                plain = (
                    "$schema",
                    "$comment",
                    "$defs",
                    "title",
                    "description",
                    "default",
                    "examples",
                    "format",
                )
                assert word in plain, word
                good = True
        if not good:
            return False
    return True


def content(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text())


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_schema_is_the_one_that_is_made(name: str) -> None:
    assert (RULES / name).read_text() == as_text(SCHEMAS[name]), (
        "run `lapwing rules schema --out warning_rules`"
    )


def test_the_shipped_files_fit_and_name_their_schema() -> None:
    for path in rule_files(RULES):
        name = {"plays": PLAYS_FILE, "reasons": REASONS_FILE}.get(path.stem, RULES_FILE)
        assert fits(content(path), SCHEMAS[name])
        assert path.read_text().startswith(f"# yaml-language-server: $schema={name}\n")
    for path in sorted((RULES / "cases").glob("*.yaml")):
        assert fits(content(path), SCHEMAS[CASES_FILE]), path
        assert path.read_text().startswith(f"# yaml-language-server: $schema=../{CASES_FILE}\n")


@pytest.mark.parametrize(
    "name",
    [
        "unknown_field", "unknown_field_at_the_top", "unknown_tier", "unknown_status", "missing_id",
        "missing_when", "missing_tier", "missing_reason", "missing_version", "missing_rules",
        "wrong_version", "rules_empty", "rules_not_a_list", "rule_not_a_mapping",
        "list_for_a_value", "id_not_a_slug", "id_a_number", "empty_value",
        "duration_without_a_unit", "duration_with_a_wrong_unit", "duration_negative",
        "message_too_long",
    ],
)  # fmt: skip
def test_an_editor_would_show_the_mistake_of_a_bad_rule_file(name: str) -> None:
    assert not fits(content(RULEBOOK / "bad_rules" / f"{name}.yaml"), SCHEMAS[RULES_FILE])


@pytest.mark.parametrize(
    "name",
    [
        "missing_version", "unknown_field", "missing_until", "time_without_a_unit",
        "unknown_kind_of_event", "unknown_field_of_an_event", "field_of_another_kind",
        "value_that_the_contract_refuses", "unknown_tier", "probability_above_one", "unknown_topic",
        "others_above_one",
        "cases_empty",
    ],
)  # fmt: skip
def test_an_editor_would_show_the_mistake_of_a_bad_case_file(name: str) -> None:
    assert not fits(content(RULEBOOK / "bad_cases" / f"{name}.yaml"), SCHEMAS[CASES_FILE])


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("plays", name) for name in ("unknown_field", "missing_success", "chance_above_one")),
        *(("plays", name) for name in ("unknown_class", "unknown_item", "negative_cost", "wrong_source")),
        *(("reasons", name) for name in ("unknown_class", "unknown_field", "no_second_level")),
    ],
)
def test_an_editor_would_show_the_mistake_in_plays_and_reasons(kind: str, name: str) -> None:
    path = RULEBOOK / f"bad_{kind}" / f"{name}.yaml"
    assert not fits(content(path), SCHEMAS[f"{kind}.schema.json"])


def test_the_command_prints_and_writes_them(tmp_path: Path) -> None:
    assert CliRunner().invoke(command, ["schema"]).output == as_text(SCHEMAS[RULES_FILE])
    assert CliRunner().invoke(command, ["schema", "--cases"]).output == as_text(SCHEMAS[CASES_FILE])
    assert CliRunner().invoke(command, ["schema", "--out", str(tmp_path)]).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(MODELS)
