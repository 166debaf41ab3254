"""The published schemas: as made, true of what is accepted, and of some use against what is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from lapwing.cli.rules import command
from lapwing.commands.rules.schema import as_text
from streams.rulebook.files import rule_files
from streams.rulebook.schema import CASES_FILE, RULES_FILE, cases_schema, rules_schema
from tests.paths import ROOT

RULEBOOK = ROOT / "tests" / "streams" / "rulebook"

RULES = ROOT / "warning_rules"
SCHEMAS = {RULES_FILE: rules_schema(), CASES_FILE: cases_schema()}


KINDS: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "number": (int, float), "integer": int,
    "null": type(None), "boolean": bool,
}  # fmt: skip


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Judge by the few keywords of JSON Schema that are used here; any other is an error."""
    for word, said in schema.items():
        match word:
            case "type":
                good = isinstance(value, KINDS[said]) and (
                    said in ("boolean",) or not isinstance(value, bool)
                )
            case "const":
                good = value == said
            case "enum":
                good = value in said
            case "anyOf":
                good = any(fits(value, each) for each in said)
            case "pattern":
                good = not isinstance(value, str) or re.search(said, value) is not None
            case "minLength":
                good = not isinstance(value, str) or len(value) >= said
            case "maxLength":
                good = not isinstance(value, str) or len(value) <= said
            case "minimum":
                good = not isinstance(value, int | float) or value >= said
            case "maximum":
                good = not isinstance(value, int | float) or value <= said
            case "minItems":
                good = not isinstance(value, list) or len(value) >= said
            case "items":
                good = not isinstance(value, list) or all(fits(each, said) for each in value)
            case "required":
                good = not isinstance(value, dict) or set(said) <= set(value)
            case "properties":
                held = value if isinstance(value, dict) else {}
                good = all(fits(held[name], each) for name, each in said.items() if name in held)
            case "additionalProperties":
                held = value if isinstance(value, dict) else {}
                others = [each for name, each in held.items() if name not in schema.get("properties", {})]
                good = not others if said is False else all(fits(each, said) for each in others)
            case _:
                assert word in (
                    "$schema",
                    "$comment",
                    "title",
                    "description",
                    "default",
                    "examples",
                    "format",
                ), word
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
        assert fits(content(path), SCHEMAS[RULES_FILE])
        assert path.read_text().startswith(f"# yaml-language-server: $schema={RULES_FILE}\n")
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
        "cases_empty",
    ],
)  # fmt: skip
def test_an_editor_would_show_the_mistake_of_a_bad_case_file(name: str) -> None:
    assert not fits(content(RULEBOOK / "bad_cases" / f"{name}.yaml"), SCHEMAS[CASES_FILE])


def test_the_command_prints_and_writes_them(tmp_path: Path) -> None:
    assert CliRunner().invoke(command, ["schema"]).output == as_text(rules_schema())
    assert CliRunner().invoke(command, ["schema", "--cases"]).output == as_text(cases_schema())
    assert CliRunner().invoke(command, ["schema", "--out", str(tmp_path)]).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [CASES_FILE, RULES_FILE]
