"""A backtest of what a broker's topics hold: the same as of a file."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

from consumers.broker.client import Admin, Cluster
from lapwing.cli import lapwing
from streams.errors import BrokerError

RULES = """version: 1
rules:
  - {id: silent, when: days_since_order >= 20, tier: high, reason: silence, for: 1d}
"""


def judged(*arguments: str) -> dict[str, object]:
    common = ["--rules", "rules.yaml", "--horizon", "30d", "--json"]
    result = CliRunner().invoke(lapwing, ["backtest", *arguments, *common])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_topics_give_the_figures_of_the_file(
    broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.yaml").write_text(RULES)
    mark = uuid4().hex[:8]
    for topic in ("orders", "logins", "complaints", "profiles"):
        monkeypatch.setenv(f"LAPWING_{topic.upper()}", f"{topic}-{mark}")
    admin = Admin(Cluster(broker))
    for topic in ("orders", "logins", "complaints"):
        admin.create(f"{topic}-{mark}", 2, 1, {})
    admin.close()
    shop = ["simulate", "--customers", "40", "--days", "100"]
    for target in (["--broker", broker], ["--out", "events.jsonl"]):
        assert CliRunner().invoke(lapwing, [*shop, *target]).exit_code == 0
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    kept = [line for line in lines if json.loads(line)["type"] != "profile"]  # there is no topic for them
    (tmp_path / "events.jsonl").write_text("\n".join(kept))
    of_file, of_topics = judged("events.jsonl"), judged("--broker", broker)
    assert of_topics == of_file
    assert of_file["events"] == len(kept)

    later = judged("--broker", broker, "--from", "30")
    assert 0 < int(str(later["events"])) < len(kept)
    monkeypatch.setenv("LAPWING_ORDERS", f"none-{mark}")
    with pytest.raises(BrokerError, match="has no topic"):
        judged("--broker", broker, "--from", "0")
