"""`lapwing inputs check`: mistakes, doubts and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lapwing.cli import lapwing

GOOD = """\
version: 1
sources:
  shop:
    topic: shop.logins
    events:
      - to: logins
        fields: {event_id: id, customer_id: c, occurred_at: t}
"""


def check(*words: str) -> Result:
    return CliRunner().invoke(lapwing, ["inputs", "check", *words])


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(GOOD.replace("to: logins", "to: logns"))
    doubtful = GOOD.replace("occurred_at: t", "occurred_at: {path: t, time: '%Y-%m-%d'}")
    (tmp_path / "doubtful.yaml").write_text(doubtful)
    (tmp_path / "wrong.yaml").write_text(GOOD.replace("customer_id: c", "customer_id: {hash: c}"))


def test_a_good_file_says_what_it_reads() -> None:
    done = check("good.yaml")
    assert done.exit_code == 0
    assert done.output.startswith("source 'shop': shop.logins to logins\n1 source; inputs ")


def test_mistakes_and_doubts_have_their_lines_and_exit_codes() -> None:
    bad = check("bad.yaml", "good.yaml")
    assert bad.exit_code == 1
    assert "bad.yaml:6: source 'shop': `to` must be actions" in bad.output
    assert "did you mean 'logins'?" in bad.output
    assert "source 'shop': shop.logins to logins" in bad.output
    doubtful = check("doubtful.yaml")
    assert (doubtful.exit_code, check("doubtful.yaml", "--strict").exit_code) == (0, 1)
    assert "doubtful.yaml:7: warning I112: source 'shop': the times of occurred_at" in doubtful.output
    wrong = check("wrong.yaml")
    assert wrong.exit_code == 1
    assert "wrong.yaml:7: error I104" in wrong.output
    assert wrong.output.endswith("1 error, 0 warnings\n")


def test_json() -> None:
    found = json.loads(check("good.yaml", "doubtful.yaml", "bad.yaml", "--json").output)
    assert not found["ok"]
    assert [each["line"] for each in found["mistakes"]] == [6]
    assert [(each["code"], each["severity"]) for each in found["findings"]] == [("I112", "warning")]
    assert found["files"][0]["sources"] == {"shop": {"reads": "shop.logins", "feeds": ["logins"]}}


def test_without_a_file_it_is_that_of_the_settings(tmp_path: Path) -> None:
    assert check().exit_code == 1
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/inputs.yaml").write_text(GOOD)
    (tmp_path / "lapwing.toml").write_text('rules = "rules"\n')
    assert check().exit_code == 0
    assert check("--inputs", "bad.yaml").exit_code == 1
