"""`lapwing inputs preset` on the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from lapwing.cli import lapwing
from streams.errors import EventFileError
from streams.imports.preset import PRESETS
from streams.inputs.load import load_inputs


@pytest.mark.parametrize("name", PRESETS)
def test_what_is_printed_is_a_file_of_inputs(name: str, tmp_path: Path) -> None:
    printed = CliRunner().invoke(lapwing, ["inputs", "preset", name])
    assert printed.exit_code == 0
    (tmp_path / "inputs.yaml").write_text(printed.stdout)
    assert list(load_inputs(tmp_path / "inputs.yaml").sources) == [name]


def test_without_a_name_they_are_listed() -> None:
    lines = CliRunner().invoke(lapwing, ["inputs", "preset"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(PRESETS)
    assert "Orders of Shopify, exported as CSV" in lines[4]


def test_a_name_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(lapwing, ["inputs", "preset", "shop"])
    assert isinstance(result.exception, EventFileError)
