"""`lapwing inputs guess` on the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lapwing.cli import lapwing
from streams.errors import EventFileError
from streams.inputs.load import load_inputs
from tests.paths import ROOT

SAMPLES = ROOT / "tests/streams/imports/samples"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("orders.csv").write_text(
        "order,customer,date,total\n" + "".join(f"{n},c{n % 3},2024-03-01 10:00:00,{n}\n" for n in range(9))
    )


def run(*words: str) -> Result:
    return CliRunner().invoke(lapwing, ["inputs", "guess", *words])


def test_a_proposal_can_be_imported_with() -> None:
    result = run("orders.csv", "--to", "inputs.yaml")
    assert result.exit_code == 0
    assert "Tried on 9 rows: 9 events, 0 rows passed over, 0 refused." in result.stderr
    assert list(load_inputs(Path("inputs.yaml")).sources) == ["orders"]
    words = ["import", "orders.csv", "--map", "inputs.yaml", "--to", "out.jsonl"]
    assert CliRunner().invoke(lapwing, words).exit_code == 0
    assert len(Path("out.jsonl").read_text().splitlines()) == 9


def test_without_a_file_it_is_printed_with_what_came_of_it() -> None:
    result = run("orders.csv")
    assert result.stdout.startswith(
        "# Proposed from orders.csv, of which 9 rows were looked at.\n# Tried on "
    )
    assert "# Note: times name no zone" in result.stdout
    Path("again.yaml").write_text(result.stdout)
    load_inputs(Path("again.yaml"))


def test_a_file_that_is_there_is_not_replaced() -> None:
    Path("inputs.yaml").write_text("mine")
    assert run("orders.csv", "--to", "inputs.yaml").exit_code == 2
    assert Path("inputs.yaml").read_text() == "mine"


def test_what_is_missing_is_said_and_the_exit_code_is_1() -> None:
    Path("stock.csv").write_text("sku,shelf\na,1\n")
    result = run("stock.csv", "--to", "inputs.yaml")
    assert isinstance(result.exception, EventFileError)
    assert "no column was found for event_id, customer_id, occurred_at, which logins need" in str(
        result.exception
    )
    assert "# customer_id: no column was found for it" in Path("inputs.yaml").read_text()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("shopify-orders.csv", "shopify-orders"),
        ("magento-orders.csv", "magento-orders"),
        ("woocommerce-orders.csv", "woocommerce-orders"),
        ("online_retail_II.csv", "online-retail-ii"),
    ],
)
def test_a_known_export_is_recognized(file: str, name: str) -> None:
    result = run(str(SAMPLES / file))
    assert f"# Its columns are those of the preset {name}: lapwing inputs preset {name}.\n" in result.stdout
