"""docs/your-data.md: its lines are events, its files the script's, and both ways lead to the same."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from lapwing.cli import lapwing
from scripts.example_exports import FOLDER, exports
from streams.contract.decode import decode_lines
from streams.core.events.topics import FILE_TYPES
from tests.paths import ROOT

PAGE = (ROOT / "docs/your-data.md").read_text()


def test_the_page_has_a_line_of_every_type_of_event() -> None:
    [fence] = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = fence.encode().splitlines()
    assert decode_lines(lines, latest_us=None).refused == []
    assert [json.loads(line)["type"] for line in lines] == [
        *dict.fromkeys(json.loads(x)["type"] for x in lines)
    ]
    assert {json.loads(line)["type"] for line in lines} == set(FILE_TYPES)


def test_the_exports_are_those_of_the_script() -> None:
    assert {name: (FOLDER / name).read_text() for name in exports()} == exports()


def test_files_that_are_read_by_a_mapping_give_what_importing_them_first_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rules = ["--rules", str(ROOT / "warning_rules")]
    files = [str(FOLDER / name) for name in ("orders.csv", "tickets.jsonl")]
    mapping = str(FOLDER / "inputs.yaml")
    words = ["import", *files, "--map", mapping, "--to", "history.jsonl.gz"]
    assert CliRunner().invoke(lapwing, words).exit_code == 0
    summaries = []
    for events in (["history.jsonl.gz"], [*files, "--inputs", mapping]):
        warnings = f"{len(events)}.jsonl"
        result = CliRunner().invoke(lapwing, ["replay", *events, *rules, "--out", warnings, "--json"])
        assert result.exit_code == 0
        summary = json.loads(result.stdout)
        del summary["seconds"]
        summaries.append((summary, Path(warnings).read_bytes()))
    assert summaries[0] == summaries[1]
    assert summaries[0][0]["events"] > 4_000
    assert summaries[0][0]["steps"]["opened"] > 100
